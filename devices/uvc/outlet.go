package uvc

import (
	"context"
	"sync"

	"tambo/devices"
	"tambo/devices/usb"
)

// outlet hands the newest of what a stream delivers to whoever asks, counts the
// rest, and keeps the error that ended it.
type outlet[F any] struct {
	device string
	reuse  func(F) // takes back what nobody took

	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{} // of one: something changed for next

	mu     sync.Mutex
	newest *F
	stats  devices.StreamStats
	seq    uint64
	err    error // final
	closed bool
}

// run starts the goroutine of one video; each tells the outlet how it ended.
func (o *outlet[F]) run(ctx context.Context, v *video) {
	v.busError = func() { o.count(func(st *devices.StreamStats) { st.BusErrors++ }) }
	v.asm.damaged = func() { o.count(func(st *devices.StreamStats) { st.Damaged++ }) }
	o.wg.Go(func() {
		err := v.run(ctx)
		v.halt(err)
		if err != nil {
			o.end(fail(o.device, "read frame", err))
		}
	})
}

func (o *outlet[F]) count(f func(*devices.StreamStats)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(&o.stats)
}

// end makes an error final.
func (o *outlet[F]) end(err error) {
	o.mu.Lock()
	if o.err == nil {
		o.err = err
	}
	o.mu.Unlock()
	o.cancel()
	o.signal()
}

func (o *outlet[F]) signal() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// publish makes a frame the newest; make gets its number.
func (o *outlet[F]) publish(make func(seq uint64) F) {
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

// next waits for the newest frame.
func (o *outlet[F]) next(ctx context.Context) (F, error) {
	const op = "read frame"
	var none F
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
			return none, fail(o.device, op, usb.ErrGone)
		case err != nil:
			o.signal()
			return none, err
		case f != nil:
			return *f, nil
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			return none, &devices.Error{Device: o.device, Op: op, Kind: devices.ErrStalled, Err: context.Cause(ctx)}
		}
	}
}

// Stats implements the streams of package devices.
func (o *outlet[F]) Stats() devices.StreamStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.stats
}

// shut ends the videos and waits for them. Idempotent.
func (o *outlet[F]) shut() {
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.cancel()
	o.signal()
	o.wg.Wait()
}
