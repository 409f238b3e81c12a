package ippusb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"tambo/devices/usb"
)

// conn is one interface with its pipe pair. One exchange owns it at a time; it
// is an io.Reader of the IN pipe for the HTTP parser.
type conn struct {
	dev   usb.Device
	iface usb.Interface
	port  Port
	q     Quirks

	br        *bufio.Reader
	buf       []byte          // one transfer
	pend      []byte          // what of it is not yet read
	pendErr   error           // how it ended, told after pend
	ctx       context.Context // of the exchange in progress
	budget    int64           // bytes that may still be taken from the pipe
	notBefore time.Time       // the earliest moment of the next request
	dirty     bool            // out of step: to be resynchronised before use
}

func newConn(dev usb.Device, iface usb.Interface, p Port, q Quirks) *conn {
	c := &conn{dev: dev, iface: iface, port: p, q: q, buf: make([]byte, transferSize)}
	c.br = bufio.NewReaderSize(c, transferSize)
	return c
}

// begin prepares the connection for one exchange.
func (c *conn) begin(ctx context.Context) error {
	c.ctx = ctx
	c.pend, c.pendErr = nil, nil
	c.br.Reset(c)
	if c.dirty {
		if err := c.resync(ctx); err != nil {
			return err
		}
	}
	return sleep(ctx, time.Until(c.notBefore))
}

// Read reads from the IN pipe. Transfers always ask for whole packets, since a
// device that sends more than was asked for is an error on the bus.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.pend) == 0 {
		if c.pendErr != nil {
			return 0, c.pendErr
		}
		if c.budget <= 0 {
			c.pendErr = ErrTooLarge
			return 0, c.pendErr
		}
		n, err := c.transfer()
		c.pend, c.pendErr = c.buf[:n], err
	}
	n := copy(p, c.pend)
	c.pend = c.pend[n:]
	c.budget -= int64(n)
	return n, nil
}

// transfer makes IN transfers until one brings bytes. A device that fills its
// last packet and omits the empty one leaves the transfer open although the
// answer is there; ending it now and then gets at the bytes.
func (c *conn) transfer() (int, error) {
	wait, pause := pollFirst, 10*time.Millisecond
	for {
		ctx, cancel := context.WithTimeout(c.ctx, wait)
		n, err := c.iface.Read(ctx, c.port.In, c.buf)
		cancel()
		if n < 0 || n > len(c.buf) {
			return 0, fmt.Errorf("ippusb: %w: transfer of %d bytes", usb.ErrIO, n)
		}
		timedOut := errors.Is(err, usb.ErrTimeout) || errors.Is(err, context.DeadlineExceeded)
		switch {
		case c.ctx.Err() != nil && n == 0:
			return 0, c.ctx.Err()
		case n > 0 && (err == nil || timedOut):
			return n, nil
		case timedOut:
			wait = min(2*wait, pollMax)
		case err != nil:
			return n, err
		default: // an empty packet: the device is there and has nothing yet
			if err := sleep(c.ctx, pause); err != nil {
				return 0, err
			}
			pause = min(pause*5/4, time.Second)
		}
	}
}

// write sends a request, in order and whole.
func (c *conn) write(ctx context.Context, p []byte) error {
	for len(p) > 0 {
		part := p[:min(len(p), transferSize)]
		last := len(part) == len(p)
		n, err := c.iface.Write(ctx, c.port.Out, part, c.q.SendZLP && last)
		if err != nil {
			return err
		}
		if n != len(part) {
			return fmt.Errorf("ippusb: %w: sent %d of %d bytes", usb.ErrIO, n, len(part))
		}
		p = p[n:]
	}
	return nil
}

// resync brings the pipe back to where a request can be answered: it resets
// the interface and throws away what is still in it.
func (c *conn) resync(ctx context.Context) error {
	c.dirty = true
	c.pend, c.pendErr = nil, nil
	err := c.softReset(ctx)
	if err != nil && !errors.Is(err, usb.ErrGone) {
		// Not every device knows SOFT_RESET; SET_INTERFACE resets the pipes too.
		err = c.iface.SetAlt(ctx, c.port.Alt)
	}
	if errors.Is(err, usb.ErrGone) {
		return err
	}
	for _, ep := range []uint8{c.port.In, c.port.Out} {
		if err := c.iface.ClearHalt(ctx, ep); errors.Is(err, usb.ErrGone) {
			return err
		}
	}
	quiet, err := c.flush(ctx)
	if err != nil {
		return err
	}
	if !quiet {
		return fmt.Errorf("ippusb: pipe does not become quiet: %w", usb.ErrTimeout)
	}
	c.dirty = false
	return nil
}

// flush reads and drops until the pipe is quiet; false if it never is.
func (c *conn) flush(ctx context.Context) (bool, error) {
	end := time.Now().Add(flushTime)
	for time.Now().Before(end) {
		rctx, cancel := context.WithTimeout(ctx, flushQuiet)
		n, err := c.iface.Read(rctx, c.port.In, c.buf)
		cancel()
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case errors.Is(err, usb.ErrGone):
			return false, err
		case errors.Is(err, usb.ErrTimeout), errors.Is(err, context.DeadlineExceeded):
			if n == 0 {
				return true, nil
			}
		case err != nil:
			// A halt left from before: clear it once more and look again.
			if err := c.iface.ClearHalt(ctx, c.port.In); errors.Is(err, usb.ErrGone) {
				return false, err
			}
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return false, err
			}
		case n == 0: // an empty packet
			if err := sleep(ctx, 10*time.Millisecond); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// softReset makes the SOFT_RESET request (USB printer class 1.1, 4.2.3). The
// recipient is "other" in version 1.0 of the class and "interface" in 1.1;
// devices exist for both.
func (c *conn) softReset(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var err error
	for _, recipient := range []uint8{0x21, 0x23} {
		s := usb.Setup{RequestType: recipient, Request: 2, Index: uint16(c.port.Number)}
		if _, err = c.dev.Control(ctx, s, nil); err == nil || errors.Is(err, usb.ErrGone) {
			return err
		}
	}
	return err
}

// inStep reports that nothing of an earlier answer is left over.
func (c *conn) inStep() bool { return c.br.Buffered() == 0 && len(c.pend) == 0 }

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

var _ io.Reader = (*conn)(nil)
