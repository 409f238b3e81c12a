package uvc

import (
	"context"
	"image"
	"sync"

	"tambo/devices"
)

// irisShot is a frame of two eyes with the rooms that it stands in.
type irisShot struct {
	frame devices.IrisFrame
	rooms [2]*greyPicture // by video; one where both eyes are in one frame
}

// irisStream joins what the videos deliver into frames of two eyes.
type irisStream struct {
	outlet[irisShot]
	cam   *IrisCamera
	pools [2]*pool

	pair   sync.Mutex
	halves [2]*shot // by video: an eye that waits for its other
}

var _ devices.IrisStream = (*irisStream)(nil)

func startStream(c *IrisCamera) *irisStream {
	s := &irisStream{cam: c}
	ctx, cancel := context.WithCancel(context.Background())
	s.outlet = newOutlet(c.name, s.reuse, cancel)
	n := 1
	if c.layout == LayoutSideBySide {
		n = 2
	}
	for i, v := range c.videos {
		p := &pool{fresh: func() picture { return newPicture(v.mode, n) }}
		s.pools[i] = p
		v.asm = newAssembler(v.mode, v.fn.ClockHz)
		v.asm.fresh = p.get
		v.asm.emit = func(sh shot) { s.deliver(i, sh) }
		s.run(ctx, v)
	}
	return s
}

// reuse takes the pictures back of a frame that nobody saw.
func (s *irisStream) reuse(f irisShot) {
	for i, r := range f.rooms {
		if r != nil {
			s.pools[i].put(r)
		}
	}
}

// deliver takes a whole picture from video i.
func (s *irisStream) deliver(i int, sh shot) {
	if s.cam.layout == LayoutSideBySide {
		g := sh.pic.(*greyPicture)
		left, right := g.planes[0], g.planes[1]
		if s.cam.quirks.RightEyeFirst {
			left, right = right, left
		}
		s.show(left, right, [2]*greyPicture{g}, sh)
		return
	}
	s.pair.Lock()
	defer s.pair.Unlock()
	other := s.halves[1-i]
	s.unpaired(i)
	if other == nil || !samePair(sh, *other) {
		s.halves[i] = &sh
		return
	}
	s.halves = [2]*shot{}
	var rooms [2]*greyPicture
	rooms[i], rooms[1-i] = sh.pic.(*greyPicture), other.pic.(*greyPicture)
	s.show(rooms[0].planes[0], rooms[1].planes[0], rooms, sh)
}

// unpaired drops an eye whose other never came; pair is held.
func (s *irisStream) unpaired(i int) {
	if old := s.halves[i]; old != nil {
		s.Count(func(st *devices.StreamStats) { st.Dropped++ })
		s.pools[i].put(old.pic)
		s.halves[i] = nil
	}
}

// samePair reports whether two eyes belong to one exposure: the camera's own
// time stamp says so. Without one, nothing does, and the frames are not paired.
func samePair(a, b shot) bool {
	return a.hasPTS && b.hasPTS && a.pts == b.pts
}

func (s *irisStream) show(left, right *image.Gray, rooms [2]*greyPicture, sh shot) {
	s.Publish(func(seq uint64) irisShot {
		return irisShot{devices.IrisFrame{Left: left, Right: right, Seq: seq, At: sh.at, Exposed: sh.exposed}, rooms}
	})
}

// Next implements [devices.IrisStream].
func (s *irisStream) Next(ctx context.Context) (devices.IrisFrame, error) {
	f, err := s.outlet.Next(ctx)
	return f.frame, err
}

// Close implements [devices.IrisStream].
func (s *irisStream) Close() error {
	s.Shut()
	s.cam.ended(s)
	return nil
}
