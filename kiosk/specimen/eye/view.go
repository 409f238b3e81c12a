package eye

import (
	"math"

	"tambo/kiosk"
)

// pupilSteps is how finely the pupil's outline is tabulated around.
const pupilSteps = 1024

// Motion of the eye: how far the iris moves with gaze, in iris radii (distance
// from the eyeball's centre of rotation to the iris plane over iris radius).
const rotationArm = 1.75

// view is one capture's geometry: where everything of an anatomy lies in a
// frame under given conditions.
type view struct {
	a    *anatomy
	c    Conditions
	w, h int

	r          float32 // iris radius in pixels
	cx, cy     float32 // origin of the eye's coordinates in the image
	cosR, sinR float32
	flip       float32 // +1 where the nose is to the image's right

	gx, gy   float32 // centre of the iris
	ux, uy   float32 // direction of gaze in the image plane
	stretch  float32 // what undoes the foreshortening along it: 1/cos − 1
	cosGaze  float32
	torsion  float32    // in turns
	pupil    point      // centre of the pupil in the plane of the iris
	fold     float32    // how far the tissue is folded or drawn out, 0 at rest
	film     float32    // strength of what the tear film and the cornea add
	filmTurn float32    // which piece of that it is this time
	warp     [4]float32 // how far tissue lies beside its place around the iris, in turns: cosine and sine, once and twice around
	slope    [2]float32 // of the light: towards the nose for each iris radius, and how much of it goes up instead
	shear    float32    // by how many turns the tissue at the pupil is turned against that at the limbus
	lids     lidTable
	pupilAt  [pupilSteps]float32 // radius of the pupil, by direction
	acrossAt [pupilSteps]float32 // 1 over the width of the iris in that direction
	stromaAt [pupilSteps]float32 // non-linear part of the stretch of tissue there
	spots    []spot
}

func newView(p Person, e kiosk.Eye, c Conditions, w, h int) *view {
	v := &view{}
	v.set(p.anatomy(e), e, c, w, h)
	return v
}

func (v *view) set(a *anatomy, e kiosk.Eye, c Conditions, w, h int) {
	c = c.bounded()
	scale := float32(w) / DefaultWidth
	v.a, v.c, v.w, v.h = a, c, w, h
	v.r = float32(c.IrisDiameter) / 2 * scale
	v.flip = 1
	if e == kiosk.EyeLeft {
		v.flip = -1
	}
	v.cosR, v.sinR = cos(float32(c.Roll)*math.Pi/180), sin(float32(c.Roll)*math.Pi/180)
	v.cx = float32(w)/2 + float32(c.OffsetX)*scale
	v.cy = float32(h)/2 + float32(c.OffsetY)*scale

	sx, sy := v.flip*sin(float32(c.GazeX)*math.Pi/180), sin(float32(c.GazeY)*math.Pi/180)
	v.gx, v.gy = rotationArm*sx, rotationArm*sy
	s := sqrt(sx*sx + sy*sy)
	v.cosGaze = sqrt(1 - s*s)
	v.stretch = 1/v.cosGaze - 1
	if s > 0 {
		v.ux, v.uy = sx/s, sy/s
	} else {
		v.ux, v.uy = 1, 0
	}
	v.torsion = v.flip * float32(c.Torsion) / 360
	v.lids.fill(&a.lid, float32(c.UpperLid), float32(c.LowerLid), v.gy)
	v.pupilOutline()
	v.placeSpots(scale)
}

// pupilOutline tabulates the pupil's radius and the width of the iris around
// it, and how its tissue is stretched. Tissue does not stretch evenly with
// dilation, nor the same way every time: a narrow pupil sits nearer the nose,
// and the muscles pull a little unevenly.
func (v *view) pupilOutline() {
	a := v.a
	r := float32(v.c.Pupil)
	pull := newRNG(v.c.Seed, 0x9011)
	v.pupil = point{a.pupilX + 0.08*(0.4-r) + 0.004*pull.normal(), a.pupilY + 0.004*pull.normal()}
	v.fold = min(max((r-0.4)*4, -0.5), 0.5) + 0.1*pull.normal()
	v.film, v.filmTurn = 0.9+0.1*pull.normal(), pull.f()
	v.shear = 0.0015 * pull.normal()
	even, uneven, phase := 1.2*(r-0.4)+0.07*pull.normal(), 0.09*pull.normal(), pull.f()
	v.warp, v.slope = [4]float32{}, [2]float32{}
	if s := a.study; s != nil {
		v.film, v.fold = s.film*float32(v.c.Film), 0.5*v.fold
		v.shear = 0.002 * s.uneven * pull.normal()
		even, uneven = 0.6*(r-0.4)+0.06*s.uneven*pull.normal(), 0.06*s.uneven*pull.normal()
		v.pupil.x, v.pupil.y = v.pupil.x+0.006*pull.normal(), v.pupil.y+0.006*pull.normal()
		v.slope = [2]float32{0.12 * float32(v.c.Uneven) * pull.signed(), pull.signed()}
		for i := range v.warp {
			v.warp[i] = 0.0018 * s.uneven * pull.normal()
		}
	}
	px, py := v.pupil.x, v.pupil.y
	for i := range v.pupilAt {
		u := (float32(i) + 0.5) / pupilSteps
		x, y := cos(2*math.Pi*u), sin(2*math.Pi*u)
		own := 2 * math.Pi * (u - v.torsion)
		shape := a.pupilShape
		v.pupilAt[i] = r * (1 + shape[0]*cos(2*own) + shape[1]*sin(2*own) + shape[2]*cos(3*own) + shape[3]*sin(3*own))
		along := px*x + py*y
		limbus := -along + sqrt(1-px*px-py*py+along*along)
		v.acrossAt[i] = 1 / (limbus - v.pupilAt[i])
		v.stromaAt[i] = even + uneven*sin(2*math.Pi*(2*u+phase))
	}
}

// toImage maps the eye's coordinates to pixels.
func (v *view) toImage(p point) point {
	x := v.flip * p.x
	return point{v.cx + v.r*(v.cosR*x-v.sinR*p.y), v.cy + v.r*(v.sinR*x+v.cosR*p.y)}
}

// toEye maps pixels to the eye's coordinates.
func (v *view) toEye(p point) point {
	a, b := (p.x-v.cx)/v.r, (p.y-v.cy)/v.r
	return point{v.flip * (v.cosR*a + v.sinR*b), v.cosR*b - v.sinR*a}
}

// toIris maps the eye's coordinates to the plane of the iris: origin at its
// centre, limbus at distance 1.
func (v *view) toIris(p point) (x, y float32) {
	x, y = p.x-v.gx, p.y-v.gy
	k := v.stretch * (x*v.ux + y*v.uy)
	x, y = x+k*v.ux, y+k*v.uy
	return x * (1 + v.a.limbusWave[0]), y * (1 - v.a.limbusWave[0])
}

// opening returns by how much a point is inside the lids, in pixels: negative
// on the skin.
func (v *view) opening(p point) float32 {
	i := min(max(int((p.x+spanX)*columnsPerIR+0.5), 0), lidColumns)
	up, low := v.lids.marginsAt(p.x)
	return v.r * min((p.y-up)*v.lids.upperSlant[i], (low-p.y)*v.lids.lowerSlant[i])
}

// spot is a reflection of a lamp.
type spot struct {
	at    point // pixels
	a, b  float32
	angle float32
	peak  float32
	glass bool // on glasses: in front of lids and lashes too
}

// placeSpots lays out the reflections: those of the illuminators on the cornea,
// which follow half the gaze, wet ones on the lower lid and in the corner, and
// glare on glasses.
func (v *view) placeSpots(scale float32) {
	r := newRNG(v.c.Seed, 0x5b07)
	size := float32(v.c.SpecularSize) * scale / 2
	v.spots = v.spots[:0]
	centre := point{0.45*v.gx + 0.05*r.signed(), 0.45*v.gy + 0.10*r.f() - 0.02}
	gap := r.between(0.10, 0.17)
	places := [][]point{{}, {{0, 0}}, {{-gap, 0}, {gap, 0}}, {{-gap, 0.03}, {gap, 0.03}, {0, -0.1}}, {{-gap, -gap}, {gap, -gap}, {-gap, gap}, {gap, gap}}}
	for _, p := range places[v.c.Speculars] {
		at := v.toImage(point{centre.x + p.x, centre.y + p.y})
		v.spots = append(v.spots, spot{at: at, a: size * r.between(0.9, 1.25), b: size * r.between(0.75, 1), angle: r.signed(), peak: 420})
	}
	if v.c.Speculars > 0 {
		for range 2 + r.intn(4) { // tear film along the lower lid
			x := v.gx*0.6 + 0.35*r.normal()
			_, low := v.lids.marginsAt(x)
			at := v.toImage(point{x, low + 0.035*r.signed()})
			v.spots = append(v.spots, spot{at: at, a: size * r.between(0.25, 0.75), b: size * r.between(0.15, 0.35), angle: 0.3 * r.signed(), peak: r.between(200, 330), glass: true})
		}
		for range 1 + r.intn(4) { // caruncle
			x := v.a.lid.centreX + v.a.lid.halfWidth*r.between(0.80, 0.94)
			up, low := v.lids.marginsAt(x)
			at := v.toImage(point{x, up + (low-up)*r.between(0.3, 0.9)})
			v.spots = append(v.spots, spot{at: at, a: size * r.between(0.2, 0.6), b: size * r.between(0.15, 0.4), angle: r.signed(), peak: r.between(150, 330)})
		}
	}
	if v.c.Glasses {
		for range 1 + r.intn(2) {
			at := v.toImage(point{v.gx + r.signed()*1.5, v.gy + r.signed()*0.9})
			v.spots = append(v.spots, spot{at: at, a: v.r * r.between(0.10, 0.24), b: v.r * r.between(0.06, 0.14), angle: r.signed(), peak: 330, glass: true})
		}
	}
}

// weight is how much the spot hides at a pixel, 0 to 1.
func (s *spot) weight(x, y float32) float32 {
	dx, dy := x-s.at.x, y-s.at.y
	c, n := cosSmall(s.angle), sinSmall(s.angle)
	p, q := (c*dx+n*dy)/s.a, (c*dy-n*dx)/s.b
	d2 := p*p + q*q
	if d2 >= 2.2 {
		return 0
	}
	return clamp01((1.35 - sqrt(d2)) * 2)
}

// sine and cosine of the small tilts of reflections, |a| ≤ 1.
func sinSmall(a float32) float32 { return a * (1 - a*a*(1.0/6-a*a/120)) }
func cosSmall(a float32) float32 { return 1 - a*a*(0.5-a*a/24) }
