package health

import (
	"slices"
	"strings"
)

// devices judges the bus, then each needed part, then what is there.
func (j *judging) devices() {
	switch j.f.Bus {
	case BusFails:
		j.say(PartUnknown, CauseBus)
		return
	case BusTraining:
		j.say(PartUnknown, CauseBusTraining)
		return
	}
	together := j.together()
	for _, p := range j.f.Needs {
		if !slices.ContainsFunc(j.f.Devices, func(d DeviceFacts) bool { return d.Part == p && d.Present }) {
			j.missing(p, together)
		}
	}
	for _, d := range j.f.Devices {
		switch {
		case !d.Present:
		case d.Fault == DeviceDescriptors && !j.has(CauseDescriptors):
			j.say(d.Part, CauseDescriptors, of(d))
		case d.WhyNot && d.Fault == "" && !j.has(CauseDeviceDriver):
			j.say(PartUnknown, CauseNoDriver, of(d), named(d.Model))
		case !d.WhyNot:
			j.device(d)
		}
	}
}

// together finds the USB hub of which two or more devices went at the same
// time: its port, or empty. Two on ports of the machine itself say nothing about
// a hub, and neither do two cameras at one port, which are one device.
func (j *judging) together() string {
	for i, a := range j.f.Devices {
		for _, b := range j.f.Devices[i+1:] {
			if a.Present || b.Present || a.Port == b.Port || a.Left.IsZero() || b.Left.IsZero() || a.Left.Sub(b.Left).Abs() > Together {
				continue
			}
			up := upstream(a.Port)
			if up == "" || up != upstream(b.Port) {
				continue
			}
			if !slices.ContainsFunc(j.f.Devices, func(d DeviceFacts) bool { return d.Present && upstream(d.Port) == up }) {
				j.say(PartUnknown, CauseUSBHub, port(up), count(2), when(a.Left))
				return up
			}
		}
	}
	return ""
}

// upstream is the port of the hub that a port belongs to: "1-4" for "1-4.2",
// empty for a port of the machine.
func upstream(p string) string {
	if i := strings.LastIndexByte(p, '.'); i > 0 {
		return p[:i]
	}
	return ""
}

// missing says why a part that must be there is not: its descriptors came
// broken (a cable), something of its class is there that no driver takes, it went,
// or it was never there.
func (j *judging) missing(p Part, hub string) {
	var gone *DeviceFacts
	for i, d := range j.f.Devices {
		if d.Part == p && !d.Present && (gone == nil || d.Left.After(gone.Left)) {
			gone = &j.f.Devices[i]
		}
	}
	if gone != nil && hub != "" && upstream(gone.Port) == hub {
		return // the hub explains it
	}
	for _, d := range j.f.Devices {
		if !d.Present || d.Part != PartUnknown {
			continue
		}
		if gone == nil || d.Port == gone.Port {
			switch {
			case d.Fault == DeviceDescriptors:
				j.say(p, CauseDescriptors, of(d))
				return
			case gone == nil && d.WhyNot && d.Could == p:
				j.say(p, CauseDeviceDriver, of(d), named(d.Model))
				return
			}
		}
	}
	if gone != nil {
		j.say(p, CauseDeviceGone, of(*gone), when(gone.Left))
		return
	}
	j.say(p, CauseDeviceNever)
}

// device judges one that is there and has a driver.
func (j *judging) device(d DeviceFacts) {
	fault := map[DeviceFault]Cause{DeviceAccess: CauseDeviceAccess, DeviceStalled: CauseDeviceStalled, DeviceBusy: CauseDeviceBusy, DeviceBadData: CauseCable}[d.Fault]
	if fault != "" {
		j.say(d.Part, fault, of(d), when(d.FaultAt))
	}
	lost := j.stream(d, fault == CauseCable)
	if d.Target != nil && d.Target.Found && !lost {
		j.target(d)
	}
	if g := d.Page; g != nil && g.Found {
		switch {
		case max(g.Scale-100, 100-g.Scale) > ScaleLimit:
			j.say(d.Part, CauseScanScale, of(d), count(int(g.Scale+0.5)))
		case g.Sharp < ScanSharpFloor, g.White < ScanWhiteFloor:
			j.say(d.Part, CauseScanDirty, of(d), count(g.Sharp))
		}
	}
}

// stream judges what a stream did; it reports whether it lost packets. Frames
// that nobody took in time are the kiosk's fault, not the cable's.
func (j *judging) stream(d DeviceFacts, said bool) (lost bool) {
	s := d.Stream
	if s == nil || d.Fault == DeviceStalled || d.Fault == DeviceAccess || d.Fault == DeviceBusy {
		return false
	}
	n := int(s.Damaged + s.BusErrors)
	if n > 0 && j.f.At.Sub(s.Lost) < LossAge {
		if !said {
			j.say(d.Part, CauseCable, of(d), count(n), when(s.Lost))
		}
		return true
	}
	switch {
	case s.Frames < rateFrames || s.Rate == 0 || s.Rate >= RateFloor(d.Part): // too few say nothing
	case d.Slow:
		j.say(d.Part, CauseSlowPort, of(d), count(int(s.Rate+0.5)))
	case s.Dropped > s.Frames/4:
		j.say(d.Part, CauseSlowKiosk, of(d), count(int(s.Rate+0.5)))
	default:
		j.say(d.Part, CauseSlowCamera, of(d), count(int(s.Rate+0.5)))
	}
	return false
}

// target judges what the camera saw of the eye model. Light comes before
// sharpness: nothing is sharp in the dark.
func (j *judging) target(d DeviceFacts) {
	t := d.Target
	switch {
	case t.Swapped:
		j.say(d.Part, CauseSwapped, of(d))
	case t.White < WhiteFloor:
		j.say(d.Part, CauseDark, of(d), count(t.White))
	case t.White > WhiteTop:
		j.say(d.Part, CauseBright, of(d), count(t.White))
	case t.Even < EvenFloor:
		j.say(d.Part, CauseUneven, of(d), count(t.Even))
	case t.Sharp < SharpFloor:
		j.say(d.Part, CauseBlurred, of(d), count(t.Sharp))
	}
}
