package devicetest

import (
	"context"
	"testing"
	"time"

	"tambo/devices"
)

// IrisRig is a camera under test with hands to plug it in and out.
type IrisRig struct {
	// Open finds and opens the camera, which is plugged in.
	Open func(ctx context.Context) (devices.IrisCamera, error)
	// Plug and Unplug are nil where nobody can.
	Plug, Unplug func(t *testing.T)
	// Check, which may be nil, compares a frame with what the camera saw.
	Check func(t *testing.T, f devices.IrisFrame)
	// Virtual is what Info must say.
	Virtual bool
	// Losses says that the machine may be too slow for the camera: frames may be
	// lost and streams begun anew, but what is handed out must be right.
	Losses bool
	// Illumination reports that the camera has an illumination control.
	Illumination bool
}

// Iris runs the suite; make gives a fresh rig.
func Iris(t *testing.T, make func(t *testing.T) IrisRig) {
	run(t, cameraTests(func(t *testing.T) irisRig { return make(t).rig() }, test{"Illumination", func(t *testing.T) { irisIllumination(t, make(t)) }}))
}

type irisRig = rig[devices.IrisFrame, devices.IrisStream, devices.IrisCamera]

func (r IrisRig) rig() irisRig {
	return irisRig{open: r.Open, plug: r.Plug, unplug: r.Unplug, kind: devices.KindIrisCamera, virtual: r.Virtual, losses: r.Losses,
		check:  func(t *testing.T, f devices.IrisFrame) { t.Helper(); checkFrame(t, r, f) },
		stamp:  func(f devices.IrisFrame) (uint64, time.Time) { return f.Seq, f.At },
		pixels: func(f devices.IrisFrame) []*byte { return []*byte{&f.Left.Pix[0], &f.Right.Pix[0]} }}
}

func checkFrame(t *testing.T, r IrisRig, f devices.IrisFrame) {
	t.Helper()
	if f.Left == nil || f.Right == nil || f.At.IsZero() {
		t.Fatalf("frame %d lacks an eye or a time", f.Seq)
	}
	if f.Left.Rect != f.Right.Rect || f.Left.Rect.Min.X != 0 || f.Left.Stride != f.Left.Rect.Dx() {
		t.Errorf("frame %d: left %v stride %d, right %v", f.Seq, f.Left.Rect, f.Left.Stride, f.Right.Rect)
	}
	if r.Check != nil {
		r.Check(t, f)
	}
}

func irisIllumination(t *testing.T, r IrisRig) {
	rig := r.rig()
	c := rig.opened(t)
	if !r.Illumination {
		WantKind(t, "illumination", c.SetIllumination(timeout(t), 0.5), devices.ErrUnsupported)
		return
	}
	s := rig.streaming(t, c) // also while it streams
	for _, level := range []float64{0, 0.25, 1} {
		if err := c.SetIllumination(timeout(t), level); err != nil {
			t.Errorf("illumination %v: %v", level, err)
		}
		if f, err := s.Next(timeout(t)); err != nil {
			t.Errorf("frame at illumination %v: %v", level, err)
		} else {
			checkFrame(t, r, f)
		}
	}
	for _, level := range []float64{-0.1, 1.1} {
		WantKind(t, "illumination out of range", c.SetIllumination(timeout(t), level), devices.ErrUnsupported)
	}
}
