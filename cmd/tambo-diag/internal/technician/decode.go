package technician

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"tambo/devices/usb"
	"tambo/devices/uvc"
)

// classNames are those that a kiosk meets (USB-IF, defined class codes).
var classNames = map[uint8]string{0x01: "audio", 0x02: "communications", 0x03: "keyboard or pointer", 0x06: "still image", 0x07: "printer", 0x08: "storage",
	0x09: "hub", 0x0A: "data", 0x0B: "smart card", 0x0E: "video", 0xE0: "wireless", 0xEF: "several functions", 0xFE: "application", 0xFF: "maker's own"}

func className(class, sub, protocol uint8) string {
	name := classNames[class]
	switch [3]uint8{class, sub, protocol} {
	case [3]uint8{7, 1, 4}:
		name = "IPP over USB (driverless scanning)"
	case [3]uint8{7, 1, 2}:
		name = "printer, two ways"
	}
	if class == 0x0E {
		name = map[uint8]string{1: "video control", 2: "video streaming", 3: "video function"}[sub]
	}
	if name == "" {
		name = "class not known here"
	}
	return fmt.Sprintf("%s (%d/%d/%d)", name, class, sub, protocol)
}

var transferNames = [...]string{"control", "isochronous", "bulk", "interrupt"}

// decode says a configuration descriptor in words (USB 2.0, 9.6). Strings of the
// device are not in it.
func decode(i usb.DeviceInfo) []string {
	if len(i.Config) < 9 {
		return []string{fmt.Sprintf("a configuration descriptor of %d bytes, at least 9 are needed: change the cable, then probe again", len(i.Config))}
	}
	out := []string{fmt.Sprintf("configuration %d: %d bytes (says %d), %d interfaces, up to %d mA", i.Config[5], len(i.Config), binary.LittleEndian.Uint16(i.Config[2:]), i.Config[4], 2*int(i.Config[8]))}
	c, err := usb.ParseConfig(i.Config)
	if err != nil {
		return append(out, "broken: "+err.Error()+": change the cable, then probe again")
	}
	for _, a := range c.Associations {
		out = append(out, fmt.Sprintf("interfaces %d to %d are one function: %s", a.First, a.First+a.Count-1, className(a.Class, a.SubClass, a.Protocol)))
	}
	for _, s := range c.Interfaces {
		line := fmt.Sprintf("interface %d, setting %d: %s", s.Number, s.Alt, className(s.Class, s.SubClass, s.Protocol))
		for _, e := range s.Endpoints {
			way := "out"
			if e.In() {
				way = "in"
			}
			line += fmt.Sprintf("; %s 0x%02x %s, %d bytes", way, e.Address, transferNames[e.Transfer&3], e.MaxPacket)
		}
		out = append(out, line)
	}
	return append(out, decodeVideo(i.Config)...)
}

func decodeVideo(config []byte) (out []string) {
	all, err := uvc.ParseFunctions(config)
	if err != nil {
		return nil
	}
	for _, f := range all {
		if len(f.Streams) > 0 {
			out = append(out, decodeFunction(f, len(all) > 1)...)
		}
	}
	return out
}

// decodeFunction says a video function; which one where the device has several.
func decodeFunction(f uvc.Function, several bool) []string {
	head := fmt.Sprintf("video class %d.%02x", f.Version>>8, f.Version&0xFF)
	if several {
		head += fmt.Sprintf(", function on interface %d", f.ControlNum)
	}
	out := []string{head}
	for _, s := range f.Streams {
		how := "isochronous"
		if s.Endpoint != 0 {
			how = "bulk"
		}
		for _, m := range s.Formats {
			var sizes []string
			for _, r := range m.Frames {
				sizes = append(sizes, fmt.Sprintf("%d×%d at %s", r.Width, r.Height, rates(r)))
			}
			name := fmt.Sprint(m)
			out = append(out, fmt.Sprintf("stream on interface %d, %s: %s: %s", s.Number, how, name, strings.Join(sizes, "; ")))
		}
	}
	return out
}

// rates says the frame rates of a size.
func rates(r uvc.Frame) string {
	per := func(d time.Duration) string {
		if d <= 0 {
			return "?"
		}
		return strings.TrimSuffix(fmt.Sprintf("%.1f", float64(time.Second)/float64(d)), ".0")
	}
	if len(r.Intervals) == 0 {
		return per(r.Longest) + " to " + per(r.Shortest) + " a second"
	}
	var all []string
	for _, d := range r.Intervals {
		all = append(all, per(d))
	}
	return strings.Join(all, ", ") + " a second"
}
