package virtual

import (
	"encoding/binary"
	"time"

	"tambo/devices/usb"
)

// bulkPacket is the packet size of a high-speed bulk endpoint.
const bulkPacket = 512

// guidY800 is 8-bit grey (the FourCC on the media subtype base).
var guidY800 = [16]byte{'Y', '8', '0', '0', 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71}

// descriptors builds the configuration: one association of a control interface
// and a streaming interface for each stream (UVC 1.1, chapter 3).
func (c *camera) descriptors() []byte {
	b := ConfigHeader(1)
	b = append(b, 8, usb.DescAssociation, 0, uint8(1+len(c.streams)), 0x0e, 0x03, 0, FirstName)
	b = AppendInterface(b, 0, 0, 0x0e, 0x01, 0, 0, FirstName)
	b = append(b, c.controlDescriptors()...)
	for _, s := range c.streams {
		b = AppendInterface(b, s.number, 0, 0x0e, 0x02, 0, 1, 0)
		b = append(b, s.descriptors()...)
		b = AppendEndpoint(b, s.ep, usb.TransferBulk, bulkPacket, 0)
	}
	return b
}

func (c *camera) controlDescriptors() []byte {
	head := []byte{0, usb.DescCSInterface, 0x01, 0x10, 0x01, 0, 0}
	head = binary.LittleEndian.AppendUint32(head, clockHz)
	head = append(head, uint8(len(c.streams)))
	for _, s := range c.streams {
		head = append(head, uint8(s.number))
	}
	head[0] = uint8(len(head))

	var units []byte
	cameraTerminal := func(id uint8) {
		units = append(units, 18, usb.DescCSInterface, 0x02, id, 0x01, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0)
	}
	output := func(id, source uint8) {
		units = append(units, 9, usb.DescCSInterface, 0x03, id, 0x01, 0x01, 0, source, 0)
	}
	cameraTerminal(idCamera)
	units = append(units, 12, usb.DescCSInterface, 0x05, idProcessing, idCamera, 0, 0, 2, 0x01, 0, 0, 0)
	units = append(units, 26, usb.DescCSInterface, 0x06, idExtension)
	units = append(units, IlluminationGUID[:]...)
	units = append(units, 1, 1, idProcessing, 1, 0x01, 0)
	output(idOutput, idExtension)
	if len(c.streams) > 1 {
		cameraTerminal(idCamera2)
		output(idOutput2, idCamera2)
	}
	b := append(head, units...)
	binary.LittleEndian.PutUint16(b[5:], uint16(len(b)))
	return b
}

func (s *videoStream) descriptors() []byte {
	w, h := s.c.frameSize()
	terminal := uint8(idOutput + s.index)
	head := []byte{14, usb.DescCSInterface, 0x01, 1, 0, 0, s.ep, 0, terminal, 0, 0, 0, 1, 0}
	format := []byte{27, usb.DescCSInterface, 0x04, 1, 1}
	format = append(format, guidY800[:]...)
	format = append(format, 8, 1, 0, 0, 0, 0)

	interval := uint32(s.c.opt.Interval / 100)
	rate := uint32(uint64(w*h*8) * uint64(time.Second) / uint64(s.c.opt.Interval))
	frame := []byte{30, usb.DescCSInterface, 0x05, 1, 0}
	le := binary.LittleEndian
	frame = le.AppendUint16(frame, uint16(w))
	frame = le.AppendUint16(frame, uint16(h))
	frame = le.AppendUint32(frame, rate)
	frame = le.AppendUint32(frame, rate)
	frame = le.AppendUint32(frame, uint32(w*h))
	frame = le.AppendUint32(frame, interval)
	frame = append(frame, 1)
	frame = le.AppendUint32(frame, interval)

	colour := []byte{6, usb.DescCSInterface, 0x0d, 1, 1, 4}
	b := append(head, format...)
	b = append(append(b, frame...), colour...)
	le.PutUint16(b[4:], uint16(len(b)))
	return b
}
