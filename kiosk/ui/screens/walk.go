package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// walk is the left column: the steps, each with one line of what was found.
func (b *builder) walk() *widgets.Walk {
	e := b.Encounter
	heading := b.Say("walk.noWristband")
	if e.Arrival.Wristband != "" {
		heading = b.Say("walk.wristband", "Number", widgets.Keep(e.Arrival.Wristband))
	}
	st := widgets.WalkState{Heading: heading}
	steps := e.Steps
	for i, x := range steps {
		s := widgets.StepState{Number: i + 1, Title: b.Say("step." + string(x.Kind))}
		s.Found, s.Tone = b.found(x)
		switch {
		case x.Kind == e.At:
			s.Mark = widgets.StepNow
		case x.State == kiosk.StepDone:
			s.Mark = widgets.StepDone
		case x.State == kiosk.StepExcepted:
			s.Mark = widgets.StepExcepted
		case x.State == kiosk.StepByRule:
			s.Mark = widgets.StepByRule
		}
		s.Touchable = b.Calls.GoTo != nil && x.Kind != e.At && (s.Mark == widgets.StepDone || s.Mark == widgets.StepExcepted)
		st.Steps = append(st.Steps, s)
	}
	w := widgets.NewWalk(st, func(i int) {
		if b.Calls.GoTo != nil && i < len(steps) {
			b.Calls.GoTo(steps[i].Kind)
		}
	})
	w.OnHold = func(i int, down bool) {
		if b.held != nil && i < len(steps) && steps[i].Kind == kiosk.StepIrises {
			b.held(down)
		}
	}
	return w
}

// discreet is what a list wants told discreetly, in full: it is seen while the
// step of the irises is pressed and held, and never otherwise. Nil: there is
// nothing.
func (b *builder) discreet() fyne.CanvasObject {
	for _, s := range b.Encounter.Searches {
		for i := range s.Candidates {
			c := &s.Candidates[i]
			if c.Presentation != kiosk.PresentDiscreet {
				continue
			}
			do := instruction(b.Book, c.Instruction)
			if do == "" {
				do = b.Say("alert.noText")
			}
			return widgets.NewBanner(widgets.BannerState{Tone: theme.Active, Title: sentence(do), Detail: c.List + " · " + b.Say("decision.entry", "Entry", c.Entry), NoSign: true})
		}
	}
	return nil
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
		id := &e.Identity
		switch {
		case x.State != kiosk.StepDone:
		case len(id.Expiry.Value) == len(time.DateOnly) && id.Expiry.Value < b.Now.Format(time.DateOnly):
			return b.Say("found.expired"), theme.Care
		case id.DocumentNumber.Source == kiosk.SourceOfficer:
			return b.Say("found.documentTyped"), theme.Plain
		default:
			return b.Say("found.documentRead"), theme.Plain
		}
	case kiosk.StepIdentity:
		if x.State == kiosk.StepDone {
			if e.Identity.Surname.Source == kiosk.SourceOfficer {
				return b.Say("found.stated"), theme.Plain
			}
			return b.Say("found.fromDocument"), theme.Plain
		}
	case kiosk.StepFace:
		for _, ex := range e.Exceptions {
			if ex.Modality == kiosk.ModalityFace {
				return b.Say("found.excepted", "Why", lower(coded(b.Book, "except.", string(ex.Reason)))), theme.Plain
			}
		}
		if e.Photo() != nil {
			return b.Say("found.taken"), theme.Plain
		}
	case kiosk.StepDecision:
		if open := unanswered(e); open > 0 && x.Kind == e.At {
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
	case hit && loud && unanswered(e) == 0:
		return b.Say("found.seeDecision"), theme.Plain
	case hit && loud:
		return b.Say("found.seeDecision"), theme.Stop
	case hit:
		return b.Say("found.discreet"), theme.Plain
	}
	var kept []string
	excepted := 0
	for _, eye := range kiosk.BothEyes {
		if e.Best(eye) != nil {
			kept = append(kept, b.Say("found.eyeKept."+eye.String()))
		}
		if e.Excepted(kiosk.ModalityIris, eye) {
			excepted++
		}
	}
	switch r := resultOf(e); {
	case excepted == 2:
		return b.Say("found.notSearched"), theme.Plain
	case r.made && !r.complete:
		return b.Say("found.incomplete"), theme.Unsure
	case r.made:
		return b.Say("found.noMatch", "Count", b.Number(r.compared)), theme.Plain
	case len(kept) == 2:
		return b.Say("found.bothKept"), theme.Plain
	case len(kept) == 1:
		return kept[0], theme.Plain
	}
	return "", theme.Plain
}

// result is what the newest searches compared, taken together.
type result struct {
	made, complete       bool
	compared, total, old int
	lists, site          *kiosk.Search // newest of each, nil: none
}

func resultOf(e *kiosk.Encounter) (r result) {
	for i := range e.Searches {
		switch s := &e.Searches[i]; s.Scope {
		case kiosk.ScopeSite:
			r.site = s
		case kiosk.ScopeLists:
			r.lists = s
		}
	}
	r.complete = true
	for _, s := range []*kiosk.Search{r.site, r.lists} {
		if s != nil {
			r.made, r.complete = true, r.complete && s.Complete
			r.compared, r.total, r.old = r.compared+s.Compared, r.total+s.Total, r.old+s.NotCompared
		}
	}
	return r
}

// unanswered counts the candidates that nobody has answered.
func unanswered(e *kiosk.Encounter) (n int) {
	for _, s := range e.Searches {
		for c := range s.Candidates {
			if answerOf(e, s.ID, c) == "" {
				n++
			}
		}
	}
	return n
}

// next is the way on from a step: "Next: Document".
func (b *builder) next(from kiosk.StepKind) string {
	if b.Encounter != nil {
		past := false
		for _, x := range b.Encounter.Steps {
			if past && x.State != kiosk.StepByRule {
				return b.Say("next." + string(x.Kind))
			}
			past = past || x.Kind == from
		}
	}
	return b.Say("act.goOn")
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
