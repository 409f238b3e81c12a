package virtual

import (
	"encoding/binary"
	"time"

	"tambo/devices/usb"
)

// bulkPacket is the packet size of a high-speed bulk endpoint.
const bulkPacket = 512

// mediaGUID puts a FourCC on the media subtype base.
func mediaGUID(s string) [16]byte {
	g := [16]byte{6: 0x10, 8: 0x80, 11: 0xaa, 13: 0x38, 14: 0x9b, 15: 0x71}
	copy(g[:4], s)
	return g
}

// uncompressed says how a coding is described; MJPEG has descriptors of its own.
var uncompressed = map[coding]struct {
	guid [16]byte
	bits uint8
}{
	codeGrey: {mediaGUID("Y800"), 8},
	codeYUY2: {mediaGUID("YUY2"), 16},
	codeNV12: {mediaGUID("NV12"), 12},
}

// descriptors builds the configuration: for each function an association of a
// control interface and a streaming interface for each stream (UVC 1.1, chapter 3).
func (c *camera) descriptors() []byte {
	b := ConfigHeader(1)
	for i, f := range c.functions {
		b = append(b, 8, usb.DescAssociation, uint8(f.number), uint8(1+len(f.streams)), 0x0e, 0x03, 0, uint8(FirstName+i))
		b = AppendInterface(b, f.number, 0, 0x0e, 0x01, 0, 0, uint8(FirstName+i))
		b = append(b, f.controlDescriptors()...)
		b = f.appendStreams(b)
	}
	return b
}

func (f *videoFunction) appendStreams(b []byte) []byte {
	for _, s := range f.streams {
		stills := 0
		if s.stillPipe {
			stills = 1
		}
		pipe := func() {
			if s.stillPipe {
				b = AppendEndpoint(b, s.stillEP(), usb.TransferBulk, bulkPacket, 0)
			}
		}
		if !s.isochronous {
			b = AppendInterface(b, s.number, 0, 0x0e, 0x02, 0, 1+stills, 0)
			b = append(b, s.descriptors()...)
			pipe() // the host must not take it for the stream's, which comes behind it
			b = AppendEndpoint(b, s.ep, usb.TransferBulk, bulkPacket, 0)
			continue
		}
		b = AppendInterface(b, s.number, 0, 0x0e, 0x02, 0, stills, 0)
		b = append(b, s.descriptors()...)
		pipe()
		for i, set := range isoSettings {
			b = AppendInterface(b, s.number, i+1, 0x0e, 0x02, 0, 1+stills, 0)
			b = AppendEndpoint(b, s.ep, usb.TransferIsochronous|0x04, set.code, 1) // asynchronous
			pipe()
		}
	}
	return b
}

func (f *videoFunction) controlDescriptors() []byte {
	head := []byte{0, usb.DescCSInterface, 0x01, 0x10, 0x01, 0, 0}
	head = binary.LittleEndian.AppendUint32(head, clockHz)
	head = append(head, uint8(len(f.streams)))
	for _, s := range f.streams {
		head = append(head, uint8(s.number))
	}
	head[0] = uint8(len(head))

	var units []byte
	cameraTerminal := func(id uint8, controls ...byte) {
		units = append(units, 18, usb.DescCSInterface, 0x02, id, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3)
		units = append(units, controls...)
	}
	output := func(id, source uint8) {
		units = append(units, 9, usb.DescCSInterface, 0x03, id, 0x01, 0x01, 0, source, 0)
	}
	cameraTerminal(idCamera, 1<<1|1<<3|1<<5, 0, 1<<1)                                                       // exposure mode and time, focus by hand and automatic
	units = append(units, 12, usb.DescCSInterface, 0x05, idProcessing, idCamera, 0, 0, 2, 1<<0, 1<<1, 0, 0) // brightness, gain
	source := uint8(idProcessing)
	if f.light {
		units = append(units, 26, usb.DescCSInterface, 0x06, idExtension)
		units = append(units, IlluminationGUID[:]...)
		units = append(units, 1, 1, idProcessing, 1, 0x01, 0)
		source = idExtension
	}
	output(idOutput, source)
	for i, id := range []uint8{idCamera2, idCamera3} {
		if len(f.streams) > 1+i {
			cameraTerminal(id, 0, 0, 0)
			output(idOutput+1+uint8(i), id)
		}
	}
	b := append(head, units...)
	binary.LittleEndian.PutUint16(b[5:], uint16(len(b)))
	return b
}

func (s *videoStream) descriptors() []byte {
	n := uint8(len(s.formats))
	b := []byte{13 + n, usb.DescCSInterface, 0x01, n, 0, 0, s.ep, 0, uint8(idOutput + s.index), 0, 0, 0, 1}
	if s.still.X > 0 {
		b[9], b[10] = 2, 1 // stills in the stream, by a trigger of the host's
	}
	stillEP := uint8(0)
	if s.stillPipe {
		b[9], stillEP = 3, s.stillEP()
	}
	b = append(b, make([]byte, n)...) // no controls a format
	for i, f := range s.formats {
		index, sizes := uint8(i+1), uint8(len(f.sizes))
		frame := uint8(0x07)
		if u, ok := uncompressed[f.coding]; ok {
			frame = 0x05
			b = append(b, 27, usb.DescCSInterface, 0x04, index, sizes)
			b = append(b, u.guid[:]...)
			b = append(b, u.bits, 1, 0, 0, 0, 0)
		} else {
			b = append(b, 11, usb.DescCSInterface, 0x06, index, sizes, 0, 1, 0, 0, 0, 0)
		}
		for k := range f.sizes {
			b = append(b, s.frameDescriptor(frame, f, k)...)
		}
		if s.still.X > 0 {
			b = append(b, 10, usb.DescCSInterface, 0x03, stillEP, 1, byte(s.still.X), byte(s.still.X>>8), byte(s.still.Y), byte(s.still.Y>>8), 0)
		}
		b = append(b, 6, usb.DescCSInterface, 0x0d, 1, 1, 4) // colour matching
	}
	binary.LittleEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

// frameDescriptor describes size k of a format.
func (s *videoStream) frameDescriptor(subtype uint8, f videoFormat, k int) []byte {
	le, m := binary.LittleEndian, videoMode{f.coding, f.sizes[k]}
	rate := func(d time.Duration) uint32 { return uint32(uint64(m.bytes()*8) * uint64(time.Second) / uint64(d)) }
	n := len(s.interval)
	b := []byte{uint8(26 + 4*n), usb.DescCSInterface, subtype, uint8(k + 1), 0}
	b = le.AppendUint16(b, uint16(m.size.X))
	b = le.AppendUint16(b, uint16(m.size.Y))
	b = le.AppendUint32(b, rate(s.interval[n-1]))
	b = le.AppendUint32(b, rate(s.interval[0]))
	b = le.AppendUint32(b, uint32(m.bytes()))
	b = le.AppendUint32(b, uint32(s.interval[0]/100))
	b = append(b, uint8(n))
	for _, d := range s.interval {
		b = le.AppendUint32(b, uint32(d/100))
	}
	return b
}
