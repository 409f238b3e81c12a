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
	stray   float32 // share of unruly ones
}

func newLashStyle(r *rng) lashStyle {
	return lashStyle{
		seed:    r.next(),
		upper:   110 + r.intn(80),
		lower:   40 + r.intn(50),
		length:  r.between(0.45, 0.80),
		droop:   r.between(-0.85, 0.25),
		width:   r.between(0.016, 0.025),
		grey:    r.between(18, 48),
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
		t := -0.98 + 1.82*(float32(i)+1.5*r.f())/float32(n)
		if left == 0 { // a new clump, whose tips come together
			left, lean = 1+r.intn(4), s.clumped*0.35*r.normal()
		}
		left--
		size := r.between(0.5, 1.1) * (1 - 0.35*clamp01(t)) * (1 - 0.4*step(0.7, 1, -t))
		bend, root, own := r.normal(), r.signed(), 0.16*r.normal()
		if s.stray > 0 { // some are longer and go their own way, a few over the lid
			bend *= 1.7
			if r.f() < s.stray {
				size, own = 1.35*size, 2*own
			}
		}
		move := 0.05 * jitter.normal()
		x := v.a.lid.centreX + t*v.a.lid.halfWidth
		up, low := v.lids.marginsAt(x)
		if upper {
			v.upperLash(cov, s, point{x, up + 0.02*root}, t, long*size, droop+0.28*bend+move, lean+own)
		} else {
			v.lowerLash(cov, s, point{x, low + 0.11 + 0.03*root}, t, long*size*0.62, 0.3*bend, 1.5*lean+own+move)
		}
	}
}

// upperLash leaves the lid forwards and down and curls up, more or less far.
func (v *view) upperLash(cov *coverage, s *lashStyle, root point, t, length, droop, lean float32) {
	fan := 0.75*t + lean - 0.05 // they fan out to both sides of the eye
	mid := point{root.x + 0.40*fan*length, root.y + length*(0.24+0.20*droop)}
	tip := point{root.x + 0.95*fan*length, root.y + length*(0.06+0.80*droop)}
	wide := s.width * v.r
	cov.curve(v.toImage(root), v.toImage(mid), v.toImage(tip), wide, 0.2*wide, 0.95)
}

// lowerLash grows down and curls outwards.
func (v *view) lowerLash(cov *coverage, s *lashStyle, root point, t, length, bend, lean float32) {
	fan := 0.8*t + lean
	mid := point{root.x + (0.25*fan-0.2*bend)*length, root.y + 0.6*length}
	tip := point{root.x + 1.05*fan*length, root.y + (0.86-0.2*abs(fan))*length}
	wide := 0.66 * s.width * v.r
	cov.curve(v.toImage(root), v.toImage(mid), v.toImage(tip), wide, 0.12*wide, 0.8)
}

// marginsAt reads the lid table at x.
func (t *lidTable) marginsAt(x float32) (upper, lower float32) {
	f := min(max((x+spanX)*columnsPerIR, 0), lidColumns-0.01)
	i := int(f)
	f -= float32(i)
	return t.upper[i] + (t.upper[i+1]-t.upper[i])*f, t.lower[i] + (t.lower[i+1]-t.lower[i])*f
}
