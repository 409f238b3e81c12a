package app

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/usb/usbip"
	"tambo/devices/virtual/control"
)

// rig is a running simulator, found as the kiosk finds it.
type rig struct {
	find    *discover.Discovery
	control *control.Client
	exit    chan int
	stderr  *bytes.Buffer
}

func start(t *testing.T, args ...string) *rig {
	t.Helper()
	dir := t.TempDir()
	portFile, socket := filepath.Join(dir, "port"), filepath.Join(dir, "ctl")
	ctx, cancel := context.WithCancel(context.Background())
	r := &rig{exit: make(chan int, 1), stderr: &bytes.Buffer{}}
	args = append([]string{"--listen", "127.0.0.1:0", "--port-file", portFile, "--control", socket, "--quiet"}, args...)
	var stdout bytes.Buffer
	go func() { r.exit <- Run(ctx, args, &stdout, r.stderr) }()
	var address string
	for began := time.Now(); address == ""; time.Sleep(5 * time.Millisecond) {
		b, _ := os.ReadFile(portFile)
		address = strings.TrimSpace(string(b))
		if time.Since(began) > 20*time.Second {
			t.Fatal("no port file")
		}
	}
	bus, err := usbip.New(address, true)
	if err != nil {
		t.Fatal(err)
	}
	r.find = discover.New(bus)
	if r.control, err = control.Dial(ctx, socket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.control.Close()
		bus.Close()
		cancel()
		if code := <-r.exit; code != 0 {
			t.Errorf("exit code %d: %s", code, r.stderr)
		}
		if _, err := os.Stat(socket); err == nil {
			t.Error("the control socket was left behind")
		}
	})
	return r
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// frame opens the camera, takes one frame and closes it.
func (r *rig) frame(t *testing.T) devices.IrisFrame {
	t.Helper()
	c, err := r.find.OpenIrisCamera(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Stream(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Next(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (r *rig) say(t *testing.T, request string) []string {
	t.Helper()
	out, err := r.control.Do(deadline(t), request)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	return out
}

// unlike is the mean difference of two images in grey levels.
func unlike(a, b *image.Gray) float64 {
	sum := 0.0
	for i := range a.Pix {
		d := float64(a.Pix[i]) - float64(b.Pix[i])
		sum += max(d, -d)
	}
	return sum / float64(len(a.Pix))
}

func TestGeneratedScenes(t *testing.T) {
	r := start(t, "--person", "1")
	one := r.frame(t)
	if one.Left == nil || one.Left.Rect != image.Rect(0, 0, 640, 480) {
		t.Fatalf("frame of %v", one.Left)
	}
	r.say(t, "person 2")
	two := r.frame(t)
	r.say(t, "person 1")
	again := r.frame(t)
	if d, e := unlike(one.Left, two.Left), unlike(one.Left, again.Left); d <= e {
		t.Errorf("person 2 is as much like person 1 (%.1f) as person 1 is (%.1f)", d, e)
	}
	if unlike(one.Left, one.Right) == 0 {
		t.Error("both eyes are one image")
	}
	r.say(t, "scene blank")
	if f := r.frame(t); unlike(f.Left, image.NewGray(f.Left.Rect)) != 0 {
		t.Error("a blank scene shows something")
	}
	r.say(t, "scene normal")
	if l := r.say(t, "list"); len(l) != 3 || !strings.Contains(l[0], "person 1") || !strings.Contains(l[1], "plugged in") {
		t.Errorf("list: %q", l)
	}
	for _, bad := range []string{"visit 0", "visit x", "person", "scene dark", "fault camera drop=2", "fault door drop=1", "plug door", "fault scanner escl=nonsense", "hum"} {
		if _, err := r.control.Do(deadline(t), bad); !errors.Is(err, control.ErrRefused) {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestFrameRate(t *testing.T) {
	r := start(t)
	c, err := r.find.OpenIrisCamera(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Stream(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	const n = 15
	began := time.Now()
	for range n {
		if _, err := s.Next(deadline(t)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%.1f frames a second of two generated eyes; %+v", n/time.Since(began).Seconds(), s.Stats())
}

func TestUnplugAndFaults(t *testing.T) {
	r := start(t)
	ctx := deadline(t)
	c, err := r.find.OpenIrisCamera(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Next(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.control.Fault(ctx, "camera", "drop=0.2 errorbit=0.1 seed=3"); err != nil {
		t.Fatal(err)
	}
	for s.Stats().Damaged == 0 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := r.control.Unplug(ctx, "camera"); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = s.Next(ctx)
	}
	if !errors.Is(err, devices.ErrGone) {
		t.Errorf("unplugged: %v", err)
	}
	c.Close()
	_, err = r.find.OpenIrisCamera(ctx)
	if !errors.Is(err, devices.ErrGone) || !strings.Contains(err.Error(), "nothing of that kind") {
		t.Errorf("no camera: %v", err)
	}
	r.control.Fault(ctx, "camera", "none")
	if err := r.control.Plug(ctx, "camera"); err != nil {
		t.Fatal(err)
	}
	r.frame(t)
}

func TestPages(t *testing.T) {
	r := start(t, "--person", "7")
	sc, err := r.find.OpenScanner(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer sc.Close()
	scan := func(what string) image.Image {
		r.say(t, "page "+what)
		p, err := sc.Scan(deadline(t), devices.ScanOptions{Resolution: 300}, nil)
		if err != nil {
			t.Fatalf("page %s: %v", what, err)
		}
		return p.Image
	}
	darkest := func(img image.Image) (v uint8) {
		v = 255
		for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 3 {
			for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 3 {
				v = min(v, color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y)
			}
		}
		return v
	}
	if d := darkest(scan("7")); d > 120 {
		t.Errorf("a page with text is at most %d dark", d)
	}
	if d := darkest(scan("blank")); d < 150 {
		t.Errorf("a blank page is %d dark", d)
	}
}

// writePNG makes a file of one grey level with a mark in its middle.
func writePNG(t *testing.T, path string, w, h int, grey uint8) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = grey
	}
	for y := h/2 - 4; y < h/2+4; y++ {
		for x := w/2 - 4; x < w/2+4; x++ {
			img.SetGray(x, y, color.Gray{Y: 255 - grey})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func TestFolders(t *testing.T) {
	eyes, pages := t.TempDir(), t.TempDir()
	writePNG(t, filepath.Join(eyes, "ana_maria_L_1.png"), 320, 280, 40)
	writePNG(t, filepath.Join(eyes, "ana_maria_L_2.png"), 320, 280, 60)
	writePNG(t, filepath.Join(eyes, "ana_maria_R_1.png"), 320, 280, 80)
	writePNG(t, filepath.Join(eyes, "bo_L.png"), 1000, 200, 100)
	writePNG(t, filepath.Join(pages, "ana_1.png"), 600, 400, 200)
	r := start(t, "--eyes", eyes, "--pages", pages, "--person", "ana_maria")
	middle := func(img *image.Gray) uint8 { return img.GrayAt(320, 240).Y }
	corner := func(img *image.Gray) uint8 { return img.GrayAt(0, 0).Y }
	f := r.frame(t)
	if corner(f.Left) != 40 || corner(f.Right) != 80 || middle(f.Left) != 215 || middle(f.Right) != 175 {
		t.Errorf("first visit: left %d %d, right %d %d", corner(f.Left), middle(f.Left), corner(f.Right), middle(f.Right))
	}
	r.say(t, "visit 2")
	if f = r.frame(t); corner(f.Left) != 60 || corner(f.Right) != 80 {
		t.Errorf("second visit: left %d, right %d", corner(f.Left), corner(f.Right))
	}
	r.say(t, "person 2")
	if f = r.frame(t); middle(f.Left) != 155 || middle(f.Right) != 0 {
		t.Errorf("a person with one eye: left %d, right %d", middle(f.Left), middle(f.Right))
	}
	if _, err := r.control.Do(deadline(t), "person nobody"); !errors.Is(err, control.ErrRefused) {
		t.Errorf("unknown person: %v", err)
	}
	r.say(t, "page ana")
	r.say(t, "page ana_1")
}

func TestRefusals(t *testing.T) {
	var out, errs bytes.Buffer
	for _, args := range [][]string{
		{"--listen", "0.0.0.0:0"}, {"--eyes", "/nonexistent"}, {"--pages", t.TempDir()}, {"surplus"}, {"--bogus"},
	} {
		if code := Run(context.Background(), args, &out, &errs); code == 0 {
			t.Errorf("%q was accepted", args)
		}
	}
}

func TestSplitEye(t *testing.T) {
	for name, want := range map[string]string{
		"ana_L_1.png": "ana/left", "ana_R_02.BMP": "ana/right", "S1_L_R_3.jpg": "S1_L/right", "x_L.png": "x/left",
		"ana_1.png": "", "_L_1.png": "", "ana_L_1.txt": "",
	} {
		p, e, ok := splitEye(name)
		if got := p + "/" + e.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %s %v, want %s", name, got, ok, want)
		}
	}
}
