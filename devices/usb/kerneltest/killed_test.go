package kerneltest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/usb/libusb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

const envVictim = "TAMBO_USB_VICTIM" // "camera PORT" or "scanner PORT"

// TestVictim is the process that is killed.
func TestVictim(t *testing.T) {
	kind, port, _ := strings.Cut(os.Getenv(envVictim), " ")
	if kind == "" {
		t.Skip("started by TestGuestKilled")
	}
	ctx := context.Background()
	bus := libusb.New()
	if kind == "scanner" {
		list, err := bus.List(ctx)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		var n int
		fmt.Sscanf(port, "1-%d", &n)
		s, err := (&outlet{n: n}).openScanner(ctx, bus)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Scan(ctx, devices.ScanOptions{Resolution: 150}, func(n int64) { fmt.Println("READY", n) })
		t.Fatal("the page came to its end:", err)
	}
	c, err := uvc.OpenIris(ctx, bus, port, quirks(t, virtual.TwoStreams))
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.Stream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for {
		f, err := s.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("READY", f.Seq)
	}
}

// kill starts a victim and kills it when it has moved data for the third time.
func kill(t *testing.T, what string) {
	t.Helper()
	cmd := exec.Command("/init", "-test.run", "^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), envVictim+"="+what)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	ready := 0
	for in := bufio.NewScanner(out); in.Scan() && ready < 3; {
		fmt.Fprintln(&said, in.Text())
		if strings.HasPrefix(in.Text(), "READY") {
			ready++
		}
	}
	_ = cmd.Process.Kill()
	err = cmd.Wait()
	if ready < 3 || err == nil || err.Error() != "signal: killed" {
		t.Fatalf("victim: %v\n%s", err, said.String())
	}
}

// A process that is killed leaves the kernel to clean up: the next one opens the
// device and gets nothing of what was under way.
func TestGuestKilled(t *testing.T) {
	guest(t)
	bus := libusb.New()
	defer bus.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	t.Run("Camera", func(t *testing.T) {
		o := newCamera(t, small(virtual.TwoStreams))
		o.plug(t)
		for range 3 {
			kill(t, "camera "+o.port())
			c, err := uvc.OpenIris(ctx, bus, o.port(), quirks(t, virtual.TwoStreams))
			if err != nil {
				t.Fatalf("open again: %v", err)
			}
			s, err := c.Stream(ctx)
			if err != nil {
				t.Fatalf("stream again: %v", err)
			}
			for range 5 {
				f, err := s.Next(ctx)
				if err != nil {
					t.Fatal(err)
				}
				checkEyes(t, f)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("Scanner", func(t *testing.T) {
		o := newScanner(t, virtual.ScannerOptions{Formats: []string{"image/png"}})
		page := noise(300, 400)
		o.scanner().SetScene(virtualtest.Page{Image: page})
		o.plug(t)
		for range 3 {
			o.scanner().SetSpeed(30_000)
			kill(t, "scanner "+o.port())
			o.scanner().SetSpeed(0)
			d, err := o.openScanner(ctx, bus)
			if err != nil {
				t.Fatalf("open again: %v", err)
			}
			p, err := scanPatiently(ctx, d)
			if err != nil {
				t.Fatalf("scan again: %v", err)
			}
			if err := samePage(p.Image, page, 150); err != nil {
				t.Error(err)
			}
			if err := d.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// scanPatiently scans again while the scanner says that it is busy: it may still
// work on the job of a process that died, as a real one does.
func scanPatiently(ctx context.Context, d devices.DocumentScanner) (devices.Page, error) {
	for {
		p, err := d.Scan(ctx, devices.ScanOptions{Resolution: 150}, nil)
		if err == nil || !isBusy(err) || ctx.Err() != nil {
			return p, err
		}
		time.Sleep(200 * time.Millisecond)
	}
}
