package usb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"
)

// Descriptor types (USB 2.0, table 9-5; IAD from its ECN; class-specific from
// the class documents).
const (
	DescDevice      = 0x01
	DescConfig      = 0x02
	DescString      = 0x03
	DescInterface   = 0x04
	DescEndpoint    = 0x05
	DescQualifier   = 0x06
	DescAssociation = 0x0B
	DescCSInterface = 0x24
	DescCSEndpoint  = 0x25
	DescCompanion   = 0x30 // SuperSpeed endpoint companion (USB 3.2, 9.6.7)
)

// Transfer types (USB 2.0, table 9-13, bmAttributes bits 1..0).
const (
	TransferControl     = 0
	TransferIsochronous = 1
	TransferBulk        = 2
	TransferInterrupt   = 3
)

// MaxConfig is the longest configuration descriptor that is read: the field
// wTotalLength allows 65535.
const MaxConfig = 65535

// ErrDescriptor reports descriptors that cannot be followed.
var ErrDescriptor = errors.New("usb: malformed descriptor")

// Config is a parsed configuration descriptor. Its slices share memory with
// what was parsed.
type Config struct {
	Value        uint8 // bConfigurationValue
	Associations []Association
	Interfaces   []Setting // every alternate setting, in the order of the descriptors
}

// Association groups interfaces into one function (IAD).
type Association struct {
	First, Count              int
	Class, SubClass, Protocol uint8
}

// Setting is one alternate setting of an interface.
type Setting struct {
	Number, Alt               int
	Class, SubClass, Protocol uint8
	Name                      uint8 // string index, 0 where it has none
	Endpoints                 []Endpoint
	// Extra is the class-specific descriptors before the first endpoint, and those
	// of the interface that some devices put behind it.
	Extra []byte
}

// Endpoint is one endpoint of a setting.
type Endpoint struct {
	Address   uint8 // with the direction bit
	Transfer  uint8 // TransferBulk and so on
	MaxPacket int   // bytes, without the high-bandwidth multiplier
	Interval  uint8
	// PerInterval is how many bytes a service interval carries, additional
	// transactions included (USB 2.0, table 9-13, bits 12..11; at SuperSpeed
	// wBytesPerInterval). 0 for bulk and control.
	PerInterval int
}

// In reports whether the endpoint sends to the host.
func (e Endpoint) In() bool { return e.Address&0x80 != 0 }

// ParseConfig reads a configuration descriptor with everything below it.
// Descriptors of unknown type are skipped. What contradicts itself (a length
// of zero, an end in the middle of a descriptor) is ErrDescriptor; the part
// before the damage is returned with it, for a technician to look at.
func ParseConfig(raw []byte) (Config, error) {
	var c Config
	if len(raw) < 9 || raw[0] < 9 || raw[1] != DescConfig {
		return c, fmt.Errorf("%w: no configuration header", ErrDescriptor)
	}
	total := int(binary.LittleEndian.Uint16(raw[2:]))
	if total < 9 || total > len(raw) {
		return c, fmt.Errorf("%w: wTotalLength %d of %d bytes", ErrDescriptor, total, len(raw))
	}
	raw = raw[:total]
	c.Value = raw[5]
	err := Walk(raw[min(int(raw[0]), total):], func(d []byte) error {
		return c.add(d)
	})
	return c, err
}

// Walk calls f with each descriptor of a concatenation (bLength,
// bDescriptorType, …), until f fails or a length cannot be followed.
func Walk(raw []byte, f func(d []byte) error) error {
	for off := 0; off < len(raw); {
		n := int(raw[off])
		if n < 2 || off+n > len(raw) {
			return fmt.Errorf("%w: bLength %d with %d bytes left", ErrDescriptor, n, len(raw)-off)
		}
		if err := f(raw[off : off+n : off+n]); err != nil {
			return err
		}
		off += n
	}
	return nil
}

func (c *Config) add(d []byte) error {
	var cur *Setting
	if n := len(c.Interfaces); n > 0 {
		cur = &c.Interfaces[n-1]
	}
	switch {
	case d[1] == DescAssociation:
		if len(d) < 8 {
			return fmt.Errorf("%w: short association", ErrDescriptor)
		}
		c.Associations = append(c.Associations, Association{
			First: int(d[2]), Count: int(d[3]), Class: d[4], SubClass: d[5], Protocol: d[6]})
	case d[1] == DescInterface:
		if len(d) < 9 {
			return fmt.Errorf("%w: short interface", ErrDescriptor)
		}
		c.Interfaces = append(c.Interfaces, Setting{
			Number: int(d[2]), Alt: int(d[3]), Class: d[5], SubClass: d[6], Protocol: d[7], Name: d[8]})
	case d[1] == DescEndpoint && cur != nil:
		if len(d) < 7 {
			return fmt.Errorf("%w: short endpoint", ErrDescriptor)
		}
		cur.Endpoints = append(cur.Endpoints, parseEndpoint(d))
	case d[1] == DescCompanion && cur != nil && len(cur.Endpoints) > 0:
		if len(d) < 6 {
			return fmt.Errorf("%w: short endpoint companion", ErrDescriptor)
		}
		if e := &cur.Endpoints[len(cur.Endpoints)-1]; e.PerInterval > 0 {
			e.PerInterval = max(e.PerInterval, int(binary.LittleEndian.Uint16(d[4:])))
		}
	case cur != nil && (len(cur.Endpoints) == 0 || d[1] == DescCSInterface):
		cur.Extra = append(cur.Extra, d...)
	}
	return nil
}

func parseEndpoint(d []byte) Endpoint {
	size := binary.LittleEndian.Uint16(d[4:])
	e := Endpoint{Address: d[2], Transfer: d[3] & 3, Interval: d[6], MaxPacket: int(size & 0x07ff)}
	if e.Transfer == TransferIsochronous || e.Transfer == TransferInterrupt {
		e.PerInterval = e.MaxPacket * (1 + min(int(size>>11&3), 2)) // 3 is reserved
	}
	return e
}

// Setting returns one alternate setting of an interface.
func (c *Config) Setting(number, alt int) (*Setting, bool) {
	for i := range c.Interfaces {
		if s := &c.Interfaces[i]; s.Number == number && s.Alt == alt {
			return s, true
		}
	}
	return nil, false
}

// Endpoint looks an address up in any setting of an interface.
func (s *Setting) Endpoint(address uint8) (Endpoint, bool) {
	for _, e := range s.Endpoints {
		if e.Address == address {
			return e, true
		}
	}
	return Endpoint{}, false
}

// CleanName makes a device's own text fit for a screen or a log: printable
// characters only, at most 64, spaces trimmed.
func CleanName(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r < 0x20 || r == 0x7f || (r >= 0x80 && r < 0xa0) || r == 0xfffd || isFormat(r) {
			r = ' '
		}
		if r == ' ' && (len(out) == 0 || out[len(out)-1] == ' ') {
			continue
		}
		if out = append(out, r); len(out) == 64 {
			break
		}
	}
	for len(out) > 0 && out[len(out)-1] == ' ' {
		out = out[:len(out)-1]
	}
	return string(out)
}

// isFormat reports characters that reorder or hide their neighbours.
func isFormat(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff
}

// StringDescriptor decodes a string descriptor (UTF-16LE), cleaned by
// [CleanName]. What is not one decodes as the empty string.
func StringDescriptor(b []byte) string {
	if len(b) < 2 || b[1] != DescString || int(b[0]) < 2 {
		return ""
	}
	b = b[2:min(int(b[0]), len(b))]
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return CleanName(string(utf16.Decode(u)))
}
