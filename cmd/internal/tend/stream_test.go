package tend

import (
	"context"
	"errors"
	"image"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/virtual"
	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/session/stored"
	"tambo/kiosk/ui/words"
)

// faceEndpoint is where a composite camera sends the face.
const faceEndpoint = 0x80 | virtual.FaceInterface

// newComposite is a bench with one device that is both cameras, at port 1-4.
func newComposite(t *testing.T, interval time.Duration) *bench {
	t.Helper()
	b := newBench(t, scene{light: 190})
	b.bus.Unplug("1-4")
	var err error
	b.cam, err = virtual.NewCompositeCamera(still{}, nobody{}, virtual.CameraOptions{Width: 64, Height: 48, Interval: 50 * time.Millisecond},
		virtual.ColourOptions{Formats: []string{"YUY2"}, Sizes: []image.Point{{64, 48}}, Interval: interval, Payload: 1024, Still: image.Pt(128, 96)})
	if err != nil {
		t.Fatal(err)
	}
	b.plug("1-4", b.cam)
	return b
}

// device is what is known of a part.
func (b *bench) device(part health.Part) health.DeviceFacts {
	b.t.Helper()
	for _, d := range b.k.Facts(b.t.Context()).Devices {
		if d.Part == part {
			return d
		}
	}
	b.t.Fatalf("no %s", part)
	return health.DeviceFacts{}
}

// TestFaceCameraIsCounted: what the face stream of a composite camera loses is said
// of the face camera and of nothing else, now and by the journal.
func TestFaceCameraIsCounted(t *testing.T) {
	b := newComposite(t, 50*time.Millisecond)
	b.cam.SetFaults(virtual.Faults{Drop: 0.02, Seed: 3, Endpoint: faceEndpoint})
	if l, err := b.look(5*time.Second, func(l Look) bool { return l.Stats.Frames >= 20 }); err != nil || l.Stats.Damaged > 0 || l.Rate == 0 {
		t.Fatalf("the iris stream: %+v, %v", l, err)
	}
	l, err := b.watch(health.PartFace, 20*time.Second, func(l Look) bool { return l.Stats.Damaged >= 3 && l.Stats.Frames >= 20 })
	if err != nil || l.Stats.Damaged < 3 || l.Rate == 0 || l.Latency == 0 || l.Size != image.Pt(64, 48) {
		t.Fatalf("the face stream: %+v, %v", l, err)
	}
	if d := b.device(health.PartFace); d.Stream == nil || d.Stream.Damaged < l.Stats.Damaged || d.Stream.Frames < l.Stats.Frames || d.Stream.Rate == 0 || d.Stream.Lost.IsZero() {
		t.Errorf("the face camera: %+v", d.Stream)
	}
	if d := b.device(health.PartCamera); d.Stream == nil || d.Stream.Frames < 20 || d.Stream.Damaged+d.Stream.BusErrors > 0 || !d.Stream.Lost.IsZero() {
		t.Errorf("the iris camera: %+v", d.Stream)
	}
	says := func(say *words.Book, want string) {
		t.Helper()
		v, _ := b.verdict(health.CauseCable, health.PartFace, "1-4").Verdict()
		if what, do := say.Verdict(v, time.Now()); what != want || !strings.Contains(do, v.At.Local().Format("15:04")) {
			t.Errorf("%s %s", what, do)
		}
	}
	says(words.New(words.English), "Most likely: face camera cable, port 1-4.")
	says(words.New(words.Spanish), "Lo más probable: el cable (cámara de rostro, puerto 1-4).")
	b.m.Forget(health.PartCamera)
	b.verdict(health.CauseCable, health.PartFace, "1-4")
	// Another program, later, knows it from the journal.
	b.k.Meter = nil
	says(words.New(words.English), "Most likely: face camera cable, port 1-4.")
}

// TestFaceCameraThatIsSlow: ten frames a second are what a driver may choose, and
// five are too few.
func TestFaceCameraThatIsSlow(t *testing.T) {
	for _, c := range []struct {
		every time.Duration
		want  health.Cause
	}{{100 * time.Millisecond, ""}, {200 * time.Millisecond, health.CauseSlowCamera}} {
		inBubble(t, func(t *testing.T) {
			b := newComposite(t, c.every)
			l, err := b.watch(health.PartFace, 5*time.Second, nil)
			if want := 1 / c.every.Seconds(); err != nil || l.Rate < want*0.9 || l.Rate > want*1.1 {
				t.Fatalf("%+v, %v: want %.0f frames a second", l, err, want)
			}
			part, port := health.PartFace, "1-4"
			if c.want == "" {
				part, port = "", ""
			}
			b.verdict(c.want, part, port)
			b.bus.Close()
		})
	}
}

// TestWhatACameraCanDoBesides is not hidden by counting.
func TestWhatACameraCanDoBesides(t *testing.T) {
	b := newComposite(t, 50*time.Millisecond)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	iris, err := b.m.OpenIrisCamera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer iris.Close()
	face, err := b.m.OpenFaceCamera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	for _, c := range []any{iris, face} {
		a, ok := c.(devices.Adjustable)
		if !ok {
			t.Fatalf("%T has no controls", c)
		}
		if _, err := a.Controls(ctx); err != nil {
			t.Errorf("%T: %v", c, err)
		}
	}
	s, err := face.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Next(ctx); err != nil {
		t.Fatal(err)
	}
	taker, ok := s.(devices.StillTaker)
	if !ok {
		t.Fatalf("%T takes no stills", s)
	}
	if f, err := taker.Still(ctx); err != nil || f.Image.Rect.Size() != image.Pt(128, 96) {
		t.Errorf("a still: %v", err)
	}
	// What takes none is not said to.
	plain, err := (&meteredFace{&fakeFace{}, b.m, place{part: health.PartFace}}).Stream(ctx)
	if _, ok := plain.(devices.StillTaker); ok || err != nil {
		t.Errorf("%T takes stills, %v", plain, err)
	}
}

// TestOneOfTwoFaceStreams: of two face cameras in one device, what the second loses
// is said of the second.
func TestOneOfTwoFaceStreams(t *testing.T) {
	_, both := twoFaces(t, "1-4")
	journal := OpenJournal(filepath.Join(t.TempDir(), "vault"))
	m := NewMeter(both, journal)
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()

	first, at, err := m.openFace(ctx, "1-4")
	if err != nil || at.function != 0 {
		t.Fatalf("%+v, %v", at, err)
	}
	defer first.Close()
	// The device has no such second function in truth: it does not open, and that is
	// said of the second, though the first is busy.
	if _, at, err = m.openFace(ctx, "1-4"); err == nil || at.function != 2 {
		t.Errorf("opened %+v, %v", at, err)
	}

	second := &meteredFace{&fakeFace{stats: devices.StreamStats{Frames: 30, Damaged: 4}}, m, place{health.PartFace, "1-4", 2}}
	s, err := second.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	for _, k := range []*Kiosk{{Devices: both, Meter: m, Journal: journal}, {Devices: both, Journal: journal}} {
		f := k.Facts(t.Context())
		for _, d := range f.Devices {
			if lost := d.Stream != nil && d.Stream.Damaged == 4; lost != (d.Function == 2) {
				t.Errorf("function %d: %+v", d.Function, d.Stream)
			}
		}
	}
}

// fakeFace is a face camera, and its stream, that gives a frame at each of some
// times.
type fakeFace struct {
	devices.FaceCamera
	after []time.Duration // from one frame to the next
	stats devices.StreamStats
}

func (f *fakeFace) Stream(context.Context) (devices.FaceStream, error) {
	return fakeStream{f}, nil
}

type fakeStream struct{ *fakeFace }

func (s fakeStream) Next(ctx context.Context) (devices.FaceFrame, error) {
	if len(s.after) == 0 {
		return devices.FaceFrame{}, &devices.Error{Op: "read frame", Kind: devices.ErrGone}
	}
	time.Sleep(s.after[0])
	s.fakeFace.after = s.after[1:]
	s.fakeFace.stats.Frames++
	return devices.FaceFrame{At: time.Now()}, nil
}

func (s fakeStream) Stats() devices.StreamStats { return s.stats }
func (fakeStream) Close() error                 { return nil }

// TestAPauseIsNotASlowCamera: a stream that stood for a while, because the machine
// slept or nobody took frames, is not slow after it; one that stands again and
// again is.
func TestAPauseIsNotASlowCamera(t *testing.T) {
	steady := func(n int, every time.Duration) (out []time.Duration) {
		for range n {
			out = append(out, every)
		}
		return out
	}
	frame := 100 * time.Millisecond
	for name, c := range map[string]struct {
		after []time.Duration
		rates [2]float64 // lowest and highest that was ever known
	}{
		"steady":       {steady(40, frame), [2]float64{10, 10}},
		"one pause":    {append(append(steady(40, frame), 10*time.Second), steady(40, frame)...), [2]float64{10, 10}},
		"two pauses":   {append(append(append(append(steady(40, frame), 3*time.Second), steady(5, frame)...), 10*time.Second), steady(40, frame)...), [2]float64{10, 10}},
		"very slow":    {steady(10, 4*time.Second), [2]float64{0.25, 0.25}},
		"became slow":  {append(steady(40, frame), steady(10, 4*time.Second)...), [2]float64{0.25, 10}},
		"recovers":     {append(steady(10, 4*time.Second), steady(40, frame)...), [2]float64{0.25, 10}},
		"a short stop": {append(append(steady(40, frame), time.Second), steady(40, frame)...), [2]float64{5.5, 10}},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := NewMeter(discover.New(), nil)
			at := place{part: health.PartFace, port: "1-1"}
			s, err := (&meteredFace{&fakeFace{after: c.after}, m, at}).Stream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			low, high := 1e9, 0.0
			for err == nil {
				_, err = s.Next(t.Context())
				if r := m.known[at].stream.Rate; r > 0 {
					low, high = min(low, r), max(high, r)
				}
			}
			if !errors.Is(err, devices.ErrGone) || low < c.rates[0]*0.99 || low > c.rates[0]*1.2 || high > c.rates[1]*1.01 {
				t.Errorf("%s: from %.2f to %.2f frames a second, want %v", name, low, high, c.rates)
			}
		})
	}
}

// TestOfficersPhotoIsCounted: the session opens the face camera through the meter,
// and what an officer's capture lost is in the journal.
func TestOfficersPhotoIsCounted(t *testing.T) {
	k := sessiontest.New(t)
	k.Devices.Bus.Unplug(sessiontest.FacePort)
	face, err := virtual.NewColourCamera(nobody{}, virtual.ColourOptions{Formats: []string{"YUY2"}, Sizes: []image.Point{{64, 48}}, Interval: 50 * time.Millisecond, Payload: 1024})
	if err != nil {
		t.Fatal(err)
	}
	face.SetFaults(virtual.Faults{Drop: 0.02, Seed: 5})
	if err := k.Devices.Bus.Plug(sessiontest.FacePort, face); err != nil {
		t.Fatal(err)
	}
	journal := OpenJournal(k.Dir)
	m := NewMeter(k.Devices.Discovery, journal)
	s := session.New(session.Config{Vault: stored.Vault{Vault: k.Vault}, Devices: m})
	if _, err := s.SignIn(t.Context(), sessiontest.Officer, []byte(sessiontest.Password)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Begin(t.Context(), kiosk.VisitIntake); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do(t.Context(), k.Arrival("0417")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	frames := 0
	_, err = s.CaptureFace(ctx, func(session.FaceProgress) {
		if frames++; frames == 60 {
			stop() // nobody sits there
		}
	})
	if err == nil || frames < 60 {
		t.Fatalf("a photo of nobody: %d frames, %v", frames, err)
	}
	for _, k := range []*Kiosk{{Devices: k.Devices.Discovery, Meter: m, Journal: journal}, {Devices: k.Devices.Discovery, Journal: journal}} {
		v, _ := health.Judge(k.Facts(t.Context())).Verdict()
		if v.Cause != health.CauseCable || v.Part != health.PartFace || v.Port != sessiontest.FacePort || v.Count == 0 {
			t.Errorf("%+v", v)
		}
	}
}
