package uvc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"tambo/devices"
	"tambo/devices/usb"
)

// shared is a device whose cameras are opened one by one: the eyes and the face
// of a composite camera. The control interface, which all of them need, can be
// claimed once only, so it is claimed here.
type shared struct {
	key   shareKey
	dev   usb.Device
	fn    Function
	refs  int           // guarded by sharing
	ready chan struct{} // closed when err is known
	err   error
}

// shareKey tells pluggings apart.
type shareKey struct {
	bus     usb.Bus
	port    string
	address int
}

// sharing is what is open in this process.
var sharing = struct {
	sync.Mutex
	open map[shareKey]*shared
}{open: map[shareKey]*shared{}}

// openShared opens the device at a port, or takes part in it where a camera of
// this process has it open.
func openShared(ctx context.Context, bus usb.Bus, port string) (*shared, error) {
	dev, err := bus.Open(ctx, port)
	if err != nil {
		return nil, err
	}
	key := shareKey{bus, port, dev.Info().Address}
	sharing.Lock()
	old := sharing.open[key]
	if old != nil {
		old.refs++
	}
	sharing.Unlock()
	if old != nil {
		err := old.join(ctx)
		if !errors.Is(err, usb.ErrGone) {
			dev.Close()
			if err != nil {
				old.release()
				return nil, err
			}
			return old, nil
		}
		old.release() // it was plugged in again and got the same address
	}
	s := &shared{key: key, dev: dev, refs: 1, ready: make(chan struct{})}
	sharing.Lock()
	sharing.open[key] = s
	sharing.Unlock()
	s.err = s.begin(ctx)
	close(s.ready)
	if s.err != nil {
		s.release()
		return nil, s.err
	}
	return s, nil
}

// join waits until the device that another opened can be used, and asks whether
// it is still there.
func (s *shared) join(ctx context.Context) error {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
	}
	if s.err != nil {
		return s.err
	}
	_, err := s.dev.Control(ctx, usb.Setup{RequestType: 0x80}, make([]byte, 2)) // GET_STATUS
	if errors.Is(err, usb.ErrGone) || ctx.Err() != nil {
		return err
	}
	return nil
}

func (s *shared) begin(ctx context.Context) (err error) {
	if s.fn, err = ParseFunction(s.dev.Info().Config); err != nil {
		return err
	}
	if _, err = s.dev.Claim(ctx, s.fn.ControlNum); err != nil {
		return fmt.Errorf("control interface: %w", err)
	}
	return nil
}

// release gives one part back; the last closes the device.
func (s *shared) release() error {
	sharing.Lock()
	s.refs--
	last := s.refs == 0
	if last && sharing.open[s.key] == s {
		delete(sharing.open, s.key)
	}
	sharing.Unlock()
	if last {
		return s.dev.Close()
	}
	return nil
}

// info describes one of the device's cameras.
func (s *shared) info(k devices.Kind) devices.Info {
	i := s.dev.Info()
	return devices.Info{
		Kind: k, Driver: "uvc", Virtual: s.key.bus.Virtual() || i.Virtual, Port: i.Port,
		Name:     usb.CleanName(strings.TrimSpace(i.Strings.Manufacturer + " " + i.Strings.Product)),
		Serial:   usb.CleanName(i.Strings.Serial),
		VendorID: i.VendorID, ProductID: i.ProductID,
	}
}

// claim takes streaming interfaces, all or none.
func (s *shared) claim(ctx context.Context, infos []Streaming) ([]*video, error) {
	var out []*video
	for _, v := range infos {
		i, err := s.dev.Claim(ctx, v.Number)
		if err != nil {
			for _, o := range out {
				o.iface.Release()
			}
			return nil, fmt.Errorf("streaming interface %d: %w", v.Number, err)
		}
		out = append(out, &video{dev: s.dev, iface: i, info: v})
	}
	return out, nil
}
