package devicetest

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"tambo/devices"
)

// FaceRig is a face camera under test with hands to plug it in and out.
type FaceRig struct {
	// Open finds and opens the camera, which is plugged in.
	Open func(ctx context.Context) (devices.FaceCamera, error)
	// Plug and Unplug are nil where nobody can.
	Plug, Unplug func(t *testing.T)
	// Check, which may be nil, compares a frame with what the camera saw.
	Check func(t *testing.T, f devices.FaceFrame)
	// Size is the size that must be chosen; zero where anything is right.
	Size image.Point
	// Compressed says that frames come as JPEG.
	Compressed bool
	// Still is the size of the stills that the camera takes; zero where it takes
	// none. StillFaults are faults of taking them.
	Still       image.Point
	StillFaults []StillFault
	// Virtual is what Info must say.
	Virtual bool
	// Losses says that the machine may be too slow for the camera: frames may be
	// lost and streams begun anew, but what is handed out must be right.
	Losses bool
}

// StillFault makes the camera's stills, and nothing else that matters, go wrong.
// None comes through, or one that is right where it Sometimes strikes.
type StillFault struct {
	Name      string
	Sometimes bool
	Set       func(on bool)
}

// Face runs the suite; make gives a fresh rig.
func Face(t *testing.T, make func(t *testing.T) FaceRig) {
	run(t, cameraTests(func(t *testing.T) faceRig { return make(t).rig() }, test{"Still", func(t *testing.T) { faceStill(t, make(t)) }}))
}

type faceRig = rig[devices.FaceFrame, devices.FaceStream, devices.FaceCamera]

func (r FaceRig) rig() faceRig {
	return faceRig{open: r.Open, plug: r.Plug, unplug: r.Unplug, kind: devices.KindFaceCamera, virtual: r.Virtual, losses: r.Losses,
		check:  func(t *testing.T, f devices.FaceFrame) { t.Helper(); checkFace(t, r, f) },
		stamp:  func(f devices.FaceFrame) (uint64, time.Time) { return f.Seq, f.At },
		pixels: func(f devices.FaceFrame) []*byte { return []*byte{&f.Image.Y[0]} }}
}

func checkFace(t *testing.T, r FaceRig, f devices.FaceFrame) {
	t.Helper()
	if f.Image == nil || f.At.IsZero() {
		t.Fatalf("frame %d lacks its image or its time", f.Seq)
	}
	if f.Image.Rect.Min != (image.Point{}) || f.Image.Rect.Empty() || r.Size != (image.Point{}) && f.Image.Rect.Max != r.Size {
		t.Errorf("frame %d: %v, want %v", f.Seq, f.Image.Rect, r.Size)
	}
	if (f.JPEG != nil) != r.Compressed {
		t.Errorf("frame %d: %d bytes of JPEG, compressed is %v", f.Seq, len(f.JPEG), r.Compressed)
	}
	if f.JPEG != nil { // a file that any reader takes
		img, err := jpeg.Decode(bytes.NewReader(f.JPEG))
		if err != nil {
			t.Fatalf("frame %d: its JPEG: %v", f.Seq, err)
		}
		if y, ok := img.(*image.YCbCr); !ok || y.Rect != f.Image.Rect || !bytes.Equal(y.Y, f.Image.Y) {
			t.Errorf("frame %d: its JPEG is another picture", f.Seq)
		}
	}
	if r.Check != nil {
		r.Check(t, f)
	}
}

// faceStill takes stills between frames, has them fail, and takes them again.
func faceStill(t *testing.T, r FaceRig) {
	rig := r.rig()
	s := rig.streaming(t, rig.opened(t))
	taker, ok := s.(devices.StillTaker)
	if r.Still == (image.Point{}) {
		if ok {
			_, err := taker.Still(timeout(t))
			WantKind(t, "still of a camera that takes none", err, devices.ErrUnsupported)
		}
		return
	}
	if !ok {
		t.Fatal("the stream takes no stills")
	}
	asStill := r
	asStill.Size = r.Still
	whole := func() error {
		f, err := taker.Still(timeout(t))
		if err == nil {
			checkFace(t, asStill, f)
		}
		return err
	}
	frames := func(when string) {
		t.Helper()
		for range 3 {
			rig.next(t, s, "frame "+when)
		}
	}
	for range 3 {
		frames("before a still")
		if err := whole(); err != nil && !r.Losses {
			t.Fatalf("still: %v; %+v", err, s.Stats())
		}
	}
	frames("after the stills")
	for _, fault := range r.StillFaults {
		fault.Set(true)
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		f, err := taker.Still(ctx)
		for n := 0; fault.Sometimes && n < 20 && ctx.Err() == nil; n++ {
			if err == nil {
				checkFace(t, asStill, f)
			}
			f, err = taker.Still(ctx)
		}
		cancel()
		fault.Set(false)
		switch {
		case err == nil && fault.Sometimes:
			checkFace(t, asStill, f)
		case err == nil:
			t.Errorf("%s: a still of %v came", fault.Name, f.Image.Rect)
		case !errors.Is(err, devices.ErrBadData):
			WantKind(t, fault.Name, err, devices.ErrStalled)
		}
		frames("after " + fault.Name)
		for n := 0; ; n++ { // healed: what is under way may still fail, or the stream begins anew
			if err = whole(); err == nil {
				break
			}
			if n == 20 {
				t.Fatalf("%s: after it no still comes: %v; %+v", fault.Name, err, s.Stats())
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	frames("after the faults")
}
