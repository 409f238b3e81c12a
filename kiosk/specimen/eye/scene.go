package eye

import (
	"image"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"tambo/kiosk"
)

// Scene is one visit of a person to a camera: eyes that blink, wander, come in
// and out of focus, and whose pupils follow the light slowly. Safe for
// concurrent use.
type Scene struct {
	person Person
	seed   uint64
	base   [2]Conditions // right, left
	width  int
	height int

	mu      sync.Mutex
	seen    bool
	last    time.Duration
	adapted float64 // the illumination that the pupils have got used to
}

// NewScene returns the person's visit with that number. Visits differ in
// distance, head position, dilation, lids and reflections, as captures of
// different days do; the same numbers always make the same visit.
func NewScene(p Person, visit uint64) *Scene {
	seed := mix(p.seed, mix(visit, 0x7151))
	rng := rand.New(rand.NewPCG(seed, 0x5ce9e))
	s := &Scene{person: p, seed: seed, width: DefaultWidth, height: DefaultHeight}
	both := GoodConditions(rng)
	both.Pupil = 0.41 + 0.6*(both.Pupil-0.41) // the light at a kiosk is nearly the same every day
	both.GazeX, both.GazeY, both.MotionX, both.MotionY = 0.4*both.GazeX, 0.4*both.GazeY, 0, 0
	for i := range s.base {
		own := GoodConditions(rng)
		c := both
		c.Seed = own.Seed
		c.OffsetX, c.OffsetY = 0.6*own.OffsetX, 0.6*own.OffsetY
		c.Torsion = own.Torsion
		c.Pupil += 0.1 * (own.Pupil - c.Pupil)
		s.base[i] = c
	}
	return s
}

// Frame returns what the camera sees of one eye at time t after the visit
// began, 640 × 480. illumination is the camera's setting: 1 is right, 0 dark,
// 2 too bright; less light widens the pupils over a second or two. Call it with
// times that do not run backwards: the pupils remember the light between calls,
// so only the same sequence of calls gives the same frames.
func (s *Scene) Frame(e kiosk.Eye, t time.Duration, illumination float64) *image.Gray {
	return Draw(s.person, e, s.At(e, t, illumination), s.width, s.height)
}

// At returns the conditions that Frame draws, for tests that need the truth of
// a frame. It counts as a call of Frame.
func (s *Scene) At(e kiosk.Eye, t time.Duration, illumination float64) Conditions {
	illumination = min(max(illumination, 0), 2)
	adapted := s.adapt(t, illumination)
	side := 0
	if e == kiosk.EyeLeft {
		side = 1
	}
	c := s.base[side]
	sec := t.Seconds()

	gx, gy := s.gaze(sec)
	c.GazeX += gx
	c.GazeY += gy
	c.UpperLid *= s.lids(sec) * (1 + 0.02*s.sway(sec, 7, 0.31))
	c.LowerLid *= 0.8 + 0.2*s.lids(sec)
	c.OffsetX += 5 * s.sway(sec, 1, 0.23)
	c.OffsetY += 4 * s.sway(sec, 2, 0.19)
	c.Roll += 0.8 * s.sway(sec, 3, 0.11)
	near := s.sway(sec, 4, 0.13)
	c.IrisDiameter *= 1 + 0.02*near
	c.Defocus = c.Defocus*0.5 + 0.9*near*near
	c.Pupil += 0.10*(1-adapted) + 0.008*s.sway(sec, 5, 0.6) + 0.006*s.sway(sec, 6, 1.1)

	// what moves during an exposure of 8 ms is smeared
	const exposure = 0.008
	bx, by := s.gaze(sec + exposure)
	perDegree := c.IrisDiameter / 2 * rotationArm * math.Pi / 180
	c.MotionX, c.MotionY = (bx-gx)*perDegree, (by-gy)*perDegree

	c.Noise += 2.5 * max(0, 1-illumination)
	c.Illumination *= illumination
	c.frame = mix(uint64(t), uint64(side)+1)
	return c
}

// adapt lets the pupils follow the light with a time constant of 1.2 s.
func (s *Scene) adapt(t time.Duration, illumination float64) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.seen {
		s.seen, s.last, s.adapted = true, t, illumination
	}
	if dt := (t - s.last).Seconds(); dt > 0 {
		s.adapted += (illumination - s.adapted) * (1 - math.Exp(-dt/1.2))
		s.last = t
	}
	return s.adapted
}

// sway is slow irregular movement between about −1 and 1; n tells movements of
// one scene apart, hertz is the main frequency.
func (s *Scene) sway(sec float64, n uint64, hertz float64) float64 {
	r := newRNG(s.seed, 0x5a<<8|n)
	a, b := float64(r.f()), float64(r.f())
	return 0.65*math.Sin(2*math.Pi*(hertz*sec+a)) + 0.35*math.Sin(2*math.Pi*(1.73*hertz*sec+b))
}

// Rhythm of fixations and blinks, seconds.
const (
	fixationEvery = 0.9
	blinkEvery    = 3.6
	saccadeTime   = 0.045
)

// gaze is where the eyes look: small jumps from fixation to fixation, now and
// then a glance away, and a slow drift. Degrees.
func (s *Scene) gaze(sec float64) (x, y float64) {
	i := math.Floor(sec / fixationEvery)
	ax, ay, _ := s.fixation(i - 1)
	bx, by, at := s.fixation(i)
	f := (sec - i*fixationEvery - at) / saccadeTime
	f = min(max(f, 0), 1)
	f = f * f * (3 - 2*f)
	return ax + (bx-ax)*f + 0.25*s.sway(sec, 8, 0.9), ay + (by-ay)*f + 0.2*s.sway(sec, 9, 0.8)
}

// fixation is the i-th place that is looked at, and when in its interval the
// eyes jump there.
func (s *Scene) fixation(i float64) (x, y, at float64) {
	r := newRNG(s.seed, 0xf1<<40|uint64(int64(i))&0xffffffffff)
	x, y = 1.3*float64(r.normal()), 1.0*float64(r.normal())
	at = float64(r.between(0.1, 0.7)) * fixationEvery
	if r.f() < 0.07 { // a glance at the officer
		x, y = float64(r.between(14, 24)), float64(r.between(-6, 6))
		if r.f() < 0.5 {
			x = -x
		}
	}
	return x, y, at
}

// lids is how far the lids are open, 0 to 1: one blink in every interval, of a
// third of a second.
func (s *Scene) lids(sec float64) float64 {
	i := math.Floor(sec / blinkEvery)
	r := newRNG(s.seed, 0xb1<<40|uint64(int64(i))&0xffffffffff)
	at := float64(r.between(0.3, blinkEvery-0.8))
	const closing, shut, opening = 0.09, 0.05, 0.18
	d := sec - i*blinkEvery - at
	switch {
	case d < 0 || d > closing+shut+opening:
		return 1
	case d < closing:
		f := d / closing
		return 1 - f*f*(3-2*f)
	case d < closing+shut:
		return 0
	}
	f := (d - closing - shut) / opening
	return f * f * (3 - 2*f)
}
