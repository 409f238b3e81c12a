package tend

import (
	"context"
	"errors"
	"image"
	"image/draw"
	"math"
	"time"

	"tambo/devices"
	"tambo/kiosk/health"
	"tambo/kiosk/target"
)

// Look is what a camera shows a technician: figures, and the eye model where it
// is seen. Nothing else of a frame is kept.
type Look struct {
	At     time.Time
	Stats  devices.StreamStats
	Rate   float64
	Size   image.Point // of one eye's picture
	Level  float64     // mean level of the frame: a covered lens shows, a face does not
	Left   *target.Eye // before the left camera; nil: no model there
	Right  *target.Eye
	Facts  health.TargetFacts
	Frames uint64
}

// lookEvery is how often frames are searched for the model, which takes some ten
// milliseconds an eye.
const lookEvery = 250 * time.Millisecond

// Watch streams from a camera until ctx ends, and calls each for every look, in
// the goroutine of the caller. The error of a stream that broke is returned; the
// end of ctx is not an error.
func (m *Meter) Watch(ctx context.Context, cam devices.IrisCamera, each func(Look)) error {
	s, err := cam.Stream(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	var last time.Time
	var times []time.Time
	for {
		f, err := s.Next(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		times = append(times, f.At)
		for len(times) > 2 && f.At.Sub(times[0]) > rateOver {
			times = times[1:]
		}
		if f.At.Sub(last) < lookEvery {
			continue
		}
		last = f.At
		l := seeModel(f)
		if l.Stats = s.Stats(); len(times) > 1 {
			l.Rate = float64(len(times)-1) / times[len(times)-1].Sub(times[0]).Seconds()
		}
		if m != nil && l.Facts.Found {
			m.saw(cam.Info().Port, l.Facts)
		}
		each(l)
	}
}

func (m *Meter) saw(port string, t health.TargetFacts) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at(place{part: health.PartCamera, port: port}).target = &t
}

// seeModel looks for the eye models in a frame.
func seeModel(f devices.IrisFrame) Look {
	l := Look{At: f.At, Frames: f.Seq}
	t := &l.Facts
	t.At = f.At
	sharp, even, white, n := 1.0, 1.0, 0.0, 0
	for _, e := range []struct {
		img  *image.Gray
		side target.Side
		put  **target.Eye
	}{{f.Left, target.Left, &l.Left}, {f.Right, target.Right, &l.Right}} {
		if e.img == nil {
			continue
		}
		l.Size = e.img.Rect.Size()
		l.Level += mean(e.img) / 2
		got, ok := target.FindEye(e.img)
		if !ok {
			continue
		}
		*e.put = &got
		t.Swapped = t.Swapped || got.Side != e.side
		sharp, even = min(sharp, got.Sharp), min(even, got.Even)
		white += got.White
		n++
	}
	if n > 0 {
		t.Found, t.Sharp, t.Even, t.White = true, percent(sharp), percent(even), int(math.Round(white/float64(n)))
	}
	return l
}

func percent(v float64) int { return int(math.Round(100 * v)) }

func mean(img *image.Gray) float64 {
	sum, n := 0, 0
	for i := 0; i < len(img.Pix); i += 17 {
		sum, n = sum+int(img.Pix[i]), n+1
	}
	return float64(sum) / float64(max(1, n))
}

// Passed reports whether a look is good enough to hand the camera back: both
// models, each before its own camera, lit, even and sharp.
func (l Look) Passed() bool {
	t := l.Facts
	return l.Left != nil && l.Right != nil && !t.Swapped && t.White >= health.WhiteFloor && t.White <= health.WhiteTop && t.Even >= health.EvenFloor && t.Sharp >= health.SharpFloor
}

// ErrNoPage: what lies on the glass is not the calibration page.
var ErrNoPage = errors.New("the calibration page was not found on the glass: lay it face down, whole, and try again; print it with `tambo-diag devices target`")

// Calibrate scans and measures the calibration page. Of a scan that is not that
// page nothing is returned but that it is not.
func (m *Meter) Calibrate(ctx context.Context, s devices.DocumentScanner, dpi int) (health.PageFacts, *image.Gray, error) {
	p, err := s.Scan(ctx, devices.ScanOptions{Resolution: dpi}, nil)
	if err != nil {
		return health.PageFacts{}, nil, err
	}
	b := p.Image.Bounds()
	grey, ok := p.Image.(*image.Gray)
	if !ok || b.Min != (image.Point{}) {
		grey = image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
		draw.Draw(grey, grey.Rect, p.Image, b.Min, draw.Src)
	}
	got, ok := target.FindPage(grey)
	facts := health.PageFacts{At: p.At, Found: ok}
	if ok {
		facts.Sharp, facts.White, facts.Skew = percent(got.Sharp), int(math.Round(got.White)), math.Round(got.Skew*10)/10
		facts.Scale = math.Round(got.PerMM*25.4/float64(p.Resolution)*10000) / 100
	}
	if m != nil && ok {
		m.mu.Lock()
		m.at(place{part: health.PartScanner, port: s.Info().Port}).page = &facts
		m.mu.Unlock()
	}
	if !ok {
		return facts, nil, ErrNoPage
	}
	return facts, got.Picture, nil
}
