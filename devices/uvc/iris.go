package uvc

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strings"
	"sync"

	"tambo/devices"
	"tambo/devices/usb"
)

// IrisCamera is an opened iris camera.
type IrisCamera struct {
	info   devices.Info
	name   string
	quirks Quirks
	dev    usb.Device
	fn     Function
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
	name := deviceName(port)
	dev, err := bus.Open(ctx, port)
	if err != nil {
		return nil, fail(name, "open", err)
	}
	c, err := newIris(ctx, dev, q)
	if err != nil {
		dev.Close()
		return nil, fail(name, "open", err)
	}
	i := dev.Info()
	c.name = name
	c.info = devices.Info{
		Kind: devices.KindIrisCamera, Driver: "uvc", Virtual: bus.Virtual(), Port: i.Port,
		Name:     usb.CleanName(strings.TrimSpace(i.Strings.Manufacturer + " " + i.Strings.Product)),
		Serial:   usb.CleanName(i.Strings.Serial),
		VendorID: i.VendorID, ProductID: i.ProductID,
	}
	return c, nil
}

func newIris(ctx context.Context, dev usb.Device, q Quirks) (*IrisCamera, error) {
	fn, err := ParseFunction(dev.Info().Config)
	if err != nil {
		return nil, err
	}
	c := &IrisCamera{quirks: q, dev: dev, fn: fn, layout: q.Layout}
	numbers, perFrame := []int{q.Left, q.Right}, 1
	switch q.Layout {
	case LayoutSideBySide:
		numbers, perFrame = []int{q.Interface}, 2
	case LayoutStreams:
	default:
		return nil, fmt.Errorf("%w: layout %q", errUnsupported, q.Layout)
	}
	if _, err := dev.Claim(ctx, fn.ControlNum); err != nil {
		return nil, fmt.Errorf("control interface: %w", err)
	}
	for _, n := range numbers {
		s, ok := fn.Stream(n)
		if !ok {
			return nil, fmt.Errorf("%w: no streaming interface %d", errUnsupported, n)
		}
		m, err := s.choose(perFrame)
		if err != nil {
			return nil, err
		}
		i, err := dev.Claim(ctx, n)
		if err != nil {
			return nil, fmt.Errorf("streaming interface: %w", err)
		}
		c.eyes = append(c.eyes, &video{dev: dev, iface: i, info: s, mode: m})
	}
	return c, nil
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
	for _, v := range c.eyes {
		m, err := negotiate(ctx, c.dev, v.info.Number, v.mode)
		if err != nil {
			return nil, fail(c.name, "start streaming", err)
		}
		v.mode = m
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
	id, ok := c.fn.unit(u.GUID)
	if !ok {
		return fail(c.name, op, fmt.Errorf("%w: the camera has no such extension unit", errUnsupported))
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(u.Min+int64(math.Round(level*float64(u.Max-u.Min)))))
	_, err := c.dev.Control(ctx, setup(typeSet, setCur, u.Selector, id, c.fn.ControlNum), b[:min(max(u.Size, 1), 8)])
	return fail(c.name, op, err)
}

// unit finds an extension unit by its GUID in hexadecimal.
func (f *Function) unit(guid string) (uint8, bool) {
	g, err := hex.DecodeString(guid)
	if err != nil || len(g) != 16 {
		return 0, false
	}
	for _, u := range f.Units {
		if u.GUID == [16]byte(g) {
			return u.ID, true
		}
	}
	return 0, false
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
	return c.dev.Close()
}
