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

// ring is URBs in flight. The one that next handed out goes back into flight
// when the following next is called.
type ring struct {
	h *handle

	mu   sync.Mutex // held by next, taken by Close
	ring []*URB     // oldest first
	last *URB       // handed out, not yet back in flight
	gone bool

	stop context.Context
	end  context.CancelFunc
}

func newRing(h *handle) *ring {
	s := &ring{h: h}
	s.stop, s.end = context.WithCancel(context.Background())
	return s
}

func (s *ring) launch(u *URB) {
	s.ring = append(s.ring, u)
	s.h.Submit(u)
}

// again makes a fresh URB of one that is done, with its room.
func again(u *URB) *URB {
	v := New(u.Endpoint, u.Buf)
	v.Packets = u.Packets
	for i := range v.Packets {
		v.Packets[i].N, v.Packets[i].Err = 0, nil
	}
	return v
}

// next waits for the oldest URB; its error is the transfer's.
func (s *ring) next(ctx context.Context) (*URB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone || s.stop.Err() != nil {
		return nil, usb.ErrGone
	}
	if s.last != nil {
		s.launch(again(s.last))
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
	s.last = u
	return u, u.Err
}

// Close implements [usb.Stream] and [usb.PacketStream].
func (s *ring) Close() error {
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

// stream is a ring of bulk or interrupt transfers.
type stream struct{ *ring }

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
	s := stream{newRing(i.h)}
	for range count {
		s.launch(New(address, make([]byte, size)))
	}
	return s, nil
}

func (s stream) Next(ctx context.Context) ([]byte, error) {
	u, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	return u.Buf[:u.N], nil
}

// packetStream is a ring of isochronous transfers.
type packetStream struct {
	*ring
	out []usb.Packet
}

func (i *iface) Packets(ctx context.Context, address uint8, packets, count int) (usb.PacketStream, error) {
	e, err := i.find(address)
	if err != nil {
		return nil, err
	}
	if e.Transfer != usb.TransferIsochronous || !e.In() || e.PerInterval == 0 || packets <= 0 || packets > usb.MaxPackets ||
		packets*e.PerInterval > maxStreamSize || count <= 0 || count > maxStreamCount {
		return nil, fmt.Errorf("%d isochronous transfers of %d packets on endpoint %#02x: %w", count, packets, address, usb.ErrNotFound)
	}
	if ctx.Err() != nil {
		return nil, timeout(ctx)
	}
	s := &packetStream{ring: newRing(i.h), out: make([]usb.Packet, packets)}
	for range count {
		s.launch(NewPackets(address, make([]byte, packets*e.PerInterval), packets, e.PerInterval))
	}
	return s, nil
}

func (s *packetStream) Next(ctx context.Context) ([]usb.Packet, error) {
	u, err := s.next(ctx)
	if err != nil {
		return nil, err
	}
	for i, p := range u.Packets {
		s.out[i] = usb.Packet{Data: u.Buf[p.Offset : p.Offset+p.N : p.Offset+p.N], Err: p.Err}
	}
	return s.out, nil
}
