// Package usb is the little that our drivers need of USB 2.0: list what is
// plugged in, open a device, claim an interface, move bytes.
//
// Its implementations: [tambo/devices/usb/libusb] over real hardware,
// [tambo/devices/usb/usbip] over a USB/IP exporter (virtual devices on loopback,
// under a training agreement only), and the in-process bus of
// [tambo/devices/virtual]. All pass [tambo/devices/usb/usbtest]. No driver knows
// which of them it runs on.
//
// It never interprets a class protocol and never retries.
package usb

import (
	"context"
	"errors"
)

// The ways in which a transfer ends badly. Implementations wrap them.
var (
	ErrGone     = errors.New("usb: device disconnected")             // ENODEV, ESHUTDOWN
	ErrStall    = errors.New("usb: endpoint stalled")                // EPIPE; ClearHalt makes it usable again
	ErrTimeout  = errors.New("usb: transfer timed out")              // the context's deadline passed; the transfer was cancelled
	ErrBusy     = errors.New("usb: interface is claimed by another") // EBUSY
	ErrOverflow = errors.New("usb: device sent more than asked for") // EOVERFLOW, babble
	ErrIO       = errors.New("usb: transfer failed")                 // EPROTO, EILSEQ and the rest
	ErrNotFound = errors.New("usb: no such device, interface or endpoint")
	ErrAccess   = errors.New("usb: no permission to open the device") // EACCES: udev rule missing
)

// Bus lists and opens devices. Safe for concurrent use.
type Bus interface {
	// Name is "usb", "usbip" or "in-process".
	Name() string
	// Virtual reports that devices on this bus are software.
	Virtual() bool
	// List returns what is plugged in now, ordered by Port.
	List(ctx context.Context) ([]DeviceInfo, error)
	// Open opens the device at a port for control transfers; it claims
	// nothing. ErrNotFound if the port is empty.
	Open(ctx context.Context, port string) (Device, error)
	Close() error
}

// DeviceInfo is a device as its descriptors describe it.
type DeviceInfo struct {
	Port      string // "1-4.2": bus, then the chain of hub ports; stable over re-plugging
	Address   int    // changes with every plugging
	VendorID  uint16
	ProductID uint16
	Class     uint8 // device class, 0 when interfaces say theirs
	Speed     Speed
	Strings   Strings // best effort, empty where the device gave none
	// Config is the raw configuration descriptor with everything below it
	// (USB 2.0, 9.6.3 to 9.6.6, and class-specific descriptors).
	Config []byte
	// Virtual says of a device on a bus of hardware that its host controller is
	// made of software (Linux: vhci_hcd, dummy_hcd), as far as that is known.
	Virtual bool
}

// Strings are the device's own names, untrusted text.
type Strings struct{ Manufacturer, Product, Serial string }

// Speed is the speed of the link.
type Speed uint8

// Speeds, with the codes of USB/IP and Linux (enum usb_device_speed).
const (
	SpeedUnknown Speed = 0
	SpeedLow     Speed = 1
	SpeedFull    Speed = 2
	SpeedHigh    Speed = 3
	SpeedSuper   Speed = 5
)

// Setup is a control request (USB 2.0, 9.3). The direction is bit 7 of
// RequestType.
type Setup struct {
	RequestType, Request uint8
	Value, Index         uint16
}

// In reports whether data flows from the device to the host.
func (s Setup) In() bool { return s.RequestType&0x80 != 0 }

// Device is an opened device. Safe for concurrent use. Close releases what is
// still claimed and fails pending transfers with ErrGone.
type Device interface {
	Info() DeviceInfo
	// Control makes a control transfer on endpoint 0. data is sent or filled;
	// n is what was moved. ctx without a deadline gets five seconds.
	Control(ctx context.Context, s Setup, data []byte) (n int, err error)
	// Claim takes an interface from the kernel and from other programs, and
	// selects alternate setting 0. number is bInterfaceNumber, which need not
	// be contiguous.
	Claim(ctx context.Context, number int) (Interface, error)
	// Reset performs a port reset. Claims are lost; ErrGone means: list again.
	Reset(ctx context.Context) error
	Close() error
}

// Interface is a claimed interface.
type Interface interface {
	Number() int
	// SetAlt selects an alternate setting (SET_INTERFACE). As with ClearHalt,
	// no transfer may be in flight. ErrBusy also where the bus has no bandwidth
	// left for it.
	SetAlt(ctx context.Context, alt int) error
	// Read makes one bulk or interrupt IN transfer and returns when it is full,
	// a short packet ends it, or ctx ends. address includes the direction bit
	// (0x81). On ErrTimeout n bytes may have arrived.
	Read(ctx context.Context, address uint8, p []byte) (n int, err error)
	// Write makes one bulk or interrupt OUT transfer. zlp appends a zero-length
	// packet when len(p) is a multiple of the packet size.
	Write(ctx context.Context, address uint8, p []byte, zlp bool) (n int, err error)
	// Stream keeps count IN transfers of size bytes in flight, so that the bus
	// is never idle; bulk only. Transfers are delivered in order.
	Stream(ctx context.Context, address uint8, size, count int) (Stream, error)
	// Packets keeps count isochronous IN transfers in flight, each of packets
	// service intervals (at most 128) as large as the endpoint's PerInterval.
	// The alternate setting that has the endpoint must be selected. ErrBusy
	// where the bus has no bandwidth left for it.
	Packets(ctx context.Context, address uint8, packets, count int) (PacketStream, error)
	// ClearHalt makes a stalled endpoint usable again, data toggles included.
	// Close streams and end transfers of the interface before: ErrBusy where a
	// bus cannot do it under them.
	ClearHalt(ctx context.Context, address uint8) error
	// Release gives the interface back and fails its transfers with ErrGone.
	// Idempotent.
	Release() error
}

// Stream is a queue of IN transfers in flight.
type Stream interface {
	// Next returns the next completed transfer's bytes, valid until the
	// following Next or Close. A failed transfer is returned as its error, and
	// the stream goes on unless that error is ErrGone. After ErrStall it fails
	// until the halt is cleared. ErrTimeout means that ctx ended: nothing is lost.
	// One goroutine at a time.
	Next(ctx context.Context) ([]byte, error)
	// Close cancels what is in flight and returns when the last is done.
	Close() error
}

// Packet is what came in one service interval: high-bandwidth transactions
// joined. Err is ErrIO where it was damaged or did not come, ErrOverflow where
// it was too long; Data is then not to be trusted. An interval in which the
// device had nothing to send is an empty packet without error.
type Packet struct {
	Data []byte
	Err  error
}

// MaxPackets is the most packets of an isochronous transfer.
const MaxPackets = 128

// PacketStream is a queue of isochronous IN transfers in flight. Packet
// boundaries are kept: each packet is delivered once, in order, with what became
// of it.
type PacketStream interface {
	// Next returns the packets of the next completed transfer, valid until the
	// following Next or Close. Errors are as of [Stream], about the transfer as a
	// whole; a damaged packet is not one. One goroutine at a time.
	Next(ctx context.Context) ([]Packet, error)
	// Close cancels what is in flight and returns when the last is done.
	Close() error
}
