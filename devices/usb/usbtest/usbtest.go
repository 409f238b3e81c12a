// Package usbtest is the conformance suite of [usb.Bus]: what drivers rely on,
// tried against any implementation. It needs a loopback device as
// virtual.NewLoopback describes it (0525:a4a0), real or software. It never
// measures speed and says nothing about class protocols.
package usbtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"tambo/devices/usb"
)

// Rig is a bus under test with hands to plug things in.
type Rig struct {
	Bus usb.Bus
	// Plug puts a loopback device at a port; Unplug takes it away. Both return
	// when the bus must show it.
	Plug   func(t *testing.T, port string)
	Unplug func(t *testing.T, port string)
}

// Ports that the suite uses.
const (
	PortA = "1-1"
	PortB = "1-2.4"
)

// Run runs the suite; make gives a fresh rig with nothing plugged in.
func Run(t *testing.T, make func(t *testing.T) Rig) {
	tests := []struct {
		name string
		f    func(t *testing.T, r Rig)
	}{
		{"List", testList},
		{"OpenEmptyPort", testOpenEmpty},
		{"Control", testControl},
		{"ControlStallAndTimeout", testControlFails},
		{"Claim", testClaim},
		{"Alternate", testAlternate},
		{"BulkEcho", testEcho},
		{"ReadTimeoutKeepsEndpoint", testReadTimeout},
		{"StallAndClear", testStall},
		{"Endpoints", testEndpoints},
		{"Stream", testStream},
		{"StreamTimeoutAndClose", testStreamTimeout},
		{"Packets", testPackets},
		{"PacketsEnd", testPacketsEnd},
		{"CloseFailsPending", testClosePending},
		{"Unplug", testUnplug},
		{"Replug", testReplug},
		{"Reset", testReset},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := make(t)
			tt.f(t, r)
			if err := r.Bus.Close(); err != nil {
				t.Errorf("closing the bus: %v", err)
			}
		})
	}
}

func deadline(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func open(t *testing.T, r Rig, port string) usb.Device {
	t.Helper()
	d, err := r.Bus.Open(deadline(t), port)
	if err != nil {
		t.Fatalf("open %s: %v", port, err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func claim(t *testing.T, d usb.Device, number int) usb.Interface {
	t.Helper()
	i, err := d.Claim(deadline(t), number)
	if err != nil {
		t.Fatalf("claim %d: %v", number, err)
	}
	return i
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func testList(t *testing.T, r Rig) {
	if l, err := r.Bus.List(deadline(t)); err != nil || len(l) != 0 {
		t.Fatalf("empty bus lists %d devices, error %v", len(l), err)
	}
	r.Plug(t, PortB)
	r.Plug(t, PortA)
	l, err := r.Bus.List(deadline(t))
	if err != nil || len(l) != 2 {
		t.Fatalf("two devices: %d listed, error %v", len(l), err)
	}
	if l[0].Port != PortA || l[1].Port != PortB {
		t.Errorf("ports %q %q, want them in order", l[0].Port, l[1].Port)
	}
	for _, i := range l {
		c, err := usb.ParseConfig(i.Config)
		if err != nil {
			t.Fatalf("configuration: %v", err)
		}
		if i.VendorID != 0x0525 || i.ProductID != 0xa4a0 || i.Speed != usb.SpeedHigh || len(c.Interfaces) != 6 {
			t.Errorf("device %+v with %d settings", i, len(c.Interfaces))
		}
		if i.Strings.Product != "Loopback" || i.Strings.Serial == "" {
			t.Errorf("strings %+v", i.Strings)
		}
	}
	if l[0].Strings.Serial == l[1].Strings.Serial {
		t.Error("two devices have one serial number")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = r.Bus.List(ctx)
	wantErr(t, "list with an ended context", err, usb.ErrTimeout)
}

func testOpenEmpty(t *testing.T, r Rig) {
	_, err := r.Bus.Open(deadline(t), PortA)
	wantErr(t, "open an empty port", err, usb.ErrNotFound)
}

func testControl(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	b := make([]byte, 64)
	n, err := d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42, Value: 0x1234, Index: 0x5678}, b)
	if err != nil || !bytes.Equal(b[:n], []byte{0x34, 0x12, 0x78, 0x56}) {
		t.Errorf("vendor IN: % x, %v", b[:n], err)
	}
	msg := bytes.Repeat([]byte("tambo"), 100)
	if n, err = d.Control(deadline(t), usb.Setup{RequestType: 0x40, Request: 0x43}, msg); err != nil || n != len(msg) {
		t.Errorf("vendor OUT: %d, %v", n, err)
	}
	got := make([]byte, 1000)
	if n, err = d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x43}, got); err != nil || !bytes.Equal(got[:n], msg) {
		t.Errorf("vendor data came back as %d bytes, %v", n, err)
	}
	if n, err = d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x43}, got[:7]); err != nil || !bytes.Equal(got[:n], msg[:7]) {
		t.Errorf("seven bytes of room: %q, %v", got[:n], err)
	}
	// No deadline must not mean for ever.
	if _, err = d.Control(context.Background(), usb.Setup{RequestType: 0xc0, Request: 0x42}, b); err != nil {
		t.Errorf("without deadline: %v", err)
	}
}

func testControlFails(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	_, err := d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x99}, make([]byte, 8))
	wantErr(t, "unknown request", err, usb.ErrStall)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = d.Control(ctx, usb.Setup{RequestType: 0xc0, Request: 0x45}, make([]byte, 8))
	wantErr(t, "request without an answer", err, usb.ErrTimeout)
	if n, err := d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42}, make([]byte, 4)); err != nil || n != 4 {
		t.Errorf("after stall and timeout: %d, %v", n, err)
	}
}

func testClaim(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	i := claim(t, d, 0)
	_, err := d.Claim(deadline(t), 0)
	wantErr(t, "claim twice", err, usb.ErrBusy)
	e := open(t, r, PortA)
	_, err = e.Claim(deadline(t), 0)
	wantErr(t, "claim by another handle", err, usb.ErrBusy)
	_, err = d.Claim(deadline(t), 1)
	wantErr(t, "claim a number that is not there", err, usb.ErrNotFound)
	if two := claim(t, d, 2); two.Number() != 2 {
		t.Errorf("claimed %d", two.Number())
	}
	if err := i.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
	if err := i.Release(); err != nil {
		t.Errorf("release twice: %v", err)
	}
	claim(t, e, 0)
	e.Close()
	claim(t, d, 0) // closing a handle releases what it claimed
}

func testAlternate(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 2)
	b := make([]byte, 64)
	_, err := i.Read(deadline(t), 0x84, b)
	wantErr(t, "endpoint of another setting", err, usb.ErrNotFound)
	if err := i.SetAlt(deadline(t), 1); err != nil {
		t.Fatalf("alternate setting 1: %v", err)
	}
	if n, err := i.Read(deadline(t), 0x84, b); err != nil || n != 1 || b[0] != 1 {
		t.Errorf("interrupt endpoint: % x, %v", b[:n], err)
	}
	wantErr(t, "setting that is not there", i.SetAlt(deadline(t), 9), usb.ErrNotFound)
}

func testEcho(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 0)
	for _, size := range []int{1, 511, 512, 513, 1024, 20000, 65536} {
		msg := make([]byte, size)
		for k := range msg {
			msg[k] = byte(k*7 + size)
		}
		if n, err := i.Write(deadline(t), 0x01, msg, true); err != nil || n != size {
			t.Fatalf("write %d: %d, %v", size, n, err)
		}
		// More room than data: the short or empty last packet must end it.
		got := make([]byte, 1<<17)
		n, err := i.Read(deadline(t), 0x81, got)
		if err != nil || !bytes.Equal(got[:n], msg) {
			t.Fatalf("echo of %d bytes: %d came back, error %v", size, n, err)
		}
	}
}

func testReadTimeout(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 0)
	for range 3 {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		_, err := i.Read(ctx, 0x81, make([]byte, 512))
		wantErr(t, "nothing to read", err, usb.ErrTimeout)
		wantErr(t, "nothing to read", err, context.DeadlineExceeded)
		cancel()
	}
	i.Write(deadline(t), 0x01, []byte("still here"), true)
	b := make([]byte, 512)
	if n, err := i.Read(deadline(t), 0x81, b); err != nil || string(b[:n]) != "still here" {
		t.Errorf("after timeouts: %q, %v", b[:n], err)
	}
}

func testStall(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	i := claim(t, d, 0)
	if _, err := d.Control(deadline(t), usb.Setup{RequestType: 0x40, Request: 0x44}, nil); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 512)
	for range 2 { // it stays halted
		_, err := i.Read(deadline(t), 0x81, b)
		wantErr(t, "halted endpoint", err, usb.ErrStall)
	}
	if err := i.ClearHalt(deadline(t), 0x81); err != nil {
		t.Fatalf("clear halt: %v", err)
	}
	i.Write(deadline(t), 0x01, []byte("again"), true)
	if n, err := i.Read(deadline(t), 0x81, b); err != nil || string(b[:n]) != "again" {
		t.Errorf("after clearing: %q, %v", b[:n], err)
	}
}

func testEndpoints(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 0)
	b := make([]byte, 8)
	_, err := i.Read(deadline(t), 0x8f, b)
	wantErr(t, "endpoint that is not there", err, usb.ErrNotFound)
	_, err = i.Read(deadline(t), 0x01, b)
	wantErr(t, "reading an OUT endpoint", err, usb.ErrNotFound)
	_, err = i.Write(deadline(t), 0x81, b, false)
	wantErr(t, "writing an IN endpoint", err, usb.ErrNotFound)
	i.Release()
	_, err = i.Read(deadline(t), 0x81, b)
	if err == nil {
		t.Error("a released interface reads")
	}
}

func testStream(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 0)
	s, err := i.Stream(deadline(t), 0x83, 16<<10, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for want := range uint32(100) {
		b, err := s.Next(deadline(t))
		if err != nil || len(b) != 16<<10 {
			t.Fatalf("transfer %d: %d bytes, %v", want, len(b), err)
		}
		if got := binary.LittleEndian.Uint32(b); got != want {
			t.Fatalf("transfer %d came as number %d: out of order", got, want)
		}
	}
}

func testStreamTimeout(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), 0)
	s, err := i.Stream(deadline(t), 0x81, 512, 2)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err = s.Next(ctx)
	wantErr(t, "nothing streamed", err, usb.ErrTimeout)
	i.Write(deadline(t), 0x01, []byte("late"), true)
	if b, err := s.Next(deadline(t)); err != nil || string(b) != "late" {
		t.Errorf("after a timeout the stream gave %q, %v", b, err)
	}
	done := make(chan error, 1)
	go func() { _, err := s.Next(context.Background()); done <- err }()
	time.Sleep(20 * time.Millisecond)
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	wantErr(t, "Next of a closed stream", <-done, usb.ErrGone)
}

func testClosePending(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	i := claim(t, d, 0)
	done := make(chan error, 1)
	go func() {
		_, err := i.Read(context.Background(), 0x81, make([]byte, 512))
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	d.Close()
	select {
	case err := <-done:
		wantErr(t, "read when its device was closed", err, usb.ErrGone)
	case <-time.After(5 * time.Second):
		t.Fatal("the read outlives its device")
	}
	_, err := d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42}, make([]byte, 4))
	wantErr(t, "control on a closed device", err, usb.ErrGone)
	d.Close()
	open(t, r, PortA) // and it opens again at once
}

func testUnplug(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	i := claim(t, d, 0)
	s, err := i.Stream(deadline(t), 0x83, 1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := i.Read(context.Background(), 0x81, make([]byte, 512))
		done <- err
	}()
	time.Sleep(20 * time.Millisecond)
	r.Unplug(t, PortA)
	select {
	case err := <-done:
		wantErr(t, "read of an unplugged device", err, usb.ErrGone)
	case <-time.After(5 * time.Second):
		t.Fatal("the read does not notice")
	}
	for k := 0; err == nil; k++ { // what was complete may still come
		if k == 10 {
			t.Fatal("the stream does not notice")
		}
		_, err = s.Next(deadline(t))
	}
	wantErr(t, "stream of an unplugged device", err, usb.ErrGone)
	_, err = d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42}, make([]byte, 4))
	wantErr(t, "control of an unplugged device", err, usb.ErrGone)
	s.Close()
	d.Close()
	if l, err := r.Bus.List(deadline(t)); err != nil || len(l) != 0 {
		t.Errorf("after unplugging: %d listed, %v", len(l), err)
	}
}

func testReplug(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	old := open(t, r, PortA)
	before := old.Info().Address
	r.Unplug(t, PortA)
	r.Plug(t, PortA)
	_, err := old.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42}, make([]byte, 4))
	wantErr(t, "handle from before", err, usb.ErrGone)
	d := open(t, r, PortA)
	if d.Info().Address == before {
		t.Error("a new plugging has the old address")
	}
	if n, err := d.Control(deadline(t), usb.Setup{RequestType: 0xc0, Request: 0x42}, make([]byte, 4)); err != nil || n != 4 {
		t.Errorf("after plugging in again: %d, %v", n, err)
	}
}

func testReset(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	d := open(t, r, PortA)
	i := claim(t, d, 0)
	i.Write(deadline(t), 0x01, []byte("forgotten"), true)
	if err := d.Reset(deadline(t)); err != nil {
		if errors.Is(err, usb.ErrGone) {
			t.Skip("this bus enumerates a reset device anew")
		}
		t.Fatalf("reset: %v", err)
	}
	if _, err := i.Write(deadline(t), 0x01, []byte("x"), true); err == nil {
		t.Error("the claim survived the reset")
	}
	i = claim(t, d, 0)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	_, err := i.Read(ctx, 0x81, make([]byte, 512))
	wantErr(t, "data from before the reset", err, usb.ErrTimeout)
}
