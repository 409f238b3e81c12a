package virtual

import (
	"bytes"
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/usbip/wire"
)

func openLoop(t *testing.T) (*Bus, *Device, usb.Device) {
	t.Helper()
	bus, dev := NewBus(), NewLoopback("X")
	if err := bus.Plug("1-1", dev); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bus.Close() })
	d, err := bus.Open(context.Background(), "1-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return bus, dev, d
}

// The standard requests of USB 2.0, chapter 9, that every host makes.
func TestStandardRequests(t *testing.T) {
	_, dev, d := openLoop(t)
	get := func(typ, req uint8, value, index uint16, n int) []byte {
		b := make([]byte, n)
		n, err := d.Control(context.Background(), usb.Setup{RequestType: typ, Request: req, Value: value, Index: index}, b)
		if err != nil {
			t.Errorf("request %#x %#x %#x: %v", typ, req, value, err)
		}
		return b[:n]
	}
	set := func(typ, req uint8, value, index uint16) error {
		_, err := d.Control(context.Background(), usb.Setup{RequestType: typ, Request: req, Value: value, Index: index}, nil)
		return err
	}
	if b := get(0x80, 6, 0x0100, 0, 64); len(b) != 18 || b[0] != 18 || b[8] != 0x25 || b[9] != 0x05 {
		t.Errorf("device descriptor % x", b)
	}
	if b := get(0x80, 6, 0x0200, 0, 9); len(b) != 9 || int(b[2])|int(b[3])<<8 != len(dev.desc.Config) || b[4] != 3 {
		t.Errorf("first nine bytes of the configuration % x", b)
	}
	if b := get(0x80, 6, 0x0300, 0, 255); !bytes.Equal(b, []byte{4, 3, 9, 4}) {
		t.Errorf("languages % x", b)
	}
	if s := usb.StringDescriptor(get(0x80, 6, 0x0304, 0x0409, 255)); s != "alternates" {
		t.Errorf("string 4 is %q", s)
	}
	if b := get(0x80, 8, 0, 0, 1); !bytes.Equal(b, []byte{1}) {
		t.Errorf("configuration % x", b)
	}
	for _, bad := range [][2]uint16{{0x0309, 0}, {0x0700, 0}, {0x0201, 0}} {
		if _, err := d.Control(context.Background(), usb.Setup{RequestType: 0x80, Request: 6, Value: bad[0]}, make([]byte, 8)); !errors.Is(err, usb.ErrStall) {
			t.Errorf("descriptor %#x: %v", bad[0], err)
		}
	}
	if err := set(0x02, 3, 0, 0x81); err != nil { // SET_FEATURE ENDPOINT_HALT
		t.Error(err)
	}
	if b := get(0x82, 0, 0, 0x81, 2); !bytes.Equal(b, []byte{1, 0}) {
		t.Errorf("status of a halted endpoint % x", b)
	}
	if err := set(0x02, 1, 0, 0x81); err != nil { // CLEAR_FEATURE
		t.Error(err)
	}
	if b := get(0x82, 0, 0, 0x81, 2); !bytes.Equal(b, []byte{0, 0}) {
		t.Errorf("status of a cleared endpoint % x", b)
	}
	if err := set(0x01, 11, 1, 2); err != nil {
		t.Errorf("setting 1 of interface 2: %v", err)
	}
	if b := get(0x81, 10, 0, 2, 1); !bytes.Equal(b, []byte{1}) {
		t.Errorf("interface 2 is in setting % x", b)
	}
	if err := set(0x01, 11, 1, 0); !errors.Is(err, usb.ErrStall) {
		t.Errorf("setting 1 of interface 0: %v", err)
	}
	if err := set(0x00, 9, 1, 0); err != nil {
		t.Errorf("SET_CONFIGURATION: %v", err)
	}
	if b := get(0x81, 10, 0, 2, 1); !bytes.Equal(b, []byte{0}) {
		t.Errorf("after SET_CONFIGURATION interface 2 is in setting % x", b)
	}
}

func TestFaultsStrike(t *testing.T) {
	_, dev, d := openLoop(t)
	i, err := d.Claim(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	read := func(f Faults) ([]byte, error) {
		f.Endpoint = 0x81
		dev.SetFaults(f)
		defer dev.SetFaults(Faults{})
		if _, err := i.Write(context.Background(), 0x01, []byte("0123456789"), true); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		b := make([]byte, 512)
		n, err := i.Read(ctx, 0x81, b)
		return b[:n], err
	}
	if b, err := read(Faults{Short: 1}); err != nil || len(b) >= 10 {
		t.Errorf("short: %q, %v", b, err)
	}
	if b, err := read(Faults{Corrupt: 1}); err != nil || len(b) != 10 || string(b) == "0123456789" {
		t.Errorf("corrupt: %q, %v", b, err)
	}
	if _, err := read(Faults{Babble: 1}); !errors.Is(err, usb.ErrOverflow) {
		t.Errorf("babble: %v", err)
	}
	if _, err := read(Faults{Drop: 1}); !errors.Is(err, usb.ErrTimeout) {
		t.Errorf("drop: %v", err)
	}
	if b, err := read(Faults{Delay: 1, DelayBy: time.Millisecond}); err != nil || len(b) != 10 {
		t.Errorf("delay: %q, %v", b, err)
	}
	if _, err := read(Faults{Error: 1}); !errors.Is(err, usb.ErrIO) {
		t.Errorf("error: %v", err)
	}
	if _, err := read(Faults{Hang: 1}); !errors.Is(err, usb.ErrTimeout) {
		t.Errorf("hang: %v", err)
	}
	if _, err := read(Faults{Stall: 1}); !errors.Is(err, usb.ErrStall) {
		t.Errorf("stall: %v", err)
	}
	if err := i.ClearHalt(context.Background(), 0x81); err != nil {
		t.Error(err)
	}
	if _, err := read(Faults{Unplug: 1}); !errors.Is(err, usb.ErrGone) {
		t.Errorf("unplug: %v", err)
	}
}

func TestParseFaults(t *testing.T) {
	f, err := ParseFaults("drop=0.1 delay=1 delayby=20ms endpoint=0x81 control=true descriptor=zero seed=7 keepfid=0.5")
	want := Faults{Drop: 0.1, Delay: 1, DelayBy: 20 * time.Millisecond, Endpoint: 0x81, Control: true, Descriptor: "zero", Seed: 7, KeepFID: 0.5}
	if err != nil || f != want {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := ParseFaults("none"); err != nil || f != (Faults{}) {
		t.Errorf("none: %+v, %v", f, err)
	}
	for _, bad := range []string{"drop", "drop=2", "drop=-1", "drop=NaN", "rain=1", "delayby=3", "descriptor=nice", "endpoint=300"} {
		if _, err := ParseFaults(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// FuzzServeURBs lets an importer send anything: the server ends the connection or
// answers, and the device can be lent again.
func FuzzServeURBs(f *testing.F) {
	get := wire.Message{Command: wire.CmdSubmit, Seq: 1, In: true, Length: 18, Setup: usb.Setup{RequestType: 0x80, Request: 6, Value: 0x100}}
	out := wire.Message{Command: wire.CmdSubmit, Seq: 2, EP: 1, Length: 4}
	in := wire.Message{Command: wire.CmdSubmit, Seq: 3, EP: 1, In: true, Length: 512}
	undo := wire.Message{Command: wire.CmdUnlink, Seq: 4, Unlink: 3}
	f.Add(append(out.Append(get.Append(nil)), "data"...))
	f.Add(undo.Append(in.Append(nil)))
	f.Fuzz(func(t *testing.T, raw []byte) {
		bus := NewBus()
		defer bus.Close()
		if err := bus.Plug("1-1", NewLoopback("F")); err != nil {
			t.Fatal(err)
		}
		here, there := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- bus.ServeURBs("1-1", there) }()
		go func() {
			here.SetWriteDeadline(time.Now().Add(5 * time.Second))
			here.Write(raw)
			here.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
			drain(here)
			here.Close()
		}()
		go drain(here)
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Fatal("the server hangs")
		}
		if p, err := bus.lend("1-1"); err != nil {
			t.Errorf("not lent again: %v", err)
		} else {
			bus.takeBack(p)
		}
	})
}

func drain(c net.Conn) {
	b := make([]byte, 4096)
	for {
		if _, err := c.Read(b); err != nil {
			return
		}
	}
}
