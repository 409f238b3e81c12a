package v4l2

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// How a stream is kept.
const (
	buffers    = 6
	maxBuffer  = 64 << 20
	quietLeast = 2 * time.Second // without a frame the stream is begun anew
	pauseFirst = 10 * time.Millisecond
	pauseLast  = 500 * time.Millisecond
)

// node is an opened video device.
type node struct {
	Node
	fd   int
	kind uint32 // typeVideo or typeMeta
	mode mode
	bufs [][]byte
}

// open opens a node and asks what it is; kind is 0 where it is nothing of ours.
func open(n Node) (*node, error) {
	fd, err := unix.Open(n.Path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n.Path, err)
	}
	o := &node{Node: n, fd: fd}
	var c capability
	if err := ioctl(fd, queryCap, &c); err != nil {
		o.close()
		return nil, fmt.Errorf("%s: %w", n.Path, err)
	}
	caps := c.Caps
	if caps&capDeviceCaps != 0 {
		caps = c.Local
	}
	switch {
	case caps&capStreaming == 0:
	case caps&capVideo != 0:
		o.kind = typeVideo
	case caps&capMeta != 0:
		o.kind = typeMeta
	}
	return o, nil
}

// close gives everything back; a running stream ends with it.
func (n *node) close() {
	n.unmap()
	_ = unix.Close(n.fd)
}

func (n *node) unmap() {
	for _, b := range n.bufs {
		_ = unix.Munmap(b)
	}
	n.bufs = nil
}

// release gives the buffers back.
func (n *node) release() {
	n.unmap()
	r := requestBuffers{Type: n.kind, Memory: memoryMmap}
	_ = ioctl(n.fd, reqBufs, &r) // none were taken, or close gives them back
}

// prepare sets the format and takes buffers: from now on the node is ours alone.
func (n *node) prepare(m mode) error {
	f := format{Type: typeVideo, Width: uint32(m.width), Height: uint32(m.height), PixelFormat: m.pix, Field: fieldNone}
	if err := ioctl(n.fd, setFmt, &f); err != nil {
		return fmt.Errorf("format %s %d×%d: %w", fourCC(m.pix), m.width, m.height, err)
	}
	if f.PixelFormat != m.pix || int(f.Width) != m.width || int(f.Height) != m.height {
		return fmt.Errorf("%w: the kernel offers %s %d×%d for %s %d×%d", errUnsupported,
			fourCC(f.PixelFormat), f.Width, f.Height, fourCC(m.pix), m.width, m.height)
	}
	m.stride, m.size = int(f.Stride), int(f.Size)
	if err := m.check(); err != nil {
		return err
	}
	if m.interval > 0 {
		p := streamParm{Type: typeVideo, PerFrame: fraction{uint32(m.interval / time.Microsecond), 1_000_000}}
		if err := ioctl(n.fd, setParm, &p); err != nil && !errors.Is(err, unix.ENOTTY) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("frame rate: %w", err)
		}
	}
	n.mode = m
	return n.allocate()
}

// prepareMeta asks for the camera's own payload headers.
func (n *node) prepareMeta() error {
	f := metaFormat{Type: typeMeta, Data: metaUVC}
	if err := ioctl(n.fd, setFmt, &f); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if f.Data != metaUVC {
		return fmt.Errorf("%w: no metadata of payload headers", errUnsupported)
	}
	return n.allocate()
}

// allocate maps the kernel's buffers.
func (n *node) allocate() error {
	r := requestBuffers{Count: buffers, Type: n.kind, Memory: memoryMmap}
	if err := ioctl(n.fd, reqBufs, &r); err != nil {
		return fmt.Errorf("buffers: %w", err)
	}
	if r.Count < 2 || r.Count > 64 {
		return fmt.Errorf("%w: %d buffers", errUnsupported, r.Count)
	}
	for i := range r.Count {
		b := buffer{Index: i, Type: n.kind, Memory: memoryMmap}
		if err := ioctl(n.fd, queryBuf, &b); err != nil {
			return fmt.Errorf("buffer: %w", err)
		}
		if b.Length == 0 || b.Length > maxBuffer {
			return fmt.Errorf("%w: buffers of %d bytes", errUnsupported, b.Length)
		}
		p, err := unix.Mmap(n.fd, int64(b.Offset), int(b.Length), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		if err != nil {
			return fmt.Errorf("buffer: %w", err)
		}
		n.bufs = append(n.bufs, p)
	}
	return nil
}

func (n *node) start() error {
	for i := range n.bufs {
		if err := n.queue(uint32(i)); err != nil {
			return err
		}
	}
	kind := n.kind
	return ioctl(n.fd, streamOn, &kind)
}

func (n *node) stop() error {
	kind := n.kind
	return ioctl(n.fd, streamOff, &kind)
}

func (n *node) queue(i uint32) error {
	b := buffer{Index: i, Type: n.kind, Memory: memoryMmap}
	return ioctl(n.fd, queueBuf, &b)
}

// piece is a filled buffer; data is the kernel's and valid during the call.
type piece struct {
	data     []byte
	sequence uint32
	damaged  bool
}

// pump streams until ctx ends (nil) or the node is gone, and gives each filled
// buffer to take. trouble counts what failed and was retried.
func (n *node) pump(ctx context.Context, quiet time.Duration, take func(piece), trouble func()) error {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return err
	}
	w := os.NewFile(uintptr(wake), "wake")
	defer w.Close()
	stop := context.AfterFunc(ctx, func() { _, _ = w.Write(binary.NativeEndian.AppendUint64(nil, 1)) })
	defer stop()
	for pause := pauseFirst; ctx.Err() == nil; pause = min(2*pause, pauseLast) {
		err := n.start()
		if err == nil {
			err = n.read(ctx, wake, quiet, func(p piece) { pause = pauseFirst; take(p) })
		}
		if e := n.stop(); err == nil {
			err = e
		}
		switch {
		case ctx.Err() != nil:
			return nil
		case gone(err):
			return err
		}
		trouble()
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
	return nil
}

func gone(err error) bool { return errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) }

// read takes buffers until the stream must be begun anew.
func (n *node) read(ctx context.Context, wake int, quiet time.Duration, take func(piece)) error {
	fds := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLIN}, {Fd: int32(wake), Events: unix.POLLIN}}
	for ctx.Err() == nil {
		ready, err := unix.Poll(fds, int(quiet/time.Millisecond))
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || ready == 0 {
			return err // silent: begin anew
		}
		if fds[0].Revents == 0 {
			continue
		}
		b := buffer{Type: n.kind, Memory: memoryMmap}
		err = ioctl(n.fd, dequeueBuf, &b)
		if errors.Is(err, unix.EAGAIN) {
			if fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
				return unix.EIO
			}
			continue
		}
		if err != nil {
			return err
		}
		if int(b.Index) >= len(n.bufs) {
			return fmt.Errorf("%w: buffer %d", errUnsupported, b.Index)
		}
		data := n.bufs[b.Index]
		take(piece{data[:min(int(b.Used), len(data))], b.Sequence, b.Flags&flagError != 0})
		if err := n.queue(b.Index); err != nil {
			return err
		}
	}
	return nil
}
