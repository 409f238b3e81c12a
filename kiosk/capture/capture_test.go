package capture_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
	"tambo/kiosk/iris"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/specimen/page"
)

const floor = 40

func camera(t *testing.T, d *sessiontest.Devices) devices.IrisCamera {
	t.Helper()
	c, err := d.OpenIrisCamera(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func collect(t *testing.T, d *sessiontest.Devices, eyes ...kiosk.Eye) *capture.Collector {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := capture.NewCollector(eyes, floor, 2)
	cam, err := d.OpenIrisCamera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer cam.Close()
	if err := c.Run(ctx, cam, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBothEyesThroughTheWholeStack(t *testing.T) {
	d := sessiontest.NewDevices(t)
	d.Seat(7, 1)
	one := collect(t, d, kiosk.EyeLeft, kiosk.EyeRight)
	d.Seat(7, 2)
	two := collect(t, d, kiosk.EyeLeft, kiosk.EyeRight)
	for _, e := range kiosk.BothEyes {
		a, b := one.Best(e), two.Best(e)
		if a.Quality.Score < floor || len(a.Quality.Vector) != 10 || a.Eye != e || a.Template.Eye != e {
			t.Errorf("%s: %+v", e, a.Quality)
		}
		if a.Crop.Rect.Empty() || a.Crop.Rect.Dx() >= a.Image.Rect.Dx() {
			t.Errorf("%s: the crop is %v of %v", e, a.Crop.Rect, a.Image.Rect)
		}
		same, err := iris.Compare(a.Template, b.Template)
		if err != nil {
			t.Fatal(err)
		}
		other, err := iris.Compare(a.Template, two.Best(3-e).Template)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: score %d and %d, same eye %.3f (LogFMR %.1f), other eye %.3f", e, a.Quality.Score, b.Quality.Score, same.HD, same.LogFMR, other.HD)
		if same.LogFMR < 6 || other.LogFMR > 2.5 {
			t.Errorf("%s: same %.1f, other %.1f: are left and right kept apart?", e, same.LogFMR, other.LogFMR)
		}
	}
}

func TestCropHidesTheFace(t *testing.T) {
	d := sessiontest.NewDevices(t)
	d.Seat(8, 1)
	s := collect(t, d, kiosk.EyeRight).Best(kiosk.EyeRight)
	crop := s.Crop
	// The corners lie outside the iris: they must hold the sclera's grey, not skin.
	for _, p := range [][2]int{{0, 0}, {crop.Rect.Dx() - 1, 0}, {0, crop.Rect.Dy() - 1}, {crop.Rect.Dx() - 1, crop.Rect.Dy() - 1}} {
		if v := crop.GrayAt(p[0], p[1]).Y; v != 200 {
			t.Errorf("corner %v has grey %d", p, v)
		}
	}
	grey := map[uint8]int{}
	for _, v := range crop.Pix {
		grey[v]++
	}
	if free := len(crop.Pix) - grey[200] - grey[128]; free < len(crop.Pix)/5 {
		t.Errorf("only %d of %d pixels show iris or pupil", free, len(crop.Pix))
	}
}

func TestNobodyThereIsNeverACapture(t *testing.T) {
	d := sessiontest.NewDevices(t)
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	c := capture.NewCollector([]kiosk.Eye{kiosk.EyeLeft, kiosk.EyeRight}, floor, 1)
	var last capture.Progress
	err := c.Run(ctx, camera(t, d), func(p capture.Progress) { last = p })
	if !errors.Is(err, capture.ErrNotGood) || c.Best(kiosk.EyeLeft) != nil {
		t.Errorf("%v, best %v", err, c.Best(kiosk.EyeLeft))
	}
	if last.Frames == 0 || last.Ask != iris.GuidanceLookHere {
		t.Errorf("after %d frames the person was asked %q", last.Frames, last.Ask)
	}
}

func TestCameraUnpluggedInTheMiddleAndBack(t *testing.T) {
	d := sessiontest.NewDevices(t)
	d.Seat(9, 1)
	c := capture.NewCollector([]kiosk.Eye{kiosk.EyeLeft, kiosk.EyeRight}, floor, 60)
	n := 0
	err := c.Run(t.Context(), camera(t, d), func(p capture.Progress) {
		if n++; n == 5 {
			d.Bus.Unplug(sessiontest.CameraPort)
		}
	})
	if !errors.Is(err, devices.ErrGone) {
		t.Fatalf("unplugged: %v", err)
	}
	if c.Best(kiosk.EyeLeft) == nil {
		t.Fatal("what was good is lost")
	}
	if _, err := d.OpenIrisCamera(t.Context()); !errors.Is(err, devices.ErrGone) {
		t.Errorf("no camera: %v", err)
	}
	d.PlugCamera()
	again := capture.NewCollector([]kiosk.Eye{kiosk.EyeLeft, kiosk.EyeRight}, floor, 3)
	again.Adopt(c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := again.Run(ctx, camera(t, d), nil); err != nil {
		t.Errorf("back again: %v", err)
	}
}

func TestPageThroughTheWholeStack(t *testing.T) {
	d := sessiontest.NewDevices(t)
	sc, err := d.OpenScanner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

	p, err := capture.ScanPage(t.Context(), sc, now, nil)
	if err != nil || p.Unread == nil || p.MRZ.Accepted {
		t.Errorf("an empty glass: %v, unread %v", err, p.Unread)
	}
	h := page.NewHolder(3)
	d.Lay(&h)
	var seen int64
	p, err = capture.ScanPage(t.Context(), sc, now, func(n int64) { seen = n })
	if err != nil || p.Unread != nil {
		t.Fatalf("%v, unread %v", err, p.Unread)
	}
	if want := h.MRZ(); p.MRZ.Lines[0] != want[0] || p.MRZ.Lines[1] != want[1] {
		t.Errorf("read  %q\nwant %q", p.MRZ.Lines, want)
	}
	if seen == 0 || len(p.Encoded) == 0 {
		t.Errorf("progress %d, %d bytes kept", seen, len(p.Encoded))
	}
	if _, err := document.Read(t.Context(), nil, now); err == nil {
		t.Error("no page was read")
	}
}

// TestFramesOfThePersonBeforeAreNotTaken: cameras buffer. Another person sits
// down between two runs, again and again.
func TestFramesOfThePersonBeforeAreNotTaken(t *testing.T) {
	d := sessiontest.NewDevices(t)
	d.Seat(1, 1)
	before := collect(t, d, kiosk.EyeLeft).Best(kiosk.EyeLeft)
	for person := uint64(2); person < 8; person++ {
		d.Seat(person, 1)
		now := collect(t, d, kiosk.EyeLeft).Best(kiosk.EyeLeft)
		c, err := iris.Compare(before.Template, now.Template)
		if err != nil {
			t.Fatal(err)
		}
		if c.LogFMR > 5 {
			t.Errorf("person %d was captured as person %d: HD %.3f", person, person-1, c.HD)
		}
		before = now
	}
}

// TestVisitsMatch: what is kept of one visit matches what is kept of another.
// The visits of person 902 hold glances aside whose frames have a fair score and
// match nothing; the frames around them outvote them.
func TestVisitsMatch(t *testing.T) {
	worst := math.Inf(1)
	for person := uint64(900); person < 906; person++ {
		var best [2][3]*capture.Shot
		for visit := range best {
			c := capture.NewCollector(kiosk.BothEyes[:], floor, 3)
			if err := c.Run(t.Context(), &film{scene: eye.NewScene(eye.NewPerson(person), uint64(visit))}, nil); err != nil {
				t.Fatal(err)
			}
			for _, e := range kiosk.BothEyes {
				best[visit][e] = c.Best(e)
			}
		}
		for _, e := range kiosk.BothEyes {
			c, err := iris.Compare(best[0][e].Template, best[1][e].Template)
			if err != nil || c.LogFMR < 6 {
				t.Errorf("person %d, %s eye: visits match at 1e-%.1f only (%v)", person, e, c.LogFMR, err)
			}
			worst = min(worst, c.LogFMR)
		}
	}
	t.Logf("the worst of 12 eyes matches its other visit at a false match rate of 1e-%.1f", worst)
}

// film is a camera that shows a scene four frames a glance: every frame is
// 400 ms after the last.
type film struct {
	devices.IrisCamera
	scene *eye.Scene
	n     int
}

func (f *film) Stream(context.Context) (devices.IrisStream, error) { return &reel{film: f}, nil }

type reel struct {
	devices.IrisStream
	*film
}

func (r *reel) Close() error { return nil }

func (r *reel) Next(ctx context.Context) (devices.IrisFrame, error) {
	at := time.Duration(r.n) * 400 * time.Millisecond
	r.n++
	return devices.IrisFrame{Left: r.scene.Frame(kiosk.EyeLeft, at, 1), Right: r.scene.Frame(kiosk.EyeRight, at, 1)}, ctx.Err()
}
