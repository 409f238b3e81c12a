package uvc

import (
	"context"
	"sync"

	"tambo/devices"
	"tambo/devices/usb"
)

// camera is what the cameras of a device have in common: what they claimed of it,
// and one stream S at a time.
type camera[S interface {
	comparable
	Close() error
}] struct {
	info   devices.Info
	name   string
	dev    *shared
	videos []*video

	mu     sync.Mutex
	closed bool
	stream S // zero: none
}

// open opens the device at a port of a bus; prepare claims videos.
func (c *camera[S]) open(ctx context.Context, bus usb.Bus, port string, kind devices.Kind, prepare func(context.Context) error) error {
	c.name = deviceName(kind, port)
	var err error
	if c.dev, err = openShared(ctx, bus, port); err == nil {
		c.info = c.dev.info(kind)
		if err = prepare(ctx); err != nil {
			c.dev.release()
		}
	}
	return fail(c.name, "open", err)
}

// Info implements the cameras of package devices.
func (c *camera[S]) Info() devices.Info { return c.info }

// begin has the videos agree with the device, and starts a stream.
func (c *camera[S]) begin(ctx context.Context, start func() S) (none S, err error) {
	const op = "start streaming"
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return none, fail(c.name, op, usb.ErrGone)
	}
	if c.stream != none {
		return none, &devices.Error{Device: c.name, Op: op, Kind: devices.ErrBusy, Err: errStreaming}
	}
	for i, v := range c.videos {
		if err := v.begin(ctx); err != nil {
			for _, b := range c.videos[:i+1] {
				b.halt(err)
			}
			return none, fail(c.name, op, err)
		}
	}
	c.stream = start()
	return c.stream, nil
}

// ended forgets a stream that was closed.
func (c *camera[S]) ended(s S) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == s {
		var none S
		c.stream = none
	}
}

// Close implements the cameras of package devices.
func (c *camera[S]) Close() error {
	var none S
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	s := c.stream
	c.mu.Unlock()
	if s != none {
		s.Close()
	}
	c.dev.unclaim(c.videos)
	return c.dev.release()
}
