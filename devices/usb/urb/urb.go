// Package urb makes a [usb.Device] of anything that carries USB request blocks:
// the in-process bus of virtual devices and the USB/IP client both do. What they
// share, claims, timeouts, streams and the closing of handles, is here once.
//
// It never touches hardware and knows no wire format.
package urb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tambo/devices/usb"
)

// ErrUnlinked completes an URB that was taken back.
var ErrUnlinked = errors.New("usb: transfer was taken back")

// URB is one transfer. Its maker fills the upper part; the carrier completes it
// exactly once and does not touch Buf afterwards.
type URB struct {
	Endpoint uint8     // with the direction bit; 0x00 and 0x80 are control
	Setup    usb.Setup // control only
	Buf      []byte    // data to send, or the room to fill
	ZLP      bool      // OUT: end a full last packet by an empty one
	// Packets makes it an isochronous transfer: Buf holds their room one after
	// the other, and the carrier fills in what came. Err is then about the
	// transfer as a whole, and N the sum of what came.
	Packets []Packet

	N   int   // bytes moved; valid after Done
	Err error // valid after Done

	// OnDone, if set, is called once by Complete before Done is closed, in the
	// order in which the URBs of an endpoint complete. It must not wait for
	// another URB.
	OnDone func(*URB)
	// Private belongs to the carrier.
	Private any

	once sync.Once
	done chan struct{}
}

// Packet is one service interval of an isochronous URB.
type Packet struct {
	Offset, Length int // its room in Buf
	N              int // bytes that came; valid after Done
	Err            error
}

// NewPackets prepares an isochronous URB of n packets of size bytes in buf, which
// must hold them.
func NewPackets(endpoint uint8, buf []byte, n, size int) *URB {
	u := New(endpoint, buf[:n*size])
	u.Packets = make([]Packet, n)
	for i := range u.Packets {
		u.Packets[i] = Packet{Offset: i * size, Length: size}
	}
	return u
}

// New prepares an URB.
func New(endpoint uint8, buf []byte) *URB {
	return &URB{Endpoint: endpoint, Buf: buf, done: make(chan struct{})}
}

// Control reports whether this is a transfer on endpoint 0.
func (u *URB) Control() bool { return u.Endpoint&0x0f == 0 }

// In reports whether data flows to the host.
func (u *URB) In() bool { return u.Endpoint&0x80 != 0 }

// Complete ends the URB. Calls after the first do nothing.
func (u *URB) Complete(n int, err error) {
	u.once.Do(func() {
		u.N, u.Err = n, err
		if u.OnDone != nil {
			u.OnDone(u)
		}
		close(u.done)
	})
}

// Done is closed when the URB is complete.
func (u *URB) Done() <-chan struct{} { return u.done }

// Carrier moves URBs. Safe for concurrent use. URBs of one endpoint are carried
// out in the order of Submit.
type Carrier interface {
	// Submit starts an URB. It does not wait. A carrier whose device is gone
	// completes it with usb.ErrGone.
	Submit(u *URB)
	// Unlink takes an URB back: it completes soon, with ErrUnlinked unless it
	// was faster.
	Unlink(u *URB)
}

// Claims is the register of claimed interfaces of one plugged device, shared by
// all its handles.
type Claims struct {
	mu  sync.Mutex
	own map[int]*handle
}

func (c *Claims) take(h *handle, number int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own == nil {
		c.own = map[int]*handle{}
	}
	if c.own[number] != nil {
		return fmt.Errorf("interface %d: %w", number, usb.ErrBusy)
	}
	c.own[number] = h
	return nil
}

func (c *Claims) drop(h *handle, number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.own[number] == h {
		delete(c.own, number)
	}
}

// Len counts claimed interfaces; tests look for leaks with it.
func (c *Claims) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.own)
}

// DefaultTimeout bounds a control transfer whose context has no deadline.
const DefaultTimeout = 5 * time.Second

// Transfer carries one URB out and waits for it. When ctx ends first, the URB
// is taken back and the error wraps usb.ErrTimeout and the context's own.
func Transfer(ctx context.Context, c Carrier, u *URB) (int, error) {
	if ctx.Err() != nil {
		return 0, timeout(ctx)
	}
	c.Submit(u)
	select {
	case <-u.Done():
	case <-ctx.Done():
		c.Unlink(u)
		<-u.Done()
		if errors.Is(u.Err, ErrUnlinked) {
			return u.N, timeout(ctx)
		}
	}
	if errors.Is(u.Err, ErrUnlinked) { // the handle was closed under it
		return u.N, usb.ErrGone
	}
	return u.N, u.Err
}

func timeout(ctx context.Context) error {
	return fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
}
