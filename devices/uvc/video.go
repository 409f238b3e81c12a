package uvc

import (
	"context"
	"errors"
	"time"

	"tambo/devices/usb"
)

// Transfer sizes: at most maxTransfer a transfer, and so many in flight that a
// frame's worth is queued.
const (
	maxTransfer = 128 << 10
	minFlight   = 4
	maxFlight   = 16
)

// Recovery of a stream that misbehaves.
const (
	errorsInRow = 8                    // failed transfers before the stream is begun anew
	firstPause  = 5 * time.Millisecond // before a restart; doubles
	lastPause   = 250 * time.Millisecond
	quietFrames = 8 // frame intervals without a byte before a restart
	minQuiet    = 500 * time.Millisecond
	controlWait = 2 * time.Second
)

// video runs one streaming interface: it keeps transfers in flight, feeds the
// assembler, and brings a stalled or silent stream back.
type video struct {
	dev   usb.Device
	iface usb.Interface
	info  Streaming
	modes []mode // what may be asked for, the best first
	mode  mode   // what was agreed
	asm   assembler
	// busError counts a failed transfer.
	busError func()

	pause time.Duration
}

// transferSize is a multiple of the packet size that holds a payload, or a
// piece of one.
func (v *video) transferSize() int {
	n := min(v.mode.payload, maxTransfer)
	return max((n+v.info.Packet-1)/v.info.Packet, 1) * v.info.Packet
}

// run streams until ctx ends (nil) or the device is gone.
func (v *video) run(ctx context.Context) error {
	v.pause = firstPause
	for recommit := false; ; recommit = true {
		if recommit {
			if err := v.restart(ctx); err != nil || ctx.Err() != nil {
				return err
			}
		}
		if err := v.stream(ctx); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// restart clears the endpoint and commits again, after a pause.
func (v *video) restart(ctx context.Context) error {
	t := time.NewTimer(v.pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
		return nil
	}
	v.pause = min(2*v.pause, lastPause)
	ctl, cancel := context.WithTimeout(ctx, controlWait)
	defer cancel()
	if err := v.iface.ClearHalt(ctl, v.info.Endpoint); errors.Is(err, usb.ErrGone) {
		return err
	}
	_, err := v.dev.Control(ctl, setup(typeSet, setCur, commitSel, 0, v.info.Number), v.mode.block)
	if errors.Is(err, usb.ErrGone) {
		return err
	}
	return nil // what else may be wrong shows when it streams, or does not
}

// stream reads until the stream must be begun anew (nil), or the device is gone.
func (v *video) stream(ctx context.Context) error {
	size := v.transferSize()
	v.asm.transfer = size
	count := min(max(v.mode.frameSize/size+1, minFlight), maxFlight)
	s, err := v.iface.Stream(ctx, v.info.Endpoint, size, count)
	if err != nil {
		if errors.Is(err, usb.ErrGone) {
			return err
		}
		v.busError()
		return nil
	}
	defer s.Close()
	quiet := max(quietFrames*v.mode.interval, minQuiet)
	for failed := 0; ctx.Err() == nil; {
		b, err := v.next(ctx, s, quiet)
		switch {
		case err == nil:
			failed, v.pause = 0, firstPause
			v.asm.push(b)
			continue
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, usb.ErrGone):
			return err
		}
		v.busError()
		v.asm.lost()
		if failed++; failed >= errorsInRow || errors.Is(err, usb.ErrStall) || errors.Is(err, usb.ErrTimeout) {
			return nil
		}
	}
	return nil
}

func (v *video) next(ctx context.Context, s usb.Stream, quiet time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	return s.Next(ctx)
}

// halt tells a bulk camera to stop, as the kernel's driver does; it is of no use
// where the device is gone.
func (v *video) halt(err error) {
	if errors.Is(err, usb.ErrGone) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), controlWait)
	defer cancel()
	_ = v.iface.ClearHalt(ctx, v.info.Endpoint) // best effort: it may be gone
}
