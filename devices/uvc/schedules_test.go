package uvc_test

import (
	"context"
	"errors"
	"fmt"
	"image"
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
	"tambo/devices/virtual/virtualtest"
)

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
type tally struct {
	frames, damaged, gone, errors, replugs atomic.Uint64
	byKind                                 [len(variants)]atomic.Uint64 // frames
}

// variants are the kinds of cameras that the schedules try.
var variants = [...]struct {
	name           string
	layout         virtual.Layout
	iso            bool
	eyes           bool
	colour         string // format, "" for none
	jpeg           bool
	lossesAreKnown bool // nothing is lost but what the bus says
}{
	{name: "bulk, two streams", eyes: true, layout: virtual.TwoStreams},
	{name: "bulk, side by side", eyes: true, layout: virtual.SideBySide},
	{name: "isochronous, two streams", iso: true, eyes: true, layout: virtual.TwoStreams},
	{name: "isochronous, side by side", iso: true, eyes: true, layout: virtual.SideBySide},
	{name: "bulk, YUY2", colour: "YUY2"},
	{name: "isochronous, NV12", iso: true, colour: "NV12"},
	{name: "bulk, MJPEG", colour: "MJPG", lossesAreKnown: true},
	{name: "isochronous, MJPEG", iso: true, colour: "MJPG", lossesAreKnown: true},
	{name: "bulk, composite", eyes: true, colour: "YUY2"},
	{name: "isochronous, composite", iso: true, eyes: true, colour: "MJPG", lossesAreKnown: true},
}

// TestFaultSchedules runs random faults, alone and together, with unplugging
// and plugging in again, on every kind of camera and both buses. No wrong image
// may be accepted, nothing may panic, and nothing may be left behind.
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
	for i := range variants {
		t.Logf("%s: %d frames", variants[i].name, n.byKind[i].Load())
		if n.byKind[i].Load() < uint64(schedules()/len(variants)/2) {
			t.Errorf("%s: the schedules tried too little", variants[i].name)
		}
	}
	if n.frames.Load() < uint64(schedules()) || n.damaged.Load() == 0 || n.gone.Load() == 0 {
		t.Error("the schedules tried too little")
	}
}

// randomFaults picks one to four faults of random strength. Corrupt is not among
// them where a bus has its own checksums: USB finds it, and here nothing would.
// Nor is what is lost or cut without a word where the images are compressed: USB
// says what it lost, and a JPEG has nothing that would.
func randomFaults(r *rand.Rand, iso, lossesAreKnown bool) virtual.Faults {
	f := virtual.Faults{DelayBy: time.Duration(r.IntN(4000)) * time.Microsecond, Seed: r.Uint64(), Control: r.IntN(4) == 0}
	all := []*float64{&f.Babble, &f.Stall, &f.Error, &f.Delay, &f.ErrorBit, &f.KeepFID, &f.NoEOF}
	if !lossesAreKnown {
		all = append(all, &f.Drop, &f.Short)
	}
	scale := 1.0
	if iso { // for each packet
		all = append(all, &f.Disorder, &f.Corrupt)
		scale = 0.2
	}
	for range 1 + r.IntN(4) {
		*all[r.IntN(len(all))] = scale * r.Float64() * r.Float64() * r.Float64()
	}
	switch r.IntN(12) {
	case 0:
		f.Hang = 0.02
	case 1:
		f.Unplug = 0.02 * scale
	}
	return f
}

func runSchedule(t *testing.T, seed uint64, n *tally) {
	r := rand.New(rand.NewPCG(seed, 0xfa017))
	kind := int(seed % uint64(len(variants)))
	v := variants[kind]
	dev, err := makeVariant(r, kind)
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
	if r.IntN(8) == 0 { // over a socket
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
		dev.SetFaults(randomFaults(r, v.iso, v.lossesAreKnown))
		w := &watcher{t: t, seed: seed, kind: kind, bus: bus, vbus: vbus, dev: dev, n: n}
		unplugs := r.IntN(4) == 0
		var wg sync.WaitGroup
		if v.eyes {
			own := rand.New(rand.NewPCG(r.Uint64(), 1))
			wg.Go(func() { w.watch(own, unplugs, w.openEyes) })
		}
		if v.colour != "" {
			own := rand.New(rand.NewPCG(r.Uint64(), 2))
			wg.Go(func() { w.watch(own, unplugs, w.openFace) })
		}
		wg.Wait()
		if unplugs {
			vbus.Unplug(port)
		}
	}
}

// makeVariant makes a camera of a kind, quick and small.
func makeVariant(r *rand.Rand, kind int) (*virtual.Device, error) {
	v := variants[kind]
	eyes, face := fast(v.layout), fastColour(v.colour)
	eyes.Interval, face.Interval = time.Millisecond, 2*time.Millisecond
	face.Sizes = []image.Point{{X: 64, Y: 48}} // a smaller one has no room for the scene's marks
	eyes.Payload, face.Payload = 200+r.IntN(4000), 200+r.IntN(4000)
	if v.iso {
		eyes.Interval, eyes.Isochronous, face.Isochronous = 2*time.Millisecond, true, true
	}
	switch {
	case v.eyes && v.colour != "":
		return virtual.NewCompositeCamera(virtualtest.Marked{}, virtualtest.Board{}, eyes, face)
	case v.eyes:
		return virtual.NewCamera(virtualtest.Marked{}, eyes)
	}
	return virtual.NewColourCamera(virtualtest.Board{}, face)
}

// watcher takes frames of one plugging while faults change.
type watcher struct {
	t    *testing.T
	seed uint64
	kind int
	bus  usb.Bus
	vbus *virtual.Bus
	dev  *virtual.Device
	n    *tally
}

var errWrongImage = errors.New("wrong image accepted")

// watched is an open stream of either kind.
type watched struct {
	next  func(context.Context) error // errWrongImage where it is not what the scene showed
	stats func() devices.StreamStats
	close func()
}

func (w *watcher) openEyes(ctx context.Context) (watched, error) {
	cam, err := uvc.OpenIris(ctx, w.bus, port, quirks(variants[w.kind].layout))
	if err != nil {
		return watched{}, err
	}
	begin, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	s, err := cam.Stream(begin)
	if err != nil {
		cam.Close()
		return watched{}, err
	}
	return watched{func(ctx context.Context) error {
		f, err := s.Next(ctx)
		if err == nil {
			if wrong := virtualtest.WrongEyes(f); wrong != "" {
				err = fmt.Errorf("%w: %s", errWrongImage, wrong)
			}
		}
		return err
	}, s.Stats, func() { cam.Close() }}, nil
}

func (w *watcher) openFace(ctx context.Context) (watched, error) {
	number := 0
	if variants[w.kind].eyes {
		number = virtual.FaceInterface
	}
	cam, err := uvc.OpenFace(ctx, w.bus, port, number)
	if err != nil {
		return watched{}, err
	}
	begin, stop := context.WithTimeout(ctx, 50*time.Millisecond)
	defer stop()
	s, err := cam.Stream(begin)
	if err != nil {
		cam.Close()
		return watched{}, err
	}
	return watched{func(ctx context.Context) error {
		f, err := s.Next(ctx)
		if err == nil {
			if wrong := virtualtest.WrongFace(f); wrong != "" {
				err = fmt.Errorf("%w: %s", errWrongImage, wrong)
			}
		}
		return err
	}, s.Stats, func() { cam.Close() }}, nil
}

// watch opens once, and takes frames while faults change.
func (w *watcher) watch(r *rand.Rand, unplugs bool, open func(context.Context) (watched, error)) {
	v := variants[w.kind]
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	s, err := open(ctx)
	if err != nil {
		w.typed("open", err)
		return
	}
	defer s.close()
	unplugAt := -1
	if unplugs {
		unplugAt = r.IntN(8)
	}
	for k := range 8 {
		switch {
		case k == unplugAt:
			go w.vbus.Unplug(port) // in the middle of whatever happens
		case r.IntN(4) == 0:
			w.dev.SetFaults(randomFaults(r, v.iso, v.lossesAreKnown))
		case r.IntN(4) == 0:
			w.dev.SetFaults(virtual.Faults{})
		}
		wait, stop := context.WithTimeout(ctx, time.Duration(2+r.IntN(20))*time.Millisecond)
		err := s.next(wait)
		stop()
		switch {
		case err == nil:
			w.n.frames.Add(1)
			w.n.byKind[w.kind].Add(1)
			continue
		case errors.Is(err, errWrongImage):
			w.t.Errorf("schedule %d (%s): %v; faults %+v", w.seed, v.name, err, w.dev.Faults())
			continue
		}
		w.typed("next", err)
		if errors.Is(err, devices.ErrGone) {
			w.n.gone.Add(1)
			break
		}
	}
	st := s.stats()
	w.n.damaged.Add(st.Damaged)
	w.n.errors.Add(st.BusErrors)
}

func (w *watcher) typed(what string, err error) {
	var e *devices.Error
	if !errors.As(err, &e) {
		w.t.Errorf("schedule %d: %s: %v is no devices.Error", w.seed, what, err)
	}
}
