// Package virtual is software USB devices: descriptors and a [Function] that
// answers transfers. The same device serves in process behind [Bus] (fast
// tests), and over USB/IP behind [Server] (tambo-devsim, loopback only).
//
// A virtual device is never a way in: the kiosk program does not link this
// package, every bus that carries one says so by Virtual, and the server refuses
// to listen anywhere but on loopback because USB/IP has no authentication.
//
// The room has the framework ([Device], [Pipe], [Faults], [Bus], [Server]), UVC
// 1.1 cameras ([NewCamera], [NewColourCamera], [NewCompositeCamera],
// [NewTwinCamera]) and an eSCL scanner. Scenes come in through small interfaces.
// Transfers follow USB 2.0 chapters 5, 8 and 9: a transfer ends when it is full or
// by a short packet, a stalled endpoint stays halted until it is cleared,
// isochronous packets come once a service interval, at the bus's pace.
package virtual

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"time"
	"unicode/utf16"

	"tambo/devices/usb"
)

// Function is what a device does beyond its descriptors. Its methods are called
// by one goroutine per endpoint, so different endpoints run at the same time.
// An error must wrap one of those of package usb; ErrStall halts the endpoint.
//
// Every method that gets a context must return soon after it ends: the transfer
// was taken back, or the device unplugged.
type Function interface {
	// Control answers a class or vendor request, and standard requests to an
	// interface or endpoint that the framework does not know. data holds
	// what the host sent, or is the room to fill (len is wLength); n is what was
	// filled, or taken. Stall what is not known.
	Control(ctx context.Context, s usb.Setup, data []byte) (n int, err error)
	// Out takes one OUT transfer on a bulk or interrupt endpoint. A zero-length
	// packet comes as an empty one, also after a full last packet.
	Out(ctx context.Context, ep uint8, data []byte) error
	// In waits until the endpoint has something to send and puts it into p, at
	// most len(p) bytes. The framework ends the transfer when p is full or n is
	// not a multiple of the packet size (0 is a zero-length packet), otherwise
	// calls In again for the rest. [Pipe] does all of this for a function.
	In(ctx context.Context, ep uint8, p []byte) (n int, err error)
	// SetInterface says that an alternate setting was selected.
	SetInterface(number, alt int)
	// Reset says that the device was reset, plugged or unplugged: forget
	// all negotiated state. Transfers in progress were cancelled before.
	Reset()
}

// Isochronous is a function with isochronous IN endpoints.
type Isochronous interface {
	Function
	// Packet fills what an endpoint sends in the service interval at a time, and
	// returns at once; 0 is nothing to send. Intervals come in order.
	Packet(ep uint8, at time.Time, p []byte) (n int)
}

// Base is a function that stalls everything; embed it to write less.
type Base struct{}

// Control stalls.
func (Base) Control(context.Context, usb.Setup, []byte) (int, error) { return 0, usb.ErrStall }

// Out stalls.
func (Base) Out(context.Context, uint8, []byte) error { return usb.ErrStall }

// In stalls.
func (Base) In(context.Context, uint8, []byte) (int, error) { return 0, usb.ErrStall }

// SetInterface does nothing.
func (Base) SetInterface(int, int) {}

// Reset does nothing.
func (Base) Reset() {}

var _ Function = Base{}

// Descriptors is what a device says of itself.
type Descriptors struct {
	VendorID, ProductID, Release  uint16
	Class, SubClass, Protocol     uint8
	Manufacturer, Product, Serial string    // string indices 1, 2, 3
	Names                         []string  // string indices 4 and up, for interfaces
	Speed                         usb.Speed // SpeedHigh where zero
	// Config is the configuration descriptor with all below it; wTotalLength
	// and bNumInterfaces are filled in.
	Config []byte
}

// String indices of a device.
const (
	stringManufacturer = 1
	stringProduct      = 2
	stringSerial       = 3
	// FirstName is the string index of Descriptors.Names[0].
	FirstName = 4
)

// Device is a software USB device. It does nothing until it is plugged into a
// [Bus]. Safe for concurrent use.
type Device struct {
	desc   Descriptors
	config usb.Config
	fn     Function

	mu     sync.Mutex
	faults *faulter
	last   *session // its newest plugging
}

// NewDevice makes a device. The configuration must be one that
// [usb.ParseConfig] can follow: wrong descriptors are a fault, see [Faults].
func NewDevice(d Descriptors, f Function) (*Device, error) {
	d.Config = append([]byte(nil), d.Config...)
	if len(d.Config) < 9 || len(d.Config) > usb.MaxConfig {
		return nil, fmt.Errorf("virtual: configuration of %d bytes", len(d.Config))
	}
	binary.LittleEndian.PutUint16(d.Config[2:], uint16(len(d.Config)))
	c, err := usb.ParseConfig(d.Config)
	if err != nil {
		return nil, fmt.Errorf("virtual: %w", err)
	}
	numbers := map[int]bool{}
	for _, s := range c.Interfaces {
		numbers[s.Number] = true
	}
	d.Config[4] = uint8(len(numbers))
	if d.Speed == usb.SpeedUnknown {
		d.Speed = usb.SpeedHigh
	}
	return &Device{desc: d, config: c, fn: f, faults: newFaulter(Faults{})}, nil
}

// free says that the device can be plugged in, or what to wait for: its last
// plugging is ending. ErrBusy where it goes on.
func (d *Device) free() (wait <-chan struct{}, err error) {
	d.mu.Lock()
	s := d.last
	d.mu.Unlock()
	if s == nil {
		return nil, nil
	}
	select {
	case <-s.over:
		return nil, nil
	default:
	}
	if s.ctx.Err() == nil {
		return nil, usb.ErrBusy
	}
	return s.over, nil
}

// Function returns what NewDevice was given.
func (d *Device) Function() Function { return d.fn }

// SetFaults makes the device misbehave from now on; the zero Faults heals it.
func (d *Device) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = newFaulter(f)
}

// Faults returns what was set.
func (d *Device) Faults() Faults { return d.faulter().f }

func (d *Device) faulter() *faulter {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults
}

// configDescriptor is the configuration as the host sees it, damaged if a fault
// says so.
func (d *Device) configDescriptor() []byte {
	return d.faulter().descriptor(d.desc.Config)
}

func (d *Device) deviceDescriptor() []byte {
	b := []byte{18, usb.DescDevice, 0x00, 0x02, d.desc.Class, d.desc.SubClass, d.desc.Protocol, 64}
	b = binary.LittleEndian.AppendUint16(b, d.desc.VendorID)
	b = binary.LittleEndian.AppendUint16(b, d.desc.ProductID)
	b = binary.LittleEndian.AppendUint16(b, d.desc.Release)
	return append(b, stringManufacturer, stringProduct, stringSerial, 1)
}

func (d *Device) stringDescriptor(i int) ([]byte, bool) {
	var s string
	switch {
	case i == 0:
		return []byte{4, usb.DescString, 0x09, 0x04}, true // English (United States)
	case i == stringManufacturer:
		s = d.desc.Manufacturer
	case i == stringProduct:
		s = d.desc.Product
	case i == stringSerial:
		s = d.desc.Serial
	case i-FirstName >= 0 && i-FirstName < len(d.desc.Names):
		s = d.desc.Names[i-FirstName]
	default:
		return nil, false
	}
	b := []byte{0, usb.DescString}
	for _, u := range utf16.Encode([]rune(s)) {
		if len(b) >= 254 {
			break
		}
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	b[0] = uint8(len(b))
	return b, true
}

// qualifier answers for the other speed: it has no configuration.
func (d *Device) qualifier() []byte {
	return []byte{10, usb.DescQualifier, 0x00, 0x02, d.desc.Class, d.desc.SubClass, d.desc.Protocol, 64, 1, 0}
}

// info is what a bus lists.
func (d *Device) info(port string, address int) usb.DeviceInfo {
	return usb.DeviceInfo{
		Port: port, Address: address, VendorID: d.desc.VendorID, ProductID: d.desc.ProductID,
		Class: d.desc.Class, Speed: d.desc.Speed, Config: d.configDescriptor(),
		Strings: usb.Strings{Manufacturer: d.desc.Manufacturer, Product: d.desc.Product, Serial: d.desc.Serial},
	}
}

// packetSize is wMaxPacketSize of an endpoint, 0 if there is none.
func (d *Device) packetSize(ep uint8) int {
	for i := range d.config.Interfaces {
		if e, ok := d.config.Interfaces[i].Endpoint(ep); ok && e.Transfer != usb.TransferIsochronous {
			return e.MaxPacket
		}
	}
	return 0
}
