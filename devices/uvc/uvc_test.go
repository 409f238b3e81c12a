package uvc_test

import (
	"context"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/usb"
	"tambo/devices/usb/usbip"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

const port = "1-4"

// fast is a camera small and quick enough for many tests.
func fast(l virtual.Layout) virtual.CameraOptions {
	return virtual.CameraOptions{Layout: l, Width: 64, Height: 48, Interval: 2 * time.Millisecond, Payload: 1000}
}

func newCamera(t testing.TB, opt virtual.CameraOptions) *virtual.Device {
	t.Helper()
	d, err := virtual.NewCamera(marked{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// dialUSBIP exports a bus on loopback and connects to it.
func dialUSBIP(bus *virtual.Bus) (usb.Bus, func(), error) {
	s, err := virtual.Listen("127.0.0.1:0", bus, nil)
	if err != nil {
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background()) }()
	client, err := usbip.New(s.Addr(), true)
	return client, func() {
		client.Close()
		s.Close()
		<-served
	}, err
}

func overUSBIP(t testing.TB, bus *virtual.Bus) usb.Bus {
	t.Helper()
	client, done, err := dialUSBIP(bus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(done)
	return client
}

func TestConformance(t *testing.T) {
	for _, l := range []struct {
		name   string
		layout virtual.Layout
	}{{"TwoStreams", virtual.TwoStreams}, {"SideBySide", virtual.SideBySide}} {
		for _, b := range []struct {
			name string
			bus  func(t testing.TB, bus *virtual.Bus) usb.Bus
		}{
			{"InProcess", func(_ testing.TB, bus *virtual.Bus) usb.Bus { return bus }},
			{"USBIP", overUSBIP},
		} {
			t.Run(l.name+"/"+b.name, func(t *testing.T) {
				devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
					vbus := virtual.NewBus()
					t.Cleanup(func() { vbus.Close() })
					dev := newCamera(t, fast(l.layout))
					plug := func(t *testing.T) {
						if err := vbus.Plug(port, dev); err != nil {
							t.Fatal(err)
						}
					}
					plug(t)
					bus := b.bus(t, vbus)
					return devicetest.IrisRig{
						Open: func(ctx context.Context) (devices.IrisCamera, error) {
							c, err := uvc.OpenIris(ctx, bus, port, quirks(l.layout))
							if err != nil {
								return nil, err
							}
							return c, nil
						},
						Plug: plug, Unplug: func(*testing.T) { vbus.Unplug(port) },
						Check: check, Virtual: true, Illumination: true,
					}
				})
			})
		}
	}
}
