package session_test

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"testing"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
)

// photo takes a face photo of who sits there.
func (b *bench) photo() kiosk.Encounter {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 20*time.Second)
	defer cancel()
	e, err := b.CaptureFace(ctx, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

// toFace walks a person to the face photo.
func (b *bench) toFace(person uint64, wristband string) {
	b.t.Helper()
	b.Devices.Seat(person, 1)
	b.begin(wristband)
	b.captureIrises()
	b.search()
	b.do(kiosk.StepConfirmed{Step: kiosk.StepIrises})
	id := b.scan(person)
	b.do(kiosk.StepConfirmed{Step: kiosk.StepDocument}, kiosk.Identified{Identity: id}, kiosk.StepConfirmed{Step: kiosk.StepIdentity})
}

func TestFacePhotoIsTakenAndKept(t *testing.T) {
	b := newBench(t)
	b.toFace(3, "0417")
	e := b.photo()
	p := e.Photo()
	if p == nil || p.Quality.Score < 60 || p.Quality.Floor != b.Agreement.Floors.Face || !p.Provenance.Virtual || p.Provenance.Port != sessiontest.FacePort || p.Below != "" {
		t.Fatalf("%+v", p)
	}
	for _, part := range []string{p.Part, session.PortraitPart(p.Part)} {
		img, err := b.Image(t.Context(), part)
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(img))
		if err != nil || part == p.Part && (c.Width != p.Width || c.Height != p.Height) {
			t.Errorf("%s: %+v %v", part, c, err)
		}
	}
	// It is there again after a stop without warning.
	b.Restart()
	b.In()
	got, same, err := b.Resume(t.Context(), e.ID, "0417", nil)
	if err != nil || !same || got.Photo() == nil {
		t.Fatalf("same %v, photo %v, %v", same, got.Photo(), err)
	}
	b.do(kiosk.StepConfirmed{Step: kiosk.StepFace})
}

func TestFacePhotoByHand(t *testing.T) {
	b := newBench(t)
	b.toFace(3, "0417")
	if _, err := b.KeepFace(t.Context(), true, "posture"); err == nil {
		t.Fatal("a photo was kept before the camera showed anything")
	}
	b.Devices.Mood("far")
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	var last session.FaceProgress
	if _, err := b.CaptureFace(ctx, func(p session.FaceProgress) { last = p }); !errors.Is(err, capture.ErrNotGood) || session.Explain(err).Trouble != session.TroubleNotGood {
		t.Fatalf("too far: %v", err)
	}
	if last.Frames == 0 || last.Frame.Image == nil {
		t.Fatalf("nothing was shown: %+v", last)
	}
	shown, ok := b.TakenFace(true)
	if !ok || shown.Quality.Score >= 60 {
		t.Fatalf("%v %+v", ok, shown.Quality)
	}
	var ref *intake.Refusal
	if _, err := b.KeepFace(t.Context(), true, ""); !errors.As(err, &ref) || ref.Missing[0] != "reason" {
		t.Fatalf("below its floor without a reason: %v", err)
	}
	e, err := b.KeepFace(t.Context(), true, "posture")
	if err != nil || e.Photo().Below != "posture" || e.Photo().Quality.Score != shown.Quality.Score {
		t.Fatalf("%v %+v", err, e.Photo())
	}
	if _, ok := b.TakenFace(true); ok {
		t.Error("the camera's picture outlives the photo")
	}
}

func TestFaceCameraComesAndGoes(t *testing.T) {
	b := newBench(t)
	b.toFace(3, "0417")
	b.Devices.Bus.Unplug(sessiontest.FacePort)
	if _, err := b.CaptureFace(t.Context(), nil); !errors.Is(err, devices.ErrGone) || session.Explain(err).Trouble != session.TroubleGone {
		t.Fatalf("no camera: %v", err)
	}
	b.Devices.PlugFace()
	b.photo()
}

// TestFaceOfAVictimIsNotKept: the flag comes after the camera has seen them.
func TestFaceOfAVictimIsNotKept(t *testing.T) {
	b := newBench(t)
	b.toFace(3, "0417")
	b.Devices.Mood("far")
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := b.CaptureFace(ctx, nil); err == nil {
		t.Fatal("taken from afar")
	}
	a := b.Arrival("0417")
	a.Arrival.Flags = []kiosk.ProtectedFlag{kiosk.FlagVictim}
	b.do(a)
	if _, err := b.KeepFace(t.Context(), true, "posture"); err == nil {
		t.Error("the picture of a victim was kept")
	}
	if _, err := b.CaptureFace(t.Context(), nil); err == nil {
		t.Error("a victim was photographed")
	}
}

// TestFaceCameraVirtualOutsideTraining: a software camera is no way in.
func TestFaceCameraVirtualOutsideTraining(t *testing.T) {
	b := newBench(t)
	a := b.Agreement
	a.Training = false
	b.Sign(a)
	b.Devices.Seat(3, 1)
	b.begin("0417")
	if _, err := b.CaptureFace(t.Context(), nil); !errors.Is(err, session.ErrVirtual) {
		t.Errorf("a software camera outside training: %v", err)
	}
}
