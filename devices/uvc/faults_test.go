package uvc_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

// TestFaults lets one fault at a time strike, checks every frame that is
// accepted, and sees the camera recover.
func TestFaults(t *testing.T) {
	tests := []struct {
		name   string
		faults virtual.Faults
		// counted says which counter must move.
		counted func(s devices.StreamStats) uint64
	}{
		{"Drop", virtual.Faults{Drop: 0.1}, func(s devices.StreamStats) uint64 { return s.Damaged }},
		{"Short", virtual.Faults{Short: 0.1}, func(s devices.StreamStats) uint64 { return s.Damaged }},
		{"ErrorBit", virtual.Faults{ErrorBit: 0.1}, func(s devices.StreamStats) uint64 { return s.Damaged }},
		{"KeepFID", virtual.Faults{KeepFID: 0.5}, nil},
		{"NoEOF", virtual.Faults{NoEOF: 0.5}, nil},
		{"KeepFIDNoEOFDrop", virtual.Faults{KeepFID: 0.5, NoEOF: 0.5, Drop: 0.2}, func(s devices.StreamStats) uint64 { return s.Damaged }},
		{"Babble", virtual.Faults{Babble: 0.1}, func(s devices.StreamStats) uint64 { return s.BusErrors }},
		{"Stall", virtual.Faults{Stall: 0.05}, func(s devices.StreamStats) uint64 { return s.BusErrors }},
		{"Error", virtual.Faults{Error: 0.1}, func(s devices.StreamStats) uint64 { return s.BusErrors }},
		{"ErrorAlways", virtual.Faults{Error: 1}, func(s devices.StreamStats) uint64 { return s.BusErrors }},
		{"Hang", virtual.Faults{Hang: 0.02}, func(s devices.StreamStats) uint64 { return s.BusErrors }},
		{"Delay", virtual.Faults{Delay: 0.2, DelayBy: 3 * time.Millisecond}, nil},
	}
	for _, tt := range tests {
		for _, l := range []virtual.Layout{virtual.TwoStreams, virtual.SideBySide} {
			t.Run(fmt.Sprintf("%s/%d", tt.name, l), func(t *testing.T) {
				t.Parallel()
				bus := virtual.NewBus()
				defer bus.Close()
				dev := newCamera(t, fast(l))
				if err := bus.Plug(port, dev); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				defer cancel()
				cam, err := uvc.OpenIris(ctx, bus, port, quirks(l))
				if err != nil {
					t.Fatal(err)
				}
				defer cam.Close()
				s, err := cam.Stream(ctx)
				if err != nil {
					t.Fatal(err)
				}
				faults := tt.faults
				faults.Seed = 7
				dev.SetFaults(faults)
				for n := 0; n < 20 || tt.counted != nil && tt.counted(s.Stats()) == 0; n++ {
					next, stop := context.WithTimeout(ctx, 100*time.Millisecond)
					f, err := s.Next(next)
					stop()
					switch {
					case err == nil:
						check(t, f)
					case errors.Is(err, devices.ErrStalled) && ctx.Err() == nil:
					default:
						t.Fatalf("%v; %+v", err, s.Stats())
					}
				}
				dev.SetFaults(virtual.Faults{})
				for n := range 5 { // healed
					f, err := s.Next(ctx)
					if err != nil {
						t.Fatalf("healed frame %d: %v; %+v", n, err, s.Stats())
					}
					check(t, f)
				}
				t.Logf("%+v", s.Stats())
			})
		}
	}
}

// The control pipe may fail, too: a typed error in time, and the next try works.
func TestControlFaults(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	dev := newCamera(t, fast(virtual.TwoStreams))
	if err := bus.Plug(port, dev); err != nil {
		t.Fatal(err)
	}
	cam, err := uvc.OpenIris(context.Background(), bus, port, quirks(virtual.TwoStreams))
	if err != nil {
		t.Fatal(err)
	}
	defer cam.Close()
	for _, c := range []struct {
		faults virtual.Faults
		kind   error
	}{
		{virtual.Faults{Stall: 1, Control: true}, devices.ErrStalled},
		{virtual.Faults{Hang: 1, Control: true}, devices.ErrStalled},
		{virtual.Faults{Error: 1, Control: true}, devices.ErrBadData},
	} {
		dev.SetFaults(c.faults)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		_, err := cam.Stream(ctx)
		cancel()
		var typed *devices.Error
		if !errors.As(err, &typed) || !errors.Is(err, c.kind) {
			t.Errorf("%+v: %v", c.faults, err)
		}
	}
	dev.SetFaults(virtual.Faults{})
	s, err := cam.Stream(context.Background())
	if err != nil {
		t.Fatalf("healed: %v", err)
	}
	defer s.Close()
	if f, err := s.Next(context.Background()); err != nil {
		t.Fatal(err)
	} else {
		check(t, f)
	}
}

func TestWrongDescriptors(t *testing.T) {
	for _, damage := range []string{"truncate", "zero", "lie", "noise"} {
		for seed := range uint64(50) {
			bus := virtual.NewBus()
			dev := newCamera(t, fast(virtual.TwoStreams))
			dev.SetFaults(virtual.Faults{Descriptor: damage, Seed: seed})
			if err := bus.Plug(port, dev); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			cam, err := uvc.OpenIris(ctx, bus, port, quirks(virtual.TwoStreams))
			var typed *devices.Error
			switch {
			case err == nil && damage != "noise": // noise may fall where it does not matter
				t.Errorf("%s: opened", damage)
			case err == nil:
				cam.Close()
			case !errors.As(err, &typed):
				t.Errorf("%s: %v is no devices.Error", damage, err)
			}
			if h, c := bus.Leaks(); h+c != 0 {
				t.Errorf("%s: %d handles and %d claims left", damage, h, c)
			}
			cancel()
			bus.Close()
		}
	}
}

// Any bytes in place of frames: no panic, and it ends.
func TestCorruptedPayloads(t *testing.T) {
	for seed := range uint64(40) {
		bus := virtual.NewBus()
		dev := newCamera(t, fast(virtual.Layout(seed%2)))
		dev.SetFaults(virtual.Faults{Corrupt: 1, Short: 0.1, Drop: 0.05, Seed: seed})
		if err := bus.Plug(port, dev); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
		if cam, err := uvc.OpenIris(ctx, bus, port, quirks(virtual.Layout(seed%2))); err == nil {
			if s, err := cam.Stream(ctx); err == nil {
				for err == nil {
					_, err = s.Next(ctx)
				}
			}
			cam.Close()
		}
		cancel()
		bus.Close()
	}
}
