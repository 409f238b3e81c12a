package uvc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// pair is two identical cameras behind one hub.
var pair = []string{"1-2.1", "1-2.2"}

func plugPair(t *testing.T, vbus *virtual.Bus, iso bool) {
	t.Helper()
	for range pair {
		opt := fast(virtual.TwoStreams)
		opt.Isochronous = iso
		for _, at := range pair {
			if vbus.Device(at) == nil {
				if err := vbus.Plug(at, newCamera(t, opt)); err != nil {
					t.Fatal(err)
				}
				break
			}
		}
	}
}

func openStream(t *testing.T, ctx context.Context, bus usb.Bus, at string) devices.IrisStream {
	t.Helper()
	c, err := uvc.OpenIris(ctx, bus, at, quirks(virtual.TwoStreams))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if c.Info().Port != at {
		t.Errorf("opened port %s, it says %s", at, c.Info().Port)
	}
	s, err := c.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Two identical cameras stream at once; one goes and the other does not notice; a
// hub resets and both are gone, and open again.
func TestTwoCamerasBehindAHub(t *testing.T) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		for _, b := range buses {
			t.Run(name+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				vbus := virtual.NewBus()
				defer vbus.Close()
				plugPair(t, vbus, iso)
				bus := b.bus(t, vbus)
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				frames := func(s devices.IrisStream) {
					t.Helper()
					for range 5 {
						f, err := s.Next(ctx)
						if err != nil {
							t.Fatal(err)
						}
						check(t, f)
					}
				}
				one, two := openStream(t, ctx, bus, pair[0]), openStream(t, ctx, bus, pair[1])
				frames(one)
				frames(two)
				vbus.Unplug(pair[0])
				untilGone(t, ctx, one)
				frames(two)
				plugPair(t, vbus, iso)
				one = openStream(t, ctx, bus, pair[0])
				frames(one)
				frames(two)
				for _, at := range pair { // the hub resets
					vbus.Unplug(at)
				}
				untilGone(t, ctx, one)
				untilGone(t, ctx, two)
				plugPair(t, vbus, iso)
				for _, at := range pair {
					frames(openStream(t, ctx, bus, at))
				}
			})
		}
	}
}

func untilGone(t *testing.T, ctx context.Context, s devices.IrisStream) {
	t.Helper()
	began := time.Now()
	for {
		if _, err := s.Next(ctx); err != nil {
			if !errors.Is(err, devices.ErrGone) {
				t.Errorf("unplugged: %v", err)
			}
			break
		}
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("that it is gone was noticed after %v", took)
	}
	s.Close()
}

// Somebody resets the port under a stream: the camera has forgotten what was
// agreed, and the driver agrees again.
func TestPortResetUnderAStream(t *testing.T) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := fast(virtual.TwoStreams)
			opt.Isochronous = iso
			vbus, _, _ := plugged(t, func() (*virtual.Device, error) { return virtual.NewCamera(virtualtest.Marked{}, opt) })
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			s := openStream(t, ctx, vbus, port)
			for range 3 {
				for range 5 {
					f, err := s.Next(ctx)
					if err != nil {
						t.Fatal(err)
					}
					check(t, f)
				}
				d, err := vbus.Open(ctx, port)
				if err != nil {
					t.Fatal(err)
				}
				if err := d.Reset(ctx); err != nil {
					t.Fatal(err)
				}
				d.Close()
			}
			f, err := s.Next(ctx)
			if err != nil {
				t.Fatalf("after resets: %v; %+v", err, s.Stats())
			}
			check(t, f)
		})
	}
}

// Whatever hangs, every call ends with its context.
func TestEveryCallEnds(t *testing.T) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := fast(virtual.TwoStreams)
			opt.Isochronous = iso
			vbus, dev, _ := plugged(t, func() (*virtual.Device, error) { return virtual.NewCamera(virtualtest.Marked{}, opt) })
			cam, err := uvc.OpenIris(context.Background(), vbus, port, quirks(virtual.TwoStreams))
			if err != nil {
				t.Fatal(err)
			}
			s, err := cam.Stream(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Next(context.Background()); err != nil {
				t.Fatal(err)
			}
			dev.SetFaults(virtual.Faults{Hang: 1, Control: true})
			const limit = 50 * time.Millisecond
			for what, call := range map[string]func(context.Context) error{
				"Next":            func(ctx context.Context) error { s.Next(ctx); _, err := s.Next(ctx); return err },
				"SetIllumination": func(ctx context.Context) error { return cam.SetIllumination(ctx, 1) },
				"Controls":        func(ctx context.Context) error { _, err := cam.Controls(ctx); return err },
				"SetControl":      func(ctx context.Context) error { return cam.SetControl(ctx, "gain", 5) },
			} {
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				began := time.Now()
				err := call(ctx)
				cancel()
				if !errors.Is(err, devices.ErrStalled) || time.Since(began) > limit+time.Second {
					t.Errorf("%s of a camera that hangs: %v after %v", what, err, time.Since(began))
				}
			}
			began := time.Now()
			cam.Close()
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("Close of a camera that hangs took %v", took)
			}
		})
	}
}
