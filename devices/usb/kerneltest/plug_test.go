package kerneltest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tambo/devices/usb"
	"tambo/devices/virtual"
)

// free holds the controller's ports that no test uses.
var free = func() chan int {
	c := make(chan int, Ports)
	for p := range Ports {
		c <- p + 1
	}
	return c
}()

// outlet is a port of the controller with a virtual device for it.
type outlet struct {
	n    int // port of the controller
	dev  *virtual.Device
	bus  *virtual.Bus  // the device's side
	done chan struct{} // closed when nobody serves the device any more
}

// port is what the system calls it.
func (o *outlet) port() string { return "1-" + strconv.Itoa(o.n) }

// newOutlet takes a free port for a device, until t ends.
func newOutlet(t *testing.T, dev *virtual.Device) *outlet {
	t.Helper()
	o := &outlet{n: <-free, dev: dev, bus: virtual.NewBus()}
	t.Cleanup(func() {
		o.bus.Close()
		if err := o.out(); err != nil {
			t.Error(err)
		}
		free <- o.n
	})
	return o
}

// plug plugs the device in, and returns when the system has configured it.
func (o *outlet) plug(t *testing.T) {
	t.Helper()
	if err := o.in(); err != nil {
		t.Fatal(err)
	}
}

func (o *outlet) in() error {
	if err := o.bus.Plug(o.port(), o.dev); err != nil {
		return err
	}
	kernel, device, err := Socket()
	if err != nil {
		return err
	}
	defer kernel.Close() // the controller holds it
	o.done = make(chan struct{})
	go func() {
		defer close(o.done)
		_ = o.bus.ServeURBs(o.port(), device)
	}()
	if err := Attach(o.n, kernel, usb.SpeedHigh); err != nil {
		device.Close()
		return err
	}
	for began := time.Now(); !Plugged(o.n); time.Sleep(2 * time.Millisecond) {
		if time.Since(began) > 15*time.Second {
			return fmt.Errorf("port %s: the system does not take the device", o.port())
		}
	}
	return nil
}

// unplug pulls the plug: the device hangs up, as hardware does.
func (o *outlet) unplug(t *testing.T) {
	t.Helper()
	o.bus.Unplug(o.port())
	if err := o.out(); err != nil {
		t.Error(err)
	}
}

// out waits until the controller and the system have forgotten the device.
func (o *outlet) out() error {
	if err := Detach(o.n); err != nil {
		return err
	}
	if o.done != nil {
		<-o.done
	}
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		if _, err := os.Stat("/sys/bus/usb/devices/" + o.port()); err != nil {
			return nil
		}
		if time.Since(began) > 15*time.Second {
			return fmt.Errorf("port %s: the system does not let the device go", o.port())
		}
	}
}

// open counts this process's handles on the device's node.
func (o *outlet) open() int {
	num, err := os.ReadFile("/sys/bus/usb/devices/" + o.port() + "/devnum")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(num)))
	node, count := fmt.Sprintf("/dev/bus/usb/001/%03d", n), 0
	fds, _ := os.ReadDir("/proc/self/fd")
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && to == node {
			count++
		}
	}
	return count
}

// renamed is a bus that calls ports as a test does that knows other names.
type renamed struct {
	usb.Bus
	real map[string]string // name in the test → port
}

func (b renamed) List(ctx context.Context) ([]usb.DeviceInfo, error) {
	list, err := b.Bus.List(ctx)
	for i, port := range ports(list) {
		for name, real := range b.real {
			if port == real {
				list[i].Port = name
			}
		}
	}
	slices.SortFunc(list, func(a, b usb.DeviceInfo) int { return strings.Compare(a.Port, b.Port) })
	return list, err
}

func ports(list []usb.DeviceInfo) (out []string) {
	for _, i := range list {
		out = append(out, i.Port)
	}
	return out
}

func (b renamed) Open(ctx context.Context, name string) (usb.Device, error) {
	if port := b.real[name]; port != "" {
		name = port
	}
	return b.Bus.Open(ctx, name)
}
