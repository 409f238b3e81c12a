package v4l2

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"
	"unsafe"

	"tambo/devices"
	"tambo/devices/internal/latest"
)

// Iris is what descriptors do not tell about a model of iris camera.
type Iris struct {
	// SideBySide: one stream of double width, Left; otherwise Left and Right are
	// the streams of the subject's eyes.
	SideBySide  bool
	Left, Right Stream
	// RightEyeFirst: the left half of the frame shows the subject's right eye.
	RightEyeFirst bool
	// Illumination is nil where the camera has no such control.
	Illumination *UnitControl
}

// UnitControl is a control of an extension unit: a little-endian integer.
type UnitControl struct {
	Unit, Selector uint8
	Size           int // bytes, 1 to 4
	Min, Max       int64
}

// IrisCamera is an iris camera that the kernel keeps. It implements
// [devices.IrisCamera].
type IrisCamera struct {
	camera
	iris Iris
	meta []*node // by eye; for two streams only
}

var _ devices.IrisCamera = (*IrisCamera)(nil)

// OpenIris opens the camera at a USB port. Errors are [devices.Error].
func OpenIris(ctx context.Context, port string, q Iris) (*IrisCamera, error) {
	name := label(devices.KindIrisCamera, port)
	video, meta, err := find(port)
	if err != nil {
		return nil, fail(name, "open", err)
	}
	c := &IrisCamera{camera: camera{label: name, info: video[0].info(devices.KindIrisCamera)}, iris: q}
	want, perFrame := []Stream{q.Left, q.Right}, 1
	if q.SideBySide {
		want, perFrame = want[:1], 2
	}
	all := slices.Clone(video) // places do not change by what is taken
	for _, s := range want {
		i := s.locate(all)
		if i < 0 || video[i] == nil {
			err = fmt.Errorf("%w: no stream %d of function %d", errUnsupported, s.Index, s.Function)
			break
		}
		c.nodes = append(c.nodes, video[i])
		if !q.SideBySide {
			c.meta, meta[i] = append(c.meta, meta[i]), nil
		}
		video[i] = nil
	}
	closeAll(video, meta)
	for i := 0; err == nil && i < len(c.nodes); i++ {
		err = c.prepare(i, perFrame)
	}
	if err != nil {
		closeAll(c.nodes, c.meta)
		return nil, fail(name, "open", err)
	}
	return c, nil
}

// prepare takes one eye's node. The kernel lets the metadata be chosen only
// before the frames have buffers.
func (c *IrisCamera) prepare(i, perFrame int) error {
	if !c.iris.SideBySide {
		if c.meta[i] == nil {
			return fmt.Errorf("%w: two streams, and the kernel hands on no time stamps to pair them by", errUnsupported)
		}
		if err := c.meta[i].prepareMeta(); err != nil {
			return err
		}
	}
	return c.nodes[i].choose(c.nodes[i].greyModes(perFrame), "8-bit grey")
}

// Close implements [devices.IrisCamera].
func (c *IrisCamera) Close() error {
	err := c.camera.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	closeAll(c.meta)
	c.meta = nil
	return err
}

// SetIllumination implements [devices.IrisCamera].
func (c *IrisCamera) SetIllumination(ctx context.Context, level float64) error {
	const op = "set illumination"
	u := c.iris.Illumination
	if u == nil {
		return fail(c.label, op, errUnsupported)
	}
	if math.IsNaN(level) || level < 0 || level > 1 {
		return fail(c.label, op, fmt.Errorf("%w: level %v is not within 0 and 1", errUnsupported, level))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return fail(c.label, op, errClosed)
	}
	data := make([]byte, 8)
	binary.LittleEndian.PutUint64(data, uint64(u.Min+int64(math.Round(level*float64(u.Max-u.Min)))))
	var pin runtime.Pinner
	pin.Pin(&data[0])
	defer pin.Unpin()
	q := unitQuery{Unit: u.Unit, Selector: u.Selector, Query: unitSet, Size: uint16(min(max(u.Size, 1), 8)), Data: unsafe.Pointer(&data[0])}
	return fail(c.label, op, ioctl(c.nodes[0].fd, unitCtrl, &q))
}

// Stream implements [devices.IrisCamera].
func (c *IrisCamera) Stream(ctx context.Context) (devices.IrisStream, error) {
	s := &irisStream{cam: c}
	if err := c.begin(ctx, s.start); err != nil {
		return nil, err
	}
	return s, nil
}

// irisStream joins what the nodes deliver into frames of two eyes.
type irisStream struct {
	*latest.Outlet[devices.IrisFrame]
	cam *IrisCamera

	pair   sync.Mutex
	stamps [2]waiting[uint32]      // by eye: time stamps whose frame is to come
	frames [2]waiting[*image.Gray] // and frames whose time stamp is
	halves [2]half
}

// half is an eye that waits for its other.
type half struct {
	img *image.Gray
	pts uint32
	at  time.Time
}

var _ devices.IrisStream = (*irisStream)(nil)

func (s *irisStream) start() interface{ Close() error } {
	ctx, cancel := context.WithCancel(context.Background())
	s.Outlet = latest.New(s.cam.label, func(devices.IrisFrame) {}, cancel)
	for i, m := range s.cam.meta { // before the frames that it tells of
		s.Go(func() error {
			return fail(s.cam.label, "read frame", m.pump(ctx, time.Hour, func(p piece) {
				if pts, ok := stamp(p.data); ok && !p.damaged {
					s.stamped(i, p.sequence, pts)
				}
			}, func() {}))
		})
	}
	for i, n := range s.cam.nodes {
		count := counter{out: s.Count}
		s.Go(func() error {
			return fail(s.cam.label, "read frame", n.pump(ctx, n.quiet(), func(p piece) {
				if count.gap(p); p.damaged || !s.take(i, n.mode, p) {
					count.damaged()
				}
			}, count.trouble))
		})
	}
	return s
}

// take makes images of a buffer; false where it is not whole.
func (s *irisStream) take(i int, m mode, p piece) bool {
	n := 1
	if s.cam.iris.SideBySide {
		n = 2
	}
	planes := make([]*image.Gray, n)
	for k := range planes {
		planes[k] = image.NewGray(image.Rect(0, 0, m.width/n, m.height))
	}
	if !m.grey(p.data, planes) {
		return false
	}
	if n == 1 {
		s.arrived(i, p.sequence, planes[0])
		return true
	}
	left, right := planes[0], planes[1]
	if s.cam.iris.RightEyeFirst {
		left, right = right, left
	}
	s.show(left, right, time.Now())
	return true
}

// stamped and arrived bring time stamp and frame of one number together.
func (s *irisStream) stamped(i int, seq, pts uint32) {
	s.pair.Lock()
	defer s.pair.Unlock()
	if img, ok := s.frames[i].take(seq); ok {
		s.joined(i, img, pts)
		return
	}
	s.stamps[i].put(seq, pts)
}

func (s *irisStream) arrived(i int, seq uint32, img *image.Gray) {
	s.pair.Lock()
	defer s.pair.Unlock()
	if pts, ok := s.stamps[i].take(seq); ok {
		s.joined(i, img, pts)
		return
	}
	if s.frames[i].put(seq, img) {
		s.Count(func(st *devices.StreamStats) { st.Dropped++ })
	}
}

// joined pairs eyes of one exposure; pair is held.
func (s *irisStream) joined(i int, img *image.Gray, pts uint32) {
	other := s.halves[1-i]
	if s.halves[i].img != nil {
		s.Count(func(st *devices.StreamStats) { st.Dropped++ })
	}
	if other.img == nil || other.pts != pts || other.img.Rect != img.Rect {
		s.halves[i] = half{img, pts, time.Now()}
		return
	}
	s.halves = [2]half{}
	left, right := img, other.img
	if i == 1 {
		left, right = right, left
	}
	s.show(left, right, time.Now())
}

func (s *irisStream) show(left, right *image.Gray, at time.Time) {
	s.Publish(func(seq uint64) devices.IrisFrame {
		return devices.IrisFrame{Left: left, Right: right, Seq: seq, At: at}
	})
}

// Close implements [devices.IrisStream].
func (s *irisStream) Close() error {
	s.Shut()
	s.cam.ended(s)
	return nil
}

// waiting keeps the newest few of what waits for its counterpart.
type waiting[T any] struct {
	seq  [4]uint32
	v    [4]T
	have [4]bool
	next int
}

// put keeps v; true where an older one was given up for it.
func (w *waiting[T]) put(seq uint32, v T) bool {
	i := w.next
	w.next = (i + 1) % len(w.seq)
	full := w.have[i]
	w.seq[i], w.v[i], w.have[i] = seq, v, true
	return full
}

func (w *waiting[T]) take(seq uint32) (v T, ok bool) {
	for i := range w.seq {
		if w.have[i] && w.seq[i] == seq {
			v, ok = w.v[i], true
			var none T
			w.v[i], w.have[i] = none, false
		}
	}
	return v, ok
}

// stamp reads the presentation time of the first payload header in a buffer of
// metadata (struct uvc_meta_buf: the host's time, 8 bytes, and frame number, 2
// bytes, then the header as UVC 2.4.3.3 has it).
func stamp(b []byte) (uint32, bool) {
	const host, hasPTS = 10, 0x04
	for len(b) >= host+2 {
		n := int(b[host])
		if n < 2 || host+n > len(b) {
			return 0, false
		}
		if b[host+1]&hasPTS != 0 && n >= 6 {
			return binary.LittleEndian.Uint32(b[host+2:]), true
		}
		b = b[host+n:]
	}
	return 0, false
}
