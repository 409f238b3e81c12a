package screens

import (
	"image"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/ui/words"
)

// Fault is why a sign-in was not accepted.
type Fault int

// Faults of a sign-in. A wrong number and a wrong password are not told apart.
const (
	FaultNone Fault = iota
	FaultWrong
	FaultRole // the role opens no subject data
	FaultWait // too many wrong passwords
	FaultSelf // the second person must be somebody else
)

// SignInState is the sign-in screen; Locked makes it the lock screen.
type SignInState struct {
	Number string // typed before
	Fault  Fault
	Until  time.Time // of FaultWait
	Busy   bool      // the password is being checked
	Locked *Locked
}

// Locked says what the lock screen shows: no name and no number of a person.
type Locked struct {
	Operator kiosk.Operator
	Since    time.Time
	Open     bool // an encounter was put aside and waits
}

// SignInCalls are what can be done at sign-in.
type SignInCalls struct {
	SignIn    func(number, password string)
	Forgotten func()
	Wrong     func() // "something is wrong with this kiosk"
	Other     func() // locked: somebody else signs in
}

// Unfinished is a draft in one line; package session's Draft converts to it.
type Unfinished struct {
	ID        kiosk.EncounterID
	Wristband string
	State     kiosk.State
	Park      kiosk.ParkReason
	At        kiosk.StepKind
	Hit       bool
	Hold      *kiosk.Hold
	Begun     time.Time
}

// Batch is a van: people who came together, under one authority.
type Batch struct {
	Origin    string
	Arrived   time.Time
	Authority string // Authority.Code
	Total     int
	Done      int // sealed
}

// Queue is what waits for the hub.
type Queue struct {
	People    int
	Oldest    time.Time
	Bytes     int64
	Thin      int           // people whose names and templates are still to go
	Remaining time.Duration // about, for the thin parts; 0: not known
	Photos    int           // people whose pictures wait
	Moving    bool
}

// HomeState is the first screen.
type HomeState struct {
	Batch      *Batch // nil: no arrival list is open
	Unfinished []Unfinished
	Queue      Queue
	Closed     Closed // why nobody can be enrolled now
	Damaged    int    // drafts that cannot be read
}

// Closed says why no enrolment may begin.
type Closed int

// Reasons why enrolment is closed.
const (
	ClosedNot         Closed = iota
	ClosedNoAgreement        // none has come from the hub
	ClosedExpired
	ClosedNotYet
	ClosedDisk
	ClosedClock
)

// HomeCalls are what can be done at home. Verify and Amend may be nil: they
// are then grey.
type HomeCalls struct {
	Next     func()
	Arrivals func() // the open list
	NewList  func()
	Open     func(kiosk.EncounterID)
	Queue    func()
	Why      func() // enrolment is closed: say why
	Verify   func()
	Amend    func()
	Fault    func()
	Close    func() // close the shift
	Lock     func()
}

// ArrivalsState is a van of N.
type ArrivalsState struct {
	Batch     Batch
	New       bool // it is being made: origin, authority and number are asked
	Agreement *kiosk.Agreement
	Rows      []Person
	Missing   []string // "origin", "authority", "total"
}

// Person is one row of a van.
type Person struct {
	ID        kiosk.EncounterID // empty: not begun
	Wristband string            // empty: not given yet
	State     kiosk.State
	At        kiosk.StepKind
	Hit       bool
}

// ArrivalsCalls are what can be done with a van.
type ArrivalsCalls struct {
	Next      func()
	Open      func(kiosk.EncounterID)
	Origin    func() // type it
	Authority func() // choose it
	Total     func(int)
	Begin     func() // the new list stands
	Finish    func() // nobody is left
	Back      func()
}

// ArrivalState is what stands before any capture. Encounter is the frame's.
type ArrivalState struct {
	Arrival   kiosk.Arrival // as chosen so far
	Agreement *kiosk.Agreement
	Permitted []kiosk.Modality // computed; nil: nothing is chosen yet, or nothing may be taken
	Guardian  bool             // one must be named
	Missing   []string         // "wristband", "authority", "category", "band", "basis", "guardian", "notice": what the grey button says first
	// Stopped: a younger age band destroyed what had been taken.
	Stopped bool
	Batch   *Batch
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
	Eye    kiosk.Eye
	Score  int
	Floor  int
	Image  image.Image
	Reason string // code: "cannotOpen", "disease", "restless", "light"
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
// "looked", "type", "0", "1"… for a disagreement's values, "expired" for "accept
// expired because…"; fields are named as in kiosk.Identity's record.
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

// ResumeState asks whether this is the same person.
type ResumeState struct {
	Draft     Unfinished
	Wristband string // typed
	Phase     ResumePhase
	Eye       EyeState
	Ask       string
	AskEye    kiosk.Eye
	// Supervisor: who is signed in may vouch.
	Supervisor bool
}

// ResumePhase is where resuming stands.
type ResumePhase int

// Phases of resuming.
const (
	ResumeAsk       ResumePhase = iota // the wristband number
	ResumeWrong                        // it is not the draft's
	ResumeLooking                      // one eye
	ResumeSame                         // the same person
	ResumeDifferent                    // somebody else: a new draft was opened
	ResumeNoEye                        // nothing to compare, or no camera: a supervisor may vouch
)

// ResumeCalls are what can be done about it.
type ResumeCalls struct {
	Wristband func() // type it
	Look      func()
	Vouch     func()
	Back      func()
	Next      func()
}

// HeldState is an encounter that waits for a second person.
type HeldState struct {
	Draft    Unfinished
	Deadline time.Time
	// Late: the deadline has passed.
	Late bool
	By   string // who enrolled: the second person is somebody else
}

// HeldCalls are what can be done with it.
type HeldCalls struct {
	Sign func() // the second person proves who they are
	Back func()
}

// Waiting is a sealed package and where it stands.
type Waiting struct {
	Wristband string
	State     kiosk.State
	Sealed    time.Time
	Bytes     int64
	Hit       bool
}

// QueueState is the queue and the hub.
type QueueState struct {
	Queue   Queue
	Waiting []Waiting
	Agree   time.Time // until when the agreement holds
	Busy    bool
}

// QueueCalls are what can be done with the queue. Stick may be nil.
type QueueCalls struct {
	Now   func()
	Stick func()
	Back  func()
}

// HealthItem is one thing that is well or not; nothing in it is about a person.
type HealthItem struct {
	Part   HealthPart
	State  HealthWord
	Detail string // model, port, figures; plain words
	At     time.Time
}

// HealthPart is a part of the kiosk.
type HealthPart string

// Parts of the kiosk.
const (
	PartCamera  HealthPart = "camera"
	PartScanner HealthPart = "scanner"
	PartChip    HealthPart = "chip"
	PartHub     HealthPart = "hub"
	PartVault   HealthPart = "vault"
	PartDisk    HealthPart = "disk"
	PartClock   HealthPart = "clock"
	PartPower   HealthPart = "power"
	PartPrinter HealthPart = "printer"
	PartUnknown HealthPart = "unknown" // a device that nothing here speaks to
)

// HealthWord says how a part is.
type HealthWord string

// How a part is.
const (
	HealthWell     HealthWord = "well"
	HealthBusy     HealthWord = "busy"
	HealthPoor     HealthWord = "poor" // works, badly
	HealthGone     HealthWord = "gone" // does not answer
	HealthBroken   HealthWord = "broken"
	HealthFull     HealthWord = "full"
	HealthUnsure   HealthWord = "unsure"
	HealthNoDriver HealthWord = "no driver"
	HealthNone     HealthWord = "not fitted"
)

// HealthState is the kiosk's health; the first item that is not well is the
// verdict.
type HealthState struct {
	Items   []HealthItem
	Testing bool
	Fault   string // number of a fault reported from here, empty: none
}

// HealthCalls are what can be done about health. Nil calls are not offered.
type HealthCalls struct {
	Test   func()
	Report func()
	Bundle func()
	Back   func()
}

// ClockState: the time is not certain.
type ClockState struct {
	Clock  kiosk.Instant
	Signed time.Time // last time the hub signed, zero: never
}

// DiskState: there is no room.
type DiskState struct {
	Free    int64 // bytes
	Needed  int64
	Waiting int // people who wait for the hub
}

// ExpiredState: no agreement permits enrolment now.
type ExpiredState struct {
	Title   string // of the agreement, empty: none has come
	Expires time.Time
	NotYet  time.Time // it begins then; zero: it has begun
}

// ClosedCalls are what can be done when enrolment is closed. Nil calls are not
// offered.
type ClosedCalls struct {
	Retry func() // ask the hub again, or look again
	Stick func() // load from a stick
	Queue func()
	Wrong func() // health
	Back  func()
}

// TypeField is one thing to type.
type TypeField struct {
	Key    string
	Label  string // ready to show
	Hint   string
	Value  string
	Secret bool
	Must   bool // it may not be empty
	Upper  bool
}

// TypeState asks for words: a number, a name, a reason, a second person's
// password.
type TypeState struct {
	Title  string // ready to show
	Detail string
	Fields []TypeField
	Fault  string // what was wrong with what was typed before, ready to show
	Done   string // the way on; empty: "Done"
}

// TypeCalls are what can be done with it.
type TypeCalls struct {
	Done func(values map[string]string)
	Back func()
}

// ChooseState asks for one of several things: a reason, a language.
type ChooseState struct {
	Title   string // ready to show
	Detail  string
	Choices []Option
	Chosen  []string // keys
	Person  bool     // it is a question about a person: Enter does not answer it
}

// Option is one thing to choose.
type Option struct {
	Key   string
	Label string // ready to show
}

// ChooseCalls are what can be done with it.
type ChooseCalls struct {
	Choose func(key string)
	Done   func() // where several may be chosen; nil: the first touch answers
	Back   func()
}
