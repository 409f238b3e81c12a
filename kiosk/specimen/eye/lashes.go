package eye

// lashStyle is how a person's lashes grow.
type lashStyle struct {
	seed    uint64
	upper   int     // how many
	lower   int     // how many
	length  float32 // of the upper ones, in iris radii
	droop   float32 // where the tips of the upper ones point: -1 up, +1 down
	width   float32 // at the root, in iris radii
	grey    float32
	clumped float32 // how far neighbours lean together
}

func newLashStyle(r *rng) lashStyle {
	return lashStyle{
		seed:    r.next(),
		upper:   75 + r.intn(60),
		lower:   34 + r.intn(36),
		length:  r.between(0.42, 0.72),
		droop:   r.between(-0.95, 0.35),
		width:   r.between(0.017, 0.026),
		grey:    r.between(26, 58),
		clumped: r.between(0.2, 0.8),
	}
}

// drawLashes draws both rows into cov. Each lash keeps its place from capture
// to capture; what it does there varies a little.
func (v *view) drawLashes(cov *coverage) {
	if v.c.Lashes <= 0 {
		return
	}
	s := &v.a.lash
	r := newRNG(s.seed, 0xa11)
	jitter := newRNG(v.c.Seed, 0xa12)
	v.drawRow(cov, s, &r, &jitter, int(float32(s.upper)*v.density()), true)
	v.drawRow(cov, s, &r, &jitter, int(float32(s.lower)*v.density()), false)
}

func (v *view) density() float32 { return min(float32(v.c.Lashes), 1.4) }

func (v *view) drawRow(cov *coverage, s *lashStyle, r, jitter *rng, n int, upper bool) {
	long := s.length * (0.6 + 0.4*float32(v.c.Lashes))
	droop := s.droop
	if upper {
		droop += 1.3 * (1 - clamp01(float32(v.c.UpperLid)))
	}
	var lean float32
	left := 0
	for i := range n {
		t := -0.97 + 1.80*(float32(i)+0.8*r.f())/float32(n)
		if left == 0 { // a new clump
			left, lean = 1+r.intn(4), s.clumped*0.25*r.normal()
		}
		left--
		size := r.between(0.65, 1.1) * (1 - 0.35*clamp01(t))
		bend, root := r.signed(), r.signed()
		move := 0.06 * jitter.normal()
		x := v.a.lid.centreX + t*v.a.lid.halfWidth
		up, low := v.lids.marginsAt(x)
		if upper {
			v.upperLash(cov, s, x, up+0.015*root, t, long*size, droop+0.18*bend+move, lean)
		} else {
			v.lowerLash(cov, s, x, low+0.095+0.02*root, t, long*size*0.55, lean+move+0.1*bend)
		}
	}
}

func (v *view) upperLash(cov *coverage, s *lashStyle, x, y, t, length, droop, lean float32) {
	fan := 0.62*t + lean - 0.08 // they fan out to both sides of the eye
	root := point{x, y}
	mid := point{x + 0.35*fan*length, y + length*(0.26+0.16*droop)}
	tip := point{x + 1.05*fan*length, y + length*(0.10+0.72*droop)}
	wide := s.width * v.r
	cov.curve(v.toImage(root), v.toImage(mid), v.toImage(tip), wide, 0.25*wide, 0.93)
}

func (v *view) lowerLash(cov *coverage, s *lashStyle, x, y, t, length, lean float32) {
	fan := 0.75*t + lean
	root := point{x, y}
	mid := point{x + 0.3*fan*length, y + 0.55*length}
	tip := point{x + 0.95*fan*length, y + 0.92*length}
	wide := 0.72 * s.width * v.r
	cov.curve(v.toImage(root), v.toImage(mid), v.toImage(tip), wide, 0.2*wide, 0.8)
}

// marginsAt reads the lid table at x.
func (t *lidTable) marginsAt(x float32) (upper, lower float32) {
	f := min(max((x+spanX)*columnsPerIR, 0), lidColumns-0.01)
	i := int(f)
	f -= float32(i)
	return t.upper[i] + (t.upper[i+1]-t.upper[i])*f, t.lower[i] + (t.lower[i+1]-t.lower[i])*f
}
