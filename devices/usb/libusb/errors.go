package libusb

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// gousb wraps many errors as text only; the code in it is all that is left.
var codeInText = regexp.MustCompile(`libusb: [^\[]*\[code (-?\d+)\]`)

// mapErr gives a usb error for whatever gousb returned; nil stays nil.
func mapErr(err error) error {
	if err == nil {
		return nil
	}
	var status gousb.TransferStatus
	if errors.As(err, &status) {
		return wrap(statusKind(status), err)
	}
	var code gousb.Error
	if errors.As(err, &code) {
		return wrap(codeKind(code), err)
	}
	if m := codeInText.FindStringSubmatch(err.Error()); m != nil {
		n, _ := strconv.Atoi(m[1])
		return wrap(codeKind(gousb.Error(n)), err)
	}
	for _, known := range []error{usb.ErrGone, usb.ErrTimeout, usb.ErrNotFound, usb.ErrBusy, usb.ErrIO} {
		if errors.Is(err, known) {
			return err
		}
	}
	return wrap(usb.ErrIO, err)
}

func wrap(kind, err error) error { return fmt.Errorf("%w: %w", kind, err) }

// statusKind: a transfer of an unplugged device ends as "no device", or, when
// the host controller was faster than the hub, as "error"; see gone.
func statusKind(s gousb.TransferStatus) error {
	switch s {
	case gousb.TransferStall:
		return usb.ErrStall
	case gousb.TransferNoDevice:
		return usb.ErrGone
	case gousb.TransferOverflow:
		return usb.ErrOverflow
	case gousb.TransferTimedOut, gousb.TransferCancelled:
		return usb.ErrTimeout
	}
	return usb.ErrIO
}

func codeKind(c gousb.Error) error {
	switch c {
	case gousb.ErrorNoDevice:
		return usb.ErrGone
	case gousb.ErrorNotFound:
		return usb.ErrNotFound
	case gousb.ErrorBusy:
		return usb.ErrBusy
	case gousb.ErrorAccess:
		return usb.ErrAccess
	case gousb.ErrorTimeout:
		return usb.ErrTimeout
	case gousb.ErrorPipe:
		return usb.ErrStall
	case gousb.ErrorOverflow:
		return usb.ErrOverflow
	}
	return usb.ErrIO
}

// ended gives the error of an operation whose context ended.
func ended(ctx context.Context) error {
	return fmt.Errorf("%w: %w", usb.ErrTimeout, context.Cause(ctx))
}
