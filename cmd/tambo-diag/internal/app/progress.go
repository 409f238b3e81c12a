package app

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// progress draws a bar on a terminal, and nothing where the output is none.
// Safe for concurrent use.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	on       bool
	what     string
	n, of    int
	drawn    time.Time
	interval time.Duration
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, interval: 100 * time.Millisecond}
	if f, ok := w.(*os.File); ok {
		st, err := f.Stat()
		p.on = err == nil && st.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// begin starts a bar of that many steps.
func (p *progress) begin(what string, of int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what, p.n, p.of, p.drawn = what, 0, of, time.Time{}
}

func (p *progress) step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n++
	if !p.on || time.Since(p.drawn) < p.interval {
		return
	}
	p.drawn = time.Now()
	const width = 40
	full := width * p.n / max(p.of, 1)
	fmt.Fprintf(p.w, "\r\x1b[K%s %s%s %d of %d", p.what, strings.Repeat("█", full), strings.Repeat("░", width-full), p.n, p.of)
}

// clear takes the bar away, so that a line can be written.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

func (p *progress) end() { p.clear() }
