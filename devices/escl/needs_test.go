package escl_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tambo/devices"
	"tambo/devices/escl"
	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/virtual"
)

// Each row of the quirks table helps against a scanner that needs it: without the
// row the scanner fails in its way, with it two pages come.
func TestNeeds(t *testing.T) {
	const gap = 150 * time.Millisecond
	for _, c := range []struct {
		name  string
		needs virtual.ScannerNeeds
		quirk string
		want  []error // without the quirk
	}{
		{"soft reset", virtual.ScannerNeeds{SoftReset: true}, `"init_reset": "soft"`, []error{devices.ErrBadData}},
		{"hard reset", virtual.ScannerNeeds{HardReset: true}, `"init_reset": "hard"`, []error{devices.ErrBadData}},
		{"start delay", virtual.ScannerNeeds{StartDelay: 4 * gap}, `"init_delay_ms": 700`, []error{devices.ErrStalled}},
		{"request gap", virtual.ScannerNeeds{RequestGap: gap}, `"request_delay_ms": 200`, []error{devices.ErrStalled}},
		{"connection", virtual.ScannerNeeds{Connection: "close"}, `"connection": "close"`, []error{devices.ErrBadData, devices.ErrUnsupported}},
		{"one channel", virtual.ScannerNeeds{OneChannel: true}, `"max_interfaces": 1`, []error{devices.ErrStalled}},
		{"gone first", virtual.ScannerNeeds{GoneFirst: 2}, `"retry_gone": true`, []error{devices.ErrBadData}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, row := range []string{"", fmt.Sprintf(`{"name": "Tambo Virtual Scanner", "source": "this test", %s}`, c.quirk)} {
				escl.SetQuirks(t, "["+row+"]")
				r := newRig(t, virtual.ScannerOptions{})
				r.fn.SetNeeds(c.needs)
				err := r.twoPages(t, map[bool]time.Duration{true: 1500 * time.Millisecond, false: 20 * time.Second}[row == ""])
				if row != "" && err != nil {
					t.Errorf("with the quirk: %v", err)
				}
				if row == "" && !slices.ContainsFunc(c.want, func(w error) bool { return errors.Is(err, w) }) {
					t.Errorf("without the quirk: %v, want one of %v", err, c.want)
				}
				if h, claims := r.bus.Leaks(); h+claims != 0 {
					t.Errorf("%d handles, %d claims left", h, claims)
				}
			}
		})
	}
}

// twoPages opens, scans twice, and closes.
func (r *rig) twoPages(t *testing.T, within time.Duration) error {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	d, err := r.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	for range 2 {
		if _, err := d.Scan(ctx, devices.ScanOptions{Resolution: dpi}, nil); err != nil {
			return err
		}
	}
	return nil
}

// A scanner that waits for an empty packet after a full last one gets stuck on
// exactly those requests that fill their last packet. In a bubble, whose clock stands
// while anything computes: on a starved machine any request may take longer than the
// test waits for an answer.
func TestZeroPacket(t *testing.T) {
	for _, send := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, virtual.ScannerOptions{Interfaces: 1})
			r.fn.SetNeeds(virtual.ScannerNeeds{ZLP: true})
			list, err := r.bus.List(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			dev, err := r.bus.Open(t.Context(), port)
			if err != nil {
				t.Fatal(err)
			}
			tr, err := ippusb.Open(t.Context(), dev, ippusb.Ports(list[0]), ippusb.Options{Quirks: ippusb.Quirks{SendZLP: send}, Drain: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			stuck := 0
			for pad := range 512 {
				resp, err := tr.Do(t.Context(), ippusb.Request{Method: http.MethodGet, Path: "/eSCL/ScannerStatus?" + strings.Repeat("x", pad),
					Limit: 1 << 20, Idle: 200 * time.Millisecond})
				if err != nil {
					stuck++
					time.Sleep(time.Second) // its pipe is brought back in step meanwhile
					continue
				}
				resp.Body.Close()
			}
			if want := map[bool]int{false: 1, true: 0}[send]; stuck != want {
				t.Errorf("with empty packets %v: %d of 512 requests got stuck, want %d", send, stuck, want)
			}
			tr.Close()
			dev.Close()
		})
	}
}

// A scanner with one interface, or with three, of which another program holds
// some.
func TestInterfaces(t *testing.T) {
	for n := 1; n <= 3; n++ {
		for held := range n {
			r := newRig(t, virtual.ScannerOptions{Interfaces: n})
			other, err := r.bus.Open(t.Context(), port)
			if err != nil {
				t.Fatal(err)
			}
			for i := range held {
				if _, err := other.Claim(t.Context(), i); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.twoPages(t, 20*time.Second); err != nil {
				t.Errorf("%d interfaces, %d held: %v", n, held, err)
			}
			other.Close()
		}
	}
}

// A model that is known not to work is said so, and not touched.
func TestRefusedModel(t *testing.T) {
	escl.SetQuirks(t, `[{"name": "Tambo Virtual", "refuse": true, "source": "somebody tried"}]`)
	r := newRig(t, virtual.ScannerOptions{})
	if _, err := r.open(t.Context()); !errors.Is(err, devices.ErrUnsupported) || !strings.Contains(err.Error(), "somebody tried") {
		t.Error(err)
	}
}
