package virtualtest

import (
	"context"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/virtual"
)

// unplugs: the handle is of no use after these.
var unplugs = map[string]bool{string(virtual.ScannerUnplug): true, "usb-unplug": true}

// ScannerFaults says for each fault of a virtual scanner, and for those of USB
// below it ("usb-…"), which error tells it.
func ScannerFaults(t testing.TB, dev *virtual.Device) []devicetest.ScannerFault {
	fn := dev.Function().(*virtual.Scanner)
	set := func(f virtual.ScannerFault) {
		if err := fn.SetFault(f, 0); err != nil {
			t.Error(err)
		}
	}
	var out []devicetest.ScannerFault
	for _, c := range scannerFaults {
		out = append(out, devicetest.ScannerFault{Name: string(c.fault), Want: c.want, Within: c.within, Act: c.act,
			Gone:   unplugs[string(c.fault)],
			Strike: func() { set(c.fault) },
			Heal:   func() { set(virtual.ScannerHealthy) }})
	}
	if len(out) != len(virtual.ScannerFaults) {
		t.Errorf("%d of %d faults are tested", len(out), len(virtual.ScannerFaults))
	}
	for _, c := range usbFaults {
		within := 20 * time.Second
		if c.f.Hang+c.f.Drop+c.f.Short > 0 {
			within = 1500 * time.Millisecond // nothing but the deadline ends the wait
		}
		out = append(out, devicetest.ScannerFault{Name: c.name, Want: c.want, Within: within,
			Gone:   unplugs[c.name],
			Strike: func() { dev.SetFaults(c.f) },
			Heal:   func() { dev.SetFaults(virtual.Faults{}) }})
	}
	return out
}

var (
	bad, stalled = []error{devices.ErrBadData}, []error{devices.ErrStalled}
	either       = []error{devices.ErrBadData, devices.ErrStalled}
)

// short ends a wait that nothing but the deadline ends.
const short = 700 * time.Millisecond

func capabilities(ctx context.Context, d devices.DocumentScanner) error {
	_, err := d.Capabilities(ctx)
	return err
}

var scannerFaults = []struct {
	fault  virtual.ScannerFault
	want   []error
	within time.Duration
	act    func(context.Context, devices.DocumentScanner) error
}{
	{virtual.ScannerBadXML, bad, 0, capabilities},
	{virtual.ScannerEntities, bad, 0, capabilities},
	{virtual.ScannerGarbage, bad, 0, nil},
	{virtual.ScannerSilent, stalled, short, nil},
	{virtual.ScannerBusy, []error{devices.ErrBusy}, 0, nil},
	{virtual.ScannerRefuse, []error{devices.ErrUnsupported}, 0, nil},
	{virtual.ScannerAbort, bad, 0, nil},
	{virtual.ScannerTruncate, bad, 0, nil},
	{virtual.ScannerCutTail, bad, 0, nil},
	{virtual.ScannerShortLength, bad, 0, nil},
	{virtual.ScannerLongLength, stalled, short, nil},
	{virtual.ScannerNoLength, bad, 0, nil},
	{virtual.ScannerBadChunk, bad, 0, nil},
	{virtual.ScannerHang, stalled, short, nil},
	{virtual.ScannerHalt, stalled, 0, nil},
	{virtual.ScannerUnplug, []error{devices.ErrGone}, 0, nil},
	{virtual.ScannerHugeImage, bad, 0, nil},
	{virtual.ScannerNotImage, bad, 0, nil},
	{virtual.ScannerPDF, []error{devices.ErrUnsupported}, 0, nil},
	{virtual.ScannerNoZLP, nil, 20 * time.Second, nil},
	{virtual.ScannerEndless, bad, 0, nil},
}

var usbFaults = []struct {
	name string
	f    virtual.Faults
	want []error
}{
	{"usb-error", virtual.Faults{Error: 1}, bad},
	{"usb-stall", virtual.Faults{Stall: 1}, stalled},
	{"usb-hang", virtual.Faults{Hang: 1}, stalled},
	{"usb-babble", virtual.Faults{Babble: 1}, bad},
	{"usb-drop", virtual.Faults{Drop: 0.4, Seed: 3}, either},
	{"usb-short", virtual.Faults{Short: 0.4, Seed: 4}, either},
	{"usb-delay", virtual.Faults{Delay: 1, DelayBy: 5 * time.Millisecond}, nil},
	{"usb-unplug", virtual.Faults{Unplug: 1}, []error{devices.ErrGone}},
	{"usb-control", virtual.Faults{Error: 1, Control: true}, bad},
}
