package virtual

import (
	"context"
	"encoding/binary"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
)

// Standard requests (USB 2.0, table 9-4).
const (
	getStatus        = 0x00
	clearFeature     = 0x01
	setFeature       = 0x03
	setAddress       = 0x05
	getDescriptor    = 0x06
	getConfiguration = 0x08
	setConfiguration = 0x09
	getInterface     = 0x0A
	setInterface     = 0x0B
)

const featureEndpointHalt = 0

// control answers a transfer on endpoint 0: standard requests here, all others
// by the function. A stall on endpoint 0 is cleared by the next request.
func (s *session) control(ctx context.Context, u *urb.URB) (int, error) {
	f := s.dev.faulter()
	if err := s.before(ctx, f.roll(0)); err != nil {
		return 0, err
	}
	if u.Setup == urb.PortReset {
		s.reset()
		return 0, nil
	}
	if u.Setup.RequestType&0x60 == 0 {
		if n, err, known := s.standard(u.Setup, u.Buf); known {
			return n, err
		}
	}
	n, err := s.dev.fn.Control(ctx, u.Setup, u.Buf)
	if n < 0 || n > len(u.Buf) {
		return 0, usb.ErrIO
	}
	return n, err
}

// reset is a port reset: what the host negotiated is forgotten. A plugging that is
// over resets nothing: the device may be another host's by now.
func (s *session) reset() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.workers.Add(1) // close waits for it
	defer s.workers.Done()
	s.alts = map[int]int{}
	s.halted = map[uint8]bool{}
	s.served = map[uint8]time.Time{}
	s.mu.Unlock()
	s.dev.fn.Reset()
}

// standard carries out the requests that are the same for every device. known
// is false for what belongs to the function.
func (s *session) standard(q usb.Setup, data []byte) (n int, err error, known bool) {
	reply := func(b []byte) (int, error, bool) { return copy(data, b), nil, true }
	stall := func() (int, error, bool) { return 0, usb.ErrStall, true }
	switch recipient := q.RequestType & 0x1f; {
	case q.RequestType == 0x80 && q.Request == getDescriptor:
		if b, ok := s.descriptor(uint8(q.Value>>8), int(q.Value&0xff)); ok {
			return reply(b)
		}
		return stall()
	case q.RequestType&0x80 != 0 && q.Request == getStatus:
		st := []byte{0, 0}
		if recipient == 2 && s.isHalted(uint8(q.Index)) {
			st[0] = 1
		}
		return reply(st)
	case q.RequestType == 0x80 && q.Request == getConfiguration:
		s.mu.Lock()
		defer s.mu.Unlock()
		return reply([]byte{s.config})
	case q.RequestType == 0x81 && q.Request == getInterface:
		s.mu.Lock()
		defer s.mu.Unlock()
		return reply([]byte{uint8(s.alts[int(q.Index)])})
	case q.RequestType == 0x00 && q.Request == setConfiguration:
		return s.setConfiguration(uint8(q.Value))
	case q.RequestType == 0x01 && q.Request == setInterface:
		return s.setInterface(int(q.Index), int(q.Value))
	case q.RequestType == 0x00 && q.Request == setAddress:
		return 0, nil, true
	case recipient == 2 && q.Value == featureEndpointHalt && (q.Request == clearFeature || q.Request == setFeature):
		if s.dev.packetSize(uint8(q.Index)) == 0 {
			return stall()
		}
		s.halt(uint8(q.Index), q.Request == setFeature)
		return 0, nil, true
	case recipient == 0 && (q.Request == clearFeature || q.Request == setFeature):
		return 0, nil, true // remote wake-up
	}
	return 0, nil, false
}

func (s *session) descriptor(kind uint8, index int) ([]byte, bool) {
	switch kind {
	case usb.DescDevice:
		return s.dev.deviceDescriptor(), true
	case usb.DescConfig:
		return s.dev.configDescriptor(), index == 0
	case usb.DescString:
		return s.dev.stringDescriptor(index)
	case usb.DescQualifier:
		return s.dev.qualifier(), s.dev.desc.Speed >= usb.SpeedHigh
	}
	return nil, false
}

func (s *session) setConfiguration(v uint8) (int, error, bool) {
	if v != 0 && v != s.dev.config.Value {
		return 0, usb.ErrStall, true
	}
	s.reset()
	s.mu.Lock()
	s.config = v
	s.mu.Unlock()
	return 0, nil, true
}

func (s *session) setInterface(number, alt int) (int, error, bool) {
	set, ok := s.dev.config.Setting(number, alt)
	if !ok {
		return 0, usb.ErrStall, true
	}
	s.mu.Lock()
	s.alts[number] = alt
	for _, e := range set.Endpoints {
		delete(s.halted, e.Address)
	}
	s.mu.Unlock()
	s.dev.fn.SetInterface(number, alt)
	return 0, nil, true
}

// ConfigHeader begins a configuration descriptor; append interfaces to it.
func ConfigHeader(value uint8) []byte {
	return []byte{9, usb.DescConfig, 0, 0, 0, value, 0, 0x80, 250}
}

// AppendInterface appends an interface descriptor. name is a string index.
func AppendInterface(b []byte, number, alt int, class, subclass, protocol uint8, endpoints int, name uint8) []byte {
	return append(b, 9, usb.DescInterface, uint8(number), uint8(alt), uint8(endpoints), class, subclass, protocol, name)
}

// AppendEndpoint appends an endpoint descriptor.
func AppendEndpoint(b []byte, address, transfer uint8, maxPacket int, interval uint8) []byte {
	b = append(b, 7, usb.DescEndpoint, address, transfer)
	b = binary.LittleEndian.AppendUint16(b, uint16(maxPacket))
	return append(b, interval)
}
