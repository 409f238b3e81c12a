package screens

import (
	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// walk is the left column: the steps, each with one line of what was found.
func (b *builder) walk() *Walk {
	e := b.Encounter
	heading := b.Say("walk.noWristband")
	if e.Arrival.Wristband != "" {
		heading = b.Say("walk.wristband", "Number", Keep(e.Arrival.Wristband))
	}
	st := WalkState{Heading: heading}
	steps := e.Steps
	for i, x := range steps {
		s := StepState{Number: i + 1, Title: b.Say("step." + string(x.Kind))}
		s.Found, s.Tone = b.found(x)
		switch {
		case x.Kind == e.At:
			s.Mark = StepNow
		case x.State == kiosk.StepDone:
			s.Mark = StepDone
		case x.State == kiosk.StepExcepted:
			s.Mark = StepExcepted
		case x.State == kiosk.StepByRule:
			s.Mark = StepByRule
		}
		s.Touchable = b.Calls.GoTo != nil && x.Kind != e.At && (s.Mark == StepDone || s.Mark == StepExcepted)
		st.Steps = append(st.Steps, s)
	}
	return NewWalk(st, func(i int) {
		if b.Calls.GoTo != nil && i < len(steps) {
			b.Calls.GoTo(steps[i].Kind)
		}
	})
}

// found is one line of what a step found.
func (b *builder) found(x kiosk.Step) (string, theme.Tone) {
	e := b.Encounter
	if x.State == kiosk.StepByRule {
		return b.Say("found.byRule"), theme.Plain
	}
	switch x.Kind {
	case kiosk.StepArrival:
		if x.State == kiosk.StepDone {
			return b.Say("found.arrival", "Band", lower(coded(b.Book, "band.", string(e.Arrival.Band))), "Basis", coded(b.Book, "basis.", string(e.Arrival.BandBasis))), theme.Plain
		}
	case kiosk.StepIrises:
		return b.foundIrises()
	case kiosk.StepDocument:
		for _, ex := range e.Exceptions {
			if ex.Modality == kiosk.ModalityDocument {
				return b.Say("found.excepted", "Why", lower(coded(b.Book, "except.", string(ex.Reason)))), theme.Plain
			}
		}
		if x.State == kiosk.StepDone {
			return b.Say("found.documentRead"), theme.Plain
		}
	case kiosk.StepIdentity:
		if x.State == kiosk.StepDone {
			if e.Identity.Surname.Source == kiosk.SourceOfficer {
				return b.Say("found.stated"), theme.Plain
			}
			return b.Say("found.fromDocument"), theme.Plain
		}
	case kiosk.StepDecision:
		open := 0
		for _, s := range e.Searches {
			for c := range s.Candidates {
				if answerOf(e, s.ID, c) == "" {
					open++
				}
			}
		}
		if open > 0 && x.Kind == e.At {
			return b.Count("found.toAnswer", open), theme.Plain
		}
		if x.State == kiosk.StepDone {
			return b.Say("found.answered"), theme.Plain
		}
	}
	return "", theme.Plain
}

// foundIrises says what the search found at once, discreetly where the
// agreement says so.
func (b *builder) foundIrises() (string, theme.Tone) {
	e := b.Encounter
	switch loud, hit := hitOf(e); {
	case hit && loud:
		return b.Say("found.seeDecision"), theme.Stop
	case hit:
		return b.Say("found.discreet"), theme.Plain
	}
	return "", theme.Plain
}

func answerOf(e *kiosk.Encounter, search, candidate int) kiosk.Verdict {
	for i := len(e.Answers) - 1; i >= 0; i-- {
		if a := e.Answers[i]; a.Search == search && a.Candidate == candidate && !a.Second {
			return a.Verdict
		}
	}
	return ""
}

// hitOf reports whether a search found somebody, and whether the agreement lets
// that be shown aloud.
func hitOf(e *kiosk.Encounter) (loud, hit bool) {
	for _, s := range e.Searches {
		for _, c := range s.Candidates {
			hit = true
			loud = loud || c.Presentation != kiosk.PresentDiscreet
		}
	}
	return loud, hit
}
