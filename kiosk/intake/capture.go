package intake

import (
	"fmt"
	"slices"
	"strconv"

	"tambo/kiosk"
)

// captured adds a capture under the next number. A capture below its floor
// needs the officer's reason.
func (s *step) captured(ev kiosk.Captured) error {
	c := ev.Capture
	if !s.e.Permits(c.Modality) {
		return s.refuse(fmt.Sprintf("%s may not be captured of this person", c.Modality))
	}
	if c.Modality == kiosk.ModalityIris && c.Eye != kiosk.EyeLeft && c.Eye != kiosk.EyeRight {
		return s.refuse("an iris capture must say which eye")
	}
	if c.Part == "" {
		return s.refuse("the capture has no image")
	}
	if slices.ContainsFunc(s.e.Captures, func(x kiosk.Capture) bool { return x.Part == c.Part }) {
		return s.refuse("this capture was taken already")
	}
	if c.Quality.Score < c.Quality.Floor && c.Below == "" {
		return s.refuse("the capture is below its floor: take it again, or keep it with a reason", "reason")
	}
	if c.Provenance.Virtual && !s.e.Training {
		return s.refuse("a software device may only be used under a training agreement")
	}
	c.ID = s.nextCapture()
	s.e.Captures = append(s.e.Captures, c)
	s.e.Exceptions = slices.DeleteFunc(s.e.Exceptions, func(x kiosk.Exception) bool {
		return x.Modality == c.Modality && x.Eye == c.Eye
	})
	s.reopen(c.Modality)
	s.note = strconv.Itoa(int(c.ID))
	s.do(Save{})
	return nil
}

// nextCapture numbers captures without ever giving a number twice, also after
// some were destroyed.
func (s *step) nextCapture() kiosk.CaptureID {
	n := 0
	for _, r := range s.e.Events {
		if r.Name == (kiosk.Captured{}).Name() {
			n++
		}
	}
	return kiosk.CaptureID(n + 1)
}

func (s *step) annotated(ev kiosk.Annotated) error {
	c, ok := s.e.Capture(ev.Capture)
	if !ok {
		return s.refuse("there is no such capture")
	}
	c.Annotation = ev.Text
	s.note = strconv.Itoa(int(ev.Capture))
	s.do(Save{})
	return nil
}

// cleared withdraws a capture and destroys its image. What a search with it
// found stays.
func (s *step) cleared(ev kiosk.Cleared) error {
	c, ok := s.e.Capture(ev.Capture)
	if !ok || c.Cleared {
		return s.refuse("there is no such capture")
	}
	withdraw(c)
	s.reopen(c.Modality)
	s.note = strconv.Itoa(int(ev.Capture))
	s.do(Save{}, DropImages{Parts: []string{c.Part}})
	return nil
}

func (s *step) excepted(ev kiosk.Excepted) error {
	x := ev.Exception
	if !s.e.Permits(x.Modality) {
		return s.refuse(fmt.Sprintf("%s is not collected of this person by rule; that is not an exception", x.Modality))
	}
	if !x.Reason.Valid(x.Modality) {
		return s.refuse("choose a reason that fits", "reason")
	}
	if x.Reason == kiosk.ExceptRefuses && (x.Words == "" || x.Present == "") {
		return s.refuse("write down the person's words and who was present", "words", "present")
	}
	if (x.Modality == kiosk.ModalityIris) != (x.Eye == kiosk.EyeLeft || x.Eye == kiosk.EyeRight) {
		return s.refuse("say which eye")
	}
	if x.Modality == kiosk.ModalityIris && s.e.Best(x.Eye) != nil {
		return s.refuse("this eye was captured: clear the capture first", "clear")
	}
	if x.Modality == kiosk.ModalityFace && s.e.Photo() != nil {
		return s.refuse("a photo was taken: clear it first", "clear")
	}
	if s.e.Excepted(x.Modality, x.Eye) {
		return s.refuse("this exception stands already")
	}
	x.By, x.At = s.by.Label, s.at
	s.e.Exceptions = append(s.e.Exceptions, x)
	s.note = string(x.Reason)
	s.do(Save{})
	return nil
}

// searched commits a search. If it found somebody, the hub is told before
// anything else.
func (s *step) searched(ev kiosk.Searched) error {
	q := ev.Search
	for _, id := range q.Captures {
		if _, ok := s.e.Capture(id); !ok {
			return s.refuse("the search was made with a capture that is not here")
		}
	}
	if q.Compared+q.NotCompared > q.Total || (q.Complete && q.Compared+q.NotCompared != q.Total) {
		return s.refuse("the search does not say truly how much it compared")
	}
	q.ID = len(s.e.Searches) + 1
	q.At = s.at
	s.e.Searches = append(s.e.Searches, q)
	s.note = fmt.Sprintf("%s: %d of %d, %d candidates", q.Scope, q.Compared, q.Total, len(q.Candidates))
	if len(q.Candidates) > 0 {
		s.reopenStep(kiosk.StepDecision)
		s.do(SendHit{Search: q.ID})
	}
	s.do(Save{})
	return nil
}

// setStep sets a step's state if the walk has it.
func (s *step) setStep(k kiosk.StepKind, st kiosk.StepState) {
	if x := s.e.Step(k); x != nil {
		x.State = st
	}
}

// reopen opens the step of a modality again, and what rests on it.
func (s *step) reopen(m kiosk.Modality) {
	switch m {
	case kiosk.ModalityIris:
		s.reopenStep(kiosk.StepIrises)
	case kiosk.ModalityDocument:
		s.reopenStep(kiosk.StepDocument)
	case kiosk.ModalityFace:
		s.reopenStep(kiosk.StepFace)
	}
}

func (s *step) reopenStep(k kiosk.StepKind) {
	for _, kind := range []kiosk.StepKind{k, kiosk.StepReview} {
		if x := s.e.Step(kind); x != nil && (x.State == kiosk.StepDone || x.State == kiosk.StepExcepted) {
			x.State = kiosk.StepOpen
		}
	}
}

// advance shows the first step that is still open, after the one just closed.
func (s *step) advance(after kiosk.StepKind) {
	passed := false
	for _, x := range s.e.Steps {
		if passed && x.State == kiosk.StepOpen {
			s.e.At = x.Kind
			return
		}
		passed = passed || x.Kind == after
	}
	for _, x := range s.e.Steps {
		if x.State == kiosk.StepOpen {
			s.e.At = x.Kind
			return
		}
	}
}
