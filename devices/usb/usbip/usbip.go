// Package usbip is a [usb.Bus] over a USB/IP exporter on this machine:
// tambo-devsim's virtual devices, for training.
//
// It opens only with training true, which callers take from the agreement in
// force and from nowhere else, and only to a loopback address, since the
// protocol has no authentication. Every device on it is Virtual. It attaches
// nothing to the kernel.
//
// A device is lent to one importer at a time: the first handle that is opened
// imports it, the last that is closed gives it back.
package usbip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
	"tambo/devices/usb/usbip/wire"
)

// Refusals of New.
var (
	ErrNotTraining = errors.New("virtual devices are for training: the agreement in force is not a training agreement")
	ErrNotLoopback = errors.New("virtual devices are reached on loopback only")
)

// DefaultAddress is where USB/IP exporters listen (IANA port 3240).
const DefaultAddress = "127.0.0.1:3240"

// exchangeTimeout bounds one question to the exporter.
const exchangeTimeout = 5 * time.Second

// Bus is a bus over one exporter. Safe for concurrent use.
type Bus struct {
	address string

	opening chan struct{} // held while a device is borrowed or given back

	mu      sync.Mutex
	closed  bool
	imports map[string]*imported   // by port, with a handle open
	known   map[key]usb.DeviceInfo // descriptors read before
}

// key is one plugging of a device.
type key struct {
	port            string
	address         int
	vendor, product uint16
}

// imported is a device on loan.
type imported struct {
	conn   *conn
	info   usb.DeviceInfo
	claims urb.Claims
	refs   int // guarded by Bus.opening
}

var _ usb.Bus = (*Bus)(nil)

// New makes a bus over the exporter at a loopback address. It does not connect
// yet: an exporter that is not there is an empty bus. training is the flag of
// the agreement in force.
func New(address string, training bool) (*Bus, error) {
	if !training {
		return nil, ErrNotTraining
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%w (%v)", ErrNotLoopback, err)
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%w (got %q)", ErrNotLoopback, address)
	}
	return &Bus{address: address, opening: make(chan struct{}, 1), imports: map[string]*imported{}, known: map[key]usb.DeviceInfo{}}, nil
}

// Name is "usbip".
func (b *Bus) Name() string { return "usbip" }

// Virtual is true.
func (b *Bus) Virtual() bool { return true }

// dial connects and bounds the exchange by ctx and exchangeTimeout.
func (b *Bus) dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", b.address)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	c.SetDeadline(deadline)
	return c, nil
}

// List implements [usb.Bus]. Descriptors are read once a plugging, by a short
// import; of a device that another importer holds only the interface classes
// are known, and Config has no more than they say.
func (b *Bus) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	c, err := b.dial(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
		}
		return nil, nil // no exporter: nothing is plugged in
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	list, err := devlist(c)
	if err != nil {
		return nil, fmt.Errorf("%w: usbip device list: %w", usb.ErrIO, err)
	}
	out := make([]usb.DeviceInfo, 0, len(list))
	seen := map[key]bool{}
	for _, d := range list {
		info := b.describe(ctx, d)
		seen[keyOf(info)] = true
		out = append(out, info)
	}
	b.mu.Lock()
	for k := range b.known {
		if !seen[k] {
			delete(b.known, k)
		}
	}
	b.mu.Unlock()
	slices.SortFunc(out, func(x, y usb.DeviceInfo) int { return strings.Compare(x.Port, y.Port) })
	return out, nil
}

func devlist(c net.Conn) ([]wire.Device, error) {
	if err := wire.WriteOp(c, wire.Op{Code: wire.ReqDevlist}, nil); err != nil {
		return nil, err
	}
	op, err := wire.ReadOp(c)
	if err != nil {
		return nil, err
	}
	if op.Code != wire.RepDevlist || op.Status != wire.StatusOK {
		return nil, fmt.Errorf("%w: answer %#04x status %d", wire.ErrMessage, op.Code, op.Status)
	}
	return wire.ReadDevlist(c)
}

func keyOf(i usb.DeviceInfo) key { return key{i.Port, i.Address, i.VendorID, i.ProductID} }

// describe completes a record with descriptors.
func (b *Bus) describe(ctx context.Context, d wire.Device) usb.DeviceInfo {
	info := fromRecord(d)
	b.mu.Lock()
	known, ok := b.known[keyOf(info)]
	b.mu.Unlock()
	if ok {
		return known
	}
	if dev, err := b.Open(ctx, info.Port); err == nil {
		defer dev.Close()
		return dev.Info()
	}
	return info
}

// fromRecord is what a device record alone says.
func fromRecord(d wire.Device) usb.DeviceInfo {
	i := usb.DeviceInfo{Port: d.BusID, Address: int(d.DevNum), VendorID: d.VendorID,
		ProductID: d.ProductID, Class: d.Class, Speed: d.Speed}
	cfg := []byte{9, usb.DescConfig, 0, 0, uint8(len(d.Interfaces)), d.Config, 0, 0x80, 0}
	for n, c := range d.Interfaces {
		cfg = append(cfg, 9, usb.DescInterface, uint8(n), 0, 0, c.Class, c.SubClass, c.Protocol, 0)
	}
	cfg[2], cfg[3] = byte(len(cfg)), byte(len(cfg)>>8)
	i.Config = cfg
	return i
}

// Open implements [usb.Bus]. ErrBusy when another importer has the device.
func (b *Bus) Open(ctx context.Context, port string) (usb.Device, error) {
	select {
	case b.opening <- struct{}{}:
		defer func() { <-b.opening }()
	case <-ctx.Done():
		return nil, fmt.Errorf("port %s: %w: %w", port, usb.ErrTimeout, context.Cause(ctx))
	}
	im, err := b.loan(port)
	if err != nil {
		return nil, err
	}
	if im == nil {
		if im, err = b.borrow(ctx, port); err != nil {
			return nil, err
		}
		b.mu.Lock()
		b.imports[port] = im
		b.known[keyOf(im.info)] = im.info
		b.mu.Unlock()
	}
	im.refs++
	return urb.Open(im.info, im.conn, &im.claims, func() { b.release(port, im) }), nil
}

// loan finds a device that is borrowed already, nil if it is not.
func (b *Bus) loan(port string) (*imported, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, usb.ErrGone
	}
	im := b.imports[port]
	if im != nil && im.conn.gone() {
		delete(b.imports, port)
		return nil, nil
	}
	return im, nil
}

// release gives the device back when nobody has it open.
func (b *Bus) release(port string, im *imported) {
	b.opening <- struct{}{} // bounded: whoever holds it is bounded
	defer func() { <-b.opening }()
	if im.refs--; im.refs > 0 {
		return
	}
	im.conn.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.imports[port] == im {
		delete(b.imports, port)
	}
}

// borrow imports a device and reads its descriptors.
func (b *Bus) borrow(ctx context.Context, port string) (*imported, error) {
	c, err := b.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("port %s: %w: %w", port, usb.ErrNotFound, err)
	}
	rec, err := importDevice(c, port)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("port %s: %w", port, err)
	}
	c.SetDeadline(time.Time{})
	im := &imported{conn: newConn(c, rec.BusNum<<16|rec.DevNum), info: fromRecord(rec)}
	if err := im.readDescriptors(ctx); err != nil {
		im.conn.close()
		return nil, fmt.Errorf("port %s: %w", port, err)
	}
	return im, nil
}

func importDevice(c net.Conn, port string) (wire.Device, error) {
	if err := wire.WriteOp(c, wire.Op{Code: wire.ReqImport}, wire.AppendBusID(nil, port)); err != nil {
		return wire.Device{}, fmt.Errorf("%w: %w", usb.ErrIO, err)
	}
	op, err := wire.ReadOp(c)
	switch {
	case err != nil:
		return wire.Device{}, fmt.Errorf("%w: %w", usb.ErrIO, err)
	case op.Code != wire.RepImport:
		return wire.Device{}, fmt.Errorf("%w: answer %#04x to an import", usb.ErrIO, op.Code)
	case op.Status == wire.StatusBusy:
		return wire.Device{}, usb.ErrBusy
	case op.Status != wire.StatusOK:
		return wire.Device{}, usb.ErrNotFound
	}
	d, err := wire.ReadDevice(c, false)
	if err != nil {
		return d, fmt.Errorf("%w: %w", usb.ErrIO, err)
	}
	if d.BusID != port {
		return d, fmt.Errorf("%w: exporter lent %q", usb.ErrIO, d.BusID)
	}
	return d, nil
}

// Close gives everything back; open handles fail with ErrGone.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, im := range b.imports {
		im.conn.fail()
	}
	return nil
}
