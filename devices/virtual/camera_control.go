package virtual

import (
	"context"
	"encoding/binary"

	"tambo/devices/usb"
)

// UVC requests (UVC 1.1, A.8) and control selectors (A.9).
const (
	uvcSetCur  = 0x01
	uvcGetCur  = 0x81
	uvcGetMin  = 0x82
	uvcGetMax  = 0x83
	uvcGetRes  = 0x84
	uvcGetLen  = 0x85
	uvcGetInfo = 0x86
	uvcGetDef  = 0x87

	vcErrorCode = 2
	vsProbe     = 1
	vsCommit    = 2

	vsStillProbe   = 3
	vsStillCommit  = 4
	vsStillTrigger = 5

	errInvalidUnit    = 5
	errInvalidControl = 6
	errInvalidRequest = 7
)

// probeSize is the length of the probe control: 26 in UVC 1.0, 34 in 1.1.
const probeSize = 34

// Control implements [Function]: class requests to the video interfaces.
func (c *camera) Control(_ context.Context, s usb.Setup, data []byte) (int, error) {
	if s.RequestType != 0x21 && s.RequestType != 0xa1 {
		return 0, usb.ErrStall
	}
	number, entity, selector := uint8(s.Index), uint8(s.Index>>8), uint8(s.Value>>8)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, v := range c.streams {
		if v.number == int(number) {
			return v.control(s, selector, data)
		}
	}
	for _, f := range c.functions {
		if f.number == int(number) {
			return f.control(s, entity, selector, data)
		}
	}
	return 0, usb.ErrStall
}

// control answers requests to a control interface; camera.mu is held.
func (f *videoFunction) control(s usb.Setup, entity, selector uint8, data []byte) (int, error) {
	if entity == 0 && selector == vcErrorCode && s.Request == uvcGetCur {
		n := copy(data, []byte{f.lastErr})
		f.lastErr = 0
		return n, nil
	}
	u := f.units[uint16(entity)<<8|uint16(selector)]
	if u == nil {
		f.lastErr = errInvalidControl
		if entity == 0 || entity > idCamera3 {
			f.lastErr = errInvalidUnit
		}
		return 0, usb.ErrStall
	}
	n, err := u.control(s.Request, data)
	f.lastErr = 0
	if err != nil {
		f.lastErr = errInvalidRequest
	}
	return n, err
}

// control answers for a control of a unit.
func (u *unitControl) control(request uint8, data []byte) (int, error) {
	size := u.size
	if size == 0 {
		size = 2
	}
	number := func(v int32) (int, error) {
		return copy(data, binary.LittleEndian.AppendUint32(nil, uint32(v))[:size]), nil
	}
	held := u.automatic != nil && u.automatic.cur != u.manual
	switch request {
	case uvcSetCur:
		if len(data) != size || held {
			return 0, usb.ErrStall
		}
		var b [4]byte
		copy(b[:], data)
		v := int32(binary.LittleEndian.Uint32(b[:]))
		if size == 2 {
			v = int32(int16(v))
		}
		if v < u.min || v > u.max {
			return 0, usb.ErrStall
		}
		u.cur = v
		return size, nil
	case uvcGetCur:
		return number(u.cur)
	case uvcGetMin, uvcGetMax:
		if u.choice {
			return 0, usb.ErrStall
		}
		if request == uvcGetMin {
			return number(u.min)
		}
		return number(u.max)
	case uvcGetRes:
		return number(u.res)
	case uvcGetDef:
		return number(u.def)
	case uvcGetLen:
		return copy(data, []byte{byte(size), 0}), nil
	case uvcGetInfo:
		info := byte(3) // get and set
		if held {
			info |= 4
		}
		return copy(data, []byte{info}), nil
	}
	return 0, usb.ErrStall
}

// control negotiates; camera.mu is held.
func (s *videoStream) control(q usb.Setup, selector uint8, data []byte) (int, error) {
	if selector >= vsStillProbe && selector <= vsStillTrigger && s.still.X > 0 {
		return s.stillControl(q, selector, data)
	}
	if selector != vsProbe && selector != vsCommit {
		return 0, usb.ErrStall
	}
	switch q.Request {
	case uvcSetCur:
		if len(data) < 26 {
			return 0, usb.ErrStall
		}
		asked := probe{format: data[2], frame: data[3], interval: binary.LittleEndian.Uint32(data[4:])}
		if selector == vsProbe {
			s.probe = s.negotiate(asked)
			return len(data), nil
		}
		if !s.offered(asked) {
			return 0, usb.ErrStall
		}
		s.committed, s.agreed = true, s.negotiate(asked)
		s.epoch++
		s.c.changed()
		return len(data), nil
	case uvcGetCur:
		return copy(data, s.block(s.probe)), nil
	case uvcGetMin, uvcGetMax, uvcGetDef:
		return copy(data, s.block(s.negotiate(probe{}))), nil
	case uvcGetLen:
		return copy(data, []byte{probeSize, 0}), nil
	case uvcGetInfo:
		return copy(data, []byte{3}), nil
	}
	return 0, usb.ErrStall
}

// stillControl negotiates and triggers stills (UVC 1.1, 4.3.1.2); camera.mu is held.
func (s *videoStream) stillControl(q usb.Setup, selector uint8, data []byte) (int, error) {
	switch {
	case q.Request == uvcSetCur && selector == vsStillTrigger:
		return s.trigger(data)
	case q.Request == uvcSetCur:
		if len(data) != 11 || data[0] < 1 || int(data[0]) > len(s.formats) || data[1] != 1 {
			return 0, usb.ErrStall
		}
		s.stillFormat = data[0]
		return len(data), nil
	case q.Request == uvcGetCur && selector != vsStillTrigger:
		f := max(s.stillFormat, 1)
		payload := s.payload
		if s.isochronous && !s.stillPipe {
			payload = s.bandwidth(s.agreed)
		}
		b := binary.LittleEndian.AppendUint32([]byte{f, 1, 1}, uint32(videoMode{s.formats[f-1].coding, s.still}.bytes()))
		return copy(data, binary.LittleEndian.AppendUint32(b, uint32(payload))), nil
	}
	return 0, usb.ErrStall
}

// Values of the still trigger (UVC 1.1, table 4-80).
const (
	triggerStream = 1 // in the stream
	triggerPipe   = 2 // on the dedicated endpoint
	triggerAbort  = 3
)

// trigger begins a still, or ends the one on the dedicated endpoint; camera.mu is
// held.
func (s *videoStream) trigger(data []byte) (int, error) {
	if len(data) != 1 || s.stillFormat == 0 || !s.committed {
		return 0, usb.ErrStall
	}
	switch {
	case data[0] == triggerStream && !s.stillPipe:
		s.triggered = true
	case data[0] == triggerPipe && s.stillPipe, data[0] == triggerAbort && s.stillPipe:
		s.triggered = data[0] == triggerPipe
		s.stillEpoch++
		s.c.changed()
	default:
		return 0, usb.ErrStall
	}
	return 1, nil
}

// block encodes a probe and commit control (UVC 1.1, table 4-75).
func (s *videoStream) block(p probe) []byte {
	payload := s.payload
	if s.isochronous {
		payload = s.bandwidth(p)
	}
	b := make([]byte, probeSize)
	b[0] = 1 // dwFrameInterval is kept
	b[2], b[3] = p.format, p.frame
	binary.LittleEndian.PutUint32(b[4:], p.interval)
	binary.LittleEndian.PutUint32(b[18:], uint32(s.mode(p).bytes()))
	binary.LittleEndian.PutUint32(b[22:], uint32(payload))
	binary.LittleEndian.PutUint32(b[26:], clockHz)
	b[30] = 3 // FID and EOF are sent
	b[31], b[32], b[33] = 1, 1, 1
	return b
}
