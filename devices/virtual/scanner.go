package virtual

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"
	"sync"
	"time"

	"tambo/devices/usb"
)

// PageScene is what lies on a scanner's glass.
type PageScene interface {
	// Page returns the document as it would be imaged at that many dots per inch,
	// nil if there is none. It is laid into the top left corner of the bed, a
	// little in from the edges; what does not fit is cut off.
	Page(dpi int, colour bool) image.Image
}

// ScannerOptions are the properties of a virtual scanner; the zero value is a
// flatbed of A4 size without haste.
type ScannerOptions struct {
	Manufacturer, Product, Serial string
	// Width and Height of the bed in 1/300 inch; A4 where zero.
	Width, Height int
	// Resolutions in dpi; 75 to 600 where empty.
	Resolutions []int
	// Formats it sends, MIME types: image/jpeg, image/png and application/pdf; the
	// first two where empty.
	Formats []string
	// Feeder adds a document feeder; see [Scanner.LoadFeeder].
	Feeder bool
	// ScanTime passes between job and page; the scanner answers 503 with
	// Retry-After meanwhile.
	ScanTime time.Duration
	// BytesPerSecond is how fast a page arrives, 0 is as fast as it is read.
	BytesPerSecond int
	// Interfaces is how many IPP-over-USB interfaces it has, 1 to 3; 2 where 0.
	Interfaces int
}

// Scanner is a virtual document scanner: eSCL 2.6 over IPP-over-USB interfaces.
// Interface 0 is a legacy printer (7/1/2) in setting 0 and speaks IPP-over-USB
// (7/1/4) in setting 1, the others speak it at once; as on real multifunction
// devices. Safe for concurrent use.
type Scanner struct {
	opt   ScannerOptions
	dev   *Device
	conns []*scanConn
	jobs  jobs

	mu     sync.Mutex
	scene  PageScene
	fault  ScannerFault
	times  int // uses left of fault; below 0 is for ever
	feeder string
	pages  int // in the feeder
	struck bool
	needs  ScannerNeeds
}

var _ Function = (*Scanner)(nil)

// ScannerFault is a way in which a scanner misbehaves above USB. USB's own are
// in [Faults].
type ScannerFault string

// Faults of a scanner. Those of the page strike in its middle.
const (
	ScannerHealthy     ScannerFault = ""
	ScannerBadXML      ScannerFault = "bad-xml"      // capabilities and status break off
	ScannerEntities    ScannerFault = "xml-entities" // capabilities with nested entities
	ScannerGarbage     ScannerFault = "garbage"      // answers are not HTTP
	ScannerSilent      ScannerFault = "silent"       // no answer at all
	ScannerBusy        ScannerFault = "busy"         // 503 for a job
	ScannerRefuse      ScannerFault = "refuse"       // 409 for a job
	ScannerAbort       ScannerFault = "abort"        // the job ends without a page
	ScannerTruncate    ScannerFault = "truncate"     // half a page in a proper body
	ScannerCutTail     ScannerFault = "cut-tail"     // a page without its last bytes
	ScannerShortLength ScannerFault = "short-length" // Content-Length is less than the body
	ScannerLongLength  ScannerFault = "long-length"  // Content-Length is more than the body
	ScannerNoLength    ScannerFault = "no-length"    // a body without a length
	ScannerBadChunk    ScannerFault = "bad-chunk"    // a chunk size that is no number
	ScannerHang        ScannerFault = "hang"         // the page stops until the pipe is reset
	ScannerHalt        ScannerFault = "halt"         // the endpoint stalls
	ScannerUnplug      ScannerFault = "unplug"       // the device goes away
	ScannerHugeImage   ScannerFault = "huge-image"   // a header of 10,000 x 10,000 pixels
	ScannerNotImage    ScannerFault = "not-image"    // text instead of a page
	ScannerPDF         ScannerFault = "pdf"          // a PDF of words instead of a picture
	ScannerNoZLP       ScannerFault = "no-zlp"       // full last packets without an empty one
	ScannerEndless     ScannerFault = "endless"      // a page that never ends
)

// ScannerFaults lists every fault but "healthy".
var ScannerFaults = []ScannerFault{ScannerBadXML, ScannerEntities, ScannerGarbage, ScannerSilent, ScannerBusy,
	ScannerRefuse, ScannerAbort, ScannerTruncate, ScannerCutTail, ScannerShortLength, ScannerLongLength,
	ScannerNoLength, ScannerBadChunk, ScannerHang, ScannerHalt, ScannerUnplug, ScannerHugeImage, ScannerNotImage,
	ScannerPDF, ScannerNoZLP, ScannerEndless}

// States of a feeder, as eSCL calls them.
const (
	FeederEmpty    = "ScannerAdfEmpty"
	FeederLoaded   = "ScannerAdfLoaded"
	FeederJam      = "ScannerAdfJam"
	FeederDoorOpen = "ScannerAdfDoorOpen"
)

const scanPacket = 512

// Vendor and product numbers of the scanner (pid.codes test range).
const (
	ScannerVendor  = 0x1209
	ScannerProduct = 0x0003
)

// NewScanner makes a scanner with that scene on its glass and in its feeder. The
// device's Function is its [Scanner], by which scene, faults and feeder change.
func NewScanner(scene PageScene, opt ScannerOptions) (*Device, error) {
	if opt.Width == 0 && opt.Height == 0 {
		opt.Width, opt.Height = 2480, 3508
	}
	if opt.Width < 300 || opt.Height < 300 || opt.Width > 6000 || opt.Height > 12000 {
		return nil, fmt.Errorf("virtual: scanner bed of %d x %d", opt.Width, opt.Height)
	}
	if len(opt.Resolutions) == 0 {
		opt.Resolutions = []int{75, 100, 150, 200, 300, 600}
	}
	if len(opt.Formats) == 0 {
		opt.Formats = []string{"image/jpeg", "image/png"}
	}
	opt.Manufacturer = or(opt.Manufacturer, "Tambo")
	opt.Product = or(opt.Product, "Virtual Scanner")
	opt.Serial = or(opt.Serial, "VS0001")
	s := &Scanner{opt: opt, scene: scene, feeder: FeederEmpty}
	if opt.Interfaces == 0 {
		opt.Interfaces = 2
	}
	if opt.Interfaces < 1 || opt.Interfaces > 3 {
		return nil, fmt.Errorf("virtual: scanner with %d interfaces", opt.Interfaces)
	}
	for i := range opt.Interfaces {
		alt := 0
		if i == 0 {
			alt = 1
		}
		s.conns = append(s.conns, newScanConn(s, i, alt, 0x81+uint8(i), 0x01+uint8(i)))
	}
	var err error
	s.dev, err = NewDevice(Descriptors{VendorID: ScannerVendor, ProductID: ScannerProduct, Release: 0x0100,
		Manufacturer: opt.Manufacturer, Product: opt.Product, Serial: opt.Serial,
		Names: []string{"IPP-over-USB"}, Config: scannerConfig(opt.Interfaces)}, s)
	if err != nil {
		return nil, err
	}
	return s.dev, nil
}

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

func scannerConfig(interfaces int) []byte {
	c := ConfigHeader(1)
	add := func(number, alt int, protocol uint8) {
		c = AppendInterface(c, number, alt, 7, 1, protocol, 2, FirstName)
		c = AppendEndpoint(c, uint8(1+number), usb.TransferBulk, scanPacket, 0)
		c = AppendEndpoint(c, uint8(0x81+number), usb.TransferBulk, scanPacket, 0)
	}
	add(0, 0, 2)
	add(0, 1, 4)
	for i := 1; i < interfaces; i++ {
		add(i, 0, 4)
	}
	return c
}

// SetScene changes what lies on the glass.
func (s *Scanner) SetScene(scene PageScene) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scene = scene
}

// SetSpeed changes how fast a page arrives, bytes a second; 0 is as fast as it
// is read.
func (s *Scanner) SetSpeed(bytesPerSecond int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.BytesPerSecond = bytesPerSecond
}

func (s *Scanner) speed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opt.BytesPerSecond
}

// SetFault makes the scanner misbehave the next times times, for ever where
// times is 0.
func (s *Scanner) SetFault(f ScannerFault, times int) error {
	if f != ScannerHealthy && !slices.Contains(ScannerFaults, f) {
		return fmt.Errorf("virtual: scanner fault %q: want one of %q", f, ScannerFaults)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fault, s.times = f, times; times == 0 {
		s.times = -1
	}
	return nil
}

// LoadFeeder sets the state of the feeder and how many pages are in it.
func (s *Scanner) LoadFeeder(state string, pages int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.feeder, s.pages = state, pages
}

// strikes reports whether one of faults is to happen now, and counts it.
func (s *Scanner) strikes(faults ...ScannerFault) ScannerFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.times == 0 || !slices.Contains(faults, s.fault) {
		return ScannerHealthy
	}
	f := s.fault
	if s.times > 0 {
		s.times--
	}
	return f
}

// has reports whether f is set, without counting it.
func (s *Scanner) has(f ScannerFault) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault == f && s.times != 0
}

// Control implements [Function]: the requests of the printer class 1.1.
func (s *Scanner) Control(_ context.Context, q usb.Setup, data []byte) (int, error) {
	if q.RequestType&0x60 != 0x20 {
		return 0, usb.ErrStall
	}
	switch q.Request {
	case 0: // GET_DEVICE_ID; the interface is the high byte of wIndex
		id := "  MFG:" + s.opt.Manufacturer + ";MDL:" + s.opt.Product + ";CLS:IMAGE;CMD:eSCL;"
		b := []byte(strings.ToValidUTF8(id, "?"))
		b[0], b[1] = byte(len(b)>>8), byte(len(b))
		return copy(data, b), nil
	case 1: // GET_PORT_STATUS: selected, no error
		return copy(data, []byte{0x18}), nil
	case 2: // SOFT_RESET
		if i := int(q.Index); q.RequestType == 0x21 && i < len(s.conns) {
			s.conns[i].reset()
			s.conns[i].calm(false)
			return 0, nil
		}
	}
	return 0, usb.ErrStall
}

// Out implements [Function].
func (s *Scanner) Out(_ context.Context, ep uint8, data []byte) error {
	for _, c := range s.conns {
		if c.out == ep {
			return c.take(data)
		}
	}
	return usb.ErrStall
}

// In implements [Function].
func (s *Scanner) In(ctx context.Context, ep uint8, p []byte) (int, error) {
	for _, c := range s.conns {
		if c.in == ep {
			return c.give(ctx, p)
		}
	}
	return 0, usb.ErrStall
}

// SetInterface implements [Function].
func (s *Scanner) SetInterface(number, alt int) {
	if number < len(s.conns) {
		s.conns[number].reset()
		s.conns[number].choose(alt)
	}
}

// Reset implements [Function].
func (s *Scanner) Reset() {
	for _, c := range s.conns {
		c.reset()
		c.calm(true)
		c.choose(0)
	}
	s.jobs.cancelAll()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.struck { // the unplugging was ours: the cable is whole again
		s.struck = false
		s.dev.SetFaults(Faults{})
	}
}
