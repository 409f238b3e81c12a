package libusb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// device is an open device with its own libusb context.
type device struct {
	bus  *Bus
	ctx  *gousb.Context
	dev  *gousb.Device
	info usb.DeviceInfo

	stop context.Context // ends when the handle is closed
	end  context.CancelFunc
	ctl  sync.Mutex // one control transfer at a time: ControlTimeout is a field

	ops sync.RWMutex // read-held by every operation, taken by Close

	mu     sync.Mutex // guards what follows
	closed bool
	cfg    *gousb.Config
	ifaces map[int]*iface

	// doomed: closing the libusb handle would abort the program, see selecting.
	doomed atomic.Bool
}

var (
	_ usb.Device    = (*device)(nil)
	_ usb.Interface = (*iface)(nil)
)

// prepare reads the descriptors and selects the active configuration. It
// detaches no driver: gousb's automatic detaching would do so for every
// interface of the device, so it is switched on only afterwards, for claims.
func (d *device) prepare(ctx context.Context) error {
	d.stop, d.end = context.WithCancel(context.Background())
	d.ifaces = map[int]*iface{}
	desc := d.dev.Desc
	d.info = usb.DeviceInfo{Port: portOf(desc), Address: desc.Address, VendorID: uint16(desc.Vendor),
		ProductID: uint16(desc.Product), Class: uint8(desc.Class), Speed: speedOf(desc.Speed)}
	if !sysfs(&d.info) {
		if err := readDescriptors(ctx, d.dev, &d.info); err != nil {
			return mapErr(err)
		}
	}
	return d.configure()
}

func (d *device) configure() error {
	if err := d.dev.SetAutoDetach(false); err != nil {
		return mapErr(err)
	}
	active, err := d.dev.ActiveConfigNum()
	if err != nil {
		return mapErr(err)
	}
	if _, ok := d.dev.Desc.Configs[active]; !ok {
		c, err := usb.ParseConfig(d.info.Config)
		if err != nil && c.Value == 0 {
			return err
		}
		active = int(c.Value)
	}
	cfg, err := d.dev.Config(active)
	if err != nil {
		return mapErr(err)
	}
	cfg.Desc.Interfaces = byNumber(cfg.Desc.Interfaces)
	d.cfg = cfg
	return mapErr(d.dev.SetAutoDetach(true))
}

// byNumber lays interfaces out so that gousb, which finds one by its number and
// then takes another by its index, finds the same one twice. Holes get a number
// that nobody asks for. The last setting is there twice, because gousb selects
// a setting only where there are several, and selecting it is what clears halts.
func byNumber(in []gousb.InterfaceDesc) []gousb.InterfaceDesc {
	top := -1
	for _, i := range in {
		top = max(top, i.Number)
	}
	out := make([]gousb.InterfaceDesc, top+1)
	for i := range out {
		out[i].Number = -1
	}
	for _, i := range in {
		i.AltSettings = append(slices.Clone(i.AltSettings), i.AltSettings[len(i.AltSettings)-1])
		out[i.Number] = i
	}
	return out
}

func (d *device) Info() usb.DeviceInfo { return d.info }

// begin holds the device for an operation; release ends it.
func (d *device) begin() (release func(), err error) {
	d.ops.RLock()
	d.mu.Lock()
	closed := d.closed
	d.mu.Unlock()
	if closed {
		d.ops.RUnlock()
		return nil, usb.ErrGone
	}
	return d.ops.RUnlock, nil
}

// failed sorts out why a transfer ended: the handle was closed, the context
// ended, or what libusb says.
func (d *device) failed(ctx context.Context, err error) error {
	err = mapErr(err)
	switch {
	case err == nil:
		return nil
	case d.stop.Err() != nil, errors.Is(err, usb.ErrGone):
		return usb.ErrGone
	case ctx.Err() != nil && errors.Is(err, usb.ErrTimeout):
		return ended(ctx)
	case errors.Is(err, usb.ErrIO) && !d.present():
		return fmt.Errorf("%w: %w", usb.ErrGone, err)
	}
	return err
}

// present asks whether the device is still there. An unplugged device's
// transfers may fail as errors before the kernel says that it is gone.
func (d *device) present() bool {
	_, err := d.dev.ActiveConfigNum()
	return !errors.Is(mapErr(err), usb.ErrGone)
}

// selecting runs what selects a setting. Some libusb must not be asked that of a
// device that is gone; where it was all the same, because the device went in this
// moment, the handle is doomed.
func (d *device) selecting(f func() error) error {
	if unbalanced && !d.present() {
		return usb.ErrGone
	}
	err := f()
	if unbalanced && errors.Is(mapErr(err), usb.ErrGone) {
		d.doomed.Store(true)
	}
	return err
}

func (d *device) Control(ctx context.Context, s usb.Setup, data []byte) (int, error) {
	if len(data) > 65535 {
		return 0, fmt.Errorf("control transfer of %d bytes: %w", len(data), usb.ErrIO)
	}
	release, err := d.begin()
	if err != nil {
		return 0, err
	}
	type result struct {
		n   int
		err error
	}
	// libusb's synchronous call cannot be cancelled, only bounded: it works on
	// its own copy, and goes on alone if the context ends first.
	own := slices.Clone(data)
	done := make(chan result, 1)
	go func() {
		defer release()
		d.ctl.Lock()
		defer d.ctl.Unlock()
		n, err := control(ctx, d.dev, s, own)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		if s.In() {
			copy(data, own[:max(r.n, 0)])
		}
		return max(r.n, 0), d.failed(ctx, r.err)
	case <-ctx.Done():
		return 0, ended(ctx)
	case <-d.stop.Done():
		return 0, usb.ErrGone
	}
}

// controlTimeout bounds a control transfer whose context has no deadline.
const controlTimeout = 5 * time.Second

// control makes one control transfer, bounded by the context's deadline.
func control(ctx context.Context, dev *gousb.Device, s usb.Setup, data []byte) (int, error) {
	wait := controlTimeout
	if t, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(t))
	}
	if ctx.Err() != nil || wait <= 0 {
		return 0, usb.ErrTimeout
	}
	dev.ControlTimeout = max(wait, time.Millisecond) // 0 would be for ever
	return dev.Control(s.RequestType, s.Request, s.Value, s.Index, data)
}

func (d *device) Claim(_ context.Context, number int) (usb.Interface, error) {
	release, err := d.begin()
	if err != nil {
		return nil, err
	}
	defer release()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cfg == nil || number < 0 || number >= len(d.cfg.Desc.Interfaces) || d.cfg.Desc.Interfaces[number].Number != number {
		return nil, fmt.Errorf("interface %d: %w", number, usb.ErrNotFound)
	}
	if d.ifaces[number] != nil {
		return nil, fmt.Errorf("interface %d: %w", number, usb.ErrBusy)
	}
	var g *gousb.Interface
	err = d.selecting(func() (err error) {
		g, err = d.cfg.Interface(number, 0)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("interface %d: %w", number, mapErr(err))
	}
	i := &iface{d: d, number: number, g: g}
	i.stop, i.end = context.WithCancel(d.stop)
	d.ifaces[number] = i
	return i, nil
}

// Reset implements [usb.Device].
func (d *device) Reset(context.Context) error {
	release, err := d.begin()
	if err != nil {
		return err
	}
	defer release()
	d.releaseAll()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.dev.Reset(); err != nil {
		err = mapErr(err)
		if errors.Is(err, usb.ErrNotFound) { // it came back as another device
			err = usb.ErrGone
		}
		return err
	}
	return d.configure()
}

// releaseAll gives interfaces and configuration back.
func (d *device) releaseAll() {
	d.mu.Lock()
	all := make([]*iface, 0, len(d.ifaces))
	for _, i := range d.ifaces {
		all = append(all, i)
	}
	d.mu.Unlock()
	for _, i := range all {
		i.Release()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cfg != nil {
		d.cfg.Close()
		d.cfg = nil
	}
}

func (d *device) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	d.mu.Unlock()
	d.end()      // pending transfers are cancelled,
	d.ops.Lock() // and waited for
	defer d.ops.Unlock()
	d.releaseAll()
	var err error
	if !d.doomed.Load() { // else it stays open until the program ends: the device is gone anyway
		err = mapErr(d.dev.Close())
		if e := d.ctx.Close(); err == nil && e != nil {
			err = mapErr(e)
		}
	}
	d.bus.mu.Lock()
	delete(d.bus.open, d)
	d.bus.mu.Unlock()
	return err
}
