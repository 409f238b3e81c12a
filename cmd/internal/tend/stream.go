package tend

import (
	"context"
	"errors"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/kiosk/health"
)

// openIris opens an iris camera and counts what its streams do.
func (m *Meter) openIris(ctx context.Context, port string) (devices.IrisCamera, place, error) {
	c, at, err := opened(ctx, m, devices.KindIrisCamera, port, discover.Device.OpenIris)
	if err != nil {
		return nil, at, err
	}
	counted := &meteredIris{c, m, at}
	if a, ok := c.(devices.Adjustable); ok {
		return adjustableIris{counted, a}, at, nil
	}
	return counted, at, nil
}

// openFace does the same of a face camera.
func (m *Meter) openFace(ctx context.Context, port string) (devices.FaceCamera, place, error) {
	c, at, err := opened(ctx, m, devices.KindFaceCamera, port, discover.Device.OpenFace)
	if err != nil {
		return nil, at, err
	}
	counted := &meteredFace{c, m, at}
	if a, ok := c.(devices.Adjustable); ok {
		return adjustableFace{counted, a}, at, nil
	}
	return counted, at, nil
}

// What a camera or a stream can do besides, it can do when it is counted, too.
type (
	adjustableIris struct {
		devices.IrisCamera
		devices.Adjustable
	}
	adjustableFace struct {
		devices.FaceCamera
		devices.Adjustable
	}
	stillStream struct {
		devices.FaceStream
		devices.StillTaker
	}
)

type meteredIris struct {
	devices.IrisCamera
	m  *Meter
	at place
}

func (c *meteredIris) Stream(ctx context.Context) (devices.IrisStream, error) {
	s, err := c.IrisCamera.Stream(ctx)
	if c.m.begun(c.at, err); err != nil {
		return nil, err
	}
	return &meteredStream[devices.IrisFrame]{stream: s, done: func(f devices.IrisFrame) time.Time { return f.At }, m: c.m, at: c.at}, nil
}

type meteredFace struct {
	devices.FaceCamera
	m  *Meter
	at place
}

func (c *meteredFace) Stream(ctx context.Context) (devices.FaceStream, error) {
	s, err := c.FaceCamera.Stream(ctx)
	if c.m.begun(c.at, err); err != nil {
		return nil, err
	}
	counted := &meteredStream[devices.FaceFrame]{stream: s, done: func(f devices.FaceFrame) time.Time { return f.At }, m: c.m, at: c.at}
	if t, ok := s.(devices.StillTaker); ok {
		return stillStream{counted, t}, nil
	}
	return counted, nil
}

// begun notes how a stream began; it has no rate yet.
func (m *Meter) begun(at place, err error) {
	m.failed(at, err)
	m.mu.Lock()
	defer m.mu.Unlock()
	k := &m.at(at).stream
	k.Rate, k.Latency = 0, 0
}

// stream is devices.IrisStream and devices.FaceStream, by the frames they give.
type stream[F any] interface {
	Next(ctx context.Context) (F, error)
	Stats() devices.StreamStats
	Close() error
}

// meteredStream counts. Next is called by one goroutine at a time.
type meteredStream[F any] struct {
	stream[F]
	done func(F) time.Time // when a frame was complete
	m    *Meter
	at   place

	mu     sync.Mutex
	frames rate
	late   time.Duration
	before devices.StreamStats // what was added to the meter so far
	noted  time.Time
	lost   int // not yet noted
}

func (s *meteredStream[F]) Next(ctx context.Context) (F, error) {
	f, err := s.stream.Next(ctx)
	if err == nil {
		at := s.done(f)
		s.mu.Lock()
		s.frames.add(at)
		s.late = max(s.late*9/10, time.Since(at))
		s.mu.Unlock()
	} else if !errors.Is(err, devices.ErrGone) && ctx.Err() == nil {
		s.m.failed(s.at, err)
	}
	s.add(false)
	return f, err
}

// Close ends the stream.
func (s *meteredStream[F]) Close() error {
	s.add(true)
	return s.stream.Close()
}

// add adds what happened since the last call to what is known of the device, and
// notes losses, at most every ten seconds and at the end.
func (s *meteredStream[F]) add(last bool) {
	st := s.Stats()
	s.mu.Lock()
	frames := s.frames.perSecond()
	lost := int(st.Damaged-s.before.Damaged) + int(st.BusErrors-s.before.BusErrors)
	s.lost += lost
	note := 0
	if s.lost > 0 && (last || time.Since(s.noted) > 10*time.Second) {
		note, s.lost, s.noted = s.lost, 0, time.Now()
	}
	before, late := s.before, s.late
	s.before = st
	s.mu.Unlock()

	s.m.mu.Lock()
	k := &s.m.at(s.at).stream
	k.Frames += st.Frames - before.Frames
	k.Dropped += st.Dropped - before.Dropped
	k.Damaged += st.Damaged - before.Damaged
	k.BusErrors += st.BusErrors - before.BusErrors
	if frames > 0 {
		k.Rate, k.Latency = frames, late
	}
	if st.Frames > before.Frames {
		k.At = time.Now()
	}
	if lost > 0 {
		k.Lost = time.Now()
	}
	s.m.mu.Unlock()
	if note > 0 && s.m.journal != nil {
		s.m.journal.Note(health.Note{Kind: health.NoteLost, Part: s.at.part, Port: s.at.port, Function: s.at.function, Count: note}) // best effort: the figure stays in memory
	}
}

// rateOver is how long frames are counted for a rate.
const rateOver = 2 * time.Second

// rate counts frames over a short while.
type rate struct {
	times []time.Time // of whole frames, of late
	gap   bool        // the last two are further apart than that
}

// add counts a frame. One gap longer than the while is a pause, of this machine or
// of whoever takes the frames, and counting begins anew after it; two in a row are
// a camera that is slow.
func (r *rate) add(at time.Time) {
	n := len(r.times)
	gap := n > 0 && at.Sub(r.times[n-1]) > rateOver
	if gap && !r.gap {
		r.times = r.times[:0]
	}
	r.gap = gap
	r.times = append(r.times, at)
	for len(r.times) > 2 && at.Sub(r.times[0]) > rateOver {
		r.times = r.times[1:]
	}
}

// perSecond is the rate, 0 where it is not known.
func (r *rate) perSecond() float64 {
	n := len(r.times)
	if n < 2 {
		return 0
	}
	return float64(n-1) / r.times[n-1].Sub(r.times[0]).Seconds()
}
