package uvc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tambo/devices/usb"
)

// Isochronous transfers: short ones, so that a frame is not old when it is known,
// and so many in flight that a slow moment of ours loses nothing.
const (
	isoEach   = 4 * time.Millisecond
	isoFlight = 8
	isoBytes  = 1 << 20 // of one transfer at most
)

// isochronous reports that the interface has no bulk endpoint.
func (v *video) isochronous() bool { return v.info.Endpoint == 0 }

// begin agrees with the camera on the first of the video's modes that works: that
// the camera is able to do, and that the bus has the bandwidth for.
func (v *video) begin(ctx context.Context) error {
	var first error
	for _, want := range v.modes {
		m, err := negotiate(ctx, v.dev, v.info.Number, want)
		if err == nil {
			v.mode = m
			if err = v.reserve(ctx); err == nil {
				return nil
			}
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil || !anotherMay(err) {
			return err
		}
	}
	return first
}

// anotherMay reports whether another mode may work where one did not: the camera
// refused it, or the bus has not the bandwidth. What else fails would fail again,
// and a smaller picture is no answer to it.
func anotherMay(err error) bool {
	return errors.Is(err, errUnsupported) || errors.Is(err, usb.ErrStall) || errors.Is(err, usb.ErrBusy)
}

// reserve selects the alternate setting that carries what was agreed, and starts
// its transfers: the bus may say only then that it has no bandwidth left.
func (v *video) reserve(ctx context.Context) error {
	if !v.isochronous() {
		return nil
	}
	alt, err := v.info.carries(v.mode.payload)
	if err != nil {
		return err
	}
	v.alt = alt
	err = v.iface.SetAlt(ctx, alt.Alt)
	if err == nil {
		v.open, err = v.packets(ctx)
	}
	if err != nil {
		_ = v.iface.SetAlt(ctx, 0) // what was wrong says the first error
		return fmt.Errorf("alternate setting %d of %d bytes an interval: %w", alt.Alt, alt.Packet, err)
	}
	return nil
}

// carries picks the smallest alternate setting for a payload.
func (s Streaming) carries(payload int) (Alternate, error) {
	fits := slices.DeleteFunc(slices.Clone(s.Alternates), func(a Alternate) bool { return a.Packet < payload })
	if len(fits) == 0 {
		return Alternate{}, fmt.Errorf("%w: no alternate setting of streaming interface %d carries payloads of %d bytes", errUnsupported, s.Number, payload)
	}
	return slices.MinFunc(fits, func(a, b Alternate) int { return a.Packet - b.Packet }), nil
}

func (v *video) packets(ctx context.Context) (usb.PacketStream, error) {
	unit := 125 * time.Microsecond // USB 2.0, 9.6.6
	if s := v.dev.Info().Speed; s == usb.SpeedFull || s == usb.SpeedLow {
		unit = time.Millisecond
	}
	n := int(isoEach / (unit << (min(max(v.alt.Interval, 1), 16) - 1)))
	n = min(max(n, 1), max(isoBytes/v.alt.Packet, 1))
	return v.iface.Packets(ctx, v.alt.Endpoint, n, isoFlight)
}

// stream reads until the stream must be begun anew (nil), or the device is gone.
func (v *video) stream(ctx context.Context) error {
	if v.isochronous() {
		return v.streamPackets(ctx)
	}
	return v.streamBulk(ctx)
}

func (v *video) streamBulk(ctx context.Context) error {
	size := v.transferSize()
	v.asm.transfer = size
	count := min(max(v.mode.frameSize/size+1, minFlight), maxFlight)
	s, err := v.iface.Stream(ctx, v.info.Endpoint, size, count)
	if err != nil {
		return v.refused(err)
	}
	defer s.Close()
	return v.pump(ctx, func(ctx context.Context) error {
		b, err := s.Next(ctx)
		if err != nil {
			return err
		}
		v.asm.push(b)
		return nil
	})
}

func (v *video) streamPackets(ctx context.Context) error {
	s, err := v.open, error(nil)
	v.open = nil
	if s == nil {
		s, err = v.packets(ctx)
	}
	if err != nil {
		return v.refused(err)
	}
	defer s.Close()
	heard := time.Now()
	return v.pump(ctx, func(ctx context.Context) error {
		ps, err := s.Next(ctx)
		if err != nil {
			return err
		}
		for _, p := range ps {
			switch {
			case p.Err != nil:
				v.busError()
				v.asm.spoilt()
			case v.asm.packet(p.Data):
				heard = time.Now()
			}
		}
		// Transfers complete also where the camera sends nothing.
		if time.Since(heard) > v.quiet() {
			return fmt.Errorf("no payload for %s: %w", v.quiet(), usb.ErrTimeout)
		}
		return nil
	})
}

// refused counts a stream that could not be begun; a device that is gone is an error.
func (v *video) refused(err error) error {
	if errors.Is(err, usb.ErrGone) {
		return err
	}
	v.busError()
	return nil
}

// quiet is how long a camera may say nothing.
func (v *video) quiet() time.Duration { return max(quietFrames*v.mode.interval, minQuiet) }

// pump calls next until too much goes wrong.
func (v *video) pump(ctx context.Context, next func(context.Context) error) error {
	for failed := 0; ctx.Err() == nil && !v.again.Swap(false); {
		wait, cancel := context.WithTimeout(ctx, v.quiet())
		err := next(wait)
		cancel()
		switch {
		case err == nil:
			failed, v.pause = 0, firstPause
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
	steps := []func() error{
		func() error { return v.still(ctl) },
		func() error {
			_, err := v.dev.Control(ctl, setup(typeSet, setCur, commitSel, 0, v.info.Number), v.mode.block)
			return err
		},
	}
	if v.isochronous() {
		steps = append(steps, func() error { return v.iface.SetAlt(ctl, v.alt.Alt) })
	}
	var gone error
	v.pipe.alone(func() {
		for _, step := range steps {
			if err := step(); errors.Is(err, usb.ErrGone) {
				gone = err
				return
			}
		}
	})
	return gone // what else may be wrong shows when it streams, or does not
}

// still tells the camera to stop, as the kernel's driver does: a bulk camera by
// clearing its endpoint, an isochronous one by taking its bandwidth away.
func (v *video) still(ctx context.Context) error {
	if v.isochronous() {
		return v.iface.SetAlt(ctx, 0)
	}
	if v.info.StillEndpoint != 0 {
		_ = v.iface.ClearHalt(ctx, v.info.StillEndpoint) // it may have halted, and the stream need not suffer by it
	}
	return v.iface.ClearHalt(ctx, v.info.Endpoint)
}

// halt ends what begin began; it is of no use where the device is gone.
func (v *video) halt(err error) {
	if v.open != nil {
		v.open.Close()
		v.open = nil
	}
	if errors.Is(err, usb.ErrGone) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), haltWait)
	defer cancel()
	v.pipe.alone(func() { _ = v.still(ctx) }) // best effort: it may be gone
}
