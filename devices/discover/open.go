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
	return openFirst(ctx, d, devices.KindIrisCamera, "", openIris)
}

// OpenIrisCameraAt opens the iris camera at a port, for a kiosk with two.
func (d *Discovery) OpenIrisCameraAt(ctx context.Context, port string) (devices.IrisCamera, error) {
	return openFirst(ctx, d, devices.KindIrisCamera, port, openIris)
}

// OpenFaceCamera opens the first face camera that can be opened. Errors are as of
// OpenIrisCamera.
func (d *Discovery) OpenFaceCamera(ctx context.Context) (devices.FaceCamera, error) {
	return openFirst(ctx, d, devices.KindFaceCamera, "", openFace)
}

// OpenFaceCameraAt opens the face camera at a port.
func (d *Discovery) OpenFaceCameraAt(ctx context.Context, port string) (devices.FaceCamera, error) {
	return openFirst(ctx, d, devices.KindFaceCamera, port, openFace)
}

// OpenFace opens this face camera and no other: one of two video functions.
func (d Device) OpenFace(ctx context.Context) (devices.FaceCamera, error) {
	if d.Info.Kind != devices.KindFaceCamera {
		return nil, d.unusable(fmt.Errorf("it is no %s", devices.KindFaceCamera))
	}
	return openFace(ctx, d)
}

// OpenScanner opens the first document scanner that can be opened. Errors are
// as of OpenIrisCamera.
func (d *Discovery) OpenScanner(ctx context.Context) (devices.DocumentScanner, error) {
	return openFirst(ctx, d, devices.KindDocumentScanner, "", openScanner)
}

// OpenScannerAt opens the document scanner at a port.
func (d *Discovery) OpenScannerAt(ctx context.Context, port string) (devices.DocumentScanner, error) {
	return openFirst(ctx, d, devices.KindDocumentScanner, port, openScanner)
}

func openIris(ctx context.Context, f Device) (devices.IrisCamera, error) {
	return rawOrKernel(f, func() (devices.IrisCamera, error) {
		c, err := uvc.OpenIris(ctx, f.bus, f.Info.Port, *f.quirk.UVC)
		if err != nil {
			return nil, err // not c: a nil pointer in an interface is not nil
		}
		return c, nil
	}, func() (devices.IrisCamera, error) { return kernelIris(ctx, f) })
}

func openFace(ctx context.Context, f Device) (devices.FaceCamera, error) {
	return rawOrKernel(f, func() (devices.FaceCamera, error) {
		c, err := uvc.OpenFace(ctx, f.bus, f.Info.Port, f.face)
		if err != nil {
			return nil, err
		}
		return c, nil
	}, func() (devices.FaceCamera, error) { return kernelFace(ctx, f) })
}

func openScanner(ctx context.Context, f Device) (devices.DocumentScanner, error) {
	return escl.Open(ctx, f.bus, f.usb)
}

// openFirst tries the devices of a kind in order. What kept it from each is in
// the error if none opens; its kind is that of the last try.
func openFirst[T any](ctx context.Context, d *Discovery, kind devices.Kind, port string,
	open func(context.Context, Device) (T, error)) (T, error) {
	var zero T
	found, listErr := d.List(ctx)
	var last error
	for _, f := range found {
		if f.Info.Kind != kind || (port != "" && f.Info.Port != port) {
			continue
		}
		dev, err := open(ctx, f)
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
