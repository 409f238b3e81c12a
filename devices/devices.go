// Package devices says what the kiosk needs of its capture devices: the
// interfaces, the images they deliver, and the ways in which they fail; and of
// whoever reads print for it.
//
// Drivers live below it, one room a protocol: [tambo/devices/uvc],
// [tambo/devices/escl]. They are found by [tambo/devices/discover] and pass the
// conformance suite in [tambo/devices/devicetest]. Nothing here talks to
// hardware, and nothing here judges what was captured: quality is the engines'.
//
// Every call takes a context and honours its deadline. Every error that a
// driver returns wraps one of the sentinels below, so that the caller decides by
// errors.Is and the officer reads one sentence.
package devices

import (
	"context"
	"errors"
	"fmt"
	"image"
	"time"

	"tambo/kiosk"
)

// The ways in which a device fails. A driver wraps them with what happened.
var (
	// ErrGone: the device was unplugged or stopped answering for good. Final
	// for this handle; discover and open again.
	ErrGone = errors.New("device is gone: check its cable, it is picked up again when it is back")
	// ErrBusy: another program or another handle holds the device. Not final.
	ErrBusy = errors.New("device is busy: another program holds it")
	// ErrStalled: the device is there and did not answer in time. Not final:
	// one retry after a reset is reasonable.
	ErrStalled = errors.New("device does not answer in time: unplug it and plug it in again")
	// ErrBadData: what came is not what the protocol allows, or is incomplete.
	// Nothing of it is used. Not final.
	ErrBadData = errors.New("device sent bad data: capture again, and change the cable if it repeats")
	// ErrAccess: the system does not let this program open the device. Not final.
	ErrAccess = errors.New("no permission to use the device: its udev rule is missing, run make install")
	// ErrUnsupported: the device cannot do what was asked. Final for this ask.
	ErrUnsupported = errors.New("device does not support this")
)

// Error is a device failure with the device and operation it belongs to.
// Kind is one of the sentinels of this package.
type Error struct {
	Device string // what a technician calls it: product and port, no serial
	Op     string // for instance "read frame"
	Kind   error
	Err    error // the cause, may be nil
}

// Error reads "iris camera (port 1-4): read frame: device is gone: …".
func (e *Error) Error() string {
	s := e.Op + ": " + e.Kind.Error()
	if e.Device != "" {
		s = e.Device + ": " + s
	}
	if e.Err != nil {
		s += fmt.Sprintf(" (%v)", e.Err)
	}
	return s
}

// Unwrap gives both the kind and the cause to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// Info identifies an opened device.
type Info struct {
	Kind      Kind
	Name      string // manufacturer and product as the device says, cleaned of control characters
	Port      string // where it is plugged in, stable over re-plugging ("1-4")
	VendorID  uint16
	ProductID uint16
	Serial    string // empty where the device has none
	Driver    string // "uvc", "escl"
	// Virtual is true for a software device. It is set from the bus that the
	// device was found on, never from what the device says of itself. It goes
	// into the provenance of every capture.
	Virtual bool
}

// Kind is what a device is for.
type Kind string

// Device kinds.
const (
	KindIrisCamera      Kind = "iris camera"
	KindFaceCamera      Kind = "face camera"
	KindDocumentScanner Kind = "document scanner"
	KindChipReader      Kind = "chip reader"
)

// IrisCamera delivers live near-infrared frames of the eyes.
//
// One stream at a time: a second Stream fails with ErrBusy. Methods may be
// called from any goroutine. Close ends the stream and releases the device.
type IrisCamera interface {
	Info() Info
	// Stream starts streaming and returns when the device has agreed on a
	// format; frames then arrive by Next.
	Stream(ctx context.Context) (IrisStream, error)
	// SetIllumination sets the near-infrared illumination, 0 (off) to 1 (full).
	// ErrUnsupported where the camera has no such control.
	SetIllumination(ctx context.Context, level float64) error
	Close() error
}

// IrisStream is a running stream. Next is called by one goroutine at a time.
type IrisStream interface {
	// Next waits for the newest whole frame; older frames that nobody took are
	// dropped and counted. A frame that arrived incomplete is never returned:
	// it is counted, and Next waits for the following one until ctx ends
	// (ErrStalled) or the device goes (ErrGone).
	Next(ctx context.Context) (IrisFrame, error)
	Stats() StreamStats
	Close() error
}

// IrisFrame is one exposure. Left and Right are the subject's own left and
// right eye, 8-bit grey, 320×240 to 1280×960; nil where the frame has none.
// The images belong to the caller.
type IrisFrame struct {
	Left, Right *image.Gray
	Seq         uint64
	At          time.Time // when the frame was complete, with monotonic reading
	Exposed     time.Time // when its exposure began, by the camera's clock mapped onto ours; zero where unknown
}

// Eye returns the image of one eye, nil if the frame has none.
func (f IrisFrame) Eye(e kiosk.Eye) *image.Gray {
	switch e {
	case kiosk.EyeLeft:
		return f.Left
	case kiosk.EyeRight:
		return f.Right
	}
	return nil
}

// FaceCamera delivers live colour frames of the face. A composite camera may be
// an [IrisCamera] and a FaceCamera at the same time, on interfaces of its own; the
// two are opened and streamed independently.
//
// One stream at a time: a second Stream fails with ErrBusy. Methods may be
// called from any goroutine. Close ends the stream and releases the device.
type FaceCamera interface {
	Info() Info
	// Stream starts streaming at the largest size that the camera offers at 10
	// frames a second or more, and returns when it has agreed on a format.
	Stream(ctx context.Context) (FaceStream, error)
	Close() error
}

// FaceStream is a running stream; Next behaves as [IrisStream]'s does. A frame
// that does not decode is damaged: counted, never returned.
type FaceStream interface {
	Next(ctx context.Context) (FaceFrame, error)
	Stats() StreamStats
	Close() error
}

// StillTaker is a FaceStream whose camera takes stills beside the stream, often of
// more pixels. Ask by a type assertion.
type StillTaker interface {
	// Still triggers one and waits for it. ErrUnsupported where the camera takes
	// none; ErrStalled where it did not come whole before ctx ended, ErrBadData
	// where it came damaged and no other will come. Its Seq is 0.
	Still(ctx context.Context) (FaceFrame, error)
}

// FaceFrame is one colour exposure, 320×240 to 4096×3072. It belongs to the
// caller.
type FaceFrame struct {
	Image *image.YCbCr
	// JPEG is the frame as the camera compressed it, so that it can be kept
	// without a second compression; nil where the stream is uncompressed.
	JPEG    []byte
	Seq     uint64
	At      time.Time // when the frame was complete, with monotonic reading
	Exposed time.Time // as of [IrisFrame]
}

// Adjustable is a camera whose picture can be tuned. A driver's IrisCamera or
// FaceCamera implements it where the protocol has such controls; ask by a type
// assertion.
type Adjustable interface {
	// Controls lists what the camera has, with values as they are now.
	Controls(ctx context.Context) ([]Control, error)
	// SetControl sets one by its name. ErrUnsupported where the camera has none
	// of that name, the value is beyond its range, or its automatic mode is on.
	SetControl(ctx context.Context, name string, value int64) error
}

// Control is a setting of a camera, for instance "brightness", "exposure" (in
// 100 µs) or "focus automatic" (0 or 1). Names are those of the UVC class, with
// "automatic" for its automatic modes.
type Control struct {
	Name                           string
	Value, Default, Min, Max, Step int64
	Modes                          uint32 // of a choice of modes: the bits that may be set, one at a time
	Settable                       bool
	Automatic                      bool // the camera sets it itself just now
}

// StreamStats counts what happened on a stream since it began.
type StreamStats struct {
	Frames    uint64 // whole frames received
	Dropped   uint64 // whole frames that nobody took in time, or whose other eye was lost
	Damaged   uint64 // frames given up: lost, short or error-marked payloads; counted an eye where each has a stream
	BusErrors uint64 // transfers that failed and were retried, isochronous packets that came damaged
}

// DocumentScanner reads pages. One scan at a time: a second fails with ErrBusy.
type DocumentScanner interface {
	Info() Info
	Capabilities(ctx context.Context) (ScannerCapabilities, error)
	// Scan reads one page. progress, which may be nil, is called with the bytes
	// received so far. The page is whole or there is an error.
	Scan(ctx context.Context, opt ScanOptions, progress func(received int64)) (Page, error)
	Close() error
}

// ScannerCapabilities is what a scanner offers.
type ScannerCapabilities struct {
	Resolutions   []int // dpi, ascending
	Colour, Grey  bool
	MaxWidth      int // 1/300 inch, the unit of eSCL
	MaxHeight     int // 1/300 inch
	Sources       []ScanSource
	DocumentTypes []string // MIME types the driver can decode
}

// ScanSource is where the page lies.
type ScanSource string

// Scan sources.
const (
	SourcePlaten ScanSource = "platen"
	SourceFeeder ScanSource = "feeder"
)

// ScanOptions asks for a page. The zero value asks for the default: 300 dpi
// grey or colour as the device prefers, platen, the whole bed.
type ScanOptions struct {
	Resolution int // dpi; 0 is 300, or the nearest that the device has
	Colour     bool
	Source     ScanSource
}

// Page is one scanned page.
type Page struct {
	Image      image.Image
	Encoded    []byte // the image as the device sent it
	MIME       string // of Encoded
	Resolution int    // dpi
	At         time.Time
}

// ChipReader exchanges APDUs with a contactless chip (ISO/IEC 7816-4).
type ChipReader interface {
	Info() Info
	// Present reports whether a chip is in the field.
	Present(ctx context.Context) (bool, error)
	// Transmit sends one command APDU and returns the response with its status
	// word. ErrGone when the chip left the field.
	Transmit(ctx context.Context, apdu []byte) ([]byte, error)
	Close() error
}

// TextReader reads the print on a picture: a program, or a part of one, that was
// made for print in general. It is optional everywhere: whoever asks goes on
// without it.
//
// Safe for concurrent use.
type TextReader interface {
	// ReadText returns the words that it made out, as far as it believes them
	// words; none is an answer. It ends when ctx does (ErrStalled), and keeps
	// nothing of the picture.
	ReadText(ctx context.Context, img *image.Gray) ([]kiosk.Word, error)
}
