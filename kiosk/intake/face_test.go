package intake_test

import (
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/intake"
)

// toFace walks to the face photo.
func toFace(t *testing.T) *walker {
	w := begin(t)
	w.must(officer, iris(kiosk.EyeRight, "r1", 80), iris(kiosk.EyeLeft, "l1", 80),
		search(kiosk.ScopeSite, 0, 1, 2), search(kiosk.ScopeLists, 0, 1, 2), kiosk.StepConfirmed{Step: kiosk.StepIrises},
		kiosk.Captured{Capture: kiosk.Capture{Modality: kiosk.ModalityDocument, Part: "p1", Read: true}},
		kiosk.StepConfirmed{Step: kiosk.StepDocument}, cleanIdentity, kiosk.StepConfirmed{Step: kiosk.StepIdentity})
	if w.e.At != kiosk.StepFace {
		t.Fatalf("after the identity comes %s", w.e.At)
	}
	return w
}

func TestPhotoBelowItsFloorWantsAReasonAndASecondPerson(t *testing.T) {
	w := toFace(t)
	w.refused(officer, photo("f1", 40), "reason")
	low := photo("f1", 40)
	low.Capture.Below = "posture"
	w.must(officer, low, kiosk.StepConfirmed{Step: kiosk.StepFace}, kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}},
		kiosk.StepConfirmed{Step: kiosk.StepDecision}, kiosk.Reviewed{})
	if w.e.State != kiosk.StateHeld || !slices.Contains(w.e.Hold.Reasons, kiosk.SecondBelow) {
		t.Errorf("a poor photo went through: %s", w.e.State)
	}
}

// TestPhotoIsTakenAgainAndCleared: the newest counts; a cleared one is destroyed,
// and the step is open again.
func TestPhotoIsTakenAgainAndCleared(t *testing.T) {
	w := toFace(t)
	w.must(officer, photo("f1", 70), kiosk.StepConfirmed{Step: kiosk.StepFace}, kiosk.WentTo{Step: kiosk.StepFace}, photo("f2", 65))
	if p := w.e.Photo(); p == nil || p.Part != "f2" || w.e.Step(kiosk.StepFace).State != kiosk.StepOpen {
		t.Fatalf("%+v, step %s", p, w.e.Step(kiosk.StepFace).State)
	}
	w.must(officer, kiosk.Cleared{Capture: w.e.Photo().ID})
	if p := w.e.Photo(); p == nil || p.Part != "f1" {
		t.Fatalf("the earlier photo does not stand: %+v", p)
	}
	w.must(officer, kiosk.Cleared{Capture: w.e.Photo().ID})
	w.refused(officer, kiosk.StepConfirmed{Step: kiosk.StepFace}, "capture:face")
	for _, part := range []string{"f1", "f2"} {
		if !slices.ContainsFunc(w.all, func(x intake.Effect) bool {
			d, ok := x.(intake.DropImages)
			return ok && slices.Contains(d.Parts, part)
		}) {
			t.Errorf("the picture %s was not destroyed", part)
		}
	}
}

func TestRefusedPhoto(t *testing.T) {
	w := toFace(t)
	refuse := kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityFace, Reason: kiosk.ExceptRefuses}}
	w.refused(officer, refuse, "words")
	refuse.Exception.Words = "no quiero"
	w.refused(officer, refuse, "words")
	refuse.Exception.Present = "officer 12"
	w.must(officer, refuse, kiosk.StepConfirmed{Step: kiosk.StepFace})
	if w.e.Step(kiosk.StepFace).State != kiosk.StepExcepted {
		t.Errorf("step %s", w.e.Step(kiosk.StepFace).State)
	}
	w.refused(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityFace, Reason: kiosk.ExceptMissing}}, "reason")
	// They change their mind: the exception falls.
	w.must(officer, photo("f1", 80))
	if w.e.Excepted(kiosk.ModalityFace, kiosk.EyeUnknown) {
		t.Error("the exception stands beside the photo")
	}
	w.refused(officer, refuse, "clear")
}

// TestPhotoNotTakenByRule: a victim's face is not taken, and what was taken
// before the flag was set is destroyed; a minor's is, and their irises are not.
func TestPhotoNotTakenByRule(t *testing.T) {
	w := toFace(t)
	w.must(officer, photo("f1", 80))
	a := arrival(kiosk.BandAdult)
	a.Flags = []kiosk.ProtectedFlag{kiosk.FlagVictim}
	w.must(officer, kiosk.Arrived{Arrival: a})
	if w.e.Permits(kiosk.ModalityFace) || w.e.Photo() != nil {
		t.Fatalf("a victim's face is still here: %v", w.e.Modalities)
	}
	if !slices.ContainsFunc(w.all, func(x intake.Effect) bool {
		d, ok := x.(intake.DropImages)
		return ok && slices.Contains(d.Parts, "f1")
	}) {
		t.Error("the photo was not destroyed")
	}
	w.refused(officer, photo("f2", 80), "")
	w.refused(officer, kiosk.Excepted{Exception: kiosk.Exception{Modality: kiosk.ModalityFace, Reason: kiosk.ExceptDevice}}, "")
	if x := w.e.Step(kiosk.StepFace); x == nil || x.State != kiosk.StepByRule {
		t.Errorf("step %+v", x)
	}

	w = &walker{t: t, r: rules()}
	minor := arrival(kiosk.Band14To17)
	minor.Guardian = "aunt"
	w.must(officer, kiosk.Began{Visit: kiosk.VisitIntake, Site: "north", Kiosk: "k-1"}, kiosk.Arrived{Arrival: minor}, photo("f1", 80))
	w.refused(officer, iris(kiosk.EyeLeft, "l1", 80), "")
}
