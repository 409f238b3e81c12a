package libusb

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// iface is a claimed interface.
type iface struct {
	d      *device
	number int

	stop context.Context // ends with Release, or with the device
	end  context.CancelFunc

	// use is read-held by transfers and streams; what changes the interface
	// under them takes it.
	use sync.RWMutex
	g   *gousb.Interface // nil after Release
}

func (i *iface) Number() int { return i.number }

// hold keeps device and interface for a transfer.
func (i *iface) hold() (*gousb.Interface, func(), error) {
	release, err := i.d.begin()
	if err != nil {
		return nil, nil, err
	}
	i.use.RLock()
	if i.g == nil {
		i.use.RUnlock()
		release()
		return nil, nil, fmt.Errorf("interface %d was released: %w", i.number, usb.ErrGone)
	}
	return i.g, func() { i.use.RUnlock(); release() }, nil
}

// endpoint checks an address against the selected setting.
func (i *iface) endpoint(g *gousb.Interface, address uint8, in bool) error {
	e, ok := g.Setting.Endpoints[gousb.EndpointAddress(address)]
	if !ok || (address&0x80 != 0) != in || e.TransferType == gousb.TransferTypeIsochronous {
		return fmt.Errorf("endpoint %#02x of interface %d: %w", address, i.number, usb.ErrNotFound)
	}
	return nil
}

// join makes a context that also ends when the interface is given back.
func (i *iface) join(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(i.stop, cancel)
	return ctx, func() { stop(); cancel() }
}

func (i *iface) failed(ctx context.Context, err error) error {
	if err != nil && i.stop.Err() != nil {
		return usb.ErrGone
	}
	return i.d.failed(ctx, err)
}

func (i *iface) Read(ctx context.Context, address uint8, p []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, ended(ctx)
	}
	g, release, err := i.hold()
	if err != nil {
		return 0, err
	}
	defer release()
	if err := i.endpoint(g, address, true); err != nil {
		return 0, err
	}
	in, err := g.InEndpoint(int(address & 0x0f))
	if err != nil {
		return 0, mapErr(err)
	}
	joined, done := i.join(ctx)
	defer done()
	n, err := in.ReadContext(joined, p)
	return n, i.failed(ctx, err)
}

func (i *iface) Write(ctx context.Context, address uint8, p []byte, zlp bool) (int, error) {
	if ctx.Err() != nil {
		return 0, ended(ctx)
	}
	g, release, err := i.hold()
	if err != nil {
		return 0, err
	}
	defer release()
	if err := i.endpoint(g, address, false); err != nil {
		return 0, err
	}
	out, err := g.OutEndpoint(int(address & 0x0f))
	if err != nil {
		return 0, mapErr(err)
	}
	joined, done := i.join(ctx)
	defer done()
	n, err := out.WriteContext(joined, p)
	if err == nil && zlp && len(p) > 0 && len(p)%max(out.Desc.MaxPacketSize, 1) == 0 {
		_, err = out.WriteContext(joined, nil)
	}
	return n, i.failed(ctx, err)
}

// SetAlt implements [usb.Interface].
func (i *iface) SetAlt(_ context.Context, alt int) error {
	return i.alone(func() error {
		for _, set := range i.settings() {
			if set.Alternate != alt {
				continue
			}
			if err := i.failed(context.Background(), i.d.selecting(func() error { return setAlt(i.d.dev, i.number, alt) })); err != nil {
				return noBandwidth(err)
			}
			i.g.Setting = set
			return nil
		}
		return fmt.Errorf("interface %d alternate setting %d: %w", i.number, alt, usb.ErrNotFound)
	})
}

// noBandwidth says what an error of libusb that says nothing means where bandwidth
// is asked for: ENOSPC has no code of its own.
func noBandwidth(err error) error {
	if errors.Is(err, usb.ErrIO) {
		return fmt.Errorf("%w: no bandwidth is left on the bus (%v)", usb.ErrBusy, err)
	}
	return err
}

// ClearHalt implements [usb.Interface].
func (i *iface) ClearHalt(_ context.Context, address uint8) error {
	return i.alone(func() error {
		if _, ok := i.g.Setting.Endpoints[gousb.EndpointAddress(address)]; !ok {
			return fmt.Errorf("endpoint %#02x of interface %d: %w", address, i.number, usb.ErrNotFound)
		}
		return i.failed(context.Background(), clearHalt(i.d.dev, address))
	})
}

// alone runs what no transfer may be in flight for.
func (i *iface) alone(f func() error) error {
	release, err := i.d.begin()
	if err != nil {
		return err
	}
	defer release()
	if !i.use.TryLock() {
		return fmt.Errorf("interface %d has transfers in flight: %w", i.number, usb.ErrBusy)
	}
	defer i.use.Unlock()
	if i.g == nil {
		return usb.ErrGone
	}
	return f()
}

func (i *iface) settings() []gousb.InterfaceSetting {
	i.d.mu.Lock()
	defer i.d.mu.Unlock()
	return i.d.cfg.Desc.Interfaces[i.number].AltSettings
}

// Release takes transfers in flight back.
func (i *iface) Release() error {
	i.end()
	i.use.Lock()
	defer i.use.Unlock()
	if i.g == nil {
		return nil
	}
	i.g.Close()
	i.g = nil
	i.d.mu.Lock()
	defer i.d.mu.Unlock()
	if i.d.ifaces[i.number] == i {
		delete(i.d.ifaces, i.number)
	}
	return nil
}

// Limits of a stream, as of the other buses.
const (
	maxStreamSize  = 1 << 20
	maxStreamCount = 64
	streamPause    = 5 * time.Millisecond // before a failed queue is filled again
)

func (i *iface) Stream(ctx context.Context, address uint8, size, count int) (usb.Stream, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	g, release, err := i.hold()
	if err != nil {
		return nil, err
	}
	if err := i.endpoint(g, address, true); err != nil {
		release()
		return nil, err
	}
	in, err := g.InEndpoint(int(address & 0x0f))
	if err != nil {
		release()
		return nil, mapErr(err)
	}
	if in.Desc.TransferType != gousb.TransferTypeBulk || size <= 0 || size > maxStreamSize || count <= 0 || count > maxStreamCount {
		release()
		return nil, fmt.Errorf("stream of %d transfers of %d bytes on endpoint %#02x: %w", count, size, address, usb.ErrNotFound)
	}
	s := &stream{d: i.d, in: in, size: size, count: count, full: make(chan piece), spare: make(chan []byte, 2)}
	s.spare <- make([]byte, size)
	s.spare <- make([]byte, size)
	s.ctx, s.end = context.WithCancel(i.stop)
	s.wg.Go(func() {
		defer release()
		s.pump()
	})
	return s, nil
}
