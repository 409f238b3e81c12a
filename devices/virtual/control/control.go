// Package control is the line protocol by which scripts and tests change what
// the devices of tambo-devsim see and suffer: who sits in front of the camera,
// which page lies on the glass, what is plugged in, which faults strike.
//
// It is spoken over a unix socket that only the user who started the simulator
// may open. A request is one line. The answer is any number of lines that begin
// with a blank, then "ok", or "error " and why. It never reaches a real device
// and carries no data about people.
//
// Requests:
//
//	person NAME|N     who sits in front of the camera (begins visit 1)
//	visit N           the same person another time
//	page NAME|N       whose page lies on the glass; also "none" and "blank"
//	scene blank|normal   the camera sees nothing, or the person
//	plug camera|scanner
//	unplug camera|scanner
//	fault camera|scanner none | name=value …   see virtual.ParseFaults; for the
//	                  scanner also escl=NAME times=N, see virtual.ScannerFaults
//	list              what is plugged in, and what it sees
//	quit              ends the simulator
package control

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxLine bounds a request and a line of an answer.
const maxLine = 4096

// ErrRefused is what a Client returns when the simulator answers with an error.
var ErrRefused = errors.New("simulator refused")

// Client speaks to a simulator. Safe for concurrent use.
type Client struct {
	mu sync.Mutex
	c  net.Conn
	r  *bufio.Reader
}

// Dial connects to the control socket at a path.
func Dial(ctx context.Context, path string) (*Client, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	return &Client{c: c, r: bufio.NewReaderSize(c, maxLine)}, nil
}

// Close hangs up; the simulator goes on.
func (c *Client) Close() error { return c.c.Close() }

// Do sends one request and returns the lines of its answer. An error of the
// simulator wraps ErrRefused; after any other error the client is of no use.
func (c *Client) Do(ctx context.Context, request string) ([]string, error) {
	if strings.ContainsAny(request, "\r\n") || len(request) >= maxLine {
		return nil, fmt.Errorf("control: request of several lines, or too long")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(10 * time.Second)
	}
	c.c.SetDeadline(deadline)
	if _, err := io.WriteString(c.c, request+"\n"); err != nil {
		return nil, err
	}
	var out []string
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return out, err
		}
		switch text := strings.TrimRight(string(line), "\n"); {
		case text == "ok":
			return out, nil
		case strings.HasPrefix(text, "error "):
			return out, fmt.Errorf("%w: %s", ErrRefused, strings.TrimPrefix(text, "error "))
		default:
			out = append(out, strings.TrimPrefix(text, " "))
		}
	}
}

func (c *Client) do(ctx context.Context, words ...string) error {
	_, err := c.Do(ctx, strings.Join(words, " "))
	return err
}

// Person says who sits in front of the camera: a name, or a number.
func (c *Client) Person(ctx context.Context, who string) error { return c.do(ctx, "person", who) }

// Visit says which visit of the same person it is, from 1.
func (c *Client) Visit(ctx context.Context, n int) error {
	return c.do(ctx, "visit", strconv.Itoa(n))
}

// Page says whose page lies on the glass; "none" and "blank" are none and an
// empty one.
func (c *Client) Page(ctx context.Context, who string) error { return c.do(ctx, "page", who) }

// Scene is "blank" or "normal".
func (c *Client) Scene(ctx context.Context, mode string) error { return c.do(ctx, "scene", mode) }

// Plug plugs "camera" or "scanner" in; one that is there stays.
func (c *Client) Plug(ctx context.Context, device string) error { return c.do(ctx, "plug", device) }

// Unplug takes "camera" or "scanner" away.
func (c *Client) Unplug(ctx context.Context, device string) error {
	return c.do(ctx, "unplug", device)
}

// Fault makes a device misbehave; "none" heals it.
func (c *Client) Fault(ctx context.Context, device, faults string) error {
	return c.do(ctx, "fault", device, faults)
}

// List says what is plugged in and what it sees.
func (c *Client) List(ctx context.Context) ([]string, error) { return c.Do(ctx, "list") }

// Quit ends the simulator.
func (c *Client) Quit(ctx context.Context) error { return c.do(ctx, "quit") }

// Handler carries out a request that was split at blanks, and returns the lines
// of its answer.
type Handler func(ctx context.Context, words []string) ([]string, error)

// Listen makes the socket at a path, for this user alone. A socket that nobody
// serves any more is replaced, one that is served is not.
func Listen(path string) (net.Listener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("control socket %s is in use by another simulator", path)
	}
	if st, err := os.Lstat(path); err == nil {
		if st.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("control socket: %s exists and is no socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Serve answers requests until ctx ends; it closes the listener and returns nil
// then.
func Serve(ctx context.Context, l net.Listener, h Handler) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Go(func() {
			defer c.Close()
			hang := context.AfterFunc(ctx, func() { c.Close() })
			defer hang()
			answer(ctx, c, h)
		})
	}
}

// answer serves one connection.
func answer(ctx context.Context, c net.Conn, h Handler) {
	in := bufio.NewScanner(c)
	in.Buffer(make([]byte, maxLine), maxLine)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) == 0 {
			continue
		}
		lines, err := h(ctx, words)
		var out strings.Builder
		for _, l := range lines {
			out.WriteString(" " + oneLine(l) + "\n")
		}
		if err != nil {
			out.WriteString("error " + oneLine(err.Error()) + "\n")
		} else {
			out.WriteString("ok\n")
		}
		if _, err := io.WriteString(c, out.String()); err != nil {
			return
		}
	}
}

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxLine-16 {
		s = s[:maxLine-16]
	}
	return s
}
