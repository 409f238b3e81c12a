package devicetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"tambo/devices"
)

// stream and camera are what the cameras of package devices have in common: F is
// a frame.
type stream[F any] interface {
	Next(ctx context.Context) (F, error)
	Stats() devices.StreamStats
	Close() error
}

type camera[F any, S stream[F]] interface {
	Info() devices.Info
	Stream(ctx context.Context) (S, error)
	Close() error
}

// rig is a camera of either kind under test.
type rig[F any, S stream[F], C camera[F, S]] struct {
	open            func(ctx context.Context) (C, error)
	plug, unplug    func(t *testing.T)
	kind            devices.Kind
	virtual, losses bool
	check           func(t *testing.T, f F) // that a frame is whole, and right
	stamp           func(f F) (seq uint64, at time.Time)
	pixels          func(f F) []*byte // the first of each of its pictures
}

type test struct {
	name string
	f    func(t *testing.T)
}

// cameraTests are those that every camera passes; own is what this kind has besides.
func cameraTests[F any, S stream[F], C camera[F, S]](make func(t *testing.T) rig[F, S, C], own test) []test {
	each := func(name string, f func(r rig[F, S, C], t *testing.T)) test {
		return test{name, func(t *testing.T) { f(make(t), t) }}
	}
	return []test{
		each("Info", rig[F, S, C].info),
		each("Frames", rig[F, S, C].frames),
		each("NewestFrame", rig[F, S, C].newest),
		each("OneStream", rig[F, S, C].oneStream),
		each("NextHonoursContext", rig[F, S, C].context),
		own,
		each("CloseEndsNext", rig[F, S, C].closes),
		each("UnplugAndBack", rig[F, S, C].unplugs),
	}
}

func run(t *testing.T, tests []test) {
	for _, tt := range tests {
		t.Run(tt.name, tt.f)
	}
}

func timeout(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
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

func (r rig[F, S, C]) opened(t *testing.T) C {
	t.Helper()
	c, err := r.open(timeout(t))
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func (r rig[F, S, C]) streaming(t *testing.T, c C) S {
	t.Helper()
	s, err := c.Stream(timeout(t))
	if err != nil {
		t.Fatalf("stream: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// next takes a frame that must come, and checks it.
func (r rig[F, S, C]) next(t *testing.T, s S, what string) F {
	t.Helper()
	f, err := s.Next(timeout(t))
	if err != nil {
		t.Fatalf("%s: %v; %+v", what, err, s.Stats())
	}
	r.check(t, f)
	return f
}

func (r rig[F, S, C]) info(t *testing.T) {
	i := r.opened(t).Info()
	if i.Kind != r.kind || i.Driver == "" || i.Name == "" || i.Port == "" || i.VendorID == 0 || i.Virtual != r.virtual {
		t.Errorf("info %+v", i)
	}
}

func (r rig[F, S, C]) frames(t *testing.T) {
	s := r.streaming(t, r.opened(t))
	var last F
	for n := range 20 {
		f := r.next(t, s, "a frame")
		if n > 0 {
			seq, at := r.stamp(f)
			before, then := r.stamp(last)
			if seq <= before || at.Before(then) {
				t.Fatalf("frame %d at %v came after frame %d at %v", seq, at, before, then)
			}
			old := r.pixels(last)
			for i, p := range r.pixels(f) {
				if p == old[i] {
					t.Fatal("two frames share their pixels: images belong to the caller")
				}
			}
		}
		last = f
	}
	if st := s.Stats(); st.Frames < 20 || !r.losses && (st.Damaged > 2 || st.BusErrors > 1) {
		t.Errorf("healthy camera: %+v", st)
	}
}

func (r rig[F, S, C]) newest(t *testing.T) {
	s := r.streaming(t, r.opened(t))
	first := r.next(t, s, "the first frame")
	seq, _ := r.stamp(first)
	ctx := timeout(t)
	for s.Stats().Frames < seq+5 { // nobody takes five frames
		if ctx.Err() != nil {
			t.Fatal("no frames")
		}
		time.Sleep(time.Millisecond)
	}
	newest, _ := r.stamp(r.next(t, s, "the newest frame"))
	if st := s.Stats(); newest < seq+5 || st.Dropped < 4 {
		t.Errorf("after frame %d and five more came frame %d; %+v", seq, newest, st)
	}
	r.check(t, first) // what was handed out is not written to
}

func (r rig[F, S, C]) oneStream(t *testing.T) {
	c := r.opened(t)
	s := r.streaming(t, c)
	_, err := c.Stream(timeout(t))
	WantKind(t, "second stream", err, devices.ErrBusy)
	r.next(t, s, "first stream after the refusal")
	for range 3 { // end and begin again
		s.Close()
		s.Close()
		s = r.streaming(t, c)
		r.next(t, s, "a stream begun again")
	}
	_, err = r.open(timeout(t))
	WantKind(t, "opening a camera that is open", err, devices.ErrBusy)
	r.next(t, s, "stream after the second opening was refused")
}

func (r rig[F, S, C]) context(t *testing.T) {
	s := r.streaming(t, r.opened(t))
	r.next(t, s, "the first frame")
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
	r.next(t, s, "after an ended context")
}

func (r rig[F, S, C]) closes(t *testing.T) {
	c := r.opened(t)
	s := r.streaming(t, c)
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
	r.opened(t) // and it opens again at once
}

func (r rig[F, S, C]) unplugs(t *testing.T) {
	if r.unplug == nil || r.plug == nil {
		t.Skip("nobody to pull the plug")
	}
	c := r.opened(t)
	s := r.streaming(t, c)
	r.next(t, s, "the first frame")
	r.unplug(t)
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
	_, err = r.open(timeout(t))
	WantKind(t, "open with nothing there", err, devices.ErrGone)
	r.plug(t)
	r.next(t, r.streaming(t, r.opened(t)), "after plugging in again")
}
