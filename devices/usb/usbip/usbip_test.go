package usbip

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
	"tambo/devices/usb/usbip/wire"
)

func TestTrainingAndLoopbackOnly(t *testing.T) {
	if _, err := New(DefaultAddress, false); !errors.Is(err, ErrNotTraining) {
		t.Errorf("without training: %v", err)
	}
	for _, a := range []string{"192.0.2.7:3240", "example.org:3240", "0.0.0.0:3240", "localhost:3240", "3240", ""} {
		if _, err := New(a, true); !errors.Is(err, ErrNotLoopback) {
			t.Errorf("%q: %v", a, err)
		}
	}
	for _, a := range []string{DefaultAddress, "[::1]:3240", "127.8.9.1:1"} {
		b, err := New(a, true)
		if err != nil {
			t.Errorf("%q: %v", a, err)
		} else if !b.Virtual() {
			t.Error("the bus does not say that it is virtual")
		}
	}
}

// No exporter is an empty bus, not an error: the simulator may come later.
func TestNoExporter(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	b, err := New(address, true)
	if err != nil {
		t.Fatal(err)
	}
	if list, err := b.List(context.Background()); err != nil || len(list) != 0 {
		t.Errorf("%d devices, %v", len(list), err)
	}
	if _, err := b.Open(context.Background(), "1-1"); !errors.Is(err, usb.ErrNotFound) {
		t.Errorf("open: %v", err)
	}
}

// An exporter that accepts and says nothing is waited for as long as the
// context says.
func TestSilentExporter(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	b, err := New(l.Addr().String(), true)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := b.List(ctx); err == nil {
		t.Error("a silent exporter was listed")
	}
	if _, err := b.Open(ctx, "1-1"); err == nil {
		t.Error("a silent exporter lent a device")
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("took %v for a deadline of 50 ms", took)
	}
}

// An exporter that lends a device and then hangs: a transfer whose context ends
// comes back, and the device is gone.
func TestHungExporter(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	go io.Copy(io.Discard, there)
	k := newConn(here, 1)
	defer k.close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := urb.Transfer(ctx, k, urb.New(0x81, make([]byte, 512)))
	if !errors.Is(err, usb.ErrGone) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(began); took > unlinkTimeout+5*time.Second {
		t.Errorf("took %v", took)
	}
}

// FuzzExporter lets an exporter send anything to an importer that waits for
// answers: every transfer completes, nothing panics, no goroutine stays.
func FuzzExporter(f *testing.F) {
	ok := wire.Message{Command: wire.RetSubmit, Seq: 1, Actual: 4}
	f.Add(append(ok.Append(nil), "data"...))
	stall := wire.Message{Command: wire.RetSubmit, Seq: 2, Status: -32}
	f.Add(stall.Append(ok.Append(nil)))
	unlinked := wire.Message{Command: wire.RetUnlink, Seq: 3, Status: -104}
	f.Add(unlinked.Append(nil))
	f.Fuzz(func(t *testing.T, raw []byte) {
		here, there := net.Pipe()
		k := newConn(here, 1)
		urbs := []*urb.URB{urb.New(0x81, make([]byte, 8)), urb.New(0x80, make([]byte, 8)), urb.New(0x01, []byte("out"))}
		for _, u := range urbs {
			k.Submit(u)
		}
		go io.Copy(io.Discard, there)
		there.SetWriteDeadline(time.Now().Add(5 * time.Second))
		io.Copy(there, bytes.NewReader(raw))
		there.Close()
		for _, u := range urbs {
			<-u.Done()
			if u.N < 0 || u.N > len(u.Buf) {
				t.Errorf("%d bytes of %d", u.N, len(u.Buf))
			}
		}
		k.close()
	})
}
