package virtual

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tambo/devices/usb"
)

const (
	maxRequest = 256 << 10 // bytes of a request
	maxQueue   = 8         // requests that may wait on one connection
)

// scanConn is one IPP-over-USB connection of a scanner: requests come in by
// take, answers go out by give. Like a real one it keeps what the host does not
// read, and goes on with an answer that nobody wants any more.
type scanConn struct {
	s           *Scanner
	number, alt int // alt speaks HTTP, others do not
	in, out     uint8
	pipe        *Pipe
	halted      atomic.Bool

	mu        sync.Mutex
	current   int // alternate setting
	inbox     []byte
	requests  []*http.Request
	serving   bool
	resetting int             // resets that wait for the answer in progress
	ctx       context.Context // of the answers since the last reset
	cancel    context.CancelFunc
	wg        sync.WaitGroup
	need      needing
}

func newScanConn(s *Scanner, number, alt int, in, out uint8) *scanConn {
	c := &scanConn{s: s, number: number, alt: alt, in: in, out: out, pipe: NewPipe(scanPacket, 128<<10)}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

func (c *scanConn) choose(alt int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = alt
	c.need.chosen = time.Now()
}

// reset ends the answer in progress and empties both pipes.
func (c *scanConn) reset() {
	c.mu.Lock()
	c.resetting++
	c.cancel()
	c.mu.Unlock()
	c.wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resetting--
	c.inbox, c.requests = nil, nil
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.pipe.Reset()
	c.halted.Store(false)
}

// take collects request bytes.
func (c *scanConn) take(data []byte) error {
	needs := c.s.want()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != c.alt || c.resetting > 0 {
		return nil // print data of the legacy setting: nothing prints here
	}
	if !c.hears(needs, len(data) > 0 && len(data)%scanPacket == 0) {
		return nil
	}
	c.inbox = append(c.inbox, data...)
	for len(c.inbox) > 0 && !c.need.open {
		r, n, err := parseRequest(c.inbox)
		if errors.Is(err, io.ErrUnexpectedEOF) && len(c.inbox) < maxRequest {
			return nil // more is to come
		}
		if err != nil || len(c.requests) == maxQueue {
			c.inbox = nil
			return usb.ErrStall
		}
		c.inbox = c.inbox[n:]
		c.requests = append(c.requests, r)
	}
	if !c.serving && len(c.requests) > 0 {
		c.serving = true
		c.wg.Add(1)
		go c.serve(c.ctx)
	}
	return nil
}

// parseRequest reads a whole request with its body and says how long it was.
func parseRequest(b []byte) (*http.Request, int, error) {
	src := bytes.NewReader(b)
	br := bufio.NewReader(src)
	r, err := http.ReadRequest(br)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, 0, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, 0, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, len(b) - src.Len() - br.Buffered(), nil
}

// serve answers one request after the other until none waits.
func (c *scanConn) serve(ctx context.Context) {
	defer c.wg.Done()
	for {
		c.mu.Lock()
		if len(c.requests) == 0 || ctx.Err() != nil {
			c.serving = false
			c.mu.Unlock()
			return
		}
		r := c.requests[0]
		c.requests = c.requests[1:]
		c.mu.Unlock()
		c.answer(ctx, r)
	}
}

func (c *scanConn) answer(ctx context.Context, r *http.Request) {
	needs := c.s.want()
	c.mu.Lock()
	confused := c.need.confused
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.need.answered = time.Now()
		c.mu.Unlock()
	}()
	switch {
	case confused:
		_ = c.pipe.Send(ctx, []byte("\x15\x15?\r\n\r\n"), true)
		return
	case needs.OneChannel && c.number > 0:
		<-ctx.Done()
		return
	case needs.refuses(r):
		c.reply(ctx, http.StatusBadRequest, "", nil)
		return
	}
	switch c.s.strikes(ScannerGarbage, ScannerSilent) {
	case ScannerGarbage:
		_ = c.pipe.Send(ctx, bytes.Repeat([]byte("\x00\xffnonsense\r\n"), 60), true)
		return
	case ScannerSilent:
		<-ctx.Done()
		return
	}
	c.s.route(ctx, c, r)
}

// give feeds the IN endpoint.
func (c *scanConn) give(ctx context.Context, p []byte) (int, error) {
	if c.halted.CompareAndSwap(true, false) {
		return 0, usb.ErrStall
	}
	n, err := c.pipe.In(ctx, p)
	if c.halted.CompareAndSwap(true, false) {
		return 0, usb.ErrStall
	}
	return n, err
}

// halt stalls the IN endpoint, also if the host waits on it now.
func (c *scanConn) halt(ctx context.Context) {
	c.halted.Store(true)
	_ = c.pipe.Send(ctx, []byte{0}, false)
}

// reply sends an answer with a body that is all there.
func (c *scanConn) reply(ctx context.Context, status int, kind string, body []byte, extra ...string) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nServer: tambo-devsim\r\n", status, http.StatusText(status))
	for _, line := range extra {
		b.WriteString(line + "\r\n")
	}
	if kind != "" {
		b.WriteString("Content-Type: " + kind + "\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	end := c.s.strikes(ScannerNoZLP) == ScannerHealthy
	if !end { // fill the last packet, so that the host sees no end
		const name = "X-Pad: "
		n := b.Len() + len(name) + 4 + len(body)
		b.WriteString(name + strings.Repeat("x", (scanPacket-n%scanPacket)%scanPacket) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(body)
	_ = c.pipe.Send(ctx, b.Bytes(), end)
}

// chunkWriter sends a body in chunks, as fast as the scanner scans.
type chunkWriter struct {
	c   *scanConn
	ctx context.Context
	bps int
}

func (w *chunkWriter) head(kind string) error {
	return w.c.pipe.Send(w.ctx, fmt.Appendf(nil,
		"HTTP/1.1 200 OK\r\nServer: tambo-devsim\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", kind), false)
}

func (w *chunkWriter) Write(p []byte) (int, error) {
	const size = 8 << 10
	for n := 0; n < len(p); n += size {
		part := p[n:min(n+size, len(p))]
		if err := w.pace(len(part)); err != nil {
			return n, err
		}
		chunk := append(fmt.Appendf(nil, "%x\r\n", len(part)), part...)
		if err := w.c.pipe.Send(w.ctx, append(chunk, '\r', '\n'), false); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

func (w *chunkWriter) pace(n int) error {
	if w.bps <= 0 {
		return w.ctx.Err()
	}
	return sleep(w.ctx, time.Duration(float64(n)/float64(w.bps)*float64(time.Second)))
}

// end finishes the body. It uses ctx, not the writer's own, which may have
// ended with the job: the framing stays right then too.
func (w *chunkWriter) end(ctx context.Context) {
	_ = w.c.pipe.Send(ctx, []byte("0\r\n\r\n"), true)
}
