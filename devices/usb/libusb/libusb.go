// Package libusb is a [usb.Bus] over real hardware: gousb v1.1.3 on libusb 1.0.
// It is the only room that knows gousb, and through it the only C code for USB.
//
// gousb's oddities stay in here: it panics where libusb cannot start and on
// interface numbers that are not contiguous, its control transfers may wait for
// ever, one failed transfer ends its streams, it cannot clear a halted endpoint,
// its isochronous transfers lose their packet boundaries (packets.go goes to
// libusb itself for both), and it has no hot-plug notice, so that List begins anew each time. A device
// that was unplugged shows in five ways; all are usb.ErrGone here.
//
// It opens a device only to use it, or to read descriptors that the system does
// not offer otherwise; it takes an interface from the kernel's driver only when
// that interface is claimed, and gives it back on release.
package libusb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// Bus is the real USB of this machine. Safe for concurrent use.
type Bus struct {
	mu     sync.Mutex
	closed bool
	nodes  string // what was plugged in when listed was made
	listed []usb.DeviceInfo
	open   map[*device]struct{}
}

var _ usb.Bus = (*Bus)(nil)

// New makes the bus. It touches nothing yet; a machine without USB has an empty
// bus.
func New() *Bus { return &Bus{open: map[*device]struct{}{}} }

// Name is "usb".
func (b *Bus) Name() string { return "usb" }

// Virtual is false.
func (b *Bus) Virtual() bool { return false }

// begin starts libusb. gousb panics where that fails: on a machine without USB
// file system, which is then a bus without devices.
func begin() (ctx *gousb.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("libusb cannot start: %v: %w", r, errNoUSB)
		}
	}()
	return gousb.NewContext(), nil
}

var errNoUSB = errors.New("no USB on this machine")

// devices visits what is plugged in and opens where want says so. gousb panics
// on a port chain that is deeper than USB allows.
func openDevices(ctx *gousb.Context, want func(*gousb.DeviceDesc) bool) (devs []*gousb.Device, err error) {
	defer func() {
		if r := recover(); r != nil {
			devs, err = nil, fmt.Errorf("libusb: %v: %w", r, usb.ErrIO)
		}
	}()
	return ctx.OpenDevices(want)
}

// portOf writes bus and port chain as the kernel does: "1-4.2". Root hubs are
// "usb1".
func portOf(d *gousb.DeviceDesc) string {
	if len(d.Path) == 0 {
		return fmt.Sprintf("usb%d", d.Bus)
	}
	parts := make([]string, len(d.Path))
	for i, p := range d.Path {
		parts[i] = strconv.Itoa(p)
	}
	return fmt.Sprintf("%d-%s", d.Bus, strings.Join(parts, "."))
}

// Where the kernel shows USB. Variables for tests.
var (
	sysfsDir = "/sys/bus/usb/devices"
	nodesDir = "/dev/bus/usb"
)

// nodes fingerprints what is plugged in: every plugging makes a new device node.
// Empty where the system has no such folder.
func nodes() string {
	names, _ := filepath.Glob(filepath.Join(nodesDir, "*", "*"))
	return strings.Join(names, " ")
}

// List implements [usb.Bus]. Root hubs are left out. While nothing is plugged in or
// out it answers from memory.
func (b *Bus) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, usb.ErrGone
	}
	now := nodes()
	if now != "" && now == b.nodes {
		return slices.Clone(b.listed), nil
	}
	list, whole, err := enumerate(ctx)
	if err != nil {
		return nil, err
	}
	b.nodes = ""
	if whole {
		b.nodes, b.listed = now, list
	}
	return slices.Clone(list), nil
}

// enumerate asks libusb. whole is false when some device could not be read, for
// instance because udev has not set its permissions yet.
func enumerate(ctx context.Context) (list []usb.DeviceInfo, whole bool, err error) {
	c, err := begin()
	if errors.Is(err, errNoUSB) {
		if _, e := os.Stat(nodesDir); e != nil {
			return nil, false, nil
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", usb.ErrIO, err)
	}
	defer c.Close()
	var descs []*gousb.DeviceDesc
	_, err = openDevices(c, func(d *gousb.DeviceDesc) bool {
		if len(d.Path) > 0 && d.Class != gousb.ClassHub {
			descs = append(descs, d)
		}
		return false
	})
	if err != nil && len(descs) == 0 {
		return nil, false, mapErr(err)
	}
	whole = err == nil
	for _, d := range descs {
		info, ok := describe(ctx, c, d)
		whole = whole && ok
		list = append(list, info)
	}
	slices.SortFunc(list, func(x, y usb.DeviceInfo) int { return strings.Compare(x.Port, y.Port) })
	return list, whole, nil
}

// describe completes what libusb says with raw descriptors and strings: from the
// kernel's files, which opens nothing, else from the device.
func describe(ctx context.Context, c *gousb.Context, d *gousb.DeviceDesc) (usb.DeviceInfo, bool) {
	info := usb.DeviceInfo{
		Port: portOf(d), Address: d.Address, VendorID: uint16(d.Vendor), ProductID: uint16(d.Product),
		Class: uint8(d.Class), Speed: speedOf(d.Speed),
	}
	if sysfs(&info) {
		return info, true
	}
	devs, err := openDevices(c, func(o *gousb.DeviceDesc) bool { return o.Bus == d.Bus && o.Address == d.Address })
	for _, dev := range devs {
		defer dev.Close()
	}
	if err != nil || len(devs) == 0 {
		return info, false
	}
	return info, readDescriptors(ctx, devs[0], &info) == nil
}

// sysfs fills descriptors and strings in from the kernel's files.
func sysfs(info *usb.DeviceInfo) bool {
	dir := filepath.Join(sysfsDir, info.Port)
	raw, err := os.ReadFile(filepath.Join(dir, "descriptors"))
	if err != nil || len(raw) < 18+9 || len(raw) > 18+4*usb.MaxConfig {
		return false
	}
	num, err := os.ReadFile(filepath.Join(dir, "devnum"))
	if err != nil || strings.TrimSpace(string(num)) != strconv.Itoa(info.Address) {
		return false // another plugging than libusb saw
	}
	info.Virtual = onSoftware(dir)
	info.Config = raw[18:] // ParseConfig ends at wTotalLength of the first
	text := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name))
		return usb.CleanName(string(b))
	}
	info.Strings = usb.Strings{Manufacturer: text("manufacturer"), Product: text("product"), Serial: text("serial")}
	return true
}

// onSoftware reports whether a device hangs on a host controller that is made of
// software: somebody attached it over USB/IP, or it is a gadget of this machine.
func onSoftware(dir string) bool {
	path, err := filepath.EvalSymlinks(dir)
	return err == nil && (strings.Contains(path, "/vhci_hcd") || strings.Contains(path, "/dummy_hcd"))
}

// readDescriptors asks the device itself.
func readDescriptors(ctx context.Context, dev *gousb.Device, info *usb.DeviceInfo) error {
	head := make([]byte, 9)
	if _, err := control(ctx, dev, usb.Setup{RequestType: 0x80, Request: 6, Value: usb.DescConfig << 8}, head); err != nil {
		return err
	}
	cfg := make([]byte, int(head[2])|int(head[3])<<8)
	n, err := control(ctx, dev, usb.Setup{RequestType: 0x80, Request: 6, Value: usb.DescConfig << 8}, cfg)
	if err != nil {
		return err
	}
	info.Config = cfg[:n]
	manufacturer, _ := dev.Manufacturer() // best effort, and bounded by libusb to a second each
	product, _ := dev.Product()
	serial, _ := dev.SerialNumber()
	info.Strings = usb.Strings{Manufacturer: usb.CleanName(manufacturer), Product: usb.CleanName(product), Serial: usb.CleanName(serial)}
	return nil
}

func speedOf(s gousb.Speed) usb.Speed {
	switch s {
	case gousb.SpeedLow:
		return usb.SpeedLow
	case gousb.SpeedFull:
		return usb.SpeedFull
	case gousb.SpeedHigh:
		return usb.SpeedHigh
	case gousb.SpeedSuper:
		return usb.SpeedSuper
	}
	return usb.SpeedUnknown
}

// Open implements [usb.Bus]. Each handle has a libusb context of its own, since an
// old one may not see a new device.
func (b *Bus) Open(ctx context.Context, port string) (usb.Device, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("port %s: %w: %w", port, usb.ErrTimeout, context.Cause(ctx))
	}
	c, err := begin()
	if err != nil {
		return nil, fmt.Errorf("port %s: %w: %w", port, usb.ErrNotFound, err)
	}
	devs, err := openDevices(c, func(d *gousb.DeviceDesc) bool { return portOf(d) == port })
	d := &device{bus: b, ctx: c}
	switch {
	case len(devs) == 0 && err != nil:
		err = mapErr(err)
	case len(devs) == 0:
		err = usb.ErrNotFound
	default:
		d.dev = devs[0]
		err = d.prepare(ctx)
	}
	if err != nil {
		for _, dev := range devs {
			dev.Close()
		}
		c.Close()
		return nil, fmt.Errorf("port %s: %w", port, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		go d.Close()
		return nil, usb.ErrGone
	}
	b.open[d] = struct{}{}
	return d, nil
}

// Close closes every open device.
func (b *Bus) Close() error {
	b.mu.Lock()
	b.closed = true
	var all []*device
	for d := range b.open {
		all = append(all, d)
	}
	b.mu.Unlock()
	for _, d := range all {
		d.Close()
	}
	return nil
}
