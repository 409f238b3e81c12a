package app

import (
	"image"
	"testing"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
	"tambo/kiosk/ui/screens"
)

type nobody struct{}

func (nobody) Picture(virtual.Shot) image.Image { return nil }

// TestOneOfTwoFaceCamerasGoes: the bar's mark of the face camera stays while one
// of two that are in one device is there.
func TestOneOfTwoFaceCamerasGoes(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	face, err := virtual.NewColourCamera(nobody{}, virtual.ColourOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Plug("1-1", face); err != nil {
		t.Fatal(err)
	}
	list, err := discover.New(&virtualtest.Unknown{Bus: bus, Config: virtualtest.Twice}).List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	var s station
	for _, d := range list {
		s.seen.Store(plugged(d), d)
	}
	for i, want := range []screens.Device{screens.DeviceReady, screens.DeviceGone} {
		s.seen.Delete(plugged(list[i]))
		if got := s.device(devices.KindFaceCamera, screens.DeviceReady); got != want {
			t.Errorf("%d of two went: %v, want %v", i+1, got, want)
		}
	}
}
