// Package v4l2 drives cameras through the kernel's own driver: the fallback for
// those that the kernel must keep (no permission for raw USB, a maker's module,
// a camera that works with its quirks in the kernel only). It is pure Go on
// /dev/videoN: memory-mapped buffers, formats GREY, YUYV, NV12 and MJPG.
//
// Only cameras on USB are found, by the port that they are plugged into, so that a
// camera keeps its name whichever driver takes it; what hangs on a software host
// controller says so as Virtual. A frame is handed out only when the kernel says
// that it is whole and it has all its bytes. Two eyes on two streams are paired by
// the camera's own time stamp, which the kernel hands on as metadata; where it
// does not, such a camera is refused, because nothing else tells exposures apart.
//
// It never loads or configures a module, never changes a control but the
// illumination of an iris camera, never scales, sharpens or judges an image.
// Source: Documentation/userspace-api/media/v4l of the Linux kernel.
//
// Copies of a frame's bytes: one, from the kernel's buffer to the image.
package v4l2

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"tambo/devices"
)

// Reasons of our own.
var (
	errUnsupported = errors.New("v4l2: not supported")
	errStreaming   = errors.New("v4l2: a stream is already running")
	errClosed      = errors.New("v4l2: closed")
	errNone        = errors.New("v4l2: the kernel has no camera there")
)

// kindOf gives the kind of failure that an error means to a caller.
func kindOf(err error) error {
	for _, k := range []struct {
		kind   error
		causes []error
	}{
		{devices.ErrGone, []error{unix.ENODEV, unix.ENXIO, unix.ENOENT, unix.ESHUTDOWN, errClosed, errNone}},
		{devices.ErrBusy, []error{unix.EBUSY, errStreaming}},
		{devices.ErrAccess, []error{unix.EACCES, unix.EPERM}},
		{devices.ErrUnsupported, []error{unix.EINVAL, unix.ENOTTY, errUnsupported}},
		{devices.ErrStalled, []error{unix.ETIMEDOUT, unix.EPIPE}},
	} {
		for _, c := range k.causes {
			if errors.Is(err, c) {
				return k.kind
			}
		}
	}
	return devices.ErrBadData
}

// fail makes the typed error of an operation; nil stays nil.
func fail(device, op string, err error) error {
	var typed *devices.Error
	if err == nil || errors.As(err, &typed) {
		return err
	}
	return &devices.Error{Device: device, Op: op, Kind: kindOf(err), Err: err}
}

// label is what a technician calls it.
func label(k devices.Kind, port string) string { return fmt.Sprintf("%s (port %s)", k, port) }
