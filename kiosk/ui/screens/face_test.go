package screens_test

import (
	"image"
	"image/color"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/specimen/portrait"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// drawnFace is a colour frame of nobody, and their portrait.
func drawnFace(mood string) (*image.YCbCr, image.Image) {
	c, err := portrait.Mood(mood)
	if err != nil {
		panic(err)
	}
	c.Seed = 1
	img := portrait.Draw(portrait.NewPerson(4), 640, 480, c)
	out := image.NewYCbCr(img.Rect, image.YCbCrSubsampleRatio422)
	for y := range 480 {
		for x := range 640 {
			q := img.Pix[img.PixOffset(x, y):]
			i := out.COffset(x, y)
			out.Y[out.YOffset(x, y)], out.Cb[i], out.Cr[i] = color.RGBToYCbCr(q[0], q[1], q[2])
		}
	}
	return out, img.SubImage(image.Rect(180, 45, 460, 418))
}

func faceCalls() screens.FaceCalls {
	none := func() {}
	return screens.FaceCalls{Take: none, Keep: none, Refuses: none, Other: none, Again: none, Stay: none, Park: none, Next: none}
}

// withFace puts the face's step where the training agreement has it.
func withFace(to kiosk.StepKind) *kiosk.Encounter {
	e := encounter(kiosk.StepDecision)
	e.At = to
	e.Steps = slices.Insert(e.Steps, 4, kiosk.Step{Kind: kiosk.StepFace, State: kiosk.StepOpen, Required: true})
	e.Modalities = []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityFace, kiosk.ModalityDocument}
	return e
}

func TestFace(t *testing.T) {
	far, _ := drawnFace("far")
	good, small := drawnFace("good")
	show := func(x *screens.FaceScreen, img *image.YCbCr, tone theme.Tone) *screens.Screen {
		x.View.Feed(widgets.EyeFrame{Colour: img, Tone: tone, Contours: [][]fyne.Position{circle(320, 190, 60)}, Marks: [][]fyne.Position{circle(320, 210, 130)}})
		defer x.View.Flush()
		return x.Screen
	}
	shows(t, "face", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Status.Face = screens.DeviceReady
		f.Encounter = withFace(kiosk.StepFace)
		x := screens.Face(f, screens.FaceState{Phase: screens.FaceLooking, Present: true, Score: 34, Best: 41, Floor: 60, Ask: "face-closer", Missing: 1}, faceCalls())
		return show(x, far, theme.Care)
	})
	shows(t, "face-struggle", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Training = true
		f.Encounter = withFace(kiosk.StepFace)
		x := screens.Face(f, screens.FaceState{Phase: screens.FaceStruggle, Present: true, Score: 34, Best: 54, Floor: 60, Missing: 1}, faceCalls())
		return show(x, far, theme.Care)
	})
	shows(t, "face-kept", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = withFace(kiosk.StepFace)
		f.Encounter.Captures = []kiosk.Capture{{ID: 1, Modality: kiosk.ModalityFace, Quality: kiosk.Quality{Score: 82, Floor: 60}}}
		return show(screens.Face(f, screens.FaceState{Phase: screens.FaceKept, Score: 82, Best: 82, Floor: 60, GoesOn: 3, Photo: small}, faceCalls()), good, theme.Good)
	})
	shows(t, "face-no-camera", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Status.Face = screens.DeviceGone
		f.Encounter = withFace(kiosk.StepFace)
		f.Alerts = lateAlert()
		return screens.Face(f, screens.FaceState{Phase: screens.FaceNoCamera, Floor: 60, Missing: 1}, faceCalls()).Screen
	})
	shows(t, "face-below", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = withFace(kiosk.StepFace)
		return screens.Below(f, screens.BelowState{Face: true, Score: 54, Floor: 60, Image: small, Reason: "posture"}, screens.BelowCalls{Reason: func(string) {}, Keep: func() {}, Back: func() {}})
	})
	shows(t, "face-exception", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = withFace(kiosk.StepFace)
		none := func() {}
		return screens.Exception(f, screens.ExceptionState{Modality: kiosk.ModalityFace, Reason: kiosk.ExceptRefuses,
			Words: map[words.Language]string{words.English: "I do not want this.", words.Spanish: "No quiero."}[l], Missing: []string{"present"}},
			screens.ExceptionCalls{Eye: func(kiosk.Eye) {}, Reason: func(kiosk.ExceptionReason) {}, Words: none, Present: none, Save: none, Back: none})
	})
	shows(t, "review-photo", func(l words.Language) *screens.Screen {
		f := frame(l)
		f.Encounter = finished(true)
		f.Encounter.Modalities = append(f.Encounter.Modalities, kiosk.ModalityFace)
		f.Encounter.Captures = append(f.Encounter.Captures, kiosk.Capture{ID: 3, Modality: kiosk.ModalityFace, Quality: kiosk.Quality{Score: 82, Floor: 60}})
		none := func() {}
		return screens.Review(f, screens.ReviewState{Agreement: agreement(), Slip: slip(words.Spanish, f.Encounter), Photo: small}, screens.ReviewCalls{Abandon: none, Park: none, Print: none, Seal: none})
	})
}
