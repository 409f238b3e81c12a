package escl

import (
	"context"
	"errors"
	"fmt"

	"tambo/devices"
	"tambo/devices/escl/internal/ippusb"
	"tambo/devices/usb"
)

// reason is a failure of a known kind, on its way to become a [devices.Error].
type reason struct{ kind, cause error }

func (r *reason) Error() string   { return r.kind.Error() + " (" + r.cause.Error() + ")" }
func (r *reason) Unwrap() []error { return []error{r.kind, r.cause} }

func because(kind error, format string, args ...any) error {
	return &reason{kind, fmt.Errorf(format, args...)}
}

// kinds maps what went wrong below to what the kiosk is told, first match.
var kinds = []struct{ cause, kind error }{
	{usb.ErrGone, devices.ErrGone},
	{usb.ErrNotFound, devices.ErrGone},
	{ippusb.ErrClosed, devices.ErrGone},
	{usb.ErrBusy, devices.ErrBusy},
	{usb.ErrAccess, devices.ErrAccess},
	{usb.ErrStall, devices.ErrStalled},
	{usb.ErrTimeout, devices.ErrStalled},
	{usb.ErrOverflow, devices.ErrBadData},
	{usb.ErrIO, devices.ErrBadData},
	{ippusb.ErrProtocol, devices.ErrBadData},
	{ippusb.ErrTooLarge, devices.ErrBadData},
	{errXML, devices.ErrBadData},
	{errImage, devices.ErrBadData},
	{devices.ErrGone, devices.ErrGone},
	{devices.ErrNoPaper, devices.ErrNoPaper},
	{devices.ErrPaperJam, devices.ErrPaperJam},
	{devices.ErrCoverOpen, devices.ErrCoverOpen},
}

// fail makes the error that a caller gets. What the caller cancelled is told as
// context.Canceled and is no fault of the device.
func fail(device, op string, err error) error {
	var done *devices.Error
	if err == nil || errors.As(err, &done) {
		return err
	}
	if r := (*reason)(nil); errors.As(err, &r) {
		return &devices.Error{Device: device, Op: op, Kind: r.kind, Err: r.cause}
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %s: %w", device, op, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &devices.Error{Device: device, Op: op, Kind: devices.ErrStalled, Err: err}
	}
	for _, k := range kinds {
		if errors.Is(err, k.cause) {
			if err == k.kind {
				err = nil // nothing to add
			}
			return &devices.Error{Device: device, Op: op, Kind: k.kind, Err: err}
		}
	}
	return &devices.Error{Device: device, Op: op, Kind: devices.ErrBadData, Err: err}
}
