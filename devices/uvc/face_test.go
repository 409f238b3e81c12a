package uvc_test

import (
	"context"
	"image"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

func checkFace(t *testing.T, f devices.FaceFrame) {
	t.Helper()
	if w := virtualtest.WrongFace(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

func fastColour(formats ...string) virtual.ColourOptions {
	return virtual.ColourOptions{Formats: formats, Sizes: []image.Point{{32, 24}, {64, 48}}, Interval: 2 * time.Millisecond, Payload: 1000}
}

func newColour(t testing.TB, opt virtual.ColourOptions) *virtual.Device {
	t.Helper()
	d, err := virtual.NewColourCamera(virtualtest.Board{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFaceConformance(t *testing.T) {
	for _, b := range []struct {
		name string
		bus  func(t testing.TB, bus *virtual.Bus) usb.Bus
	}{
		{"InProcess", func(_ testing.TB, bus *virtual.Bus) usb.Bus { return bus }},
		{"USBIP", overUSBIP},
	} {
		for _, format := range []string{"YUY2", "NV12", "MJPG"} {
			t.Run(format+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
					vbus := virtual.NewBus()
					t.Cleanup(func() { vbus.Close() })
					dev := newColour(t, fastColour(format))
					plug := func(t *testing.T) {
						if err := vbus.Plug(port, dev); err != nil {
							t.Fatal(err)
						}
					}
					plug(t)
					bus := b.bus(t, vbus)
					return devicetest.FaceRig{
						Open: func(ctx context.Context) (devices.FaceCamera, error) {
							c, err := uvc.OpenFace(ctx, bus, port, 0)
							if err != nil {
								return nil, err
							}
							return c, nil
						},
						Plug: plug, Unplug: func(*testing.T) { vbus.Unplug(port) },
						Check: checkFace, Size: image.Pt(64, 48), Compressed: format == "MJPG", Virtual: true,
					}
				})
			})
		}
	}
}
