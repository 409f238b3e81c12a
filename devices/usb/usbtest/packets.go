package usbtest

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"tambo/devices/usb"
)

// The isochronous endpoint of the loopback device: number, and packet sizes by
// alternate setting.
const (
	isoInterface = 4
	isoEndpoint  = 0x85
	isoLarge     = 3072 // alternate setting 1
	isoSmall     = 192  // alternate setting 2
)

// packetLength is how long packet n of the loopback device is.
func packetLength(n, size int) int {
	switch n % 8 {
	case 3:
		return 0
	case 5:
		return size
	}
	return 4 + n*37%(size-4)
}

// Every packet comes once, in order, at its own length.
func testPackets(t *testing.T, r Rig) {
	r.Plug(t, PortA)
	i := claim(t, open(t, r, PortA), isoInterface)
	_, err := i.Packets(deadline(t), isoEndpoint, 8, 4)
	wantErr(t, "endpoint of another setting", err, usb.ErrNotFound)
	for alt, size := range []int{1: isoLarge, 2: isoSmall} {
		if size == 0 {
			continue
		}
		if err := i.SetAlt(deadline(t), alt); err != nil {
			t.Fatalf("alternate setting %d: %v", alt, err)
		}
		_, err = i.Packets(deadline(t), isoEndpoint, usb.MaxPackets+1, 4)
		wantErr(t, "too many packets", err, usb.ErrNotFound)
		_, err = i.Stream(deadline(t), isoEndpoint, 512, 4)
		wantErr(t, "a bulk stream of an isochronous endpoint", err, usb.ErrNotFound)
		s, err := i.Packets(deadline(t), isoEndpoint, 32, 4)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for transfer := range 20 {
			ps, err := s.Next(deadline(t))
			if err != nil || len(ps) != 32 {
				t.Fatalf("setting %d, transfer %d: %d packets, %v", alt, transfer, len(ps), err)
			}
			for _, p := range ps {
				checkPacket(t, p, n, size)
				n++
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		_, err = s.Next(deadline(t))
		wantErr(t, "Next of a closed stream", err, usb.ErrGone)
	}
	if err := i.SetAlt(deadline(t), 0); err != nil {
		t.Errorf("back to setting 0: %v", err)
	}
}

func checkPacket(t *testing.T, p usb.Packet, n, size int) {
	t.Helper()
	want := packetLength(n, size)
	if p.Err != nil || len(p.Data) != want {
		t.Fatalf("packet %d of at most %d: %d bytes, %v; want %d", n, size, len(p.Data), p.Err, want)
	}
	if want == 0 {
		return
	}
	if got := binary.LittleEndian.Uint32(p.Data); got != uint32(n) {
		t.Fatalf("packet %d came as number %d", n, got)
	}
	for k, b := range p.Data[4:] {
		if b != byte(n) {
			t.Fatalf("packet %d: byte %d is %d: packets are mixed up", n, 4+k, b)
		}
	}
}

// A stream ends by its context's end only for that call, by unplugging, and with
// its interface.
func testPacketsEnd(t *testing.T, r Rig) {
	begin := func() (usb.Interface, usb.PacketStream) {
		t.Helper()
		i := claim(t, open(t, r, PortA), isoInterface)
		if err := i.SetAlt(deadline(t), 1); err != nil {
			t.Fatal(err)
		}
		s, err := i.Packets(deadline(t), isoEndpoint, 64, 8)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(deadline(t)); err != nil {
			t.Fatal(err)
		}
		return i, s
	}
	r.Plug(t, PortA)
	i, s := begin()
	ctx, cancel := context.WithTimeout(context.Background(), time.Microsecond)
	defer cancel()
	<-ctx.Done()
	var err error
	for k := 0; k < 10 && err == nil; k++ {
		_, err = s.Next(ctx)
	}
	wantErr(t, "ended context", err, usb.ErrTimeout)
	if _, err := s.Next(deadline(t)); err != nil {
		t.Errorf("after an ended context: %v", err)
	}
	if err := i.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
	for err = nil; err == nil; {
		_, err = s.Next(deadline(t))
	}
	wantErr(t, "packets of a released interface", err, usb.ErrGone)
	s.Close()
	_, s = begin()
	defer s.Close()
	r.Unplug(t, PortA)
	for err = nil; err == nil; {
		_, err = s.Next(deadline(t))
	}
	wantErr(t, "packets of an unplugged device", err, usb.ErrGone)
}
