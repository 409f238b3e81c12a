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
// of a composite camera. The control interface of a function, which all of its
// streams need, can be claimed once only, so it is claimed here.
type shared struct {
	key   shareKey
	dev   usb.Device
	fns   []Function
	refs  int           // guarded by sharing
	ready chan struct{} // closed when err is known
	err   error

	mu       sync.Mutex
	controls map[int]*controlling // by control interface
}

// controlling is a control interface that somebody needs.
type controlling struct {
	iface usb.Interface
	refs  int
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
	s := &shared{key: key, dev: dev, refs: 1, ready: make(chan struct{}), controls: map[int]*controlling{}}
	sharing.Lock()
	sharing.open[key] = s
	sharing.Unlock()
	s.fns, s.err = ParseFunctions(dev.Info().Config)
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

// take claims the control interface of a function, where nobody has yet.
func (s *shared) take(ctx context.Context, f *Function) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.controls[f.ControlNum]
	if c == nil {
		i, err := s.dev.Claim(ctx, f.ControlNum)
		if err != nil {
			return fmt.Errorf("control interface %d: %w", f.ControlNum, err)
		}
		c = &controlling{iface: i}
		s.controls[f.ControlNum] = c
	}
	c.refs++
	return nil
}

// give gives it back; the last releases it.
func (s *shared) give(f *Function) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.controls[f.ControlNum]
	if c.refs--; c.refs == 0 {
		delete(s.controls, f.ControlNum)
		c.iface.Release()
	}
}

// stream finds a streaming interface in the device's functions.
func (s *shared) stream(number int) (*Function, Streaming, error) {
	for i := range s.fns {
		if v, ok := s.fns[i].Stream(number); ok {
			return &s.fns[i], v, nil
		}
	}
	return nil, Streaming{}, fmt.Errorf("%w: no streaming interface %d", errUnsupported, number)
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

// claim takes streaming interfaces of the device, and the control interfaces of
// their functions; all or none. modes says what may be asked of each.
func (s *shared) claim(ctx context.Context, numbers []int, modes func(Streaming) ([]mode, error)) (out []*video, err error) {
	defer func() {
		if err != nil {
			s.unclaim(out)
			out = nil
		}
	}()
	for _, n := range numbers {
		f, info, err := s.stream(n)
		if err != nil {
			return out, err
		}
		v := &video{dev: s.dev, fn: f, info: info}
		if v.modes, err = modes(info); err != nil {
			return out, err
		}
		if err := s.take(ctx, f); err != nil {
			return out, err
		}
		if v.iface, err = s.dev.Claim(ctx, n); err != nil {
			s.give(f)
			return out, fmt.Errorf("streaming interface %d: %w", n, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// unclaim gives them back.
func (s *shared) unclaim(all []*video) {
	for _, v := range all {
		v.iface.Release()
		s.give(v.fn)
	}
}
