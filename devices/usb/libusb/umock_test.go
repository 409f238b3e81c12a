package libusb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/escl"
	"tambo/devices/usb"
	"tambo/devices/usb/usbtest"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// The real libusb, and gousb on it, without USB hardware: this test starts
// itself again under umockdev's preload library, whose mocked /dev and /sys get
// their devices from testdata/umock/bridge.c, which speaks USB/IP to the virtual
// devices of the first process. Skipped where umockdev is not installed (Debian:
// umockdev libumockdev-dev).

const umockDir = "TAMBO_UMOCK_DIR" // set for the second process

func TestUnderUmockdev(t *testing.T) {
	if os.Getenv(umockDir) != "" {
		t.Skip("this is the inner process")
	}
	if testing.Short() {
		t.Skip("a second process under the mock")
	}
	if _, err := exec.LookPath("umockdev-wrapper"); err != nil {
		t.Skip("umockdev is not installed")
	}
	dir := t.TempDir()
	bridge := filepath.Join(dir, "bridge")
	build := exec.Command("sh", "-c", `cc -O1 -o "$1" testdata/umock/bridge.c $(pkg-config --cflags --libs umockdev-1.0 gio-unix-2.0)`, "sh", bridge)
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("the bridge does not compile, libumockdev-dev is missing: %v\n%s", err, out)
	}
	sim := &simulator{dir: dir, bus: virtual.NewBus()}
	defer sim.bus.Close()
	l, err := net.Listen("unix", filepath.Join(dir, "hands"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go sim.serve(l)
	text, err := runInner(bridge, dir)
	for try := 0; err != nil && strings.Contains(text, "ERROR: libumockdev-preload"); try++ {
		if try == 3 {
			t.Fatalf("the mock itself failed four times:\n%s", text)
		}
		t.Logf("the mock itself failed; once more:\n%s", text)
		sim.do([]string{"empty"})
		text, err = runInner(bridge, dir)
	}
	if err != nil || !strings.Contains(text, "--- PASS: TestUmockInner") {
		t.Fatalf("%v\n%s", err, text)
	}
	t.Logf("%d checks passed with the real libusb", strings.Count(text, "--- PASS"))
}

// runInner runs this program again, under the mock.
func runInner(bridge, dir string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "umockdev-wrapper", bridge, dir, os.Args[0], "-test.run", "^TestUmockInner", "-test.v", "-test.timeout", "100s")
	cmd.Env = append(os.Environ(), umockDir+"="+dir)
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// simulator is the outer process: it plugs virtual devices in where it is told.
type simulator struct {
	dir string
	bus *virtual.Bus
}

func (s *simulator) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			in := bufio.NewScanner(c)
			for in.Scan() {
				answer := "ok"
				if err := s.do(strings.Fields(in.Text())); err != nil {
					answer = err.Error()
				}
				fmt.Fprintln(c, answer)
			}
		}()
	}
}

func (s *simulator) do(words []string) error {
	if len(words) == 0 {
		return errors.New("nothing to do")
	}
	switch verb := words[0]; {
	case verb == "loopback" && len(words) == 2:
		return s.plug(words[1], virtual.NewLoopback("SN-"+words[1]))
	case verb == "camera" && len(words) == 2:
		cam, err := virtual.NewCamera(counting{}, virtual.CameraOptions{Width: 160, Height: 120, Interval: 20 * time.Millisecond})
		if err != nil {
			return err
		}
		return s.plug(words[1], cam)
	case verb == "composite" && len(words) == 2:
		cam, err := virtual.NewCompositeCamera(virtualtest.Marked{}, virtualtest.Board{},
			virtual.CameraOptions{Width: 160, Height: 120, Interval: 20 * time.Millisecond, Isochronous: true},
			virtual.ColourOptions{Formats: []string{"MJPG"}, Sizes: []image.Point{{64, 48}}, Interval: 20 * time.Millisecond, Isochronous: true})
		if err != nil {
			return err
		}
		return s.plug(words[1], cam)
	case verb == "scanner" && len(words) == 2:
		sc, err := virtual.NewScanner(stripes{}, virtual.ScannerOptions{Formats: []string{"image/png"}})
		if err != nil {
			return err
		}
		return s.plug(words[1], sc)
	case verb == "unplug" && len(words) == 2:
		os.Remove(filepath.Join(s.dir, words[1]+".sock"))
		s.bus.Unplug(words[1])
		return nil
	case verb == "empty":
		list, err := s.bus.List(context.Background())
		for _, i := range list {
			s.do([]string{"unplug", i.Port})
		}
		return err
	}
	return fmt.Errorf("no request %q", words)
}

func (s *simulator) plug(port string, d *virtual.Device) error {
	if err := s.bus.Plug(port, d); err != nil {
		return err
	}
	l, err := net.Listen("unix", filepath.Join(s.dir, port+".sock"))
	if err != nil {
		return err
	}
	// It is closed when the plugging is over, and another socket may have its name
	// by then.
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	go func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.bus.ServeURBs(port, c)
	}()
	return nil
}

// counting is a scene whose images are filled with the exposure's number, the
// right eye's with its complement.
type counting struct{}

func (counting) Eyes(s virtual.Shot) (left, right *image.Gray) {
	left, right = image.NewGray(image.Rect(0, 0, s.Width, s.Height)), image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	for i := range left.Pix {
		left.Pix[i], right.Pix[i] = byte(s.Index), ^byte(s.Index)
	}
	return left, right
}

// stripes is a page of black and white lines, 100 pixels each.
type stripes struct{}

func (stripes) Page(int, bool) image.Image {
	img := image.NewGray(image.Rect(0, 0, 1000, 1000))
	for y := range 1000 {
		for x := range 1000 {
			img.Pix[1000*y+x] = byte(255 * (y / 100 % 2))
		}
	}
	return img
}

// hands tells the outer process what to plug.
type hands struct {
	t *testing.T
	c net.Conn
	r *bufio.Reader
}

func newHands(t *testing.T) *hands {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(os.Getenv(umockDir), "hands"))
	if err != nil {
		t.Fatal(err)
	}
	h := &hands{t: t, c: c, r: bufio.NewReader(c)}
	t.Cleanup(func() {
		h.do(t, "empty")
		waitFor(t, New(), func(l []usb.DeviceInfo) bool { return len(l) == 0 })
		c.Close()
	})
	return h
}

func (h *hands) do(t *testing.T, request string) {
	t.Helper()
	fmt.Fprintln(h.c, request)
	answer, err := h.r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) || strings.TrimSpace(answer) != "ok" {
		t.Fatalf("%s: %q %v", request, answer, err)
	}
}

// waitFor looks until the bus shows it.
func waitFor(t *testing.T, b *Bus, ok func([]usb.DeviceInfo) bool) {
	t.Helper()
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		l, err := b.List(context.Background())
		if err == nil && ok(l) {
			return
		}
		if time.Since(began) > 10*time.Second {
			t.Fatalf("the bus shows %v, %v", l, err)
		}
	}
}

func at(port string, there bool) func([]usb.DeviceInfo) bool {
	return func(l []usb.DeviceInfo) bool {
		for _, i := range l {
			if i.Port == port && len(i.Config) > 0 {
				return there
			}
		}
		return !there
	}
}

func inner(t *testing.T) {
	if os.Getenv(umockDir) == "" {
		t.Skip("run by TestUnderUmockdev")
	}
}

func TestUmockInnerBus(t *testing.T) {
	inner(t)
	usbtest.Run(t, func(t *testing.T) usbtest.Rig {
		h, b := newHands(t), New()
		return usbtest.Rig{Bus: b,
			Plug: func(t *testing.T, port string) {
				h.do(t, "loopback "+port)
				waitFor(t, b, at(port, true))
			},
			Unplug: func(t *testing.T, port string) {
				h.do(t, "unplug "+port)
				waitFor(t, b, at(port, false))
			}}
	})
}

func TestUmockInnerIrisCamera(t *testing.T) {
	inner(t)
	devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
		h, b := newHands(t), New()
		t.Cleanup(func() { b.Close() })
		plug := func(t *testing.T) {
			h.do(t, "camera 1-1")
			waitFor(t, b, at("1-1", true))
		}
		plug(t)
		return devicetest.IrisRig{
			Open: func(ctx context.Context) (devices.IrisCamera, error) {
				c, err := uvc.OpenIris(ctx, b, "1-1", uvc.Quirks{Layout: uvc.LayoutStreams, Left: 1, Right: 2,
					Illumination: &uvc.UnitControl{GUID: fmt.Sprintf("%x", virtual.IlluminationGUID), Selector: 1, Size: 2, Max: 1000}})
				if err != nil {
					return nil, err
				}
				return c, nil
			},
			Plug:         plug,
			Unplug:       func(t *testing.T) { h.do(t, "unplug 1-1"); waitFor(t, b, at("1-1", false)) },
			Illumination: true,
			Check: func(t *testing.T, f devices.IrisFrame) {
				n := f.Left.Pix[0]
				for i := range f.Left.Pix {
					if f.Left.Pix[i] != n || f.Right.Pix[i] != ^n {
						t.Fatalf("frame %d: pixel %d is %d and %d, want %d and %d", f.Seq, i, f.Left.Pix[i], f.Right.Pix[i], n, ^n)
					}
				}
			},
		}
	})
}

// Both cameras of an isochronous composite one, and both at once.
func TestUmockInnerIsochronous(t *testing.T) {
	inner(t)
	light := &uvc.UnitControl{GUID: fmt.Sprintf("%x", virtual.IlluminationGUID), Selector: 1, Size: 2, Max: 1000}
	quirks := uvc.Quirks{Layout: uvc.LayoutStreams, Left: 1, Right: 2, Face: virtual.FaceInterface, Illumination: light}
	rig := func(t *testing.T) (*Bus, func(t *testing.T), func(t *testing.T)) {
		h, b := newHands(t), New()
		t.Cleanup(func() { b.Close() })
		plug := func(t *testing.T) {
			h.do(t, "composite 1-1")
			waitFor(t, b, at("1-1", true))
		}
		plug(t)
		return b, plug, func(t *testing.T) { h.do(t, "unplug 1-1"); waitFor(t, b, at("1-1", false)) }
	}
	openIris := func(ctx context.Context, b *Bus) (devices.IrisCamera, error) {
		c, err := uvc.OpenIris(ctx, b, "1-1", quirks)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	openFace := func(ctx context.Context, b *Bus) (devices.FaceCamera, error) {
		c, err := uvc.OpenFace(ctx, b, "1-1", quirks.Face)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	t.Run("Iris", func(t *testing.T) {
		devicetest.Iris(t, func(t *testing.T) devicetest.IrisRig {
			b, plug, unplug := rig(t)
			return devicetest.IrisRig{Plug: plug, Unplug: unplug, Illumination: true, Losses: true, // a mock is slow
				Open: func(ctx context.Context) (devices.IrisCamera, error) { return openIris(ctx, b) },
				Check: func(t *testing.T, f devices.IrisFrame) {
					if w := virtualtest.WrongEyes(f); w != "" {
						t.Fatalf("frame %d: %s", f.Seq, w)
					}
				}}
		})
	})
	t.Run("Face", func(t *testing.T) {
		devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
			b, plug, unplug := rig(t)
			return devicetest.FaceRig{Plug: plug, Unplug: unplug, Compressed: true, Losses: true, Size: image.Pt(64, 48),
				Open: func(ctx context.Context) (devices.FaceCamera, error) { return openFace(ctx, b) },
				Check: func(t *testing.T, f devices.FaceFrame) {
					if w := virtualtest.WrongFace(f); w != "" {
						t.Fatalf("frame %d: %s", f.Seq, w)
					}
				}}
		})
	})
	t.Run("Together", func(t *testing.T) {
		b, _, _ := rig(t)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		face, err := openFace(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		defer face.Close()
		iris, err := openIris(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		defer iris.Close()
		fs, err := face.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		is, err := iris.Stream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			if f, err := fs.Next(ctx); err != nil || virtualtest.WrongFace(f) != "" {
				t.Fatalf("face: %v", err)
			}
			if f, err := is.Next(ctx); err != nil || virtualtest.WrongEyes(f) != "" {
				t.Fatalf("eyes: %v", err)
			}
		}
		if st := is.Stats(); st.BusErrors > 2 || st.Damaged > 5 {
			t.Errorf("eyes: %+v", st)
		}
	})
}

// A page through eSCL, IPP-over-USB, gousb and libusb, three times, with the
// scanner opened anew each time.
func TestUmockInnerScanner(t *testing.T) {
	inner(t)
	h, b := newHands(t), New()
	defer b.Close()
	h.do(t, "scanner 1-1")
	waitFor(t, b, at("1-1", true))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for range 3 {
		list, err := b.List(ctx)
		if err != nil || len(list) != 1 || !escl.Match(list[0]) {
			t.Fatalf("bus shows %v, %v", list, err)
		}
		s, err := escl.Open(ctx, b, list[0])
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Scan(ctx, devices.ScanOptions{Resolution: 150}, nil)
		if err != nil {
			t.Fatal(err)
		}
		dark, light := 0, 0
		at := p.Image.Bounds().Min.Add(image.Pt(500, 0))
		for y := range 1000 {
			if g := color.GrayModel.Convert(p.Image.At(at.X, at.Y+y)).(color.Gray).Y; g < 64 {
				dark++
			} else {
				light++
			}
		}
		if dark < 400 || light < 400 || p.Resolution != 150 {
			t.Errorf("page of %v at %d dpi: %d dark and %d light pixels in a column", p.Image.Bounds(), p.Resolution, dark, light)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}
