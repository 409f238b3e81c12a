package capture

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/face"
)

// Photo is one frame of a face, with what was seen in it.
type Photo struct {
	Frame   devices.FaceFrame
	Look    face.Look
	Quality kiosk.Quality // floor included
}

// FaceProgress is reported after every frame, on the collector's goroutine: it
// must return fast.
type FaceProgress struct {
	Frame  devices.FaceFrame
	Look   face.Look // of this frame, or of one at most lookEvery before it
	Score  int       // of Look
	Best   int       // best so far
	Floor  int
	Good   int // frames in a row that are good and still, of Want
	Want   int
	Frames int
	// Ask is the one thing to ask of the person now.
	Ask face.Guidance
}

// FaceCollector takes a face photo: it waits until a few frames in a row are
// good and still, and keeps the best of them. It also keeps the newest frame, so
// that an officer may take the photo by hand. It may be run again and keeps what it
// has. Not safe for concurrent use.
type FaceCollector struct {
	floor, want int
	frames      int
	last        Photo   // the newest, whatever it is worth
	seen        bool    // there is one
	best        *Photo  // highest score so far; of the run of good frames once done
	run         []Photo // good frames in a row
	done        bool
	looked      time.Time
}

// NewFaceCollector wants want frames in a row (at least 1) that reach the
// floor's score.
func NewFaceCollector(floor, want int) *FaceCollector {
	return &FaceCollector{floor: floor, want: max(want, 1)}
}

const (
	// lookEvery is the time between two frames that are looked at: a look costs
	// some 20 ms, and a person moves no faster.
	lookEvery = 90 * time.Millisecond
	// still is how far a face may move between two looks, in eye distances.
	still = 0.10
)

// Best is the best photo so far, nil if no face was seen.
func (c *FaceCollector) Best() *Photo { return c.best }

// Newest is the frame that came last, nil if none came.
func (c *FaceCollector) Newest() *Photo {
	if !c.seen {
		return nil
	}
	p := c.last
	return &p
}

// Done reports whether a good photo was taken.
func (c *FaceCollector) Done() bool { return c.done }

// ErrFaceNotGood means that time ran out before a photo reached its floor. The
// officer may take one by hand.
var ErrFaceNotGood = fmt.Errorf("the photo is not good enough yet: ask the person as shown, or take it by hand: %w", ErrNotGood)

// Run streams until a photo is good (nil), the context ends (ErrFaceNotGood, or
// the context's error when nothing was seen), or the camera fails (its error).
// progress may be nil.
func (c *FaceCollector) Run(ctx context.Context, cam devices.FaceCamera, progress func(FaceProgress)) error {
	if c.done {
		return nil
	}
	stream, err := cam.Stream(ctx)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	defer stream.Close()
	before := c.frames
	c.run, c.looked = nil, time.Time{}
	for {
		f, err := stream.Next(ctx)
		if err != nil {
			if ctx.Err() != nil && c.frames > before+stale {
				return ErrFaceNotGood
			}
			return fmt.Errorf("capture: %w", err)
		}
		if c.frames++; c.frames-before <= stale {
			continue
		}
		c.take(f)
		if progress != nil {
			progress(c.report(f))
		}
		if c.done {
			return nil
		}
		if ctx.Err() != nil {
			return ErrFaceNotGood
		}
	}
}

// take looks at a frame, unless it comes too soon after the last one.
func (c *FaceCollector) take(f devices.FaceFrame) {
	if c.seen && !c.looked.IsZero() && f.At.Sub(c.looked) < lookEvery {
		return
	}
	before := c.last
	moved := c.seen && !c.looked.IsZero()
	c.looked = f.At
	c.last, c.seen = judge(f, c.floor), true
	p := &c.last
	if p.Look.Present && (c.best == nil || p.Quality.Score > c.best.Quality.Score) {
		kept := *p
		c.best = &kept
	}
	switch {
	case p.Quality.Score < c.floor || !p.Look.Present:
		c.run = nil
		return
	case moved && len(c.run) > 0 && p.Look.Moved(&before.Look) > still:
		c.run = nil
		p.Look.Guidance = face.GuidanceHoldStill
	}
	c.run = append(c.run, *p)
	if len(c.run) >= c.want {
		c.best, c.done = choose(c.run), true
	}
}

// judge says what a frame is worth.
func judge(f devices.FaceFrame, floor int) Photo {
	l := face.Examine(f.Image)
	q := kiosk.Quality{Score: l.Score(), Floor: floor}
	if l.Present {
		q.Vector = l.Quality.Vector()
	}
	return Photo{Frame: f, Look: l, Quality: q}
}

// choose takes the best of good frames: eyes open first, then the score.
func choose(run []Photo) *Photo {
	best := run[0]
	for _, p := range run[1:] {
		open, most := p.Look.Opening >= 0.5, best.Look.Opening >= 0.5
		if open && !most || open == most && p.Quality.Score > best.Quality.Score {
			best = p
		}
	}
	return &best
}

func (c *FaceCollector) report(f devices.FaceFrame) FaceProgress {
	p := FaceProgress{Frame: f, Look: c.last.Look, Score: c.last.Quality.Score, Floor: c.floor, Good: len(c.run), Want: c.want, Frames: c.frames, Ask: c.last.Look.Guidance}
	if c.best != nil {
		p.Best = c.best.Quality.Score
	}
	return p
}

// portraitHigh is the height of the portrait that is cut out of a photo.
const portraitHigh = 480

// JPEG returns the whole frame as it is kept, and the portrait cut out of it: 3
// wide, 4 high, at most 480 pixels high. A frame that the camera compressed is kept
// as it came, if any decoder can read it.
func (p *Photo) JPEG() (whole, portrait []byte, err error) {
	whole = p.Frame.JPEG
	if len(whole) > 0 {
		if _, err := jpeg.DecodeConfig(bytes.NewReader(whole)); err != nil {
			whole = nil
		} else if _, err := jpeg.Decode(bytes.NewReader(whole)); err != nil {
			whole = nil
		}
	}
	if len(whole) == 0 {
		if whole, err = encode(p.Frame.Image, 92); err != nil {
			return nil, nil, err
		}
	}
	img := p.Frame.Image
	portrait, err = encode(face.Crop(img, p.Look.Portrait(img.Rect), portraitHigh), 88)
	return whole, portrait, err
}

func encode(img image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	return b.Bytes(), nil
}
