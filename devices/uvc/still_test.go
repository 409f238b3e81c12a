package uvc_test

import (
	"context"
	"errors"
	"image"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

// Stills come between the frames of the stream or on their own endpoint, at their
// own size, and the stream goes on.
func TestStill(t *testing.T) {
	for name, how := range map[string]struct{ iso, pipe bool }{"Bulk": {}, "Isochronous": {iso: true}, "BulkPipe": {pipe: true}, "IsochronousPipe": {true, true}} {
		for _, format := range []string{"YUY2", "NV12", "MJPG"} {
			t.Run(format+"/"+name, func(t *testing.T) {
				t.Parallel()
				opt := fastColour(format)
				opt.Isochronous, opt.Still, opt.StillPipe = how.iso, image.Pt(160, 112), how.pipe
				vbus, dev, _ := plugged(t, func() (*virtual.Device, error) { return virtual.NewColourCamera(virtualtest.Board{}, opt) })
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				cam, err := uvc.OpenFace(ctx, vbus, port, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer cam.Close()
				s, err := cam.Stream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				for range 5 {
					f, err := s.Next(ctx)
					if err != nil {
						t.Fatal(err)
					}
					checkFace(t, f)
					still, err := s.(devices.StillTaker).Still(ctx)
					if err != nil {
						t.Fatalf("still: %v; %+v", err, s.Stats())
					}
					if still.Image.Rect.Max != opt.Still || (still.JPEG != nil) != (format == "MJPG") {
						t.Errorf("a still of %v", still.Image.Rect)
					}
					checkFace(t, still)
				}
				if f, err := s.Next(ctx); err != nil || f.Image.Rect.Max != image.Pt(64, 48) {
					t.Errorf("after the stills: %v", err)
				}
				dev.SetFaults(virtual.Faults{ErrorBit: 1}) // it never comes whole
				short, stop := context.WithTimeout(ctx, 100*time.Millisecond)
				defer stop()
				if _, err := s.(devices.StillTaker).Still(short); !errors.Is(err, devices.ErrStalled) && !(how.pipe && errors.Is(err, devices.ErrBadData)) {
					t.Errorf("a damaged still: %v", err)
				}
				dev.SetFaults(virtual.Faults{})
				time.AfterFunc(20*time.Millisecond, func() { dev.SetFaults(virtual.Faults{ErrorBit: 1}); vbus.Unplug(port) })
				for err = nil; err == nil || how.pipe && errors.Is(err, devices.ErrBadData); {
					_, err = s.(devices.StillTaker).Still(ctx)
				}
				if !errors.Is(err, devices.ErrGone) {
					t.Errorf("still of an unplugged camera: %v", err)
				}
			})
		}
	}
	vbus, _, _ := plugged(t, func() (*virtual.Device, error) {
		return virtual.NewColourCamera(virtualtest.Board{}, fastColour("YUY2"))
	})
	cam, err := uvc.OpenFace(context.Background(), vbus, port, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer cam.Close()
	s, err := cam.Stream(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.(devices.StillTaker).Still(context.Background()); !errors.Is(err, devices.ErrUnsupported) {
		t.Errorf("still of a camera that takes none: %v", err)
	}
}
