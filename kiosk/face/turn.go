package face

import (
	"math"
	"slices"
)

// The eyes of a straight face stand in the middle of it; turned aside by an
// angle, they stand off the middle by its sine, as a share of the half width.

// yaw estimates how far a face is turned aside, in degrees: from where the skin
// of the cheeks ends, or without colour from the axis of symmetry.
func (s *search) yaw(p pair) float64 {
	f := p.frame()
	if s.colour {
		if v, ok := s.cheeks(&f); ok {
			return math.Asin(math.Min(v, 1)) * 180 / math.Pi
		}
	}
	return s.axis(&f)
}

// cheeks compares how far the skin reaches on both sides of the middle between
// the eyes: the share by which they differ.
func (s *search) cheeks(f *frameOf) (v float64, ok bool) {
	const step, far = 0.05, 2.8
	at := func(x, y, rx, ry float64) float64 {
		px, py := f.at(x, y)
		return s.red.mean(px, py, rx*f.d, ry*f.d)
	}
	of := []float64{at(-0.3, 0.45, 0.08, 0.08), at(0, 0.3, 0.08, 0.1), at(0.3, 0.45, 0.08, 0.08)}
	slices.Sort(of)
	skin := of[1]
	var shares []float64
	for y := 0.28; y < 0.66; y += 0.06 {
		var sides [2]float64
		for i, sign := range []float64{-1, 1} {
			x := 0.1
			for ; x < far && math.Abs(at(sign*x, y, 0.03, 0.05)-skin) < 0.45*math.Abs(skin)+0.02; x += step {
			}
			sides[i] = x
		}
		if sides[0] < far && sides[1] < far {
			shares = append(shares, math.Abs(sides[1]-sides[0])/(sides[0]+sides[1]))
		}
	}
	if len(shares) < 4 {
		return 0, false
	}
	slices.Sort(shares)
	return shares[len(shares)/2], true
}

// axis is how far the axis of symmetry of what lies round the eyes is from the
// middle between them, in degrees of turn.
func (s *search) axis(f *frameOf) float64 {
	const n, rows, step = 65, 24, 0.05 // columns from −1.6 to 1.6
	var g [rows][n]float64
	for r := range rows {
		var mean float64
		for c := range n {
			px, py := f.at((float64(c)-n/2)*step, -0.25+float64(r)*0.075)
			g[r][c] = s.y.mean(px, py, f.d*step/2, f.d*0.04)
			mean += g[r][c] / n
		}
		for c := range n {
			g[r][c] -= mean
		}
	}
	best, at := math.Inf(-1), 0
	for shift := -14; shift <= 14; shift++ {
		var ab, aa, bb float64
		for r := range rows {
			for c := max(0, 2*shift); c < min(n, n+2*shift); c++ {
				a, b := g[r][c], g[r][n-1-c+2*shift]
				ab += a * b
				aa += a * a
				bb += b * b
			}
		}
		if k := ab/math.Sqrt(aa*bb+1) - 0.006*math.Abs(float64(shift)); k > best {
			best, at = k, shift
		}
	}
	// The eyes stand about 1.25 distances before the axis of the head.
	return math.Asin(math.Min(math.Abs(float64(at))*step/1.25, 1)) * 180 / math.Pi
}
