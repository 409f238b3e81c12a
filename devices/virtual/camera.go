package virtual

import (
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"sync"
	"time"

	"tambo/devices/usb"
)

// Shot is one exposure that a camera makes.
type Shot struct {
	Index         uint64        // counts from plugging in
	At            time.Duration // since plugging in
	Illumination  float64       // near-infrared light, 0 to 1
	Width, Height int           // of one eye's image
}

// EyeScene is what a camera looks at. Eyes returns the subject's own left and
// right eye as 8-bit near-infrared images; one that is nil or of another size is
// shown black. It is called by one goroutine at a time, and the images are not
// kept beyond the shot.
type EyeScene interface {
	Eyes(s Shot) (left, right *image.Gray)
}

// Layout is how a camera carries two eyes.
type Layout int

// Layouts.
const (
	// TwoStreams has a streaming interface an eye: interface 1 is the subject's
	// left, 2 the right. Both frames of one exposure carry one time stamp.
	TwoStreams Layout = iota
	// SideBySide has one frame of double width on interface 1: the subject's
	// right eye in the left half, as an operator sees a face.
	SideBySide
)

// Vendor and product numbers of the cameras (pid.codes test range).
const (
	CameraVendor            = 0x1209
	CameraProductStreams    = 0x0001
	CameraProductSideBySide = 0x0002
)

// CameraOptions choose a camera. The zero value is two 640×480 eyes on two
// streams at 15 frames a second.
type CameraOptions struct {
	Layout        Layout
	Width, Height int           // of one eye
	Interval      time.Duration // between frames
	Payload       int           // dwMaxPayloadTransferSize, with the header
	Serial        string
}

// camera is the function behind a UVC 1.1 iris camera.
type camera struct {
	Base
	opt     CameraOptions
	dev     *Device
	scene   EyeScene
	streams []*videoStream
	units   map[uint16]*unitControl // by entity<<8 | selector

	mu      sync.Mutex // guards what follows and the controls
	start   time.Time
	shot    *exposure
	drawing chan struct{} // closed when the exposure in the making is done
	lastErr byte          // VC_REQUEST_ERROR_CODE
	change  chan struct{} // closed when streaming begins or the device is reset
}

// exposure is a drawn shot: the bytes of each stream's frame.
type exposure struct {
	shot   Shot
	frames [][]byte
}

// Entities of the video function.
const (
	idCamera     = 1
	idCamera2    = 2
	idProcessing = 3
	idExtension  = 4
	idOutput     = 5
	idOutput2    = 6
)

// IlluminationGUID is the extension unit that holds the illumination: selector
// 1, two bytes, 0 to 1000.
var IlluminationGUID = [16]byte{0x6a, 0x0c, 0x3e, 0x9b, 0x51, 0xd4, 0x4b, 0x1f, 0x9e, 0x27, 0x2c, 0x70, 0x1d, 0x83, 0xf5, 0xa6}

const (
	selBrightness   = 2 // PU_BRIGHTNESS_CONTROL
	selIllumination = 1
	maxIllumination = 1000
	// clockHz is the device clock of the time stamps: microseconds.
	clockHz = 1_000_000
)

// unitControl is one control of a unit, two bytes.
type unitControl struct{ min, max, res, def, cur int16 }

// NewCamera makes an iris camera that looks at a scene.
func NewCamera(scene EyeScene, opt CameraOptions) (*Device, error) {
	if opt.Width == 0 {
		opt.Width, opt.Height = 640, 480
	}
	if opt.Interval == 0 {
		opt.Interval = time.Second / 15
	}
	if opt.Payload == 0 {
		opt.Payload = 32 << 10
	}
	if opt.Serial == "" {
		opt.Serial = "DEVSIM"
	}
	if opt.Width < 8 || opt.Width > 4096 || opt.Height < 8 || opt.Height > 4096 || opt.Payload <= payloadHeader || opt.Interval < 100*time.Microsecond {
		return nil, fmt.Errorf("virtual: camera of %d×%d, payload %d, interval %s", opt.Width, opt.Height, opt.Payload, opt.Interval)
	}
	c := &camera{opt: opt, scene: scene, change: make(chan struct{}), units: map[uint16]*unitControl{
		idProcessing<<8 | selBrightness:  {min: -64, max: 64, res: 1},
		idExtension<<8 | selIllumination: {max: maxIllumination, res: 1, def: maxIllumination / 2, cur: maxIllumination / 2},
	}}
	n, product, name := 2, uint16(CameraProductStreams), "Virtual iris camera"
	if opt.Layout == SideBySide {
		n, product, name = 1, CameraProductSideBySide, "Virtual iris camera (side by side)"
	}
	for i := range n {
		c.streams = append(c.streams, &videoStream{c: c, index: i, ep: uint8(0x81 + i), number: 1 + i})
	}
	d, err := NewDevice(Descriptors{VendorID: CameraVendor, ProductID: product, Release: 0x0100,
		Class: 0xef, SubClass: 2, Protocol: 1, Manufacturer: "Tambo", Product: name, Serial: opt.Serial,
		Names: []string{"Iris camera"}, Config: c.descriptors()}, c)
	if err != nil {
		return nil, err
	}
	c.dev = d
	return d, nil
}

// frameSize is the size of one stream's frame.
func (c *camera) frameSize() (w, h int) {
	if c.opt.Layout == SideBySide {
		return 2 * c.opt.Width, c.opt.Height
	}
	return c.opt.Width, c.opt.Height
}

// Reset implements [Function]: no stream is committed, controls are at default.
func (c *camera) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start, c.shot, c.lastErr = time.Now(), nil, 0
	for _, u := range c.units {
		u.cur = u.def
	}
	for _, s := range c.streams {
		s.stop()
	}
	c.changed()
}

func (c *camera) changed() {
	close(c.change)
	c.change = make(chan struct{})
}

// In implements [Function].
func (c *camera) In(ctx context.Context, ep uint8, p []byte) (int, error) {
	for _, s := range c.streams {
		if s.ep == ep {
			return s.in(ctx, p)
		}
	}
	return 0, usb.ErrStall
}

// newer waits for an exposure after the one of index last. What was not asked
// for in time is never exposed, as in a camera that nobody reads. A scene that
// is slow to draw holds nobody up whose context ends.
func (c *camera) newer(ctx context.Context, last int64) (*exposure, error) {
	c.mu.Lock()
	start := c.start
	due := max(last+1, int64(time.Since(start)/c.opt.Interval))
	fresh := c.shot != nil && int64(c.shot.shot.Index) > last
	c.mu.Unlock()
	if wait := time.Until(start.Add(time.Duration(due) * c.opt.Interval)); wait > 0 && !fresh {
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	for {
		c.mu.Lock()
		if c.shot != nil && int64(c.shot.shot.Index) > last {
			defer c.mu.Unlock()
			return c.shot, nil // perhaps the other stream asked for it
		}
		if c.drawing == nil {
			c.drawing = make(chan struct{})
			light := c.units[idExtension<<8|selIllumination].cur
			go c.draw(c.start, Shot{Index: uint64(due), At: time.Duration(due) * c.opt.Interval,
				Illumination: float64(light) / maxIllumination, Width: c.opt.Width, Height: c.opt.Height})
		}
		drawn := c.drawing
		c.mu.Unlock()
		select {
		case <-drawn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// draw makes the next exposure; one at a time.
func (c *camera) draw(start time.Time, s Shot) {
	e := c.expose(s)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.start == start { // not of a plugging that is over
		c.shot = e
	}
	close(c.drawing)
	c.drawing = nil
}

func (c *camera) expose(s Shot) *exposure {
	e := &exposure{shot: s}
	left, right := c.scene.Eyes(s)
	w, h := c.frameSize()
	for range c.streams {
		e.frames = append(e.frames, make([]byte, w*h))
	}
	if c.opt.Layout == SideBySide {
		paint(e.frames[0], w, 0, s, right)
		paint(e.frames[0], w, s.Width, s, left)
	} else {
		paint(e.frames[0], w, 0, s, left)
		paint(e.frames[1], w, 0, s, right)
	}
	return e
}

func paint(dst []byte, stride, at int, s Shot, img *image.Gray) {
	if img == nil || img.Rect.Dx() != s.Width || img.Rect.Dy() != s.Height {
		return
	}
	for y := range s.Height {
		row := img.PixOffset(img.Rect.Min.X, img.Rect.Min.Y+y)
		copy(dst[y*stride+at:y*stride+at+s.Width], img.Pix[row:row+s.Width])
	}
}

// videoStream is one streaming interface. Its endpoint's goroutine alone uses
// the sending state; the negotiated state is guarded by camera.mu.
type videoStream struct {
	c      *camera
	index  int
	ep     uint8
	number int // of the interface

	probe     probe
	committed bool
	epoch     int // grows with every commit and stop

	sent sending
}

// sending is where a stream is in its frame.
type sending struct {
	epoch   int
	start   time.Time // of the plugging that last belongs to
	last    int64     // index of the newest exposure that was begun
	frame   *exposure // nil between frames
	offset  int
	fid     byte
	payload []byte // rest of the payload in progress
	zlp     bool   // a zero-length packet ends it
}

// stop ends streaming; camera.mu is held.
func (s *videoStream) stop() {
	s.committed = false
	s.epoch++
	s.probe = s.negotiate(probe{})
}

const payloadHeader = 12

// Bits of bmHeaderInfo (UVC 1.1, 2.4.3.3).
const (
	headFID = 1 << 0
	headEOF = 1 << 1
	headPTS = 1 << 2
	headSCR = 1 << 3
	headERR = 1 << 6
	headEOH = 1 << 7
)

// in sends the next bytes of the payload in progress, or begins the next one.
func (s *videoStream) in(ctx context.Context, p []byte) (int, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	st := &s.sent
	if st.zlp {
		st.zlp = false
		return 0, nil
	}
	if len(st.payload) == 0 {
		if st.frame == nil {
			e, err := s.c.newer(ctx, st.last)
			if err != nil {
				return 0, err
			}
			st.frame, st.offset, st.last = e, 0, int64(e.shot.Index)
			if f := s.c.dev.faulter(); !f.hit(f.f.KeepFID) {
				st.fid ^= headFID
			}
		}
		st.payload = s.compose()
		st.zlp = len(st.payload)%bulkPacket == 0 && len(st.payload) < s.c.opt.Payload
	}
	n := copy(p, st.payload)
	st.payload = st.payload[n:]
	return n, nil
}

// ready waits until the stream is committed and takes up a new commitment.
func (s *videoStream) ready(ctx context.Context) error {
	for {
		s.c.mu.Lock()
		ok, epoch, start, change := s.committed, s.epoch, s.c.start, s.c.change
		s.c.mu.Unlock()
		if ok {
			if s.sent.epoch != epoch {
				s.begin(epoch, start)
			}
			return ctx.Err()
		}
		select {
		case <-change:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// begin takes up a new commitment: at the start of a frame, with the other frame
// bit, after the exposures that were sent before.
func (s *videoStream) begin(epoch int, start time.Time) {
	last := s.sent.last
	if s.sent.start != start {
		last = -1
	}
	// What was exposed before the host asked shows who sat there before.
	last = max(last, int64(time.Since(start)/s.c.opt.Interval))
	s.sent = sending{epoch: epoch, start: start, last: last, fid: s.sent.fid}
}

// compose makes the next payload of the frame in progress.
func (s *videoStream) compose() []byte {
	st, fault := &s.sent, s.c.dev.faulter()
	data := st.frame.frames[s.index][st.offset:]
	data = data[:min(len(data), s.c.opt.Payload-payloadHeader)]
	st.offset += len(data)
	info := st.fid | headPTS | headSCR | headEOH
	if st.offset == len(st.frame.frames[s.index]) && !fault.hit(fault.f.NoEOF) {
		info |= headEOF
	}
	if fault.hit(fault.f.ErrorBit) {
		info |= headERR
	}
	b := make([]byte, 0, payloadHeader+len(data))
	b = append(b, payloadHeader, info)
	b = binary.LittleEndian.AppendUint32(b, uint32(st.frame.shot.At/time.Microsecond))
	now := time.Since(s.c.started())
	b = binary.LittleEndian.AppendUint32(b, uint32(now/time.Microsecond))
	b = binary.LittleEndian.AppendUint16(b, uint16(now/time.Millisecond)&0x7ff)
	if st.offset == len(st.frame.frames[s.index]) {
		st.frame = nil
	}
	return append(b, data...)
}

func (c *camera) started() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start
}

// probe is the part of the probe and commit controls that the camera uses.
type probe struct {
	format, frame uint8
	interval      uint32 // 100 ns
}

// negotiate answers with what the camera will do.
func (s *videoStream) negotiate(probe) probe {
	return probe{format: 1, frame: 1, interval: uint32(min(int64(s.c.opt.Interval/100), math.MaxUint32))}
}
