package usb

import (
	"errors"
	"reflect"
	"testing"
)

// webcam is the beginning of a common camera's configuration, made from the
// tables of USB 2.0 (9.6) and the IAD note: interface numbers 0 and 1, a bulk
// endpoint in setting 0 and an isochronous one in setting 1.
var webcam = []byte{
	9, 2, 69, 0, 2, 1, 0, 0x80, 250,
	8, 11, 0, 2, 14, 3, 0, 4,
	9, 4, 0, 0, 1, 14, 1, 0, 4,
	5, 0x24, 1, 0x10, 1,
	7, 5, 0x83, 3, 16, 0, 6,
	9, 4, 1, 0, 1, 14, 2, 0, 0,
	7, 5, 0x81, 2, 0, 2, 0,
	9, 4, 1, 1, 1, 14, 2, 0, 0,
	6, 5, 0x82, 5, 0, 0x14, // a length of six is too short for an endpoint
}

func TestParseConfig(t *testing.T) {
	good := append([]byte(nil), webcam[:len(webcam)-6]...)
	good = append(good, 7, 5, 0x82, 5, 0, 0x14, 1) // two additional transactions
	good[2] = byte(len(good))
	c, err := ParseConfig(append(good, 1, 2, 3)) // what follows wTotalLength is not ours
	if err != nil {
		t.Fatal(err)
	}
	want := Config{Value: 1,
		Associations: []Association{{First: 0, Count: 2, Class: 14, SubClass: 3}},
		Interfaces: []Setting{
			{Number: 0, Class: 14, SubClass: 1, Name: 4, Extra: []byte{5, 0x24, 1, 0x10, 1}, Endpoints: []Endpoint{{0x83, TransferInterrupt, 16, 6, 16}}},
			{Number: 1, Class: 14, SubClass: 2, Endpoints: []Endpoint{{0x81, TransferBulk, 512, 0, 0}}},
			{Number: 1, Alt: 1, Class: 14, SubClass: 2, Endpoints: []Endpoint{{0x82, TransferIsochronous, 0x400, 1, 3072}}},
		}}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("parsed\n%+v, want\n%+v", c, want)
	}
	if s, ok := c.Setting(1, 1); !ok || s.Alt != 1 {
		t.Errorf("setting 1 of interface 1: %v %v", s, ok)
	}
	if _, ok := c.Setting(2, 0); ok {
		t.Error("interface 2 is not there")
	}
}

func TestParseConfigDamaged(t *testing.T) {
	zero := append([]byte(nil), webcam...)
	zero[17] = 0
	lie := append([]byte(nil), webcam...)
	lie[2] = 200
	for name, raw := range map[string][]byte{
		"nothing": nil, "short header": webcam[:8], "not a configuration": {9, 1, 9, 0, 0, 0, 0, 0, 0},
		"length zero": zero, "total longer than data": lie, "short endpoint": webcam,
		"total shorter than header": {9, 2, 5, 0, 0, 0, 0, 0, 0},
	} {
		if _, err := ParseConfig(raw); !errors.Is(err, ErrDescriptor) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestStringDescriptor(t *testing.T) {
	for want, raw := range map[string][]byte{
		"Ñandú":      {12, 3, 0xd1, 0, 'a', 0, 'n', 0, 'd', 0, 0xfa, 0},
		"a b":        {14, 3, 'a', 0, 7, 0, '\n', 0, 'b', 0, ' ', 0, 0x2e, 0x20}, // controls and a text-direction mark
		"":           {2, 3},
		"cut":        {40, 3, 'c', 0, 'u', 0, 't', 0, 'x'}, // bLength beyond the data, half a unit
		"\U0001f441": {6, 3, 0x3d, 0xd8, 0x41, 0xdc},
	} {
		if got := StringDescriptor(raw); got != want {
			t.Errorf("% x reads %q, want %q", raw, got, want)
		}
	}
	for _, raw := range [][]byte{nil, {3}, {4, 2, 'a', 0}, {1, 3, 'a'}} {
		if got := StringDescriptor(raw); got != "" {
			t.Errorf("% x reads %q", raw, got)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(webcam)
	f.Add(webcam[:44])
	f.Add([]byte{9, 2, 31, 0, 1, 1, 0, 0x80, 250, 9, 4, 0, 0, 1, 14, 2, 0, 0, 7, 5, 0x81, 5, 0, 4, 1, 6, 0x30, 3, 2, 0, 0x30})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, _ := ParseConfig(raw)
		n := 9 * len(c.Interfaces)
		for _, s := range c.Interfaces {
			n += len(s.Extra) + 7*len(s.Endpoints)
		}
		if n > len(raw) {
			t.Errorf("%d bytes of descriptors from %d bytes", n, len(raw))
		}
	})
}

func FuzzStringDescriptor(f *testing.F) {
	f.Add([]byte{6, 3, 'a', 0, 'b', 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		s := StringDescriptor(raw)
		if n := len([]rune(s)); n > 64 {
			t.Errorf("%d characters", n)
		}
		if CleanName(s) != s {
			t.Errorf("cleaning %q again changes it", s)
		}
	})
}
