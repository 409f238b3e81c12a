package libusb

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/usbtest"
)

const umockVictim = "TAMBO_UMOCK_VICTIM" // set for the process that is killed

// TestUmockVictim is the process that is killed: transfers of two kinds, and calls,
// without a pause.
func TestUmockVictim(t *testing.T) {
	if os.Getenv(umockVictim) == "" {
		t.Skip("started by TestUmockInnerKilled")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	d, i := afterTheKilled(t, ctx, New())
	fmt.Println("READY")
	go func() {
		for b := make([]byte, 16<<10); ctx.Err() == nil; {
			_, _ = i.Read(ctx, 0x83, b)
		}
	}()
	for b := make([]byte, 4); ctx.Err() == nil; {
		_, _ = d.Control(ctx, usb.Setup{RequestType: 0xc0, Request: 0x42, Value: 1, Index: 2}, b)
	}
}

// A process that is killed, in the middle of a call too, has let go of what it
// claimed, and the next one gets nothing of what was under way.
func TestUmockInnerKilled(t *testing.T) {
	inner(t)
	h, b := newHands(t), New()
	defer b.Close()
	h.do(t, "loopback "+usbtest.PortA)
	waitFor(t, b, at(usbtest.PortA, true))
	for n := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestUmockVictim$", "-test.v")
		cmd.Env = append(os.Environ(), umockVictim+"=1")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		ready := false
		for in := bufio.NewScanner(out); !ready && in.Scan(); {
			fmt.Fprintln(&said, in.Text())
			ready = in.Text() == "READY"
		}
		time.Sleep(time.Duration(n) * time.Millisecond)
		_ = cmd.Process.Kill()
		if err := cmd.Wait(); !ready || err == nil || err.Error() != "signal: killed" {
			t.Fatalf("victim %d: %v\n%s", n, err, said.String())
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	d, _ := afterTheKilled(t, ctx, b)
	defer d.Close()
	got := make([]byte, 4)
	if n, err := d.Control(ctx, usb.Setup{RequestType: 0xc0, Request: 0x42, Value: 0x1234, Index: 0x5678}, got); err != nil || n != 4 || string(got) != "\x34\x12\x78\x56" {
		t.Errorf("after them: % x, %v", got[:n], err)
	}
}

// afterTheKilled opens the device and claims its first interface, which is busy until
// it is known that the process before was killed.
func afterTheKilled(t *testing.T, ctx context.Context, b *Bus) (usb.Device, usb.Interface) {
	t.Helper()
	d, err := b.Open(ctx, usbtest.PortA)
	if err != nil {
		t.Fatal(err)
	}
	i, err := d.Claim(ctx, 0)
	for errors.Is(err, usb.ErrBusy) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
		i, err = d.Claim(ctx, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d, i
}
