package kerneltest

import (
	"context"
	"image"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/discover"
	"tambo/devices/usb"
	"tambo/devices/usb/libusb"
	"tambo/devices/uvc"
	"tambo/devices/v4l2"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// colour is a camera with one format, at two sizes; "iso" before the format makes
// it isochronous.
func colour(format string) virtual.ColourOptions {
	if f, iso := strings.CutPrefix(format, "iso "); iso {
		opt := colour(f)
		opt.Isochronous = true
		return opt
	}
	return virtual.ColourOptions{Formats: []string{format}, Sizes: []image.Point{{X: 64, Y: 48}, {X: 160, Y: 112}},
		Interval: 40 * time.Millisecond, Payload: 8 << 10, Still: image.Pt(176, 128), StillPipe: true}
}

func newColour(t *testing.T, opt virtual.ColourOptions) *outlet {
	t.Helper()
	dev, err := virtual.NewColourCamera(virtualtest.Board{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return newOutlet(t, dev)
}

func checkFace(t *testing.T, f devices.FaceFrame) {
	t.Helper()
	if w := virtualtest.WrongFace(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

// faceRig is a colour camera at the controller, opened by one of our drivers.
func faceRig(t *testing.T, format string, open func(ctx context.Context, port string) (devices.FaceCamera, error)) (devicetest.FaceRig, *virtual.Device) {
	o := newColour(t, colour(format))
	o.plug(t)
	return devicetest.FaceRig{
		Open: func(ctx context.Context) (devices.FaceCamera, error) { return open(ctx, o.port()) },
		Plug: o.plug, Unplug: o.unplug, Check: checkFace,
		Size: image.Pt(160, 112), Compressed: strings.HasSuffix(format, "MJPG"), Virtual: true,
		Losses: true, // an emulated processor
	}, o.dev
}

func TestGuestFaceCamera(t *testing.T) {
	guest(t)
	for _, format := range []string{"YUY2", "iso MJPG"} {
		t.Run(format, func(t *testing.T) {
			devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
				bus := libusb.New()
				t.Cleanup(func() { bus.Close() })
				r, dev := faceRig(t, format, func(ctx context.Context, port string) (devices.FaceCamera, error) {
					c, err := uvc.OpenFace(ctx, bus, port, 0)
					if err != nil {
						return nil, err
					}
					return c, nil
				})
				r.Still, r.StillFaults = colour(format).Still, virtualtest.StillFaults(dev)
				return r
			})
		})
	}
}

// nodes waits until the kernel has made n nodes that capture, and those of their
// metadata: it does so a moment after the device is configured.
func (o *outlet) nodes(t *testing.T, n int) {
	t.Helper()
	o.videoNodes(t, n)
}

func TestGuestV4L2(t *testing.T) {
	guest(t)
	for _, format := range []string{"YUY2", "NV12", "iso MJPG"} {
		t.Run("Face/"+format, func(t *testing.T) {
			devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
				r, _ := faceRig(t, format, func(ctx context.Context, port string) (devices.FaceCamera, error) {
					c, err := v4l2.OpenFace(ctx, port, v4l2.AnyStream)
					if err != nil {
						return nil, err
					}
					return c, nil
				})
				return r
			})
		})
	}
	for _, c := range irisCameras {
		t.Run("Iris/"+c.name, func(t *testing.T) {
			devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
				opt := small(c.layout)
				opt.Isochronous = c.iso
				o := newCamera(t, opt)
				o.plug(t)
				q := v4l2.Iris{Right: v4l2.Stream{Index: 1}, Illumination: &v4l2.UnitControl{Unit: 4, Selector: 1, Size: 2, Max: 1000}}
				if c.layout == virtual.SideBySide {
					q.SideBySide, q.RightEyeFirst = true, true
				}
				return devicetest.IrisRig{
					Open: func(ctx context.Context) (devices.IrisCamera, error) {
						c, err := v4l2.OpenIris(ctx, o.port(), q)
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

// refused is real USB whose devices this program may not open, and that have
// other numbers than the table's virtual ones.
type refused struct{ usb.Bus }

func (b refused) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	list, err := b.Bus.List(ctx)
	for i := range list {
		list[i].VendorID, list[i].ProductID = 0xf055, 0x0001
	}
	return list, err
}

func (b refused) Open(context.Context, string) (usb.Device, error) { return nil, usb.ErrAccess }

func TestGuestFallback(t *testing.T) {
	guest(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	bus := libusb.New()
	defer bus.Close()
	o := newColour(t, colour("YUY2"))
	o.plug(t)
	c, err := discover.New(refused{bus}).OpenFaceCamera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if i := c.Info(); i.Driver != "v4l2" || i.Port != o.port() || !i.Virtual {
		t.Errorf("%+v", i)
	}
	s, err := c.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	checkFace(t, f)
	c.Close()
	// By raw USB it opens as before, and the kernel's node comes back after it.
	raw, err := uvc.OpenFace(ctx, bus, o.port(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := discover.New(refused{bus}).OpenFaceCamera(ctx); err == nil {
		t.Error("the kernel's camera opens while raw USB has it")
	}
	raw.Close()
	o.nodes(t, 1)
}

// One device with two video functions: each is taken from the kernel alone, and
// the other stays where it was.
func TestGuestTwoFunctions(t *testing.T) {
	guest(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	dev, err := virtual.NewTwinCamera(virtualtest.Marked{}, virtualtest.Board{}, small(virtual.SideBySide), colour("YUY2"))
	if err != nil {
		t.Fatal(err)
	}
	o, bus := newOutlet(t, dev), libusb.New()
	defer bus.Close()
	o.plug(t)
	o.function(t, 0, 1)
	o.function(t, 2, 1)
	frame := func(c devices.FaceCamera) {
		t.Helper()
		s, err := c.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 3 {
			f, err := s.Next(ctx)
			if err != nil {
				t.Fatalf("face: %v; %+v", err, s.Stats())
			}
			checkFace(t, f)
		}
	}
	eyes := func(c devices.IrisCamera) {
		t.Helper()
		s, err := c.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for range 3 {
			f, err := s.Next(ctx)
			if err != nil {
				t.Fatalf("eyes: %v; %+v", err, s.Stats())
			}
			checkEyes(t, f)
		}
	}
	face, err := uvc.OpenFace(ctx, bus, o.port(), virtual.TwinFace)
	if err != nil {
		t.Fatal(err)
	}
	o.function(t, 0, 0)
	kept, err := v4l2.OpenIris(ctx, o.port(), v4l2.Iris{SideBySide: true, RightEyeFirst: true, Left: v4l2.Stream{Function: 2}})
	if err != nil {
		t.Fatalf("the kernel's second function, while raw USB has the first: %v", err)
	}
	frame(face)
	eyes(kept)
	kept.Close()
	q := quirks(t, virtual.SideBySide)
	q.Interface = virtual.TwinEyes
	raw, err := uvc.OpenIris(ctx, bus, o.port(), q)
	if err != nil {
		t.Fatalf("both by raw USB: %v", err)
	}
	eyes(raw)
	if err := raw.SetIllumination(ctx, 0.25); err != nil {
		t.Error(err)
	}
	raw.Close()
	o.function(t, 2, 1) // the kernel has its function back, and the other is not disturbed
	o.function(t, 0, 0)
	frame(face)
	face.Close()
	o.function(t, 0, 1)
}

// function waits until the kernel has n nodes of a video function.
func (o *outlet) function(t *testing.T, number, n int) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		have := 0
		nodes, err := v4l2.List()
		for _, x := range nodes {
			if x.Port == o.port() && x.Function == number && x.Index%2 == 0 { // between them is metadata
				have++
			}
		}
		switch {
		case have == n:
			return
		case time.Since(began) > 10*time.Second:
			t.Fatalf("the kernel has %d nodes of function %d, want %d (%v)", have, number, n, err)
		}
	}
}
