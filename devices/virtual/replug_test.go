package virtual

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"tambo/devices/usb"
)

// tardy is a function whose last transfer takes its time to fail, and that counts
// its resets.
type tardy struct {
	Base
	resets atomic.Int32
	inside chan struct{}
}

func (f *tardy) Reset() { f.resets.Add(1) }

func (f *tardy) In(ctx context.Context, _ uint8, _ []byte) (int, error) {
	f.inside <- struct{}{}
	<-ctx.Done()
	time.Sleep(30 * time.Millisecond)
	return 0, ctx.Err()
}

// A device that is plugged in again at once is not reset by the end of its plugging
// before.
func TestReplugBeforeTheLastTransferFailed(t *testing.T) {
	cfg := AppendEndpoint(AppendInterface(ConfigHeader(1), 0, 0, 0xff, 0, 0, 1, 0), 0x81, usb.TransferBulk, 512, 0)
	fn := &tardy{inside: make(chan struct{}, 1)}
	dev, err := NewDevice(Descriptors{VendorID: 1, ProductID: 2, Config: cfg}, fn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	bus, other := NewBus(), NewBus()
	defer bus.Close()
	defer other.Close()
	for n := range 5 {
		if err := bus.Plug("1-1", dev); err != nil {
			t.Fatal(err)
		}
		if err := other.Plug("1-1", dev); !errors.Is(err, usb.ErrBusy) {
			t.Fatalf("plugged into two buses: %v", err)
		}
		d, err := bus.Open(ctx, "1-1")
		if err != nil {
			t.Fatal(err)
		}
		i, err := d.Claim(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		read := make(chan error, 1)
		go func() { _, err := i.Read(ctx, 0x81, make([]byte, 512)); read <- err }()
		<-fn.inside
		changed := bus.Changed()
		gone := make(chan struct{})
		go func() { bus.Unplug("1-1"); close(gone) }()
		<-changed // the port is empty, the read has not failed yet
		if err := bus.Plug("1-1", dev); err != nil {
			t.Fatalf("plugged in again: %v", err)
		}
		resets := fn.resets.Load()
		if err := <-read; !errors.Is(err, usb.ErrGone) {
			t.Errorf("read of the plugging before: %v", err)
		}
		<-gone
		time.Sleep(5 * time.Millisecond)
		if now := fn.resets.Load(); now != resets {
			t.Fatalf("round %d: %d resets after it was plugged in again", n, now-resets)
		}
		d.Close()
		bus.Unplug("1-1")
	}
}

// An importer that asked for the device just before it was pulled does not reset
// it for the host that has it now.
func TestLateImporterResetsNothing(t *testing.T) {
	cfg := AppendEndpoint(AppendInterface(ConfigHeader(1), 0, 0, 0xff, 0, 0, 1, 0), 0x81, usb.TransferBulk, 512, 0)
	fn := &tardy{}
	dev, err := NewDevice(Descriptors{VendorID: 1, ProductID: 2, Config: cfg}, fn)
	if err != nil {
		t.Fatal(err)
	}
	bus := NewBus()
	defer bus.Close()
	if err := bus.Plug("1-1", dev); err != nil {
		t.Fatal(err)
	}
	before, err := bus.lend("1-1")
	if err != nil {
		t.Fatal(err)
	}
	bus.Unplug("1-1")
	if err := bus.Plug("1-1", dev); err != nil {
		t.Fatal(err)
	}
	resets := fn.resets.Load()
	here, there := net.Pipe()
	defer there.Close()
	ended := make(chan error, 1)
	go func() { ended <- serveURBs(here, before.sess) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("an importer of a plugging that is over: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("an importer of a plugging that is over is served")
	}
	if now := fn.resets.Load(); now != resets {
		t.Errorf("%d resets by an importer of the plugging before", now-resets)
	}
	now, err := bus.lend("1-1")
	if err != nil {
		t.Fatal(err)
	}
	now.sess.reset()
	if fn.resets.Load() == resets {
		t.Error("the host that has the device cannot reset it")
	}
}
