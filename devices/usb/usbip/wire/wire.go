// Package wire is the USB/IP protocol 1.1.1 as bytes: both its sides, the
// exporter of virtual devices and our client, speak through it.
//
// It opens no connection. Nothing in it can be made to allocate more than
// MaxTransfer. Source: Documentation/usb/usbip_protocol.rst of the Linux kernel.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tambo/devices/usb"
)

// Version is the protocol version that both sides must speak.
const Version = 0x0111

// Operation codes.
const (
	ReqDevlist = 0x8005
	RepDevlist = 0x0005
	ReqImport  = 0x8003
	RepImport  = 0x0003
)

// Status of an operation (enum usbip_status codes of the tools).
const (
	StatusOK    = 0
	StatusNA    = 1
	StatusBusy  = 2
	StatusErr   = 3
	StatusNoDev = 4
)

// Commands of the URB phase.
const (
	CmdSubmit = 1
	CmdUnlink = 2
	RetSubmit = 3
	RetUnlink = 4
)

// Limits: a message that exceeds them is refused.
const (
	MaxTransfer   = 1 << 20
	MaxDevices    = 256
	MaxInterfaces = 64
	MaxPackets    = 1024 // of an isochronous transfer, as the kernel's
	HeaderSize    = 48
	deviceSize    = 312
)

// ErrMessage reports bytes that are not USB/IP, or more than we take.
var ErrMessage = errors.New("usbip: malformed message")

var be = binary.BigEndian

// Op is the head of an operation.
type Op struct {
	Code   uint16
	Status uint32
}

// WriteOp writes an operation head followed by body.
func WriteOp(w io.Writer, op Op, body []byte) error {
	b := make([]byte, 8, 8+len(body))
	be.PutUint16(b, Version)
	be.PutUint16(b[2:], op.Code)
	be.PutUint32(b[4:], op.Status)
	_, err := w.Write(append(b, body...))
	return err
}

// ReadOp reads an operation head.
func ReadOp(r io.Reader) (Op, error) {
	var b [8]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Op{}, err
	}
	if v := be.Uint16(b[:]); v != Version {
		return Op{}, fmt.Errorf("%w: version %#04x", ErrMessage, v)
	}
	return Op{Code: be.Uint16(b[2:]), Status: be.Uint32(b[4:])}, nil
}

// Device is a device record.
type Device struct {
	Path, BusID                       string
	BusNum, DevNum                    uint32
	Speed                             usb.Speed
	VendorID, ProductID, Release      uint16
	Class, SubClass, Protocol, Config uint8
	NumConfigs, NumInterfaces         uint8
	Interfaces                        []InterfaceClass // in device lists only
}

// InterfaceClass is the class of an interface.
type InterfaceClass struct{ Class, SubClass, Protocol uint8 }

// Append writes the record; the interfaces follow only in a list.
func (d Device) Append(b []byte, list bool) []byte {
	at := len(b)
	b = append(b, make([]byte, deviceSize)...)
	r := b[at:]
	copy(r[:255], d.Path)
	copy(r[256:287], d.BusID)
	be.PutUint32(r[288:], d.BusNum)
	be.PutUint32(r[292:], d.DevNum)
	be.PutUint32(r[296:], uint32(d.Speed))
	be.PutUint16(r[300:], d.VendorID)
	be.PutUint16(r[302:], d.ProductID)
	be.PutUint16(r[304:], d.Release)
	r[306], r[307], r[308] = d.Class, d.SubClass, d.Protocol
	r[309], r[310], r[311] = d.Config, d.NumConfigs, uint8(len(d.Interfaces))
	if list {
		for _, i := range d.Interfaces {
			b = append(b, i.Class, i.SubClass, i.Protocol, 0)
		}
	}
	return b
}

// ReadDevice reads a record, and its interfaces where list is true.
func ReadDevice(r io.Reader, list bool) (Device, error) {
	var b [deviceSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return Device{}, err
	}
	d := Device{
		Path: text(b[:256]), BusID: text(b[256:288]),
		BusNum: be.Uint32(b[288:]), DevNum: be.Uint32(b[292:]), Speed: usb.Speed(be.Uint32(b[296:])),
		VendorID: be.Uint16(b[300:]), ProductID: be.Uint16(b[302:]), Release: be.Uint16(b[304:]),
		Class: b[306], SubClass: b[307], Protocol: b[308], Config: b[309], NumConfigs: b[310], NumInterfaces: b[311],
	}
	if !list {
		return d, nil
	}
	if d.NumInterfaces > MaxInterfaces {
		return d, fmt.Errorf("%w: %d interfaces", ErrMessage, d.NumInterfaces)
	}
	for range d.NumInterfaces {
		var i [4]byte
		if _, err := io.ReadFull(r, i[:]); err != nil {
			return d, err
		}
		d.Interfaces = append(d.Interfaces, InterfaceClass{i[0], i[1], i[2]})
	}
	return d, nil
}

// ReadDevlist reads the body of a device list.
func ReadDevlist(r io.Reader) ([]Device, error) {
	var n [4]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	if be.Uint32(n[:]) > MaxDevices {
		return nil, fmt.Errorf("%w: %d devices", ErrMessage, be.Uint32(n[:]))
	}
	var out []Device
	for range be.Uint32(n[:]) {
		d, err := ReadDevice(r, true)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// AppendDevlist writes the body of a device list.
func AppendDevlist(b []byte, list []Device) []byte {
	b = be.AppendUint32(b, uint32(len(list)))
	for _, d := range list {
		b = d.Append(b, true)
	}
	return b
}

// BusIDSize is the length of the bus id in an import request.
const BusIDSize = 32

// ReadBusID reads the body of an import request.
func ReadBusID(r io.Reader) (string, error) {
	var b [BusIDSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return "", err
	}
	return text(b[:]), nil
}

// AppendBusID writes the body of an import request.
func AppendBusID(b []byte, id string) []byte {
	var f [BusIDSize]byte
	copy(f[:BusIDSize-1], id)
	return append(b, f[:]...)
}

// text reads a zero-padded field; bytes that are not printable ASCII become '?'.
func text(b []byte) string {
	for i, c := range b {
		if c == 0 {
			b = b[:i]
			break
		}
	}
	out := make([]byte, len(b))
	for i, c := range b {
		if out[i] = c; c < 0x20 || c > 0x7e {
			out[i] = '?'
		}
	}
	return string(out)
}
