package uvc

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"tambo/devices"
	"tambo/devices/usb"
)

// Further requests (UVC A.8).
const (
	getMin  = 0x82
	getMax  = 0x83
	getRes  = 0x84
	getInfo = 0x86
	getDef  = 0x87
)

// Bits of GET_INFO (UVC table 4-3).
const (
	infoGet      = 1 << 0
	infoSet      = 1 << 1
	infoDisabled = 1 << 2 // by an automatic mode
)

// controlDef is a control of a processing unit or camera terminal (UVC A.9.4,
// A.9.5, 4.2.2.1, 4.2.2.3).
type controlDef struct {
	name     string
	kind     EntityKind
	bit      int // in bmControls
	selector uint8
	size     int
	signed   bool
	toggle   bool // on or off; it has no minimum or maximum
	modes    bool // a bit map, one bit at a time; GET_RES says which
}

// controlDefs are the controls that a picture is tuned with.
var controlDefs = []controlDef{
	{name: "brightness", kind: ProcessingUnit, bit: 0, selector: 0x02, size: 2, signed: true},
	{name: "contrast", kind: ProcessingUnit, bit: 1, selector: 0x03, size: 2},
	{name: "hue", kind: ProcessingUnit, bit: 2, selector: 0x06, size: 2, signed: true},
	{name: "saturation", kind: ProcessingUnit, bit: 3, selector: 0x07, size: 2},
	{name: "sharpness", kind: ProcessingUnit, bit: 4, selector: 0x08, size: 2},
	{name: "gamma", kind: ProcessingUnit, bit: 5, selector: 0x09, size: 2},
	{name: "white balance", kind: ProcessingUnit, bit: 6, selector: 0x0a, size: 2},
	{name: "backlight compensation", kind: ProcessingUnit, bit: 8, selector: 0x01, size: 2},
	{name: "gain", kind: ProcessingUnit, bit: 9, selector: 0x04, size: 2},
	{name: "power line frequency", kind: ProcessingUnit, bit: 10, selector: 0x05, size: 1},
	{name: "white balance automatic", kind: ProcessingUnit, bit: 12, selector: 0x0b, size: 1, toggle: true},
	{name: "exposure mode", kind: InputTerminal, bit: 1, selector: 0x02, size: 1, modes: true},
	{name: "exposure priority", kind: InputTerminal, bit: 2, selector: 0x03, size: 1, toggle: true},
	{name: "exposure", kind: InputTerminal, bit: 3, selector: 0x04, size: 4}, // 100 µs
	{name: "focus", kind: InputTerminal, bit: 5, selector: 0x06, size: 2},    // mm
	{name: "aperture", kind: InputTerminal, bit: 7, selector: 0x09, size: 2},
	{name: "zoom", kind: InputTerminal, bit: 9, selector: 0x0b, size: 2},
	{name: "focus automatic", kind: InputTerminal, bit: 17, selector: 0x08, size: 1, toggle: true},
}

// knob is a control of one stream's chain.
type knob struct {
	controlDef
	entity uint8
	iface  int // control interface of its function
}

// knobs lists what a stream's chain of entities says that it has.
func (f *Function) knobs(s Streaming) []knob {
	var out []knob
	for _, e := range f.chain(s.Terminal) {
		for _, d := range controlDefs {
			if e.Kind == d.kind && e.Has(d.bit) {
				out = append(out, knob{d, e.ID, f.ControlNum})
			}
		}
	}
	return out
}

// get makes one request and decodes the value.
func (s *shared) get(ctx context.Context, k knob, request uint8) (int64, error) {
	b := make([]byte, k.size)
	n, err := s.dev.Control(ctx, setup(typeGet, request, k.selector, k.entity, k.iface), b)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", k.name, err)
	}
	if n != k.size {
		return 0, fmt.Errorf("%s: answer of %d bytes for %d: %w", k.name, n, k.size, usb.ErrIO)
	}
	return k.decode(b), nil
}

func (d controlDef) decode(b []byte) int64 {
	var wide [8]byte
	copy(wide[:], b)
	v := int64(binary.LittleEndian.Uint64(wide[:]))
	if shift := 64 - 8*d.size; d.signed {
		v = v << shift >> shift
	}
	return v
}

// control asks a camera about one of its controls. One that it lists and then
// does not answer for is errUnsupported: there are cameras that do so.
func (s *shared) control(ctx context.Context, k knob) (devices.Control, error) {
	c := devices.Control{Name: k.name, Step: 1}
	var b [1]byte
	n, err := s.dev.Control(ctx, setup(typeGet, getInfo, k.selector, k.entity, k.iface), b[:])
	switch {
	case errors.Is(err, usb.ErrStall), err == nil && (n != 1 || b[0]&infoGet == 0):
		return c, fmt.Errorf("%w: %s", errUnsupported, k.name)
	case err != nil:
		return c, fmt.Errorf("%s: %w", k.name, err)
	}
	c.Settable, c.Automatic = b[0]&infoSet != 0, b[0]&infoDisabled != 0
	asks := []struct {
		request uint8
		to      *int64
	}{{getCur, &c.Value}, {getDef, &c.Default}, {getMin, &c.Min}, {getMax, &c.Max}, {getRes, &c.Step}}
	switch {
	case k.toggle:
		asks, c.Max = asks[:2], 1
	case k.modes:
		asks = append(asks[:2], asks[4])
	}
	for _, a := range asks {
		if *a.to, err = s.get(ctx, k, a.request); errors.Is(err, usb.ErrStall) {
			return c, fmt.Errorf("%w: %w", errUnsupported, err)
		} else if err != nil {
			return c, err
		}
	}
	if k.modes {
		c.Modes, c.Min, c.Max, c.Step = uint32(c.Step), 1, 8, 1
	}
	if c.Min > c.Max || c.Step < 0 {
		return c, fmt.Errorf("%s: from %d to %d in steps of %d: %w", k.name, c.Min, c.Max, c.Step, usb.ErrIO)
	}
	c.Step = max(c.Step, 1)
	return c, nil
}

// controls asks about all of a stream's controls.
func (s *shared) listControls(ctx context.Context, v *video) ([]devices.Control, error) {
	var out []devices.Control
	for _, k := range v.fn.knobs(v.info) {
		c, err := s.control(ctx, k)
		switch {
		case errors.Is(err, errUnsupported):
		case err != nil:
			return out, err
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

// setControl sets one, within what the camera says of it.
func (s *shared) setControl(ctx context.Context, v *video, name string, value int64) error {
	for _, k := range v.fn.knobs(v.info) {
		if k.name != name {
			continue
		}
		c, err := s.control(ctx, k)
		if err != nil {
			return err
		}
		if err := allowed(c, value); err != nil {
			return err
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(value))
		_, err = s.dev.Control(ctx, setup(typeSet, setCur, k.selector, k.entity, k.iface), b[:k.size])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		return nil
	}
	return fmt.Errorf("%w: the camera has no control %q", errUnsupported, name)
}

// allowed checks a value against what the camera says of a control.
func allowed(c devices.Control, value int64) error {
	switch {
	case !c.Settable:
		return fmt.Errorf("%w: %s can only be read", errUnsupported, c.Name)
	case c.Automatic:
		return fmt.Errorf("%w: %s is the camera's while its automatic mode is on", errUnsupported, c.Name)
	case value < c.Min || value > c.Max || (value-c.Min)%c.Step != 0:
		return fmt.Errorf("%w: %s %d is not within %d to %d in steps of %d", errUnsupported, c.Name, value, c.Min, c.Max, c.Step)
	case c.Modes != 0 && (uint32(value)&c.Modes == 0 || value&(value-1) != 0):
		return fmt.Errorf("%w: %s has no mode %d", errUnsupported, c.Name, value)
	}
	return nil
}

var (
	_ devices.Adjustable = (*IrisCamera)(nil)
	_ devices.Adjustable = (*FaceCamera)(nil)
)

// Controls implements [devices.Adjustable]: of the first video's stream.
func (c *camera[S]) Controls(ctx context.Context) ([]devices.Control, error) {
	out, err := c.dev.listControls(ctx, c.videos[0])
	return out, fail(c.name, "read controls", err)
}

// SetControl implements [devices.Adjustable], for every video that has the control.
func (c *camera[S]) SetControl(ctx context.Context, name string, value int64) error {
	var first error
	set := false
	for _, v := range c.videos {
		err := c.dev.setControl(ctx, v, name, value)
		set = set || err == nil
		if first == nil || errors.Is(first, errUnsupported) {
			first = err
		}
	}
	if set && errors.Is(first, errUnsupported) {
		return nil
	}
	return fail(c.name, "set "+name, first)
}
