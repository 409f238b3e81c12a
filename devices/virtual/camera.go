package virtual

import (
	"context"
	"fmt"
	"image"
	"sync"
	"time"

	"tambo/devices/usb"
)

// Shot is one exposure that a camera makes.
type Shot struct {
	Index         uint64        // counts from plugging in
	At            time.Duration // since plugging in
	Illumination  float64       // near-infrared light, 0 to 1; 0 for colour
	Width, Height int           // of one eye's image, or of the colour picture
}

// EyeScene is what an iris camera looks at. Eyes returns the subject's own left
// and right eye as 8-bit near-infrared images; one that is nil or of another size
// is shown black. It is called by one goroutine at a time, and the images are not
// kept beyond the shot.
type EyeScene interface {
	Eyes(s Shot) (left, right *image.Gray)
}

// ColourScene is what a colour camera looks at. Picture returns what it sees, of
// the shot's size; nil, or a picture of another size, is shown black. A 4:2:2
// YCbCr picture is sent as it is, RGBA and YCbCr are quick, others slow. It is
// called by one goroutine at a time, and the picture is not kept beyond the shot.
type ColourScene interface {
	Picture(s Shot) image.Image
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
	CameraProductColour     = 0x0004
	CameraProductComposite  = 0x0005
	CameraProductTwin       = 0x0006
)

// FaceInterface is the streaming interface of the face in a composite camera.
const FaceInterface = 3

// Streaming interfaces of a twin camera, which has two control interfaces: 0 and 2.
const (
	TwinFace = 1
	TwinEyes = 3 // the left eye, or both; the right eye is the next
)

// CameraOptions choose a camera. The zero value is two 640×480 eyes on two
// streams at 15 frames a second.
type CameraOptions struct {
	Layout        Layout
	Width, Height int           // of one eye
	Interval      time.Duration // between frames
	Payload       int           // dwMaxPayloadTransferSize, with the header; bulk only
	// Isochronous gives each stream alternate settings of growing bandwidth in
	// place of a bulk endpoint.
	Isochronous bool
	Serial      string
}

// ColourOptions choose a colour camera. The zero value offers YUY2 and MJPEG at
// 640×480, 15 and 30 frames a second.
type ColourOptions struct {
	Formats []string      // of "YUY2", "NV12" and "MJPG", in the order of the descriptors
	Sizes   []image.Point // even numbers; 640×480 where empty
	// Interval is the quickest between frames; the double is offered, too.
	Interval time.Duration
	Payload  int // dwMaxPayloadTransferSize, with the header; bulk only
	// Isochronous is as of CameraOptions.
	Isochronous bool
	Quality     int // of MJPEG, 1 to 100; 85 where 0
	// Still is the size of the stills that the camera takes by its trigger: in its
	// stream (method 2), or with StillPipe on a bulk endpoint of their own (method
	// 3). None where zero. Even numbers.
	Still     image.Point
	StillPipe bool
	// KeepTables leaves the Huffman tables in MJPEG frames. Cameras leave them
	// out, as this one does by default.
	KeepTables bool
	Serial     string
}

var _ Isochronous = (*camera)(nil)

// camera is the function behind a UVC 1.1 camera: one video function or several.
type camera struct {
	Base
	dev       *Device
	functions []*videoFunction
	streams   []*videoStream // of all functions

	mu     sync.Mutex // guards what follows, the sensors and the controls
	start  time.Time
	change chan struct{} // closed when streaming begins or the device is reset
}

// videoFunction is a control interface with its units and streams. Its controls
// and the last field are guarded by camera.mu.
type videoFunction struct {
	number  int // of the control interface
	streams []*videoStream
	units   map[uint16]*unitControl // by entity<<8 | selector
	light   bool                    // it has an illumination control
	lastErr byte                    // VC_REQUEST_ERROR_CODE
}

// Entities of a video function.
const (
	idCamera     = 1
	idCamera2    = 2
	idProcessing = 3
	idExtension  = 4
	idOutput     = 5 // and one more a stream
	idOutputLast = 7
	idCamera3    = 8
)

// IlluminationGUID is the extension unit that holds the illumination: selector
// 1, two bytes, 0 to 1000.
var IlluminationGUID = [16]byte{0x6a, 0x0c, 0x3e, 0x9b, 0x51, 0xd4, 0x4b, 0x1f, 0x9e, 0x27, 0x2c, 0x70, 0x1d, 0x83, 0xf5, 0xa6}

const (
	selBrightness   = 2 // PU_BRIGHTNESS_CONTROL
	selGain         = 4 // PU_GAIN_CONTROL
	selExposureMode = 2 // CT_AE_MODE_CONTROL: 1 manual, 2 automatic
	selExposure     = 4 // CT_EXPOSURE_TIME_ABSOLUTE_CONTROL, 100 µs
	selFocusAuto    = 8 // CT_FOCUS_AUTO_CONTROL
	selFocus        = 6 // CT_FOCUS_ABSOLUTE_CONTROL
	selIllumination = 1
	maxIllumination = 1000
	// clockHz is the device clock of the time stamps: microseconds.
	clockHz = 1_000_000
)

// unitControl is one control of a unit.
type unitControl struct {
	size                    int // bytes, 2 where 0
	min, max, res, def, cur int32
	choice                  bool // GET_RES is the bit map of its modes, and it has no range
	// automatic holds the control while it has a value other than 1 or 0.
	automatic *unitControl
	manual    int32 // the value of automatic that lets this one be set
}

// NewCamera makes an iris camera that looks at a scene.
func NewCamera(scene EyeScene, opt CameraOptions) (*Device, error) {
	c := newCamera(true)
	if err := c.addEyes(scene, opt); err != nil {
		return nil, err
	}
	product, name := uint16(CameraProductStreams), "Virtual iris camera"
	if opt.Layout == SideBySide {
		product, name = CameraProductSideBySide, "Virtual iris camera (side by side)"
	}
	return c.device(product, name, opt.Serial)
}

// NewColourCamera makes a colour camera that looks at a scene.
func NewColourCamera(scene ColourScene, opt ColourOptions) (*Device, error) {
	c := newCamera(false)
	if err := c.addColour(scene, opt); err != nil {
		return nil, err
	}
	return c.device(CameraProductColour, "Virtual colour camera", opt.Serial)
}

// NewCompositeCamera makes one device with three streaming interfaces: 1 the
// subject's left eye, 2 the right, 3 the face. The layout and serial number of
// the eyes' options count.
func NewCompositeCamera(eyes EyeScene, face ColourScene, opt CameraOptions, colour ColourOptions) (*Device, error) {
	if opt.Layout != TwoStreams {
		return nil, fmt.Errorf("virtual: a composite camera has a stream an eye")
	}
	c := newCamera(true)
	if err := c.addEyes(eyes, opt); err != nil {
		return nil, err
	}
	if err := c.addColour(face, colour); err != nil {
		return nil, err
	}
	return c.device(CameraProductComposite, "Virtual iris and face camera", opt.Serial)
}

// NewTwinCamera makes one device with two video functions, as cameras for
// recognising faces are built: first a colour camera, then an iris camera of either
// layout. The serial number of the eyes' options counts.
func NewTwinCamera(eyes EyeScene, face ColourScene, opt CameraOptions, colour ColourOptions) (*Device, error) {
	c := newCamera(false)
	if err := c.addColour(face, colour); err != nil {
		return nil, err
	}
	c.addFunction(true)
	if err := c.addEyes(eyes, opt); err != nil {
		return nil, err
	}
	return c.device(CameraProductTwin, "Virtual face and iris camera, two functions", opt.Serial)
}

func newCamera(light bool) *camera {
	c := &camera{change: make(chan struct{})}
	c.addFunction(light)
	return c
}

// addFunction begins a video function: streams that are added from now on are its.
func (c *camera) addFunction(light bool) {
	mode := &unitControl{size: 1, res: 3, choice: true, min: 1, max: 2, def: 2, cur: 2}
	focus := &unitControl{size: 1, max: 1, res: 1, def: 1, cur: 1}
	f := &videoFunction{number: len(c.functions) + len(c.streams), light: light, units: map[uint16]*unitControl{
		idProcessing<<8 | selBrightness: {min: -64, max: 64, res: 1},
		idProcessing<<8 | selGain:       {max: 100, res: 5, def: 50, cur: 50},
		idCamera<<8 | selExposureMode:   mode,
		idCamera<<8 | selExposure:       {size: 4, min: 1, max: 5000, res: 1, def: 156, cur: 156, automatic: mode, manual: 1},
		idCamera<<8 | selFocusAuto:      focus,
		idCamera<<8 | selFocus:          {max: 250, res: 5, def: 0, automatic: focus},
	}}
	if light {
		f.units[idExtension<<8|selIllumination] = &unitControl{max: maxIllumination, res: 1,
			def: maxIllumination / 2, cur: maxIllumination / 2}
	}
	c.functions = append(c.functions, f)
}

// defaultPayload is dwMaxPayloadTransferSize where the options do not say.
const defaultPayload = 32 << 10

// addEyes adds the streams of an iris camera.
func (c *camera) addEyes(scene EyeScene, opt CameraOptions) error {
	if opt.Width == 0 {
		opt.Width, opt.Height = 640, 480
	}
	if opt.Interval == 0 {
		opt.Interval = time.Second / 15
	}
	if opt.Payload == 0 {
		opt.Payload = defaultPayload
	}
	if opt.Width < 8 || opt.Width > 4096 || opt.Height < 8 || opt.Height > 4096 || opt.Payload <= payloadHeader || opt.Interval < 100*time.Microsecond {
		return fmt.Errorf("virtual: camera of %d×%d, payload %d, interval %s", opt.Width, opt.Height, opt.Payload, opt.Interval)
	}
	n, size := 2, image.Pt(opt.Width, opt.Height)
	if opt.Layout == SideBySide {
		n, size.X = 1, 2*size.X
	}
	s := &sensor{c: c, interval: opt.Interval, expose: func(s Shot, _ videoMode) [][]byte {
		s.Width, s.Height = opt.Width, opt.Height
		return exposeEyes(scene, opt.Layout, s)
	}}
	for i := range n {
		c.addStream(&videoStream{c: c, sensor: s, part: i, payload: opt.Payload, isochronous: opt.Isochronous, interval: []time.Duration{opt.Interval},
			formats: []videoFormat{{coding: codeGrey, sizes: []image.Point{size}}}})
	}
	return nil
}

// addColour adds the stream of a colour camera.
func (c *camera) addColour(scene ColourScene, opt ColourOptions) error {
	if opt.Interval == 0 {
		opt.Interval = time.Second / 30
	}
	if opt.Payload == 0 {
		opt.Payload = defaultPayload
	}
	if opt.Quality == 0 {
		opt.Quality = 85
	}
	if len(opt.Sizes) == 0 {
		opt.Sizes = []image.Point{{640, 480}}
	}
	if len(opt.Formats) == 0 {
		opt.Formats = []string{"YUY2", "MJPG"}
	}
	if opt.Payload <= payloadHeader || opt.Interval < 100*time.Microsecond || opt.Quality < 1 || opt.Quality > 100 {
		return fmt.Errorf("virtual: colour camera of payload %d, interval %s, quality %d", opt.Payload, opt.Interval, opt.Quality)
	}
	sizes := opt.Sizes
	if opt.Still != (image.Point{}) {
		sizes = append([]image.Point{opt.Still}, sizes...)
	}
	for _, s := range sizes {
		if s.X < 8 || s.X > 4096 || s.Y < 8 || s.Y > 4096 || s.X%2 != 0 || s.Y%2 != 0 {
			return fmt.Errorf("virtual: colour camera of %v", s)
		}
	}
	var formats []videoFormat
	for _, name := range opt.Formats {
		code, ok := map[string]coding{"YUY2": codeYUY2, "NV12": codeNV12, "MJPG": codeMJPEG}[name]
		if !ok {
			return fmt.Errorf("virtual: no colour format %q: YUY2, NV12 or MJPG", name)
		}
		formats = append(formats, videoFormat{coding: code, sizes: opt.Sizes})
	}
	s := &sensor{c: c, interval: opt.Interval, expose: func(s Shot, m videoMode) [][]byte {
		s.Width, s.Height, s.Illumination = m.size.X, m.size.Y, 0
		return [][]byte{encodeColour(scene.Picture(s), m, opt)}
	}}
	c.addStream(&videoStream{c: c, sensor: s, payload: opt.Payload, isochronous: opt.Isochronous, formats: formats, still: opt.Still, stillPipe: opt.StillPipe && opt.Still != (image.Point{}),
		interval: []time.Duration{opt.Interval, 2 * opt.Interval}})
	return nil
}

func (c *camera) addStream(s *videoStream) {
	f := c.functions[len(c.functions)-1]
	s.index, s.sensor.fn = len(f.streams), f
	s.number, s.ep = len(c.functions)+len(c.streams), uint8(0x81+len(c.streams))
	c.streams, f.streams = append(c.streams, s), append(f.streams, s)
}

// device wraps the camera up.
func (c *camera) device(product uint16, name, serial string) (*Device, error) {
	if serial == "" {
		serial = "DEVSIM"
	}
	d, err := NewDevice(Descriptors{VendorID: CameraVendor, ProductID: product, Release: 0x0100,
		Class: 0xef, SubClass: 2, Protocol: 1, Manufacturer: "Tambo", Product: name, Serial: serial,
		Names: []string{"Camera", "Second camera"}, Config: c.descriptors()}, c)
	if err != nil {
		return nil, err
	}
	c.dev = d
	return d, nil
}

// Reset implements [Function]: no stream is committed, controls are at default.
func (c *camera) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.start = time.Now()
	for _, f := range c.functions {
		f.lastErr = 0
		for _, u := range f.units {
			u.cur = u.def
		}
	}
	for _, s := range c.streams {
		s.sensor.shot = nil
		s.stop()
	}
	c.changed()
}

func (c *camera) changed() {
	close(c.change)
	c.change = make(chan struct{})
}

func (c *camera) started() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start
}

// SetInterface implements [Function]: an isochronous stream flows while a setting
// with bandwidth is selected.
func (c *camera) SetInterface(number, alt int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.streams {
		if s.number == number && s.isochronous {
			s.flowing = alt > 0
			s.epoch++
		}
	}
}

// Packet implements [Isochronous].
func (c *camera) Packet(ep uint8, at time.Time, p []byte) int {
	for _, s := range c.streams {
		if s.ep == ep {
			return s.packet(at, p)
		}
	}
	return 0
}

// In implements [Function].
func (c *camera) In(ctx context.Context, ep uint8, p []byte) (int, error) {
	for _, s := range c.streams {
		switch {
		case s.ep == ep:
			return s.in(ctx, p)
		case s.stillPipe && s.stillEP() == ep:
			return s.inStill(ctx, p)
		}
	}
	return 0, usb.ErrStall
}
