package virtual

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync/atomic"
	"time"

	"tambo/devices/usb"
)

// Loopback is the device that bus implementations are tested with, after the
// kernel's Gadget Zero. Interface 0: what is written to 0x01 comes back on 0x81;
// 0x83 is a source of transfers that each begin with a 32-bit little-endian
// counter. Interface 2 (there is no 1) has alternate settings 0, without
// endpoints, and 1, with interrupt IN 0x84 that sends its alternate setting.
// Interface 4 has alternate settings 0, without endpoints, 1 and 2, with
// isochronous IN 0x85 of 3×1024 and of 192 bytes an interval: packet n since the
// setting was selected is n, 32-bit little-endian, then bytes of value n up to
// LoopbackPacket(n, size) bytes.
// Vendor requests: IN 0x42 returns wValue, wIndex; OUT 0x43 stores data, IN 0x43
// returns it; OUT 0x44 halts endpoint 0x81; IN 0x45 never answers.
type Loopback struct {
	Base
	pipe   *Pipe
	stored chan []byte // of one: what 0x43 stored
	halt   chan struct{}
	alt    chan int
	next   uint32
	packet atomic.Uint32 // number of the next isochronous packet
	source []byte
	rest   []byte
}

const loopPacket = 512

// NewLoopback makes the device; serial tells two of them apart.
func NewLoopback(serial string) *Device {
	l := &Loopback{pipe: NewPipe(loopPacket, 1<<20), stored: make(chan []byte, 1),
		halt: make(chan struct{}, 1), alt: make(chan int, 1), source: make([]byte, 16<<10)}
	l.alt <- 0
	l.stored <- nil
	cfg := ConfigHeader(1)
	cfg = AppendInterface(cfg, 0, 0, 0xff, 0, 0, 3, 0)
	cfg = AppendEndpoint(cfg, 0x01, usb.TransferBulk, loopPacket, 0)
	cfg = AppendEndpoint(cfg, 0x81, usb.TransferBulk, loopPacket, 0)
	cfg = AppendEndpoint(cfg, 0x83, usb.TransferBulk, loopPacket, 0)
	cfg = AppendInterface(cfg, 2, 0, 0xff, 1, 0, 0, FirstName)
	cfg = AppendInterface(cfg, 2, 1, 0xff, 1, 0, 1, FirstName)
	cfg = AppendEndpoint(cfg, 0x84, usb.TransferInterrupt, 64, 4)
	cfg = AppendInterface(cfg, 4, 0, 0xff, 2, 0, 0, 0)
	cfg = AppendInterface(cfg, 4, 1, 0xff, 2, 0, 1, 0)
	cfg = AppendEndpoint(cfg, 0x85, usb.TransferIsochronous, 2<<11|1024, 1)
	cfg = AppendInterface(cfg, 4, 2, 0xff, 2, 0, 1, 0)
	cfg = AppendEndpoint(cfg, 0x85, usb.TransferIsochronous, 192, 4)
	d, err := NewDevice(Descriptors{VendorID: 0x0525, ProductID: 0xa4a0, Release: 0x0100,
		Manufacturer: "Tambo", Product: "Loopback", Serial: serial, Names: []string{"alternates"}, Config: cfg}, l)
	if err != nil {
		panic(err) // the descriptors above are constant
	}
	return d
}

// Control implements [Function].
func (l *Loopback) Control(ctx context.Context, s usb.Setup, data []byte) (int, error) {
	switch {
	case s.RequestType == 0xc0 && s.Request == 0x42:
		b := binary.LittleEndian.AppendUint16(nil, s.Value)
		return copy(data, binary.LittleEndian.AppendUint16(b, s.Index)), nil
	case s.RequestType == 0x40 && s.Request == 0x43:
		<-l.stored
		l.stored <- bytes.Clone(data)
		return len(data), nil
	case s.RequestType == 0xc0 && s.Request == 0x43:
		b := <-l.stored
		l.stored <- b
		return copy(data, b), nil
	case s.RequestType == 0x40 && s.Request == 0x44:
		select {
		case l.halt <- struct{}{}:
		default:
		}
		return 0, nil
	case s.RequestType == 0xc0 && s.Request == 0x45:
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 0, usb.ErrStall
}

// Out implements [Function].
func (l *Loopback) Out(ctx context.Context, _ uint8, data []byte) error {
	return l.pipe.Send(ctx, bytes.Clone(data), len(data)%loopPacket != 0 || len(data) == 0)
}

// In implements [Function].
func (l *Loopback) In(ctx context.Context, ep uint8, p []byte) (int, error) {
	switch ep {
	case 0x81:
		select {
		case <-l.halt:
			return 0, usb.ErrStall
		default:
			return l.pipe.In(ctx, p)
		}
	case 0x83:
		if len(l.rest) == 0 {
			binary.LittleEndian.PutUint32(l.source, l.next)
			l.next++
			l.rest = l.source
		}
		n := copy(p, l.rest)
		l.rest = l.rest[n:]
		return n, nil
	case 0x84:
		a := <-l.alt
		l.alt <- a
		return copy(p, []byte{byte(a)}), nil
	}
	return 0, usb.ErrStall
}

// SetInterface implements [Function].
func (l *Loopback) SetInterface(number, alt int) {
	switch number {
	case 2:
		<-l.alt
		l.alt <- alt
	case 4:
		l.packet.Store(0)
	}
}

// Packet implements [Function].
func (l *Loopback) Packet(_ uint8, _ time.Time, p []byte) int {
	n := l.packet.Add(1) - 1
	p = p[:LoopbackPacket(int(n), len(p))]
	for i := range p {
		p[i] = byte(n)
	}
	if len(p) > 0 {
		binary.LittleEndian.PutUint32(p, n)
	}
	return len(p)
}

// LoopbackPacket is how long isochronous packet n is where size bytes are the
// most: now and then empty, mostly of changing length, sometimes full.
func LoopbackPacket(n, size int) int {
	switch n % 8 {
	case 3:
		return 0
	case 5:
		return size
	}
	return 4 + n*37%(size-4)
}

// Reset implements [Function].
func (l *Loopback) Reset() {
	l.pipe.Reset()
	l.SetInterface(2, 0)
	select {
	case <-l.halt:
	default:
	}
}
