// Package discover finds capture devices: what is plugged in, which driver takes
// it, and if none does, why not. It knows devices by USB class and by the quirks
// table (quirks.json), never by a setting at the kiosk, and looks at any number
// of buses alike: real USB, and under a training agreement virtual devices.
//
// Devices come and go at any moment; [Discovery.Watch] says so within a second.
// Two of a kind are told apart by the port they are plugged into. Whether a device is
// virtual is said by its bus, never by the device.
//
// It opens a device only when asked to, never changes its state while listing,
// and never logs a serial number.
package discover

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tambo/devices"
	"tambo/devices/escl"
	"tambo/devices/usb"
	"tambo/devices/uvc"
)

// Discovery looks at buses. Safe for concurrent use.
type Discovery struct {
	buses []usb.Bus
	every time.Duration
}

// pollEvery is how often Watch looks: there is no hot-plug notice that works on
// every bus.
const pollEvery = 400 * time.Millisecond

// New makes a discovery over buses, the preferred first. The buses stay the
// caller's to close.
func New(buses ...usb.Bus) *Discovery {
	return &Discovery{buses: buses, every: pollEvery}
}

// Device is something plugged in.
type Device struct {
	// Info is what it is. Kind and Driver are empty where no driver takes it.
	Info devices.Info
	Bus  string // name of the bus
	// WhyNot says why no driver takes it; empty where one does.
	WhyNot string
	// Source says where the quirks of the model are known from, if it has any.
	Source string

	bus   usb.Bus
	usb   usb.DeviceInfo
	quirk *Quirk
	face  int // streaming interface of the face camera, 0 for the first
	fn    int // control interface of the video function, where the device has several
}

// Function is the interface number of its video function, for a device that has
// several: it tells two cameras apart that are at one port. 0 is also the first.
func (d Device) Function() int { return d.fn }

// String reads "iris camera \"Tambo Virtual iris camera\" at usbip 1-1 (1209:0001)".
func (d Device) String() string {
	kind := string(d.Info.Kind)
	if kind == "" {
		kind = "device"
	}
	at := d.Info.Port
	if d.fn != 0 {
		at = fmt.Sprintf("%s, interface %d", at, d.fn)
	}
	return fmt.Sprintf("%s %q at %s %s (%04x:%04x)", kind, d.Info.Name, d.Bus, at, d.Info.VendorID, d.Info.ProductID)
}

// key tells pluggings apart.
type key struct {
	bus, port       string
	address         int
	vendor, product uint16
	kind            devices.Kind
	function        int
}

func (d Device) key() key {
	return key{d.Bus, d.Info.Port, d.usb.Address, d.Info.VendorID, d.Info.ProductID, d.Info.Kind, d.fn}
}

// List returns everything that is plugged in, bus by bus in order of ports; a
// composite camera is there twice, as an iris camera and as a face camera, and a
// device with several video functions once for each. A bus
// that cannot be listed is an error that comes with what the others have.
func (d *Discovery) List(ctx context.Context) ([]Device, error) {
	quirks, err := table()
	if err != nil {
		return nil, err
	}
	var out []Device
	var errs []error
	for _, b := range d.buses {
		infos, err := b.List(ctx)
		if err != nil {
			errs = append(errs, fmt.Errorf("bus %s: %w", b.Name(), err))
			continue
		}
		for _, i := range infos {
			out = append(out, classify(b, i, quirks)...)
		}
	}
	return out, errors.Join(errs...)
}

// classify decides which drivers take a device: one entry for each of its cameras,
// one where nothing takes it.
func classify(b usb.Bus, i usb.DeviceInfo, quirks map[model]Quirk) []Device {
	d := Device{Bus: b.Name(), bus: b, usb: i, Info: devices.Info{
		Name: usb.CleanName(strings.TrimSpace(i.Strings.Manufacturer + " " + i.Strings.Product)),
		Port: i.Port, VendorID: i.VendorID, ProductID: i.ProductID,
		Serial: usb.CleanName(i.Strings.Serial), Virtual: b.Virtual() || i.Virtual,
	}}
	if q, ok := quirks[model{i.VendorID, i.ProductID}]; ok {
		d.quirk, d.Source = &q, q.Source
		if d.Info.Name == "" {
			d.Info.Name = q.Name
		}
		if q.VirtualOnly && !b.Virtual() {
			d.WhyNot = "a virtual device on a real bus: virtual devices are reached under a training agreement only"
			return []Device{d}
		}
	}
	config, err := usb.ParseConfig(i.Config)
	if err != nil {
		d.WhyNot = fmt.Sprintf("its descriptors cannot be followed (%v): change the cable or the device", err)
		return []Device{d}
	}
	switch {
	case hasClass(config, uvc.ClassVideo):
		found := cameras(d)
		for i := range found {
			if found[i].kept() && found[i].Info.Driver != "" {
				found[i].Info.Driver = "v4l2"
			}
		}
		return found
	case escl.Match(i):
		d.Info.Kind, d.Info.Driver = devices.KindDocumentScanner, "escl"
	case i.Class == 0x09:
		d.WhyNot = "a hub"
	default:
		d.WhyNot = "no driver for its classes " + classes(config)
	}
	return []Device{d}
}

// cameras sorts a video device: an iris camera is one only if the quirks table
// says so; any other video function with a colour stream is a face camera.
func cameras(d Device) []Device {
	if d.quirk != nil && d.quirk.Kind == devices.KindIrisCamera {
		d.Info.Kind, d.Info.Driver = devices.KindIrisCamera, "uvc"
		if d.quirk.UVC.Face == 0 {
			return []Device{d}
		}
		f := d
		f.Info.Kind, f.face = devices.KindFaceCamera, d.quirk.UVC.Face
		return []Device{d, f}
	}
	const neither = "a video camera, but not one of the iris cameras in the quirks table, and no face camera: %v"
	all, err := uvc.ParseFunctions(d.usb.Config)
	if err != nil {
		d.WhyNot = fmt.Sprintf(neither, err)
		return []Device{d}
	}
	var out []Device
	for _, fn := range all {
		c := d
		face, err := fn.Face()
		if err != nil {
			c.WhyNot = fmt.Sprintf(neither, err)
		} else {
			c.Info.Kind, c.Info.Driver = devices.KindFaceCamera, "uvc"
		}
		if len(all) > 1 {
			c.face, c.fn = face, fn.ControlNum
		}
		out = append(out, c)
	}
	return out
}

func hasClass(c usb.Config, class uint8) bool {
	for _, s := range c.Interfaces {
		if s.Class == class {
			return true
		}
	}
	return false
}

// classes lists interface classes as class/subclass/protocol.
func classes(c usb.Config) string {
	var names []string
	seen := map[string]bool{}
	for _, s := range c.Interfaces {
		n := fmt.Sprintf("%d/%d/%d", s.Class, s.SubClass, s.Protocol)
		if !seen[n] && len(names) < 8 {
			seen[n] = true
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}
