package hub

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/tus/tusd/v2/pkg/handler"
)

// locker lets one request at a time work on an upload. The newest wins: a kiosk
// that was cut comes back while its old connection still hangs in a read, so the
// old request's read is ended, and what came of it is kept. (tusd's own way to
// interrupt reads a field of the request while another goroutine writes it.)
type locker struct {
	mu   sync.Mutex
	held map[string]*uploadLock
}

var _ handler.Locker = (*locker)(nil)

func newLocker() *locker { return &locker{held: map[string]*uploadLock{}} }

// NewLock implements handler.Locker.
func (l *locker) NewLock(id string) (handler.Lock, error) {
	return &uploadLock{l: l, id: id, free: make(chan struct{})}, nil
}

// uploadLock is one request's hold on an upload.
type uploadLock struct {
	l    *locker
	id   string
	free chan struct{} // closed when it is given up
	conn *http.ResponseController
}

// interruptAgain is when an interruption is repeated: a read that had just
// succeeded sets its own deadline over ours.
const interruptAgain = 100 * time.Millisecond

type connKey struct{}

// Lock implements handler.Lock. It does not use tusd's function.
func (u *uploadLock) Lock(ctx context.Context, _ func()) error {
	u.conn, _ = ctx.Value(connKey{}).(*http.ResponseController)
	for {
		u.l.mu.Lock()
		other := u.l.held[u.id]
		if other == nil {
			u.l.held[u.id] = u
			u.l.mu.Unlock()
			return nil
		}
		if other.conn != nil { // within the mutex: the request has not ended
			other.conn.SetReadDeadline(time.Now()) // if it cannot, the request ends by itself
		}
		u.l.mu.Unlock()
		select {
		case <-ctx.Done():
			return handler.ErrFileLocked
		case <-other.free:
		case <-time.After(interruptAgain):
		}
	}
}

// Unlock implements handler.Lock.
func (u *uploadLock) Unlock() error {
	u.l.mu.Lock()
	defer u.l.mu.Unlock()
	if u.l.held[u.id] == u {
		delete(u.l.held, u.id)
		close(u.free)
	}
	return nil
}
