package portrait

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Moods are how a person sits before the camera.
var Moods = []string{"good", "near", "far", "off", "tilted", "aside", "dark", "side light", "blurred", "restless", "two", "nobody"}

// Mood returns the conditions of a mood; an error for one that is not of Moods.
func Mood(name string) (Conditions, error) {
	c := Good()
	switch name {
	case "good":
	case "near":
		c.Head, c.Y = 1.02, 0.50
	case "far":
		c.Head, c.Y = 0.26, 0.40
	case "off":
		c.X = 0.10
	case "tilted":
		c.Roll = 16
	case "aside":
		c.Yaw = 32
	case "dark":
		c.Light = 0.16
	case "side light":
		c.Side = 1.9
	case "blurred":
		c.Blur = 14
	case "restless":
		c.Motion = 22
	case "two":
		c.Second = true
		c.X = 0.40
	case "nobody":
		c.Nobody = true
	default:
		return c, fmt.Errorf("mood %q: one of %q", name, Moods)
	}
	return c, nil
}

// Scene is a person before a live camera, for one visit: they sway, turn and
// blink a little. Safe for concurrent use.
type Scene struct {
	person Person
	base   Conditions
	seed   uint64

	mu     sync.Mutex
	w, h   int
	ground *image.RGBA
	plates []kept
}

// kept is a plate that may be wanted again: a head turns to and fro.
type kept struct {
	yaw  int
	shut bool
	*plate
}

const keptPlates = 8

// NewScene seats a person in a mood. The visit's number varies how they sit.
func NewScene(p Person, visit uint64, c Conditions) *Scene {
	s := &Scene{person: p, base: c, seed: p.seed*0x9e3779b97f4a7c15 + visit}
	r := rand.New(rand.NewPCG(s.seed, 0x5e47))
	s.base.X += 0.03 * (r.Float64() - 0.5)
	s.base.Y += 0.03 * (r.Float64() - 0.5)
	s.base.Head *= 0.97 + 0.06*r.Float64()
	s.base.Roll += 3 * (r.Float64() - 0.5)
	s.base.Seed = s.seed
	return s
}

// At is how the person sits at a time since the visit began.
func (s *Scene) At(t time.Duration) Conditions {
	c, sec := s.base, t.Seconds()
	move := 1.0
	if c.Motion > 0 {
		move = 9
	}
	c.X += move * 0.004 * s.sway(sec, 1, 0.21)
	c.Y += move * 0.003 * s.sway(sec, 2, 0.17)
	c.Roll += 0.7 * s.sway(sec, 3, 0.13)
	c.Yaw += 2.5 * s.sway(sec, 4, 0.11)
	c.Shut = s.blinks(sec)
	c.Seed = s.seed ^ uint64(t)
	return c
}

// Frame draws the picture at a time, in a size from 320×240 up. The picture
// belongs to the caller.
func (s *Scene) Frame(t time.Duration, w, h int) *image.RGBA {
	c := s.At(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ground == nil || s.w != w || s.h != h {
		s.w, s.h, s.plates = w, h, nil
		s.ground = image.NewRGBA(image.Rect(0, 0, w, h))
		wall(s.ground, s.seed)
		if c.Second {
			o := s.base
			o.Noise, o.Blur, o.Motion, o.Light = 0, 0, 0, 1
			s.ground = Draw(s.person, w, h, o) // the first person is drawn over themself
		}
	}
	img := image.NewRGBA(s.ground.Rect)
	copy(img.Pix, s.ground.Pix)
	if !c.Nobody {
		place(img, s.plate(c), c)
	}
	expose(img, c)
	return img
}

// plate draws the person, or finds the drawing; turns are in steps of a degree.
func (s *Scene) plate(c Conditions) *plate {
	yaw := int(math.Round(c.Yaw))
	i := slices.IndexFunc(s.plates, func(k kept) bool { return k.yaw == yaw && k.shut == c.Shut })
	if i < 0 {
		if len(s.plates) == keptPlates {
			s.plates = s.plates[1:]
		}
		c.Yaw = float64(yaw)
		s.plates = append(s.plates, kept{yaw, c.Shut, newPlate(s.person, s.h, c)})
		i = len(s.plates) - 1
	}
	return s.plates[i].plate
}

// sway is slow irregular movement between about −1 and 1.
func (s *Scene) sway(sec float64, n uint64, hertz float64) float64 {
	r := rand.New(rand.NewPCG(s.seed, n))
	a, b := r.Float64(), r.Float64()
	return 0.65*math.Sin(2*math.Pi*(hertz*sec+a)) + 0.35*math.Sin(2*math.Pi*(1.73*hertz*sec+b))
}

// blinks reports whether the eyes are shut: a sixth of a second every few.
func (s *Scene) blinks(sec float64) bool {
	const every, shut = 3.7, 0.17
	i := math.Floor(sec / every)
	at := rand.New(rand.NewPCG(s.seed, 0xb11^uint64(i))).Float64() * (every - shut)
	d := sec - i*every - at
	return d >= 0 && d < shut
}
