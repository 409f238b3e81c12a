package devicetest

import (
	"context"
	"errors"
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
	tests := []struct {
		name string
		f    func(t *testing.T, r IrisRig)
	}{
		{"Info", irisInfo},
		{"Frames", irisFrames},
		{"NewestFrame", irisNewest},
		{"OneStream", irisOneStream},
		{"NextHonoursContext", irisContext},
		{"CloseEndsNext", irisClose},
		{"Illumination", irisIllumination},
		{"UnplugAndBack", irisUnplug},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.f(t, make(t)) })
	}
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func openIris(t *testing.T, r IrisRig) devices.IrisCamera {
	t.Helper()
	c, err := r.Open(timeout(t))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func streamIris(t *testing.T, c devices.IrisCamera) devices.IrisStream {
	t.Helper()
	s, err := c.Stream(timeout(t))
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// WantKind checks that an error is a *devices.Error of a kind, and reads well.
func WantKind(t *testing.T, what string, err, kind error) {
	t.Helper()
	var typed *devices.Error
	if !errors.As(err, &typed) || !errors.Is(err, kind) {
		t.Errorf("%s: error %v, want a devices.Error that wraps %q", what, err, kind)
		return
	}
	if typed.Device == "" || typed.Op == "" {
		t.Errorf("%s: error does not say which device or what it did: %v", what, err)
	}
}

func irisInfo(t *testing.T, r IrisRig) {
	i := openIris(t, r).Info()
	if i.Kind != devices.KindIrisCamera || i.Driver == "" || i.Name == "" || i.Port == "" || i.VendorID == 0 || i.Virtual != r.Virtual {
		t.Errorf("info %+v", i)
	}
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

func irisFrames(t *testing.T, r IrisRig) {
	s := streamIris(t, openIris(t, r))
	var last devices.IrisFrame
	for n := range 20 {
		f, err := s.Next(timeout(t))
		if err != nil {
			t.Fatalf("frame %d: %v", n, err)
		}
		checkFrame(t, r, f)
		if n > 0 && (f.Seq <= last.Seq || f.At.Before(last.At)) {
			t.Fatalf("frame %d at %v came after frame %d at %v", f.Seq, f.At, last.Seq, last.At)
		}
		if n > 0 && (&f.Left.Pix[0] == &last.Left.Pix[0] || &f.Right.Pix[0] == &last.Right.Pix[0]) {
			t.Fatal("two frames share their pixels: images belong to the caller")
		}
		last = f
	}
	if st := s.Stats(); st.Frames < 20 || !r.Losses && (st.Damaged > 2 || st.BusErrors > 1) {
		t.Errorf("healthy camera: %+v", st)
	}
}

func irisNewest(t *testing.T, r IrisRig) {
	s := streamIris(t, openIris(t, r))
	first, err := s.Next(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx := timeout(t)
	for s.Stats().Frames < first.Seq+5 { // nobody takes five frames
		if ctx.Err() != nil {
			t.Fatal("no frames")
		}
		time.Sleep(time.Millisecond)
	}
	f, err := s.Next(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	checkFrame(t, r, f)
	if st := s.Stats(); f.Seq < first.Seq+5 || st.Dropped < 4 {
		t.Errorf("after frame %d and five more came frame %d; %+v", first.Seq, f.Seq, st)
	}
	checkFrame(t, r, first) // what was handed out is not written to
}

func irisOneStream(t *testing.T, r IrisRig) {
	c := openIris(t, r)
	s := streamIris(t, c)
	_, err := c.Stream(timeout(t))
	WantKind(t, "second stream", err, devices.ErrBusy)
	if _, err := s.Next(timeout(t)); err != nil {
		t.Errorf("first stream after the refusal: %v", err)
	}
	for n := range 3 { // end and begin again
		s.Close()
		s.Close()
		s = streamIris(t, c)
		f, err := s.Next(timeout(t))
		if err != nil {
			t.Fatalf("stream %d: %v", n+2, err)
		}
		checkFrame(t, r, f)
	}
	_, err = r.Open(timeout(t))
	WantKind(t, "opening a camera that is open", err, devices.ErrBusy)
}

func irisContext(t *testing.T, r IrisRig) {
	s := streamIris(t, openIris(t, r))
	if _, err := s.Next(timeout(t)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	late := false
	for range 3 { // a frame may be there already
		if _, err := s.Next(ctx); err != nil {
			WantKind(t, "ended context", err, devices.ErrStalled)
			late = errors.Is(err, context.Canceled)
			break
		}
	}
	if !late {
		t.Error("Next does not honour its context")
	}
	if f, err := s.Next(timeout(t)); err != nil {
		t.Errorf("after an ended context: %v", err)
	} else {
		checkFrame(t, r, f)
	}
}

func irisClose(t *testing.T, r IrisRig) {
	c := openIris(t, r)
	s := streamIris(t, c)
	done := make(chan error, 1)
	go func() {
		for {
			if _, err := s.Next(context.Background()); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(20 * time.Millisecond)
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	select {
	case err := <-done:
		WantKind(t, "Next of a closed camera", err, devices.ErrGone)
	case <-time.After(10 * time.Second):
		t.Fatal("Next outlives its camera")
	}
	_, err := c.Stream(timeout(t))
	WantKind(t, "stream of a closed camera", err, devices.ErrGone)
	if err := c.Close(); err != nil {
		t.Errorf("close twice: %v", err)
	}
	openIris(t, r) // and it opens again at once
}

func irisIllumination(t *testing.T, r IrisRig) {
	c := openIris(t, r)
	if !r.Illumination {
		WantKind(t, "illumination", c.SetIllumination(timeout(t), 0.5), devices.ErrUnsupported)
		return
	}
	s := streamIris(t, c) // also while it streams
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

func irisUnplug(t *testing.T, r IrisRig) {
	if r.Unplug == nil || r.Plug == nil {
		t.Skip("nobody to pull the plug")
	}
	c := openIris(t, r)
	s := streamIris(t, c)
	if _, err := s.Next(timeout(t)); err != nil {
		t.Fatal(err)
	}
	r.Unplug(t)
	var err error
	for err == nil { // what was complete may still come
		_, err = s.Next(timeout(t))
	}
	WantKind(t, "frame of an unplugged camera", err, devices.ErrGone)
	_, err = s.Next(timeout(t))
	WantKind(t, "second time", err, devices.ErrGone)
	s.Close()
	_, err = c.Stream(timeout(t))
	WantKind(t, "stream of an unplugged camera", err, devices.ErrGone)
	c.Close()
	_, err = r.Open(timeout(t))
	WantKind(t, "open with nothing there", err, devices.ErrGone)
	r.Plug(t)
	s = streamIris(t, openIris(t, r))
	f, err := s.Next(timeout(t))
	if err != nil {
		t.Fatalf("after plugging in again: %v", err)
	}
	checkFrame(t, r, f)
}
