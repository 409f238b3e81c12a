package uvc

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"tambo/devices/usb"
)

// Function is a video function of a device as its descriptors describe it: a
// control interface with its streaming interfaces. A device may have several.
type Function struct {
	Version    uint16 // bcdUVC: 0x0100, 0x0110, 0x0150
	ControlNum int    // interface number of the control interface
	ClockHz    uint32 // of the payload time stamps, 0 where not said
	Entities   []Entity
	Streams    []Streaming

	collected []uint8 // baInterfaceNr: the streaming interfaces of this function
}

// Entity is a terminal or unit of the control interface.
type Entity struct {
	ID       uint8
	Kind     EntityKind
	Sources  []uint8  // where its picture comes from
	Type     uint16   // of a terminal: 0x0201 a camera, 0x0101 USB streaming
	Controls []byte   // bmControls
	GUID     [16]byte // of an extension unit
}

// EntityKind is the kind of an entity.
type EntityKind uint8

// Entity kinds, which are the descriptor subtypes (UVC A.5).
const (
	InputTerminal  EntityKind = 0x02
	OutputTerminal EntityKind = 0x03
	SelectorUnit   EntityKind = 0x04
	ProcessingUnit EntityKind = 0x05
	ExtensionUnit  EntityKind = 0x06
	EncodingUnit   EntityKind = 0x07 // UVC 1.5
)

const (
	vcHeader     = 0x01
	maxEntities  = 64
	maxFunctions = 8
)

// Has reports whether bit n of bmControls is set.
func (e Entity) Has(n int) bool { return n/8 < len(e.Controls) && e.Controls[n/8]>>(n%8)&1 != 0 }

// ParseFunctions reads the video functions of a configuration descriptor, in
// their order. A device without one is usb.ErrNotFound; one whose descriptors
// contradict themselves is left out, and is usb.ErrDescriptor where there is no
// other. Functions, entities and streams beyond a sane number are dropped.
func ParseFunctions(config []byte) ([]Function, error) {
	c, err := usb.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	var all []Function
	broken := map[int]error{} // by control interface
	for i := range c.Interfaces {
		s := &c.Interfaces[i]
		var f *Function
		switch {
		case s.Class != ClassVideo:
			continue
		case s.SubClass == SubclassControl && len(all) < maxFunctions && !controls(all, s.Number):
			all = append(all, Function{ControlNum: s.Number})
			f = &all[len(all)-1]
			err = usb.Walk(s.Extra, f.addControl)
		case s.SubClass == SubclassStreaming:
			if f = owner(all, s.Number); f == nil {
				continue
			}
			err = f.addSetting(s)
		}
		if err != nil && broken[f.ControlNum] == nil {
			broken[f.ControlNum] = err
		}
		err = nil
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("video control interface: %w", usb.ErrNotFound)
	}
	first := broken[all[0].ControlNum]
	all = slices.DeleteFunc(all, func(f Function) bool { return broken[f.ControlNum] != nil })
	if len(all) == 0 {
		return nil, first
	}
	return all, nil
}

// controls reports whether an interface is the control interface of a function.
func controls(all []Function, number int) bool {
	return slices.ContainsFunc(all, func(f Function) bool { return f.ControlNum == number })
}

// owner is the function that a streaming interface belongs to: the one whose
// header lists it, or else the last before it whose header lists none.
func owner(all []Function, number int) *Function {
	var last *Function
	for i := range all {
		f := &all[i]
		if slices.Contains(f.collected, uint8(number)) {
			return f
		}
		if len(f.collected) == 0 {
			last = f
		}
	}
	return last
}

// short reports a descriptor that ends too early.
func short(what string, d []byte) error {
	return fmt.Errorf("%w: %s of %d bytes", usb.ErrDescriptor, what, len(d))
}

func (f *Function) addControl(d []byte) error {
	if d[1] != usb.DescCSInterface || len(d) < 3 {
		return nil
	}
	if d[2] == vcHeader {
		if len(d) < 12 {
			return short("control header", d)
		}
		f.Version = binary.LittleEndian.Uint16(d[3:])
		f.ClockHz = binary.LittleEndian.Uint32(d[7:])
		f.collected = d[12:min(12+int(d[11]), len(d))]
		return nil
	}
	e, err := parseEntity(d)
	if err == nil && e.Kind != 0 && len(f.Entities) < maxEntities {
		f.Entities = append(f.Entities, e)
	}
	return err
}

// parseEntity reads a unit or terminal (UVC tables 3-4 to 3-11); what is none has
// no kind.
func parseEntity(d []byte) (Entity, error) {
	e := Entity{Kind: EntityKind(d[2])}
	need := map[EntityKind]int{InputTerminal: 8, OutputTerminal: 9, SelectorUnit: 6, ProcessingUnit: 9, ExtensionUnit: 24, EncodingUnit: 8}[e.Kind]
	if need == 0 {
		return Entity{}, nil
	}
	if len(d) < need {
		return e, short("unit or terminal", d)
	}
	e.ID = d[3]
	controls := -1 // where bControlSize stands
	switch e.Kind {
	case InputTerminal:
		if e.Type = binary.LittleEndian.Uint16(d[4:]); e.Type == 0x0201 && len(d) > 14 {
			controls = 14
		}
	case OutputTerminal:
		e.Type, e.Sources = binary.LittleEndian.Uint16(d[4:]), d[7:8]
	case SelectorUnit:
		e.Sources = d[5:min(5+int(d[4]), len(d))]
	case ProcessingUnit:
		e.Sources, controls = d[4:5], 7
	case ExtensionUnit:
		e.GUID = [16]byte(d[4:20])
		controls = 22 + int(d[21])
		if controls >= len(d) {
			return e, short("extension unit", d)
		}
		e.Sources = d[22:controls]
	case EncodingUnit:
		e.Sources, controls = d[4:5], 6
	}
	if controls >= 0 {
		end := controls + 1 + int(d[controls])
		if end > len(d) {
			return e, short("unit or terminal", d)
		}
		e.Controls = d[controls+1 : end]
	}
	return e, nil
}

// chain lists the entities that a stream's picture comes through, from its output
// terminal to the camera.
func (f *Function) chain(terminal uint8) []Entity {
	var out []Entity
	seen := [256]bool{}
	for next := []uint8{terminal}; len(next) > 0; next = next[1:] {
		for _, e := range f.Entities {
			if e.ID == next[0] && !seen[e.ID] {
				seen[e.ID] = true
				out = append(out, e)
				next = append(next, e.Sources...)
			}
		}
	}
	return out
}

// Unit finds an extension unit by its GUID in hexadecimal.
func (f *Function) Unit(guid string) (id uint8, ok bool) {
	g, err := hex.DecodeString(guid)
	if err != nil || len(g) != 16 {
		return 0, false
	}
	for _, e := range f.Entities {
		if e.Kind == ExtensionUnit && e.GUID == [16]byte(g) {
			return e.ID, true
		}
	}
	return 0, false
}
