package urb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"tambo/devices/usb"
)

// Limits of a stream: enough for any camera, and bounded memory.
const (
	maxStreamSize  = 1 << 20
	maxStreamCount = 64
)

// stream is a ring of URBs in flight. The buffer that Next handed out goes back
// into flight when the following Next is called.
type stream struct {
	h       *handle
	address uint8

	mu   sync.Mutex // held by Next, taken by Close
	ring []*URB     // oldest first; nil where nothing is in flight
	last []byte     // handed out, not yet back in flight
	gone bool

	stop context.Context
	end  context.CancelFunc
}

func (i *iface) Stream(ctx context.Context, address uint8, size, count int) (usb.Stream, error) {
	e, err := i.endpoint(address, true)
	if err != nil {
		return nil, err
	}
	if e.Transfer != usb.TransferBulk || size <= 0 || size > maxStreamSize || count <= 0 || count > maxStreamCount {
		return nil, fmt.Errorf("stream of %d transfers of %d bytes on endpoint %#02x: %w", count, size, address, usb.ErrNotFound)
	}
	if ctx.Err() != nil {
		return nil, timeout(ctx)
	}
	s := &stream{h: i.h, address: address}
	s.stop, s.end = context.WithCancel(context.Background())
	for range count {
		s.launch(make([]byte, size))
	}
	return s, nil
}

func (s *stream) launch(buf []byte) {
	u := New(s.address, buf)
	s.ring = append(s.ring, u)
	s.h.Submit(u)
}

func (s *stream) Next(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.stop.Err() != nil {
		return nil, usb.ErrGone
	}
	if s.last != nil {
		s.launch(s.last)
		s.last = nil
	}
	u := s.ring[0]
	select {
	case <-u.Done():
	case <-s.stop.Done():
		return nil, usb.ErrGone
	case <-ctx.Done():
		return nil, timeout(ctx)
	}
	s.h.forget(u)
	copy(s.ring, s.ring[1:])
	s.ring = s.ring[:len(s.ring)-1]
	if errors.Is(u.Err, usb.ErrGone) || errors.Is(u.Err, ErrUnlinked) {
		s.gone = true
		return nil, usb.ErrGone
	}
	s.last = u.Buf
	if u.Err != nil {
		return nil, u.Err
	}
	return u.Buf[:u.N], nil
}

func (s *stream) Close() error {
	s.end()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.ring {
		s.h.Unlink(u)
	}
	for _, u := range s.ring {
		<-u.Done()
		s.h.forget(u)
	}
	s.ring = nil
	return nil
}
