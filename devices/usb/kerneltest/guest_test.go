package kerneltest

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/discover"
	"tambo/devices/escl"
	"tambo/devices/usb"
	"tambo/devices/usb/libusb"
	"tambo/devices/usb/usbtest"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

func TestGuestBus(t *testing.T) {
	guest(t)
	usbtest.Run(t, func(t *testing.T) usbtest.Rig {
		outlets, bus := map[string]*outlet{}, renamed{Bus: libusb.New(), real: map[string]string{}}
		for _, name := range []string{usbtest.PortA, usbtest.PortB} {
			outlets[name] = newOutlet(t, virtual.NewLoopback("SN-"+name))
			bus.real[name] = outlets[name].port()
		}
		return usbtest.Rig{Bus: bus,
			Plug:   func(t *testing.T, port string) { outlets[port].plug(t) },
			Unplug: func(t *testing.T, port string) { outlets[port].unplug(t) }}
	})
}

// small is a camera that an emulated processor can keep up with.
func small(l virtual.Layout) virtual.CameraOptions {
	return virtual.CameraOptions{Layout: l, Width: 160, Height: 120, Interval: 40 * time.Millisecond, Payload: 8 << 10}
}

func newCamera(t *testing.T, opt virtual.CameraOptions) *outlet {
	t.Helper()
	dev, err := virtual.NewCamera(virtualtest.Marked{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return newOutlet(t, dev)
}

// quirks are the table's for a virtual camera.
func quirks(t *testing.T, l virtual.Layout) uvc.Quirks {
	t.Helper()
	rows, err := discover.Quirks()
	if err != nil {
		t.Fatal(err)
	}
	product := map[virtual.Layout]string{virtual.TwoStreams: "0001", virtual.SideBySide: "0002"}[l]
	for _, q := range rows {
		if q.Vendor == "1209" && q.Product == product {
			return *q.UVC
		}
	}
	t.Fatalf("no quirks for 1209:%s", product)
	return uvc.Quirks{}
}

func checkEyes(t *testing.T, f devices.IrisFrame) {
	t.Helper()
	if w := virtualtest.WrongEyes(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

// irisCameras are the kinds of iris camera that all beds try.
var irisCameras = []struct {
	name   string
	layout virtual.Layout
	iso    bool
}{
	{"TwoStreams", virtual.TwoStreams, false},
	{"SideBySide", virtual.SideBySide, false},
	{"Isochronous", virtual.TwoStreams, true},
}

func TestGuestIrisCamera(t *testing.T) {
	guest(t)
	for _, c := range irisCameras {
		t.Run(c.name, func(t *testing.T) {
			devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
				opt := small(c.layout)
				opt.Isochronous = c.iso
				o, bus := newCamera(t, opt), libusb.New()
				t.Cleanup(func() { bus.Close() })
				o.plug(t)
				return devicetest.IrisRig{
					Open: func(ctx context.Context) (devices.IrisCamera, error) {
						c, err := uvc.OpenIris(ctx, bus, o.port(), quirks(t, c.layout))
						if err != nil {
							return nil, err
						}
						return c, nil
					},
					Plug: o.plug, Unplug: o.unplug, Check: checkEyes, Illumination: true, Virtual: true, Losses: true,
				}
			})
		})
	}
}

// newScanner is a scanner with a small bed.
func newScanner(t *testing.T, opt virtual.ScannerOptions) *outlet {
	t.Helper()
	if opt.Width == 0 {
		opt.Width, opt.Height = 800, 1000
	}
	dev, err := virtual.NewScanner(nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	return newOutlet(t, dev)
}

func (o *outlet) scanner() *virtual.Scanner { return o.dev.Function().(*virtual.Scanner) }

// openScanner finds the scanner at the outlet as discovery does.
func (o *outlet) openScanner(ctx context.Context, bus usb.Bus) (devices.DocumentScanner, error) {
	list, err := bus.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, info := range list {
		if info.Port == o.port() && escl.Match(info) {
			return escl.Open(ctx, bus, info)
		}
	}
	in, _ := virtual.NewScanner(nil, virtual.ScannerOptions{}) // nothing there: what it was
	b := virtual.NewBus()
	defer b.Close()
	_ = b.Plug(o.port(), in)
	was, _ := b.List(ctx)
	return escl.Open(ctx, bus, was[0])
}

func TestGuestScanner(t *testing.T) {
	guest(t)
	devicetest.Scanner(t, func(t *testing.T) *devicetest.ScannerRig {
		o, bus := newScanner(t, virtual.ScannerOptions{}), libusb.New()
		t.Cleanup(func() { bus.Close() })
		o.plug(t)
		r := &devicetest.ScannerRig{
			Open: func(ctx context.Context) (devices.DocumentScanner, error) { return o.openScanner(ctx, bus) },
			Lay: func(page image.Image, _ int) {
				if page == nil {
					o.scanner().SetScene(nil)
					return
				}
				o.scanner().SetScene(virtualtest.Page{Image: page})
			},
			At: image.Pt(60, 60), DPI: 150, Virtual: true,
			Slow: func(on bool) {
				if o.scanner().SetSpeed(0); on {
					o.scanner().SetSpeed(12_000)
				}
			},
			Unplug: func() { o.unplug(t) },
			Plug: func() {
				if err := o.out(); err != nil { // a fault unplugs in the background
					t.Error(err)
				}
				o.plug(t)
			},
			Leaks: o.open,
		}
		// vhci_hcd speaks USB/IP, which does not return the bytes of a transfer that
		// was taken back: no-zlp stays in process.
		r.Faults = slices.DeleteFunc(virtualtest.ScannerFaults(t, o.dev), func(f devicetest.ScannerFault) bool {
			return f.Name == string(virtual.ScannerNoZLP)
		})
		return r
	})
}

// Discovery follows what the kernel does, and never takes a virtual device for a
// real one, although the kernel does.
func TestGuestHotplug(t *testing.T) {
	guest(t)
	bus := libusb.New()
	defer bus.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	twins := []*outlet{newCamera(t, small(virtual.TwoStreams)), newCamera(t, small(virtual.TwoStreams))}
	events := discover.New(bus).Watch(ctx)
	next := func(kind discover.EventKind) discover.Device {
		t.Helper()
		began := time.Now()
		for e := range events {
			if e.Kind != discover.Trouble {
				if e.Kind != kind {
					t.Fatalf("%s %v, want %s", e.Kind, e.Device, kind)
				}
				t.Logf("%s after %v: %v (%s)", kind, time.Since(began).Round(time.Millisecond), e.Device, e.Device.WhyNot)
				return e.Device
			}
		}
		t.Fatalf("no event %s: %v", kind, ctx.Err())
		return discover.Device{}
	}
	var ports []string
	for _, o := range twins {
		o.plug(t)
		d := next(discover.Arrived)
		if d.Info.Kind != "" || !strings.Contains(d.WhyNot, "training") {
			t.Errorf("a virtual device on a real bus was taken: %+v", d)
		}
		ports = append(ports, d.Info.Port)
	}
	if want := []string{twins[0].port(), twins[1].port()}; !slices.Equal(ports, want) {
		t.Errorf("twins at %v, want %v", ports, want)
	}
	for range 3 { // pulled and put back
		twins[0].unplug(t)
		if d := next(discover.Left); d.Info.Port != ports[0] {
			t.Errorf("%v left, it was the one at %s", d, ports[0])
		}
		twins[0].plug(t)
		if d := next(discover.Arrived); d.Info.Port != ports[0] {
			t.Errorf("%v arrived, it was the one at %s", d, ports[0])
		}
	}
}

// A hub resets under two cameras of one kind that stream: both are gone, come back
// at their ports, and open again, each the one that it was.
func TestGuestHubReset(t *testing.T) {
	guest(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	bus := libusb.New()
	defer bus.Close()
	twins := []*outlet{newCamera(t, small(virtual.SideBySide)), newCamera(t, small(virtual.SideBySide))}
	open := func(o *outlet) (devices.IrisCamera, devices.IrisStream) {
		t.Helper()
		c, err := uvc.OpenIris(ctx, bus, o.port(), quirks(t, virtual.SideBySide))
		if err != nil {
			t.Fatalf("port %s: %v", o.port(), err)
		}
		if c.Info().Port != o.port() {
			t.Errorf("port %s opened as %s", o.port(), c.Info().Port)
		}
		s, err := c.Stream(ctx)
		if err != nil {
			t.Fatalf("port %s: %v", o.port(), err)
		}
		f, err := s.Next(ctx)
		if err != nil {
			t.Fatalf("port %s: %v; %+v", o.port(), err, s.Stats())
		}
		checkEyes(t, f)
		return c, s
	}
	for _, o := range twins {
		o.plug(t)
	}
	for round := range 2 {
		var cams []devices.IrisCamera
		var streams []devices.IrisStream
		for _, o := range twins {
			c, s := open(o)
			cams, streams = append(cams, c), append(streams, s)
		}
		began := time.Now()
		if err := ResetHub(); err != nil {
			t.Fatal(err)
		}
		for i, s := range streams {
			var err error
			for err == nil { // what was complete may still come
				_, err = s.Next(ctx)
			}
			if !errors.Is(err, devices.ErrGone) {
				t.Errorf("round %d, port %s: %v", round, twins[i].port(), err)
			}
			cams[i].Close()
		}
		t.Logf("round %d: both were gone %v after the hub began to reset", round, time.Since(began).Round(time.Millisecond))
		for _, o := range twins {
			for began := time.Now(); !Plugged(o.n); time.Sleep(5 * time.Millisecond) {
				if time.Since(began) > 15*time.Second {
					t.Fatalf("port %s does not come back", o.port())
				}
			}
			if n := o.open(); n != 0 {
				t.Errorf("%d handles are left on port %s", n, o.port())
			}
		}
	}
	for _, o := range twins {
		c, _ := open(o)
		c.Close()
	}
}
