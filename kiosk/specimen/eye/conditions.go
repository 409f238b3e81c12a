package eye

import (
	"math"
	"math/rand/v2"
)

// Default frame size, that of a VGA iris camera.
const (
	DefaultWidth  = 640
	DefaultHeight = 480
)

// Conditions are what varies from capture to capture. Lengths in pixels are
// those of a 640 pixel wide frame and scale with the frame's width. Values out
// of range are brought into it, so every value draws something. The zero value
// is a closed eye in the dark; start from [Ordinary].
type Conditions struct {
	Seed uint64 // of noise, stray reflections and the little that lashes move

	IrisDiameter float64 // pixels; nearer is larger. 60 to 420, usually 210 to 260
	OffsetX      float64 // of the eye from the middle of the frame, pixels to the image's right
	OffsetY      float64 // pixels down
	Roll         float64 // of the head, degrees clockwise in the image, ±45
	Torsion      float64 // of the eyeball in the head, degrees clockwise in the image, ±10
	GazeX, GazeY float64 // degrees off the lens, to the image's right and down, ±40 each
	Pupil        float64 // pupil diameter over iris diameter, 0.15 to 0.8

	UpperLid float64 // 0 closed, 1 as the person holds it, up to 1.4 wide open
	LowerLid float64 // 0 raised as in a firm blink, 1 as the person holds it, up to 1.4
	Lashes   float64 // 0 none, 1 the person's own, up to 2 made up

	Speculars    int     // reflections of illuminators on the cornea, 0 to 4
	SpecularSize float64 // their diameter in pixels, 2 to 20
	Reflection   float64 // grey levels of a diffuse reflection of the surroundings, 0 to 80
	Glasses      bool    // frame and glare

	Defocus          float64 // standard deviation of defocus in pixels, 0 (sharp lens) to 15
	MotionX, MotionY float64 // way moved during exposure, pixels, ±40
	Noise            float64 // standard deviation at mid grey, grey levels, 0 to 25
	Illumination     float64 // 1 is the right exposure, 0 dark, up to 2 too bright

	// What only volunteers' captures have; 0 for none.
	Shadow float64 // of lashes and upper lid on the eye, 0 to 1.5
	Uneven float64 // how much brighter one side of the eye is than the other, 0 to 1
	Film   float64 // what tear film and cornea lay over a volunteer's iris, 1 as a rule, up to 4

	frame uint64 // tells the frames of a scene apart: other noise, all else the same
}

// Ordinary is a good capture: open eye, looking at the lens, in focus.
func Ordinary() Conditions {
	return Conditions{
		IrisDiameter: 235, Pupil: 0.40, UpperLid: 1, LowerLid: 1, Lashes: 1,
		Speculars: 2, SpecularSize: 7, Noise: 2, Illumination: 1,
	}
}

// RandomConditions returns what an attended camera with a person who means well
// delivers: mostly good captures of varying dilation, gaze, roll and distance,
// and about one in ten that is of no use, because of a blink, a look
// elsewhere, blur, movement or an eye half out of the picture. Deterministic in rng.
func RandomConditions(rng *rand.Rand) Conditions {
	c := GoodConditions(rng)
	if rng.Float64() < 0.095 {
		spoil(&c, rng)
	}
	return c
}

func between(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

func normalIn(rng *rand.Rand, mean, deviation, lo, hi float64) float64 {
	return min(max(mean+deviation*rng.NormFloat64(), lo), hi)
}

// GoodConditions are [RandomConditions] without those of no use. Deterministic
// in rng.
func GoodConditions(rng *rand.Rand) Conditions {
	c := Conditions{
		Seed:         rng.Uint64(),
		IrisDiameter: between(rng, 212, 258),
		OffsetX:      normalIn(rng, 0, 14, -34, 34),
		OffsetY:      normalIn(rng, 0, 11, -28, 28),
		Roll:         normalIn(rng, 0, 2.2, -7, 7),
		Torsion:      normalIn(rng, 0, 0.8, -2.5, 2.5),
		GazeX:        normalIn(rng, 0, 2.5, -8, 8),
		GazeY:        normalIn(rng, 0, 2.0, -6, 6),
		Pupil:        normalIn(rng, 0.41, 0.055, 0.27, 0.56),
		UpperLid:     normalIn(rng, 0.98, 0.09, 0.74, 1.2),
		LowerLid:     normalIn(rng, 1.0, 0.08, 0.75, 1.2),
		Lashes:       normalIn(rng, 1, 0.2, 0.4, 1.8),
		Speculars:    1 + rng.IntN(3),
		SpecularSize: between(rng, 6, 14),
		Defocus:      between(rng, 0.4, 2.2),
		Noise:        between(rng, 2, 5),
		Illumination: normalIn(rng, 1, 0.08, 0.75, 1.2),
	}
	if rng.Float64() < 0.3 {
		c.Reflection = between(rng, 3, 16)
	}
	if rng.Float64() < 0.35 {
		a, l := between(rng, 0, 2*math.Pi), between(rng, 0.5, 3.5)
		c.MotionX, c.MotionY = l*math.Cos(a), l*math.Sin(a)
	}
	if rng.Float64() < 0.06 {
		c.Glasses = true
	}
	return c
}

// spoil makes a capture useless in one of the ways captures are.
func spoil(c *Conditions, rng *rand.Rand) {
	switch rng.IntN(8) {
	case 0, 1, 2, 3: // blink
		c.UpperLid = between(rng, 0, 0.2)
		c.LowerLid = between(rng, 0.5, 0.9)
	case 4: // out of focus
		c.Defocus = between(rng, 11, 15)
	case 5: // looking elsewhere
		c.GazeX = between(rng, 33, 40)
		if rng.Float64() < 0.5 {
			c.GazeX = -c.GazeX
		}
		c.GazeY = between(rng, -8, 18)
		c.UpperLid *= between(rng, 0.6, 0.9)
	case 6: // moving
		a, l := between(rng, 0, 2*math.Pi), between(rng, 28, 40)
		c.MotionX, c.MotionY = l*math.Cos(a), l*math.Sin(a)
		c.Defocus = between(rng, 3, 5)
	case 7: // half out of the picture
		c.OffsetX = between(rng, 290, 350)
		if rng.Float64() < 0.5 {
			c.OffsetX = -c.OffsetX
		}
	}
}

// bounded returns c with every value in its range; NaN becomes the lower bound.
func (c Conditions) bounded() Conditions {
	bound := func(v *float64, lo, hi float64) {
		if !(*v >= lo) {
			*v = lo
		} else if *v > hi {
			*v = hi
		}
	}
	bound(&c.IrisDiameter, 60, 420)
	bound(&c.OffsetX, -400, 400)
	bound(&c.OffsetY, -300, 300)
	bound(&c.Roll, -45, 45)
	bound(&c.Torsion, -10, 10)
	bound(&c.GazeX, -40, 40)
	bound(&c.GazeY, -40, 40)
	bound(&c.Pupil, 0.15, 0.8)
	bound(&c.UpperLid, 0, 1.4)
	bound(&c.LowerLid, 0, 1.4)
	bound(&c.Lashes, 0, 2)
	bound(&c.SpecularSize, 2, 20)
	bound(&c.Reflection, 0, 80)
	bound(&c.Shadow, 0, 1.5)
	bound(&c.Uneven, 0, 1)
	bound(&c.Film, 0, 4)
	bound(&c.Defocus, 0, 15)
	bound(&c.MotionX, -40, 40)
	bound(&c.MotionY, -40, 40)
	bound(&c.Noise, 0, 25)
	bound(&c.Illumination, 0, 2)
	c.Speculars = min(max(c.Speculars, 0), 4)
	return c
}
