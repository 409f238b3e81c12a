package v4l2

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tambo/devices"
)

// camera is what iris and face cameras have in common: the nodes of one device
// and one stream at a time.
type camera struct {
	info  devices.Info
	label string
	nodes []*node

	mu     sync.Mutex
	closed bool
	stream interface{ Close() error }
}

// Info implements the cameras of package devices.
func (c *camera) Info() devices.Info { return c.info }

// find opens the nodes of a camera: those that capture in order, and for each the
// metadata that belongs to it, nil where there is none.
func find(port string) (video, meta []*node, err error) {
	nodes, err := at(port)
	if err != nil {
		return nil, nil, err
	}
	for _, n := range nodes {
		o, err := open(n)
		if err != nil {
			closeAll(video, meta)
			return nil, nil, err
		}
		switch {
		case o.kind == typeVideo:
			video, meta = append(video, o), append(meta, nil)
		case o.kind == typeMeta && len(meta) > 0 && meta[len(meta)-1] == nil:
			meta[len(meta)-1] = o
		default:
			o.close()
		}
	}
	if len(video) == 0 {
		closeAll(meta)
		return nil, nil, fmt.Errorf("%w: the camera's nodes capture nothing", errUnsupported)
	}
	return video, meta, nil
}

// Stream names a stream of a camera: the control interface of its video function,
// and its place among that function's streams in the order of their interfaces,
// counted from 0.
type Stream struct{ Function, Index int }

// AnyStream is the first that will do.
var AnyStream = Stream{Index: -1}

// locate finds a stream among the nodes that capture; -1 where it is not there.
func (s Stream) locate(video []*node) int {
	n := 0
	for i, v := range video {
		if v.Function != s.Function {
			continue
		}
		if n == s.Index {
			return i
		}
		n++
	}
	return -1
}

func closeAll(lists ...[]*node) {
	for _, l := range lists {
		for _, n := range l {
			if n != nil {
				n.close()
			}
		}
	}
}

// choose prepares the first mode that the kernel agrees to.
func (n *node) choose(modes []mode, what string) error {
	err := fmt.Errorf("%w: %s has no %s format of a usable size", errUnsupported, n.Path, what)
	for _, m := range modes {
		if err = n.prepare(m); err == nil || kindOf(err) != devices.ErrUnsupported {
			return err
		}
		n.release() // what was agreed on by half
	}
	return err
}

// begin makes a stream unless one runs.
func (c *camera) begin(ctx context.Context, start func() interface{ Close() error }) error {
	const op = "start streaming"
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return fail(c.label, op, errClosed)
	case c.stream != nil:
		return fail(c.label, op, errStreaming)
	case ctx.Err() != nil:
		return &devices.Error{Device: c.label, Op: op, Kind: devices.ErrStalled, Err: context.Cause(ctx)}
	}
	for _, n := range c.nodes {
		if n.lost() {
			return fail(c.label, op, errNone)
		}
	}
	c.stream = start()
	return nil
}

// lost reports whether the device behind a node went away.
func (n *node) lost() bool {
	var c capability
	return gone(ioctl(n.fd, queryCap, &c))
}

// ended forgets a stream that was closed.
func (c *camera) ended(s interface{ Close() error }) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == s {
		c.stream = nil
	}
}

// Close implements the cameras of package devices. It ends the stream.
func (c *camera) Close() error {
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
	closeAll(c.nodes)
	return nil
}

// quiet is how long a node may deliver nothing.
func (n *node) quiet() time.Duration { return max(quietLeast, 8*n.mode.interval) }
