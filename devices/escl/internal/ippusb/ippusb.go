// Package ippusb carries HTTP/1.1 exchanges over the bulk pipes of an
// IPP-over-USB device (USB-IF, "Internet Printing Protocol (IPP) over USB
// Specification" 1.0; USB printer class 1.1 for the soft reset).
//
// Every interface of class 7, subclass 1, protocol 4 is one connection; several
// are used at once, each for one exchange at a time. A pipe is not a socket: it
// cannot be closed, so what a caller no longer wants must still be read, or the
// next answer would be mistaken for it. Each exchange therefore runs in its own
// goroutine that owns the pipe until it is in step again: it reads the answer to
// its end, or resets and flushes the pipe.
//
// It never pipelines, never follows redirects, never retries, never believes a
// length that it has not received, and knows nothing of what it carries.
package ippusb

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tambo/devices/usb"
)

// Errors of the transport. Those of package usb and of the context pass through
// wrapped.
var (
	// ErrProtocol: what came is not an HTTP answer that can be delimited on a pipe.
	ErrProtocol = errors.New("ippusb: not a valid HTTP answer")
	// ErrTooLarge: the answer is longer than the caller allowed.
	ErrTooLarge = errors.New("ippusb: answer is too large")
	// ErrClosed: the transport was closed.
	ErrClosed = errors.New("ippusb: transport is closed")
)

// Limits and times. The times are what slow devices need, found in the field by
// others (ipp-usb, sane-airscan), not what the standard says: it says nothing.
const (
	transferSize = 16 << 10 // bytes a bulk transfer; larger ones are split by some hosts
	maxHead      = 64 << 10 // bytes of status line and header
	defaultIdle  = 30 * time.Second
	defaultDrain = 15 * time.Second
	flushQuiet   = 100 * time.Millisecond // a pipe silent for so long is empty
	flushTime    = 3 * time.Second
	pollFirst    = time.Second // a transfer that got bytes but no short packet ends after this
	pollMax      = 15 * time.Second
)

// Reset says how a device is brought to a known state.
type Reset uint8

// Resets.
const (
	ResetNone Reset = iota
	ResetSoft       // SOFT_RESET of the printer class, an interface at a time
	ResetHard       // port reset
)

// Quirks are a device's departures from the standard. The zero value is a
// device without any.
type Quirks struct {
	InitReset     Reset
	InitDelay     time.Duration // before the first request of each connection
	RequestDelay  time.Duration // between an answer and the next request
	SendZLP       bool          // end a request that fills its last packet with an empty one
	MaxInterfaces int           // use at most so many connections; 0 is all
	Connection    string        // value of the Connection header; empty sends none
}

// Options tune a transport; zero values are replaced by defaults.
type Options struct {
	Quirks Quirks
	// Drain is how long an answer that nobody wants any more may take to end
	// before its pipe is reset.
	Drain time.Duration
}

// Transport is an opened set of connections. Safe for concurrent use.
type Transport struct {
	dev   usb.Device
	opt   Options
	idle  chan *conn
	conns []*conn

	ctx    context.Context
	cancel context.CancelFunc
	gone   atomic.Bool

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup // exchanges in progress
}

// Request is one HTTP request. Path is absolute ("/eSCL/ScannerStatus").
type Request struct {
	Method, Path string
	ContentType  string
	Body         []byte
	// Limit is the most bytes of body that the caller takes.
	Limit int64
	// Idle is the longest silence of the device; 0 is 30 seconds.
	Idle time.Duration
}

// Response is the head of an answer. The caller must close Body, read to its
// end or not.
type Response struct {
	Status int
	Header http.Header
	Body   *Body
}

// Open claims the interfaces at ports and makes them ready. An interface that
// another program holds is passed over as long as one remains. dev stays the
// caller's to close, after the transport.
func Open(ctx context.Context, dev usb.Device, ports []Port, opt Options) (*Transport, error) {
	if len(ports) == 0 {
		return nil, fmt.Errorf("ippusb: %w: no interface of class 7/1/4", usb.ErrNotFound)
	}
	if opt.Drain <= 0 {
		opt.Drain = defaultDrain
	}
	if n := opt.Quirks.MaxInterfaces; n > 0 && n < len(ports) {
		ports = ports[:n]
	}
	if opt.Quirks.InitReset == ResetHard {
		if err := dev.Reset(ctx); err != nil {
			return nil, fmt.Errorf("ippusb: initial reset: %w", err)
		}
	}
	t := &Transport{dev: dev, opt: opt, idle: make(chan *conn, len(ports))}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	var failed error
	for _, p := range ports {
		c, err := t.connect(ctx, p)
		if err != nil {
			failed = err
			if !errors.Is(err, usb.ErrBusy) {
				break
			}
			continue
		}
		t.conns = append(t.conns, c)
		t.idle <- c
	}
	if failed == nil || errors.Is(failed, usb.ErrBusy) && len(t.conns) > 0 {
		failed = t.flushAll(ctx)
	}
	if failed != nil {
		_ = t.Close()
		return nil, fmt.Errorf("ippusb: open: %w", failed)
	}
	return t, nil
}

// flushAll empties the pipes, all at once: what an earlier, killed program left
// unread would be our first answer.
func (t *Transport) flushAll(ctx context.Context) error {
	errs := make([]error, len(t.conns))
	var wg sync.WaitGroup
	for i, c := range t.conns {
		wg.Go(func() { _, errs[i] = c.flush(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (t *Transport) connect(ctx context.Context, p Port) (*conn, error) {
	iface, err := t.dev.Claim(ctx, p.Number)
	if err != nil {
		return nil, err
	}
	c := newConn(t.dev, iface, p, t.opt.Quirks)
	if p.Alt != 0 {
		err = iface.SetAlt(ctx, p.Alt)
	}
	if err == nil && t.opt.Quirks.InitReset == ResetSoft {
		// A device that does not know the request is no worse off.
		if e := c.softReset(ctx); errors.Is(e, usb.ErrGone) {
			err = e
		}
	}
	if err != nil {
		_ = iface.Release()
		return nil, err
	}
	c.notBefore = time.Now().Add(t.opt.Quirks.InitDelay)
	return c, nil
}

// Connections returns how many exchanges can run at once.
func (t *Transport) Connections() int { return len(t.conns) }

// Do sends a request and returns when the head of its answer is there. ctx
// covers the reading of the body too. When it ends the caller is free at once;
// the pipe is brought back in step behind its back.
func (t *Transport) Do(ctx context.Context, r Request) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.Idle <= 0 {
		r.Idle = defaultIdle
	}
	c, err := t.acquire(ctx, r.Idle)
	if err != nil {
		return nil, err
	}
	x := newExchange(t, c, r)
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		t.idle <- c
		return nil, ErrClosed
	}
	t.wg.Add(1)
	t.mu.Unlock()
	go x.run()
	return x.head(ctx)
}

// acquire takes an idle connection, waiting for one as long as for a byte.
func (t *Transport) acquire(ctx context.Context, idle time.Duration) (*conn, error) {
	if t.gone.Load() {
		return nil, usb.ErrGone
	}
	timer := time.NewTimer(idle)
	defer timer.Stop()
	select {
	case <-t.ctx.Done():
		return nil, ErrClosed
	case c := <-t.idle:
		return c, nil
	case <-timer.C:
		return nil, fmt.Errorf("ippusb: no connection came free: %w", usb.ErrTimeout)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends what is in progress, waits for it, and releases the interfaces.
// Idempotent.
func (t *Transport) Close() error {
	t.mu.Lock()
	done := t.closed
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.wg.Wait()
	if done {
		return nil
	}
	var first error
	for _, c := range t.conns {
		if c.dirty && !t.gone.Load() {
			// The next program must not find our answer in the pipe.
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_ = c.resync(ctx)
			cancel()
		}
		if err := c.iface.Release(); err != nil && first == nil && !errors.Is(err, usb.ErrGone) {
			first = err
		}
	}
	return first
}
