package uvc

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/internal/mjpeg"
	"tambo/devices/usb"
)

// FaceCamera is an opened face camera: one streaming interface of a device.
type FaceCamera struct{ camera[*faceStream] }

var _ devices.FaceCamera = (*FaceCamera)(nil)

// OpenFace opens the face camera at a port of a bus and claims its streaming
// interface: number, or the first with a colour format where number is 0. Errors
// are [devices.Error].
func OpenFace(ctx context.Context, bus usb.Bus, port string, number int) (*FaceCamera, error) {
	c := &FaceCamera{}
	if err := c.open(ctx, bus, port, devices.KindFaceCamera, func(ctx context.Context) error { return c.prepare(ctx, number) }); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *FaceCamera) prepare(ctx context.Context, number int) error {
	var err error
	for i := 0; number == 0 && i < len(c.dev.fns); i++ {
		number, err = c.dev.fns[i].Face()
	}
	if number == 0 {
		return err
	}
	c.videos, err = c.dev.claim(ctx, []int{number}, Streaming.colourModes)
	return err
}

// eye is its only video.
func (c *FaceCamera) eye() *video { return c.videos[0] }

// Face finds the streaming interface that a face camera would use of a function;
// where there is none, number is 0 and the error says why not.
func (f *Function) Face() (number int, err error) {
	err = fmt.Errorf("%w: no streaming interface", errUnsupported)
	for _, s := range f.Streams {
		if _, err = s.colourModes(); err == nil {
			return s.Number, nil
		}
	}
	return 0, err
}

// Stream implements [devices.FaceCamera].
func (c *FaceCamera) Stream(ctx context.Context) (devices.FaceStream, error) {
	s, err := c.begin(ctx, func() *faceStream { return startFace(c) })
	if err != nil {
		return nil, err
	}
	return s, nil
}

// faceShot is a whole frame that nobody took yet.
type faceShot struct {
	pic picture
	seq uint64
	at  time.Time
	exp time.Time
}

// faceStream delivers colour frames. What is compressed is checked when it
// arrives and decoded when somebody takes it.
type faceStream struct {
	outlet[faceShot]
	cam    *FaceCamera
	stills sync.Mutex      // one at a time
	over   <-chan struct{} // closed when the stream ends
}

var _ devices.FaceStream = (*faceStream)(nil)

func startFace(c *FaceCamera) *faceStream {
	s := &faceStream{cam: c}
	ctx, cancel := context.WithCancel(context.Background())
	s.over = ctx.Done()
	v := c.eye()
	p := &pool{fresh: func() picture { return newPicture(v.mode, 1) }}
	s.outlet = newOutlet(c.name, func(f faceShot) { p.put(f.pic) }, cancel)
	v.asm = newAssembler(v.mode, v.fn.ClockHz)
	v.asm.fresh = p.get
	v.asm.emit = func(sh shot) { s.deliver(p, sh) }
	s.run(ctx, v)
	return s
}

func (s *faceStream) deliver(p *pool, sh shot) {
	if j, ok := sh.pic.(*jpegPicture); ok {
		whole, err := mjpeg.Check(j.data, s.cam.eye().mode.width, s.cam.eye().mode.height)
		if err != nil {
			s.Count(func(st *devices.StreamStats) { st.Damaged++ })
			p.put(j)
			return
		}
		j.data = whole
	}
	s.Publish(func(seq uint64) faceShot { return faceShot{sh.pic, seq, sh.at, sh.exposed} })
}

// Next implements [devices.FaceStream].
func (s *faceStream) Next(ctx context.Context) (devices.FaceFrame, error) {
	for {
		f, err := s.outlet.Next(ctx)
		if err != nil {
			return devices.FaceFrame{}, err
		}
		out := devices.FaceFrame{Seq: f.seq, At: f.at, Exposed: f.exp}
		switch p := f.pic.(type) {
		case yuy2Picture:
			out.Image = p.img
		case nv12Picture:
			out.Image = p.img
		case *jpegPicture:
			if out.Image, out.JPEG, err = mjpeg.Decode(p.data); err != nil {
				s.Count(func(st *devices.StreamStats) { st.Frames--; st.Damaged++ })
				continue
			}
		}
		return out, nil
	}
}

// Close implements [devices.FaceStream].
func (s *faceStream) Close() error {
	s.Shut()
	s.cam.ended(s)
	return nil
}
