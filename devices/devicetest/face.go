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
	tests := []struct {
		name string
		f    func(t *testing.T, r FaceRig)
	}{
		{"Info", faceInfo},
		{"Frames", faceFrames},
		{"NewestFrame", faceNewest},
		{"OneStream", faceOneStream},
		{"NextHonoursContext", faceContext},
		{"Still", faceStill},
		{"CloseEndsNext", faceClose},
		{"UnplugAndBack", faceUnplug},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { tt.f(t, make(t)) })
	}
}

func openFace(t *testing.T, r FaceRig) devices.FaceCamera {
	t.Helper()
	c, err := r.Open(timeout(t))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func streamFace(t *testing.T, c devices.FaceCamera) devices.FaceStream {
	t.Helper()
	s, err := c.Stream(timeout(t))
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func faceInfo(t *testing.T, r FaceRig) {
	i := openFace(t, r).Info()
	if i.Kind != devices.KindFaceCamera || i.Driver == "" || i.Name == "" || i.Port == "" || i.VendorID == 0 || i.Virtual != r.Virtual {
		t.Errorf("info %+v", i)
	}
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

func faceFrames(t *testing.T, r FaceRig) {
	s := streamFace(t, openFace(t, r))
	var last devices.FaceFrame
	for n := range 20 {
		f, err := s.Next(timeout(t))
		if err != nil {
			t.Fatalf("frame %d: %v", n, err)
		}
		checkFace(t, r, f)
		if n > 0 && (f.Seq <= last.Seq || f.At.Before(last.At)) {
			t.Fatalf("frame %d at %v came after frame %d at %v", f.Seq, f.At, last.Seq, last.At)
		}
		if n > 0 && &f.Image.Y[0] == &last.Image.Y[0] {
			t.Fatal("two frames share their pixels: images belong to the caller")
		}
		last = f
	}
	if st := s.Stats(); st.Frames < 20 || !r.Losses && (st.Damaged > 2 || st.BusErrors > 1) {
		t.Errorf("healthy camera: %+v", st)
	}
}

func faceNewest(t *testing.T, r FaceRig) {
	s := streamFace(t, openFace(t, r))
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
	checkFace(t, r, f)
	if st := s.Stats(); f.Seq < first.Seq+5 || st.Dropped < 4 {
		t.Errorf("after frame %d and five more came frame %d; %+v", first.Seq, f.Seq, st)
	}
	checkFace(t, r, first) // what was handed out is not written to
}

func faceOneStream(t *testing.T, r FaceRig) {
	c := openFace(t, r)
	s := streamFace(t, c)
	_, err := c.Stream(timeout(t))
	WantKind(t, "second stream", err, devices.ErrBusy)
	if _, err := s.Next(timeout(t)); err != nil {
		t.Errorf("first stream after the refusal: %v", err)
	}
	for n := range 3 { // end and begin again
		s.Close()
		s.Close()
		s = streamFace(t, c)
		f, err := s.Next(timeout(t))
		if err != nil {
			t.Fatalf("stream %d: %v", n+2, err)
		}
		checkFace(t, r, f)
	}
	_, err = r.Open(timeout(t))
	WantKind(t, "opening a camera that is open", err, devices.ErrBusy)
	if f, err := s.Next(timeout(t)); err != nil {
		t.Errorf("stream after the second opening was refused: %v", err)
	} else {
		checkFace(t, r, f)
	}
}

func faceContext(t *testing.T, r FaceRig) {
	s := streamFace(t, openFace(t, r))
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
		checkFace(t, r, f)
	}
}

// faceStill takes stills between frames, has them fail, and takes them again.
func faceStill(t *testing.T, r FaceRig) {
	s := streamFace(t, openFace(t, r))
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
			f, err := s.Next(timeout(t))
			if err != nil {
				t.Fatalf("frame %s: %v", when, err)
			}
			checkFace(t, r, f)
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

func faceClose(t *testing.T, r FaceRig) {
	c := openFace(t, r)
	s := streamFace(t, c)
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
	openFace(t, r) // and it opens again at once
}

func faceUnplug(t *testing.T, r FaceRig) {
	if r.Unplug == nil || r.Plug == nil {
		t.Skip("nobody to pull the plug")
	}
	c := openFace(t, r)
	s := streamFace(t, c)
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
	s = streamFace(t, openFace(t, r))
	f, err := s.Next(timeout(t))
	if err != nil {
		t.Fatalf("after plugging in again: %v", err)
	}
	checkFace(t, r, f)
}
