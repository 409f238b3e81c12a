// Package latest hands the newest frame of a camera to whoever asks for one,
// counts the rest, and keeps the error that ended the stream: what every stream of
// package devices promises, once for all drivers.
//
// It starts nothing by itself, knows no protocol, and never keeps more than one
// frame.
package latest

import (
	"context"
	"fmt"
	"sync"

	"tambo/devices"
)

// Outlet is the end of a stream from which frames F are taken. Publish and Count
// may be called from any goroutine, Next by one at a time.
type Outlet[F any] struct {
	device string
	reuse  func(F)
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // of one: something changed for Next

	mu     sync.Mutex
	newest *F
	stats  devices.StreamStats
	seq    uint64
	err    error // final
	closed bool
}

// New makes the outlet of a device as errors call it. reuse takes back a frame
// that nobody took; cancel ends what feeds the outlet.
func New[F any](device string, reuse func(F), cancel context.CancelFunc) *Outlet[F] {
	return &Outlet[F]{device: device, reuse: reuse, cancel: cancel, wake: make(chan struct{}, 1)}
}

// Go runs a feeder; Shut waits for it. An error that it returns is final.
func (o *Outlet[F]) Go(f func() error) {
	o.wg.Go(func() {
		if err := f(); err != nil {
			o.end(err)
		}
	})
}

// Count changes the counters.
func (o *Outlet[F]) Count(f func(*devices.StreamStats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.stats)
}

// end makes an error final.
func (o *Outlet[F]) end(err error) {
	o.mu.Lock()
	if o.err == nil {
		o.err = err
	}
	o.mu.Unlock()
	o.cancel()
	o.signal()
}

func (o *Outlet[F]) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// Publish makes a frame the newest; make gets its number.
func (o *Outlet[F]) Publish(make func(seq uint64) F) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stats.Frames++
	if o.newest != nil {
		o.stats.Dropped++
		o.reuse(*o.newest)
	}
	o.seq++
	f := make(o.seq)
	o.newest = &f
	o.signal()
}

// Next waits for the newest frame. Errors are [devices.Error]; where frames came, and
// all of them damaged, the error says so.
func (o *Outlet[F]) Next(ctx context.Context) (F, error) {
	const op = "read frame"
	var none F
	began := o.Stats().Damaged
	for {
		o.mu.Lock()
		f, err, closed := o.newest, o.err, o.closed
		if f != nil && err == nil && !closed {
			o.newest = nil
		}
		o.mu.Unlock()
		switch {
		case closed:
			o.signal()
			return none, &devices.Error{Device: o.device, Op: op, Kind: devices.ErrGone}
		case err != nil:
			o.signal()
			return none, err
		case f != nil:
			return *f, nil
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			err := context.Cause(ctx)
			if n := o.Stats().Damaged - began; n > 0 {
				err = fmt.Errorf("%d frames came damaged: change the cable, then the camera: %w", n, err)
			}
			return none, &devices.Error{Device: o.device, Op: op, Kind: devices.ErrStalled, Err: err}
		}
	}
}

// Stats implements the streams of package devices.
func (o *Outlet[F]) Stats() devices.StreamStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}

// Shut ends the feeders and waits for them. Idempotent.
func (o *Outlet[F]) Shut() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.cancel()
	o.signal()
	o.wg.Wait()
}
