package kerneltest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/devices/usb"
)

// vhci is the kernel's virtual host controller (drivers/usb/usbip/vhci_hcd.c).
const vhci = "/sys/devices/platform/vhci_hcd.0"

// Ports is how many high-speed devices the controller takes. Its port n-1 is
// "1-n" to the system.
const Ports = 8

// Socket makes a pair of connected sockets: one for the kernel, one for who
// answers for the device.
func Socket() (kernel *os.File, device net.Conn, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	kernel = os.NewFile(uintptr(fds[0]), "vhci")
	ours := os.NewFile(uintptr(fds[1]), "device")
	device, err = net.FileConn(ours)
	ours.Close()
	if err != nil {
		kernel.Close()
		return nil, nil, err
	}
	return kernel, device, nil
}

// Attach gives a connection, in the URB phase of USB/IP, to the controller: a
// device is plugged in at port 1 to [Ports].
func Attach(port int, conn *os.File, speed usb.Speed) error {
	// The device id is bus and number at the exporter's; the kernel takes any.
	line := fmt.Sprintf("%d %d %d %d\n", port-1, conn.Fd(), 1<<16|port, speed)
	if err := os.WriteFile(filepath.Join(vhci, "attach"), []byte(line), 0); err != nil {
		return fmt.Errorf("kerneltest: attach at port %d: %w", port, err)
	}
	return nil
}

// Detach pulls the plug, and returns when the port is empty. An empty port is no
// error.
func Detach(port int) error {
	err := os.WriteFile(filepath.Join(vhci, "detach"), fmt.Appendf(nil, "%d\n", port-1), 0)
	if err != nil && !strings.Contains(err.Error(), "invalid argument") {
		return fmt.Errorf("kerneltest: detach port %d: %w", port, err)
	}
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		free, err := Free(port)
		if err != nil || free {
			return err
		}
		if time.Since(began) > 10*time.Second {
			return fmt.Errorf("kerneltest: port %d does not become free", port)
		}
	}
}

// Free reports whether nothing is plugged in at a port.
func Free(port int) (bool, error) {
	status, err := os.ReadFile(filepath.Join(vhci, "status"))
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(status)) {
		var hub string
		var n, state int
		if k, _ := fmt.Sscanf(line, "%s %d %d", &hub, &n, &state); k == 3 && hub == "hs" && n == port-1 {
			return state == 4, nil // VDEV_ST_NULL
		}
	}
	return false, fmt.Errorf("kerneltest: the controller has no port %d:\n%s", port, status)
}

// Plugged reports whether the system has a configured device at a port, as
// sysfs says.
func Plugged(port int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/sys/bus/usb/devices/1-%d/bConfigurationValue", port))
	return err == nil && strings.TrimSpace(string(b)) != "" && strings.TrimSpace(string(b)) != "0"
}

// hub is the controller's own hub for high-speed devices.
const hub = "/sys/bus/usb/devices/usb1/authorized"

// ResetHub takes the controller's hub out of service and puts it back: the system
// loses all that hangs on it and finds it again, as when a hub resets.
func ResetHub() error {
	for _, v := range []string{"0", "1"} {
		if err := os.WriteFile(hub, []byte(v), 0); err != nil {
			return fmt.Errorf("kerneltest: the hub: %w", err)
		}
	}
	return nil
}
