package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tambo/devices/usb"
)

// Message is the 48-byte head of any message of the URB phase. Fields that a
// command does not have are zero.
type Message struct {
	Command uint32
	Seq     uint32
	DevID   uint32
	In      bool
	EP      uint8 // without the direction bit

	// CmdSubmit
	Flags  uint32
	Length int // of the transfer buffer
	Setup  usb.Setup
	// RetSubmit: Status and Actual; RetUnlink: Status
	Status int32
	Actual int
	// CmdUnlink
	Unlink uint32
	// Packets is how many isochronous packets a CmdSubmit or RetSubmit has; their
	// records follow the data, see [ReadPackets].
	Packets int
}

// FlagZeroPacket asks for a zero-length packet after a full last packet
// (URB_ZERO_PACKET).
const FlagZeroPacket = 0x40

// Append writes the head. setup's wLength is Length.
func (m *Message) Append(b []byte) []byte {
	var h [HeaderSize]byte
	be.PutUint32(h[0:], m.Command)
	be.PutUint32(h[4:], m.Seq)
	be.PutUint32(h[8:], m.DevID)
	if m.In {
		h[15] = 1
	}
	be.PutUint32(h[16:], uint32(m.EP))
	switch m.Command {
	case CmdSubmit:
		be.PutUint32(h[20:], m.Flags)
		be.PutUint32(h[24:], uint32(m.Length))
		be.PutUint32(h[32:], uint32(m.Packets))
		if m.EP == 0 {
			h[40], h[41] = m.Setup.RequestType, m.Setup.Request
			binary.LittleEndian.PutUint16(h[42:], m.Setup.Value)
			binary.LittleEndian.PutUint16(h[44:], m.Setup.Index)
			binary.LittleEndian.PutUint16(h[46:], uint16(m.Length))
		}
	case RetSubmit:
		be.PutUint32(h[20:], uint32(m.Status))
		be.PutUint32(h[24:], uint32(m.Actual))
		be.PutUint32(h[32:], uint32(m.Packets))
	case CmdUnlink:
		be.PutUint32(h[20:], m.Unlink)
	case RetUnlink:
		be.PutUint32(h[20:], uint32(m.Status))
	}
	return append(b, h[:]...)
}

// ReadMessage reads a head. The transfer data that follows is the caller's:
// Length bytes after an OUT CmdSubmit; after a RetSubmit, Actual bytes if the
// submit it answers was IN. Both are at most MaxTransfer.
func ReadMessage(r io.Reader) (Message, error) {
	var h [HeaderSize]byte
	if _, err := io.ReadFull(r, h[:]); err != nil {
		return Message{}, err
	}
	m := Message{Command: be.Uint32(h[0:]), Seq: be.Uint32(h[4:]), DevID: be.Uint32(h[8:]), In: be.Uint32(h[12:]) == 1}
	if be.Uint32(h[12:]) > 1 || be.Uint32(h[16:]) > 15 {
		return m, fmt.Errorf("%w: direction %d endpoint %d", ErrMessage, be.Uint32(h[12:]), be.Uint32(h[16:]))
	}
	m.EP = h[19]
	switch m.Command {
	case CmdSubmit:
		return m, m.submit(h[:])
	case RetSubmit:
		m.Status = int32(be.Uint32(h[20:]))
		n := be.Uint32(h[24:])
		var ok bool
		if m.Packets, ok = packets(h[32:]); !ok || n > MaxTransfer {
			return m, fmt.Errorf("%w: answer of %d bytes, %d packets", ErrMessage, n, be.Uint32(h[32:]))
		}
		m.Actual = int(n)
	case CmdUnlink:
		m.Unlink = be.Uint32(h[20:])
	case RetUnlink:
		m.Status = int32(be.Uint32(h[20:]))
	default:
		return m, fmt.Errorf("%w: command %#x", ErrMessage, m.Command)
	}
	return m, nil
}

func (m *Message) submit(h []byte) error {
	m.Flags = be.Uint32(h[20:])
	n := be.Uint32(h[24:])
	var ok bool
	if m.Packets, ok = packets(h[32:]); !ok || n > MaxTransfer || m.Packets > 0 && m.EP == 0 {
		return fmt.Errorf("%w: transfer of %d bytes, %d packets", ErrMessage, n, be.Uint32(h[32:]))
	}
	m.Length = int(n)
	m.Setup = usb.Setup{RequestType: h[40], Request: h[41],
		Value: binary.LittleEndian.Uint16(h[42:]), Index: binary.LittleEndian.Uint16(h[44:])}
	if m.EP == 0 {
		if n > 65535 || binary.LittleEndian.Uint16(h[46:]) != uint16(n) {
			return fmt.Errorf("%w: control transfer of %d bytes, wLength %d", ErrMessage, n, binary.LittleEndian.Uint16(h[46:]))
		}
		if m.In != m.Setup.In() && n > 0 {
			return fmt.Errorf("%w: control transfer against its direction", ErrMessage)
		}
	}
	return nil
}

// packets reads a number of isochronous packets: 0 and -1 both mean none.
func packets(b []byte) (int, bool) {
	n := be.Uint32(b)
	if n == 0xffffffff {
		n = 0
	}
	return int(n), n <= MaxPackets
}

// Packet is the record of an isochronous packet (usbip_iso_packet_descriptor).
type Packet struct {
	Offset, Length, Actual int
	Status                 int32
}

// packetSize is the length of a record.
const packetSize = 16

// AppendPacket writes a record.
func AppendPacket(b []byte, p Packet) []byte {
	b = be.AppendUint32(b, uint32(p.Offset))
	b = be.AppendUint32(b, uint32(p.Length))
	b = be.AppendUint32(b, uint32(p.Actual))
	return be.AppendUint32(b, uint32(p.Status))
}

// ReadPackets reads n records for a transfer of length bytes; each must lie within it.
func ReadPackets(r io.Reader, n, length int) ([]Packet, error) {
	b := make([]byte, n*packetSize)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	out := make([]Packet, n)
	for i := range out {
		d := b[i*packetSize:]
		off, size, actual := be.Uint32(d), be.Uint32(d[4:]), be.Uint32(d[8:])
		if off > uint32(length) || size > uint32(length)-off || actual > size {
			return nil, fmt.Errorf("%w: packet of %d bytes at %d, %d of them there, in %d", ErrMessage, size, off, actual, length)
		}
		out[i] = Packet{int(off), int(size), int(actual), int32(be.Uint32(d[12:]))}
	}
	return out, nil
}

// Linux error numbers, as they cross the wire (negative).
const (
	eNOENT     = 2
	eIO        = 5
	eNODEV     = 19
	ePIPE      = 32
	ePROTO     = 71
	eOVERFLOW  = 75
	eILSEQ     = 84
	eCONNRESET = 104
	eCOMM      = 70
	eXDEV      = 18
	eSHUTDOWN  = 108
	eTIMEDOUT  = 110
	eREMOTEIO  = 121
)

// ErrReset is the status of a transfer that was taken back.
var ErrReset = errors.New("usbip: transfer was taken back")

// Status gives the wire status of an error.
func Status(err error) int32 {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrReset):
		return -eCONNRESET
	case errors.Is(err, usb.ErrStall):
		return -ePIPE
	case errors.Is(err, usb.ErrGone):
		return -eSHUTDOWN
	case errors.Is(err, usb.ErrOverflow):
		return -eOVERFLOW
	case errors.Is(err, usb.ErrTimeout):
		return -eTIMEDOUT
	case errors.Is(err, usb.ErrNotFound):
		return -eNOENT
	}
	return -ePROTO
}

// Err gives the error of a wire status; nil for 0 and for a short read.
func Err(status int32) error {
	switch -status {
	case 0, eREMOTEIO:
		return nil
	case eCONNRESET:
		return ErrReset
	case ePIPE:
		return usb.ErrStall
	case eSHUTDOWN, eNODEV:
		return usb.ErrGone
	case eOVERFLOW:
		return usb.ErrOverflow
	case eTIMEDOUT:
		return usb.ErrTimeout
	case eNOENT:
		return usb.ErrNotFound
	case eIO, ePROTO, eILSEQ, eXDEV, eCOMM:
		return usb.ErrIO
	}
	return fmt.Errorf("%w: status %d", usb.ErrIO, status)
}
