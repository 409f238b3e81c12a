package intake

import (
	"tambo/kiosk"
)

// parked puts the encounter aside, on any step, and frees the kiosk.
func (s *step) parked(ev kiosk.Parked) error {
	if ev.Reason == "" {
		return s.refuse("choose why", "reason")
	}
	s.e.State, s.e.Park, s.e.Unresumed = kiosk.StateParked, ev.Reason, true
	s.note = string(ev.Reason)
	s.do(Save{}, Leave{})
	return nil
}

// resumed asks "is this the same person?": the wristband number, then one eye
// against the draft. Somebody else's eye opens a new draft and keeps both.
func (s *step) resumed(ev kiosk.Resumed) error {
	if s.e.State != kiosk.StateParked {
		return s.refuse("it is not parked")
	}
	hasEye := s.e.Best(kiosk.EyeLeft) != nil || s.e.Best(kiosk.EyeRight) != nil
	if s.e.Arrival.Wristband != "" && ev.Wristband != s.e.Arrival.Wristband {
		return s.refuse("the wristband number is another one: this draft belongs to somebody else", "wristband")
	}
	if q := ev.Comparison; q != nil {
		c := *q
		c.Scope, c.ID, c.At = kiosk.ScopeDraft, len(s.e.Searches)+1, s.at
		c.Candidates = nil // 1:1 is a check, not a hit
		s.e.Searches = append(s.e.Searches, c)
		if !ev.Same {
			s.note = "somebody else"
			s.do(Save{}, Leave{}, BeginAnother{Continues: s.e.ID})
			return nil
		}
	} else if hasEye && ev.Supervisor == "" {
		return s.refuse("capture one eye: is this the same person?", "comparison")
	} else if hasEye && s.by.Role != kiosk.RoleSupervisor {
		return s.refuse("a supervisor must vouch when no eye can be compared", "supervisor")
	}
	s.e.State, s.e.Park, s.e.Unresumed = kiosk.StateDraft, "", false
	if s.e.Agreement != s.rules.Digest && s.e.Arrival.Wristband != "" {
		s.setStep(kiosk.StepArrival, kiosk.StepOpen) // the agreement has changed: told and judged again
		s.e.At = kiosk.StepArrival
	}
	if x := s.e.Step(kiosk.StepArrival); s.e.Arrival.Wristband != "" && x.State == kiosk.StepOpen {
		s.e.State = kiosk.StateStopped // the arrival must be confirmed again first
	}
	s.note = "same person"
	if ev.Comparison == nil {
		s.note = "by wristband number"
	}
	s.do(Save{})
	return nil
}

// abandoned gives the encounter up. After a hit a second person must agree and
// the encounter is sealed and sent all the same.
func (s *step) abandoned(ev kiosk.Abandoned) error {
	if ev.Reason == "" {
		return s.refuse("say why", "reason")
	}
	if s.e.Hit() {
		if ev.Second == "" || ev.Second == s.by.Label || ev.Second == s.e.By {
			return s.refuse("somebody was found: a second person must agree, and the hub is told all the same", "second")
		}
		s.e.Abandoned = ev.Reason
		s.e.Seconds = append(s.e.Seconds, kiosk.Second{By: ev.Second, Approved: true, Reason: ev.Reason, At: s.at})
		s.note = "after a hit"
		s.complete(kiosk.PackageAbandoned)
		return nil
	}
	s.e.Abandoned, s.e.State = ev.Reason, kiosk.StateAbandoned
	s.note = ev.Reason
	s.do(Discard{}, Leave{})
	return nil
}

// sealed, receipt and purged follow the vault's custody of the package.

func (s *step) sealed() error {
	if s.e.State != kiosk.StateComplete {
		return s.refuse("it is not complete")
	}
	s.e.State = kiosk.StateSealed
	return nil
}

func (s *step) receipt(ev kiosk.ReceiptCame) error {
	next, ok := Custody(s.e.State, ev.Receipt.Kind)
	if !ok {
		return s.refuse("a receipt for a package that was not sent")
	}
	if ev.Receipt.Encounter != s.e.ID || ev.Receipt.Kiosk != s.e.Kiosk {
		return s.refuse("the receipt is for another package")
	}
	s.e.State = next
	s.note = string(ev.Receipt.Kind)
	return nil
}

func (s *step) purged() error {
	if s.e.State != kiosk.StateDelivered {
		return s.refuse("only a complete receipt permits purge")
	}
	s.e.State = kiosk.StatePurged
	return nil
}

// Custody is the life of a sealed package: what a receipt makes of its state.
// A receipt that came before, or comes late, changes nothing. ok is false where
// no receipt may come.
func Custody(st kiosk.State, r kiosk.ReceiptKind) (next kiosk.State, ok bool) {
	switch st {
	case kiosk.StateSealed, kiosk.StateThin:
		switch r {
		case kiosk.ReceiptThin:
			return kiosk.StateThin, true
		case kiosk.ReceiptComplete:
			return kiosk.StateDelivered, true
		case kiosk.ReceiptRefused:
			return kiosk.StateRefused, true
		}
	case kiosk.StateDelivered, kiosk.StatePurged:
		return st, true
	case kiosk.StateRefused:
		if r == kiosk.ReceiptComplete { // the hub thought better of it
			return kiosk.StateDelivered, true
		}
		return st, true
	}
	return st, false
}
