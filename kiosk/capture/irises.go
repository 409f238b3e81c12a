// Package capture takes the best of what a device shows: a burst of frames
// until each eye is good enough, a page until it is whole. It keeps what it has
// when a device goes away in the middle, and goes on when it is back.
//
// It never decides that something poor may stand (the officer does, with a
// reason), it never stores anything, and it never talks to a bus: it sees
// cameras and scanners through package devices only.
package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"sync"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/iris/attack"
)

// Shot is the best frame of one eye so far.
type Shot struct {
	Eye      kiosk.Eye
	Image    *image.Gray
	Crop     *image.Gray // cropped to the iris, lids and sclera masked
	Template kiosk.Template
	Earlier  []kiosk.Template // by earlier engines, see [Collector.SetAlso]
	Quality  kiosk.Quality    // floor included
	At       time.Time

	seg iris.Segmentation
}

// EyeState is what is known of one eye in the frame at hand.
type EyeState struct {
	Eye      kiosk.Eye
	Present  bool
	Score    int // of this frame, 0 if it was not worth measuring
	Best     int // best so far
	Floor    int
	Guidance iris.Guidance
	Done     bool
	// Where the pupil and the iris end in this frame, in its pixels: as traced if
	// the frame could be measured, else circles. And how sharp (0 to 100) and how
	// open (0 to 1) the eye is. For drawing only, of an eye that is present.
	Pupil, Limbus       iris.Contour
	Sharpness, Openness float64
}

// Progress is reported after every frame, on the collector's goroutine: it
// must return fast.
type Progress struct {
	Frame  devices.IrisFrame
	Eyes   []EyeState
	Frames int
	// Ask is the one thing to ask of the person now, and of which eye.
	Ask    iris.Guidance
	AskEye kiosk.Eye
}

// Collector gathers the best frame of each wanted eye. It may be run again,
// with the same camera or another one, and keeps what it has. Not safe for
// concurrent use.
type Collector struct {
	floor  int
	wanted []kiosk.Eye
	lanes  map[kiosk.Eye]*lane
	frames int
}

// lane is the work on one eye; the two run side by side.
type lane struct {
	engine *iris.Engine
	burst  burst
	pupils []attack.Pupil // of the good frames
	best   *Shot          // highest score so far; once the burst is whole, what it chose
	// examined is the shot in which signs of an attack were looked for.
	examined *Shot
	state    EyeState
}

// NewCollector wants of each of the given eyes want frames (at least 1) that
// reach the floor's score and agree with each other that they show the same eye;
// it keeps the one that agrees best.
func NewCollector(eyes []kiosk.Eye, floor, want int) *Collector {
	c := &Collector{floor: floor, wanted: eyes, lanes: map[kiosk.Eye]*lane{}}
	for _, e := range eyes {
		c.lanes[e] = &lane{engine: iris.New(), burst: burst{want: max(want, 1)}, state: EyeState{Eye: e, Floor: floor}}
	}
	return c
}

// SetAlso has templates of these earlier engines extracted beside the current
// one's ([iris.Engine.SetAlso]). It counts for frames seen afterwards.
func (c *Collector) SetAlso(engines ...string) {
	for _, l := range c.lanes {
		l.engine.SetAlso(engines...)
	}
}

// Adopt takes over what another collector has of the eyes wanted here, so that
// a new run after a lost camera goes on where the last one stopped.
func (c *Collector) Adopt(old *Collector) {
	if old == nil {
		return
	}
	for e, l := range c.lanes {
		if o := old.lanes[e]; o != nil && !o.burst.done && o.state.Floor == l.state.Floor && o.burst.want == l.burst.want {
			c.lanes[e] = o
		}
	}
}

// EyeDone reports whether an eye has its burst.
func (c *Collector) EyeDone(e kiosk.Eye) bool {
	l := c.lanes[e]
	return l != nil && l.burst.done
}

// ErrNotGood means that time ran out before every eye reached its floor. What
// was best is in Best, and may be kept with a reason.
var ErrNotGood = errors.New("the eyes were not captured well enough: ask the person as shown, or keep the best with a reason")

// Best returns the best shot of an eye so far, nil if there is none. Its quality
// holds what was found of a presentation attack: signals, never a refusal.
func (c *Collector) Best(e kiosk.Eye) *Shot {
	l := c.lanes[e]
	if l == nil || l.best == nil {
		return nil
	}
	l.examine()
	return l.best
}

// examine looks for signs of a presentation attack in the best shot, once for
// each, and in the burst that it is of.
func (l *lane) examine() {
	if l.examined == l.best {
		return
	}
	l.examined = l.best
	q := &l.best.Quality
	q.Attack = attack.Examine(l.best.Image, &l.best.seg)
	if still, ok := attack.Still(l.pupils); ok {
		q.Attack = append(q.Attack, still)
	}
}

// Done reports whether every wanted eye has its burst.
func (c *Collector) Done() bool {
	for _, l := range c.lanes {
		if !l.burst.done {
			return false
		}
	}
	return true
}

// stale is how many frames of a new stream are not looked at: cameras and
// drivers buffer, and what was exposed before the run began may show the person
// who sat there before.
const stale = 2

// Run streams until every wanted eye is done (nil), the context ends
// (ErrNotGood, or the context's error when nothing was seen), or the camera
// fails (its error). progress may be nil.
func (c *Collector) Run(ctx context.Context, cam devices.IrisCamera, progress func(Progress)) error {
	if c.Done() {
		return nil
	}
	stream, err := cam.Stream(ctx)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	defer stream.Close()
	before := c.frames
	for {
		f, err := stream.Next(ctx)
		if err != nil {
			if ctx.Err() != nil && c.frames > 0 {
				return ErrNotGood
			}
			return fmt.Errorf("capture: %w", err)
		}
		if c.frames++; c.frames-before <= stale {
			continue
		}
		c.look(f)
		if progress != nil {
			progress(c.report(f))
		}
		if c.Done() {
			return nil
		}
		if ctx.Err() != nil {
			return ErrNotGood
		}
	}
}

// look works on both eyes of a frame side by side.
func (c *Collector) look(f devices.IrisFrame) {
	var wg sync.WaitGroup
	for _, e := range c.wanted {
		l, img := c.lanes[e], f.Eye(e)
		if img == nil || l.burst.done {
			l.state.Present = img != nil
			continue
		}
		wg.Go(func() { l.look(img, e, c.floor, f.At) })
	}
	wg.Wait()
	for _, l := range c.lanes {
		l.state.Done = l.burst.done
	}
}

// look measures one image, and keeps it if it is the best yet.
func (l *lane) look(img *image.Gray, e kiosk.Eye, floor int, at time.Time) {
	fb := l.engine.Feedback(img)
	l.state.Present, l.state.Guidance, l.state.Score = fb.Present, fb.Guidance, 0
	l.state.Pupil, l.state.Limbus = fb.Pupil, fb.Limbus
	l.state.Sharpness, l.state.Openness = fb.Sharpness, fb.Openness
	if !fb.Present {
		return
	}
	r, err := l.engine.Process(img, e)
	if err != nil {
		return
	}
	l.state.Pupil, l.state.Limbus = r.Segmentation.Pupil, r.Segmentation.Limbus
	score := int(r.Quality.Score)
	l.state.Score = score
	if r.Quality.Guidance != iris.GuidanceNone {
		l.state.Guidance = r.Quality.Guidance
	}
	shot := &Shot{
		Eye: e, Image: img, Template: r.Template, Earlier: r.Also, At: at,
		Quality: kiosk.Quality{Score: score, Floor: floor, Vector: vector(&r.Quality)},
	}
	if l.best == nil || score > l.best.Quality.Score {
		l.best, shot.seg = shot, r.Segmentation
		l.best.Crop = MaskedCrop(img, &r.Segmentation)
		l.state.Best = score
	}
	if score < floor {
		return
	}
	l.state.Guidance = iris.GuidanceHoldStill
	if shot.Crop == nil {
		shot.Crop = MaskedCrop(img, &r.Segmentation)
	}
	shot.seg = r.Segmentation
	l.pupils = append(l.pupils, attack.PupilOf(at, &r.Segmentation))
	if chosen := l.burst.add(shot); chosen != nil {
		l.best, l.state.Best = chosen, chosen.Quality.Score
	}
}

// report composes the progress, and picks the one sentence that helps most:
// an absent eye first, then the eye that is furthest from its floor.
func (c *Collector) report(f devices.IrisFrame) Progress {
	p := Progress{Frame: f, Frames: c.frames}
	worst := -1
	for _, e := range c.wanted {
		s := c.lanes[e].state
		p.Eyes = append(p.Eyes, s)
		if s.Done {
			continue
		}
		short := s.Floor - s.Best
		if !s.Present {
			short = 1000
		}
		if short > worst {
			worst, p.Ask, p.AskEye = short, s.Guidance, e
		}
	}
	return p
}

// PNG encodes a grey image without loss (ISO/IEC 19794-6:2011, format 0E).
func PNG(img *image.Gray) ([]byte, error) {
	var b bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := enc.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	return b.Bytes(), nil
}
