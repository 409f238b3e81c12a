package screens

import (
	"image"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/ui/words"
)

// ArrivalState is what stands before any capture. Encounter is the frame's.
type ArrivalState struct {
	Arrival   kiosk.Arrival // as chosen so far
	Agreement *kiosk.Agreement
	Permitted []kiosk.Modality // computed; nil: nothing is chosen yet, or nothing may be taken
	Guardian  bool             // one must be named
	Missing   []string         // "wristband", "authority", "category", "band", "basis", "guardian", "notice": what the grey button says first
	// Stopped: a younger age band destroyed what had been taken.
	Stopped bool
	// Taken: somebody else who is unfinished here has this wristband number.
	Taken bool
	Batch *Batch
}

// ArrivalCalls are what can be done at arrival.
type ArrivalCalls struct {
	Wristband func() // type it
	Guardian  func() // type it
	Authority func() // choose it
	Category  func() // choose it
	Flags     func() // choose one, set or taken back
	Band      func(kiosk.AgeBand)
	Basis     func(kiosk.AgeBasis)
	Language  func(tag string) // of the notice: the person's
	Told      func(kiosk.NoticeForm)
	Park      func()
	Abandon   func()
	Next      func()
}

// Phase is where the irises stand.
type Phase int

// Phases of the irises.
const (
	PhaseStarting Phase = iota // the camera is being opened
	PhaseLooking
	PhaseNoCamera // none answers
	PhaseStruggle // time ran out; the best may be kept with a reason
	PhaseSearching
	PhaseSearched
)

// EyeState is one eye, in the words of package capture.
type EyeState struct {
	Present bool
	Score   int // of this frame
	Best    int // so far
	Floor   int
	Done    bool                  // its best is kept
	Below   bool                  // kept below its floor
	Except  kiosk.ExceptionReason // not captured, and why
}

// IrisesState is the irises step.
type IrisesState struct {
	Phase Phase
	// Eyes: right, left (kiosk.BothEyes).
	Eyes [2]EyeState
	// Ask is the one thing to ask now ("closer", "further", "open-wider",
	// "look-here", "remove-glasses", "hold-still"; empty: nothing), of an eye;
	// EyeUnknown: of both.
	Ask    string
	AskEye kiosk.Eye
	// GoesOn: all is green, it goes on by itself in that many seconds; 0: it
	// does not.
	GoesOn  int
	ByRule  bool // not collected of this person
	Missing int  // eyes and searches that the step still wants
}

// IrisesCalls are what can be done at the irises.
type IrisesCalls struct {
	OneEye  func()
	Refuses func()
	Other   func()
	Below   func(kiosk.Eye) // keep the best although it is below
	Again   func()
	Stay    func()
	Park    func()
	Next    func()
}

// BelowState asks why a capture is kept below its floor.
type BelowState struct {
	Face   bool // it is the face photo; else an eye
	Eye    kiosk.Eye
	Score  int
	Floor  int
	Image  image.Image
	Reason string // code: "cannotOpen", "disease", "restless", "light"; of a face "injury", "covering", "posture"
}

// BelowCalls are what can be done about it.
type BelowCalls struct {
	Reason func(code string)
	Keep   func()
	Back   func()
}

// ExceptionState says why something cannot be captured.
type ExceptionState struct {
	Modality kiosk.Modality
	Eyes     []kiosk.Eye // chosen, of irises
	Destroys bool        // what was captured of them is destroyed
	Reason   kiosk.ExceptionReason
	Words    string // the person's own
	Present  string // who was there
	Missing  []string
}

// ExceptionCalls are what can be done on the exception sheet.
type ExceptionCalls struct {
	Eye     func(kiosk.Eye) // chosen or taken back
	Reason  func(kiosk.ExceptionReason)
	Words   func()
	Present func()
	Save    func()
	Back    func()
}

// DocumentState is the document step.
type DocumentState struct {
	Scanning bool
	Received int64 // bytes so far
	NoDevice bool
	Page     image.Image // nil: none yet
	// Zone is where the machine-readable zone is on the page, as shares; empty:
	// not found.
	Zone     Box
	Unread   bool // the page was kept and could not be read
	Identity kiosk.Identity
	Expired  bool
	Accepted string            // why an expired document is accepted, a code; empty: it is not yet
	Answers  map[string]string // by field: "looked", "type", "0", "1"… (a disagreement's value)
	Missing  int               // answers needed
	Excepted kiosk.ExceptionReason
}

// Box is a rectangle on a picture, as shares of its sides.
type Box struct{ X, Y, W, H float32 }

// DocumentCalls are what can be done with a document. Answer's answers are
// "looked", "type", "0", "1"… for a disagreement's values, ExpiredAnswer and
// a code for "accept, although it has expired, because"; fields are named as in kiosk.Identity's record.
type DocumentCalls struct {
	Scan   func()
	Answer func(field, answer string)
	None   func() // no document: the exception sheet
	Type   func() // type it in
	Park   func()
	Next   func()
}

// IdentityState is who the person is.
type IdentityState struct {
	Identity kiosk.Identity
	Missing  int
}

// IdentityCalls are what can be done about identity.
type IdentityCalls struct {
	Change  func(field string) // "surname", "given", "birth", "sex", "nationality", "documentNumber"
	Unknown func(field string) // the person does not know, or does not say
	Alias   func()             // add one
	Drop    func(alias int)
	Park    func()
	Next    func()
}

// CandidateView is one candidate, with what the kiosk may show of it.
type CandidateView struct {
	Search    int // Search.ID
	Index     int // in Search.Candidates
	Candidate kiosk.Candidate
	Name      string      // if the agreement lets it be shown
	Born      string      // as kept
	Face      image.Image // if the agreement lets it be shown
	Wristband string      // of an earlier encounter
	Date      time.Time   // of an earlier encounter
	Answer    kiosk.Verdict
}

// DecisionState is the decision step. Searches are the frame's encounter's.
type DecisionState struct {
	Candidates []CandidateView
	// Second: the second person answers, and sees no earlier answer.
	Second bool
	// SecondWanted: a second person will answer too.
	SecondWanted bool
	HubAnswered  bool
	// NotByIris: both irises are excepted: nothing was searched by iris.
	NotByIris bool
	Missing   int
}

// DecisionCalls are what can be done at the decision.
type DecisionCalls struct {
	Answer  func(search, candidate int, v kiosk.Verdict)
	Again   func() // capture again
	Search  func() // search again: it was incomplete
	Refer   func()
	Park    func() // park and hold
	Next    func() // enrol
	Approve func() // second person
	Object  func() // second person: not approved
}

// ReviewState is the review before sealing.
type ReviewState struct {
	Agreement *kiosk.Agreement
	Seconds   []kiosk.SecondReason
	Deadline  time.Time // until when a second person is wanted
	Slip      SlipState
	Photo     image.Image // the portrait; nil: none was taken
	Missing   []kiosk.StepKind
	Busy      bool // sealing
}

// ReviewCalls are what can be done at the review.
type ReviewCalls struct {
	Abandon func()
	Park    func()
	Print   func()
	Seal    func()
}

// SlipState is the paper for the person, in the person's language.
type SlipState struct {
	Words     *words.Book // of the person's language
	Encounter *kiosk.Encounter
	Agreement *kiosk.Agreement
	Now       time.Time
	Code      string // short, to be read out; also the QR code's words
	Printer   bool   // a print command is set up
	Printed   bool
	Held      bool      // it waits for a second person
	Until     time.Time // of Held
}

// SlipCalls are what can be done with the slip.
type SlipCalls struct {
	Print    func()
	Language func(tag string)
	Done     func()
}
