package uvc

import (
	"encoding/binary"
	"fmt"
	"time"

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

// Streaming is one streaming interface.
type Streaming struct {
	Number   int
	Endpoint uint8 // bulk IN; 0 where it has none in alternate setting 0
	Packet   int   // wMaxPacketSize of it
	Formats  []Format
}

// Format is an uncompressed format and its frames; others are left out.
type Format struct {
	Index  uint8
	GUID   [16]byte
	Bits   int // a pixel
	Frames []Frame
}

// Frame is one size of a format.
type Frame struct {
	Index         uint8
	Width, Height int
	Default       time.Duration   // dwDefaultFrameInterval
	Intervals     []time.Duration // empty where continuous
}

// Descriptor subtypes (UVC A.5, A.6).
const (
	vcHeader       = 0x01
	vcExtension    = 0x06
	vsInputHeader  = 0x01
	vsUncompressed = 0x04
	vsFrameUncompr = 0x05
	maxUnits       = 64
	maxStreams     = 16
	maxFormats     = 32
	maxFrames      = 128
	maxIntervals   = 64
	maxPixels      = 4096 * 4096
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
		case s.SubClass == SubclassStreaming && s.Alt == 0 && found && len(f.Streams) < maxStreams:
			var v Streaming
			v, err = parseStreaming(s)
			f.Streams = append(f.Streams, v)
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

func parseStreaming(s *usb.Setting) (Streaming, error) {
	v := Streaming{Number: s.Number}
	for _, e := range s.Endpoints {
		if e.In() && e.Transfer == usb.TransferBulk && e.MaxPacket > 0 {
			v.Endpoint, v.Packet = e.Address, e.MaxPacket
			break
		}
	}
	return v, usb.Walk(s.Extra, v.add)
}

func (v *Streaming) add(d []byte) error {
	if d[1] != usb.DescCSInterface || len(d) < 3 {
		return nil
	}
	switch d[2] {
	case vsUncompressed:
		if len(d) < 27 {
			return short("format", d)
		}
		if len(v.Formats) < maxFormats {
			v.Formats = append(v.Formats, Format{Index: d[3], GUID: [16]byte(d[5:21]), Bits: int(d[21])})
		}
	case vsFrameUncompr:
		fr, err := parseFrame(d)
		if err != nil {
			return err
		}
		if n := len(v.Formats); n > 0 && len(v.Formats[n-1].Frames) < maxFrames {
			v.Formats[n-1].Frames = append(v.Formats[n-1].Frames, fr)
		}
	}
	return nil
}

// parseFrame reads an uncompressed frame descriptor (UVC payload document
// "Uncompressed", table 3-2).
func parseFrame(d []byte) (Frame, error) {
	if len(d) < 26 {
		return Frame{}, short("frame", d)
	}
	le := binary.LittleEndian
	fr := Frame{Index: d[3], Width: int(le.Uint16(d[5:])), Height: int(le.Uint16(d[7:])), Default: interval(le.Uint32(d[21:]))}
	if fr.Width == 0 || fr.Height == 0 || fr.Width*fr.Height > maxPixels {
		return fr, fmt.Errorf("%w: frame of %d×%d", usb.ErrDescriptor, fr.Width, fr.Height)
	}
	for i := range min(int(d[25]), maxIntervals) {
		if len(d) < 30+4*i {
			return fr, short("frame", d)
		}
		fr.Intervals = append(fr.Intervals, interval(le.Uint32(d[26+4*i:])))
	}
	return fr, nil
}

// interval converts 100 ns units.
func interval(v uint32) time.Duration { return time.Duration(v) * 100 * time.Nanosecond }

// greyGUIDs are the formats with one byte a pixel and nothing else: Y800, Y8,
// GREY, and D3DFMT_L8.
var greyGUIDs = [][16]byte{
	fourCC("Y800"), fourCC("Y8  "), fourCC("GREY"),
	{0x32, 0, 0, 0, 0x02, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71},
}

// fourCC puts four characters on the media subtype base.
func fourCC(s string) [16]byte {
	g := [16]byte{4: 0, 6: 0x10, 8: 0x80, 11: 0xaa, 13: 0x38, 14: 0x9b, 15: 0x71}
	copy(g[:4], s)
	return g
}

// Grey reports whether the format is 8-bit grey.
func (f Format) Grey() bool {
	for _, g := range greyGUIDs {
		if f.GUID == g {
			return f.Bits == 8
		}
	}
	return false
}

// Stream returns the streaming interface of a number.
func (f *Function) Stream(number int) (Streaming, bool) {
	for _, s := range f.Streams {
		if s.Number == number {
			return s, true
		}
	}
	return Streaming{}, false
}
