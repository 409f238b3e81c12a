package intake

import (
	"fmt"
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/policy"
)

// answered takes one answer about one candidate. The second person answers for
// themself and must be somebody else.
func (s *step) answered(ev kiosk.Answered) error {
	a := ev.Answer
	if a.Search < 1 || a.Search > len(s.e.Searches) || a.Candidate < 0 || a.Candidate >= len(s.e.Searches[a.Search-1].Candidates) {
		return s.refuse("there is no such candidate")
	}
	switch a.Verdict {
	case kiosk.VerdictSame, kiosk.VerdictDifferent, kiosk.VerdictUnsure:
	default:
		return s.refuse("choose one of the three answers", "answer")
	}
	a.Second = s.e.State == kiosk.StateHeld
	if a.Second && !s.maySecond() {
		return s.refuse("the second answer must come from another person, a supervisor", "second")
	}
	for _, old := range s.e.Answers {
		if old.Search == a.Search && old.Candidate == a.Candidate && old.By == s.by.Label && old.Second == a.Second && old.Verdict == a.Verdict {
			return s.refuse("this was answered already")
		}
	}
	a.By, a.At = s.by.Label, s.at
	s.e.Answers = append(s.e.Answers, a)
	s.note = fmt.Sprintf("%d/%d: %s", a.Search, a.Candidate, a.Verdict)
	s.do(Save{})
	return nil
}

// maySecond reports whether the operator may be the second person: a
// supervisor who has not worked on this encounter.
func (s *step) maySecond() bool {
	if s.by.Role != kiosk.RoleSupervisor || s.by.Label == s.e.By {
		return false
	}
	return !slices.ContainsFunc(s.e.Events, func(r kiosk.Record) bool {
		return r.By == s.by.Label && r.Name != (kiosk.Answered{}).Name() && r.Name != (kiosk.SecondAnswered{}).Name()
	})
}

// unanswered lists candidates of any search that nobody (second: no second
// person) has answered. A retake's search adds questions; it never removes one.
func unanswered(e *kiosk.Encounter, second bool) []string {
	var out []string
	for _, q := range e.Searches {
		for c := range q.Candidates {
			if !slices.ContainsFunc(e.Answers, func(a kiosk.Answer) bool {
				return a.Search == q.ID && a.Candidate == c && a.Second == second
			}) {
				out = append(out, fmt.Sprintf("answer:%d/%d", q.ID, c))
			}
		}
	}
	return out
}

func (s *step) decided(ev kiosk.Decided) error {
	d := ev.Decision
	if miss := unanswered(&s.e, false); len(miss) > 0 {
		return s.refuse(fmt.Sprintf("%d answer(s) needed", len(miss)), miss...)
	}
	if !slices.Contains(outcomes[s.e.Visit], d.Outcome) {
		return s.refuse("choose a decision that this visit knows", "decision")
	}
	if d.Outcome == kiosk.OutcomeRefuse && d.Reason == "" {
		return s.refuse("give the reason of the refusal", "reason")
	}
	d.By, d.At = s.by.Label, s.at
	s.e.Decision = &d
	s.note = string(d.Outcome)
	s.do(Save{})
	return nil
}

var outcomes = map[kiosk.VisitKind][]kiosk.Outcome{
	kiosk.VisitIntake:  {kiosk.OutcomeEnrol, kiosk.OutcomeRefer},
	kiosk.VisitPort:    {kiosk.OutcomeAdmit, kiosk.OutcomeRefer, kiosk.OutcomeRefuse},
	kiosk.VisitRelease: {kiosk.OutcomeConfirmed, kiosk.OutcomeNotConfirmed},
}

// confirmed closes a step when nothing of it is missing.
func (s *step) confirmed(ev kiosk.StepConfirmed) error {
	x := s.e.Step(ev.Step)
	if x == nil {
		return s.refuse("this walk has no such step")
	}
	if x.State == kiosk.StepByRule {
		return s.refuse("this step is not collected by rule")
	}
	if miss := Missing(&s.e, ev.Step); len(miss) > 0 {
		return s.refuse("something is still missing", miss...)
	}
	x.State = kiosk.StepDone
	if excepted(&s.e, ev.Step) {
		x.State = kiosk.StepExcepted
	}
	s.note = string(ev.Step)
	s.advance(ev.Step)
	s.do(Save{})
	return nil
}

// Missing lists, as stable codes, what a step still wants before it can be
// confirmed; empty when it can. The window shows it on the grey button.
func Missing(e *kiosk.Encounter, k kiosk.StepKind) []string {
	switch k {
	case kiosk.StepArrival:
		if x := e.Step(k); x == nil || x.State != kiosk.StepDone { // Arrived closes it
			return []string{"arrival"}
		}
	case kiosk.StepIrises:
		return missingIrises(e)
	case kiosk.StepDocument:
		return missingDocument(e)
	case kiosk.StepFace:
		return missingOne(e, kiosk.ModalityFace)
	case kiosk.StepIdentity:
		if !slices.ContainsFunc(e.Events, func(r kiosk.Record) bool { return r.Name == (kiosk.Identified{}).Name() }) {
			return []string{"identity"}
		}
	case kiosk.StepDecision:
		if miss := unanswered(e, false); len(miss) > 0 {
			return miss
		}
		if e.Decision == nil {
			return []string{"decision"}
		}
	case kiosk.StepReview:
		return missingSteps(e)
	}
	return nil
}

// missingIrises wants, for each eye, a capture or an exception, and a complete
// search of the site and of the lists with the best captures of both.
func missingIrises(e *kiosk.Encounter) []string {
	var miss []string
	var probes []kiosk.CaptureID
	for _, eye := range kiosk.BothEyes {
		if c := e.Best(eye); c != nil {
			probes = append(probes, c.ID)
		} else if !e.Excepted(kiosk.ModalityIris, eye) {
			miss = append(miss, "capture:"+eye.String())
		}
	}
	if len(probes) == 0 {
		return miss
	}
	for _, scope := range []kiosk.Scope{kiosk.ScopeSite, kiosk.ScopeLists} {
		if !slices.ContainsFunc(e.Searches, func(q kiosk.Search) bool {
			return q.Scope == scope && q.Complete && !slices.ContainsFunc(probes, func(p kiosk.CaptureID) bool { return !slices.Contains(q.Captures, p) })
		}) {
			miss = append(miss, "search:"+string(scope))
		}
	}
	return miss
}

func missingOne(e *kiosk.Encounter, m kiosk.Modality) []string {
	have := slices.ContainsFunc(e.Captures, func(c kiosk.Capture) bool { return c.Modality == m && !c.Cleared })
	if have || e.Excepted(m, kiosk.EyeUnknown) {
		return nil
	}
	return []string{"capture:" + string(m)}
}

// missingDocument wants a page whose zone was read, or a coded reason. A page
// that nobody can read is kept, and does not pass silently.
func missingDocument(e *kiosk.Encounter) []string {
	read := slices.ContainsFunc(e.Captures, func(c kiosk.Capture) bool {
		return c.Modality == kiosk.ModalityDocument && !c.Cleared && c.Read
	})
	if read || e.Excepted(kiosk.ModalityDocument, kiosk.EyeUnknown) {
		return nil
	}
	return []string{"capture:document"}
}

// missingSteps lists the steps, other than the review, that are not closed.
func missingSteps(e *kiosk.Encounter) []string {
	var miss []string
	for _, x := range e.Steps {
		if x.Kind != kiosk.StepReview && x.State == kiosk.StepOpen {
			miss = append(miss, "step:"+string(x.Kind))
		}
	}
	return miss
}

func excepted(e *kiosk.Encounter, k kiosk.StepKind) bool {
	m := map[kiosk.StepKind]kiosk.Modality{
		kiosk.StepIrises: kiosk.ModalityIris, kiosk.StepDocument: kiosk.ModalityDocument, kiosk.StepFace: kiosk.ModalityFace,
	}[k]
	return m != "" && slices.ContainsFunc(e.Exceptions, func(x kiosk.Exception) bool { return x.Modality == m })
}

func (s *step) wentTo(ev kiosk.WentTo) error {
	if s.e.Step(ev.Step) == nil {
		return s.refuse("this walk has no such step")
	}
	s.e.At = ev.Step
	s.note = string(ev.Step)
	s.do(Save{})
	return nil
}

// reviewed asks to seal. A second person may be needed; then the encounter is
// held, and the kiosk is free.
func (s *step) reviewed() error {
	if miss := missingSteps(&s.e); len(miss) > 0 {
		return s.refuse("some steps are not closed", miss...)
	}
	if miss := unanswered(&s.e, false); len(miss) > 0 {
		return s.refuse(fmt.Sprintf("%d answer(s) needed", len(miss)), miss...)
	}
	s.setStep(kiosk.StepReview, kiosk.StepDone)
	reasons, wait := policy.SecondReasons(&s.rules.Agreement, &s.e)
	if len(reasons) > 0 {
		s.e.State = kiosk.StateHeld
		s.e.Hold = &kiosk.Hold{Reasons: reasons, Since: s.at,
			Deadline: kiosk.Instant{Time: s.at.Time.Add(wait), Trusted: s.at.Trusted}}
		s.note = fmt.Sprint(reasons)
		s.do(Save{}, Leave{})
		return nil
	}
	s.complete(kiosk.PackageEncounter)
	return nil
}

func (s *step) complete(kind kiosk.PackageKind) {
	s.e.State = kiosk.StateComplete
	s.do(Save{}, Seal{Kind: kind}, Leave{})
}

// secondAnswered takes the second person's word on a held encounter. They have
// answered every candidate themself before; where the two differ, both answers
// travel and the hub's adjudicator decides.
func (s *step) secondAnswered(ev kiosk.SecondAnswered) error {
	if s.e.State != kiosk.StateHeld {
		return s.refuse("no second person is needed")
	}
	if !s.maySecond() {
		return s.refuse("the second person must be a supervisor who did not work on this encounter", "second")
	}
	w := ev.Second
	w.By, w.At = s.by.Label, s.at
	if !w.Approved {
		if w.Reason == "" {
			return s.refuse("say what must be done again", "reason")
		}
		s.e.Seconds = append(s.e.Seconds, w)
		s.e.State, s.e.Hold = kiosk.StateParked, nil
		s.e.Park, s.e.Unresumed = kiosk.ParkLater, true
		s.reopenStep(kiosk.StepReview)
		s.note = "sent back"
		s.do(Save{}, Leave{})
		return nil
	}
	if miss := unanswered(&s.e, true); len(miss) > 0 {
		return s.refuse(fmt.Sprintf("%d answer(s) needed", len(miss)), miss...)
	}
	s.e.Seconds = append(s.e.Seconds, w)
	s.e.Hold = nil
	s.note = "approved"
	s.complete(kiosk.PackageEncounter)
	return nil
}
