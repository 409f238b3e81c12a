package ippusb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tambo/devices/usb"
)

// exchange is one request and its answer. Its goroutine (run) owns the
// connection; the caller's side (head, Body) only receives.
type exchange struct {
	t *Transport
	c *conn
	r Request

	heads chan *http.Response // one, or closed on failure
	data  chan []byte         // the body; closed at its end
	err   error               // why heads or data was closed early; read after

	left     chan struct{} // closed when the caller no longer listens
	leftOnce sync.Once
}

func newExchange(t *Transport, c *conn, r Request) *exchange {
	return &exchange{t: t, c: c, r: r,
		heads: make(chan *http.Response, 1),
		data:  make(chan []byte, 4),
		left:  make(chan struct{}),
	}
}

func (x *exchange) leave() { x.leftOnce.Do(func() { close(x.left) }) }

// run carries out the exchange and leaves the connection in step or marked.
func (x *exchange) run() {
	defer x.t.wg.Done()
	ctx, cancel := context.WithCancel(x.t.ctx)
	watched := make(chan struct{})
	go func() { // when the caller has left, the rest gets a limited time
		defer close(watched)
		select {
		case <-ctx.Done():
			return
		case <-x.left:
		}
		_ = sleep(ctx, x.t.opt.Drain)
		cancel()
	}()
	err := x.carry(ctx)
	if err != nil {
		x.c.dirty = true
	}
	if errors.Is(err, usb.ErrGone) {
		x.t.gone.Store(true)
	}
	x.err = err
	close(x.heads)
	close(x.data)
	cancel()
	<-watched
	if x.c.dirty && !x.t.gone.Load() {
		// Now rather than before the next request, so that nobody waits for it.
		if err := x.c.resync(x.t.ctx); errors.Is(err, usb.ErrGone) {
			x.t.gone.Store(true)
		}
	}
	x.c.notBefore = time.Now().Add(x.c.q.RequestDelay)
	x.t.idle <- x.c
}

// carry sends the request and receives the answer. An error means that the
// pipe is out of step, whatever the caller has received by then.
func (x *exchange) carry(ctx context.Context) error {
	c := x.c
	if err := c.begin(ctx); err != nil {
		return err
	}
	if err := c.write(ctx, encode(x.r, c.q)); err != nil {
		return err
	}
	resp, err := readHead(c, x.r.Method)
	if err != nil {
		return err
	}
	if unbounded(resp) {
		if x.r.Method == http.MethodGet {
			return fmt.Errorf("%w: body without a length", ErrProtocol)
		}
		// Some devices answer POST and DELETE without saying that nothing follows.
		resp.Body, resp.ContentLength = http.NoBody, 0
		x.heads <- resp
		quiet, err := c.flush(ctx)
		c.br.Reset(c)
		c.pend, c.pendErr = nil, nil
		if err == nil && !quiet {
			err = ErrProtocol
		}
		return err
	}
	x.heads <- resp
	if err := x.body(resp.Body); err != nil {
		return err
	}
	if !c.inStep() {
		return fmt.Errorf("%w: bytes after its end", ErrProtocol)
	}
	return nil
}

// body passes the body on until it ends, or drops it once the caller has left.
func (x *exchange) body(r io.Reader) error {
	x.c.budget = 2*x.r.Limit + maxHead // chunk framing is on the wire too
	var total int64
	for {
		buf := make([]byte, transferSize)
		n, err := r.Read(buf)
		total += int64(n)
		if total > x.r.Limit {
			return fmt.Errorf("%w: more than %d bytes", ErrTooLarge, x.r.Limit)
		}
		if n > 0 {
			select {
			case x.data <- buf[:n]:
			case <-x.left:
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return wireError(x.c, err)
		}
	}
}

// readHead reads status line and header, passing over 1xx answers.
func readHead(c *conn, method string) (*http.Response, error) {
	c.budget = maxHead
	for range 4 {
		resp, err := http.ReadResponse(c.br, &http.Request{Method: method})
		if err != nil {
			return nil, wireError(c, err)
		}
		if resp.StatusCode >= 200 && resp.StatusCode <= 599 {
			return resp, nil
		}
		if resp.StatusCode < 100 || resp.StatusCode > 199 || resp.StatusCode == http.StatusSwitchingProtocols {
			return nil, fmt.Errorf("%w: status %d", ErrProtocol, resp.StatusCode)
		}
	}
	return nil, fmt.Errorf("%w: only interim answers", ErrProtocol)
}

// unbounded reports a body that would end with the connection. A pipe does not
// end.
func unbounded(r *http.Response) bool {
	return r.ContentLength < 0 && len(r.TransferEncoding) == 0 && r.Body != http.NoBody
}

// wireError tells what the pipe did from what the parser did not like. The
// parser does not always pass on the error of its reader.
func wireError(c *conn, err error) error {
	if c.pendErr != nil && len(c.pend) == 0 {
		return c.pendErr
	}
	return fmt.Errorf("%w: %w", ErrProtocol, err)
}

// encode writes a request. The host is localhost: there is no other, and the
// specification asks for it.
func encode(r Request, q Quirks) []byte {
	var b bytes.Buffer
	b.WriteString(r.Method + " " + r.Path + " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: tambo\r\n")
	if q.Connection != "" {
		b.WriteString("Connection: " + q.Connection + "\r\n")
	}
	if r.Body != nil {
		b.WriteString("Content-Type: " + r.ContentType + "\r\nContent-Length: " + strconv.Itoa(len(r.Body)) + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// head waits for the head of the answer on the caller's side.
func (x *exchange) head(ctx context.Context) (*Response, error) {
	timer := time.NewTimer(x.r.Idle)
	defer timer.Stop()
	select {
	case resp, ok := <-x.heads:
		if !ok {
			return nil, x.err
		}
		return &Response{Status: resp.StatusCode, Header: resp.Header,
			Body: &Body{x: x, ctx: ctx}}, nil
	case <-timer.C:
		x.leave()
		return nil, fmt.Errorf("ippusb: no answer for %v: %w", x.r.Idle, usb.ErrTimeout)
	case <-ctx.Done():
		x.leave()
		return nil, ctx.Err()
	}
}

// Body is the body of an answer. It ends with io.EOF only when it is whole.
// One goroutine reads it.
type Body struct {
	x    *exchange
	ctx  context.Context
	rest []byte
	err  error
}

// Read fills p with what has arrived. It fails with usb.ErrTimeout after the
// request's Idle without a byte.
func (b *Body) Read(p []byte) (int, error) {
	if len(b.rest) == 0 && b.err == nil {
		b.rest, b.err = b.next()
	}
	if len(b.rest) == 0 {
		return 0, b.err
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *Body) next() ([]byte, error) {
	timer := time.NewTimer(b.x.r.Idle)
	defer timer.Stop()
	select {
	case d, ok := <-b.x.data:
		if ok {
			return d, nil
		}
		if b.x.err != nil {
			return nil, b.x.err
		}
		return nil, io.EOF
	case <-timer.C:
		b.x.leave()
		return nil, fmt.Errorf("ippusb: body paused for %v: %w", b.x.r.Idle, usb.ErrTimeout)
	case <-b.ctx.Done():
		b.x.leave()
		return nil, b.ctx.Err()
	}
}

// Close lets go of the answer; what has not come yet is read and dropped in
// the background. Always nil.
func (b *Body) Close() error {
	b.x.leave()
	if b.err == nil {
		b.err = ErrClosed
	}
	b.rest = nil
	return nil
}

var _ io.ReadCloser = (*Body)(nil)
