package target

import (
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// camera is a camera's picture: turned, tilted, blurred, noisy, unevenly lit.
type camera struct {
	perMM, turn, dx, dy, blur, noise, falloff float64
	white                                     float64
}

func (c camera) see(src *image.Gray, k float64, w, h int) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, w, h))
	for i := range out.Pix {
		out.Pix[i] = 200
	}
	a := c.turn * math.Pi / 180
	z := c.perMM / k
	cos, sin := z*math.Cos(a), z*math.Sin(a)
	sw, sh := float64(src.Rect.Dx())/2, float64(src.Rect.Dy())/2
	m := f64.Aff3{cos, -sin, float64(w)/2 + c.dx - cos*sw + sin*sh, sin, cos, float64(h)/2 + c.dy - sin*sw - cos*sh}
	draw.CatmullRom.Transform(out, m, src, src.Rect, draw.Src, nil)
	out = blur(out, c.blur)
	rng := rand.New(rand.NewPCG(1, 2))
	for y := range h {
		for x := range w {
			v := float64(out.Pix[y*w+x]) * c.white / 250 * (1 - c.falloff*float64(x)/float64(w))
			out.Pix[y*w+x] = uint8(min(255, max(0, v+rng.NormFloat64()*c.noise)))
		}
	}
	return out
}

// blur is a Gaussian of a standard deviation in pixels.
func blur(img *image.Gray, s float64) *image.Gray {
	if s <= 0 {
		return img
	}
	r := int(3*s) + 1
	var k []float64
	sum := 0.0
	for i := -r; i <= r; i++ {
		v := math.Exp(-float64(i*i) / (2 * s * s))
		k, sum = append(k, v), sum+v
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	pass := func(src *image.Gray, dx, dy int) *image.Gray {
		out := image.NewGray(src.Rect)
		for y := range h {
			for x := range w {
				v := 0.0
				for i := -r; i <= r; i++ {
					v += k[i+r] * float64(src.Pix[min(max(y+i*dy, 0), h-1)*w+min(max(x+i*dx, 0), w-1)])
				}
				out.Pix[y*w+x] = uint8(v/sum + 0.5)
			}
		}
		return out
	}
	return pass(pass(img, 1, 0), 0, 1)
}

func good() camera { return camera{perMM: 17, noise: 3, white: 200} }

var sheets = map[Side]func() *image.Gray{
	Left:  sync.OnceValue(func() *image.Gray { return DrawEye(Left, 1200, 900, 40, 250) }),
	Right: sync.OnceValue(func() *image.Gray { return DrawEye(Right, 1200, 900, 40, 250) }),
}

// sheet is a print of the eye model, 40 pixels a millimetre; each caller's own.
func sheet(s Side) *image.Gray {
	img := *sheets[s]()
	img.Pix = slices.Clone(img.Pix)
	return &img
}

var printed = sync.OnceValue(func() *image.Gray { return DrawPage(400) })

// TestEyeIsFound: in every pose a hand holds it, with its side.
func TestEyeIsFound(t *testing.T) {
	for name, c := range map[string]camera{
		"straight": good(), "turned": {perMM: 17, turn: 9, noise: 3, white: 200}, "other way, off": {perMM: 16, turn: -7, dx: 20, dy: -14, noise: 3, white: 200},
		"upside down": {perMM: 17, turn: 180, noise: 3, white: 200}, "soft": {perMM: 17, blur: 3, noise: 3, white: 200},
		"small": {perMM: 9, noise: 3, white: 200}, "dim": {perMM: 17, noise: 3, white: 60}, "uneven": {perMM: 17, noise: 3, white: 220, falloff: 0.6},
	} {
		for _, side := range []Side{Left, Right} {
			e, ok := FindEye(c.see(sheet(side), 40, 640, 480))
			if !ok {
				t.Errorf("%s, side %d: not found", name, side)
				continue
			}
			if e.Side != side {
				t.Errorf("%s: side %d was taken for %d", name, side, e.Side)
			}
			if math.Abs(e.PerMM/c.perMM-1) > 0.02 {
				t.Errorf("%s: %.2f pixels a millimetre, true %.2f", name, e.PerMM, c.perMM)
			}
			t.Logf("%s, side %d: sharp %.2f, white %.0f, black %.0f, even %.2f, skew %.1f", name, side, e.Sharp, e.White, e.Black, e.Even, e.Skew)
		}
	}
}

// TestSharpness: the measure is the modulation transfer of the blur, which for a
// Gaussian is exp(-2 (π s f)²).
func TestSharpness(t *testing.T) {
	last := 2.0
	for _, s := range []float64{0.6, 1, 1.5, 2, 2.5} {
		c := good()
		c.blur = s
		e, ok := FindEye(c.see(sheet(Left), 40, 640, 480))
		f := linePairs / c.perMM
		want := math.Exp(-2 * math.Pow(math.Pi*s*f, 2))
		if !ok || math.Abs(e.Sharp-want) > 0.06 {
			t.Errorf("blur of %.1f px: modulation %.2f, true %.2f (%t)", s, e.Sharp, want, ok)
		}
		if e.Sharp >= last {
			t.Errorf("blur of %.1f px is not less sharp than the one before", s)
		}
		last = e.Sharp
		t.Logf("blur of %.1f px: modulation %.2f, true %.2f", s, e.Sharp, want)
	}
}

// TestLight: white and evenness follow the light.
func TestLight(t *testing.T) {
	c := good()
	c.white, c.falloff = 180, 0.5
	e, ok := FindEye(c.see(sheet(Right), 40, 640, 480))
	if !ok || e.White < 110 || e.White > 160 || e.Even < 0.5 || e.Even > 0.85 {
		t.Errorf("white %.0f, even %.2f, %t", e.White, e.Even, ok)
	}
}

// hole cuts a hole into the model and shows something else behind it.
func hole(img *image.Gray, k, r float64, behind func(x, y float64) uint8) *image.Gray {
	out := image.NewGray(img.Rect)
	copy(out.Pix, img.Pix)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			mx, my := (float64(x)-float64(img.Rect.Dx())/2)/k, (float64(y)-float64(img.Rect.Dy())/2)/k
			if math.Hypot(mx, my) < r {
				out.Pix[y*out.Stride+x] = behind(mx, my)
			}
		}
	}
	return out
}

// TestNothingElseIsShown: the marks alone are not enough, wherever an eye could
// look through.
func TestNothingElseIsShown(t *testing.T) {
	iris := func(x, y float64) uint8 { // a dark pupil in a grey iris
		switch r := math.Hypot(x, y); {
		case r < 1.9:
			return 20
		case r < 5.5:
			return uint8(110 + 20*math.Sin(13*math.Atan2(y, x)+x))
		}
		return 190
	}
	half := func(x, y float64) uint8 {
		if x > 0 {
			return iris(x, y)
		}
		return uint8(250 - 235*eye(Left).ink(x, y))
	}
	covered := sheet(Left)
	for i := range covered.Pix[:covered.Stride*260] { // two marks covered
		covered.Pix[i] = 250
	}
	for name, img := range map[string]*image.Gray{
		"an eye behind a hole": hole(sheet(Left), 40, 5.8, iris), "half an eye behind a hole": hole(sheet(Left), 40, 5.8, half),
		"nothing behind a hole": hole(sheet(Left), 40, 5.8, func(float64, float64) uint8 { return 250 }), "two marks": covered,
		"the page": DrawPage(280),
	} {
		if e, ok := FindEye(good().see(img, 40, 640, 480)); ok || e.Picture != nil {
			t.Errorf("%s was taken for the eye model", name)
		}
	}
	if _, ok := FindPage(sheet(Left)); ok {
		t.Error("the eye model was taken for the page")
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		img := image.NewGray(image.Rect(0, 0, 320, 240))
		for i := range img.Pix {
			img.Pix[i] = uint8(rng.Uint32())
		}
		if _, ok := FindEye(img); ok {
			t.Fatal("noise was taken for the eye model")
		}
	}
}

// TestPictureIsTheModelAlone: what surrounds the model is not in the picture.
func TestPictureIsTheModelAlone(t *testing.T) {
	img := good().see(sheet(Left), 40, 640, 480)
	e, ok := FindEye(img)
	if !ok {
		t.Fatal("not found")
	}
	w, h := float64(e.Picture.Rect.Dx())/12, float64(e.Picture.Rect.Dy())/12
	if w > EyeWidth || h > EyeHeight {
		t.Errorf("the picture is %.1f × %.1f mm, the model %.1f × %.1f", w, h, EyeWidth, EyeHeight)
	}
}

func TestPageIsMeasured(t *testing.T) {
	for name, c := range map[string]camera{
		"straight": {perMM: 300 / 25.4, noise: 2, white: 245}, "skewed": {perMM: 300 / 25.4, turn: 2.5, noise: 2, white: 245}, "soft": {perMM: 300 / 25.4, blur: 2, noise: 2, white: 245},
	} {
		p, ok := FindPage(c.see(printed(), 400/25.4, 1800, 1400))
		if !ok {
			t.Errorf("%s: not found", name)
			continue
		}
		scale := p.PerMM * 25.4 / 300
		want := math.Exp(-2 * math.Pow(math.Pi*c.blur*linePairs/c.perMM, 2))
		if math.Abs(scale-1) > 0.004 || math.Abs(p.Skew-c.turn) > 0.2 || math.Abs(p.Sharp-want) > 0.15 {
			t.Errorf("%s: scale %.4f, skew %.2f, sharp %.2f (true %.2f)", name, scale, p.Skew, p.Sharp, want)
		}
		t.Logf("%s: scale %.4f, skew %.2f, sharp %.2f (of the blur alone %.2f), white %.0f, even %.2f", name, scale, p.Skew, p.Sharp, want, p.White, p.Even)
	}
}

// FuzzFind paints over nothing, over a print of each eye model and over one of the
// calibration page: rectangles of five bytes each. What is found is within its
// bounds, whatever was painted.
func FuzzFind(f *testing.F) {
	blank := image.NewGray(image.Rect(0, 0, 150, 112))
	scenes := []*image.Gray{blank, DrawEye(Left, 150, 112, 5, 250), DrawEye(Right, 150, 112, 5, 250),
		camera{perMM: 2.5, white: 250}.see(DrawPage(127), 5, 330, 230)}
	for i, img := range scenes[1:] {
		_, eye := FindEye(img)
		_, page := FindPage(img)
		if eye != (i < 2) || page != (i == 2) {
			f.Fatalf("scene %d: eye %v, page %v", i+1, eye, page)
		}
	}
	for i := range scenes {
		f.Add([]byte{}, uint8(i))
		f.Add([]byte{70, 50, 10, 10, 0, 3, 3, 8, 8, 255}, uint8(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, scene uint8) {
		if len(b) > 5*64 {
			return
		}
		base := scenes[int(scene)%len(scenes)]
		img := &image.Gray{Pix: slices.Clone(base.Pix), Stride: base.Stride, Rect: base.Rect}
		for ; len(b) >= 5; b = b[5:] {
			r := image.Rect(int(b[0]), int(b[1]), int(b[0])+int(b[2]), int(b[1])+int(b[3])).Intersect(img.Rect)
			for y := r.Min.Y; y < r.Max.Y; y++ {
				row := img.Pix[y*img.Stride+r.Min.X : y*img.Stride+r.Max.X]
				for x := range row {
					row[x] = b[4]
				}
			}
		}
		check := func(m Measure, picture *image.Gray) {
			if !(m.Sharp >= 0 && m.Sharp <= 1 && m.Even >= 0 && m.Even <= 1 && m.White >= 0 && m.White <= 255 && m.Black >= 0 && m.Black <= 255 &&
				m.PerMM > 0 && m.PerMM < 200 && m.Skew >= -90 && m.Skew <= 90) || picture == nil {
				t.Errorf("%+v", m)
			}
		}
		if base == scenes[3] {
			if p, ok := FindPage(img); ok {
				check(p.Measure, p.Picture)
			}
		} else if e, ok := FindEye(img); ok {
			check(e.Measure, e.Picture)
		}
	})
}

func BenchmarkFindEye(b *testing.B) {
	img := good().see(sheet(Left), 40, 640, 480)
	for b.Loop() {
		if _, ok := FindEye(img); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkNothingThere(b *testing.B) {
	img := image.NewGray(image.Rect(0, 0, 640, 480))
	for b.Loop() {
		FindEye(img)
	}
}
