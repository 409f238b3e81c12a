package iris

// segmenter finds the two boundaries of an iris on a plane of working size.
type segmenter struct {
	high   highlights
	smooth plane
	dark   plane // smooth, its dark tones spread
	spread tone  // that made dark of it
	pupils pupilFinder
	polar  polarStep
	aimed  aimed
}

// hypothesis is one complete reading of where the iris is.
type hypothesis struct {
	pupil, limbus Contour
	pupilScore    float32 // of the circle test
	limbusScore   float32
	pupilResidual float64 // mean residual of the harmonic fit over the radius
}

// score ranks hypotheses by the contrast of both boundaries.
func (h *hypothesis) score() float32 {
	return h.pupilScore * h.limbusScore / (h.limbusScore + 12)
}

const pupilHypotheses = 4

// mostBelief is more than what score can make of a pupil's own score: a rise
// counts less than the two limits of sampleLimbus together.
const mostBelief = limbusLimit / (limbusLimit + 12.0)

// run segments p and returns the best hypothesis.
func (g *segmenter) run(p *plane) (best hypothesis, found bool) {
	hist := p.histogram()
	lo, hi := percentile(&hist, 0.01), percentile(&hist, 0.99)
	radius := min(max(p.h/30, 5), 10)
	g.high.run(p, radius, lo, hi)
	g.smooth.blur(&g.high.filled)
	g.darken()
	hist = g.dark.texturedHistogram()
	for _, c := range g.pupils.find(&g.dark, &hist, pupilHypotheses) {
		// Pupils come best first: where the most that a limbus could add does not
		// reach what there is, the rest is not worth a look.
		if found && c.score*mostBelief < best.score() {
			break
		}
		h := hypothesis{pupilScore: c.score}
		h.pupil, h.pupilResidual = g.tracePupil(&g.dark, c.circle)
		l := g.findLimbus(&g.smooth, &h.pupil)
		h.limbusScore = l.score
		if l.score <= 0 || found && h.score() <= best.score() {
			continue
		}
		h.limbus = g.traceLimbus(&g.smooth, l.circle)
		if plausible(&h) {
			best, found = h, true
		}
	}
	return best, found
}

// darken makes dark of smooth.
func (g *segmenter) darken() {
	hist := g.smooth.texturedHistogram()
	g.spread.spreadDark(percentile(&hist, 0.25))
	g.dark.map8(&g.smooth, &g.spread)
}

// plausible refuses boundaries that cross or lie outside what an eye can be.
func plausible(h *hypothesis) bool {
	rp, rl := h.pupil.Radius(), h.limbus.Radius()
	if rp < 3.5 || rl < 1.25*rp || rl > 7*rp {
		return false
	}
	dx, dy := h.pupil.Center.X-h.limbus.Center.X, h.pupil.Center.Y-h.limbus.Center.Y
	return dx*dx+dy*dy < 0.3*0.3*rl*rl
}

// tracePupil follows the pupil's boundary around circle c.
func (g *segmenter) tracePupil(p *plane, c circle) (Contour, float64) {
	out := Contour{Center: Point{float64(c.x), float64(c.y)}}
	const nr = 48
	var res float64
	for pass := range 2 {
		r := c.r
		lo, hi := float32(0.5), float32(1.6)
		if pass > 0 {
			r = float32(out.Radius())
			lo, hi = 0.7, 1.3
		}
		dr := (hi - lo) * r / nr
		s := &g.polar
		cx, cy := float32(out.Center.X), float32(out.Center.Y)
		s.sample(p, cx, cy, lo*r, dr, nr)
		b := min(max(int(max(0.08*r, 1.2)/dr+0.5), 2), 8)
		s.rises(b, 40, 20)
		mid := (1 - lo) / (hi - lo) * nr
		for i := range ContourPoints {
			for k := range nr {
				d := (float32(k) - mid) / (nr / 2)
				s.gain[i*nr+k] -= 6 * d * d
			}
		}
		s.trace(3)
		var radii, w [ContourPoints]float32
		for i := range ContourPoints {
			radii[i] = s.radius(s.peakAt(i))
			w[i] = min(max(s.gain[i*nr+s.path[i]], 0), 25)/25 + 0.01
		}
		order, ridge := 3, 0.03
		if pass == 0 {
			order, ridge = 2, 0.02
		}
		res = fitHarmonics(&out.Radii, &radii, &w, order, ridge)
		if pass == 0 {
			out.recentre()
		}
	}
	return out, res / out.Radius()
}
