package uvc

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"tambo/devices/internal/mjpeg"
	"tambo/devices/usb"
)

// Requests and selectors (UVC A.8, A.9).
const (
	setCur     = 0x01
	getCur     = 0x81
	getLen     = 0x85
	probeSel   = 1
	commitSel  = 2
	typeSet    = 0x21
	typeGet    = 0xa1
	probeMin   = 26 // UVC 1.0
	probe11    = 34 // UVC 1.1
	probe15    = 48 // UVC 1.5
	maxPayload = 1 << 26
)

// negotiate agrees with the camera on a mode (UVC 4.3.1.1): probe what we want,
// read what the camera would do, commit to exactly that.
func negotiate(ctx context.Context, d usb.Device, number int, want mode) (mode, error) {
	size := probeLength(ctx, d, number)
	b := make([]byte, size)
	b[0] = 1 // keep dwFrameInterval
	b[2], b[3] = want.format, want.frame
	binary.LittleEndian.PutUint32(b[4:], units(want.interval))
	if _, err := d.Control(ctx, setup(typeSet, setCur, probeSel, 0, number), b); err != nil {
		return want, fmt.Errorf("probe: %w", err)
	}
	n, err := d.Control(ctx, setup(typeGet, getCur, probeSel, 0, number), b)
	if err != nil {
		return want, fmt.Errorf("probe: %w", err)
	}
	if n < probeMin {
		return want, fmt.Errorf("probe: answer of %d bytes: %w", n, usb.ErrIO)
	}
	b = b[:n]
	got, err := want.agree(b)
	if err != nil {
		return got, err
	}
	if _, err := d.Control(ctx, setup(typeSet, setCur, commitSel, 0, number), b); err != nil {
		return got, fmt.Errorf("commit: %w", err)
	}
	return got, nil
}

// agree checks the camera's answer against what was asked.
func (m mode) agree(b []byte) (mode, error) {
	le := binary.LittleEndian
	if b[2] != m.format || b[3] != m.frame {
		return m, fmt.Errorf("%w: camera offers format %d frame %d for %d and %d", errUnsupported, b[2], b[3], m.format, m.frame)
	}
	m.interval = interval(le.Uint32(b[4:]))
	if m.interval <= 0 {
		m.interval = time.Second / 15
	}
	size, payload := le.Uint32(b[18:]), le.Uint32(b[22:])
	switch {
	case m.coding == codingMJPEG:
		m.frameSize = mjpeg.Limit(m.width, m.height, size)
	case size != 0 && int64(size) < int64(m.frameSize): // some leave it empty
		return m, fmt.Errorf("%w: frames of %d bytes for %d pixels", usb.ErrIO, size, m.frameSize)
	}
	if payload < 3 || payload > maxPayload {
		return m, fmt.Errorf("%w: payload transfers of %d bytes", usb.ErrIO, payload)
	}
	m.payload = int(payload)
	if len(b) >= 30 { // UVC 1.1
		if hz := le.Uint32(b[26:]); hz != 0 {
			m.clockHz = hz
		}
	}
	m.block = b
	return m, nil
}

// probeLength asks how long the probe control is; a camera that does not say
// gets what UVC 1.1 says.
func probeLength(ctx context.Context, d usb.Device, number int) int {
	var b [2]byte
	n, err := d.Control(ctx, setup(typeGet, getLen, probeSel, 0, number), b[:])
	if err == nil && n == 2 {
		switch l := int(binary.LittleEndian.Uint16(b[:])); l {
		case probeMin, probe11, probe15:
			return l
		}
	}
	return probe11
}

// setup makes a class request to an entity of an interface (entity 0 is the
// interface itself).
func setup(typ, request, selector, entity uint8, number int) usb.Setup {
	return usb.Setup{RequestType: typ, Request: request, Value: uint16(selector) << 8,
		Index: uint16(entity)<<8 | uint16(uint8(number))}
}
