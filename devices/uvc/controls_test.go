package uvc_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
)

func TestControls(t *testing.T) {
	vbus, dev, _ := plugged(t, func() (*virtual.Device, error) {
		return virtual.NewColourCamera(virtualtest.Board{}, fastColour("YUY2"))
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cam, err := uvc.OpenFace(ctx, vbus, port, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer cam.Close()
	get := func(name string) devices.Control {
		t.Helper()
		all, err := cam.Controls(ctx)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(c devices.Control) bool { return c.Name == name })
		if i < 0 {
			t.Fatalf("no control %q in %v", name, all)
		}
		return all[i]
	}
	for _, want := range []devices.Control{
		{Name: "brightness", Min: -64, Max: 64, Step: 1, Settable: true},
		{Name: "gain", Value: 50, Default: 50, Max: 100, Step: 5, Settable: true},
		{Name: "exposure mode", Value: 2, Default: 2, Min: 1, Max: 8, Step: 1, Modes: 3, Settable: true},
		{Name: "exposure", Value: 156, Default: 156, Min: 1, Max: 5000, Step: 1, Settable: true, Automatic: true},
		{Name: "focus automatic", Value: 1, Default: 1, Max: 1, Step: 1, Settable: true},
		{Name: "focus", Max: 250, Step: 5, Settable: true, Automatic: true},
	} {
		if got := get(want.Name); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	for _, bad := range []struct {
		name  string
		value int64
	}{{"gain", 101}, {"gain", -5}, {"gain", 52}, {"exposure", 100}, {"exposure mode", 3}, {"exposure mode", 4}, {"focus automatic", 2}, {"zoom", 1}} {
		if err := cam.SetControl(ctx, bad.name, bad.value); !errors.Is(err, devices.ErrUnsupported) {
			t.Errorf("%s %d: %v", bad.name, bad.value, err)
		}
	}
	for _, good := range []struct {
		name  string
		value int64
	}{{"brightness", -64}, {"gain", 55}, {"exposure mode", 1}, {"exposure", 4999}, {"focus automatic", 0}, {"focus", 250}} {
		if err := cam.SetControl(ctx, good.name, good.value); err != nil {
			t.Errorf("%s %d: %v", good.name, good.value, err)
		}
		if c := get(good.name); c.Value != good.value || c.Automatic {
			t.Errorf("%s: set to %d, is %+v", good.name, good.value, c)
		}
	}
	for _, f := range []struct {
		faults virtual.Faults
		kind   error
	}{{virtual.Faults{Hang: 1, Control: true}, devices.ErrStalled}, {virtual.Faults{Error: 1, Control: true}, devices.ErrBadData}} {
		dev.SetFaults(f.faults)
		short, stop := context.WithTimeout(ctx, 50*time.Millisecond)
		_, err := cam.Controls(short)
		stop()
		if !errors.Is(err, f.kind) {
			t.Errorf("%+v: %v", f.faults, err)
		}
	}
}
