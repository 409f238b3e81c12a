package uvc

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"tambo/devices"
	"tambo/devices/usb"
)

// IrisCamera is an opened iris camera; its videos are one, or left and right.
type IrisCamera struct {
	camera[*irisStream]
	quirks Quirks
	layout Layout
}

var _ devices.IrisCamera = (*IrisCamera)(nil)

// OpenIris opens the camera at a port of a bus and claims its video interfaces.
// Errors are [devices.Error].
func OpenIris(ctx context.Context, bus usb.Bus, port string, q Quirks) (*IrisCamera, error) {
	c := &IrisCamera{quirks: q, layout: q.Layout}
	if err := c.open(ctx, bus, port, devices.KindIrisCamera, c.prepare); err != nil {
		return nil, err
	}
	return c, nil
}

// prepare picks formats and claims the eyes' interfaces.
func (c *IrisCamera) prepare(ctx context.Context) error {
	numbers, perFrame := []int{c.quirks.Left, c.quirks.Right}, 1
	switch c.layout {
	case LayoutSideBySide:
		numbers, perFrame = []int{c.quirks.Interface}, 2
	case LayoutStreams:
	default:
		return fmt.Errorf("%w: layout %q", errUnsupported, c.layout)
	}
	var err error
	c.videos, err = c.dev.claim(ctx, numbers, func(s Streaming) ([]mode, error) { return s.greyModes(perFrame) })
	return err
}

// Stream implements [devices.IrisCamera].
func (c *IrisCamera) Stream(ctx context.Context) (devices.IrisStream, error) {
	s, err := c.begin(ctx, func() *irisStream { return startStream(c) })
	if err != nil {
		return nil, err // not s: a nil pointer in an interface is not nil
	}
	return s, nil
}

// SetIllumination implements [devices.IrisCamera].
func (c *IrisCamera) SetIllumination(ctx context.Context, level float64) error {
	const op = "set illumination"
	u := c.quirks.Illumination
	if u == nil {
		return fail(c.name, op, errUnsupported)
	}
	if math.IsNaN(level) || level < 0 || level > 1 {
		return fail(c.name, op, fmt.Errorf("%w: level %v is not within 0 and 1", errUnsupported, level))
	}
	for _, v := range c.videos { // two eyes may be of two functions
		id, ok := v.fn.Unit(u.GUID)
		if !ok {
			continue
		}
		var b [8]byte
		binary.LittleEndian.PutUint64(b[:], uint64(u.Min+int64(math.Round(level*float64(u.Max-u.Min)))))
		_, err := c.dev.dev.Control(ctx, setup(typeSet, setCur, u.Selector, id, v.fn.ControlNum), b[:min(max(u.Size, 1), 8)])
		return fail(c.name, op, err)
	}
	return fail(c.name, op, fmt.Errorf("%w: the camera has no such extension unit", errUnsupported))
}
