package ippusb

import "tambo/devices/usb"

// Port is one IPP-over-USB interface: where to claim it, which alternate
// setting speaks the protocol, and its pipes.
type Port struct {
	Number, Alt int
	In, Out     uint8 // endpoint addresses with the direction bit
}

const hp = 0x03f0

// Ports finds the IPP-over-USB interfaces of a device in its configuration
// descriptor, the first fitting alternate setting of each interface (many
// printers have 7/1/2 in setting 0 and 7/1/4 in a later one). The descriptor is
// the device's word: what cannot be followed is passed over.
func Ports(info usb.DeviceInfo) []Port {
	config, _ := usb.ParseConfig(info.Config) // up to the damage, if any
	var out []Port
	taken := map[int]bool{}
	for _, s := range config.Interfaces {
		if taken[s.Number] || !speaksIPP(info.VendorID, s) {
			continue
		}
		p := Port{Number: s.Number, Alt: s.Alt}
		for _, e := range s.Endpoints {
			switch {
			case e.Transfer != usb.TransferBulk:
			case e.In() && p.In == 0:
				p.In = e.Address
			case !e.In() && p.Out == 0:
				p.Out = e.Address
			}
		}
		if p.In != 0 && p.Out != 0 {
			taken[s.Number] = true
			out = append(out, p)
		}
	}
	return out
}

// speaksIPP reports whether a setting carries HTTP. 255/9/1 is what some HP
// devices say instead of 7/1/4 (LaserJet MFP M426fdn, M278-M281; as ipp-usb
// found).
func speaksIPP(vendor uint16, s usb.Setting) bool {
	return s.Class == 7 && s.SubClass == 1 && s.Protocol == 4 ||
		vendor == hp && s.Class == 0xff && s.SubClass == 9 && s.Protocol == 1
}
