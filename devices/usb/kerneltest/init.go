package kerneltest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Init is the guest's first process: it mounts what a system has, loads the
// modules of the image, runs a command with its output on the second serial
// port, and switches the machine off. It returns only where it is not process 1.
func Init(command []string) {
	if os.Getpid() != 1 {
		return
	}
	status := 1
	defer func() { off(status) }()
	if err := system(); err != nil {
		fmt.Println("init:", err)
		return
	}
	tty, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		fmt.Println("init:", err)
		return
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = tty, tty
	cmd.Dir = "/tmp"
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		status = 0
	case errors.As(err, &exit):
		status = exit.ExitCode()
	default:
		fmt.Fprintln(tty, "init:", err)
	}
	fmt.Fprintf(tty, "\n%s%d\n", done, status)
}

// off switches the machine off.
func off(status int) {
	fmt.Println("init: end with status", status)
	time.Sleep(50 * time.Millisecond) // the serial port is not drained by power-off
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	select {}
}

func system() error {
	for _, m := range []struct{ what, where, kind string }{
		{"proc", "/proc", "proc"}, {"sysfs", "/sys", "sysfs"}, {"devtmpfs", "/dev", "devtmpfs"},
		{"tmpfs", "/tmp", "tmpfs"}, {"tmpfs", "/run", "tmpfs"}, {"tmpfs", "/var", "tmpfs"},
	} {
		if err := os.MkdirAll(m.where, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m.what, m.where, m.kind, 0, ""); err != nil && !errors.Is(err, unix.EBUSY) {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	for k, v := range map[string]string{"PATH": "/bin:/sbin:/usr/bin:/usr/sbin", "HOME": "/tmp", "TMPDIR": "/tmp"} {
		if err := os.Setenv(k, v); err != nil {
			return err
		}
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	order, err := os.ReadFile("/mod/order")
	if err != nil {
		return err
	}
	for _, name := range strings.Fields(string(order)) {
		if err := load(filepath.Join("/mod", name+".ko")); err != nil {
			return fmt.Errorf("module %s: %w", name, err)
		}
	}
	return nil
}

func load(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	return nil
}

// loopbackUp brings the interface lo up; the kernel gives it its address.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	r, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	if err := unix.IoctlIfreq(s, unix.SIOCGIFFLAGS, r); err != nil {
		return err
	}
	r.SetUint16(r.Uint16() | unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}
