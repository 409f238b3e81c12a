package discover

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tambo/devices"
	"tambo/devices/escl"
	"tambo/devices/usb"
	"tambo/devices/uvc"
)

// OpenIrisCamera opens the first iris camera that can be opened. Errors are
// [devices.Error]: ErrGone where there is none, with what was found instead.
func (d *Discovery) OpenIrisCamera(ctx context.Context) (devices.IrisCamera, error) {
	return First(ctx, d, devices.KindIrisCamera, "", Device.OpenIris)
}

// OpenFaceCamera opens the first face camera that can be opened. Errors are as of
// OpenIrisCamera.
func (d *Discovery) OpenFaceCamera(ctx context.Context) (devices.FaceCamera, error) {
	return First(ctx, d, devices.KindFaceCamera, "", Device.OpenFace)
}

// OpenScanner opens the first document scanner that can be opened. Errors are
// as of OpenIrisCamera.
func (d *Discovery) OpenScanner(ctx context.Context) (devices.DocumentScanner, error) {
	return First(ctx, d, devices.KindDocumentScanner, "", Device.OpenScanner)
}

// OpenIris opens this iris camera and no other.
func (d Device) OpenIris(ctx context.Context) (devices.IrisCamera, error) {
	if err := d.must(devices.KindIrisCamera); err != nil {
		return nil, err
	}
	return rawOrKernel(d, func() (devices.IrisCamera, error) {
		c, err := uvc.OpenIris(ctx, d.bus, d.Info.Port, *d.quirk.UVC)
		if err != nil {
			return nil, err // not c: a nil pointer in an interface is not nil
		}
		return c, nil
	}, func() (devices.IrisCamera, error) { return kernelIris(ctx, d) })
}

// OpenFace opens this face camera and no other: one of two video functions.
func (d Device) OpenFace(ctx context.Context) (devices.FaceCamera, error) {
	if err := d.must(devices.KindFaceCamera); err != nil {
		return nil, err
	}
	return rawOrKernel(d, func() (devices.FaceCamera, error) {
		c, err := uvc.OpenFace(ctx, d.bus, d.Info.Port, d.face)
		if err != nil {
			return nil, err
		}
		return c, nil
	}, func() (devices.FaceCamera, error) { return kernelFace(ctx, d) })
}

// OpenScanner opens this scanner and no other.
func (d Device) OpenScanner(ctx context.Context) (devices.DocumentScanner, error) {
	if err := d.must(devices.KindDocumentScanner); err != nil {
		return nil, err
	}
	return escl.Open(ctx, d.bus, d.usb)
}

// must refuses a device that is of another kind.
func (d Device) must(kind devices.Kind) error {
	if d.Info.Kind != kind {
		return d.unusable(fmt.Errorf("it is no %s", kind))
	}
	return nil
}

// First opens the first device of a kind that open can open, in the order of List:
// at a port, or at any where port is empty. open is Device.OpenFace or the like, or
// a function around it that wants to know which device it was. What kept it from
// each is in the error if none opens; its kind is that of the last try.
func First[T any](ctx context.Context, d *Discovery, kind devices.Kind, port string,
	open func(Device, context.Context) (T, error)) (T, error) {
	var zero T
	found, listErr := d.List(ctx)
	var last error
	for _, f := range found {
		if f.Info.Kind != kind || (port != "" && f.Info.Port != port) {
			continue
		}
		dev, err := open(f, ctx)
		if err == nil {
			return dev, nil
		}
		last = err
	}
	if last != nil {
		return zero, last
	}
	name := string(kind)
	if port != "" {
		name = fmt.Sprintf("%s (port %s)", kind, port)
	}
	e := &devices.Error{Device: name, Op: "find", Kind: devices.ErrGone, Err: instead(found, listErr)}
	if errors.Is(listErr, usb.ErrTimeout) {
		e.Kind = devices.ErrStalled
	}
	return zero, e
}

// instead says what is plugged in, for the person who looks for a device.
func instead(found []Device, listErr error) error {
	var parts []string
	for _, f := range found {
		if f.WhyNot != "" && f.WhyNot != "a hub" && len(parts) < 6 {
			parts = append(parts, fmt.Sprintf("port %s %q: %s", f.Info.Port, f.Info.Name, f.WhyNot))
		}
	}
	why := errors.New("nothing of that kind is plugged in")
	if len(parts) > 0 {
		why = fmt.Errorf("%w; plugged in: %s", why, strings.Join(parts, "; "))
	}
	if listErr != nil {
		return fmt.Errorf("%w; %w", why, listErr)
	}
	return why
}
