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
	"tambo/kiosk/specimen/portrait"
)

// Ports of the bench's devices.
const (
	CameraPort  = "1-1"
	ScannerPort = "1-2"
	FacePort    = "1-3"
)

// Devices are virtual devices on an in-process bus, and who is before them.
type Devices struct {
	*discover.Discovery
	Bus *virtual.Bus

	t       testing.TB
	mu      sync.Mutex
	scene   *eye.Scene // nil: nobody is there
	began   time.Duration
	still   *[2]*image.Gray // the one picture of somebody who sits like a statue
	face    *portrait.Scene // likewise
	person  uint64
	visit   uint64
	holder  *page.Holder // nil: an empty glass
	camera  *virtual.Device
	scanner *virtual.Device
}

// NewDevices plugs in an iris camera, a scanner and a face camera. Nobody sits
// there yet.
func NewDevices(t testing.TB) *Devices {
	t.Helper()
	d := &Devices{t: t, Bus: virtual.NewBus()}
	d.Discovery = discover.New(d.Bus)
	d.PlugCamera()
	d.PlugScanner()
	d.PlugFace()
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

// PlugFace plugs a face camera in.
func (d *Devices) PlugFace() {
	dev, err := virtual.NewColourCamera(chair{d}, virtual.ColourOptions{})
	if err == nil {
		err = d.Bus.Plug(FacePort, dev)
	}
	if err != nil {
		d.t.Fatal(err)
	}
}

// Seat puts a person before the cameras, on one of their visits.
func (d *Devices) Seat(person, visit uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scene, d.began, d.still = eye.NewScene(eye.NewPerson(person), visit), -1, nil
	d.person, d.visit = person, visit
	d.face = portrait.NewScene(portrait.NewPerson(person), visit, portrait.Good())
}

// SeatStill is Seat for somebody who sits like a statue: one picture of their
// eyes is drawn, a second after they sat down, and shown again and again. For
// tests in which many people come.
func (d *Devices) SeatStill(person, visit uint64) {
	d.Seat(person, visit)
	s := eye.NewScene(eye.NewPerson(person), visit)
	still := &[2]*image.Gray{s.Frame(kiosk.EyeLeft, time.Second, 1), s.Frame(kiosk.EyeRight, time.Second, 1)}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.still = still
}

// Mood changes how the person sits before the face camera; one of portrait.Moods.
func (d *Devices) Mood(mood string) {
	c, err := portrait.Mood(mood)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.face = portrait.NewScene(portrait.NewPerson(d.person), d.visit, c)
}

// Empty leaves nobody before the camera.
func (d *Devices) Empty() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.scene, d.still, d.face = nil, nil, nil
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
	if d.still != nil {
		return d.still[0], d.still[1]
	}
	if d.began < 0 {
		d.began = s.At
	}
	at := s.At - d.began
	return d.scene.Frame(kiosk.EyeLeft, at, 1), d.scene.Frame(kiosk.EyeRight, at, 1)
}

type chair struct{ *Devices }

// Picture draws the face of the person who sits there.
func (d chair) Picture(s virtual.Shot) image.Image {
	d.mu.Lock()
	scene := d.face
	d.mu.Unlock()
	if scene == nil {
		return nil
	}
	return scene.Frame(s.At, s.Width, s.Height)
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
