package iris

import (
	"image"
	"slices"
)

// Feedback is what a live frame tells the person in front of the camera.
type Feedback struct {
	Present   bool     // an eye is in the frame
	Center    Point    // of the pupil, pixels of the frame
	Radius    float64  // of the iris, pixels of the frame
	Pupil     Contour  // a circle, in pixels of the frame: for drawing
	Limbus    Contour  // likewise
	Sharpness float64  // 0..100, comparable between frames of one camera
	Openness  float64  // 0..1, how much of the ring's rays is free of lids
	Guidance  Guidance // what to do now, empty if a capture is worth taking
}

// Feedback looks at one live frame: is there an eye, where, how sharp, how
// open. It is several times cheaper than [Engine.Process] and less exact, and
// never fails: a frame that cannot be read is a frame without an eye.
func (e *Engine) Feedback(img *image.Gray) Feedback {
	none := Feedback{Guidance: GuidanceLookHere}
	work, err := e.pyramid(img)
	if err != nil {
		return none
	}
	// One level below the work plane is enough for a position.
	level := work
	if min(e.levels[work].w, e.levels[work].h) > 160 && work+1 < len(e.levels) {
		level++
		e.levels[level].halve(&e.levels[work])
	}
	h, ok := e.seg.glance(&e.levels[level])
	if !ok || h.score() < 1 {
		return none
	}
	k := float64(int(1) << level)
	f := Feedback{Present: true, Pupil: h.pupil.scaled(k), Limbus: h.limbus.scaled(k), Radius: h.limbus.Radius() * k}
	f.Center = f.Pupil.Center
	f.Sharpness = localSharpness(&e.levels[work], h.limbus.scaled(float64(int(1)<<(level-work))))
	f.Openness = openness(&e.seg.polar, &h)
	img0 := &e.levels[0]
	m := margins(f.Limbus.Center, f.Radius, img0.w, img0.h)
	switch {
	case f.Radius < 50:
		f.Guidance = GuidanceCloser
	case f.Radius > 0.42*float64(img0.h) && m < 20:
		f.Guidance = GuidanceFurther
	case f.Openness < 0.55:
		f.Guidance = GuidanceOpenWider
	case m < 20:
		f.Guidance = GuidanceLookHere
	case f.Sharpness < 5:
		f.Guidance = GuidanceHoldStill
	}
	return f
}

// glance is the segmenter's quick look: circles only.
func (g *segmenter) glance(p *plane) (hypothesis, bool) {
	hist := p.histogram()
	lo, hi := percentile(&hist, 0.01), percentile(&hist, 0.99)
	g.high.run(p, min(max(p.h/30, 4), 10), lo, hi)
	g.smooth.blur(&g.high.filled)
	g.darken()
	hist = g.dark.texturedHistogram()
	var best hypothesis
	ok := false
	for _, c := range g.pupils.find(&g.dark, &hist, 2) {
		h := hypothesis{pupilScore: c.score, pupil: circleContour(c.circle)}
		l := g.findLimbus(&g.smooth, &h.pupil)
		if l.score <= 0 {
			continue
		}
		h.limbusScore, h.limbus = l.score, circleContour(l.circle)
		if plausible(&h) && (!ok || h.score() > best.score()) {
			best, ok = h, true
		}
	}
	if ok { // leave the polar samples of the chosen one for openness
		r := float32(best.limbus.Radius())
		g.polar.sample(&g.smooth, float32(best.limbus.Center.X), float32(best.limbus.Center.Y), 0, r/24, 26)
	}
	return best, ok
}

func circleContour(c circle) Contour {
	out := Contour{Center: Point{float64(c.x), float64(c.y)}}
	for i := range out.Radii {
		out.Radii[i] = c.r
	}
	return out
}

// openness compares the outer ring on all rays with what it is beside and
// below the pupil.
func openness(s *polarStep, h *hypothesis) float64 {
	const lo = 16
	ring := func(i int) (v float32) {
		for k := lo; k < 23; k++ {
			v += s.val[i*s.nr+k]
		}
		return v / float32(23-lo)
	}
	var buf [ContourPoints]float32
	side := buf[:0]
	for i, sn := range contourSin {
		if sn > -0.05 && sn < 0.5 {
			side = append(side, ring(i))
		}
	}
	slices.Sort(side)
	mean := side[len(side)/2]
	for i, v := range side {
		side[i] = abs32(v - mean)
	}
	slices.Sort(side)
	dev := min(max(1.5*side[len(side)/2], 5), 12)
	n := 0
	for i := range ContourPoints {
		if abs32(ring(i)-mean) < 3.5*dev {
			n++
		}
	}
	return float64(n) / ContourPoints
}

// localSharpness is the sharpness measure on the square around c.
func localSharpness(p *plane, c Contour) float64 {
	r := c.Radius()
	x0, y0 := max(0, int(c.Center.X-r)), max(0, int(c.Center.Y-r))
	x1, y1 := min(p.w, int(c.Center.X+r)), min(p.h, int(c.Center.Y+r))
	if x1-x0 < 16 || y1-y0 < 16 {
		return 0
	}
	return sharpnessIn(p, x0, y0, x1, y1)
}
