package escl

import (
	"strings"
	"testing"
	"time"

	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/usb"
)

func TestQuirksOf(t *testing.T) {
	of := func(info usb.DeviceInfo) quirks {
		t.Helper()
		q, err := quirksOf(info)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	if q := of(usb.DeviceInfo{VendorID: 0x1209, Strings: usb.Strings{Manufacturer: "Tambo", Product: "Virtual Scanner"}}); q != (quirks{}) {
		t.Errorf("a healthy device has %+v", q)
	}
	if q := of(usb.DeviceInfo{VendorID: 0x0924, ProductID: 0x42e8}); !q.retryGone || q.pipe.InitReset != ippusb.ResetHard {
		t.Errorf("by number: %+v", q)
	}
	if q := of(usb.DeviceInfo{Strings: usb.Strings{Manufacturer: "HP", Product: "HP ScanJet Pro 4500 fn1"}}); q.pipe.MaxInterfaces != 1 {
		t.Errorf("by name: %+v", q)
	}
	if q := of(usb.DeviceInfo{Strings: usb.Strings{Manufacturer: "HP Inc.", Product: "HP Laser MFP 135a"}}); q.refused == "" {
		t.Errorf("a device that does not work: %+v", q)
	}
	SetQuirks(t, `[{"name": "Two", "request_delay_ms": 20, "source": "a"}, {"name": "Two rows", "request_delay_ms": 10, "send_zlp": true, "source": "b"}]`)
	want := quirks{pipe: ippusb.Quirks{RequestDelay: 20 * time.Millisecond, SendZLP: true}}
	if q := of(usb.DeviceInfo{Strings: usb.Strings{Product: "Two rows match"}}); q != want {
		t.Errorf("two rows: %+v", q)
	}
}

// A table that says nothing, or too much, is refused whole.
func TestQuirksFile(t *testing.T) {
	for _, row := range []string{
		`{"name": "x"}`, `{"source": "s"}`, `{"vendor": "12", "product": "3456", "source": "s"}`,
		`{"vendor": "1234", "product": "3456", "name": "x", "source": "s"}`, `{"name": "x", "source": "s", "init_reset": "often"}`,
		`{"name": "x", "source": "s", "request_delay_ms": -1}`, `{"name": "x", "source": "s", "init_delay_ms": 31000}`,
		`{"name": "x", "source": "s", "connection": "a\r\nb"}`, `{"name": "x", "source": "s", "zlp": true}`, `{"name": 7}`,
	} {
		if _, err := parseQuirks([]byte("[" + row + "]")); err == nil || !strings.Contains(err.Error(), "quirks table") {
			t.Errorf("%s: %v", row, err)
		}
	}
}
