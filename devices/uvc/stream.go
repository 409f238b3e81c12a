package uvc

import (
	"context"
	"image"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/usb"
)

// irisStream joins what the videos deliver into frames of two eyes, and keeps
// the newest for whoever asks.
type irisStream struct {
	cam    *IrisCamera
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // of one: something changed for Next

	mu     sync.Mutex
	halves [2]*shot           // by video: an eye that waits for its other
	newest *devices.IrisFrame // nobody took it yet
	spare  []*picture         // rooms of frames that nobody took
	held   *picture           // rooms of newest
	held2  *picture
	stats  devices.StreamStats
	seq    uint64
	err    error // final
	closed bool
}

var _ devices.IrisStream = (*irisStream)(nil)

func startStream(c *IrisCamera) *irisStream {
	s := &irisStream{cam: c, wake: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	for i, v := range c.eyes {
		n := 1
		if c.layout == LayoutSideBySide {
			n = 2
		}
		v.busError = func() { s.count(func(st *devices.StreamStats) { st.BusErrors++ }) }
		v.asm = assembler{
			size: v.mode.frameSize, payload: v.mode.payload,
			fresh:   func() *picture { return s.room(v.mode.width, v.mode.height, n) },
			emit:    func(sh shot) { s.deliver(i, sh) },
			damaged: func() { s.count(func(st *devices.StreamStats) { st.Damaged++ }) },
		}
		s.wg.Go(func() {
			err := v.run(ctx)
			if err == nil {
				v.halt()
				return
			}
			s.end(fail(c.name, "read frame", err))
		})
	}
	return s
}

func (s *irisStream) count(f func(*devices.StreamStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.stats)
}

// end makes an error final.
func (s *irisStream) end(err error) {
	s.mu.Lock()
	if s.err == nil {
		s.err = err
	}
	s.mu.Unlock()
	s.cancel()
	s.signal()
}

func (s *irisStream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// room takes a spare picture, or makes one.
func (s *irisStream) room(width, height, n int) *picture {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := len(s.spare); k > 0 {
		p := s.spare[k-1]
		s.spare = s.spare[:k-1]
		if p.width == width && len(p.planes) == n && p.planes[0].Rect.Dy() == height {
			return p
		}
	}
	return newPicture(width, height, n)
}

// reuse takes a picture back that nobody will see; mu is held.
func (s *irisStream) reuse(p *picture) {
	if p != nil && len(s.spare) < 4 {
		s.spare = append(s.spare, p)
	}
}

// deliver takes a whole picture from video i.
func (s *irisStream) deliver(i int, sh shot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cam.layout == LayoutSideBySide {
		left, right := sh.pic.planes[0], sh.pic.planes[1]
		if s.cam.quirks.RightEyeFirst {
			left, right = right, left
		}
		s.publish(left, right, sh.pic, nil)
		return
	}
	other := s.halves[1-i]
	if other == nil || !samePair(sh, *other) {
		s.unpaired(i)
		s.halves[i] = &sh
		return
	}
	s.unpaired(i)
	s.halves = [2]*shot{}
	pics := [2]*picture{}
	pics[i], pics[1-i] = sh.pic, other.pic
	s.publish(pics[0].planes[0], pics[1].planes[0], pics[0], pics[1])
}

// unpaired drops an eye whose other never came; mu is held.
func (s *irisStream) unpaired(i int) {
	if old := s.halves[i]; old != nil {
		s.stats.Dropped++
		s.reuse(old.pic)
		s.halves[i] = nil
	}
}

// samePair reports whether two eyes belong to one exposure: the camera's own
// time stamp says so. Without one, nothing does, and the frames are not paired.
func samePair(a, b shot) bool {
	return a.hasPTS && b.hasPTS && a.pts == b.pts
}

// publish makes a frame the newest; mu is held.
func (s *irisStream) publish(left, right *image.Gray, rooms, rooms2 *picture) {
	s.stats.Frames++
	if s.newest != nil {
		s.stats.Dropped++
		s.reuse(s.held)
		s.reuse(s.held2)
	}
	s.seq++
	s.newest = &devices.IrisFrame{Left: left, Right: right, Seq: s.seq, At: time.Now()}
	s.held, s.held2 = rooms, rooms2
	s.signal()
}

// Next implements [devices.IrisStream].
func (s *irisStream) Next(ctx context.Context) (devices.IrisFrame, error) {
	const op = "read frame"
	for {
		s.mu.Lock()
		f, err, closed := s.newest, s.err, s.closed
		if f != nil && err == nil && !closed {
			s.newest, s.held, s.held2 = nil, nil, nil
		}
		s.mu.Unlock()
		switch {
		case closed:
			return devices.IrisFrame{}, fail(s.cam.name, op, usb.ErrGone)
		case err != nil:
			s.signal()
			return devices.IrisFrame{}, err
		case f != nil:
			return *f, nil
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return devices.IrisFrame{}, &devices.Error{Device: s.cam.name, Op: op, Kind: devices.ErrStalled, Err: context.Cause(ctx)}
		}
	}
}

// Stats implements [devices.IrisStream].
func (s *irisStream) Stats() devices.StreamStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Close implements [devices.IrisStream].
func (s *irisStream) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.signal()
	s.wg.Wait()
	s.cam.ended(s)
	return nil
}
