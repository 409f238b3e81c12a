package discover

import (
	"context"
	"errors"
	"image"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/escl"
	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

type dark struct{}

func (dark) Eyes(virtual.Shot) (left, right *image.Gray) { return nil, nil }
func (dark) Page(int, bool) image.Image                  { return nil }

func camera(t *testing.T, serial string) *virtual.Device {
	t.Helper()
	d, err := virtual.NewCamera(dark{}, virtual.CameraOptions{Width: 64, Height: 48, Interval: 2 * time.Millisecond, Serial: serial})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (dark) Picture(virtual.Shot) image.Image { return nil }

func colour(t *testing.T, formats ...string) *virtual.Device {
	t.Helper()
	d, err := virtual.NewColourCamera(dark{}, virtual.ColourOptions{Formats: formats, Interval: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func composite(t *testing.T) *virtual.Device {
	t.Helper()
	d, err := virtual.NewCompositeCamera(dark{}, dark{}, virtual.CameraOptions{Width: 64, Height: 48, Interval: 2 * time.Millisecond},
		virtual.ColourOptions{Interval: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func scanner(t *testing.T) *virtual.Device {
	t.Helper()
	d, err := virtual.NewScanner(dark{}, virtual.ScannerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func plug(t *testing.T, b *virtual.Bus, port string, d *virtual.Device) {
	t.Helper()
	if err := b.Plug(port, d); err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// realBus is a bus that says that it is hardware, or that it fails.
type realBus struct {
	*virtual.Bus
	err error
}

func (realBus) Name() string  { return "usb" }
func (realBus) Virtual() bool { return false }
func (b realBus) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Bus.List(ctx)
}

func TestListSaysWhichDriverAndWhyNot(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", camera(t, "A"))
	plug(t, bus, "1-2", scanner(t))
	plug(t, bus, "1-3", virtual.NewLoopback("B"))
	bad := camera(t, "C")
	bad.SetFaults(virtual.Faults{Descriptor: "zero"})
	plug(t, bus, "1-4", bad)
	plug(t, bus, "1-5", colour(t))
	plug(t, bus, "1-6", composite(t))
	got, err := New(bus).List(within(t))
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		driver string
		kind   devices.Kind
		whyNot string
	}{
		{"uvc", devices.KindIrisCamera, ""},
		{"escl", devices.KindDocumentScanner, ""},
		{"", "", "no driver for its classes 255/0/0, 255/1/0"},
		{"", "", "descriptors cannot be followed"},
		{"uvc", devices.KindFaceCamera, ""},
		{"uvc", devices.KindIrisCamera, ""},
		{"uvc", devices.KindFaceCamera, ""},
	}
	if len(got) != len(want) {
		t.Fatalf("%d devices", len(got))
	}
	for i, w := range want {
		d := got[i]
		if d.Info.Driver != w.driver || d.Info.Kind != w.kind || !strings.Contains(d.WhyNot, w.whyNot) || (w.whyNot == "") != (d.WhyNot == "") {
			t.Errorf("port %s: driver %q kind %q, why not: %s", d.Info.Port, d.Info.Driver, d.Info.Kind, d.WhyNot)
		}
		if !d.Info.Virtual {
			t.Errorf("port %s is not said to be virtual", d.Info.Port)
		}
	}
}

// A virtual camera that somebody attached to the kernel is not let in.
func TestVirtualDeviceOnRealBus(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", camera(t, "A"))
	plug(t, bus, "1-2", scanner(t))
	plug(t, bus, "1-3", colour(t))
	d := New(realBus{Bus: bus})
	if _, err := d.OpenFaceCamera(within(t)); !errors.Is(err, devices.ErrGone) {
		t.Errorf("face camera: %v", err)
	}
	_, err := d.OpenIrisCamera(within(t))
	if !errors.Is(err, devices.ErrGone) || !strings.Contains(err.Error(), "training agreement") {
		t.Errorf("camera: %v", err)
	}
	if _, err := d.OpenScanner(within(t)); !errors.Is(err, devices.ErrGone) {
		t.Errorf("scanner: %v", err)
	}
}

// softBus is a bus of hardware on which everything hangs on a host controller
// made of software.
type softBus struct{ realBus }

func (b softBus) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	all, err := b.realBus.List(ctx)
	for i := range all {
		all[i].Virtual = true
	}
	return all, err
}

func (b softBus) Open(ctx context.Context, port string) (usb.Device, error) {
	d, err := b.realBus.Open(ctx, port)
	if err != nil {
		return nil, err
	}
	return softDevice{d}, nil
}

type softDevice struct{ usb.Device }

func (d softDevice) Info() usb.DeviceInfo {
	i := d.Device.Info()
	i.Virtual = true
	return i
}

// A software device attached to the kernel is said to be virtual by every driver,
// also where its model is nobody's: sessions refuse it outside training.
func TestAttachedDevicesAreVirtual(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", colour(t))
	plug(t, bus, "1-2", scanner(t))
	soft := softBus{realBus{Bus: bus}}
	infos, err := soft.List(within(t))
	if err != nil || len(infos) != 2 {
		t.Fatal(infos, err)
	}
	face, err := uvc.OpenFace(within(t), soft, "1-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	s, err := escl.Open(within(t), soft, infos[1])
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !face.Info().Virtual || !s.Info().Virtual {
		t.Errorf("virtual: camera %v, scanner %v", face.Info().Virtual, s.Info().Virtual)
	}
	all, err := New(soft).List(within(t))
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	for _, d := range all {
		if !d.Info.Virtual {
			t.Errorf("%s is listed as hardware", d)
		}
	}
}

func TestOpen(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	d := New(virtual.NewBus(), bus)
	_, err := d.OpenIrisCamera(within(t))
	var typed *devices.Error
	if !errors.As(err, &typed) || typed.Kind != devices.ErrGone || typed.Op != "find" {
		t.Fatalf("no camera: %v", err)
	}
	plug(t, bus, "1-1", camera(t, "A"))
	plug(t, bus, "1-2", camera(t, "B"))
	plug(t, bus, "1-3", scanner(t))
	one, err := d.OpenIrisCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	two, err := d.OpenIrisCamera(within(t)) // the first is busy
	if err != nil {
		t.Fatal(err)
	}
	if one.Info().Port != "1-1" || two.Info().Port != "1-2" || one.Info().Serial != "A" || !one.Info().Virtual {
		t.Errorf("opened %+v and %+v", one.Info(), two.Info())
	}
	if _, err = d.OpenIrisCamera(within(t)); !errors.Is(err, devices.ErrBusy) {
		t.Errorf("third: %v", err)
	}
	one.Close()
	again, err := First(within(t), d, devices.KindIrisCamera, "1-1", Device.OpenIris)
	if err != nil {
		t.Fatalf("by port: %v", err)
	}
	again.Close()
	two.Close()
	if _, err = First(within(t), d, devices.KindIrisCamera, "1-3", Device.OpenIris); !errors.Is(err, devices.ErrGone) {
		t.Errorf("a camera where a scanner is: %v", err)
	}
	s, err := d.OpenScanner(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if i := s.Info(); i.Port != "1-3" || !i.Virtual || i.Kind != devices.KindDocumentScanner {
		t.Errorf("scanner %+v", i)
	}
	s.Close()
	if h, c := bus.Leaks(); h+c != 0 {
		t.Errorf("%d handles and %d claims left", h, c)
	}
}

// A composite camera is two: opened and streamed each by itself, in any order.
func TestOpenComposite(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", composite(t))
	d := New(bus)
	face, err := d.OpenFaceCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	iris, err := d.OpenIrisCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := First(within(t), d, devices.KindFaceCamera, "1-1", Device.OpenFace); !errors.Is(err, devices.ErrBusy) {
		t.Errorf("the face a second time: %v", err)
	}
	if iris.Info().Kind != devices.KindIrisCamera || face.Info().Kind != devices.KindFaceCamera || iris.Info().Port != face.Info().Port {
		t.Errorf("opened %+v and %+v", iris.Info(), face.Info())
	}
	fs, err := face.Stream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	is, err := iris.Stream(within(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := fs.Next(within(t)); err != nil {
			t.Fatal(err)
		}
		if _, err := is.Next(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	face.Close()
	if _, err := is.Next(within(t)); err != nil {
		t.Errorf("the eyes after the face was closed: %v", err)
	}
	if err := iris.SetIllumination(within(t), 1); err != nil {
		t.Errorf("illumination after the face was closed: %v", err)
	}
	if face, err = First(within(t), d, devices.KindFaceCamera, "1-1", Device.OpenFace); err != nil {
		t.Fatalf("the face again: %v", err)
	}
	iris.Close()
	face.Close()
	if h, c := bus.Leaks(); h+c != 0 {
		t.Errorf("%d handles and %d claims left", h, c)
	}
}

// A bus that fails does not hide the devices of another.
func TestFailingBus(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	d := New(realBus{Bus: virtual.NewBus(), err: usb.ErrAccess}, bus)
	if _, err := d.OpenIrisCamera(within(t)); !errors.Is(err, usb.ErrAccess) {
		t.Errorf("the reason is lost: %v", err)
	}
	plug(t, bus, "1-1", camera(t, "A"))
	c, err := d.OpenIrisCamera(within(t))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestWatch(t *testing.T) {
	bus := virtual.NewBus()
	defer bus.Close()
	plug(t, bus, "1-1", camera(t, "A"))
	d := New(bus)
	ctx, cancel := context.WithCancel(context.Background())
	events := d.Watch(ctx)
	next := func(kind EventKind, port string) Event {
		t.Helper()
		select {
		case e, ok := <-events:
			if !ok || e.Kind != kind || e.Device.Info.Port != port {
				t.Fatalf("event %v %v of port %q, want %v of %q", ok, e.Kind, e.Device.Info.Port, kind, port)
			}
			return e
		case <-time.After(5 * time.Second):
			t.Fatalf("no event, want %v of %q", kind, port)
		}
		panic("unreachable")
	}
	next(Arrived, "1-1")
	plug(t, bus, "1-2", camera(t, "A")) // an identical one
	if e := next(Arrived, "1-2"); e.Device.Info.Kind != devices.KindIrisCamera {
		t.Errorf("arrived: %v", e.Device)
	}
	began := time.Now()
	bus.Unplug("1-1")
	next(Left, "1-1")
	if took := time.Since(began); took > time.Second {
		t.Logf("noticed after %v", took) // a busy machine
	}
	same := bus.Device("1-2")
	bus.Unplug("1-2") // out and in between two looks
	plug(t, bus, "1-2", same)
	next(Left, "1-2")
	next(Arrived, "1-2")
	cancel()
	for range events {
	}
}

func TestQuirksTable(t *testing.T) {
	if _, err := table(); err != nil {
		t.Fatal(err)
	}
	rows, err := Quirks()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	ok := `{"vendor":"1209","product":"0001","kind":"iris camera","source":"x","uvc":{"layout":"streams"}}`
	for name, file := range map[string]string{
		"no source":     `[{"vendor":"1209","product":"0001","kind":"document scanner"}]`,
		"no layout":     `[{"vendor":"1209","product":"0001","kind":"iris camera","source":"x"}]`,
		"not hex":       `[{"vendor":"12g9","product":"0001","kind":"document scanner","source":"x"}]`,
		"short":         `[{"vendor":"129","product":"0001","kind":"document scanner","source":"x"}]`,
		"twice":         "[" + ok + "," + ok + "]",
		"unknown field": `[{"vendor":"1209","product":"0001","colour":"red","source":"x"}]`,
		"no JSON":       `{`,
	} {
		if _, err := parseQuirks([]byte(file)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := parseQuirks([]byte("[" + ok + "]")); err != nil {
		t.Errorf("a good row: %v", err)
	}
}
