package eye

import (
	"math"
	"math/rand/v2"

	"tambo/kiosk"
)

// A volunteer is a [Person] such as the public research sets of near-infrared
// eyes show them: nobody told them to open their eyes wider, and nobody threw
// a poor capture away. Their lids hang deeper, their lashes hang down before
// the iris and throw a shadow, the border to the sclera is fainter, the tissue
// has less contrast and more of it is fine. An engine that is changed for the
// worse loses on them what it loses on real sets; docs/IRIS.md says how well
// that holds. For demonstrations and tests of the product there are ordinary
// people ([NewPerson]): a kiosk asks for what is wrong until it is right.
//
// The ranges below were set against statistics of two research sets (medians
// and quantiles of grey levels, shares covered, widths, and power and
// repeatability of the unrolled iris by octave). No pixel, texture or learned
// weight comes from them.

// NewVolunteer returns the volunteer with that seed, always the same one. It is
// another person than NewPerson(seed).
func NewVolunteer(seed uint64) Person {
	p := NewPerson(seed)
	p.study = true
	return p
}

// studyTraits are what only a volunteer's anatomy has.
type studyTraits struct {
	close  bool    // their camera shows the iris 1.8 times as large
	film   float32 // how much of what is seen is not of the tissue, and is new every time
	bunch  float32 // how dark a shadow the lashes throw
	uneven float32 // how differently their tissue stretches from capture to capture, 1 as a rule
	films  irisTexture
}

// volunteer makes the eye of a volunteer of an anatomy.
func (a *anatomy) volunteer(seed, side uint64) {
	face, own := newRNG(seed, 0x57de), newRNG(seed, 0x57df<<8|side)
	s := &studyTraits{close: face.f() < 0.5, film: face.between(0.6, 1.4), bunch: face.between(0.2, 0.8), uneven: own.between(0.5, 1.5)}
	a.study = s
	a.pupilX, a.pupilY = own.between(-0.02, 0.06), own.between(-0.045, 0.045)
	for i := range a.pupilShape {
		a.pupilShape[i] = own.between(-0.016, 0.016)
	}
	a.limbusWidth = face.between(0.06, 0.17)
	a.limbusWave = [2]float32{own.between(-0.02, 0.02), own.between(-0.012, 0.012)}
	tone := irisTone{grey: face.between(66, 138), contrast: face.between(0.6, 1.2), crypts: 10 + face.intn(50), furrows: 1 + face.intn(6)}
	a.scleraGrey = tone.grey + face.between(26, 72)
	a.pupilGrey = face.between(10, min(46, tone.grey-40))
	a.lid.upper = a.lid.baseY + face.between(0.74, 1.27) + own.between(-0.05, 0.05)
	a.lid.lower = face.between(0.70, 1.06) + own.between(-0.04, 0.04) - a.lid.baseY
	a.lash = lashStyle{
		seed: a.lash.seed, upper: 90 + face.intn(110), lower: 30 + face.intn(50), length: face.between(0.4, 1.0),
		droop: face.between(-0.3, 1.0), width: face.between(0.014, 0.026), grey: face.between(14, 44), clumped: face.between(0.3, 1.6),
		stray: face.between(0.05, 0.3),
	}
	a.darkenSkin(a.scleraGrey * face.between(0.98, 1.3))
	a.iris = newStudyTexture(newRNG(seed, 0x1816<<8|side), tone)
	a.folds = newStudyFilm(newRNG(seed, 0xf01e<<8|side), tone.contrast)
	s.films = newStudyFilm(newRNG(seed, 0xf01f<<8|side), 1)
}

// darkenSkin brings the mean of the skin plate to a grey level.
func (a *anatomy) darkenSkin(grey float32) {
	sum := 0
	for _, v := range a.skin {
		sum += int(v)
	}
	k := min(grey*float32(len(a.skin))/float32(sum), 1)
	for i, v := range a.skin {
		a.skin[i] = uint8(float32(v)*k + 0.5)
	}
}

// octaves is noise whose power is set octave by octave, around the iris and
// across it.
type octaves struct {
	l []lattice
}

// Cells around the iris, and across, of each octave: wavelengths of about a
// sixth to a 180th of a turn. The coarse ones are longer around than across, the
// fine ones longer across: fibres run from pupil to limbus.
var octaveCells = [...][2]int{{7, 4}, {14, 6}, {28, 9}, {56, 12}, {112, 14}, {200, 18}}

func newOctaves(r *rng) octaves {
	var o octaves
	for _, c := range octaveCells {
		o.l = append(o.l, newLattice(r, c[0]+r.intn(1+c[0]/6), c[1]))
	}
	return o
}

func (o *octaves) at(u, v float32, weight *[len(octaveCells)]float32) float32 {
	s := float32(0)
	for i := range o.l {
		s += weight[i] * o.l[i].at(u, v)
	}
	return s
}

// Grey levels of each octave at the pupil, half way, and at the limbus.
var studyPower = [3][len(octaveCells)]float32{
	{1.8, 2.3, 3.6, 6.4, 8, 6},
	{2.1, 2.7, 3.2, 3.4, 4, 4},
	{2.1, 2.4, 2.4, 2.3, 2.7, 2.7},
}

// newStudyTexture draws a volunteer's iris: tissue whose grain is coarse
// outside and fine and radial around the pupil, the collarette, crypts, furrows.
func newStudyTexture(r rng, tone irisTone) irisTexture {
	f := make([]float32, (irisAround+1)*(irisAcross+1))
	grain := newOctaves(&r)
	bend := newLattice(&r, 13, 4)
	place, zigzag := newLattice(&r, 9+r.intn(6), 1), newLattice(&r, 40+r.intn(20), 1)
	bright := newLattice(&r, 21, 1)
	frill, strands := newLattice(&r, 70+r.intn(50), 2), r.between(2, 9)
	mid := r.between(0.2, 0.42)
	for y := range irisAcross + 1 {
		v := float32(y) / irisAcross
		for x := range irisAround {
			u := float32(x) / irisAround
			coll := mid + 0.05*place.at(u, 0) + 0.03*zigzag.at(u, 0)
			d := v - coll
			outer := clamp01(v * 2)
			var w [len(octaveCells)]float32
			if v < 0.5 {
				for i := range w {
					w[i] = studyPower[0][i] + (studyPower[1][i]-studyPower[0][i])*outer
				}
			} else {
				for i := range w {
					w[i] = studyPower[1][i] + (studyPower[2][i]-studyPower[1][i])*(2*v-1)
				}
			}
			g := grain.at(u+0.006*bend.at(u, v), v, &w)
			ring := bump(d*d/(0.06*0.06)) * (0.5 + 0.8*bright.at(u, 0))
			// inside the collarette, strands run to the pupil with gaps between them
			strand := (0.6 - abs(frill.at(u+0.003*bend.at(u, v), v))) * (1 - step(0.6, 1.05, v/coll))
			f[y*(irisAround+1)+x] = tone.contrast * (g + 4*ring + strands*strand)
		}
	}
	for range tone.crypts {
		drawCrypt(f, &r, 0.45*tone.contrast)
	}
	for range tone.furrows {
		drawFurrow(f, &r)
	}
	for range r.intn(4) {
		drawFreckle(f, &r)
	}
	t := make(irisTexture, len(f))
	for y := range irisAcross + 1 {
		v := float32(y) / irisAcross
		profile := (0.84 + 0.18*step(0, 0.06, v)) * (1 - 0.08*step(0.5, 1, v))
		row := f[y*(irisAround+1) : (y+1)*(irisAround+1)]
		row[irisAround] = row[0]
		for x, g := range row {
			t[y*(irisAround+1)+x] = uint8(min(max((tone.grey+g)*profile+0.5, 12), 240))
		}
	}
	return t
}

// newStudyFilm draws what lies over the tissue: grey levels about 128, broad
// shapes more than fine ones.
func newStudyFilm(r rng, strength float32) irisTexture {
	grain := newOctaves(&r)
	power := [len(octaveCells)]float32{0.55, 0.52, 0.5, 0.42, 0.3, 0}
	t := make(irisTexture, (irisAround+1)*(irisAcross+1))
	for y := range irisAcross + 1 {
		v := float32(y) / irisAcross
		for x := range irisAround + 1 {
			g := grain.at(float32(x&(irisAround-1))/irisAround, v, &power)
			t[y*(irisAround+1)+x] = uint8(min(max(128.5+strength*g, 0), 255))
		}
	}
	return t
}

// StudyConditions are what one capture of a volunteer's eye was like: nothing
// was asked for and nothing thrown away, but the eye is there. All captures of
// one volunteer come from one camera. Deterministic in p and rng.
func StudyConditions(p Person, e kiosk.Eye, rng *rand.Rand) Conditions {
	a := p.anatomy(e)
	c := Conditions{
		Seed:         rng.Uint64(),
		OffsetX:      normalIn(rng, 0, 18, -40, 40),
		OffsetY:      normalIn(rng, 0, 14, -30, 30),
		Roll:         normalIn(rng, 0, 3, -9, 9),
		Torsion:      normalIn(rng, 0, 1, -3, 3),
		GazeX:        normalIn(rng, 0, 4, -14, 14),
		GazeY:        normalIn(rng, 0, 3, -9, 9),
		Pupil:        normalIn(rng, 0.44, 0.05, 0.3, 0.6),
		UpperLid:     normalIn(rng, 0.97, 0.10, 0.6, 1.25),
		LowerLid:     normalIn(rng, 0.97, 0.08, 0.7, 1.2),
		Lashes:       normalIn(rng, 1, 0.25, 0.3, 1.8),
		Speculars:    1,
		SpecularSize: between(rng, 8, 20),
		Defocus:      0.5 * math.Exp(normalIn(rng, 0.3, 0.6, -1, 1.8)),
		Noise:        between(rng, 0.8, 3),
		Illumination: normalIn(rng, 1, 0.06, 0.8, 1.15),
		Shadow:       math.Max(0, normalIn(rng, 0.35, 0.3, 0, 1.2)),
		Uneven:       math.Abs(normalIn(rng, 0, 0.4, -1, 1)),
		Film:         math.Exp(normalIn(rng, -0.1, 0.5, -1.3, 1.1)),
	}
	c.IrisDiameter = normalIn(rng, 224, 10, 196, 252)
	if a.study != nil && a.study.close {
		c.IrisDiameter = min(1.75*c.IrisDiameter, 420)
	}
	if rng.Float64() < 0.3 {
		c.Speculars = 2
	}
	if rng.Float64() < 0.5 {
		c.Reflection = between(rng, 2, 24)
	}
	if rng.Float64() < 0.35 {
		a, l := between(rng, 0, 2*math.Pi), between(rng, 0.5, 4)
		c.MotionX, c.MotionY = l*math.Cos(a), l*math.Sin(a)
	}
	if rng.Float64() < 0.04 {
		c.Glasses = true
	}
	return c
}

// filmRow is which row of the film lies over tissue at across. The same film is
// read from another place every time, forwards or backwards.
func (v *view) filmRow(across float32) float32 {
	if v.filmTurn < 0.5 {
		return across
	}
	return 1 - across
}

// waveAt is the cosine of k 1024ths of a turn.
func waveAt(k int) float32 { return float32(wavesOf[k&(len(wavesOf)-1)]) }
