package v4l2

import (
	"context"
	"fmt"
	"image"
	"time"

	"tambo/devices"
	"tambo/devices/internal/latest"
	"tambo/devices/internal/mjpeg"
)

// FaceCamera is a face camera that the kernel keeps. It implements
// [devices.FaceCamera].
type FaceCamera struct{ camera }

var _ devices.FaceCamera = (*FaceCamera)(nil)

// OpenFace opens the camera at a USB port: one of its streams, or the first with a
// colour format for [AnyStream]. Errors are [devices.Error].
func OpenFace(ctx context.Context, port string, s Stream) (*FaceCamera, error) {
	name := label(devices.KindFaceCamera, port)
	video, meta, err := find(port)
	if err != nil {
		return nil, fail(name, "open", err)
	}
	closeAll(meta)
	c := &FaceCamera{camera{label: name}}
	n := s.locate(video)
	err = fmt.Errorf("%w: no stream %d of function %d", errUnsupported, s.Index, s.Function)
	for i, v := range video {
		if c.nodes == nil && (n == i || s == AnyStream) {
			if modes := v.colourModes(); len(modes) > 0 || n == i {
				c.info, c.nodes = v.info(devices.KindFaceCamera), []*node{v}
				err = v.choose(modes, "colour (YUYV, NV12 or MJPG)")
				continue
			}
		}
		v.close()
	}
	if err != nil {
		closeAll(c.nodes)
		return nil, fail(name, "open", err)
	}
	return c, nil
}

// Stream implements [devices.FaceCamera].
func (c *FaceCamera) Stream(ctx context.Context) (devices.FaceStream, error) {
	s := &faceStream{cam: c}
	if err := c.begin(ctx, s.start); err != nil {
		return nil, err
	}
	return s, nil
}

type faceShot struct {
	img  *image.YCbCr
	jpeg []byte
	seq  uint64
	at   time.Time
}

// faceStream delivers colour frames. What is compressed is checked when it
// arrives and decoded when somebody takes it.
type faceStream struct {
	*latest.Outlet[faceShot]
	cam *FaceCamera
}

var _ devices.FaceStream = (*faceStream)(nil)

func (s *faceStream) start() interface{ Close() error } {
	ctx, cancel := context.WithCancel(context.Background())
	n := s.cam.nodes[0]
	s.Outlet = latest.New(s.cam.label, func(faceShot) {}, cancel)
	count := counter{out: s.Count}
	s.Go(func() error {
		return fail(s.cam.label, "read frame", n.pump(ctx, n.quiet(), func(p piece) {
			if count.gap(p); p.damaged || !s.take(n.mode, p.data) {
				count.damaged()
			}
		}, count.trouble))
	})
	return s
}

// take makes a frame of a buffer; false where it is not whole.
func (s *faceStream) take(m mode, b []byte) bool {
	f := faceShot{at: time.Now()}
	if m.pix == pixMJPG {
		whole, ok := m.jpegWhole(b)
		if !ok {
			return false
		}
		f.jpeg = append([]byte(nil), whole...)
	} else if f.img = m.colour(b); f.img == nil {
		return false
	}
	s.Publish(func(seq uint64) faceShot { f.seq = seq; return f })
	return true
}

// Next implements [devices.FaceStream].
func (s *faceStream) Next(ctx context.Context) (devices.FaceFrame, error) {
	for {
		f, err := s.Outlet.Next(ctx)
		if err != nil {
			return devices.FaceFrame{}, err
		}
		out := devices.FaceFrame{Image: f.img, Seq: f.seq, At: f.at}
		if f.jpeg != nil {
			if out.Image, out.JPEG, err = mjpeg.Decode(f.jpeg); err != nil {
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

// counter keeps a stream's counters; one goroutine feeds it.
type counter struct {
	out   func(func(*devices.StreamStats))
	last  uint32
	begun bool
}

// gap counts the frames that the kernel gave up: their numbers are missing.
func (c *counter) gap(p piece) {
	if missing := p.sequence - c.last - 1; c.begun && missing > 0 && missing < 1000 {
		c.out(func(st *devices.StreamStats) { st.Damaged += uint64(missing) })
	}
	c.last, c.begun = p.sequence, true
}

func (c *counter) damaged() { c.out(func(st *devices.StreamStats) { st.Damaged++ }) }

// trouble counts a stream that is begun anew.
func (c *counter) trouble() {
	c.begun = false
	c.out(func(st *devices.StreamStats) { st.BusErrors++ })
}
