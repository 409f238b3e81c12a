// Package intake is the encounter as a pure state machine:
//
//	(encounter, event) → (encounter, effects)
//
// It says which act may follow which, and what must be done about it. It has no
// goroutine, no clock and no I/O: package session carries out the effects, in the
// order given, and shows nothing before they are done.
//
// What it guarantees, and what its model test checks on random walks:
//
//   - every accepted event is kept, in order, and the encounter is saved;
//   - a search result with a candidate is sent to the hub before it is drawn, and
//     no later event takes it back;
//   - after a hit, abandoning needs a second person and still seals;
//   - nothing poor or missing passes a step without a capture, a coded exception,
//     or a rule that says so;
//   - what a younger age band forbids is destroyed the moment it is known;
//   - nothing that was sealed changes again, except by receipts.
package intake

import (
	"errors"
	"fmt"
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

// ErrRefused marks an event that may not happen now. A *Refusal says what is
// missing; the encounter is unchanged.
var ErrRefused = errors.New("not possible now")

// Refusal says why an event was refused and what would allow it.
type Refusal struct {
	Event string
	Why   string // a sentence for the officer
	// Missing lists what a step still wants, as stable codes
	// ("capture:left", "answer:1/0", "search").
	Missing []string
	Err     error // cause, may be nil
}

func (r *Refusal) Error() string {
	s := r.Event + ": " + r.Why
	if r.Err != nil {
		s += ": " + r.Err.Error()
	}
	return s
}

// Unwrap makes every refusal an ErrRefused.
func (r *Refusal) Unwrap() []error {
	if r.Err == nil {
		return []error{ErrRefused}
	}
	return []error{ErrRefused, r.Err}
}

// Effect is something that session must do, in order, before the new state is
// shown.
type Effect interface{ effect() }

// Effects.
type (
	// SendHit seals a notice of this search to the hub and queues it. It comes
	// before Save.
	SendHit struct{ Search int }
	// DropImages destroys images, and whatever an earlier saved state held. It
	// comes after Save. Doing it again after a cut is harmless: recovery does.
	DropImages struct{ Parts []string }
	// Save makes the encounter durable. Nothing is confirmed before it returns.
	Save struct{}
	// Seal builds, signs and queues the package, and erases the draft.
	Seal struct{ Kind kiosk.PackageKind }
	// Discard erases the draft.
	Discard struct{}
	// Leave frees the kiosk: home is shown.
	Leave struct{}
	// BeginAnother opens a new draft, because somebody else stands here than in
	// the draft that was to be resumed.
	BeginAnother struct{ Continues kiosk.EncounterID }
)

func (SendHit) effect()      {}
func (DropImages) effect()   {}
func (Save) effect()         {}
func (Seal) effect()         {}
func (Discard) effect()      {}
func (Leave) effect()        {}
func (BeginAnother) effect() {}

// Rules is the machine: an agreement and its digest.
type Rules struct {
	Agreement kiosk.Agreement
	Digest    string // of the signed agreement
}

// Apply takes an encounter and an act to the next encounter and its effects.
// On error, which is always a *Refusal, nothing has changed. The encounter given
// is not modified.
func (r Rules) Apply(e kiosk.Encounter, ev kiosk.Event, by kiosk.Operator, at kiosk.Instant) (kiosk.Encounter, []Effect, error) {
	s := &step{rules: r, e: clone(e), by: by, at: at, name: ev.Name()}
	if err := s.admit(ev); err != nil {
		return e, nil, err
	}
	if err := s.apply(ev); err != nil {
		return e, nil, err
	}
	s.e.Events = append(s.e.Events, kiosk.Record{Seq: len(s.e.Events) + 1, Name: s.name, By: by.Label, At: at, Note: s.note})
	return s.e, s.effects, nil
}

// step is one application in progress.
type step struct {
	rules   Rules
	e       kiosk.Encounter
	by      kiosk.Operator
	at      kiosk.Instant
	name    string
	note    string
	effects []Effect
}

func (s *step) refuse(why string, missing ...string) error {
	return &Refusal{Event: s.name, Why: why, Missing: missing}
}

func (s *step) because(err error, why string) error {
	return &Refusal{Event: s.name, Why: why, Err: err}
}

func (s *step) do(effects ...Effect) { s.effects = append(s.effects, effects...) }

// admit checks what holds for every event: who acts, under which agreement,
// in which state.
func (s *step) admit(ev kiosk.Event) error {
	switch ev.(type) {
	case kiosk.ReceiptCame, kiosk.PurgedDone, kiosk.SealedDone:
		return nil // the vault's word, not an operator's
	}
	if !s.by.Role.OpensSubjects() {
		return s.refuse("only an officer or a supervisor may work on an encounter")
	}
	if _, ok := ev.(kiosk.Began); ok {
		if s.e.ID != "" {
			return s.refuse("it has begun already")
		}
		if err := policy.InForce(&s.rules.Agreement, s.at.Time); err != nil {
			return s.because(err, "no new enrolment")
		}
		return nil
	}
	if s.e.ID == "" {
		return s.refuse("no encounter has begun")
	}
	if !s.e.State.Open() {
		return s.refuse(fmt.Sprintf("the encounter is %s", s.e.State))
	}
	if allowed, only := onlyIn[s.e.State]; only && !slices.Contains(allowed, ev.Name()) {
		return s.refuse(fmt.Sprintf("the encounter is %s", s.e.State))
	}
	if s.e.Agreement != s.rules.Digest && s.e.State != kiosk.StateHeld {
		switch ev.(type) {
		case kiosk.Arrived, kiosk.Parked, kiosk.Resumed, kiosk.Abandoned:
		default:
			return s.refuse("the agreement has changed since: confirm the arrival again under the new one", "arrival")
		}
	}
	return nil
}

// onlyIn lists the events that a state admits; other open states admit all.
var onlyIn = map[kiosk.State][]string{
	kiosk.StateParked:   {"resumed", "abandoned"},
	kiosk.StateHeld:     {"second answered", "answered"},
	kiosk.StateStopped:  {"arrived", "parked", "abandoned"},
	kiosk.StateComplete: {"sealed"},
}

func (s *step) apply(ev kiosk.Event) error {
	switch ev := ev.(type) {
	case kiosk.Began:
		return s.began(ev)
	case kiosk.Arrived:
		return s.arrived(ev)
	case kiosk.Captured:
		return s.captured(ev)
	case kiosk.Annotated:
		return s.annotated(ev)
	case kiosk.Cleared:
		return s.cleared(ev)
	case kiosk.Excepted:
		return s.excepted(ev)
	case kiosk.Searched:
		return s.searched(ev)
	case kiosk.Identified:
		return s.identified(ev)
	case kiosk.Answered:
		return s.answered(ev)
	case kiosk.Decided:
		return s.decided(ev)
	case kiosk.StepConfirmed:
		return s.confirmed(ev)
	case kiosk.WentTo:
		return s.wentTo(ev)
	case kiosk.Parked:
		return s.parked(ev)
	case kiosk.Resumed:
		return s.resumed(ev)
	case kiosk.Reviewed:
		return s.reviewed()
	case kiosk.SecondAnswered:
		return s.secondAnswered(ev)
	case kiosk.Abandoned:
		return s.abandoned(ev)
	case kiosk.SealedDone:
		return s.sealed()
	case kiosk.ReceiptCame:
		return s.receipt(ev)
	case kiosk.PurgedDone:
		return s.purged()
	}
	return s.refuse("this event is not known")
}

// clone copies what Apply may change, so that the caller's value stays as it
// was.
func clone(e kiosk.Encounter) kiosk.Encounter {
	e.Steps = slices.Clone(e.Steps)
	e.Modalities = slices.Clone(e.Modalities)
	e.Captures = slices.Clone(e.Captures)
	e.Exceptions = slices.Clone(e.Exceptions)
	e.Searches = slices.Clone(e.Searches)
	e.Answers = slices.Clone(e.Answers)
	e.Seconds = slices.Clone(e.Seconds)
	e.Events = slices.Clone(e.Events)
	return e
}
