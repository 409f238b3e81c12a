package uvc

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"tambo/devices"
	"tambo/devices/internal/mjpeg"
	"tambo/devices/usb"
)

// Still image controls of a streaming interface (UVC A.9.7, 4.3.1.2 to 4.3.1.4).
const (
	stillProbeSel   = 3
	stillCommitSel  = 4
	stillTriggerSel = 5
	stillBlock      = 11
	stillInStream   = 2 // bStillCaptureMethod
	transmitStill   = 1
)

// stillMode agrees with the camera on the largest still of the stream's format.
func (v *video) stillMode(ctx context.Context) (mode, error) {
	m := v.mode
	var sizes []StillSize
	for _, f := range v.info.Formats {
		if f.Index == m.format {
			sizes = f.Still
		}
	}
	if v.info.StillMethod != stillInStream || len(sizes) == 0 {
		return m, fmt.Errorf("%w: the camera takes no stills in its stream (method %d)", errUnsupported, v.info.StillMethod)
	}
	best := slices.MaxFunc(sizes, func(a, b StillSize) int { return cmp.Compare(a.Width*a.Height, b.Width*b.Height) })
	if best.Width < minWidth || best.Width > faceWidth || best.Height < minHeight || best.Height > faceHeight || best.Width%2+best.Height%2 != 0 {
		return m, fmt.Errorf("%w: stills of %d×%d", errUnsupported, best.Width, best.Height)
	}
	m.frame = uint8(slices.Index(sizes, best) + 1)
	m.frameSize = m.frameSize / (m.width * m.height) * best.Width * best.Height
	if m.coding == codingNV12 {
		m.frameSize = best.Width * best.Height * 3 / 2
	}
	m.width, m.height = best.Width, best.Height
	b := make([]byte, stillBlock)
	b[0], b[1], b[2] = m.format, m.frame, 1
	if _, err := v.dev.Control(ctx, setup(typeSet, setCur, stillProbeSel, 0, v.info.Number), b); err != nil {
		return m, fmt.Errorf("still probe: %w", err)
	}
	n, err := v.dev.Control(ctx, setup(typeGet, getCur, stillProbeSel, 0, v.info.Number), b)
	if err == nil && (n != stillBlock || b[0] != m.format || b[1] != m.frame) {
		err = usb.ErrIO
	}
	if err != nil {
		return m, fmt.Errorf("still probe: %w", err)
	}
	size, payload := binary.LittleEndian.Uint32(b[3:]), binary.LittleEndian.Uint32(b[7:])
	if m.coding == codingMJPEG {
		m.frameSize = mjpeg.Limit(m.width, m.height, size)
	}
	if payload < 3 || payload > maxPayload || v.isochronous() && int(payload) > v.alt.Packet {
		return m, fmt.Errorf("%w: payloads of %d bytes for a still", errUnsupported, payload)
	}
	m.payload = int(payload)
	if _, err := v.dev.Control(ctx, setup(typeSet, setCur, stillCommitSel, 0, v.info.Number), b); err != nil {
		return m, fmt.Errorf("still commit: %w", err)
	}
	return m, nil
}

var _ devices.StillTaker = (*faceStream)(nil)

// Still implements [devices.StillTaker], by UVC's method 2: the still comes
// between the frames of the stream, and is marked.
func (s *faceStream) Still(ctx context.Context) (devices.FaceFrame, error) {
	f, err := s.takeStill(ctx)
	return f, fail(s.cam.name, "take a still", err)
}

func (s *faceStream) takeStill(ctx context.Context) (devices.FaceFrame, error) {
	v := s.cam.eye
	s.stills.Lock()
	defer s.stills.Unlock()
	m, err := v.stillMode(ctx)
	if err != nil {
		return devices.FaceFrame{}, err
	}
	taken := make(chan shot, 1)
	a := newAssembler(m, 0)
	a.fresh = func() picture { return newPicture(m, 1) }
	a.damaged = func() { s.Count(func(st *devices.StreamStats) { st.Damaged++ }) }
	a.emit = func(sh shot) {
		select {
		case taken <- sh:
		default: // one is enough
		}
	}
	v.asm.still.Store(a)
	defer v.asm.still.Store(nil)
	if _, err := v.dev.Control(ctx, setup(typeSet, setCur, stillTriggerSel, 0, v.info.Number), []byte{transmitStill}); err != nil {
		return devices.FaceFrame{}, fmt.Errorf("still trigger: %w", err)
	}
	select {
	case sh := <-taken:
		return developed(sh, m)
	case <-ctx.Done():
		return devices.FaceFrame{}, fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
	case <-s.over:
		return devices.FaceFrame{}, usb.ErrGone
	}
}

// developed makes a frame of a still.
func developed(sh shot, m mode) (devices.FaceFrame, error) {
	out := devices.FaceFrame{At: sh.at}
	switch p := sh.pic.(type) {
	case yuy2Picture:
		out.Image = p.img
	case nv12Picture:
		out.Image = p.img
	case *jpegPicture:
		whole, err := mjpeg.Check(p.data, m.width, m.height)
		if err == nil {
			out.Image, out.JPEG, err = mjpeg.Decode(whole)
		}
		if err != nil {
			return devices.FaceFrame{}, fmt.Errorf("still: %w", err)
		}
	}
	return out, nil
}
