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

// Look is what a camera shows a technician: figures, and before the iris camera the
// eye model where it is seen. Nothing else of a frame is kept.
type Look struct {
	At      time.Time
	Stats   devices.StreamStats // since the stream began
	Rate    float64             // whole frames a second, lately; 0: not known yet
	Latency time.Duration       // as of health.StreamFacts
	Size    image.Point         // of the picture, or of one eye's
	Level   float64             // mean level of the frame: a covered lens shows, a face does not
	Left    *target.Eye         // before the left camera; nil: no model there
	Right   *target.Eye
	Facts   health.TargetFacts
	Frames  uint64
}

// lookEvery is how often frames are searched for the model, which takes some ten
// milliseconds an eye.
const lookEvery = 250 * time.Millisecond

// Watch streams from a camera, health.PartCamera or health.PartFace, at a port or
// the first where that is empty, until ctx ends. It calls each for every look, in
// the goroutine of the caller, and returns which camera it was. The error of a
// stream that broke is returned; the end of ctx is not an error.
func (m *Meter) Watch(ctx context.Context, part health.Part, port string, each func(Look)) (devices.Info, error) {
	info, err := m.watch(ctx, part, port, each)
	if ctx.Err() != nil {
		err = nil
	}
	return info, err
}

func (m *Meter) watch(ctx context.Context, part health.Part, port string, each func(Look)) (devices.Info, error) {
	if part == health.PartFace {
		c, at, err := m.openFace(ctx, port)
		if err != nil {
			return devices.Info{}, err
		}
		return watch[devices.FaceStream](ctx, m, c, at, seeLevel, each)
	}
	c, at, err := m.openIris(ctx, port)
	if err != nil {
		return devices.Info{}, err
	}
	return watch[devices.IrisStream](ctx, m, c, at, seeModel, each)
}

// camera is devices.IrisCamera and devices.FaceCamera, by the streams they give.
type camera[S any] interface {
	Info() devices.Info
	Stream(ctx context.Context) (S, error)
	Close() error
}

// watch is Watch of an open camera, which it closes.
func watch[S stream[F], F any](ctx context.Context, m *Meter, c camera[S], at place, see func(F) Look, each func(Look)) (devices.Info, error) {
	defer c.Close()
	info := c.Info()
	s, err := c.Stream(ctx)
	if err != nil {
		return info, err
	}
	defer s.Close()
	var last time.Time
	for {
		f, err := s.Next(ctx)
		if err != nil {
			return info, err
		}
		if time.Since(last) < lookEvery {
			continue
		}
		last = time.Now()
		l := see(f)
		l.Stats = s.Stats()
		m.looked(at, &l)
		each(l)
	}
}

// looked completes a look with what the meter knows of the stream, and keeps what
// was seen of the eye model.
func (m *Meter) looked(at place, l *Look) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.at(at)
	l.Rate, l.Latency = k.stream.Rate, k.stream.Latency
	if l.Facts.Found {
		t := l.Facts
		k.target = &t
	}
}

// seeLevel looks at a face camera's frame: how light it is, and no more.
func seeLevel(f devices.FaceFrame) Look {
	return Look{At: f.At, Frames: f.Seq, Size: f.Image.Rect.Size(), Level: mean(f.Image.Y)}
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
		l.Level += mean(e.img.Pix) / 2
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

func mean(levels []uint8) float64 {
	sum, n := 0, 0
	for i := 0; i < len(levels); i += 17 {
		sum, n = sum+int(levels[i]), n+1
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
