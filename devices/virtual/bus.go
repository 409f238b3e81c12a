package virtual

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
)

// Bus is an in-process [usb.Bus] with virtual devices on it. Unlike hardware it
// has Plug and Unplug. A device that a [Server] lends to an importer is busy for
// Open, and the other way round.
type Bus struct {
	mu      sync.Mutex
	closed  bool
	ports   map[string]*plugged
	address int
	change  chan struct{}
}

// plugged is a device at its port.
type plugged struct {
	dev      *Device
	address  int
	sess     *session
	handles  map[usb.Device]struct{}
	imported bool
}

var _ usb.Bus = (*Bus)(nil)

// NewBus makes an empty bus.
func NewBus() *Bus {
	return &Bus{ports: map[string]*plugged{}, change: make(chan struct{})}
}

// Plug puts a device at a port ("1-1"). A device is at one port at a time; one that
// was unplugged a moment ago is plugged in when its last transfer has failed.
func (b *Bus) Plug(port string, d *Device) error {
	for {
		wait, err := b.plug(port, d)
		if wait == nil {
			return err
		}
		<-wait
	}
}

func (b *Bus) plug(port string, d *Device) (wait <-chan struct{}, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !validPort(port) {
		return nil, fmt.Errorf("virtual: port %q: want bus-port, for instance 1-1", port)
	}
	if b.closed || b.ports[port] != nil {
		return nil, fmt.Errorf("virtual: port %s is taken: %w", port, usb.ErrBusy)
	}
	for at, p := range b.ports {
		if p.dev == d {
			return nil, fmt.Errorf("virtual: this device is already at port %s: %w", at, usb.ErrBusy)
		}
	}
	if wait, err := d.free(); wait != nil || err != nil {
		return wait, err
	}
	b.address++
	p := &plugged{dev: d, address: b.address, handles: map[usb.Device]struct{}{}}
	p.sess = newSession(d, func() { b.unplug(port, p) })
	b.ports[port] = p
	b.changed()
	return nil, nil
}

// validPort accepts what fits a bus id of USB/IP: digits, "-" and ".".
func validPort(s string) bool {
	return len(s) >= 3 && len(s) < 32 && strings.Contains(s, "-") && strings.Trim(s, "0123456789-.") == "" && !strings.Contains(s, "..")
}

// Unplug takes away what is at a port: transfers in progress fail with
// usb.ErrGone. It returns when the last has failed. An empty port is no error.
func (b *Bus) Unplug(port string) {
	b.mu.Lock()
	p := b.ports[port]
	b.mu.Unlock()
	if p != nil {
		b.unplug(port, p)
	}
}

func (b *Bus) unplug(port string, p *plugged) {
	b.mu.Lock()
	if b.ports[port] != p {
		b.mu.Unlock()
		return
	}
	delete(b.ports, port)
	p.sess.cancel() // from here on the device is free, once the last transfer has failed
	b.changed()
	b.mu.Unlock()
	p.sess.close()
}

func (b *Bus) changed() {
	close(b.change)
	b.change = make(chan struct{})
}

// Changed returns a channel that is closed at the next plugging or unplugging.
func (b *Bus) Changed() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change
}

// Device returns what is at a port, nil if nothing is.
func (b *Bus) Device(port string) *Device {
	b.mu.Lock()
	defer b.mu.Unlock()
	if p := b.ports[port]; p != nil {
		return p.dev
	}
	return nil
}

// Leaks counts open handles and claimed interfaces; tests look for what a
// driver forgot with it.
func (b *Bus) Leaks() (handles, claims int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.ports {
		handles += len(p.handles)
		claims += p.sess.claims.Len()
	}
	return handles, claims
}

// Name is "in-process".
func (b *Bus) Name() string { return "in-process" }

// Virtual is true.
func (b *Bus) Virtual() bool { return true }

// List implements [usb.Bus].
func (b *Bus) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", usb.ErrTimeout, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]usb.DeviceInfo, 0, len(b.ports))
	for port, p := range b.ports {
		out = append(out, p.dev.info(port, p.address))
	}
	slices.SortFunc(out, func(x, y usb.DeviceInfo) int { return strings.Compare(x.Port, y.Port) })
	return out, nil
}

// Open implements [usb.Bus].
func (b *Bus) Open(ctx context.Context, port string) (usb.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", usb.ErrTimeout, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.ports[port]
	switch {
	case p == nil:
		return nil, fmt.Errorf("port %s: %w", port, usb.ErrNotFound)
	case p.imported:
		return nil, fmt.Errorf("port %s is lent over USB/IP: %w", port, usb.ErrBusy)
	}
	var d usb.Device
	d = urb.Open(p.dev.info(port, p.address), p.sess, &p.sess.claims, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(p.handles, d)
	})
	p.handles[d] = struct{}{}
	return d, nil
}

// lend gives a device to an importer, alone.
func (b *Bus) lend(port string) (*plugged, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.ports[port]
	switch {
	case p == nil:
		return nil, fmt.Errorf("port %s: %w", port, usb.ErrNotFound)
	case p.imported || len(p.handles) > 0:
		return nil, fmt.Errorf("port %s: %w", port, usb.ErrBusy)
	}
	p.imported = true
	return p, nil
}

func (b *Bus) takeBack(p *plugged) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.imported = false
}

// Close unplugs everything.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	ports := make([]string, 0, len(b.ports))
	for port := range b.ports {
		ports = append(ports, port)
	}
	b.mu.Unlock()
	for _, port := range ports {
		b.Unplug(port)
	}
	return nil
}
