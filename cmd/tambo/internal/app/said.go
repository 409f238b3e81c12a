package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
)

// recent keeps the last lines that were logged, for a support bundle, which
// passes only what it knows of them.
type recent struct {
	mu    sync.Mutex
	lines [][]byte
}

const recentLines = 500

// Write keeps a line.
func (m *recent) Write(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, bytes.Clone(p))
	if over := len(m.lines) - recentLines; over > 0 {
		m.lines = append([][]byte(nil), m.lines[over:]...)
	}
	return len(p), nil
}

func (m *recent) reader() io.Reader {
	m.mu.Lock()
	defer m.mu.Unlock()
	return bytes.NewReader(bytes.Join(m.lines, nil))
}

// both hands a record to two handlers.
type both [2]slog.Handler

func (b both) Enabled(ctx context.Context, l slog.Level) bool {
	return b[0].Enabled(ctx, l) || b[1].Enabled(ctx, l)
}

func (b both) Handle(ctx context.Context, r slog.Record) error {
	var errs []error
	for _, h := range b {
		if h.Enabled(ctx, r.Level) {
			errs = append(errs, h.Handle(ctx, r.Clone()))
		}
	}
	return errors.Join(errs...)
}

func (b both) WithAttrs(a []slog.Attr) slog.Handler {
	return both{b[0].WithAttrs(a), b[1].WithAttrs(a)}
}

func (b both) WithGroup(name string) slog.Handler {
	return both{b[0].WithGroup(name), b[1].WithGroup(name)}
}
