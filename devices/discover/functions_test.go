package discover

import (
	"context"
	"strings"
	"testing"

	"tambo/devices"
	"tambo/devices/v4l2"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

func twin(t *testing.T) *virtual.Device {
	t.Helper()
	dev, err := virtual.NewTwinCamera(dark{}, dark{}, virtual.CameraOptions{}, virtual.ColourOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return dev
}

// A device with two video functions is there twice: as the table says, where it
// knows the model; else each function as what it can be.
func TestTwoFunctions(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", twin(t))
	list, err := New(bus).List(within(t))
	if err != nil || len(list) != 2 || list[0].Info.Kind != devices.KindIrisCamera || list[1].Info.Kind != devices.KindFaceCamera {
		t.Fatalf("%v, %v", list, err)
	}
	d := New(bus)
	iris, err := d.OpenIrisCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer iris.Close()
	face, err := d.OpenFaceCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	if err := iris.SetIllumination(within(t), 0.5); err != nil {
		t.Errorf("illumination, which is the second function's: %v", err)
	}

	list, err = New(&virtualtest.Unknown{Bus: bus}).List(within(t))
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	if list[0].Info.Kind != devices.KindFaceCamera || list[0].Function() != 0 || list[0].WhyNot != "" {
		t.Errorf("first function: %v", list[0])
	}
	if list[1].Info.Kind != "" || list[1].Function() != 2 || !strings.Contains(list[1].WhyNot, "quirks table") || !strings.Contains(list[1].String(), "interface 2") {
		t.Errorf("second function: %v (%s)", list[1], list[1].WhyNot)
	}
}

// Two face cameras in one device arrive both, and each can be opened.
func TestTwoFaceFunctions(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", colour(t, "YUY2"))
	d := New(&virtualtest.Unknown{Bus: bus, Config: virtualtest.Twice})
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var seen []Device
	for e := range d.Watch(ctx) {
		if e.Kind != Arrived || e.Device.Info.Kind != devices.KindFaceCamera {
			t.Fatalf("%s %v", e.Kind, e.Device)
		}
		if seen = append(seen, e.Device); len(seen) == 2 {
			break
		}
	}
	if len(seen) != 2 || seen[0].Function() != 0 || seen[1].Function() != 2 || seen[0].face != 1 || seen[1].face != 3 {
		t.Fatalf("%+v", seen)
	}
	c, err := seen[0].OpenFace(ctx)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	for i, d := range seen {
		if s, err := d.kernelStream(d.face); s != (v4l2.Stream{Function: 2 * i}) || err != nil {
			t.Errorf("the kernel's stream %+v, %v", s, err)
		}
	}
}
