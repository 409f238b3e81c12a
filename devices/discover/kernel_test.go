package discover

import (
	"context"
	"errors"
	"testing"

	"tambo/devices"
	"tambo/devices/usb"
	"tambo/devices/v4l2"
	"tambo/devices/virtual"
)

// real is an in-process bus that says it is hardware.
type real struct{ *virtual.Bus }

func (real) Name() string  { return "usb" }
func (real) Virtual() bool { return false }

func classified(t *testing.T, wrap func(*virtual.Bus) usb.Bus) Device {
	t.Helper()
	dev, err := virtual.NewCompositeCamera(nil, nil, virtual.CameraOptions{}, virtual.ColourOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := virtual.NewBus()
	t.Cleanup(func() { b.Close() })
	if err := b.Plug("1-1", dev); err != nil {
		t.Fatal(err)
	}
	bus := wrap(b)
	list, err := bus.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	quirks, err := table()
	if err != nil {
		t.Fatal(err)
	}
	q := quirks[model{virtual.CameraVendor, virtual.CameraProductComposite}]
	q.VirtualOnly, q.Kernel = false, true
	return classify(bus, list[0], map[model]Quirk{{virtual.CameraVendor, virtual.CameraProductComposite}: q})[0]
}

// What the table says of a camera, in the kernel's terms.
func TestKernelQuirks(t *testing.T) {
	d := classified(t, func(b *virtual.Bus) usb.Bus { return real{b} })
	if d.Info.Driver != "v4l2" {
		t.Errorf("a camera that the kernel must keep is %q's", d.Info.Driver)
	}
	q, err := d.kernelQuirks()
	want := v4l2.UnitControl{Unit: 4, Selector: 1, Size: 2, Max: 1000}
	if err != nil || q.Left != (v4l2.Stream{}) || q.Right != (v4l2.Stream{Index: 1}) || q.SideBySide || q.Illumination == nil || *q.Illumination != want {
		t.Errorf("%+v %+v, %v", q, q.Illumination, err)
	}
	if n, err := d.kernelStream(3); err != nil || n != (v4l2.Stream{Index: 2}) {
		t.Errorf("face is stream %+v, %v", n, err)
	}
	if _, err := d.kernelStream(7); !errors.Is(err, devices.ErrUnsupported) {
		t.Error(err)
	}
	if d := classified(t, func(b *virtual.Bus) usb.Bus { return b }); d.Info.Driver != "uvc" {
		t.Errorf("a virtual camera has no kernel, and is %q's", d.Info.Driver)
	}
}

func TestRawOrKernel(t *testing.T) {
	fails := func(kind error) error { return &devices.Error{Device: "x", Op: "open", Kind: kind} }
	hardware, software := Device{bus: real{virtual.NewBus()}}, Device{bus: virtual.NewBus()}
	kept := Device{bus: real{virtual.NewBus()}, quirk: &Quirk{Kernel: true}}
	for _, c := range []struct {
		name        string
		d           Device
		raw, kernel error
		want        string
		err         error
	}{
		{"raw works", hardware, nil, nil, "raw", nil},
		{"no permission", hardware, fails(devices.ErrAccess), nil, "kernel", nil},
		{"nothing for our driver", hardware, fails(devices.ErrUnsupported), nil, "kernel", nil},
		{"neither", hardware, fails(devices.ErrAccess), fails(devices.ErrGone), "", devices.ErrAccess},
		{"busy stays busy", hardware, fails(devices.ErrBusy), nil, "", devices.ErrBusy},
		{"virtual has no kernel", software, fails(devices.ErrUnsupported), nil, "", devices.ErrUnsupported},
		{"the kernel keeps it", kept, nil, nil, "kernel", nil},
		{"the kernel keeps it, and fails", kept, nil, fails(devices.ErrGone), "", devices.ErrGone},
	} {
		open := func(name string, err error) func() (string, error) {
			return func() (string, error) {
				if err != nil {
					return "", err
				}
				return name, nil
			}
		}
		got, err := rawOrKernel(c.d, open("raw", c.raw), open("kernel", c.kernel))
		if got != c.want || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}
