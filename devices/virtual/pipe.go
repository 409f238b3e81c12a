package virtual

import (
	"context"
	"sync"
)

// Pipe feeds one IN endpoint of a function: Send puts data in, In (called from
// [Function.In]) takes it out in transfers. Safe for concurrent use.
type Pipe struct {
	packet int // packet size of the endpoint
	limit  int // bytes that may wait before Send waits

	mu      sync.Mutex
	chunks  []chunk
	waiting int
	change  chan struct{} // closed and replaced at every change
}

// chunk is data that ends in a short packet where end is set.
type chunk struct {
	data []byte
	end  bool
}

// NewPipe makes a pipe for an endpoint of that packet size. limit is how many
// bytes may wait in it before Send blocks.
func NewPipe(packet, limit int) *Pipe {
	return &Pipe{packet: packet, limit: limit, change: make(chan struct{})}
}

// Send queues data. With end, the data ends a transfer: by its short last
// packet, or by a zero-length packet where the last is full. Send waits while
// too much is queued. The data is not copied.
func (p *Pipe) Send(ctx context.Context, data []byte, end bool) error {
	if len(data) == 0 && !end {
		return nil
	}
	p.mu.Lock()
	for p.waiting > 0 && p.waiting+len(data) > p.limit {
		ch := p.change
		p.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		}
		p.mu.Lock()
	}
	defer p.mu.Unlock()
	p.chunks = append(p.chunks, chunk{data, end})
	p.waiting += len(data)
	p.changed()
	return nil
}

func (p *Pipe) changed() {
	close(p.change)
	p.change = make(chan struct{})
}

// In implements [Function.In] for the endpoint: it waits for data, fills room
// with what is there, and leaves a short packet only where Send said end, or
// where nothing more waits.
func (p *Pipe) In(ctx context.Context, room []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.chunks) == 0 {
		ch := p.change
		p.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			p.mu.Lock()
			return 0, ctx.Err()
		}
		p.mu.Lock()
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	n := 0
	for len(p.chunks) > 0 {
		c := &p.chunks[0]
		k := copy(room[n:], c.data)
		c.data = c.data[k:]
		n += k
		if len(c.data) > 0 {
			break // room is full
		}
		if c.end && n > 0 && n%p.packet == 0 {
			c.data = nil // its zero-length packet comes with the next In
			break
		}
		end := c.end
		p.chunks = p.chunks[1:]
		if end {
			break
		}
	}
	p.waiting -= n
	p.changed()
	return n, nil
}

// Reset empties the pipe.
func (p *Pipe) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.chunks, p.waiting = nil, 0
	p.changed()
}

// Len is how many bytes wait.
func (p *Pipe) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting
}
