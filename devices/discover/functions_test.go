package discover

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"tambo/devices"
	"tambo/devices/usb"
	"tambo/devices/v4l2"
	"tambo/devices/virtual"
)

// unknown is a bus whose devices are of a model that no table knows, and that can
// say other descriptors.
type unknown struct {
	*virtual.Bus
	config func([]byte) []byte
}

func (b unknown) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	list, err := b.Bus.List(ctx)
	for i := range list {
		list[i].VendorID, list[i].ProductID = 0xf055, 0x0001
		if b.config != nil {
			list[i].Config = b.config(list[i].Config)
		}
	}
	return list, err
}

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

	list, err = New(&unknown{Bus: bus}).List(within(t))
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

// twice puts a second copy of a camera's function behind the first, on interfaces
// 2 and 3.
func twice(config []byte) []byte {
	second := bytes.Clone(config[9:])
	_ = usb.Walk(second, func(d []byte) error {
		switch {
		case d[1] == usb.DescAssociation, d[1] == usb.DescInterface:
			d[2] += 2
		case d[1] == usb.DescCSInterface && d[2] == 1 && d[3] == 0x10: // the control header
			d[12] += 2
		case d[1] == usb.DescEndpoint:
			d[2]++
		}
		return nil
	})
	out := slices.Concat(config, second)
	binary.LittleEndian.PutUint16(out[2:], uint16(len(out)))
	return out
}

// Two face cameras in one device arrive both, and each can be opened.
func TestTwoFaceFunctions(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", colour(t, "YUY2"))
	d := New(&unknown{bus, twice})
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
