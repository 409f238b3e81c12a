package uvc

import (
	"encoding/binary"
	"fmt"
	"time"

	"tambo/devices/usb"
)

// Streaming is one streaming interface.
type Streaming struct {
	Number int
	// Endpoint is the bulk IN endpoint of alternate setting 0, 0 where it has
	// none: then the interface is isochronous, and Alternates has its bandwidths.
	Endpoint   uint8
	Packet     int // wMaxPacketSize of it
	Alternates []Alternate
	Terminal   uint8 // bTerminalLink: the output terminal that it shows
	// StillMethod is bStillCaptureMethod: 0 none, 1 a frame of the stream, 2 a
	// still in the stream, 3 a still on an endpoint of its own.
	StillMethod uint8
	// StillEndpoint is the bulk IN endpoint of stills, for method 3; StillPacket is
	// its wMaxPacketSize, and StillAlts the settings that have it.
	StillEndpoint uint8
	StillPacket   int
	StillAlts     []int
	Formats       []Format
}

// Alternate is an alternate setting with an isochronous IN endpoint.
type Alternate struct {
	Alt      int
	Endpoint uint8
	Packet   int   // bytes that one service interval can carry
	Interval uint8 // bInterval: 2^(n-1) microframes, or frames at full speed
}

// FormatKind is how a format carries pixels.
type FormatKind uint8

// Format kinds.
const (
	FormatUncompressed FormatKind = iota + 1
	FormatMJPEG
	FormatFrameBased // by GUID, of variable size where Variable is set
)

// Format is a video format and its frames. Stream-based formats, DV and the
// like are left out.
type Format struct {
	Kind     FormatKind
	Index    uint8
	GUID     [16]byte // not for MJPEG
	Bits     int      // a pixel; not for MJPEG
	Variable bool     // FormatFrameBased: the size of a frame changes
	Default  uint8    // bDefaultFrameIndex
	Frames   []Frame
	Still    []StillSize // for still methods 2 and 3
}

// Frame is one size of a format.
type Frame struct {
	Index         uint8
	Width, Height int
	Bytes         int             // dwMaxVideoFrameBufferSize, 0 where not said
	Default       time.Duration   // dwDefaultFrameInterval
	Intervals     []time.Duration // discrete; empty where continuous
	// Shortest, Longest and Step are a continuous range.
	Shortest, Longest, Step time.Duration
}

// StillSize is a size that stills come in (UVC table 3-23).
type StillSize struct {
	Width, Height int
}

// Descriptor subtypes of a streaming interface (UVC A.6).
const (
	vsInputHeader   = 0x01
	vsStillFrame    = 0x03
	vsUncompressed  = 0x04
	vsFrameUncompr  = 0x05
	vsMJPEG         = 0x06
	vsFrameMJPEG    = 0x07
	vsFrameBased    = 0x10
	vsFrameOfFrames = 0x11
	maxStreams      = 16
	maxAlternates   = 32
	maxFormats      = 32
	maxFrames       = 128
	maxIntervals    = 64
	maxPixels       = 4096 * 4096
)

// addSetting takes one setting of a streaming interface; alternate setting 0,
// which has the class-specific descriptors, comes first.
func (f *Function) addSetting(s *usb.Setting) error {
	var v *Streaming
	for i := range f.Streams {
		if f.Streams[i].Number == s.Number {
			v = &f.Streams[i]
		}
	}
	if v == nil {
		if s.Alt != 0 || len(f.Streams) >= maxStreams {
			return nil
		}
		f.Streams = append(f.Streams, Streaming{Number: s.Number})
		v = &f.Streams[len(f.Streams)-1]
		err := usb.Walk(s.Extra, v.add) // first: it says which endpoint is of stills
		v.endpoints(s)
		return err
	}
	v.endpoints(s)
	return nil
}

func (v *Streaming) endpoints(s *usb.Setting) {
	for _, e := range s.Endpoints {
		switch {
		case !e.In() || e.MaxPacket == 0:
		case v.StillEndpoint != 0 && e.Address == v.StillEndpoint:
			if e.Transfer == usb.TransferBulk && len(v.StillAlts) < maxAlternates {
				v.StillPacket, v.StillAlts = e.MaxPacket, append(v.StillAlts, s.Alt)
			}
		case e.Transfer == usb.TransferBulk && s.Alt == 0 && v.Endpoint == 0:
			v.Endpoint, v.Packet = e.Address, e.MaxPacket
		case e.Transfer == usb.TransferIsochronous && len(v.Alternates) < maxAlternates:
			v.Alternates = append(v.Alternates, Alternate{Alt: s.Alt, Endpoint: e.Address, Packet: e.PerInterval, Interval: e.Interval})
		}
	}
}

func (v *Streaming) add(d []byte) error {
	if d[1] != usb.DescCSInterface || len(d) < 3 {
		return nil
	}
	switch d[2] {
	case vsInputHeader:
		if len(d) < 13 {
			return short("input header", d)
		}
		v.Terminal, v.StillMethod = d[8], d[9]
	case vsUncompressed, vsMJPEG, vsFrameBased:
		fo, err := parseFormat(d)
		if err != nil {
			return err
		}
		if len(v.Formats) < maxFormats {
			v.Formats = append(v.Formats, fo)
		}
	case vsFrameUncompr, vsFrameMJPEG, vsFrameOfFrames:
		fr, err := parseFrame(d)
		if err != nil {
			return err
		}
		if f := v.last(frameKinds[d[2]]); f != nil && len(f.Frames) < maxFrames {
			f.Frames = append(f.Frames, fr)
		}
	case vsStillFrame:
		return v.addStill(d)
	}
	return nil
}

var frameKinds = map[uint8]FormatKind{
	vsFrameUncompr: FormatUncompressed, vsFrameMJPEG: FormatMJPEG, vsFrameOfFrames: FormatFrameBased,
}

// last is the format that a frame descriptor belongs to: the one before it, if
// that is of its kind. Frames of formats that we leave out have none.
func (v *Streaming) last(k FormatKind) *Format {
	if n := len(v.Formats); n > 0 && v.Formats[n-1].Kind == k {
		return &v.Formats[n-1]
	}
	return nil
}

// parseFormat reads a format descriptor (payload documents "Uncompressed" table
// 3-1, "MJPEG" table 3-1, "Frame Based" table 3-1).
func parseFormat(d []byte) (Format, error) {
	need := map[uint8]int{vsUncompressed: 27, vsMJPEG: 11, vsFrameBased: 28}[d[2]]
	if len(d) < need {
		return Format{}, short("format", d)
	}
	if d[2] == vsMJPEG {
		return Format{Kind: FormatMJPEG, Index: d[3], Default: d[6]}, nil
	}
	f := Format{Kind: FormatUncompressed, Index: d[3], GUID: [16]byte(d[5:21]), Bits: int(d[21]), Default: d[22]}
	if d[2] == vsFrameBased {
		f.Kind, f.Variable = FormatFrameBased, d[27] != 0
	}
	return f, nil
}

// parseFrame reads a frame descriptor (tables 3-2 of the same documents). A
// frame-based one has no buffer size, and its fields stand elsewhere.
func parseFrame(d []byte) (Frame, error) {
	if len(d) < 26 {
		return Frame{}, short("frame", d)
	}
	le := binary.LittleEndian
	fr := Frame{Index: d[3], Width: int(le.Uint16(d[5:])), Height: int(le.Uint16(d[7:]))}
	at := 17
	if d[2] != vsFrameOfFrames {
		at = 21
		fr.Bytes = int(min(le.Uint32(d[17:]), 1<<30))
	}
	count := int(d[25])
	if d[2] == vsFrameOfFrames {
		count = int(d[21])
	}
	fr.Default = interval(le.Uint32(d[at:]))
	if fr.Width == 0 || fr.Height == 0 || fr.Width*fr.Height > maxPixels {
		return fr, fmt.Errorf("%w: frame of %d×%d", usb.ErrDescriptor, fr.Width, fr.Height)
	}
	if count == 0 {
		if len(d) < 38 {
			return fr, short("frame", d)
		}
		fr.Shortest, fr.Longest, fr.Step = interval(le.Uint32(d[26:])), interval(le.Uint32(d[30:])), interval(le.Uint32(d[34:]))
		return fr, nil
	}
	for i := range min(count, maxIntervals) {
		if len(d) < 30+4*i {
			return fr, short("frame", d)
		}
		fr.Intervals = append(fr.Intervals, interval(le.Uint32(d[26+4*i:])))
	}
	return fr, nil
}

// addStill reads a still image frame descriptor (UVC table 3-23): it belongs to
// the format before it.
func (v *Streaming) addStill(d []byte) error {
	if len(d) < 5 || len(d) < 5+4*int(d[4]) {
		return short("still image", d)
	}
	if len(v.Formats) == 0 {
		return nil
	}
	if v.StillMethod == stillOnPipe && v.StillEndpoint == 0 {
		v.StillEndpoint = d[3]
	}
	f := &v.Formats[len(v.Formats)-1]
	for i := range min(int(d[4]), maxFrames-len(f.Still)) {
		w, h := binary.LittleEndian.Uint16(d[5+4*i:]), binary.LittleEndian.Uint16(d[7+4*i:])
		f.Still = append(f.Still, StillSize{int(w), int(h)})
	}
	return nil
}

// interval converts 100 ns units.
func interval(v uint32) time.Duration { return time.Duration(v) * 100 * time.Nanosecond }

// units of 100 ns of an interval.
func units(d time.Duration) uint32 { return uint32(d / (100 * time.Nanosecond)) }

// Media subtypes: one byte a pixel and nothing else (Y800, Y8, GREY, D3DFMT_L8),
// and the colour formats that are taken without a detour.
var (
	greyGUIDs = [][16]byte{
		fourCC("Y800"), fourCC("Y8  "), fourCC("GREY"),
		{0x32, 0, 0, 0, 0x02, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71},
	}
	yuy2GUID = fourCC("YUY2")
	nv12GUID = fourCC("NV12")
)

// fourCC puts four characters on the media subtype base.
func fourCC(s string) [16]byte {
	g := [16]byte{4: 0, 6: 0x10, 8: 0x80, 11: 0xaa, 13: 0x38, 14: 0x9b, 15: 0x71}
	copy(g[:4], s)
	return g
}

// String names the format: its FourCC, or what kind it is.
func (f Format) String() string {
	if f.Kind == FormatMJPEG {
		return "MJPEG"
	}
	name := usb.CleanName(string(f.GUID[:4]))
	if f.GUID != fourCC(string(f.GUID[:4])) || len(name) < 2 {
		return fmt.Sprintf("%x", f.GUID)
	}
	return name
}

// coding is what the driver makes of a format.
type coding uint8

const (
	codingNone coding = iota
	codingGrey
	codingYUY2
	codingNV12
	codingMJPEG
)

func (f Format) coding() coding {
	switch {
	case f.Kind == FormatMJPEG:
		return codingMJPEG
	case f.Variable:
		return codingNone
	case f.GUID == yuy2GUID && f.Bits == 16:
		return codingYUY2
	case f.GUID == nv12GUID && f.Bits == 12:
		return codingNV12
	}
	for _, g := range greyGUIDs {
		if f.GUID == g && f.Bits == 8 {
			return codingGrey
		}
	}
	return codingNone
}

// Grey reports whether the format is 8-bit grey.
func (f Format) Grey() bool { return f.coding() == codingGrey }

// Colour reports whether the driver takes the format for a face camera.
func (f Format) Colour() bool {
	c := f.coding()
	return c == codingYUY2 || c == codingNV12 || c == codingMJPEG
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
