package screens_test

import (
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

func decisionCalls() screens.DecisionCalls {
	none := func() {}
	return screens.DecisionCalls{Answer: func(int, int, kiosk.Verdict) {}, Again: none, Search: none, Refer: none, Park: none, Next: none, Approve: none, Object: none}
}

func TestDecision(t *testing.T) {
	at := func(l words.Language, s ...kiosk.Search) screens.Frame {
		f := frame(l)
		f.Status.Hub = screens.Hub{At: ago(3 * time.Hour)}
		f.Encounter = encounter(kiosk.StepDecision)
		f.Encounter.Searches = s
		return f
	}
	two := []screens.CandidateView{
		{Search: 2, Candidate: wanted(kiosk.PresentOpen), Name: "Ana ERICSON", Born: "1974-XX-XX"},
		{Search: 1, Candidate: hereBefore(), Wristband: "0093", Date: time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC), Answer: kiosk.VerdictSame},
	}
	shows(t, "decision", func(l words.Language) *screens.Screen {
		f := at(l, search(kiosk.ScopeSite, 1210, hereBefore()), search(kiosk.ScopeLists, 183000, wanted(kiosk.PresentOpen)))
		f.Encounter.Answers = []kiosk.Answer{{Search: 1, Verdict: kiosk.VerdictSame}}
		return screens.Decision(f, screens.DecisionState{Candidates: two, SecondWanted: true, Missing: 1}, decisionCalls())
	})
	shows(t, "decision-none", func(l words.Language) *screens.Screen {
		return screens.Decision(at(l, search(kiosk.ScopeSite, 1210), search(kiosk.ScopeLists, 183000)), screens.DecisionState{}, decisionCalls())
	})
	shows(t, "decision-incomplete", func(l words.Language) *screens.Screen {
		part := search(kiosk.ScopeLists, 183000)
		part.Compared, part.NotCompared, part.Complete = 91400, 12, false
		return screens.Decision(at(l, search(kiosk.ScopeSite, 1210), part), screens.DecisionState{}, decisionCalls())
	})
	shows(t, "decision-discreet", func(l words.Language) *screens.Screen {
		f := at(l, search(kiosk.ScopeSite, 1210), search(kiosk.ScopeLists, 183000, wanted(kiosk.PresentDiscreet)))
		f.Training = true
		v := []screens.CandidateView{{Search: 2, Candidate: wanted(kiosk.PresentDiscreet), Name: "Ana ERICSON", Born: "1974-08-12"}}
		return screens.Decision(f, screens.DecisionState{Candidates: v, Missing: 1}, decisionCalls())
	})
	shows(t, "decision-not-by-iris", func(l words.Language) *screens.Screen {
		return screens.Decision(at(l), screens.DecisionState{NotByIris: true}, decisionCalls())
	})
	shows(t, "decision-second", func(l words.Language) *screens.Screen {
		f := at(l, search(kiosk.ScopeSite, 1210), search(kiosk.ScopeLists, 183000, wanted(kiosk.PresentOpen)))
		return screens.Decision(f, screens.DecisionState{Candidates: two[:1], Second: true, Missing: 1}, decisionCalls())
	})
}

// finished is an encounter ready to seal.
func finished(training bool) *kiosk.Encounter {
	e := encounter(kiosk.StepReview)
	e.Training = training
	e.Identity = identity()
	e.Identity.Aliases = []string{"Ana Ericson"}
	e.Modalities = []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityDocument}
	e.Captures = []kiosk.Capture{{ID: 1, Modality: kiosk.ModalityIris, Eye: kiosk.EyeRight, Quality: kiosk.Quality{Score: 91, Floor: 60}}, {ID: 2, Modality: kiosk.ModalityDocument}}
	e.Exceptions = []kiosk.Exception{{Modality: kiosk.ModalityIris, Eye: kiosk.EyeLeft, Reason: kiosk.ExceptBandaged}}
	e.Searches = []kiosk.Search{search(kiosk.ScopeSite, 1210, hereBefore()), search(kiosk.ScopeLists, 183000)}
	e.Answers = []kiosk.Answer{{Search: 1, Verdict: kiosk.VerdictSame}}
	return e
}

func slip(l words.Language, e *kiosk.Encounter) screens.SlipState {
	return screens.SlipState{Words: words.New(l), Encounter: e, Agreement: agreement(), Now: now, Code: "0412-7QK3", Printer: true}
}

func TestReviewAndSlip(t *testing.T) {
	none := func() {}
	shows(t, "review", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = finished(false)
		return screens.Review(f, screens.ReviewState{Agreement: agreement(), Seconds: []kiosk.SecondReason{kiosk.SecondHit}, Deadline: now.Add(4 * time.Hour), Slip: slip(words.Spanish, f.Encounter)},
			screens.ReviewCalls{Abandon: none, Park: none, Print: none, Seal: none})
	})
	shows(t, "slip", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		return screens.Slip(f, slip(l, finished(true)), screens.SlipCalls{Print: none, Language: func(string) {}, Done: none})
	})
	shows(t, "slip-held", func(l words.Language) *screens.Screen {
		s := slip(words.English, finished(false))
		s.Held, s.Until, s.Printed = true, now.Add(26*time.Hour), true
		return screens.Slip(frame(l), s, screens.SlipCalls{Print: none, Language: func(string) {}, Done: none})
	})
}

func TestResumeAndHeld(t *testing.T) {
	none := func() {}
	draft := screens.Unfinished{ID: "a", Wristband: "0412", State: kiosk.StateParked, Park: kiosk.ParkMedical, At: kiosk.StepDocument, Begun: ago(20 * time.Minute)}
	calls := screens.ResumeCalls{Wristband: none, Look: none, Vouch: none, Back: none, Next: none}
	shows(t, "resume", func(l words.Language) *screens.Screen {
		return screens.Resume(frame(l), screens.ResumeState{Draft: draft}, calls).Screen
	})
	shows(t, "resume-looking", func(l words.Language) *screens.Screen {
		x := screens.Resume(frame(l), screens.ResumeState{Draft: draft, Wristband: "0412", Phase: screens.ResumeLooking, Eye: screens.EyeState{Present: true, Best: 70, Floor: 60}, Supervisor: true}, calls)
		x.View.Feed(widgets.EyeFrame{Gray: drawnEye(kiosk.EyeRight), Tone: theme.Good})
		defer x.View.Flush()
		return x.Screen
	})
	shows(t, "resume-different", func(l words.Language) *screens.Screen {
		return screens.Resume(frame(l), screens.ResumeState{Draft: draft, Wristband: "0412", Phase: screens.ResumeDifferent}, calls).Screen
	})
	shows(t, "held", func(l words.Language) *screens.Screen {
		d := draft
		d.State, d.Hold = kiosk.StateHeld, &kiosk.Hold{Reasons: []kiosk.SecondReason{kiosk.SecondHit, kiosk.SecondBelow}, Deadline: at(now.Add(80 * time.Minute))}
		return screens.Held(frame(l), screens.HeldState{Draft: d, Deadline: now.Add(80 * time.Minute), By: "of-17"}, screens.HeldCalls{Sign: none, Back: none})
	})
}

func TestQueue(t *testing.T) {
	none := func() {}
	shows(t, "queue", func(l words.Language) *screens.Screen {
		w := []screens.Waiting{{Wristband: "0405", State: kiosk.StateThin, Sealed: ago(3 * time.Hour), Bytes: 2_400_000}, {Wristband: "0407", State: kiosk.StateSealed, Sealed: ago(time.Hour), Bytes: 2_100_000},
			{Wristband: "0402", State: kiosk.StateDelivered, Sealed: ago(5 * time.Hour), Bytes: 1_900_000}, {Wristband: "0398", State: kiosk.StateRefused, Sealed: ago(30 * time.Hour), Bytes: 900_000}}
		return screens.QueueHub(frame(l), screens.QueueState{Queue: screens.Queue{People: 3, Oldest: ago(3 * time.Hour), Remaining: 4 * time.Minute}, Waiting: w, Agree: now.Add(90 * 24 * time.Hour)},
			screens.QueueCalls{Now: none, Stick: none, Back: none})
	})
}

func TestClosed(t *testing.T) {
	none := func() {}
	calls := screens.ClosedCalls{Retry: none, Stick: none, Queue: none, Wrong: none, Back: none}
	shows(t, "clock", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Status.Clock.Trusted = false
		return screens.ClockNotCertain(f, screens.ClockState{Clock: kiosk.Instant{Time: now}, Signed: ago(50 * time.Hour)}, calls)
	})
	shows(t, "disk-full", func(l words.Language) *screens.Screen {
		return screens.DiskFull(frame(l), screens.DiskState{Free: 9 << 20, Needed: 64 << 20, Waiting: 7}, calls)
	})
	shows(t, "expired", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Trouble = &screens.Trouble{Title: f.Say("fault.title"), Detail: f.Say("fault.saved")}
		return screens.AgreementExpired(f, screens.ExpiredState{Title: "Specimen agreement", Expires: ago(20 * time.Hour)}, calls)
	})
}

func TestLeaving(t *testing.T) {
	none := func() {}
	shows(t, "abandon", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = finished(false)
		return screens.Abandon(f, screens.AbandonState{Hit: true, Reason: "left"}, screens.AbandonCalls{Reason: func(string) {}, Go: none, Back: none})
	})
	shows(t, "close-shift", func(l words.Language) *screens.Screen {
		return screens.CloseShift(frame(l), screens.ShiftState{Done: 19, Queue: screens.Queue{People: 1, Oldest: ago(time.Hour)},
			Unfinished: []screens.Unfinished{{Wristband: "0406", State: kiosk.StateParked, Park: kiosk.ParkMedical, At: kiosk.StepIrises}}}, screens.ShiftCalls{Go: none, Back: none})
	})
}
