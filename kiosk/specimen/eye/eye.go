// Package eye generates near-infrared images of human eyes for tests, the
// demonstration and training.
//
// A [Person] is a seed: it has two irises that differ from each other and from
// everybody else's, eyelids, lashes and skin. [Conditions] say what varies from
// one capture to the next: dilation, gaze, roll, lids, reflections, blur,
// noise, distance. [Draw] makes one 8-bit image of the two together, [TruthOf]
// says where pupil, iris and visible iris really are in it, and a [Scene] is
// the same person in front of a live camera. Illumination is that of the
// near-infrared iris cameras which ISO/IEC 19794-6 and 29794-6 speak of: bright
// skin and sclera, mid-grey iris, dark pupil with the illuminators' reflection.
//
// There are two populations. [NewPerson] with [GoodConditions], [RandomConditions]
// or a [Scene] is somebody at an attended kiosk, who is asked to open their eyes
// and of whom the best of many frames is kept: for the demonstration, training
// and tests of the product. [NewVolunteer] with [StudyConditions] is what research
// sets hold, lids and lashes before the iris, shadow, little contrast: for tests
// that guard what the engine is worth.
//
// The package never reads an image of a real person. The ranges of the first were
// chosen by eye; those of the second were set as plain numbers against statistics
// of research sets. How strongly captures of one eye differ was then set so that
// their Hamming distances lie where those of real captures do. So results measured
// on these eyes say how the software behaves and nothing about accuracy on people.
// The package never takes part in a real enrolment; cmd/tambo does not link it.
//
// Everything here is a pure function of its arguments, except that textures are
// computed once per person and kept, and that a [Scene] remembers how wide its
// pupils are.
package eye

import (
	"sync"

	"tambo/kiosk"
)

// Person is somebody who does not exist. The zero Person is NewPerson(0)
// without the kept textures (every Draw computes them again); copies of a
// Person share them. Safe for concurrent use.
type Person struct {
	seed  uint64
	study bool // a volunteer, see study.go
	kept  *[2]keptAnatomy
}

type keptAnatomy struct {
	once sync.Once
	a    *anatomy
}

// NewPerson returns the person with that seed, always the same one. Right and
// left iris are as unlike as those of two strangers; lids, lashes and skin are
// similar, as they are in people.
func NewPerson(seed uint64) Person {
	return Person{seed: seed, kept: new([2]keptAnatomy)}
}

// Seed returns the number that the person was made from.
func (p Person) Seed() uint64 { return p.seed }

// anatomy returns the person's eye with its textures. EyeUnknown is drawn as
// the right one.
func (p Person) anatomy(e kiosk.Eye) *anatomy {
	if p.kept == nil {
		return newAnatomy(p.seed, e, p.study)
	}
	k := &p.kept[0]
	if e == kiosk.EyeLeft {
		k = &p.kept[1]
	}
	k.once.Do(func() { k.a = newAnatomy(p.seed, e, p.study) })
	return k.a
}

// anatomy is what stays the same between captures of one eye. Lengths are in
// iris radii. The coordinate system of the eye has its origin at the centre of
// the iris when the eye looks straight ahead, x towards the nose, y down.
type anatomy struct {
	seed uint64

	pupilX, pupilY float32    // centre of the pupil against that of the iris
	pupilShape     [4]float32 // cosine and sine amplitudes of the 2nd and 3rd harmonic, of its radius
	limbusWidth    float32    // how wide the transition from iris to sclera is
	limbusWave     [2]float32 // ovality of the limbus
	pupilGrey      float32
	scleraGrey     float32
	iris, folds    irisTexture
	study          *studyTraits // of a volunteer
	vessels        []uint8      // vesselSize², darkness of the sclera's vessels

	lid  lidShape
	lash lashStyle
	skin []uint8 // plateW × plateH, see plate.go
}

func newAnatomy(seed uint64, e kiosk.Eye, study bool) *anatomy {
	if study {
		seed = mix(seed, 0x57d7)
	}
	side := uint64(1)
	if e == kiosk.EyeLeft {
		side = 2
	}
	face := newRNG(seed, 0xface)       // the same for both eyes
	own := newRNG(seed, 0xe1e<<8|side) // this eye's
	a := &anatomy{seed: mix(seed, 0x5eed<<8|side)}

	a.pupilX = own.between(0.01, 0.05)
	a.pupilY = own.between(-0.03, 0.02)
	for i := range a.pupilShape {
		a.pupilShape[i] = own.between(-0.012, 0.012)
	}
	a.limbusWidth = face.between(0.045, 0.085)
	a.limbusWave = [2]float32{own.between(-0.012, 0.012), own.between(-0.008, 0.008)}
	a.pupilGrey = face.between(7, 20)
	a.scleraGrey = face.between(172, 212)

	a.lid = newLidShape(&face, &own)
	a.lash = newLashStyle(&face)
	tone := newIrisTone(&face)
	if !study {
		a.iris = newIrisTexture(newRNG(seed, 0x1815<<8|side), tone)
		a.folds = newIrisFolds(newRNG(seed, 0xf01d<<8|side), tone)
	}
	a.vessels = newVessels(newRNG(seed, 0x7e55<<8|side))
	a.skin = newSkinPlate(newRNG(seed, 0x5c1), newRNG(seed, 0x5c12<<8|side), &a.lid)
	if study {
		a.volunteer(seed, side)
	}
	return a
}
