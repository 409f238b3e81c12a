package smart

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"unsafe"
)

// nvmeLog is a health log as its standard lays it out.
func nvmeLog(warning, used byte, media uint64) []byte {
	b := make([]byte, 512)
	b[0], b[3], b[4], b[5] = warning, 100, 10, used
	binary.LittleEndian.PutUint16(b[1:], 308) // kelvin
	binary.LittleEndian.PutUint64(b[160:], media)
	return b
}

func TestNVMe(t *testing.T) {
	huge := nvmeLog(0, 1, 0)
	huge[168] = 1
	for name, c := range map[string]struct {
		log  []byte
		want Health
	}{
		"well":           {nvmeLog(0, 3, 0), Health{Used: 3, UsedKnown: true}},
		"hot":            {nvmeLog(1<<1, 3, 0), Health{Used: 3, UsedKnown: true}},
		"spare is low":   {nvmeLog(1<<0, 97, 0), Health{Failing: true, Used: 97, UsedKnown: true}},
		"not reliable":   {nvmeLog(1<<2, 3, 4), Health{Failing: true, Used: 3, UsedKnown: true, Unreadable: 4}},
		"read-only":      {nvmeLog(1<<3, 255, 0), Health{Failing: true, Used: 255, UsedKnown: true}},
		"128-bit counts": {huge, Health{Used: 1, UsedKnown: true, Unreadable: most}},
	} {
		if got, err := ParseNVMe(c.log); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
	for name, b := range map[string][]byte{"nothing": nil, "cut": nvmeLog(0, 3, 0)[:511], "zeroes": make([]byte, 512)} {
		if h, err := ParseNVMe(b); !errors.Is(err, ErrData) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

// attr is an attribute with the threshold that its disk gives it.
type attr struct {
	id, flags, value, limit byte
	raw                     uint32
}

// table makes SMART data and thresholds, with their sums.
func table(all ...attr) (data, limits []byte) {
	data, limits = make([]byte, 512), make([]byte, 512)
	data[0], limits[0] = 16, 16
	for i, a := range all {
		d := data[2+12*i:]
		d[0], d[1], d[3], d[4] = a.id, a.flags, a.value, a.value
		binary.LittleEndian.PutUint32(d[5:], a.raw)
		limits[2+12*i], limits[3+12*i] = a.id, a.limit
	}
	for _, b := range [][]byte{data, limits} {
		var sum byte
		for _, x := range b {
			sum += x
		}
		b[511] = -sum
	}
	return data, limits
}

func TestATA(t *testing.T) {
	well := []attr{{id: 1, flags: 0x0f, value: 200, limit: 51}, {id: 5, flags: 0x33, value: 200, limit: 140, raw: 3}, {id: 194, flags: 0x22, value: 109, raw: 34}}
	with := func(more ...attr) []attr { return append(append([]attr(nil), well...), more...) }
	for name, c := range map[string]struct {
		attrs []attr
		over  bool
		want  Health
	}{
		"well":                       {well, false, Health{}},
		"it says that it fails":      {well, true, Health{Failing: true}},
		"below its threshold":        {with(attr{id: 10, flags: 0x13, value: 97, limit: 97}), false, Health{Failing: true}},
		"old, which is no failure":   {with(attr{id: 9, flags: 0x32, value: 1, limit: 20}), false, Health{}},
		"no value yet":               {with(attr{id: 10, flags: 0x13, value: 253 + 1, limit: 97}, attr{id: 11, flags: 0x13, value: 0, limit: 97}), false, Health{}},
		"a threshold never reached":  {with(attr{id: 10, flags: 0x13, value: 1, limit: 0}), false, Health{}},
		"one that fails in any case": {with(attr{id: 10, flags: 0x13, value: 100, limit: 255}), false, Health{}},
		"sectors that wait":          {with(attr{id: 197, flags: 0x12, value: 200, raw: 8}, attr{id: 198, flags: 0x10, value: 200, raw: 2}), false, Health{Unreadable: 8}},
		"a count that is none":       {with(attr{id: 197, flags: 0x12, value: 200, raw: 0x10000}), false, Health{}},
	} {
		data, limits := table(c.attrs...)
		if got, err := ParseATA(data, limits, c.over); err != nil || got != c.want {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, c.want)
		}
	}
	data, limits := table(well...)
	if h, err := ParseATA(data, nil, false); err != nil || h != (Health{}) {
		t.Errorf("without thresholds: %+v, %v", h, err)
	}
	empty, _ := table()
	flipped := append([]byte(nil), data...)
	flipped[100] ^= 1
	for name, c := range map[string][2][]byte{"nothing": {}, "cut": {data[:511], limits}, "a bit turned": {flipped, limits}, "limits cut": {data, limits[:100]}, "no attributes": {empty, limits}} {
		if h, err := ParseATA(c[0], c[1], false); !errors.Is(err, ErrData) {
			t.Errorf("%s: %+v, %v", name, h, err)
		}
	}
}

func TestWearAndStatus(t *testing.T) {
	page := make([]byte, 512)
	page[2], page[8], page[15] = 0x07, 42, 1<<7|1<<6
	if used, ok := ParseWear(page); used != 42 || !ok {
		t.Errorf("%d %v", used, ok)
	}
	for name, harm := range map[string]func([]byte) []byte{
		"another page": func(b []byte) []byte { b[2] = 1; return b }, "not valid": func(b []byte) []byte { b[15] = 1 << 7; return b },
		"not supported": func(b []byte) []byte { b[15] = 1 << 6; return b }, "cut": func(b []byte) []byte { return b[:15] },
	} {
		if used, ok := ParseWear(harm(append([]byte(nil), page...))); ok {
			t.Errorf("%s: %d", name, used)
		}
	}
	descriptor := func(mid, high byte) []byte {
		return []byte{0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0, 0, mid, 0, high, 0, 0x50}
	}
	fixed := func(mid, high byte) []byte {
		return []byte{0x70, 0, 1, 0, 0x50, 0, 0, 10, 0, 0, mid, high, 0, 0x1d, 0, 0, 0, 0}
	}
	for _, form := range []func(mid, high byte) []byte{descriptor, fixed} {
		if over, ok := ParseStatus(form(0x4f, 0xc2)); over || !ok {
			t.Error("well is not well")
		}
		if over, ok := ParseStatus(form(0xf4, 0x2c)); !over || !ok {
			t.Error("failing is not failing")
		}
		if _, ok := ParseStatus(form(0, 0)); ok {
			t.Error("an answer that says nothing says something")
		}
		whole := form(0xf4, 0x2c)
		for n := range 12 {
			if _, ok := ParseStatus(whole[:n]); ok {
				t.Errorf("%d bytes say something", n)
			}
		}
	}
	// Another descriptor stands before it; and one whose length runs out.
	long := append([]byte{0x72, 1, 0, 0x1d, 0, 0, 0, 24, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0}, descriptor(0xf4, 0x2c)[8:]...)
	if over, ok := ParseStatus(long); !over || !ok {
		t.Error("the second descriptor is not found")
	}
	if _, ok := ParseStatus([]byte{0x72, 0, 0, 0, 0, 0, 0, 250, 1, 250, 0}); ok {
		t.Error("a length beyond the end")
	}
}

func TestIdentity(t *testing.T) {
	b := make([]byte, 512)
	put := func(word int, v uint16) { binary.LittleEndian.PutUint16(b[2*word:], v) }
	put(82, 1)
	if smart, _ := parseIdentity(b); smart {
		t.Error("SMART that is off")
	}
	put(85, 1)
	put(84, 1<<14)
	if smart, logs := parseIdentity(b); !smart || logs {
		t.Errorf("SMART without logs: %v %v", smart, logs)
	}
	put(84, 1<<14|1<<5)
	if smart, logs := parseIdentity(b); !smart || !logs {
		t.Errorf("SMART and logs: %v %v", smart, logs)
	}
	put(84, 1<<5) // not valid
	if _, logs := parseIdentity(b); logs {
		t.Error("logs in a word that says nothing")
	}
	if smart, logs := parseIdentity(b[:511]); smart || logs {
		t.Error("a cut answer says something")
	}
}

// The structures of linux/nvme_ioctl.h and scsi/sg.h on a machine of 64 bits.
func TestStructures(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("not a machine of 64 bits")
	}
	if n := unsafe.Sizeof(nvmeCommand{}); n != 72 || unsafe.Offsetof(nvmeCommand{}.Addr) != 24 || unsafe.Offsetof(nvmeCommand{}.CDW10) != 40 {
		t.Errorf("nvme_passthru_cmd of %d bytes", n)
	}
	if n := unsafe.Sizeof(sgHeader{}); n != 88 || unsafe.Offsetof(sgHeader{}.Command) != 24 || unsafe.Offsetof(sgHeader{}.Status) != 64 {
		t.Errorf("sg_io_hdr of %d bytes", n)
	}
	if c := logCommand(4, 7); c[0] != 0x85 || c[1] != 0x09 || c[8] != 4 || c[10] != 7 || c[14] != 0x2f {
		t.Errorf("READ LOG EXT: %x", c)
	}
	if c := smartCommand(smartData, true); c[1] != 8 || c[4] != 0xd0 || c[6] != 1 || c[10] != 0x4f || c[12] != 0xc2 || c[14] != 0xb0 {
		t.Errorf("SMART READ DATA: %x", c)
	}
}

// What is no disk says nothing, and nothing is believed.
func TestReadNoDisk(t *testing.T) {
	for _, name := range []string{"plain", "nvme"} {
		at := t.TempDir() + "/" + name
		if err := os.WriteFile(at, make([]byte, 4096), 0o600); err != nil {
			t.Fatal(err)
		}
		if h, err := Read(at); err == nil {
			t.Errorf("%s: %+v", name, h)
		}
	}
	if _, err := Read("/does/not/exist"); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(nvmeLog(1, 3, 2))
	data, limits := table(attr{id: 5, flags: 0x33, value: 1, limit: 2, raw: 1}, attr{id: 197, flags: 1, value: 3, raw: 9})
	f.Add(append(data, limits...))
	f.Add([]byte{0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0xf4, 0, 0x2c, 0, 0x50})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2048 {
			return // no answer of a disk is longer
		}
		ok := func(h Health, err error) {
			if err != nil && (!errors.Is(err, ErrData) || h != (Health{})) || h.Unreadable < 0 || h.Unreadable > most || h.Used < 0 || h.Used > 255 {
				t.Errorf("%+v, %v", h, err)
			}
		}
		ok(ParseNVMe(b))
		if len(b) == 1024 { // with sums that are right, or most is never reached
			fix := append([]byte(nil), b...)
			for _, p := range [][]byte{fix[:512], fix[512:]} {
				var sum byte
				for _, x := range p[:511] {
					sum += x
				}
				p[511] = -sum
			}
			ok(ParseATA(fix[:512], fix[512:], false))
		}
		ok(ParseATA(b, nil, true))
		if used, known := ParseWear(b); used != 0 && !known {
			t.Error("wear that is not known")
		}
		if over, known := ParseStatus(b); over && !known {
			t.Error("a status that is not known")
		}
	})
}
