package libusb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// On any machine, with USB or without, listing works or says clearly why not,
// and an empty port is not found.
func TestListOnThisMachine(t *testing.T) {
	b := New()
	defer b.Close()
	if b.Name() != "usb" || b.Virtual() {
		t.Errorf("bus %q, virtual %v", b.Name(), b.Virtual())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	list, err := b.List(ctx)
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	_, statErr := os.Stat(nodesDir)
	if statErr != nil && len(list) != 0 {
		t.Errorf("%d devices on a machine without USB", len(list))
	}
	t.Logf("%d devices; USB on this machine: %v", len(list), statErr == nil)
	for _, i := range list {
		if _, err := usb.ParseConfig(i.Config); err != nil {
			t.Logf("port %s: %v", i.Port, err)
		}
	}
	if _, err := b.Open(ctx, "99-1"); !errors.Is(err, usb.ErrNotFound) {
		t.Errorf("empty port: %v", err)
	}
	cancel()
	if _, err := b.List(ctx); !errors.Is(err, usb.ErrTimeout) {
		t.Errorf("ended context: %v", err)
	}
	if _, err := b.Open(ctx, "99-1"); !errors.Is(err, usb.ErrTimeout) {
		t.Errorf("open with an ended context: %v", err)
	}
}

func TestMapErr(t *testing.T) {
	for _, tt := range []struct {
		in   error
		want error
	}{
		{gousb.TransferStall, usb.ErrStall},
		{gousb.TransferNoDevice, usb.ErrGone},
		{gousb.TransferOverflow, usb.ErrOverflow},
		{gousb.TransferCancelled, usb.ErrTimeout},
		{gousb.TransferError, usb.ErrIO},
		{gousb.ErrorNoDevice, usb.ErrGone},
		{gousb.ErrorBusy, usb.ErrBusy},
		{gousb.ErrorAccess, usb.ErrAccess},
		{gousb.ErrorPipe, usb.ErrStall},
		{gousb.ErrorTimeout, usb.ErrTimeout},
		// As gousb words it when it wraps by %v.
		{fmt.Errorf("failed to claim interface 1 on %s: %v", "vid=1209", gousb.ErrorBusy), usb.ErrBusy},
		{fmt.Errorf("failed to query active config: %v", gousb.ErrorNoDevice), usb.ErrGone},
		{errors.New("Control() called on x after Close"), usb.ErrIO},
	} {
		if got := mapErr(tt.in); !errors.Is(got, tt.want) {
			t.Errorf("%v became %v, want %v", tt.in, got, tt.want)
		}
	}
	if mapErr(nil) != nil {
		t.Error("nil became an error")
	}
}

// gousb finds an interface by number and uses it by index.
func TestByNumber(t *testing.T) {
	alt := func(n, a int) gousb.InterfaceSetting { return gousb.InterfaceSetting{Number: n, Alternate: a} }
	out := byNumber([]gousb.InterfaceDesc{
		{Number: 3, AltSettings: []gousb.InterfaceSetting{alt(3, 0)}},
		{Number: 0, AltSettings: []gousb.InterfaceSetting{alt(0, 0), alt(0, 1)}},
	})
	if len(out) != 4 {
		t.Fatalf("%d interfaces", len(out))
	}
	for i, want := range []int{0, -1, -1, 3} {
		if out[i].Number != want {
			t.Errorf("index %d has number %d, want %d", i, out[i].Number, want)
		}
		if want >= 0 && len(out[i].AltSettings) < 2 {
			t.Errorf("interface %d: gousb would not select its setting", want)
		}
	}
	if len(byNumber(nil)) != 0 {
		t.Error("interfaces out of nothing")
	}
}

func TestPortOf(t *testing.T) {
	for want, d := range map[string]*gousb.DeviceDesc{
		"1-4.2": {Bus: 1, Path: []int{4, 2}}, "3-1": {Bus: 3, Path: []int{1}}, "usb2": {Bus: 2},
	} {
		if got := portOf(d); got != want {
			t.Errorf("port %q, want %q", got, want)
		}
	}
}

// The kernel's files describe a device without opening it, if they are of the
// same plugging.
func TestSysfs(t *testing.T) {
	dir := t.TempDir()
	defer func(old string) { sysfsDir = old }(sysfsDir)
	sysfsDir = dir
	dev := filepath.Join(dir, "1-4.2")
	if err := os.Mkdir(dev, 0o755); err != nil {
		t.Fatal(err)
	}
	raw := append(make([]byte, 18), 9, 2, 18, 0, 1, 1, 0, 0x80, 50, 9, 4, 0, 0, 0, 14, 1, 0, 0)
	for name, data := range map[string]string{
		"descriptors": string(raw), "devnum": "7\n", "product": "Camera\x07 X\n", "serial": "S1\n",
	} {
		if err := os.WriteFile(filepath.Join(dev, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	info := usb.DeviceInfo{Port: "1-4.2", Address: 7}
	if !sysfs(&info) || info.Strings.Product != "Camera X" || info.Strings.Serial != "S1" || info.Strings.Manufacturer != "" {
		t.Errorf("info %+v", info)
	}
	if c, err := usb.ParseConfig(info.Config); err != nil || len(c.Interfaces) != 1 {
		t.Errorf("configuration %+v, %v", c, err)
	}
	if info.Virtual {
		t.Error("hardware is said to be virtual")
	}
	for _, controller := range []string{"platform/vhci_hcd.0", "platform/dummy_hcd.0"} { // as the kernel links them
		at := filepath.Join(t.TempDir(), controller, "usb1", "1-4.2")
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dev, at); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(at, dev); err != nil {
			t.Fatal(err)
		}
		if soft := (usb.DeviceInfo{Port: "1-4.2", Address: 7}); !sysfs(&soft) || !soft.Virtual {
			t.Errorf("a device on %s is taken for hardware", controller)
		}
		if err := os.Remove(dev); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(at, dev); err != nil {
			t.Fatal(err)
		}
	}
	other := usb.DeviceInfo{Port: "1-4.2", Address: 8}
	if sysfs(&other) {
		t.Error("files of another plugging were taken")
	}
}

// packets.go takes gousb's handle out of its private field: the pinned version
// has it.
func TestHandle(t *testing.T) {
	f, ok := reflect.TypeFor[gousb.Device]().FieldByName("handle")
	if !ok || f.Type.Kind() != reflect.Pointer || f.Type.Elem().Name() != "libusbDevHandle" {
		t.Fatalf("gousb.Device has no handle as v1.1.3 has it: %v", f.Type)
	}
	if handle(&gousb.Device{}) != nil {
		t.Error("the handle of a device that is not open")
	}
}
