package iris

import (
	"math"
	"testing"
)

// rings draws concentric steps about (x, y): grey[i] out to radius[i], the last
// grey beyond.
func rings(w, h int, x, y float64, radius []float64, grey []uint8) *plane {
	p := &plane{}
	p.reset(w, h)
	for j := range h {
		for i := range w {
			d := math.Hypot(float64(i)-x, float64(j)-y)
			k := 0
			for k < len(radius) && d > radius[k] {
				k++
			}
			p.pix[j*w+i] = grey[k]
		}
	}
	return p
}

// A pupil is found from a seed that lies beside it and is too large or too
// small, as those of votes are among lashes.
func TestSeedsMoveToTheEdge(t *testing.T) {
	p := rings(320, 240, 150, 110, []float64{50, 105}, []uint8{2, 90, 150})
	for _, c := range []circle{{143, 112, 50}, {158, 106, 56}, {150, 110, 42}, {156, 114, 54}} {
		var f pupilFinder
		hist := p.histogram()
		f.darkness(&hist)
		g := pupilGuess{circle: c}
		for _, s := range []struct {
			step float32
			nth  int
		}{{6, 2}, {3, 2}, {1.5, 1}, {0.75, 1}} {
			g = f.descend(p, g, s.step, s.nth)
		}
		// A step of these greys counts no more in the middle of the ring than near
		// its rim, three pixels away; contours are traced from there.
		if math.Hypot(float64(g.x-150), float64(g.y-110)) > 3 || abs32(g.r-50) > 3 {
			t.Errorf("from %v to %v, want (150, 110) of radius 50", c, g.circle)
		}
	}
}

// Sums of boxes are held against the definition.
func TestBoxSum(t *testing.T) {
	for _, size := range [][3]int{{1, 1, 2}, {2, 9, 2}, {17, 5, 1}, {30, 21, 2}, {4, 4, 9}} {
		w, h, r := size[0], size[1], size[2]
		src := make([]int32, w*h)
		for i, v := range randomPlane(w, h, uint64(w+h)).pix {
			src[i] = int32(v)
		}
		got, tmp := make([]int32, w*h), make([]int32, w*h)
		boxSum(got, src, tmp, make([]int32, w), h, r)
		for y := range h {
			for x := range w {
				var want int32
				for j := max(0, y-r); j <= min(h-1, y+r); j++ {
					for i := max(0, x-r); i <= min(w-1, x+r); i++ {
						want += src[j*w+i]
					}
				}
				if got[y*w+x] != want {
					t.Fatalf("%v: (%d,%d) is %d, want %d", size, x, y, got[y*w+x], want)
				}
			}
		}
	}
}

// Votes fall where stepping cell by cell would put them, and never outside.
func TestCastStaysInside(t *testing.T) {
	for _, c := range []struct{ x, y, dx, dy float32 }{
		{10, 10, 1, 0}, {10, 10, -0.6, 0.8}, {0, 0, 0.6, 0.8}, {30.4, 5, 1, 0}, {-0.4, 3, 0.6, 0.8}, {31, 31, 0.6, -0.8}, {5, 19.6, 0, 1},
	} {
		f := pupilFinder{acc: make([]int32, 32*20), aw: 32, ah: 20}
		f.cast(c.x, c.y, c.dx, c.dy, 12, 3)
		want := make([]int32, 32*20)
		for k, x, y := 0, c.x, c.y; k < 12; k, x, y = k+1, x+c.dx, y+c.dy {
			ix, iy := int(x+0.5), int(y+0.5)
			if x < 0 || y < 0 || ix >= 32 || iy >= 20 {
				break
			}
			want[iy*32+ix] += 3
		}
		for i := range want {
			if f.acc[i] != want[i] {
				t.Errorf("%v: cell (%d, %d) has %d, want %d", c, i%32, i/32, f.acc[i], want[i])
			}
		}
	}
}

// Where the iris has a rise of its own within, the limbus is the outer one; and
// no score exceeds what segmenter.run counts on.
func TestLimbusIsNotTheCollarette(t *testing.T) {
	p := rings(320, 240, 150, 115, []float64{36, 60, 104}, []uint8{5, 70, 110, 130})
	var g segmenter
	pupil := circleContour(circle{150, 115, 36})
	l := g.findLimbus(p, &pupil)
	if abs32(l.r-104) > 3 || math.Hypot(float64(l.x-150), float64(l.y-115)) > 3 {
		t.Errorf("limbus %v, want radius 104", l.circle)
	}
	// Belief decides which edge it is, not where it lies.
	wide := rings(320, 240, 150, 115, []float64{50, 95}, []uint8{5, 90, 105})
	for y := range 240 { // a soft edge: no step holds the circle in place
		for x := range 320 {
			d := math.Hypot(float64(x)-150, float64(y)-115)
			if d > 50 {
				wide.pix[y*320+x] = uint8(90 + 40/(1+math.Exp((95-d)/8)))
			}
		}
	}
	pupil = circleContour(circle{150, 115, 50})
	if l := g.findLimbus(wide, &pupil); abs32(l.r-95) > 1.5 {
		t.Errorf("soft limbus of radius %.1f, want 95", l.r)
	}
	for seed := range uint64(4) {
		if l := g.findLimbus(randomPlane(320, 240, seed), &pupil); l.score > limbusLimit {
			t.Errorf("noise scores %g", l.score)
		}
	}
	strong := rings(320, 240, 150, 115, []float64{36, 104}, []uint8{0, 0, 255})
	if l := g.findLimbus(strong, &pupil); l.score > limbusLimit || l.score < 0.9*limbusLimit {
		t.Errorf("the strongest edge scores %g, the limit is %d", l.score, limbusLimit)
	}
}
