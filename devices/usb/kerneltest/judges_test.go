package kerneltest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	_ "image/png" // scanimage writes PNG
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// The judges are Debian's own programs. They know nothing of Tambo, and must
// understand its virtual devices.

// judges puts them into the image, with the least configuration that they take:
// no avahi, no udev, no network but loopback.
func judges(t *testing.T, i *Image) {
	t.Helper()
	for _, p := range []string{"v4l2-ctl", "ipp-usb", "scanimage"} {
		if err := i.Program("/bin/"+p, p); err != nil {
			t.Fatal(err)
		}
	}
	if err := i.Program("/usr/lib/x86_64-linux-gnu/sane/libsane-airscan.so.1", "libsane-airscan.so.1"); err != nil {
		t.Fatal(err)
	}
	if err := i.Tree("usr/share/ipp-usb"); err != nil {
		t.Fatal(err)
	}
	i.Data("/etc/ipp-usb/ipp-usb.conf", []byte("[network]\n http-min-port = 60000\n http-max-port = 60010\n dns-sd = disable\n"+
		" interface = loopback\n ipv6 = disable\n[logging]\n device-log = all\n console-log = all\n console-color = disable\n"))
	i.Data("/etc/sane.d/dll.conf", []byte("airscan\n"))
	i.Data("/etc/sane.d/airscan.conf", []byte("[devices]\nTambo = http://127.0.0.1:60000/eSCL, eSCL\n[options]\ndiscovery = disable\n"))
	i.Data("/etc/hosts", []byte("127.0.0.1 localhost\n"))
	i.Data("/etc/nsswitch.conf", []byte("hosts: files\n"))
	i.Data("/etc/passwd", []byte("root:x:0:0:root:/tmp:/bin/sh\n"))
}

// say runs a judge.
func say(t *testing.T, ctx context.Context, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = 2 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// videoNodes finds the kernel's devices of a camera, n of them, in the order of
// its streaming interfaces. Between them are those for metadata, which only their
// index tells.
func (o *outlet) videoNodes(t *testing.T, n int) []string {
	t.Helper()
	var found []string
	for began := time.Now(); len(found) < n; time.Sleep(10 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Fatalf("uvcvideo makes %v of the camera at %s, want %d", found, o.port(), n)
		}
		nodes, _ := filepath.Glob(fmt.Sprintf("/sys/bus/usb/devices/%s:1.0/video4linux/video*", o.port()))
		found = make([]string, 0, n)
		for _, node := range nodes {
			b, _ := os.ReadFile(filepath.Join(node, "index"))
			_, missing := os.Stat("/dev/" + filepath.Base(node))
			if i, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && i%2 == 0 && missing == nil {
				found = append(found, "/dev/"+filepath.Base(node))
			}
		}
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	return found
}

// TestGuestUVCVideo has the kernel's own driver stream both eyes, at two sizes.
func TestGuestUVCVideo(t *testing.T) {
	guest(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	const eyes = "LR"
	for _, c := range []struct {
		size image.Point
		iso  bool
	}{{image.Pt(160, 120), false}, {image.Pt(640, 480), false}, {image.Pt(160, 120), true}} {
		opt, size := small(virtual.TwoStreams), c.size
		opt.Width, opt.Height, opt.Isochronous = size.X, size.Y, c.iso
		if size.X > 160 {
			opt.Interval = 200 * time.Millisecond
		}
		o := newCamera(t, opt)
		o.plug(t)
		for eye, node := range o.videoNodes(t, 2) {
			formats := say(t, ctx, "v4l2-ctl", "-d", node, "--list-formats-ext")
			if !strings.Contains(formats, "'GREY'") || !strings.Contains(formats, fmt.Sprintf("%dx%d", size.X, size.Y)) {
				t.Fatalf("v4l2-ctl lists:\n%s", formats)
			}
			const frames = 6
			to := filepath.Join(t.TempDir(), "frames")
			log := say(t, ctx, "v4l2-ctl", "-d", node, fmt.Sprintf("--set-fmt-video=width=%d,height=%d,pixelformat=GREY", size.X, size.Y),
				"--stream-mmap=4", fmt.Sprintf("--stream-count=%d", frames), "--stream-to="+to, "--verbose")
			data, err := os.ReadFile(to)
			if err != nil {
				t.Fatal(err)
			}
			n := size.X * size.Y
			if len(data) != frames*n {
				t.Fatalf("v4l2-ctl kept %d bytes, want %d frames of %d:\n%s", len(data), frames, n, log)
			}
			var last uint64
			for f := range frames {
				frame := data[f*n : (f+1)*n]
				img := &image.Gray{Pix: frame, Stride: size.X, Rect: image.Rectangle{Max: size}}
				index, err := virtualtest.MarkedIndex(img, eyes[eye])
				if err != nil {
					t.Fatalf("frame %d of eye %c: %v", f, eyes[eye], err)
				}
				if f > 0 && index <= last {
					t.Errorf("exposure %d after %d", index, last)
				}
				last = index
			}
		}
		t.Logf("uvcvideo streamed %d×%d of both eyes, isochronous %v, equal to the scene", size.X, size.Y, c.iso)
		o.unplug(t)
	}
}

// TestGuestIPPUSB has Debian's driverless scanning read pages.
func TestGuestIPPUSB(t *testing.T) {
	guest(t)
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	o := newScanner(t, virtual.ScannerOptions{Formats: []string{"image/png", "image/jpeg"}, Feeder: true})
	page := noise(300, 400)
	o.scanner().SetScene(virtualtest.Page{Image: page})
	o.plug(t)
	for _, dir := range []string{"/var/ipp-usb/lock", "/var/ipp-usb/dev", "/var/log/ipp-usb", "/run/ipp-usb"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	daemon := exec.CommandContext(ctx, "ipp-usb", "standalone")
	daemon.Stdout, daemon.Stderr = &log, &log
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = daemon.Wait(); close(ended) }()
	stop := func() { _ = daemon.Process.Kill(); <-ended }
	defer stop()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("ipp-usb says:\n%s", tail(log.String(), 12000))
		}
	})
	if err := answers(ctx, "http://127.0.0.1:60000/eSCL/ScannerCapabilities"); err != nil {
		stop()
		t.Fatal(err)
	}
	options := say(t, ctx, "scanimage", "-d", "airscan:e0:Tambo", "-A")
	for _, want := range []string{"Flatbed", "ADF", "150", "Gray", "Color"} {
		if !strings.Contains(options, want) {
			t.Errorf("scanimage does not offer %q:\n%s", want, options)
		}
	}
	for _, mode := range []string{"Gray", "Color"} {
		to := filepath.Join(t.TempDir(), "page.png")
		say(t, ctx, "scanimage", "-d", "airscan:e0:Tambo", "--format=png", "--mode", mode, "--resolution", "150", "-o", to)
		f, err := os.Open(to)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := samePage(img, page, 150); err != nil {
			t.Errorf("%s: %v", mode, err)
			continue
		}
		t.Logf("scanimage read a %v page in %s, equal to what lies on the glass", img.Bounds().Size(), mode)
	}
	o.scanner().LoadFeeder(virtual.FeederLoaded, 3)
	batch := t.TempDir()
	say(t, ctx, "scanimage", "-d", "airscan:e0:Tambo", "--format=png", "--mode", "Gray", "--resolution", "150", "--source", "ADF",
		"--batch="+filepath.Join(batch, "p%d.png"))
	if pages, _ := filepath.Glob(filepath.Join(batch, "*.png")); len(pages) != 3 {
		t.Errorf("scanimage drew %d of 3 pages from the feeder", len(pages))
	} else {
		t.Log("scanimage drew 3 pages from the feeder")
	}
}

// answers waits until a server does.
func answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %s", resp.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", url, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
