package virtual_test

import (
	"context"
	"errors"
	"testing"

	"tambo/devices/usb/usbip"
	"tambo/devices/usb/usbtest"
	"tambo/devices/virtual"
)

// plugs gives a rig its hands.
func plugs(rig *usbtest.Rig, bus *virtual.Bus) {
	rig.Plug = func(t *testing.T, port string) {
		if err := bus.Plug(port, virtual.NewLoopback("SN-"+port)); err != nil {
			t.Fatal(err)
		}
	}
	rig.Unplug = func(_ *testing.T, port string) { bus.Unplug(port) }
}

func TestInProcessBus(t *testing.T) {
	usbtest.Run(t, func(t *testing.T) usbtest.Rig {
		bus := virtual.NewBus()
		rig := usbtest.Rig{Bus: bus}
		plugs(&rig, bus)
		t.Cleanup(func() {
			if h, c := bus.Leaks(); h+c != 0 {
				t.Errorf("%d handles and %d claims left", h, c)
			}
		})
		return rig
	})
}

// serve starts a server for a bus on loopback.
func serve(t *testing.T, bus *virtual.Bus) *virtual.Server {
	t.Helper()
	s, err := virtual.Listen("127.0.0.1:0", bus, nil)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background()) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
		bus.Close()
	})
	return s
}

func TestUSBIPBus(t *testing.T) {
	usbtest.Run(t, func(t *testing.T) usbtest.Rig {
		bus := virtual.NewBus()
		s := serve(t, bus)
		client, err := usbip.New(s.Addr(), true)
		if err != nil {
			t.Fatal(err)
		}
		rig := usbtest.Rig{Bus: client}
		plugs(&rig, bus)
		return rig
	})
}

func TestListenRefusesOthers(t *testing.T) {
	for _, a := range []string{"0.0.0.0:0", ":0", "192.0.2.1:3240", "[::]:0", "kiosk.example:1", "127.0.0.1"} {
		if s, err := virtual.Listen(a, virtual.NewBus(), nil); !errors.Is(err, virtual.ErrNotLoopback) {
			t.Errorf("listening on %q: error %v", a, err)
			if s != nil {
				s.Close()
			}
		}
	}
}
