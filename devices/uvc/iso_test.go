package uvc_test

import (
	"context"
	"errors"
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

func isoEyes(l virtual.Layout) virtual.CameraOptions {
	opt := fast(l)
	opt.Isochronous = true
	return opt
}

func isoColour(formats ...string) virtual.ColourOptions {
	opt := fastColour(formats...)
	opt.Isochronous = true
	return opt
}

// buses are the ways to a virtual device.
var buses = []struct {
	name string
	bus  func(t testing.TB, bus *virtual.Bus) usb.Bus
}{
	{"InProcess", func(_ testing.TB, bus *virtual.Bus) usb.Bus { return bus }},
	{"USBIP", overUSBIP},
}

// rigs plug a fresh device and keep it for the test.
func plugged(t *testing.T, make func() (*virtual.Device, error)) (*virtual.Bus, *virtual.Device, func(t *testing.T)) {
	t.Helper()
	vbus := virtual.NewBus()
	t.Cleanup(func() { vbus.Close() })
	dev, err := make()
	if err != nil {
		t.Fatal(err)
	}
	plug := func(t *testing.T) {
		t.Helper()
		if err := vbus.Plug(port, dev); err != nil {
			t.Fatal(err)
		}
	}
	plug(t)
	return vbus, dev, plug
}

func irisRig(bus usb.Bus, vbus *virtual.Bus, q uvc.Quirks, plug func(*testing.T)) devicetest.IrisRig {
	return devicetest.IrisRig{
		Open: func(ctx context.Context) (devices.IrisCamera, error) {
			c, err := uvc.OpenIris(ctx, bus, port, q)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Plug: plug, Unplug: func(*testing.T) { vbus.Unplug(port) },
		Check: check, Virtual: true, Illumination: true, Losses: testing.Short(), // under the race detector
	}
}

func faceRig(bus usb.Bus, vbus *virtual.Bus, number int, compressed bool, plug func(*testing.T)) devicetest.FaceRig {
	return devicetest.FaceRig{
		Open: func(ctx context.Context) (devices.FaceCamera, error) {
			c, err := uvc.OpenFace(ctx, bus, port, number)
			if err != nil {
				return nil, err
			}
			return c, nil
		},
		Plug: plug, Unplug: func(*testing.T) { vbus.Unplug(port) },
		Check: checkFace, Size: image.Pt(64, 48), Compressed: compressed, Virtual: true,
		Losses: testing.Short(),
	}
}

func TestIsochronousConformance(t *testing.T) {
	for _, b := range buses {
		for name, l := range map[string]virtual.Layout{"TwoStreams": virtual.TwoStreams, "SideBySide": virtual.SideBySide} {
			t.Run(name+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
					vbus, _, plug := plugged(t, func() (*virtual.Device, error) {
						return virtual.NewCamera(virtualtest.Marked{}, isoEyes(l))
					})
					return irisRig(b.bus(t, vbus), vbus, quirks(l), plug)
				})
			})
		}
		for _, format := range []string{"YUY2", "MJPG"} {
			t.Run(format+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
					vbus, _, plug := plugged(t, func() (*virtual.Device, error) {
						return virtual.NewColourCamera(virtualtest.Board{}, isoColour(format))
					})
					return faceRig(b.bus(t, vbus), vbus, 0, format == "MJPG", plug)
				})
			})
		}
	}
}

// oneDevice makes the kinds of device that have eyes and a face: on streams of one
// video function, and on two functions.
var oneDevice = []struct {
	name string
	face int
	eyes uvc.Quirks
	make func(eyes virtual.EyeScene, face virtual.ColourScene, opt virtual.CameraOptions, colour virtual.ColourOptions) (*virtual.Device, error)
}{
	{"Composite", virtual.FaceInterface, quirks(virtual.TwoStreams), virtual.NewCompositeCamera},
	{"Twin", virtual.TwinFace, twinQuirks(), virtual.NewTwinCamera},
}

func twinQuirks() uvc.Quirks {
	q := quirks(virtual.TwoStreams)
	q.Left, q.Right = virtual.TwinEyes, virtual.TwinEyes+1
	return q
}

// The eyes and the face of one device pass both suites, each while the other
// streams.
func TestCompositeConformance(t *testing.T) {
	for _, kind := range oneDevice {
		t.Run(kind.name, func(t *testing.T) {
			q := kind.eyes
			q.Face = kind.face
			compositeConformance(t, q, func(iso bool) (*virtual.Device, error) {
				eyes, face := fast(virtual.TwoStreams), fastColour("MJPG")
				eyes.Isochronous, face.Isochronous = iso, iso
				return kind.make(virtualtest.Marked{}, virtualtest.Board{}, eyes, face)
			})
		})
	}
}

// A camera with an endpoint of its own for stills passes the suite, and no damaged
// still comes through.
func TestStillPipeConformance(t *testing.T) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		for _, format := range []string{"YUY2", "MJPG"} {
			for _, b := range buses {
				t.Run(name+"/"+format+"/"+b.name, func(t *testing.T) {
					t.Parallel()
					devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
						vbus, dev, plug := plugged(t, func() (*virtual.Device, error) {
							opt := fastColour(format)
							if iso {
								opt = isoColour(format)
							}
							opt.Still, opt.StillPipe = image.Pt(160, 112), true
							return virtual.NewColourCamera(virtualtest.Board{}, opt)
						})
						r := faceRig(b.bus(t, vbus), vbus, 0, format == "MJPG", plug)
						r.Still, r.StillFaults = image.Pt(160, 112), virtualtest.StillFaults(dev)
						return r
					})
				})
			}
		}
	}
}

func compositeConformance(t *testing.T, q uvc.Quirks, make func(iso bool) (*virtual.Device, error)) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		composite := func() (*virtual.Device, error) { return make(iso) }
		for _, b := range buses {
			t.Run(name+"/Iris/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
					vbus, _, plug := plugged(t, composite)
					bus := b.bus(t, vbus)
					streamBeside(t, func(ctx context.Context) (streamer, error) {
						c, err := uvc.OpenFace(ctx, bus, port, q.Face)
						if err != nil {
							return streamer{}, err
						}
						s, err := c.Stream(ctx)
						return streamer{func() error { s.Close(); return c.Close() }, func(ctx context.Context) error {
							f, err := s.Next(ctx)
							if err == nil {
								if w := virtualtest.WrongFace(f); w != "" {
									return errors.New(w)
								}
							}
							return err
						}}, err
					})
					return irisRig(bus, vbus, q, plug)
				})
			})
			t.Run(name+"/Face/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
					vbus, _, plug := plugged(t, composite)
					bus := b.bus(t, vbus)
					streamBeside(t, func(ctx context.Context) (streamer, error) {
						c, err := uvc.OpenIris(ctx, bus, port, q)
						if err != nil {
							return streamer{}, err
						}
						s, err := c.Stream(ctx)
						return streamer{func() error { s.Close(); return c.Close() }, func(ctx context.Context) error {
							f, err := s.Next(ctx)
							if err == nil {
								if w := virtualtest.WrongEyes(f); w != "" {
									return errors.New(w)
								}
							}
							return err
						}}, err
					})
					return faceRig(bus, vbus, q.Face, true, plug)
				})
			})
		}
	}
}

// streamer is a stream of either kind.
type streamer struct {
	close func() error
	next  func(context.Context) error
}

// streamBeside keeps the device's other camera streaming until the test ends;
// that it goes when the device is unplugged is all that may happen to it.
func streamBeside(t *testing.T, open func(ctx context.Context) (streamer, error)) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := open(ctx)
	if err != nil {
		t.Fatalf("the camera beside: %v", err)
	}
	if err := s.next(ctx); err != nil {
		t.Fatalf("the camera beside: %v", err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			if err := s.next(ctx); err != nil {
				if ctx.Err() == nil && !errors.Is(err, devices.ErrGone) {
					t.Errorf("the camera beside: %v", err)
				}
				return
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		s.close()
	})
}

// A camera whose largest size needs more than a microframe carries gives it more
// slowly, as long as ten come a second, and then a smaller one.
func TestBandwidthChoosesTheFrame(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration // and its double
		size     image.Point
		every    time.Duration
	}{
		{time.Second / 10, image.Pt(1280, 720), time.Second / 10}, // 2,550 bytes a microframe
		{time.Second / 20, image.Pt(1280, 720), time.Second / 10}, // the double
		{time.Second / 30, image.Pt(640, 480), time.Second / 30},  // 1280×720 needs 7,600 and 3,800
		{time.Second / 60, image.Pt(640, 480), time.Second / 30},
		{time.Second / 120, image.Pt(320, 240), time.Second / 60},
	} {
		vbus, _, _ := plugged(t, func() (*virtual.Device, error) {
			return virtual.NewColourCamera(virtualtest.Board{}, virtual.ColourOptions{Isochronous: true, Formats: []string{"YUY2"},
				Sizes: []image.Point{{1280, 720}, {640, 480}, {320, 240}}, Interval: tt.interval})
		})
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		c, err := uvc.OpenFace(ctx, vbus, port, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		s, err := c.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f, err := s.Next(ctx)
		if err != nil {
			t.Fatalf("%v: %v; %+v", tt.size, err, s.Stats())
		}
		if f.Image.Rect.Max != tt.size {
			t.Errorf("offered every %v: got %v, want %v", tt.interval, f.Image.Rect.Max, tt.size)
		}
		checkFace(t, f)
		before := s.Stats().Frames
		time.Sleep(500 * time.Millisecond)
		if n, most := s.Stats().Frames-before, uint64(500*time.Millisecond/tt.every)+2; n > most {
			t.Errorf("offered every %v: %d frames in half a second, want one every %v", tt.interval, n, tt.every)
		}
	}
}

// One fault at a time on single packets: what is accepted is right, what struck
// is counted, and the camera recovers.
func TestPacketFaults(t *testing.T) {
	damaged := func(s devices.StreamStats) uint64 { return s.Damaged }
	broken := func(s devices.StreamStats) uint64 { return s.BusErrors }
	for _, tt := range []struct {
		name    string
		faults  virtual.Faults
		counted func(s devices.StreamStats) uint64
	}{
		{"Lost", virtual.Faults{Drop: 0.02}, damaged},
		{"Short", virtual.Faults{Short: 0.02}, damaged},
		{"ErrorMarkedByBus", virtual.Faults{Error: 0.02}, broken},
		{"ErrorMarkedByCamera", virtual.Faults{ErrorBit: 0.02}, damaged},
		{"OutOfOrder", virtual.Faults{Disorder: 0.02}, damaged},
		{"TooLong", virtual.Faults{Babble: 0.02}, broken},
		{"KeepFIDNoEOF", virtual.Faults{KeepFID: 0.5, NoEOF: 0.5, Drop: 0.02}, damaged},
		{"Hang", virtual.Faults{Hang: 0.2}, broken},
		{"NothingButErrors", virtual.Faults{Error: 1}, broken},
		{"NothingAtAll", virtual.Faults{Drop: 1}, broken},
	} {
		for name, l := range map[string]virtual.Layout{"TwoStreams": virtual.TwoStreams, "SideBySide": virtual.SideBySide} {
			t.Run(tt.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				vbus, dev, _ := plugged(t, func() (*virtual.Device, error) {
					return virtual.NewCamera(virtualtest.Marked{}, isoEyes(l))
				})
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				cam, err := uvc.OpenIris(ctx, vbus, port, quirks(l))
				if err != nil {
					t.Fatal(err)
				}
				defer cam.Close()
				s, err := cam.Stream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				first, err := s.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				check(t, first)
				faults := tt.faults
				faults.Seed = 7
				dev.SetFaults(faults)
				for n := 0; n < 20 || tt.counted(s.Stats()) == 0; n++ {
					next, stop := context.WithTimeout(ctx, 100*time.Millisecond)
					f, err := s.Next(next)
					stop()
					switch {
					case err == nil:
						check(t, f)
					case errors.Is(err, devices.ErrStalled) && ctx.Err() == nil:
					default:
						t.Fatalf("%v; %+v", err, s.Stats())
					}
				}
				dev.SetFaults(virtual.Faults{})
				for n := range 5 {
					f, err := s.Next(ctx)
					if err != nil {
						t.Fatalf("healed frame %d: %v; %+v", n, err, s.Stats())
					}
					check(t, f)
				}
				t.Logf("%+v", s.Stats())
			})
		}
	}
}

// The camera's own clock says when a frame was exposed: in order, before it was
// complete, and evenly.
func TestExposureTime(t *testing.T) {
	for name, iso := range map[string]bool{"Bulk": false, "Isochronous": true} {
		t.Run(name, func(t *testing.T) {
			opt := fast(virtual.TwoStreams)
			opt.Isochronous, opt.Interval = iso, 10*time.Millisecond
			vbus, _, _ := plugged(t, func() (*virtual.Device, error) { return virtual.NewCamera(virtualtest.Marked{}, opt) })
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			cam, err := uvc.OpenIris(ctx, vbus, port, quirks(virtual.TwoStreams))
			if err != nil {
				t.Fatal(err)
			}
			defer cam.Close()
			s, err := cam.Stream(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var firstIndex uint64
			var first time.Time
			for n := range 40 {
				f, err := s.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				index, err := virtualtest.MarkedIndex(f.Left, 'L')
				if err != nil {
					t.Fatal(err)
				}
				if f.Exposed.IsZero() || f.Exposed.After(f.At) {
					t.Fatalf("frame %d: exposed %v, complete %v", n, f.Exposed, f.At)
				}
				switch {
				case n == 10: // the clocks have found each other
					first, firstIndex = f.Exposed, index
				case n > 10:
					off := f.Exposed.Sub(first) - time.Duration(index-firstIndex)*opt.Interval
					if off.Abs() > opt.Interval {
						t.Errorf("frame %d: exposed %v beside its time", n, off)
					}
				}
			}
		})
	}
}

// A stream that ends gives the bus its bandwidth back.
func TestBandwidthIsGivenBack(t *testing.T) {
	vbus, _, _ := plugged(t, func() (*virtual.Device, error) {
		return virtual.NewCamera(virtualtest.Marked{}, isoEyes(virtual.TwoStreams))
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	d, err := vbus.Open(ctx, port)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	selected := func(number uint16) byte {
		t.Helper()
		var b [1]byte
		if n, err := d.Control(ctx, usb.Setup{RequestType: 0x81, Request: 0x0a, Index: number}, b[:]); n != 1 || err != nil {
			t.Fatalf("GET_INTERFACE: %v", err)
		}
		return b[0]
	}
	cam, err := uvc.OpenIris(ctx, vbus, port, quirks(virtual.TwoStreams))
	if err != nil {
		t.Fatal(err)
	}
	defer cam.Close()
	for range 2 {
		s, err := cam.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if selected(1) == 0 || selected(2) == 0 {
			t.Errorf("streaming in settings %d and %d", selected(1), selected(2))
		}
		if _, err := s.Next(ctx); err != nil {
			t.Fatal(err)
		}
		s.Close()
		if selected(1) != 0 || selected(2) != 0 {
			t.Errorf("closed in settings %d and %d", selected(1), selected(2))
		}
	}
}
