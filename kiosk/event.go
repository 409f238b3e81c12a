package kiosk

// Event is an act on an encounter. The machine in [tambo/kiosk/intake] takes
// (encounter, event) to (encounter, effects). Events are kept in the order in
// which they happened, and travel to the hub.
type Event interface {
	// Name is the event's stable name in stored and sent records.
	Name() string
}

// Record is an event as it is kept: who, when, what. It holds no image and no
// template; those are captures.
type Record struct {
	Seq  int     `json:"seq"` // from 1, without gaps
	Name string  `json:"name"`
	By   string  `json:"by"`
	At   Instant `json:"at"`
	Note string  `json:"note,omitempty"` // coded detail: step, reason, capture number
}

// Events of the encounter.
type (
	// Began opens the encounter.
	Began struct {
		Visit VisitKind
		Site  string
		Kiosk KioskID
	}
	// Arrived confirms (or corrects) the arrival. A younger age band stops the
	// machine and destroys what is no longer permitted.
	Arrived struct{ Arrival Arrival }
	// Captured adds a capture. Retaking adds another; it removes none.
	Captured struct{ Capture Capture }
	// Annotated writes the officer's remark on a capture.
	Annotated struct {
		Capture CaptureID
		Text    string
	}
	// Cleared withdraws a capture: it will not be sealed. Searches made with it
	// stay.
	Cleared struct{ Capture CaptureID }
	// Excepted says that something cannot be captured.
	Excepted struct{ Exception Exception }
	// Searched commits a search's answer. It comes before the answer is drawn.
	Searched struct{ Search Search }
	// Identified confirms the identity, with every disagreement answered.
	Identified struct{ Identity Identity }
	// Answered gives an answer about one candidate.
	Answered struct{ Answer Answer }
	// Decided closes the visit's question.
	Decided struct{ Decision Decision }
	// StepConfirmed closes a step; nothing poor or missing passes silently.
	StepConfirmed struct{ Step StepKind }
	// WentTo goes back to (or on to) a step.
	WentTo struct{ Step StepKind }
	// Parked puts the encounter aside in one touch.
	Parked struct{ Reason ParkReason }
	// Resumed continues a parked encounter after "is this the same person?":
	// the wristband number and one eye 1:1 against the draft. Comparison is nil
	// when the draft has no eye to compare.
	Resumed struct {
		Wristband  string
		Comparison *Search
		Same       bool   // the comparison passed the agreement's verify threshold
		Supervisor string // who vouched, when nothing could be compared
	}
	// Reviewed says that the officer has reviewed the whole and asks to seal.
	Reviewed struct{}
	// SecondAnswered is the second person's word on a held encounter.
	SecondAnswered struct{ Second Second }
	// Abandoned gives the encounter up. After a hit it needs a second person,
	// and the hit travels all the same.
	Abandoned struct {
		Reason string
		Second string // operator label of the second person
	}
	// SealedDone: the sealed package is durable; the draft's key is gone.
	SealedDone struct{}
	// ReceiptCame brings a verified receipt.
	ReceiptCame struct{ Receipt Receipt }
	// PurgedDone: the sealed package's key slot was erased.
	PurgedDone struct{}
)

func (Began) Name() string          { return "began" }
func (Arrived) Name() string        { return "arrived" }
func (Captured) Name() string       { return "captured" }
func (Annotated) Name() string      { return "annotated" }
func (Cleared) Name() string        { return "cleared" }
func (Excepted) Name() string       { return "excepted" }
func (Searched) Name() string       { return "searched" }
func (Identified) Name() string     { return "identified" }
func (Answered) Name() string       { return "answered" }
func (Decided) Name() string        { return "decided" }
func (StepConfirmed) Name() string  { return "step confirmed" }
func (WentTo) Name() string         { return "went to" }
func (Parked) Name() string         { return "parked" }
func (Resumed) Name() string        { return "resumed" }
func (Reviewed) Name() string       { return "reviewed" }
func (SecondAnswered) Name() string { return "second answered" }
func (Abandoned) Name() string      { return "abandoned" }
func (SealedDone) Name() string     { return "sealed" }
func (ReceiptCame) Name() string    { return "receipt came" }
func (PurgedDone) Name() string     { return "purged" }
