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
func TestWindowsAgainstNaive(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 3}, {30, 9}, {31, 17}, {64, 40}} {
		for _, r := range []int{1, 2, 3, 4, 5} {
			w, h := size[0]+2*r, size[1]+2*r
			p := randomPlane(w, h, uint64(w*h+r))
			for i := range p.pix {
				if i%3 == 0 {
					p.pix[i] = p.pix[i] & 1 * 255 // what a comparison of bytes gets wrong first
				}
			}
			for _, most := range []bool{false, true} {
				got := slices.Clone(p.pix)
				f := least
				if most {
					f = greatest
				}
				windows(got, w, r, f)
				for y := range size[1] {
					for x := range size[0] {
						want := p.pix[y*w+x]
						for dy := range 2*r + 1 {
							for dx := range 2*r + 1 {
								v := p.pix[(y+dy)*w+x+dx]
								if (v > want) == most {
									want = v
								}
							}
						}
						if got[y*w+x] != want {
							t.Fatalf("%v r %d most %v: (%d,%d) is %d, want %d", size, r, most, x, y, got[y*w+x], want)
						}
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
	var in [sheetW]float32
	for i := range in {
		in[i] = float32(r.NormFloat64())
	}
	var v [codeW]complex128
	e.fft.real(&in, &v)
	for k := range v {
		var want complex128
		for i, x := range in {
			want += complex(float64(x), 0) * cmplx.Exp(complex(0, -2*math.Pi*float64(i*k%sheetW)/sheetW))
		}
		if cmplx.Abs(v[k]-want) > 1e-9 {
			t.Fatalf("frequency %d is %v, want %v", k, v[k], want)
		}
	}
	spec := v
	e.fft.inverse(&v)
	for i := range v {
		var want complex128
		for k, x := range spec {
			want += x * cmplx.Exp(complex(0, 2*math.Pi*float64(i*k%codeW)/codeW))
		}
		if cmplx.Abs(v[i]-want) > 1e-7 {
			t.Fatalf("inverse at %d is %v, want %v", i, v[i], want)
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
