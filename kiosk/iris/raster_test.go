package iris

import (
	"image"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

func randomPlane(w, h int, seed uint64) *plane {
	r := rand.New(rand.NewPCG(seed, 1))
	p := &plane{}
	p.reset(w, h)
	for i := range p.pix {
		p.pix[i] = uint8(r.Uint32())
	}
	return p
}

func TestBilinear(t *testing.T) {
	p := &plane{w: 2, h: 2, pix: []uint8{0, 100, 200, 40}}
	for _, c := range []struct{ x, y, want float32 }{
		{0, 0, 0}, {1, 0, 100}, {0, 1, 200}, {1, 1, 40}, {0.5, 0, 50}, {0.5, 0.5, 85}, {-3, -3, 0}, {9, 9, 40}, {0.25, 1, 160},
	} {
		if got := p.at(c.x, c.y); math.Abs(float64(got-c.want)) > 1e-3 {
			t.Errorf("at(%g, %g) = %g, want %g", c.x, c.y, got, c.want)
		}
	}
}

func TestFromGrayHonoursBoundsAndStride(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 10, 8))
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	var p plane
	p.fromGray(img.SubImage(image.Rect(3, 2, 7, 6)).(*image.Gray))
	if p.w != 4 || p.h != 4 || p.pix[0] != 23 || p.pix[15] != 56 {
		t.Errorf("got %d×%d, first %d, last %d", p.w, p.h, p.pix[0], p.pix[15])
	}
}

// The running extremes are held against the definition.
func TestRankFiltersAgainstNaive(t *testing.T) {
	for _, n := range []int{1, 2, 7, 30, 31, 64} {
		for _, r := range []int{1, 2, 5, 9} {
			p := randomPlane(n, 1, uint64(n*100+r))
			buf := make([]uint8, 2*(n+2*r+2))
			for _, most := range []bool{false, true} {
				got := make([]uint8, n)
				rankFilter(got, p.pix, 1, n, r, most, buf)
				for i := range n {
					win := p.pix[max(0, i-r):min(n, i+r+1)]
					want := slices.Min(win)
					if most {
						want = slices.Max(win)
					}
					if got[i] != want {
						t.Fatalf("n %d r %d most %v: element %d is %d, want %d", n, r, most, i, got[i], want)
					}
				}
			}
		}
	}
}

func TestHighlightsFillOnlyNarrowBrightThings(t *testing.T) {
	p := &plane{}
	p.reset(120, 120)
	for i := range p.pix {
		p.pix[i] = 90
		if i%120 > 80 {
			p.pix[i] = 250 // a wide bright area: skin
		}
	}
	for y := 40; y < 46; y++ {
		for x := 40; x < 46; x++ {
			p.pix[y*120+x] = 250 // a reflection
		}
	}
	var s highlights
	s.run(p, 8, 90, 250)
	if v := s.filled.pix[43*120+43]; v > 100 {
		t.Errorf("reflection still %d", v)
	}
	if v := s.filled.pix[60*120+100]; v != 250 {
		t.Errorf("wide bright area became %d", v)
	}
	if s.mask.pix[43*120+43] == 0 || s.mask.pix[60*120+100] != 0 {
		t.Error("mask does not say what was filled")
	}
}

func TestFFTAgainstDefinition(t *testing.T) {
	e := newEncoder()
	r := rand.New(rand.NewPCG(3, 3))
	var v, back [sheetW]complex128
	for i := range v {
		v[i] = complex(r.NormFloat64(), r.NormFloat64())
	}
	in := v
	e.fft.run(&v)
	for _, k := range []int{0, 1, 5, 255, 256, 511} {
		var want complex128
		for i, x := range in {
			want += x * cmplx.Exp(complex(0, -2*math.Pi*float64(i*k)/sheetW))
		}
		if cmplx.Abs(v[k]-want) > 1e-9 {
			t.Errorf("bin %d is %v, want %v", k, v[k], want)
		}
	}
	e.fft.inverse(&v, &back)
	for i := range in {
		if cmplx.Abs(back[i]/sheetW-in[i]) > 1e-9 {
			t.Fatalf("inverse differs at %d", i)
		}
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{5, 1, 4, 2, 3, 9, 8, 7, 6, 0}
	for q, want := range map[float64]float64{0: 0, 0.25: 2, 0.5: 5, 0.99: 9} {
		if got := quantile(slices.Clone(v), q); got != want {
			t.Errorf("quantile %g = %g, want %g", q, got, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	var h [256]int
	h[10], h[20], h[30] = 50, 49, 1
	for q, want := range map[float64]int{0.5: 10, 0.51: 20, 0.99: 20, 1: 30} {
		if got := percentile(&h, q); got != want {
			t.Errorf("percentile %g = %d, want %d", q, got, want)
		}
	}
}
