package discover

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/v4l2"
)

// kept reports whether the kernel must keep the camera: a row of the quirks table
// says so. Only devices of the real bus have a kernel's driver.
func (d Device) kept() bool { return d.quirk != nil && d.quirk.Kernel && d.real() }

// real reports whether the device is where the kernel sees it too.
func (d Device) real() bool { return d.bus.Name() == "usb" && !d.bus.Virtual() }

// rawOrKernel opens a camera by raw USB; by the kernel's driver where that must
// keep it, or where raw USB is refused: no permission, or nothing that our driver
// can use. If the kernel has it neither, the first error stands.
func rawOrKernel[T any](f Device, raw, kernel func() (T, error)) (T, error) {
	if f.kept() {
		return kernel()
	}
	c, err := raw()
	if err == nil || !f.real() || !errors.Is(err, devices.ErrAccess) && !errors.Is(err, devices.ErrUnsupported) {
		return c, err
	}
	if k, kerr := kernel(); kerr == nil {
		return k, nil
	}
	return c, err
}

func kernelFace(ctx context.Context, f Device) (devices.FaceCamera, error) {
	s := v4l2.AnyStream
	if f.face != 0 {
		var err error
		if s, err = f.kernelStream(f.face); err != nil {
			return nil, err
		}
	}
	c, err := v4l2.OpenFace(ctx, f.Info.Port, s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func kernelIris(ctx context.Context, f Device) (devices.IrisCamera, error) {
	q, err := f.kernelQuirks()
	if err != nil {
		return nil, err
	}
	c, err := v4l2.OpenIris(ctx, f.Info.Port, q)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// kernelQuirks says in the kernel's terms what the table says of an iris camera.
func (d Device) kernelQuirks() (q v4l2.Iris, err error) {
	u := d.quirk.UVC
	q = v4l2.Iris{SideBySide: u.Layout == uvc.LayoutSideBySide, RightEyeFirst: u.RightEyeFirst}
	if q.SideBySide {
		q.Left, err = d.kernelStream(u.Interface)
	} else if q.Left, err = d.kernelStream(u.Left); err == nil {
		q.Right, err = d.kernelStream(u.Right)
	}
	if err != nil || u.Illumination == nil {
		return q, err
	}
	all, err := uvc.ParseFunctions(d.usb.Config)
	if err != nil {
		return q, d.unusable(err)
	}
	for _, fn := range all {
		if id, ok := fn.Unit(u.Illumination.GUID); ok {
			q.Illumination = &v4l2.UnitControl{Unit: id, Selector: u.Illumination.Selector, Size: u.Illumination.Size,
				Min: u.Illumination.Min, Max: u.Illumination.Max}
			break
		}
	}
	return q, nil
}

// kernelStream names a streaming interface as the kernel does: by its function, and
// by its place among that function's.
func (d Device) kernelStream(number int) (v4l2.Stream, error) {
	all, err := uvc.ParseFunctions(d.usb.Config)
	if err != nil {
		return v4l2.Stream{}, d.unusable(err)
	}
	for _, fn := range all {
		var own []int
		for _, s := range fn.Streams {
			own = append(own, s.Number)
		}
		slices.Sort(own)
		if i := slices.Index(own, number); i >= 0 {
			return v4l2.Stream{Function: fn.ControlNum, Index: i}, nil
		}
	}
	return v4l2.Stream{}, d.unusable(fmt.Errorf("no streaming interface %d", number))
}

func (d Device) unusable(err error) error {
	return &devices.Error{Device: d.String(), Op: "open", Kind: devices.ErrUnsupported, Err: err}
}
