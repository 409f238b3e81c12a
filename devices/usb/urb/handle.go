package urb

import (
	"context"
	"fmt"
	"sync"

	"tambo/devices/usb"
)

// Standard requests that a handle makes (USB 2.0, table 9-4; the port reset is
// the hub request that USB/IP exporters understand as a device reset).
const (
	reqClearFeature = 0x01
	reqSetFeature   = 0x03
	reqSetInterface = 0x0B
	reqTypePort     = 0x23
	featurePortRst  = 4
)

// PortReset is the control request that stands for a port reset.
var PortReset = usb.Setup{RequestType: reqTypePort, Request: reqSetFeature, Value: featurePortRst}

// Open makes a device handle over a carrier. claims is shared by all handles of
// the same plugged device; onClose, which may be nil, runs once when the handle
// is closed.
func Open(info usb.DeviceInfo, c Carrier, claims *Claims, onClose func()) usb.Device {
	h := &handle{info: info, c: c, claims: claims, onClose: onClose,
		ifaces: map[int]*iface{}, live: map[*URB]struct{}{}}
	h.config, _ = usb.ParseConfig(info.Config)
	return h
}

var (
	_ usb.Device    = (*handle)(nil)
	_ usb.Interface = (*iface)(nil)
	_ usb.Stream    = stream{}

	_ usb.PacketStream = (*packetStream)(nil)
)

type handle struct {
	info    usb.DeviceInfo
	config  usb.Config
	c       Carrier
	claims  *Claims
	onClose func()

	mu     sync.Mutex
	closed bool
	ifaces map[int]*iface
	live   map[*URB]struct{} // in flight
}

func (h *handle) Info() usb.DeviceInfo { return h.info }

// Submit and Unlink make the handle itself a carrier that knows what is in
// flight, so that Close can take everything back.
func (h *handle) Submit(u *URB) {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		u.Complete(0, usb.ErrGone)
		return
	}
	h.live[u] = struct{}{}
	h.mu.Unlock()
	h.c.Submit(u)
	h.mu.Lock()
	late := h.closed
	h.mu.Unlock()
	if late { // Close may have taken it back before the carrier knew it
		h.c.Unlink(u)
	}
}

func (h *handle) Unlink(u *URB) { h.c.Unlink(u) }

func (h *handle) transfer(ctx context.Context, u *URB) (int, error) {
	n, err := Transfer(ctx, h, u)
	h.forget(u)
	return n, err
}

func (h *handle) forget(u *URB) {
	h.mu.Lock()
	delete(h.live, u)
	h.mu.Unlock()
}

func (h *handle) Control(ctx context.Context, s usb.Setup, data []byte) (int, error) {
	if len(data) > 65535 {
		return 0, fmt.Errorf("control transfer of %d bytes: %w", len(data), usb.ErrIO)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	u := New(s.RequestType&0x80, data)
	u.Setup = s
	return h.transfer(ctx, u)
}

func (h *handle) Claim(ctx context.Context, number int) (usb.Interface, error) {
	set, ok := h.config.Setting(number, 0)
	if !ok {
		return nil, fmt.Errorf("interface %d: %w", number, usb.ErrNotFound)
	}
	if err := h.claims.take(h, number); err != nil {
		return nil, err
	}
	i := &iface{h: h, number: number, set: set}
	if _, more := h.config.Setting(number, 1); more {
		if err := i.SetAlt(ctx, 0); err != nil {
			h.claims.drop(h, number)
			return nil, err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		h.claims.drop(h, number)
		return nil, usb.ErrGone
	}
	h.ifaces[number] = i
	return i, nil
}

func (h *handle) Reset(ctx context.Context) error {
	h.mu.Lock()
	ifs := h.ifaces
	h.ifaces = map[int]*iface{}
	h.mu.Unlock()
	for _, i := range ifs {
		i.release()
	}
	_, err := h.Control(ctx, PortReset, nil)
	return err
}

func (h *handle) Close() error {
	h.mu.Lock()
	if h.closed {
		h.mu.Unlock()
		return nil
	}
	h.closed = true
	live := make([]*URB, 0, len(h.live))
	for u := range h.live {
		live = append(live, u)
	}
	ifs := h.ifaces
	h.ifaces = nil
	h.mu.Unlock()
	for _, u := range live {
		h.c.Unlink(u)
	}
	for _, u := range live {
		<-u.Done()
	}
	for _, i := range ifs {
		i.release()
	}
	if h.onClose != nil {
		h.onClose()
	}
	return nil
}

type iface struct {
	h      *handle
	number int

	mu       sync.Mutex
	set      *usb.Setting
	released bool
}

func (i *iface) Number() int { return i.number }

func (i *iface) SetAlt(ctx context.Context, alt int) error {
	set, ok := i.h.config.Setting(i.number, alt)
	if !ok {
		return fmt.Errorf("interface %d alternate setting %d: %w", i.number, alt, usb.ErrNotFound)
	}
	_, err := i.h.Control(ctx, usb.Setup{RequestType: 0x01, Request: reqSetInterface,
		Value: uint16(alt), Index: uint16(i.number)}, nil)
	if err != nil {
		return err
	}
	i.mu.Lock()
	i.set = set
	i.mu.Unlock()
	return nil
}

// endpoint checks that an address can be used now, for transfers that are not
// isochronous.
func (i *iface) endpoint(address uint8, in bool) (usb.Endpoint, error) {
	e, err := i.find(address)
	if err == nil && (e.In() != in || e.Transfer == usb.TransferIsochronous) {
		err = fmt.Errorf("endpoint %#02x of interface %d: %w", address, i.number, usb.ErrNotFound)
	}
	return e, err
}

// find looks an address up in the selected setting.
func (i *iface) find(address uint8) (usb.Endpoint, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.released {
		return usb.Endpoint{}, fmt.Errorf("interface %d was released: %w", i.number, usb.ErrGone)
	}
	e, ok := i.set.Endpoint(address)
	if !ok {
		return e, fmt.Errorf("endpoint %#02x of interface %d: %w", address, i.number, usb.ErrNotFound)
	}
	return e, nil
}

func (i *iface) Read(ctx context.Context, address uint8, p []byte) (int, error) {
	if _, err := i.endpoint(address, true); err != nil {
		return 0, err
	}
	return i.h.transfer(ctx, New(address, p))
}

func (i *iface) Write(ctx context.Context, address uint8, p []byte, zlp bool) (int, error) {
	if _, err := i.endpoint(address, false); err != nil {
		return 0, err
	}
	u := New(address, p)
	u.ZLP = zlp
	return i.h.transfer(ctx, u)
}

func (i *iface) ClearHalt(ctx context.Context, address uint8) error {
	i.mu.Lock()
	_, ok := i.set.Endpoint(address)
	i.mu.Unlock()
	if !ok {
		return fmt.Errorf("endpoint %#02x of interface %d: %w", address, i.number, usb.ErrNotFound)
	}
	_, err := i.h.Control(ctx, usb.Setup{RequestType: 0x02, Request: reqClearFeature, Index: uint16(address)}, nil)
	return err
}

// release marks the interface as given back and takes its transfers back, as a
// kernel does.
func (i *iface) release() {
	i.mu.Lock()
	i.released = true
	set := i.set
	i.mu.Unlock()
	var live []*URB
	i.h.mu.Lock()
	for u := range i.h.live {
		if _, mine := set.Endpoint(u.Endpoint); mine {
			live = append(live, u)
		}
	}
	i.h.mu.Unlock()
	for _, u := range live {
		i.h.c.Unlink(u)
	}
	for _, u := range live {
		<-u.Done()
	}
	i.h.claims.drop(i.h, i.number)
}

func (i *iface) Release() error {
	i.h.mu.Lock()
	if i.h.ifaces[i.number] == i {
		delete(i.h.ifaces, i.number)
	}
	i.h.mu.Unlock()
	i.release()
	return nil
}
