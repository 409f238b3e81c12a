package eye

import "math"

// Size of an iris texture: angles around (a full turn, starting towards the
// nose and turning through below) and tissue from pupil to limbus.
const (
	irisAround = 1024
	irisAcross = 160
)

// irisTexture holds grey levels of the iris tissue in the iris's own
// coordinates: irisAcross+1 rows from pupil to limbus, each irisAround+1 long
// so that interpolation needs no wrapping.
type irisTexture []uint8

// irisTone is what both irises of a person share.
type irisTone struct {
	grey     float32 // mean grey level
	contrast float32 // strength of structure
	fibres   float32 // how much of it is radial fibres
	blotches float32 // how much is patches
	crypts   int
	furrows  int
}

func newIrisTone(r *rng) irisTone {
	return irisTone{
		grey:     r.between(86, 128),
		contrast: r.between(0.34, 0.62),
		fibres:   r.between(0.7, 1.2),
		blotches: r.between(0.7, 1.2),
		crypts:   18 + r.intn(40),
		furrows:  2 + r.intn(5),
	}
}

// fibreBand is the noise of one zone's radial fibres, from coarse to fine.
type fibreBand struct {
	coarse, middle, fine lattice
}

func newFibreBand(r *rng, around, across int) fibreBand {
	return fibreBand{
		coarse: newLattice(r, around, across),
		middle: newLattice(r, around*2, across+2),
		fine:   newLattice(r, around*7/2, across+4),
	}
}

func (b *fibreBand) at(u, v float32) float32 {
	m := b.middle.at(u, v)
	ridge := 0.55 - abs(m) // bright crests with sharp edges
	return 0.55*b.coarse.at(u, v) + 0.35*m + 0.55*ridge + 0.3*b.fine.at(u, v)
}

// newIrisTexture draws one iris: stroma with radial fibres that differ on the
// two sides of the collarette, patches, the collarette itself, crypts,
// contraction furrows and freckles.
func newIrisTexture(r rng, tone irisTone) irisTexture {
	f := make([]float32, (irisAround+1)*(irisAcross+1))
	drawStroma(f, &r, tone)
	for range tone.crypts {
		drawCrypt(f, &r, tone.contrast)
	}
	for range tone.furrows {
		drawFurrow(f, &r)
	}
	for range r.intn(4) {
		drawFreckle(f, &r)
	}
	t := make(irisTexture, len(f))
	for y := range irisAcross + 1 {
		profile := radialProfile(float32(y) / irisAcross)
		row := f[y*(irisAround+1) : (y+1)*(irisAround+1)]
		row[irisAround] = row[0]
		for x, v := range row {
			t[y*(irisAround+1)+x] = uint8(min(max((tone.grey+v)*profile+0.5, 20), 230))
		}
	}
	return t
}

// radialProfile is the mean brightness from pupil (0) to limbus (1): a dark
// ruff, and a slow fall towards the dark limbal ring.
func radialProfile(v float32) float32 {
	p := 0.72 + 0.30*step(0, 0.05, v)
	return p * (1 - 0.10*step(0.5, 0.95, v)) * (1 - 0.12*step(0.88, 1, v))
}

// newIrisFolds draws what appears and goes with dilation: the stroma is a
// sponge, and where it is pressed together it folds. Grey levels are about 128;
// they are added as many times as the pupil is a tenth of the iris wider than
// at rest.
func newIrisFolds(r rng, tone irisTone) irisTexture {
	broad := newLattice(&r, 15, 4)
	medium := newLattice(&r, 32, 7)
	fine := newLattice(&r, 66, 12)
	t := make(irisTexture, (irisAround+1)*(irisAcross+1))
	for y := range irisAcross + 1 {
		v := float32(y) / irisAcross
		for x := range irisAround + 1 {
			u := float32(x&(irisAround-1)) / irisAround
			f := 0.6*broad.at(u, v) + 0.6*medium.at(u, v) + 0.5*fine.at(u, v)
			t[y*(irisAround+1)+x] = uint8(min(max(128.5+foldStrength*tone.contrast*f, 0), 255))
		}
	}
	return t
}

const foldStrength = 12

func drawStroma(f []float32, r *rng, tone irisTone) {
	ciliary := newFibreBand(r, 38+r.intn(10), 5)
	pupillary := newFibreBand(r, 50+r.intn(14), 4)
	bend := newLattice(r, 11, 3)
	bend2 := newLattice(r, 31, 6)
	patch := newLattice(r, 17+r.intn(6), 6)
	patch2 := newLattice(r, 34+r.intn(8), 11)
	patch3 := newLattice(r, 74, 17)
	strength := newLattice(r, 7, 2)
	place := newLattice(r, 9+r.intn(6), 1)
	zigzag := newLattice(r, 38+r.intn(14), 1)
	bright := newLattice(r, 17, 1)
	mid := r.between(0.22, 0.40)

	for y := range irisAcross + 1 {
		v := float32(y) / irisAcross
		for x := range irisAround {
			u := float32(x) / irisAround
			w := u + 0.010*bend.at(u, v) + 0.0045*bend2.at(u, v)
			coll := mid + 0.045*place.at(u, 0) + 0.022*zigzag.at(u, 0)
			d := v - coll
			outer := step(-0.05, 0.05, d)
			fib := outer*ciliary.at(w, v) + (1-outer)*pupillary.at(w, v)
			fib *= 1 + 0.35*strength.at(u, v)
			blot := 0.6*patch.at(w, v) + 0.85*patch2.at(w, v) + 0.5*patch3.at(w, v)
			ring := bump(d*d/(0.085*0.085)) * (0.8 + 0.6*bright.at(u, 0))
			shadow := bump((d - 0.09) * (d - 0.09) / (0.07 * 0.07))
			f[y*(irisAround+1)+x] = tone.contrast * (13*tone.fibres*fib + 10*tone.blotches*blot + 12*ring - 7*shadow)
		}
	}
}

// eachNear calls fn for every cell within ru turns and rv widths of (u,v), with
// the offsets in those units.
func eachNear(f []float32, u, v, ru, rv float32, fn func(cell *float32, du, dv float32)) {
	y0, y1 := int((v-rv)*irisAcross), int((v+rv)*irisAcross)+1
	x0, x1 := int((u-ru)*irisAround)-1, int((u+ru)*irisAround)+1
	for y := max(y0, 0); y <= min(y1, irisAcross); y++ {
		dv := (float32(y)/irisAcross - v) / rv
		for x := x0; x <= x1; x++ {
			du := (float32(x)/irisAround - u) / ru
			fn(&f[y*(irisAround+1)+x&(irisAround-1)], du, dv)
		}
	}
}

// drawCrypt makes a lozenge-shaped pit with a lighter rim, mostly just outside
// the collarette.
func drawCrypt(f []float32, r *rng, contrast float32) {
	u, v := r.f(), 0.30+0.26*abs(r.normal())*0.8
	if v > 0.92 {
		v = r.between(0.2, 0.9)
	}
	ru, rv := r.between(0.007, 0.022), r.between(0.035, 0.11)
	depth, lean := contrast*r.between(14, 38), r.signed()*0.6
	eachNear(f, u, v, ru*1.4, rv*1.4, func(cell *float32, du, dv float32) {
		du, dv = du*1.4+lean*dv, dv*1.4
		d := abs(du) + 0.6*abs(dv) + 0.4*(du*du+dv*dv)
		switch {
		case d < 1:
			*cell -= depth * step(1, 0.45, d)
		case d < 1.4:
			*cell += 0.25 * depth * bump((d-1.2)*(d-1.2)*25)
		}
	})
}

// drawFurrow makes an arc around the outer zone, where the iris folds when the
// pupil widens.
func drawFurrow(f []float32, r *rng) {
	u, v := r.f(), r.between(0.52, 0.92)
	ru, depth, width := r.between(0.04, 0.2), r.between(6, 16), r.between(0.014, 0.026)
	wave, phase := r.between(0.004, 0.015), r.f()
	eachNear(f, u, v, ru, 0.06, func(cell *float32, du, dv float32) {
		off := dv*0.06 + wave*sin(3*du+6*phase)
		*cell -= depth * bump(du*du) * (bump(off*off/(width*width)) - 0.5*bump((off-0.03)*(off-0.03)/(width*width)))
	})
}

// drawFreckle makes a small dark spot of pigment.
func drawFreckle(f []float32, r *rng) {
	u, v := r.f(), r.between(0.3, 0.95)
	size, depth := r.between(0.008, 0.02), r.between(15, 40)
	eachNear(f, u, v, size, size*4.4, func(cell *float32, du, dv float32) {
		*cell -= depth * min(1, 1.6*bump(du*du+dv*dv))
	})
}

// at interpolates the texture at turn u in [0,1) and tissue place v in [0,1].
func (t irisTexture) at(u, v float32) float32 {
	x, y := u*irisAround, v*(irisAcross-0.001)
	ix, iy := int(x), int(y)
	if uint(ix) >= irisAround {
		ix = irisAround - 1
	}
	fx, fy := x-float32(ix), y-float32(iy)
	i := iy*(irisAround+1) + ix
	a := t[i : i+2 : i+2]
	b := t[i+irisAround+1 : i+irisAround+3 : i+irisAround+3]
	top := float32(a[0]) + (float32(a[1])-float32(a[0]))*fx
	low := float32(b[0]) + (float32(b[1])-float32(b[0]))*fx
	return top + (low-top)*fy
}

func abs(x float32) float32 {
	if x < 0 {
		return -x
	}
	return x
}

func sin(x float32) float32  { return float32(math.Sin(float64(x))) }
func cos(x float32) float32  { return float32(math.Cos(float64(x))) }
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

// turn returns the direction of (x,y) as a fraction of a full turn in [0,1),
// from the x axis towards the y axis, to within 2e-5.
func turn(x, y float32) float32 {
	ax, ay := abs(x), abs(y)
	lo, hi := ay, ax
	if ay > ax {
		lo, hi = ax, ay
	}
	if hi == 0 {
		return 0
	}
	z := lo / hi
	q := z * z
	a := z * (0.15913462 + q*(-0.05256880+q*(0.02867033+q*(-0.01354934+q*0.00331601))))
	if ay > ax {
		a = 0.25 - a
	}
	if x < 0 {
		a = 0.5 - a
	}
	if y < 0 {
		a = 1 - a
	}
	if a >= 1 {
		a = 0
	}
	return a
}
