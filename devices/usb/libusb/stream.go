package libusb

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/gousb"

	"tambo/devices/usb"
)

// stream keeps a gousb ReadStream going. One failed transfer ends a ReadStream
// and loses what was in flight behind it, so a new one is begun; and a context
// that ends would do the same, so that Next does not lend its own.
type stream struct {
	d     *device
	in    *gousb.InEndpoint
	size  int
	count int

	ctx   context.Context
	end   context.CancelFunc
	wg    sync.WaitGroup
	full  chan piece
	spare chan []byte

	last []byte // handed out by Next
	gone bool
}

var _ usb.Stream = (*stream)(nil)

// piece is one completed transfer.
type piece struct {
	buf []byte
	n   int
	err error
}

// pump reads until the stream is closed or the device is gone.
func (s *stream) pump() {
	for s.ctx.Err() == nil {
		err := s.read()
		if err == nil || !s.send(piece{err: err}) || errors.Is(err, usb.ErrGone) {
			return
		}
		select {
		case <-time.After(streamPause):
		case <-s.ctx.Done():
		}
	}
}

// read runs one ReadStream to its error; nil when the stream was closed.
func (s *stream) read() error {
	rs, err := s.in.NewStream(s.size, s.count)
	if err != nil {
		return s.d.failed(s.ctx, err)
	}
	for {
		var buf []byte
		select {
		case buf = <-s.spare:
		case <-s.ctx.Done():
		}
		// With an ended context this cancels what is in flight, and waits.
		n, err := rs.ReadContext(s.ctx, buf)
		if s.ctx.Err() != nil {
			if err == nil { // it was complete already: end the others
				rs.Close()
				for err == nil {
					_, err = rs.ReadContext(s.ctx, make([]byte, s.size))
				}
			}
			return nil
		}
		if err != nil {
			s.spare <- buf
			return s.d.failed(s.ctx, err)
		}
		if !s.send(piece{buf: buf, n: n}) {
			continue // closed: the next read ends it
		}
	}
}

func (s *stream) send(p piece) bool {
	select {
	case s.full <- p:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *stream) Next(ctx context.Context) ([]byte, error) {
	if s.gone || s.ctx.Err() != nil {
		return nil, usb.ErrGone
	}
	if s.last != nil {
		s.spare <- s.last // there is room: it came from there
		s.last = nil
	}
	select {
	case p := <-s.full:
		if p.err != nil {
			s.gone = errors.Is(p.err, usb.ErrGone)
			return nil, p.err
		}
		s.last = p.buf
		return p.buf[:p.n], nil
	case <-s.ctx.Done():
		return nil, usb.ErrGone
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

func (s *stream) Close() error {
	s.end()
	s.wg.Wait()
	return nil
}
