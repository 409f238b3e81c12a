package virtual

import (
	"context"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
)

// latest is how far behind the clock an isochronous endpoint may be before the
// intervals in between count as never asked for.
const latest = 20 * time.Millisecond

// packets carries out an isochronous IN transfer: it ends when its last service
// interval does.
func (s *session) packets(ctx context.Context, u *urb.URB) (int, error) {
	e, ok := s.isochronous(u.Endpoint)
	fn, does := s.dev.fn.(Isochronous)
	if !ok || !does {
		return 0, usb.ErrNotFound
	}
	f := s.dev.faulter()
	act := f.roll(u.Endpoint)
	act.stall = false // there is no handshake that could say so
	if err := s.before(ctx, action{delay: act.delay, hang: act.hang, unplug: act.unplug}); err != nil {
		return 0, err
	}
	interval := s.interval(e)
	s.mu.Lock()
	begin := s.served[u.Endpoint]
	if now := time.Now(); now.Sub(begin) > latest {
		begin = now
	}
	end := begin.Add(time.Duration(len(u.Packets)) * interval)
	s.served[u.Endpoint] = end
	s.mu.Unlock()
	if wait := time.Until(end); wait > 0 {
		if err := sleep(ctx, wait); err != nil {
			return 0, err
		}
	}
	total := 0
	for i := range u.Packets {
		s.packet(fn, f, u, i, begin.Add(time.Duration(i)*interval), e)
		total += u.Packets[i].N
	}
	s.disorder(f, u)
	return total, nil
}

// packet fills one packet, with the faults of one.
func (s *session) packet(fn Isochronous, f *faulter, u *urb.URB, i int, at time.Time, e usb.Endpoint) {
	p := &u.Packets[i]
	room := u.Buf[p.Offset : p.Offset+min(p.Length, e.PerInterval)]
	p.N = fn.Packet(u.Endpoint, at, room)
	if p.N == 0 {
		return
	}
	act := f.roll(u.Endpoint)
	switch {
	case act.drop:
		p.N = 0
	case act.fail, act.corrupt: // the controller checks its sum
		p.N, p.Err = 0, usb.ErrIO
	case act.babble:
		p.N, p.Err = 0, usb.ErrOverflow
	case act.short:
		p.N = f.cut(p.N)
	}
}

// disorder is a fault that no bus makes, but a host's driver may: a packet and
// the one after the next change places.
func (s *session) disorder(f *faulter, u *urb.URB) {
	for i := 0; i+2 < len(u.Packets); i++ {
		a, b := &u.Packets[i], &u.Packets[i+2]
		if a.Length != b.Length || !f.hit(f.f.Disorder) {
			continue
		}
		for k := range a.Length {
			u.Buf[a.Offset+k], u.Buf[b.Offset+k] = u.Buf[b.Offset+k], u.Buf[a.Offset+k]
		}
		a.N, b.N, a.Err, b.Err = b.N, a.N, b.Err, a.Err
	}
}

// isochronous finds an isochronous IN endpoint in the settings that are selected.
func (s *session) isochronous(ep uint8) (usb.Endpoint, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.dev.config.Interfaces {
		set := &s.dev.config.Interfaces[i]
		if e, ok := set.Endpoint(ep); ok && set.Alt == s.alts[set.Number] && e.Transfer == usb.TransferIsochronous && e.In() {
			return e, true
		}
	}
	return usb.Endpoint{}, false
}

// interval is the service interval of an endpoint (USB 2.0, 9.6.6).
func (s *session) interval(e usb.Endpoint) time.Duration {
	unit := 125 * time.Microsecond
	if s.dev.desc.Speed == usb.SpeedFull || s.dev.desc.Speed == usb.SpeedLow {
		unit = time.Millisecond
	}
	return unit << (min(max(e.Interval, 1), 16) - 1)
}
