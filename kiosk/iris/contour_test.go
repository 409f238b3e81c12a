package iris

import (
	"math"
	"math/rand/v2"
	"testing"
)

// An ellipse with every fifth of its points spoilt has to come out as it was.
func TestFitHarmonicsForgetsOutliers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	var radii, w, out [ContourPoints]float32
	truth := func(i int) float64 {
		return 50 + 3*float64(contourCos[i]) - 2*float64(contourSin[i]) + 1.5*float64(contourCos[2*i&(ContourPoints-1)])
	}
	for i := range radii {
		radii[i], w[i] = float32(truth(i)+0.2*r.NormFloat64()), 1
		if i%5 == 0 {
			radii[i] += 12
		}
	}
	fitHarmonics(&out, &radii, &w, 2, 0)
	for i := range out {
		if d := math.Abs(float64(out[i]) - truth(i)); d > 2 {
			t.Fatalf("point %d is off by %.2f", i, d)
		}
	}
}

func TestTraceFindsPlantedPath(t *testing.T) {
	p := &plane{}
	p.reset(200, 200)
	edge := func(a float64) float64 { return 50 + 6*math.Cos(2*a) + 3*math.Sin(a) }
	r := rand.New(rand.NewPCG(6, 6))
	for y := range 200 {
		for x := range 200 {
			dx, dy := float64(x-100), float64(y-100)
			v := 60.0
			if math.Hypot(dx, dy) > edge(math.Atan2(dy, dx)) {
				v = 110
			}
			p.pix[y*200+x] = uint8(v + 8*r.NormFloat64())
		}
	}
	var s polarStep
	s.sample(p, 100, 100, 30, 0.5, 80)
	s.rises(4, 30, 10)
	s.trace(2.5)
	worst := 0.0
	for i := range ContourPoints {
		a := 2 * math.Pi * float64(i) / ContourPoints
		worst = max(worst, math.Abs(float64(s.radius(s.peakAt(i)))-edge(a)))
	}
	t.Logf("largest error %.2f pixels", worst)
	if worst > 1.6 {
		t.Errorf("path is off by %.2f pixels", worst)
	}
}

func TestRecentreKeepsTheCurve(t *testing.T) {
	// a circle of radius 40 about (103, 98), described from (100, 100)
	c := Contour{Center: Point{100, 100}}
	for i := range c.Radii {
		u := [2]float64{float64(contourCos[i]), float64(contourSin[i])}
		b := u[0]*3 + u[1]*-2
		c.Radii[i] = float32(b + math.Sqrt(b*b+1600-13))
	}
	c.recentre()
	if math.Hypot(c.Center.X-103, c.Center.Y-98) > 0.3 {
		t.Errorf("centre %v, want (103, 98)", c.Center)
	}
	for i := range ContourPoints {
		p := c.Point(i)
		if d := math.Hypot(p.X-103, p.Y-98); math.Abs(d-40) > 0.2 {
			t.Fatalf("point %d at distance %.2f", i, d)
		}
	}
}

func TestScaledMapsPixelCentres(t *testing.T) {
	// Halving maps pixels 2k and 2k+1 to k: their middle is 2k+0.5.
	c := Contour{Center: Point{10, 20}}.scaled(2)
	if c.Center != (Point{20.5, 40.5}) {
		t.Errorf("centre %v", c.Center)
	}
}
