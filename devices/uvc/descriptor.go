package uvc

import (
	"encoding/binary"
	"fmt"

	"tambo/devices/usb"
)

// Function is the video function of a device as its descriptors describe it.
type Function struct {
	Version    uint16 // bcdUVC: 0x0100, 0x0110, 0x0150
	ControlNum int    // interface number of the control interface
	ClockHz    uint32 // of the payload time stamps, 0 where not said
	Units      []Unit
	Streams    []Streaming
}

// Unit is an extension unit.
type Unit struct {
	ID       uint8
	GUID     [16]byte
	Controls []byte // bmControls
}

// Descriptor subtypes of a control interface (UVC A.5).
const (
	vcHeader    = 0x01
	vcExtension = 0x06
	maxUnits    = 64
)

// ParseFunction reads the video function of a configuration descriptor. A
// device without one is usb.ErrNotFound; descriptors that contradict themselves
// are usb.ErrDescriptor. Units and streams beyond a sane number are dropped.
func ParseFunction(config []byte) (Function, error) {
	var f Function
	c, err := usb.ParseConfig(config)
	if err != nil {
		return f, err
	}
	found := false
	for i := range c.Interfaces {
		s := &c.Interfaces[i]
		switch {
		case s.Class != ClassVideo:
		case s.SubClass == SubclassControl && !found:
			found = true
			f.ControlNum = s.Number
			err = usb.Walk(s.Extra, f.addControl)
		case s.SubClass == SubclassStreaming && found:
			err = f.addSetting(s)
		}
		if err != nil {
			return f, err
		}
	}
	if !found {
		return f, fmt.Errorf("video control interface: %w", usb.ErrNotFound)
	}
	return f, nil
}

// short reports a descriptor that ends too early.
func short(what string, d []byte) error {
	return fmt.Errorf("%w: %s of %d bytes", usb.ErrDescriptor, what, len(d))
}

func (f *Function) addControl(d []byte) error {
	if d[1] != usb.DescCSInterface || len(d) < 3 {
		return nil
	}
	switch d[2] {
	case vcHeader:
		if len(d) < 12 {
			return short("control header", d)
		}
		f.Version = binary.LittleEndian.Uint16(d[3:])
		f.ClockHz = binary.LittleEndian.Uint32(d[7:])
	case vcExtension:
		if len(d) < 24 {
			return short("extension unit", d)
		}
		pins := int(d[21])
		if len(d) < 24+pins {
			return short("extension unit", d)
		}
		size := int(d[22+pins])
		if len(d) < 24+pins+size {
			return short("extension unit", d)
		}
		if len(f.Units) < maxUnits {
			f.Units = append(f.Units, Unit{ID: d[3], GUID: [16]byte(d[4:20]), Controls: d[23+pins : 23+pins+size]})
		}
	}
	return nil
}
