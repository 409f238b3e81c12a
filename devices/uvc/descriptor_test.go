package uvc_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

func configOf(t testing.TB, opt virtual.CameraOptions) []byte {
	bus := virtual.NewBus()
	defer bus.Close()
	if err := bus.Plug(port, newCamera(t, opt)); err != nil {
		t.Fatal(err)
	}
	l, err := bus.List(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return l[0].Config
}

func TestParseFunction(t *testing.T) {
	f, err := uvc.ParseFunction(configOf(t, virtual.CameraOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != 0x0110 || f.ControlNum != 0 || len(f.Entities) != 6 || len(f.Streams) != 2 {
		t.Fatalf("function %+v", f)
	}
	for i, s := range f.Streams {
		if s.Number != i+1 || s.Endpoint != uint8(0x81+i) || len(s.Formats) != 1 || !s.Formats[0].Grey() {
			t.Fatalf("stream %+v", s)
		}
		if fr := s.Formats[0].Frames[0]; fr.Width != 640 || fr.Height != 480 || len(fr.Intervals) != 1 || fr.Default != (time.Second/15).Truncate(100) {
			t.Errorf("frame %+v", fr)
		}
	}
	if _, err := uvc.ParseFunction([]byte{9, 2, 18, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 255, 0, 0, 0}); !errors.Is(err, usb.ErrNotFound) {
		t.Errorf("a device without video: %v", err)
	}
}

// Descriptors that end in the middle or lie are errors, never more.
func TestParseFunctionDamaged(t *testing.T) {
	whole := configOf(t, virtual.CameraOptions{})
	for n := range whole {
		cut := append([]byte(nil), whole[:n]...)
		if n >= 4 {
			cut[2], cut[3] = byte(n), byte(n>>8) // an honest total of a cut descriptor
		}
		f, err := uvc.ParseFunction(cut)
		if err == nil && len(f.Streams) == 2 && len(f.Streams[1].Formats) == 1 && f.Streams[1].Endpoint != 0 {
			t.Errorf("%d of %d bytes were taken for the whole", n, len(whole))
		}
	}
}

func FuzzParseFunction(f *testing.F) {
	f.Add(configOf(f, virtual.CameraOptions{}))
	f.Add(configOf(f, virtual.CameraOptions{Layout: virtual.SideBySide, Isochronous: true}))
	for _, b := range realCameras(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fn, err := uvc.ParseFunction(b)
		if err != nil {
			return
		}
		_ = fn.HasFace()
		uvc.Explore(&fn) // and what the driver makes of it
		for _, s := range fn.Streams {
			for _, a := range s.Alternates {
				if a.Packet <= 0 || a.Packet > 3*2047 && a.Packet > 0xffff {
					t.Errorf("packets of %d bytes", a.Packet)
				}
			}
			for _, fo := range s.Formats {
				for _, fr := range fo.Frames {
					if fr.Width <= 0 || fr.Height <= 0 || fr.Width*fr.Height > 4096*4096 {
						t.Errorf("frame of %d×%d", fr.Width, fr.Height)
					}
				}
			}
		}
	})
}
