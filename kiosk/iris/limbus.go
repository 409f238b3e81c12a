package iris

import "math"

// wide is the half width of the step by which the limbus is searched, in pupil
// radii: wide enough that the collarette's fine structure averages out.
const wide = 0.35

// minIris is the smallest radius looked for, as a share of the work plane's
// height: 90 pixels of diameter in an image of 640×480.
const minIris = 0.085

// The limits of a rise, over a wide and over a narrow step, when a limbus is
// searched; no score exceeds limbusLimit.
const (
	limbusWide   = 18
	limbusNarrow = 12
	limbusLimit  = limbusWide + limbusNarrow
)

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

// lateral are the rays on which the limbus is usually free of lids, on the
// image's right and on its left side: a little further down than up.
var lateral = func() (r [2][]int) {
	for i, s := range contourSin {
		if s <= -0.2 || s >= 0.6 {
			continue
		}
		k := 0
		if contourCos[i] < 0 {
			k = 1
		}
		r[k] = append(r[k], i)
	}
	return r
}()

// findLimbus searches circle centres near the pupil's and all radii for the
// strongest rise of brightness on both lateral arcs.
func (g *segmenter) findLimbus(p *plane, pupil *Contour) limbusGuess {
	rp := float32(pupil.Radius())
	rMin := max(1.35*rp, minIris*float32(p.h))
	rMax := min(6*rp, 0.62*float32(max(p.w, p.h)))
	g.sampleLimbus(p, pupil, rMax)
	best := limbusGuess{}
	step := max(1, float32(math.Round(float64(rp)/12)))
	span := 0.42 * rp
	s := limbusSearch{g: g, rp: rp, rMin: rMin, rMax: rMax, prior: limbusPrior}
	for dy := -span; dy <= span; dy += span / 3 {
		for dx := -span; dx <= span; dx += span / 4 {
			s.tryRadii(&best, dx, dy, rMin, rMax, 2*step)
		}
	}
	// Which edge it is, is decided; where it lies must not depend on belief.
	if best.score > 0 {
		s.prior = limbusLeast
		c := best.circle
		best.score = 0
		s.try(&best, c.x, c.y, c.r)
	}
	s.descend(&best, step)
	best.score *= limbusPrior(best.r/rp) / max(limbusLeast(best.r/rp), 0.01)
	best.x += float32(pupil.Center.X)
	best.y += float32(pupil.Center.Y)
	return best
}

// sampleLimbus fills the polar gains about the pupil's centre: a wide step
// that the fine structure of the iris does not disturb, and a narrow one for
// where little sclera is seen.
func (g *segmenter) sampleLimbus(p *plane, pupil *Contour, rMax float32) {
	rp := float32(pupil.Radius())
	r0 := 1.12 * rp
	b := min(max(int(rp*wide+0.5), 3), 24)
	g.polar.sample(p, float32(pupil.Center.X), float32(pupil.Center.Y), r0, 1, int(1.25*rMax-r0)+8)
	g.polar.rises(b, limbusWide, limbusKnee)
	g.polar.addRises(max(2, b/3), limbusNarrow, limbusKnee)
}

// limbusSearch tries circles, relative to the sampled centre.
type limbusSearch struct {
	g              *segmenter
	rp, rMin, rMax float32
	prior          func(ratio float32) float32
}

func (s *limbusSearch) try(best *limbusGuess, dx, dy, r float32) {
	s.tryRadii(best, dx, dy, r, r, 1)
}

// tryRadii tries the radii from lo to hi about one centre.
func (s *limbusSearch) tryRadii(best *limbusGuess, dx, dy, lo, hi, step float32) {
	if hi < s.rMin || lo > s.rMax {
		return
	}
	s.g.aim(dx, dy)
	for r := lo; r <= hi; r += step {
		if r < s.rMin || r > s.rMax {
			continue
		}
		if v := s.g.limbusScore(dx, dy, r) * s.prior(r/s.rp); v > best.score {
			*best = limbusGuess{circle{dx, dy, r}, v}
		}
	}
}

// limbusPrior is how far a limbus so many pupil radii wide is believed: within
// the iris, where the sphincter ends, many eyes have a rise that is as strong.
func limbusPrior(ratio float32) float32 {
	return min((ratio-1.2)*2, 0.8+(ratio-1.6)/3, 1)
}

// limbusLeast is the least that is asked of that ratio.
func limbusLeast(ratio float32) float32 { return min((ratio-1.2)/0.4, 1) }

// descend improves best in steps down to half a pixel.
func (s *limbusSearch) descend(best *limbusGuess, step float32) {
	if best.score <= 0 {
		return
	}
	for d := max(step, 1); d >= 0.5; d /= 2 {
		for range 6 {
			c := *best
			for k := -1; k <= 1; k += 2 {
				v := d * float32(k)
				s.try(best, c.x+v, c.y, c.r)
				s.try(best, c.x, c.y+v, c.r)
				s.try(best, c.x, c.y, c.r+v)
				s.try(best, c.x+v, c.y, c.r+v)
				s.try(best, c.x-v, c.y, c.r+v)
			}
			if *best == c {
				break
			}
		}
	}
}

// aimed is how far the points of a circle lie from the sampled centre, on each
// lateral ray of either side: radius + along - across2/(2·radius).
type aimed struct{ along, across2 [2][ContourPoints]float32 }

// aim prepares limbusScore for circles whose centre lies (dx, dy) from the
// sampled one.
func (g *segmenter) aim(dx, dy float32) {
	for n, list := range lateral {
		for k, i := range list {
			c := dx*contourSin[i] - dy*contourCos[i]
			g.aimed.along[n][k] = dx*contourCos[i] + dy*contourSin[i]
			g.aimed.across2[n][k] = c * c
		}
	}
}

// limbusScore is the mean rise on the rays of a circle whose centre lies
// (dx, dy), at which was aimed, from the sampled centre; the weaker side counts
// more, and a centre away from the pupil's, upwards or downwards above all, has
// to be better.
func (g *segmenter) limbusScore(dx, dy, r float32) float32 {
	s := &g.polar
	var side [2]float32
	inv := 1 / (2 * r)
	for n, list := range lateral {
		var sum float32
		along, across2 := g.aimed.along[n][:len(list)], g.aimed.across2[n][:len(list)]
		for j, i := range list {
			k := int(r + along[j] - across2[j]*inv - s.r0 + 1)
			if uint(k) < uint(s.nr) {
				sum += s.gain[i*s.nr+k]
			}
		}
		side[n] = sum / float32(max(len(list), 1))
	}
	off := (dx*dx + 2*dy*dy) / (r * r)
	return (0.3*(side[0]+side[1]) + 0.4*min(side[0], side[1])) * (1 - 8*off)
}

// traceLimbus follows the outer boundary around circle c, where lids usually leave
// it free.
func (g *segmenter) traceLimbus(p *plane, c circle) Contour {
	out := Contour{Center: Point{float64(c.x), float64(c.y)}}
	const nr = 56
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
			w[i] = min(max(v, 0), 20) / 20 * limbusTrust[i]
		}
		order, ridge := 2, 0.05
		if pass == 0 {
			order, ridge = 1, 0
		}
		fitHarmonics(&out.Radii, &radii, &w, order, ridge)
		out.recentre()
	}
	return out
}
