package iris_test

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// simpleEye is an eye drawn with what geometry needs and no more: a dark disc,
// a ring of random texture that moves with the pupil, sclera, a reflection.
type simpleEye struct {
	seed           uint64
	x, y, rp, rl   float64 // pixels
	dx             float64 // pupil centre against the limbus centre
	turn           float64 // radians
	lid            float64 // the upper lid covers down to this height above the centre, in rl; 0: none
	noise          float64
	width, height  int
	pupil, lighter float64 // grey of the pupil, added to everything
	gamma          float64 // of the camera's curve; 0 is 1
	contrast       float64 // about mid grey; 0 is 1
	bar            int     // rows at the bottom that are black
	shade          float64 // grey levels a pixel to the right
}

func ordinary(seed uint64) simpleEye {
	return simpleEye{seed: seed, x: 322, y: 236, rp: 42, rl: 108, width: 640, height: 480, pupil: 25, noise: 3}
}

type wave struct{ m, n, phase, amp float64 }

func (s simpleEye) draw() *image.Gray {
	r := rand.New(rand.NewPCG(s.seed, 77))
	var waves []wave
	for range 60 {
		waves = append(waves, wave{float64(4 + r.IntN(36)), r.Float64() * 9, r.Float64() * 2 * math.Pi, 4 + 5*r.Float64()})
	}
	noise := rand.New(rand.NewPCG(s.seed, uint64(1000*s.x)+uint64(s.turn*1e6)))
	img := image.NewGray(image.Rect(0, 0, s.width, s.height))
	soft := func(d float64) float64 { return 1 / (1 + math.Exp(-d)) } // 0 inside, 1 outside
	for y := range s.height {
		for x := range s.width {
			fx, fy := float64(x)-s.x, float64(y)-s.y
			dl := math.Hypot(fx, fy)
			px := fx - s.dx
			dp := math.Hypot(px, fy)
			v := 200.0
			if dl < s.rl+4 {
				a := math.Atan2(fy, fx) - s.turn
				rho := (dp - s.rp) / (s.rl - s.rp)
				tex := 115.0
				for _, w := range waves {
					tex += w.amp * math.Cos(w.m*a+w.n*rho+w.phase) / 3
				}
				v = tex + (200-tex)*soft(dl-s.rl)
			}
			v = s.pupil + (v-s.pupil)*soft(dp-s.rp)
			if math.Hypot(fx-s.dx-s.rp*0.3, fy+s.rp*0.2) < s.rp*0.12 {
				v = 250
			}
			if s.lid > 0 && fy < -s.lid*s.rl+0.002*fx*fx {
				v = 225
			}
			v += s.lighter + s.shade*fx + s.noise*noise.NormFloat64()
			if s.gamma != 0 {
				v = 255 * math.Pow(max(v, 0)/255, s.gamma)
			}
			if s.contrast != 0 {
				v = 128 + (v-128)*s.contrast
			}
			if y >= s.height-s.bar {
				v = 0
			}
			img.Pix[y*img.Stride+x] = uint8(min(max(v, 0), 255))
		}
	}
	return img
}

func process(t *testing.T, e *iris.Engine, s simpleEye) iris.Result {
	t.Helper()
	r, err := e.Process(s.draw(), kiosk.EyeLeft)
	if err != nil {
		t.Fatalf("%+v: %v", s, err)
	}
	return r
}

// Sizes, places, ratios and greys across what the engine is built for.
func TestFindsBoundariesOfSimpleEyes(t *testing.T) {
	e := iris.New()
	for name, edit := range map[string]func(*simpleEye){
		"ordinary":        func(*simpleEye) {},
		"small":           func(s *simpleEye) { s.rl, s.rp = 46, 18 },
		"large":           func(s *simpleEye) { s.rl, s.rp = 150, 55 },
		"wide pupil":      func(s *simpleEye) { s.rp = 74 },
		"narrow pupil":    func(s *simpleEye) { s.rp = 23 },
		"low, left":       func(s *simpleEye) { s.x, s.y = 200, 330 },
		"off axis":        func(s *simpleEye) { s.dx = 9 },
		"dark":            func(s *simpleEye) { s.lighter = -20 },
		"bright pupil":    func(s *simpleEye) { s.pupil = 60 },
		"lid":             func(s *simpleEye) { s.lid = 0.55 },
		"dark curve":      func(s *simpleEye) { s.gamma = 1.8 },
		"bright curve":    func(s *simpleEye) { s.gamma = 0.5 },
		"little contrast": func(s *simpleEye) { s.contrast = 0.35 },
		"black bar":       func(s *simpleEye) { s.bar = 120 },
		"shaded":          func(s *simpleEye) { s.shade = 0.25 },
		"noise":           func(s *simpleEye) { s.noise = 9 },
		"320 by 240":      func(s *simpleEye) { s.width, s.height, s.x, s.y, s.rl, s.rp = 320, 240, 150, 130, 56, 20 },
		"1280 by 960":     func(s *simpleEye) { s.width, s.height, s.x, s.y, s.rl, s.rp = 1280, 960, 700, 470, 150, 60 },
		"800 by 600":      func(s *simpleEye) { s.width, s.height, s.x, s.y = 800, 600, 390, 310 },
		"portrait, small": func(s *simpleEye) { s.width, s.height, s.x, s.y, s.rl, s.rp = 240, 320, 120, 150, 60, 22 },
	} {
		s := ordinary(5)
		edit(&s)
		r, err := e.Process(s.draw(), kiosk.EyeRight)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		l, p := r.Segmentation.Limbus, r.Segmentation.Pupil
		tol := 0.04*s.rl + 1
		if math.Hypot(l.Center.X-s.x, l.Center.Y-s.y) > tol || math.Abs(l.Radius()-s.rl) > tol {
			t.Errorf("%s: limbus (%.1f, %.1f) r %.1f, want (%.1f, %.1f) r %.1f", name, l.Center.X, l.Center.Y, l.Radius(), s.x, s.y, s.rl)
		}
		if math.Hypot(p.Center.X-s.x-s.dx, p.Center.Y-s.y) > tol || math.Abs(p.Radius()-s.rp) > tol {
			t.Errorf("%s: pupil (%.1f, %.1f) r %.1f, want (%.1f, %.1f) r %.1f", name, p.Center.X, p.Center.Y, p.Radius(), s.x+s.dx, s.y, s.rp)
		}
		if math.Abs(r.Quality.IrisRadius-l.Radius()) > 1e-6 || math.Abs(r.Quality.PupilIrisRatio-100*p.Radius()/l.Radius()) > 1e-6 {
			t.Errorf("%s: quality %+v does not say what was found", name, r.Quality)
		}
	}
}

// The same eye turned, moved, enlarged and dilated must stay itself; other eyes
// must stay others.
func TestSameEyeAndOthers(t *testing.T) {
	e := iris.New()
	var genuine, impostor []float64
	var first []kiosk.Template
	for seed := range uint64(8) {
		base := process(t, e, ordinary(seed+100)).Template
		first = append(first, base)
		for name, edit := range map[string]func(*simpleEye){
			"turned 12°":  func(s *simpleEye) { s.turn = 12 * math.Pi / 180 },
			"turned -15°": func(s *simpleEye) { s.turn = -15 * math.Pi / 180 },
			"moved":       func(s *simpleEye) { s.x, s.y = 301.4, 251.7 },
			"smaller":     func(s *simpleEye) { s.rl, s.rp = 83, 33 },
			"dilated":     func(s *simpleEye) { s.rp = 55 },
			"lid":         func(s *simpleEye) { s.lid = 0.5 },
			"other light": func(s *simpleEye) { s.lighter = 15; s.noise = 5 },
		} {
			s := ordinary(seed + 100)
			edit(&s)
			c, err := iris.Compare(base, process(t, e, s).Template)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			genuine = append(genuine, c.RawHD)
			if c.LogFMR < 6 {
				t.Errorf("eye %d %s: %+v", seed, name, c)
			}
			if a := math.Abs(s.turn) * 180 / math.Pi; math.Abs(math.Abs(c.AngleDeg)-a) > 1.5 {
				t.Errorf("eye %d %s: turned by %.1f°, want %.1f°", seed, name, c.AngleDeg, a)
			}
		}
	}
	for i := range first {
		for j := range i {
			c, err := iris.Compare(first[i], first[j])
			if err != nil {
				t.Fatal(err)
			}
			impostor = append(impostor, c.RawHD)
			if c.LogFMR > 4.5 {
				t.Errorf("eyes %d and %d: %+v", i, j, c)
			}
		}
	}
	t.Logf("plain distance: same eye %.3f (%d), others %.3f (%d)", mean(genuine), len(genuine), mean(impostor), len(impostor))
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func TestLidIsMaskedAndRated(t *testing.T) {
	e := iris.New()
	open, half := ordinary(7), ordinary(7)
	half.lid = 0.35
	a, b := process(t, e, open), process(t, e, half)
	if a.Quality.UsableIrisArea < 85 || b.Quality.UsableIrisArea > a.Quality.UsableIrisArea-12 {
		t.Errorf("usable %.0f %% open, %.0f %% under a lid", a.Quality.UsableIrisArea, b.Quality.UsableIrisArea)
	}
	up := iris.ContourPoints * 3 / 4
	if a.Segmentation.Open[up] < 0.9 || b.Segmentation.Open[up] > 0.6 {
		t.Errorf("upwards open %.2f, under the lid %.2f", a.Segmentation.Open[up], b.Segmentation.Open[up])
	}
}

// An iris lit from one side is not half covered by a lid.
func TestShadingIsNoLid(t *testing.T) {
	s := ordinary(11)
	s.shade = 0.3
	r := process(t, iris.New(), s)
	for i, open := range r.Segmentation.Open {
		if open < 0.85 {
			t.Fatalf("ray %d is taken for covered from %.2f on", i, open)
		}
	}
	if r.Quality.UsableIrisArea < 80 {
		t.Errorf("usable %.0f %%", r.Quality.UsableIrisArea)
	}
}

func TestQualityVectorOfASimpleEye(t *testing.T) {
	s := ordinary(9)
	s.noise = 1
	q := process(t, iris.New(), s).Quality
	t.Logf("%+v", q)
	// greys: pupil 25, iris 115, sclera 200
	if want := 100 * (200.0 - 115) / (200 + 115 - 50); math.Abs(q.IrisScleraContrast-want) > 6 {
		t.Errorf("iris-sclera contrast %.1f, want %.1f", q.IrisScleraContrast, want)
	}
	w := (115.0 - 25) / 45
	if want := 100 * w / (0.75 + w); math.Abs(q.IrisPupilContrast-want) > 5 {
		t.Errorf("iris-pupil contrast %.1f, want %.1f", q.IrisPupilContrast, want)
	}
	if q.PupilCircularity < 99 || q.Concentricity < 97 || q.MarginAdequacy != 100 || math.Abs(q.IrisRadius-108) > 4 {
		t.Errorf("vector %+v", q)
	}
	if !q.Acceptable() || q.Guidance != iris.GuidanceNone {
		t.Errorf("refused with %q at %.0f", q.Guidance, q.Score)
	}
}

// moved is img as a camera sees it that moves by n pixels along the direction
// (dx, dy) while it looks.
func moved(img *image.Gray, n int, dx, dy float64) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(b)
	for y := range b.Dy() {
		for x := range b.Dx() {
			sum := 0
			for k := range n {
				d := float64(k) - float64(n-1)/2
				sx, sy := int(math.Round(float64(x)+d*dx)), int(math.Round(float64(y)+d*dy))
				sum += int(img.Pix[min(max(sy, 0), b.Dy()-1)*img.Stride+min(max(sx, 0), b.Dx()-1)])
			}
			out.Pix[y*out.Stride+x] = uint8(sum / n)
		}
	}
	return out
}

// An eye that moved across the picture is refused with the right words, though
// it is sharp across its way; one that is a little soft all around is not.
func TestMovedEyesAreAskedToHoldStill(t *testing.T) {
	e := iris.New()
	s := ordinary(17)
	img := s.draw()
	for name, c := range map[string]struct {
		n      int
		dx, dy float64
		ok     bool
	}{
		"still":          {1, 1, 0, true},
		"a little":       {4, 1, 0, true},
		"along":          {28, 1, 0, false},
		"down":           {28, 0, 1, false},
		"obliquely":      {28, 0.7071, 0.7071, false},
		"by a sixth":     {18, 1, 0, false},
		"other diagonal": {20, 0.7071, -0.7071, false},
	} {
		r, err := e.Process(moved(img, c.n, c.dx, c.dy), kiosk.EyeLeft)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		q := r.Quality
		if q.Acceptable() != c.ok {
			t.Errorf("%s: score %.0f", name, q.Score)
		}
		if !c.ok && q.Guidance != iris.GuidanceHoldStill {
			t.Errorf("%s: guidance %q at %.0f", name, q.Guidance, q.Score)
		}
	}
}

func TestTypedErrors(t *testing.T) {
	e := iris.New()
	flat := image.NewGray(image.Rect(0, 0, 640, 480))
	noise := image.NewGray(image.Rect(0, 0, 320, 240))
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.Uint32())
	}
	for name, c := range map[string]struct {
		img  *image.Gray
		want error
	}{
		"nil":       {nil, iris.ErrTooSmall},
		"small":     {image.NewGray(image.Rect(0, 0, 95, 400)), iris.ErrTooSmall},
		"blank":     {flat, iris.ErrBlank},
		"huge":      {&image.Gray{Rect: image.Rect(0, 0, 1<<30, 1<<30), Stride: 1 << 30}, iris.ErrTooLarge},
		"no pixels": {&image.Gray{Rect: image.Rect(0, 0, 640, 480), Stride: 640}, iris.ErrTooSmall},
		"stride":    {&image.Gray{Rect: image.Rect(0, 0, 640, 480), Stride: 2, Pix: make([]byte, 4096)}, iris.ErrTooSmall},
	} {
		if _, err := e.Process(c.img, kiosk.EyeLeft); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if f := e.Feedback(c.img); f.Present || f.Guidance != iris.GuidanceLookHere {
			t.Errorf("%s: feedback %+v", name, f)
		}
	}
	if res, err := e.Process(noise, kiosk.EyeLeft); err == nil && res.Quality.Acceptable() {
		t.Errorf("noise was taken for an eye: %+v", res.Quality)
	}
	if _, err := e.Process(ordinary(1).draw(), 7); err == nil {
		t.Error("eye 7 was accepted")
	}
}

// What remains in an engine from one image must not reach the next.
func TestEngineForgets(t *testing.T) {
	a, b := ordinary(21), ordinary(22)
	b.width, b.height, b.x, b.y, b.rl, b.rp = 320, 240, 150, 120, 60, 24
	used := iris.New()
	process(t, used, a)
	_, _ = used.Process(image.NewGray(image.Rect(0, 0, 320, 240)), 0)
	used.Feedback(a.draw())
	x := process(t, used, b)
	y := process(t, iris.New(), b)
	if x.Quality != y.Quality || string(x.Template.Data) != string(y.Template.Data) {
		t.Error("a used engine sees something else than a fresh one")
	}
}

func TestFeedbackAgreesAndIsCheaper(t *testing.T) {
	e := iris.New()
	s := ordinary(31)
	img := s.draw()
	f := e.Feedback(img)
	if !f.Present || math.Hypot(f.Center.X-s.x, f.Center.Y-s.y) > 8 || math.Abs(f.Radius-s.rl) > 0.15*s.rl || f.Guidance != iris.GuidanceNone {
		t.Errorf("feedback %+v", f)
	}
	shut := s
	shut.lid = 0.12
	if g := e.Feedback(shut.draw()); g.Present && g.Openness >= f.Openness {
		t.Errorf("openness %.2f half shut, %.2f open", g.Openness, f.Openness)
	}
	least := func(fn func()) time.Duration {
		d := time.Hour
		for range 9 {
			start := time.Now()
			fn()
			d = min(d, time.Since(start))
		}
		return d
	}
	slow := least(func() { _, _ = e.Process(img, kiosk.EyeLeft) })
	fast := least(func() { e.Feedback(img) })
	t.Logf("template %v, feedback %v (640×480, least of 9)", slow, fast)
	if 2*fast > slow {
		t.Errorf("feedback %v is not twice as fast as %v", fast, slow)
	}
}

func TestSteadyStateAllocations(t *testing.T) {
	e := iris.New()
	img := ordinary(41).draw()
	if n := testing.AllocsPerRun(5, func() { _, _ = e.Process(img, kiosk.EyeLeft) }); n > 4 {
		t.Errorf("%g allocations for a template", n)
	}
	if n := testing.AllocsPerRun(5, func() { e.Feedback(img) }); n > 0 {
		t.Errorf("%g allocations for feedback", n)
	}
}

func FuzzProcess(f *testing.F) {
	f.Add(uint8(0), uint8(0), []byte{1, 2, 3})
	f.Add(uint8(40), uint8(9), []byte("dark bright dark bright \x00\xff\x00\xff"))
	e := iris.New()
	f.Fuzz(func(t *testing.T, dw, dh uint8, data []byte) {
		w, h := 90+int(dw), 90+int(dh)
		img := image.NewGray(image.Rect(0, 0, w, h))
		if len(data) > 0 {
			// blocks, so that there are edges on several scales
			b := 1 + len(data)%13
			for i := range img.Pix {
				img.Pix[i] = data[(i%w/b+(i/w/b)*31)%len(data)]
			}
		}
		r, err := e.Process(img, kiosk.EyeUnknown)
		if err == nil {
			if _, err := iris.Decode(r.Template); err != nil {
				t.Errorf("own template: %v", err)
			}
		}
		if math.IsNaN(r.Quality.Score) || r.Quality.Score < 0 || r.Quality.Score > 100 {
			t.Errorf("score %g", r.Quality.Score)
		}
		e.Feedback(img)
	})
}
