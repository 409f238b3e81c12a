package iris

import "math"

// wide is the half width of the step by which the limbus is searched, in pupil
// radii: wide enough that the collarette's fine structure averages out.
const wide = 0.35

// minIris is the smallest radius looked for, as a share of the work plane's
// height: 90 pixels of diameter in an image of 640×480.
const minIris = 0.085

// limbusKnee is the rise, in grey values, that counts half.
const limbusKnee = 7

// limbusTrust says how likely the limbus is free of lids on each ray.
var limbusTrust = func() (t [ContourPoints]float32) {
	for i := range t {
		s := contourSin[i]
		t[i] = 1
		if s < -0.15 {
			t[i] = max(0.05, 1+(s+0.15)*2.2)
		}
		if s > 0.6 {
			t[i] = max(0.2, 1-(s-0.6)*2.5)
		}
	}
	return t
}()

// limbusGuess is a circle for the outer boundary with its score.
type limbusGuess struct {
	circle
	score float32
}

// lateral lists the rays on which the limbus is usually free of lids: the
// eye's left and right, a little further down than up. The first half of the
// list is the image's right side.
var lateral = lateralRays()

func lateralRays() (rays []int) {
	for _, right := range []bool{true, false} {
		for i := range ContourPoints {
			s, c := contourSin[i], contourCos[i]
			if (c > 0) == right && s > -0.3 && s < 0.6 {
				rays = append(rays, i)
			}
		}
	}
	return rays
}

// findLimbus searches circle centres near the pupil's and all radii for the
// strongest rise of brightness on both lateral arcs.
func (g *segmenter) findLimbus(p *plane, pupil *Contour) limbusGuess {
	rp := float32(pupil.Radius())
	cx, cy := float32(pupil.Center.X), float32(pupil.Center.Y)
	rMin := max(1.35*rp, minIris*float32(p.h))
	rMax := min(6*rp, 0.62*float32(max(p.w, p.h)))
	r0 := 1.12 * rp
	nr := int(1.25*rMax-r0) + 8
	b := min(max(int(rp*wide+0.5), 3), 24)
	g.polar.sample(p, cx, cy, r0, 1, nr)
	g.polar.rises(b, 30, limbusKnee)
	best := limbusGuess{}
	step := max(1, float32(math.Round(float64(rp)/12)))
	try := func(dx, dy, r float32) {
		prior := min((r/rp-1.2)/0.4, 1)
		if s := g.limbusScore(dx, dy, r) * prior; s > best.score {
			best = limbusGuess{circle{dx, dy, r}, s}
		}
	}
	span := 0.42 * rp
	for dy := -span; dy <= span; dy += span / 3 {
		for dx := -span; dx <= span; dx += span / 4 {
			for r := rMin; r <= rMax; r += 2 * step {
				try(dx, dy, r)
			}
		}
	}
	if best.score <= 0 {
		return best
	}
	for d := max(step, 1); d >= 0.5; d /= 2 {
		for range 6 {
			c := best
			for k := -1; k <= 1; k += 2 {
				s := d * float32(k)
				try(c.x+s, c.y, c.r)
				try(c.x, c.y+s, c.r)
				if c.r+s >= rMin && c.r+s <= rMax {
					try(c.x, c.y, c.r+s)
					try(c.x+s, c.y, c.r+s)
					try(c.x-s, c.y, c.r+s)
				}
			}
			if best == c {
				break
			}
		}
	}
	best.x += cx
	best.y += cy
	return best
}

// limbusScore is the mean clipped rise on the lateral rays of a circle whose
// centre lies (dx, dy) from the sampled centre; the weaker side counts more.
func (g *segmenter) limbusScore(dx, dy, r float32) float32 {
	s := &g.polar
	half := len(lateral) / 2
	var side [2]float32
	inv := 1 / (2 * r)
	for n, i := range lateral {
		a := dx*contourCos[i] + dy*contourSin[i]
		c := dx*contourSin[i] - dy*contourCos[i]
		k := int((r+a-c*c*inv-s.r0)/s.dr + 1)
		if k < 0 || k >= s.nr {
			continue
		}
		v := s.gain[i*s.nr+k]
		if n < half {
			side[0] += v
		} else {
			side[1] += v
		}
	}
	l, t := side[0]/float32(half), side[1]/float32(half)
	off := (dx*dx + 2*dy*dy) / (r * r)
	return (0.3*(l+t) + 0.4*min(l, t)) * (1 - 8*off)
}

// traceLimbus follows the outer boundary around circle c.
// Rays on which free is false are left out; free may be nil, then the usual
// position of the lids is assumed.
func (g *segmenter) traceLimbus(p *plane, c circle, free *[ContourPoints]bool) (Contour, float64) {
	out := Contour{Center: Point{float64(c.x), float64(c.y)}}
	const nr = 56
	var res float64
	for pass := range 2 {
		r := c.r
		if pass > 0 {
			r = float32(out.Radius())
		}
		span := 0.4 * r
		if pass > 0 {
			span = 0.24 * r
		}
		dr := span / nr
		s := &g.polar
		cx, cy := float32(out.Center.X), float32(out.Center.Y)
		s.sample(p, cx, cy, r-span/2, dr, nr)
		b := min(max(int(0.05*r/dr+0.5), 2), 10)
		s.rises(b, 30, limbusKnee)
		// A mild preference for the circle decides where nothing else does.
		for i := range ContourPoints {
			for k := range nr {
				d := (float32(k) - nr/2) / (nr / 2)
				s.gain[i*nr+k] -= 5 * d * d
			}
		}
		s.trace(2.5)
		var radii, w [ContourPoints]float32
		for i := range ContourPoints {
			radii[i] = s.radius(s.peakAt(i))
			v := s.gain[i*nr+s.path[i]]
			w[i] = min(max(v, 0), 20) / 20
			switch {
			case free == nil:
				w[i] *= limbusTrust[i]
			case !free[i]:
				w[i] *= 0.02
			}
		}
		order, ridge := 2, 0.05
		if pass == 0 {
			order, ridge = 1, 0
		}
		res = fitHarmonics(&out.Radii, &radii, &w, order, ridge)
		out.recentre()
	}
	return out, res / out.Radius()
}
