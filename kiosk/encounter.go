package kiosk

// VisitKind is the reason for an encounter; it chooses the steps.
type VisitKind string

// Kinds of visit.
const (
	VisitIntake    VisitKind = "prison intake"
	VisitPort      VisitKind = "port of entry"
	VisitRelease   VisitKind = "release check"
	VisitAmendment VisitKind = "amendment"
	VisitObjection VisitKind = "objection"
)

// StepKind is a card of the walk. Each has the same four acts: capture,
// annotate, clear, retake.
type StepKind string

// Steps.
const (
	StepArrival  StepKind = "arrival"
	StepIrises   StepKind = "irises"
	StepDocument StepKind = "document"
	StepIdentity StepKind = "identity"
	StepFace     StepKind = "face"
	StepDecision StepKind = "decision"
	StepReview   StepKind = "review"
)

// StepState is where a step stands.
type StepState string

// Step states.
const (
	StepOpen     StepState = "to do"
	StepDone     StepState = "done"
	StepExcepted StepState = "excepted"              // with coded reasons
	StepByRule   StepState = "not collected by rule" // the age band or a flag excludes it
)

// Step is one card and its state.
type Step struct {
	Kind     StepKind  `json:"kind"`
	State    StepState `json:"state"`
	Required bool      `json:"required"`
}

// State is where an encounter is in its life.
type State string

// States of an encounter.
const (
	StateDraft     State = "draft"
	StateParked    State = "parked"
	StateComplete  State = "complete" // every step answered, ready to seal
	StateHeld      State = "held"     // waits for a second person
	StateSealed    State = "sealed"
	StateThin      State = "thin-delivered"
	StateDelivered State = "delivered"
	StatePurged    State = "purged"
	StateRefused   State = "refused"
	StateAbandoned State = "abandoned"
	// StateStopped: a later fact (a younger age band) forbade what had been
	// taken; it was destroyed and the officer must begin the walk again from
	// arrival.
	StateStopped State = "stopped"
)

// Open reports whether the encounter can still be worked on.
func (s State) Open() bool {
	return s == StateDraft || s == StateParked || s == StateComplete || s == StateHeld || s == StateStopped
}

// ParkReason says why an encounter was parked. Parking frees the kiosk in one
// touch.
type ParkReason string

// Park reasons.
const (
	ParkCalledAway ParkReason = "called away"
	ParkMedical    ParkReason = "medical"
	ParkDevice     ParkReason = "device fault"
	ParkLater      ParkReason = "person not able now"
	ParkLocked     ParkReason = "locked while idle"
	ParkUnclean    ParkReason = "kiosk stopped" // power cut or crash
)

// Hold says that a second person is needed, why, and until when.
type Hold struct {
	Reasons  []SecondReason `json:"reasons"`
	Since    Instant        `json:"since"`
	Deadline Instant        `json:"deadline"`
}

// Second is what the second person said.
type Second struct {
	By       string  `json:"by"`
	Approved bool    `json:"approved"`
	Reason   string  `json:"reason,omitempty"`
	At       Instant `json:"at"`
}

// Encounter is one meeting with one person: the whole of its state, as it is
// persisted at every confirmed step. Images lie beside it in the vault.
type Encounter struct {
	ID        EncounterID `json:"id"`
	Kiosk     KioskID     `json:"kiosk"`
	Site      string      `json:"site"`
	Visit     VisitKind   `json:"visit"`
	State     State       `json:"state"`
	Agreement string      `json:"agreement"` // digest of the agreement it was begun under
	Training  bool        `json:"training,omitempty"`
	Begun     Instant     `json:"begun"`
	By        string      `json:"by"` // operator who began it

	Steps []Step   `json:"steps"`
	At    StepKind `json:"at"` // the step now shown

	Arrival    Arrival     `json:"arrival"`
	Modalities []Modality  `json:"modalities"` // permitted, computed from arrival and agreement
	Identity   Identity    `json:"identity"`
	Captures   []Capture   `json:"captures,omitempty"`
	Exceptions []Exception `json:"exceptions,omitempty"`
	Searches   []Search    `json:"searches,omitempty"`
	Answers    []Answer    `json:"answers,omitempty"`
	Decision   *Decision   `json:"decision,omitempty"`

	Park      ParkReason `json:"park,omitempty"`
	Unresumed bool       `json:"unresumed,omitempty"` // nobody has yet shown that this is the same person
	Hold      *Hold      `json:"hold,omitempty"`
	Seconds   []Second   `json:"seconds,omitempty"`
	Abandoned string     `json:"abandoned,omitempty"` // reason
	// Continues names the draft whose resumption a different person's eye
	// refused; both are kept.
	Continues EncounterID `json:"continues,omitempty"`
	Amendment *Amendment  `json:"amendment,omitempty"`

	Events []Record `json:"events"` // every act, in order
}

// Hit reports whether any search found a candidate.
func (e *Encounter) Hit() bool {
	for _, s := range e.Searches {
		if len(s.Candidates) > 0 {
			return true
		}
	}
	return false
}

// Capture returns the capture with an id.
func (e *Encounter) Capture(id CaptureID) (*Capture, bool) {
	for i := range e.Captures {
		if e.Captures[i].ID == id {
			return &e.Captures[i], true
		}
	}
	return nil, false
}

// Best returns the best capture of an eye that was not cleared, nil if none.
func (e *Encounter) Best(eye Eye) *Capture {
	var best *Capture
	for i := range e.Captures {
		c := &e.Captures[i]
		if c.Modality != ModalityIris || c.Eye != eye || c.Cleared {
			continue
		}
		if best == nil || c.Quality.Score > best.Quality.Score {
			best = c
		}
	}
	return best
}

// Photo returns the face photo taken last that was not cleared, nil if there is
// none: the officer took it again because the earlier one would not do.
func (e *Encounter) Photo() *Capture {
	for i := len(e.Captures) - 1; i >= 0; i-- {
		if c := &e.Captures[i]; c.Modality == ModalityFace && !c.Cleared {
			return c
		}
	}
	return nil
}

// Step returns the step of a kind, nil if the walk has none.
func (e *Encounter) Step(k StepKind) *Step {
	for i := range e.Steps {
		if e.Steps[i].Kind == k {
			return &e.Steps[i]
		}
	}
	return nil
}

// Permits reports whether a modality may be captured of this person.
func (e *Encounter) Permits(m Modality) bool {
	for _, x := range e.Modalities {
		if x == m {
			return true
		}
	}
	return false
}

// Excepted reports whether an exception stands for a modality (and eye).
func (e *Encounter) Excepted(m Modality, eye Eye) bool {
	for _, x := range e.Exceptions {
		if x.Modality == m && x.Eye == eye {
			return true
		}
	}
	return false
}
