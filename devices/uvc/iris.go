package uvc

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"tambo/devices"
	"tambo/devices/usb"
)

// IrisCamera is an opened iris camera.
type IrisCamera struct {
	info   devices.Info
	name   string
	quirks Quirks
	dev    *shared
	eyes   []*video // one, or left and right
	layout Layout

	mu     sync.Mutex
	closed bool
	stream *irisStream
}

var _ devices.IrisCamera = (*IrisCamera)(nil)

// OpenIris opens the camera at a port of a bus and claims its video interfaces.
// Errors are [devices.Error].
func OpenIris(ctx context.Context, bus usb.Bus, port string, q Quirks) (*IrisCamera, error) {
	name := deviceName(devices.KindIrisCamera, port)
	dev, err := openShared(ctx, bus, port)
	if err != nil {
		return nil, fail(name, "open", err)
	}
	c := &IrisCamera{name: name, quirks: q, dev: dev, layout: q.Layout, info: dev.info(devices.KindIrisCamera)}
	if err := c.prepare(ctx); err != nil {
		dev.release()
		return nil, fail(name, "open", err)
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
	c.eyes, err = c.dev.claim(ctx, numbers, func(s Streaming) ([]mode, error) { return s.greyModes(perFrame) })
	return err
}

// Info implements [devices.IrisCamera].
func (c *IrisCamera) Info() devices.Info { return c.info }

// Stream implements [devices.IrisCamera].
func (c *IrisCamera) Stream(ctx context.Context) (devices.IrisStream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, fail(c.name, "start streaming", usb.ErrGone)
	}
	if c.stream != nil {
		return nil, &devices.Error{Device: c.name, Op: "start streaming", Kind: devices.ErrBusy, Err: errStreaming}
	}
	for i, v := range c.eyes {
		if err := v.begin(ctx); err != nil {
			for _, b := range c.eyes[:i+1] {
				b.halt(err)
			}
			return nil, fail(c.name, "start streaming", err)
		}
	}
	c.stream = startStream(c)
	return c.stream, nil
}

// ended forgets a stream that was closed.
func (c *IrisCamera) ended(s *irisStream) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == s {
		c.stream = nil
	}
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
	for _, v := range c.eyes { // two eyes may be of two functions
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

// Close implements [devices.IrisCamera].
func (c *IrisCamera) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	s := c.stream
	c.mu.Unlock()
	if s != nil {
		s.Close()
	}
	c.dev.unclaim(c.eyes)
	return c.dev.release()
}
