package uvc_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"slices"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

func configOf(t testing.TB, opt virtual.CameraOptions) []byte {
	return configured(t, newCamera(t, opt))
}

func configured(t testing.TB, dev *virtual.Device) []byte {
	bus := virtual.NewBus()
	defer bus.Close()
	if err := bus.Plug(port, dev); err != nil {
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
	f.Add(twinConfig(f))
	for _, iso := range []bool{false, true} {
		f.Add(configured(f, newColour(f, virtual.ColourOptions{Still: image.Pt(640, 480), StillPipe: true, Isochronous: iso})))
	}
	for _, b := range realCameras(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := uvc.ParseFunctions(b)
		if (err == nil) != (len(all) > 0) {
			t.Errorf("%d functions, %v", len(all), err)
		}
		var streams []uvc.Streaming
		for i := range all {
			_, _ = all[i].Face()
			uvc.Explore(&all[i]) // and what the driver makes of it
			streams = append(streams, all[i].Streams...)
		}
		for _, s := range streams {
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

// twinConfig is the configuration of a device with two video functions.
func twinConfig(t testing.TB) []byte {
	dev, err := virtual.NewTwinCamera(nil, nil, virtual.CameraOptions{}, virtual.ColourOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return configured(t, dev)
}

// An endpoint for stills is not taken for the stream's, wherever it stands.
func TestStillEndpoint(t *testing.T) {
	for _, iso := range []bool{false, true} {
		fn, err := uvc.ParseFunction(configured(t, newColour(t, virtual.ColourOptions{Still: image.Pt(640, 480), StillPipe: true, Isochronous: iso})))
		if err != nil || len(fn.Streams) != 1 {
			t.Fatalf("%+v, %v", fn, err)
		}
		s := fn.Streams[0]
		if s.StillMethod != 3 || s.StillEndpoint != 0x89 || s.StillPacket != 512 || !slices.Contains(s.StillAlts, 0) || slices.Contains(s.StillAlts, 5) != iso {
			t.Errorf("stills of %+v", s)
		}
		if want := map[bool]uint8{false: 0x81, true: 0}[iso]; s.Endpoint != want || (len(s.Alternates) > 0) != iso {
			t.Errorf("isochronous %v: stream on endpoint %#x, %d bandwidths", iso, s.Endpoint, len(s.Alternates))
		}
	}
}

// Both video functions of a device are there, each with its own streams; one that
// cannot be followed does not take the other with it.
func TestTwoVideoFunctions(t *testing.T) {
	config := twinConfig(t)
	all, err := uvc.ParseFunctions(config)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d functions, %v", len(all), err)
	}
	numbers := func(f uvc.Function) (out []int) {
		for _, s := range f.Streams {
			out = append(out, s.Number)
		}
		return out
	}
	if all[0].ControlNum != 0 || all[1].ControlNum != 2 || !slices.Equal(numbers(all[0]), []int{1}) || !slices.Equal(numbers(all[1]), []int{3, 4}) {
		t.Errorf("functions %d with %v and %d with %v", all[0].ControlNum, numbers(all[0]), all[1].ControlNum, numbers(all[1]))
	}
	if n, err := all[0].Face(); n != virtual.TwinFace || err != nil {
		t.Errorf("face on interface %d, %v", n, err)
	}
	if n, err := all[1].Face(); n != 0 || err == nil {
		t.Errorf("a face among the eyes, on interface %d", n)
	}
	// The header of a function says that it is shorter than a header is.
	for i, head := range [][]byte{{13, 0x24, 1, 0x10, 1}, {14, 0x24, 1, 0x10, 1}} {
		broken := bytes.Clone(config)
		at := bytes.Index(broken, head)
		if at < 0 {
			t.Fatalf("function %d has no header of %d bytes", i, head[0])
		}
		n := int(head[0])
		broken = slices.Concat(broken[:at], []byte{5, 0x24, 1, 0x10, 1}, broken[at+n:])
		binary.LittleEndian.PutUint16(broken[2:], uint16(len(broken)))
		left, err := uvc.ParseFunctions(broken)
		if err != nil || len(left) != 1 || left[0].ControlNum != all[1-i].ControlNum || len(left[0].Streams) != len(all[1-i].Streams) {
			t.Errorf("function %d broken: %d functions, %v", i, len(left), err)
		}
	}
}

// Functions that say nothing of their streams have those that follow them.
func TestFunctionsWithoutAList(t *testing.T) {
	config := twinConfig(t)
	for _, head := range [][]byte{{13, 0x24, 1, 0x10, 1}, {14, 0x24, 1, 0x10, 1}} {
		config[bytes.Index(config, head)+11] = 0 // bInCollection
	}
	all, err := uvc.ParseFunctions(config)
	if err != nil || len(all) != 2 || len(all[0].Streams) != 1 || len(all[1].Streams) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
}
