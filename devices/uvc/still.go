package uvc

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"

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
	stillOnPipe     = 3
	transmitStill   = 1 // bTrigger
	transmitOnPipe  = 2
	abortStill      = 3
	stillFlight     = 4 // transfers of the dedicated endpoint
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
	switch method := v.info.StillMethod; {
	case method != stillInStream && method != stillOnPipe || len(sizes) == 0:
		return m, fmt.Errorf("%w: the camera takes no stills of its own (method %d)", errUnsupported, method)
	case method == stillOnPipe && !slices.Contains(v.info.StillAlts, v.alt.Alt):
		return m, fmt.Errorf("%w: no endpoint for stills in alternate setting %d", errUnsupported, v.alt.Alt)
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
	if payload < 3 || payload > maxPayload || v.isochronous() && v.info.StillMethod == stillInStream && int(payload) > v.alt.Packet {
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
// between the frames of the stream, and is marked; or by method 3: it comes on an
// endpoint of its own.
func (s *faceStream) Still(ctx context.Context) (devices.FaceFrame, error) {
	f, err := s.takeStill(ctx)
	return f, fail(s.cam.name, "take a still", err)
}

func (s *faceStream) takeStill(ctx context.Context) (devices.FaceFrame, error) {
	v := s.cam.eye()
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
	if v.info.StillMethod == stillOnPipe {
		sh, err := v.stillOnPipe(ctx, s.over, a, taken)
		if err != nil {
			return devices.FaceFrame{}, err
		}
		return developed(sh, m)
	}
	v.asm.still.Store(a)
	defer v.asm.still.Store(nil)
	if err := v.trigger(ctx, transmitStill); err != nil {
		return devices.FaceFrame{}, err
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

// trigger sets the still trigger.
func (v *video) trigger(ctx context.Context, value byte) error {
	if _, err := v.dev.Control(ctx, setup(typeSet, setCur, stillTriggerSel, 0, v.info.Number), []byte{value}); err != nil {
		return fmt.Errorf("still trigger: %w", err)
	}
	return nil
}

// stillOnPipe takes a still on its own endpoint, while the stream goes on. What
// did not come whole is aborted; a halted endpoint is cleared by beginning the
// stream anew, because a bus may clear none while the interface streams.
func (v *video) stillOnPipe(ctx context.Context, over <-chan struct{}, a *assembler, taken <-chan shot) (shot, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	if !v.pipe.enter(stop) {
		return shot{}, errRestart
	}
	defer v.pipe.leave()
	go func() {
		select {
		case <-over:
			stop(usb.ErrGone)
		case <-ctx.Done():
		}
	}()
	sh, err := v.readStill(ctx, a, taken)
	if err == nil || errors.Is(err, usb.ErrGone) {
		return sh, err
	}
	if cause := context.Cause(ctx); errors.Is(cause, usb.ErrGone) || errors.Is(cause, errRestart) {
		return sh, cause
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), haltWait)
	defer cancel()
	_ = v.trigger(end, abortStill) // best effort: it may be what failed
	if errors.Is(err, usb.ErrStall) {
		v.again.Store(true)
	}
	return sh, err
}

// readStill triggers and reads until the still is there, or came damaged.
func (v *video) readStill(ctx context.Context, a *assembler, taken <-chan shot) (shot, error) {
	count, damaged := a.damaged, false
	a.damaged = func() { count(); damaged = true }
	a.still.Store(a) // marked as a still's or not, the payloads are its
	n := min(a.payload, maxTransfer)
	a.transfer = max((n+v.info.StillPacket-1)/v.info.StillPacket, 1) * v.info.StillPacket
	s, err := v.iface.Stream(ctx, v.info.StillEndpoint, a.transfer, stillFlight)
	if err != nil {
		return shot{}, fmt.Errorf("still: %w", err)
	}
	defer s.Close()
	if err := v.trigger(ctx, transmitOnPipe); err != nil {
		return shot{}, err
	}
	for {
		b, err := s.Next(ctx)
		if err != nil {
			return shot{}, fmt.Errorf("still: %w", err)
		}
		a.push(b)
		select {
		case sh := <-taken:
			return sh, nil
		default:
		}
		if damaged {
			return shot{}, fmt.Errorf("still: it came damaged: %w", usb.ErrIO)
		}
	}
}

// errRestart says that the stream was begun anew under a still.
var errRestart = fmt.Errorf("uvc: the stream was begun anew: %w", usb.ErrTimeout)

// pipeUse keeps stills on their own endpoint apart from what no transfer of the
// interface may be in flight for.
type pipeUse struct {
	use sync.Mutex // held while a still is read

	mu     sync.Mutex
	closed bool // no still may begin
	stop   context.CancelCauseFunc
}

// enter begins a still, which stop ends; false where the stream is being begun
// anew, or is over.
func (p *pipeUse) enter(stop context.CancelCauseFunc) bool {
	p.use.Lock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		p.use.Unlock()
		return false
	}
	p.stop = stop
	return true
}

func (p *pipeUse) leave() {
	p.mu.Lock()
	p.stop = nil
	p.mu.Unlock()
	p.use.Unlock()
}

// alone ends the still that is being read, and runs f before the next.
func (p *pipeUse) alone(f func()) {
	p.mu.Lock()
	p.closed = true
	if p.stop != nil {
		p.stop(errRestart)
	}
	p.mu.Unlock()
	p.use.Lock()
	f()
	p.mu.Lock()
	p.closed = false
	p.mu.Unlock()
	p.use.Unlock()
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
