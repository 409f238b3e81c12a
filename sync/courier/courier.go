// Package courier is the kiosk's side of the road: it carries sealed packages to
// the hub, brings back receipts and documents, and purges what the hub has
// proved to hold.
//
// It works with nobody signed in, and reads nothing about anybody: parts are
// sealed to the hub's recipients, and documents about people arrive sealed to a
// key that it does not have. It never purges without a complete receipt that
// verifies under the pinned hub key and names this kiosk, this encounter and
// this manifest; it never waits with thin parts for images; and it never says
// just "network error" ([Error] says what is in the way and what waits).
//
// Every step may be cut at any byte and begun again: the hub says where an
// upload stands, and the same package gets the same receipts.
//
// Standards: tus 1.0.0 core and creation, TLS 1.3 with a pinned authority,
// RFC 9457 problems, signed notes; see [tambo/sync/wire].
package courier

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"tambo/kiosk"
	"tambo/store/seal"
)

// Vault is what the courier needs of the kiosk's vault, all of it in the machine
// tier. What a method did is durable when it returns; see store.Vault for the
// rest of its promises.
type Vault interface {
	// PublicKey and Sign are of the kiosk's signing key; ReceiveKey is the HPKE
	// public key of documents about people. They never change.
	PublicKey() ed25519.PublicKey
	Sign(message []byte) []byte
	ReceiveKey() []byte
	// Identity returns what provisioning gave, store.ErrNoIdentity before.
	Identity() (Identity, error)
	// Provision keeps it. Over an identity that is there it takes a renewal, or
	// anything from a keeper.
	Provision(id Identity, keeper *Operator) error

	// Outbox lists every package that is not purged.
	Outbox(ctx context.Context) ([]Item, error)
	// Manifest returns a package's signed manifest.
	Manifest(id string) ([]byte, error)
	// SealedPart reads a sealed part of a package.
	SealedPart(id, name string) (io.ReadSeekCloser, int64, error)
	// ApplyReceipt keeps a verified receipt (its signed note) and moves the
	// package on. The same receipt again changes nothing.
	ApplyReceipt(id string, kind kiosk.ReceiptKind, note []byte) error
	// Purge destroys a package that has its complete receipt.
	Purge(id string) error

	// Have says which version of each kind of document is held, opened or not.
	Have() (map[string]uint64, error)
	// PutDocument takes a signed document that is about no person. It verifies
	// it, and refuses to go back to an older version (store.ErrRollback).
	PutDocument(signed []byte) (seal.Document, error)
	// PutInbox keeps a sealed document until the subject key opens it.
	PutInbox(kind string, version uint64, sealed []byte) error
}

// Config are a courier's parts. Zero values are the product's.
type Config struct {
	Vault Vault
	Log   *slog.Logger     // nil: nothing is logged
	Now   func() time.Time // nil: time.Now
	// Interval is the wait between rounds while the road is open.
	Interval time.Duration // 0: 30 s
	// Chunk is how much one request of an upload carries, in bytes.
	Chunk int64 // 0: 4 MiB
	// Stall is how long a connection may stand still.
	Stall time.Duration // 0: 60 s
}

// Waits of the loop.
const (
	soon       = 5 * time.Second // after a round that delivered: an alert may follow
	firstRetry = time.Second
	lastRetry  = 5 * time.Minute
)

// Courier carries. Its methods may be called concurrently; rounds happen one at
// a time.
type Courier struct {
	c    Config
	wake chan struct{}

	round sync.Mutex // held for a whole round
	http  *http.Client
	used  Identity // that http was made for

	mu   sync.Mutex
	last Report
	err  error
}

// New returns a courier for a vault.
func New(c Config) *Courier {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Interval == 0 {
		c.Interval = 30 * time.Second
	}
	if c.Chunk == 0 {
		c.Chunk = 4 << 20
	}
	if c.Stall == 0 {
		c.Stall = time.Minute
	}
	return &Courier{c: c, wake: make(chan struct{}, 1)}
}

// Wake asks for a round now: a package was sealed, or a person pressed the
// button. It never blocks.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Last returns what the last round did, and what stopped it; a zero Report
// before the first.
func (c *Courier) Last() (Report, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last, c.err
}

// Run makes rounds until ctx ends: often while the road is open, ever more
// rarely (with jitter) while it is not, and at once when woken.
func (c *Courier) Run(ctx context.Context) error {
	fails := 0
	for {
		r, err := c.Round(ctx)
		if ctx.Err() != nil {
			return nil
		}
		wait := jitter(c.c.Interval)
		var e *Error
		switch {
		case errors.As(err, &e) && e.Road():
			wait = backoff(fails)
			fails++
		case r.Progress():
			fails, wait = 0, min(wait, jitter(soon))
		default:
			fails = 0
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-c.wake:
			timer.Stop()
			fails = min(fails, 1)
		case <-timer.C:
		}
	}
}

// backoff returns the wait after a number of failures: doubling, at most
// lastRetry, anywhere between half and whole.
func backoff(fails int) time.Duration {
	d := min(lastRetry, firstRetry<<min(fails, 20))
	return d/2 + rand.N(d/2)
}

// jitter spreads a wait by a fifth either way, so that kiosks that woke together
// do not stay together.
func jitter(d time.Duration) time.Duration { return d - d/5 + rand.N(2*d/5+1) }
