package libusb

// #include <libusb.h>
import "C"

// unbalanced says that this libusb (before 1.0.27, Debian 12 has 1.0.26) gives a
// lock back that it did not take when a setting is selected on a device that is
// gone, and then aborts the program when that handle is closed (libusb issue 1199).
var unbalanced = func() bool {
	v := C.libusb_get_version()
	return v.major == 1 && v.minor == 0 && v.micro < 27
}()
