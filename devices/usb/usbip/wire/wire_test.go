package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"tambo/devices/usb"
)

// The layouts of Documentation/usb/usbip_protocol.rst, written out by hand from
// its tables.
var messages = []struct {
	name string
	hex  string
	m    Message
}{
	{"submit, control IN, get device descriptor",
		"00000001 00000d05 00010002 00000001 00000000 00000200 00000040 00000000 00000000 00000000 8006000100004000",
		Message{Command: CmdSubmit, Seq: 0xd05, DevID: 0x10002, In: true, Flags: 0x200, Length: 0x40,
			Setup: usb.Setup{RequestType: 0x80, Request: 6, Value: 0x0100}}},
	{"return of it",
		"00000003 00000d05 00000000 00000000 00000000 00000000 00000012 00000000 00000000 00000000 0000000000000000",
		Message{Command: RetSubmit, Seq: 0xd05, Actual: 18}},
	{"submit, bulk OUT",
		"00000001 00000d06 00010002 00000000 00000001 00000000 00000005 00000000 00000000 00000000 0000000000000000",
		Message{Command: CmdSubmit, Seq: 0xd06, DevID: 0x10002, EP: 1, Length: 5}},
	{"stalled",
		"00000003 00000d06 00000000 00000000 00000000 ffffffe0 00000000 00000000 00000000 00000000 0000000000000000",
		Message{Command: RetSubmit, Seq: 0xd06, Status: -32}},
	{"unlink",
		"00000002 00000d07 00010002 00000000 00000000 00000d06 00000000 00000000 00000000 00000000 0000000000000000",
		Message{Command: CmdUnlink, Seq: 0xd07, DevID: 0x10002, Unlink: 0xd06}},
	{"return of unlink",
		"00000004 00000d07 00000000 00000000 00000000 ffffff98 00000000 00000000 00000000 00000000 0000000000000000",
		Message{Command: RetUnlink, Seq: 0xd07, Status: -104}},
}

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		raw := unhex(t, tt.hex)
		m, err := ReadMessage(bytes.NewReader(raw))
		if err != nil || !reflect.DeepEqual(m, tt.m) {
			t.Errorf("%s: read %+v, %v; want %+v", tt.name, m, err, tt.m)
		}
		if got := tt.m.Append(nil); !bytes.Equal(got, raw) {
			t.Errorf("%s: wrote\n%x, want\n%x", tt.name, got, raw)
		}
	}
}

func TestMessagesRefused(t *testing.T) {
	base := "00000001 00000001 00010002 00000001 00000001 00000000 00000200 00000000 00000000 00000000 0000000000000000"
	for name, change := range map[string][2]string{
		"command 9":              {"00000001 00000001 00010002", "00000009 00000001 00010002"},
		"direction 2":            {"00010002 00000001", "00010002 00000002"},
		"endpoint 16":            {"00010002 00000001 00000001", "00010002 00000001 00000010"},
		"too much":               {"00000000 00000200", "00000000 7fffffff"},
		"too many packets":       {"00000200 00000000 00000000", "00000200 00000000 00000401"},
		"control, other wLength": {"00000001 00000000 00000200", "00000000 00000000 00000200"},
	} {
		s := strings.Replace(base, change[0], change[1], 1)
		if s == base {
			t.Fatalf("%s: nothing changed", name)
		}
		if _, err := ReadMessage(bytes.NewReader(unhex(t, s))); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := ReadMessage(bytes.NewReader(unhex(t, base)[:47])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a byte short: %v", err)
	}
}

func TestErrnoBothWays(t *testing.T) {
	for _, err := range []error{usb.ErrStall, usb.ErrGone, usb.ErrOverflow, usb.ErrTimeout, usb.ErrNotFound, usb.ErrIO, ErrReset} {
		if got := Err(Status(err)); !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	if Status(nil) != 0 || Err(0) != nil {
		t.Error("success is not 0")
	}
	if err := Err(-9999); !errors.Is(err, usb.ErrIO) {
		t.Errorf("unknown status: %v", err)
	}
}

func TestDeviceRecords(t *testing.T) {
	d := Device{Path: "/sys/devices/x", BusID: "1-2.4", BusNum: 1, DevNum: 7, Speed: usb.SpeedHigh, VendorID: 0x1209,
		ProductID: 1, Release: 0x0100, Class: 0xef, SubClass: 2, Protocol: 1, Config: 1, NumConfigs: 1, NumInterfaces: 2,
		Interfaces: []InterfaceClass{{14, 1, 0}, {14, 2, 0}}}
	list, err := ReadDevlist(bytes.NewReader(AppendDevlist(nil, []Device{d, d})))
	if err != nil || len(list) != 2 || !reflect.DeepEqual(list[1], d) {
		t.Errorf("list %+v, %v", list, err)
	}
	b := d.Append(nil, false)
	if len(b) != 312 || string(b[256:261]) != "1-2.4" || b[299] != 3 || b[311] != 2 {
		t.Errorf("record of %d bytes: % x", len(b), b[256:])
	}
	if _, err := ReadDevlist(bytes.NewReader([]byte{0, 1, 0, 0})); !errors.Is(err, ErrMessage) {
		t.Errorf("65536 devices: %v", err)
	}
}

func FuzzReadMessage(f *testing.F) {
	for _, m := range messages {
		f.Add(unhex(f, m.hex))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ReadMessage(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if m.Length < 0 || m.Length > MaxTransfer || m.Actual < 0 || m.Actual > MaxTransfer {
			t.Fatalf("lengths %d and %d", m.Length, m.Actual)
		}
		again, err := ReadMessage(bytes.NewReader(m.Append(nil)))
		if m.Command == CmdSubmit && m.EP != 0 {
			m.Setup = usb.Setup{} // has no meaning there, and is not written
		}
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v read again is %+v, %v", m, again, err)
		}
	})
}

func FuzzReadDevlist(f *testing.F) {
	f.Add(AppendDevlist(nil, []Device{{BusID: "1-1", Interfaces: []InterfaceClass{{14, 1, 0}}}}))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := ReadDevlist(bytes.NewReader(raw))
		if err == nil && len(list)*deviceSize > len(raw) {
			t.Errorf("%d devices from %d bytes", len(list), len(raw))
		}
	})
}

// An isochronous answer as usbip_protocol.rst and struct usbip_iso_packet_descriptor
// lay it out: the head has the number of packets, records of 16 bytes follow the
// data.
func TestPackets(t *testing.T) {
	head := unhex(t, "00000003 00000007 00000000 00000000 00000000 00000000 00000005 00000000 00000002 00000001 0000000000000000")
	m, err := ReadMessage(bytes.NewReader(head))
	if err != nil || m.Packets != 2 || m.Actual != 5 || m.Seq != 7 {
		t.Fatalf("%+v, %v", m, err)
	}
	records := unhex(t, "00000000 00000c00 00000005 00000000 00000c00 00000c00 00000000 ffffffac")
	want := []Packet{{0, 3072, 5, 0}, {3072, 3072, 0, -84}} // -EILSEQ
	got, err := ReadPackets(bytes.NewReader(records), 2, 6144)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%+v, %v", got, err)
	}
	if !errors.Is(Err(got[1].Status), usb.ErrIO) {
		t.Errorf("status %d is %v", got[1].Status, Err(got[1].Status))
	}
	var back []byte
	for _, p := range want {
		back = AppendPacket(back, p)
	}
	if !bytes.Equal(back, records) {
		t.Errorf("written % x", back)
	}
	for name, length := range map[string]int{"beyond the transfer": 6143, "no transfer": 0} {
		if _, err := ReadPackets(bytes.NewReader(records), 2, length); !errors.Is(err, ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReadPackets(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 5, 0, 0, 0, 0}, 1, 6144)
	f.Fuzz(func(t *testing.T, raw []byte, n, length int) {
		n, length = n&0x3ff, length&0xfffff
		list, err := ReadPackets(bytes.NewReader(raw), n, length)
		for _, p := range list {
			if err != nil || p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > length || p.Actual < 0 || p.Actual > p.Length {
				t.Errorf("%+v of %d, %v", p, length, err)
			}
		}
	})
}
