package virtual

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tambo/devices/usb"
	"tambo/devices/usb/urb"
)

// session is one plugging of a device: from plug to unplug. It carries URBs.
type session struct {
	dev     *Device
	claims  urb.Claims
	unplug  func() // asked for by a fault
	ctx     context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup
	over    chan struct{} // closed when the plugging is over and the function was reset

	mu     sync.Mutex
	closed bool
	queues map[uint8]*queue
	alts   map[int]int
	halted map[uint8]bool
	served map[uint8]time.Time // by isochronous endpoint: the end of the last interval
	config uint8
}

var _ urb.Carrier = (*session)(nil)

func newSession(d *Device, unplug func()) *session {
	s := &session{dev: d, unplug: unplug, over: make(chan struct{}), queues: map[uint8]*queue{},
		alts: map[int]int{}, halted: map[uint8]bool{}, served: map[uint8]time.Time{}, config: d.config.Value}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	d.mu.Lock()
	d.last = s
	d.mu.Unlock()
	d.fn.Reset()
	return s
}

// job is an URB in the hands of a session.
type job struct {
	u      *urb.URB
	q      *queue
	ctx    context.Context
	cancel context.CancelFunc
}

// queue holds the URBs of one endpoint; one goroutine works on it.
type queue struct {
	mu     sync.Mutex
	jobs   []*job // waiting
	active *job
	wake   chan struct{}
	closed bool
}

// Submit queues an URB behind the others of its endpoint.
func (s *session) Submit(u *urb.URB) {
	key := u.Endpoint
	if u.Control() {
		key = 0 // both directions share endpoint 0
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		u.Complete(0, usb.ErrGone)
		return
	}
	q := s.queues[key]
	if q == nil {
		q = &queue{wake: make(chan struct{}, 1)}
		s.queues[key] = q
		s.workers.Add(1)
		go s.work(q)
	}
	j := &job{u: u, q: q}
	j.ctx, j.cancel = context.WithCancel(s.ctx)
	u.Private = j
	s.mu.Unlock()

	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		j.finish(0, usb.ErrGone)
		return
	}
	q.jobs = append(q.jobs, j)
	q.mu.Unlock()
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Unlink takes an URB back.
func (s *session) Unlink(u *urb.URB) {
	s.mu.Lock()
	j, _ := u.Private.(*job)
	s.mu.Unlock()
	if j == nil {
		return
	}
	j.q.mu.Lock()
	for i, w := range j.q.jobs {
		if w == j {
			j.q.jobs = append(j.q.jobs[:i], j.q.jobs[i+1:]...)
			j.q.mu.Unlock()
			j.finish(0, urb.ErrUnlinked)
			return
		}
	}
	j.q.mu.Unlock()
	j.cancel() // active: the worker completes it
}

func (j *job) finish(n int, err error) {
	j.cancel()
	j.u.Complete(n, err)
}

func (s *session) work(q *queue) {
	defer s.workers.Done()
	for {
		q.mu.Lock()
		q.active = nil
		if len(q.jobs) > 0 {
			q.active = q.jobs[0]
			q.jobs = q.jobs[1:]
		}
		j := q.active
		q.mu.Unlock()
		if j == nil {
			select {
			case <-q.wake:
				continue
			case <-s.ctx.Done():
				q.drain()
				return
			}
		}
		n, err := s.perform(j)
		switch {
		case s.ctx.Err() != nil:
			err = usb.ErrGone
		case err != nil && j.ctx.Err() != nil:
			err = urb.ErrUnlinked
		}
		j.finish(n, err)
	}
}

// drain fails what waits when the device goes.
func (q *queue) drain() {
	q.mu.Lock()
	q.closed = true
	jobs := q.jobs
	q.jobs = nil
	q.mu.Unlock()
	for _, j := range jobs {
		j.finish(0, usb.ErrGone)
	}
}

// close unplugs: every URB fails with ErrGone, every worker ends.
func (s *session) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.workers.Wait()
	s.dev.fn.Reset()
	close(s.over)
}

func (s *session) perform(j *job) (int, error) {
	u := j.u
	switch {
	case u.Control():
		return s.control(j.ctx, u)
	case len(u.Packets) > 0:
		return s.packets(j.ctx, u)
	case s.dev.packetSize(u.Endpoint) == 0:
		return 0, usb.ErrNotFound
	case s.isHalted(u.Endpoint):
		return 0, usb.ErrStall
	}
	var n int
	var err error
	if u.In() {
		n, err = s.in(j.ctx, u)
	} else {
		n, err = s.out(j.ctx, u)
	}
	if errors.Is(err, usb.ErrStall) {
		s.halt(u.Endpoint, true)
	}
	return n, err
}

func (s *session) in(ctx context.Context, u *urb.URB) (int, error) {
	size, n := s.dev.packetSize(u.Endpoint), 0
	for {
		f := s.dev.faulter()
		act := f.roll(u.Endpoint)
		if err := s.before(ctx, act); err != nil {
			return n, err
		}
		k, err := s.dev.fn.In(ctx, u.Endpoint, u.Buf[n:])
		if err != nil {
			return n, err
		}
		if k < 0 || n+k > len(u.Buf) {
			return n, fmt.Errorf("virtual: function returned %d bytes for %d: %w", k, len(u.Buf)-n, usb.ErrIO)
		}
		switch {
		case act.drop:
			continue
		case act.babble:
			return n + k, usb.ErrOverflow
		case act.short:
			k = f.cut(k)
			return n + k, nil
		case act.corrupt:
			f.scramble(u.Buf[n : n+k])
		}
		n += k
		if n == len(u.Buf) || k%size != 0 || k == 0 {
			return n, nil
		}
	}
}

func (s *session) out(ctx context.Context, u *urb.URB) (int, error) {
	f := s.dev.faulter()
	act := f.roll(u.Endpoint)
	if err := s.before(ctx, act); err != nil {
		return 0, err
	}
	data := u.Buf
	switch {
	case act.drop:
		return len(data), nil
	case act.short:
		data = data[:f.cut(len(data))]
	case act.corrupt:
		data = append([]byte(nil), data...)
		f.scramble(data)
	}
	if err := s.dev.fn.Out(ctx, u.Endpoint, data); err != nil {
		return 0, err
	}
	if u.ZLP && len(data) > 0 && len(data)%s.dev.packetSize(u.Endpoint) == 0 {
		return len(data), s.dev.fn.Out(ctx, u.Endpoint, nil)
	}
	return len(data), nil
}

// before carries out the faults that come before the data.
func (s *session) before(ctx context.Context, act action) error {
	if act.delay > 0 {
		if err := sleep(ctx, act.delay); err != nil {
			return err
		}
	}
	switch {
	case act.unplug && s.unplug != nil:
		go s.unplug() // not here: it waits for this worker
		<-ctx.Done()
		return usb.ErrGone
	case act.hang:
		<-ctx.Done()
		return ctx.Err()
	case act.stall:
		return usb.ErrStall
	case act.fail:
		return usb.ErrIO
	}
	return nil
}

func (s *session) isHalted(ep uint8) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.halted[ep]
}

func (s *session) halt(ep uint8, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if on {
		s.halted[ep] = true
	} else {
		delete(s.halted, ep)
	}
}
