package uvc_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/usb"
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

// schedules is how many random fault schedules are run.
func schedules() int {
	switch {
	case os.Getenv("TAMBO_LONG") != "":
		return 10_000
	case testing.Short():
		return 300
	}
	return 1_000
}

// tally counts what came of the schedules.
type tally struct{ frames, damaged, gone, errors, replugs atomic.Uint64 }

// TestFaultSchedules runs random faults, alone and together, with unplugging
// and plugging in again, on both layouts and both buses. No wrong image may be
// accepted, nothing may panic, and nothing may be left behind.
func TestFaultSchedules(t *testing.T) {
	before := runtime.NumGoroutine()
	var n tally
	var wg sync.WaitGroup
	next := make(chan uint64)
	for range 8 { // they mostly wait
		wg.Go(func() {
			for seed := range next {
				runSchedule(t, seed, &n)
			}
		})
	}
	for seed := range uint64(schedules()) {
		next <- seed
	}
	close(next)
	wg.Wait()
	after := runtime.NumGoroutine()
	for range 100 {
		if after = runtime.NumGoroutine(); after <= before {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if after > before {
		buf := make([]byte, 1<<16)
		t.Errorf("%d goroutines before, %d after\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
	t.Logf("%d schedules: %d frames accepted, all of them right; %d damaged, %d bus errors, %d times gone, %d times plugged in again",
		schedules(), n.frames.Load(), n.damaged.Load(), n.errors.Load(), n.gone.Load(), n.replugs.Load())
	if n.frames.Load() < uint64(schedules()) || n.damaged.Load() == 0 || n.gone.Load() == 0 {
		t.Error("the schedules tried too little")
	}
}

// randomFaults picks one to four faults of random strength. Corrupt is not among
// them: USB's own checksums find it, and here nothing would.
func randomFaults(r *rand.Rand) virtual.Faults {
	f := virtual.Faults{DelayBy: time.Duration(r.IntN(4000)) * time.Microsecond, Seed: r.Uint64(), Control: r.IntN(4) == 0}
	all := []*float64{&f.Drop, &f.Short, &f.Babble, &f.Stall, &f.Error, &f.Delay, &f.ErrorBit, &f.KeepFID, &f.NoEOF}
	for range 1 + r.IntN(4) {
		*all[r.IntN(len(all))] = r.Float64() * r.Float64() * r.Float64()
	}
	switch r.IntN(12) {
	case 0:
		f.Hang = 0.02
	case 1:
		f.Unplug = 0.02
	}
	return f
}

func runSchedule(t *testing.T, seed uint64, n *tally) {
	r := rand.New(rand.NewPCG(seed, 0xfa017))
	layout := virtual.Layout(r.IntN(2))
	opt := fast(layout)
	opt.Interval = time.Millisecond
	opt.Payload = 200 + r.IntN(4000)
	dev, err := virtual.NewCamera(marked{}, opt)
	if err != nil {
		t.Error(err)
		return
	}
	vbus := virtual.NewBus()
	defer func() {
		if h, c := vbus.Leaks(); h+c != 0 {
			t.Errorf("schedule %d: %d handles and %d claims left", seed, h, c)
		}
		vbus.Close()
	}()
	var bus usb.Bus = vbus
	if seed%8 == 0 { // over a socket
		var done func()
		if bus, done, err = dialUSBIP(vbus); err != nil {
			t.Error(err)
			return
		}
		defer done()
	}
	if err := vbus.Plug(port, dev); err != nil {
		t.Error(err)
		return
	}
	for range 1 + r.IntN(3) { // openings
		if vbus.Device(port) == nil {
			n.replugs.Add(1)
			if err := vbus.Plug(port, dev); err != nil {
				t.Errorf("schedule %d: %v", seed, err)
				return
			}
		}
		dev.SetFaults(randomFaults(r))
		watchSchedule(t, seed, r, bus, vbus, dev, layout, n)
	}
}

// watchSchedule opens the camera once, and takes frames while faults change.
func watchSchedule(t *testing.T, seed uint64, r *rand.Rand, bus usb.Bus, vbus *virtual.Bus, dev *virtual.Device, layout virtual.Layout, n *tally) {
	typed := func(what string, err error) {
		var e *devices.Error
		if !errors.As(err, &e) {
			t.Errorf("schedule %d: %s: %v is no devices.Error", seed, what, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	cam, err := uvc.OpenIris(ctx, bus, port, quirks(layout))
	if err != nil {
		typed("open", err)
		return
	}
	defer cam.Close()
	begin, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	s, err := cam.Stream(begin)
	stop()
	if err != nil {
		typed("stream", err)
		return
	}
	unplugAt := -1
	if r.IntN(4) == 0 {
		unplugAt = r.IntN(8)
	}
	for k := range 8 {
		switch {
		case k == unplugAt:
			go vbus.Unplug(port) // in the middle of whatever happens
		case r.IntN(4) == 0:
			dev.SetFaults(randomFaults(r))
		case r.IntN(4) == 0:
			dev.SetFaults(virtual.Faults{})
		}
		wait, stop := context.WithTimeout(ctx, time.Duration(2+r.IntN(20))*time.Millisecond)
		f, err := s.Next(wait)
		stop()
		if err == nil {
			n.frames.Add(1)
			if w := wrong(f); w != "" {
				t.Errorf("schedule %d: wrong image accepted: %s; faults %+v", seed, w, dev.Faults())
			}
			continue
		}
		typed("next", err)
		if errors.Is(err, devices.ErrGone) {
			n.gone.Add(1)
			break
		}
	}
	st := s.Stats()
	n.damaged.Add(st.Damaged)
	n.errors.Add(st.BusErrors)
	vbusSettled(vbus, unplugAt)
}

// vbusSettled waits for an unplugging that this schedule began.
func vbusSettled(vbus *virtual.Bus, unplugAt int) {
	if unplugAt >= 0 {
		vbus.Unplug(port)
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
