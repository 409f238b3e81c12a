// Package sessiontest is a kiosk to test with: a real session service over a
// real vault, with the real drivers on an in-process bus of virtual devices, and
// a hub's signature on a training agreement. Nothing in it answers for a room
// that is under test. It is never linked into a program.
package sessiontest

import (
	"image"
	"sync"
	"testing"
	"time"

	"tambo/devices/discover"
	"tambo/devices/virtual"
	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/specimen/page"
)

// Ports of the bench's devices.
const (
	CameraPort  = "1-1"
	ScannerPort = "1-2"
)

// Devices are virtual devices on an in-process bus, and who is before them.
type Devices struct {
	*discover.Discovery
	Bus *virtual.Bus

	t       testing.TB
	mu      sync.Mutex
	scene   *eye.Scene // nil: nobody is there
	began   time.Duration
	holder  *page.Holder // nil: an empty glass
	camera  *virtual.Device
	scanner *virtual.Device
}

// NewDevices plugs in a camera and a scanner. Nobody sits there yet.
func NewDevices(t testing.TB) *Devices {
	t.Helper()
	d := &Devices{t: t, Bus: virtual.NewBus()}
	d.Discovery = discover.New(d.Bus)
	d.PlugCamera()
	d.PlugScanner()
	t.Cleanup(func() { d.Bus.Close() })
	return d
}

// PlugCamera plugs a camera in.
func (d *Devices) PlugCamera() {
	dev, err := virtual.NewCamera(eyes{d}, virtual.CameraOptions{})
	if err == nil {
		err = d.Bus.Plug(CameraPort, dev)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.camera = dev
}

// PlugScanner plugs a scanner in.
func (d *Devices) PlugScanner() {
	dev, err := virtual.NewScanner(glass{d}, virtual.ScannerOptions{})
	if err == nil {
		err = d.Bus.Plug(ScannerPort, dev)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.scanner = dev
}

// Seat puts a person before the camera, on one of their visits.
func (d *Devices) Seat(person, visit uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scene, d.began = eye.NewScene(eye.NewPerson(person), visit), -1
}

// Empty leaves nobody before the camera.
func (d *Devices) Empty() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scene = nil
}

// Lay puts a holder's page on the glass; nil takes it away.
func (d *Devices) Lay(h *page.Holder) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.holder = h
}

type eyes struct{ *Devices }

// Eyes draws the person who sits there.
func (d eyes) Eyes(s virtual.Shot) (left, right *image.Gray) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.scene == nil {
		return nil, nil
	}
	if d.began < 0 {
		d.began = s.At
	}
	at := s.At - d.began
	return d.scene.Frame(kiosk.EyeLeft, at, 1), d.scene.Frame(kiosk.EyeRight, at, 1)
}

type glass struct{ *Devices }

// Page draws the page that lies there.
func (d glass) Page(dpi int, _ bool) image.Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.holder == nil {
		return nil
	}
	return page.Draw(*d.holder, dpi)
}
