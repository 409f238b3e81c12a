package courier

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store"
	"tambo/sync/hub"
	"tambo/sync/wire"
)

// TestRoadErrors: each thing that can be in the way has its own cause and
// sentence; the record waits, and goes when the road is open again.
func TestRoadErrors(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	it := v.seal(packed{})
	good := v.id.Hub
	silent := silentServer(t)
	for name, x := range map[string]struct {
		hub   string
		now   func() time.Time
		cause Cause
	}{
		"no such name":   {"https://no-such-hub.invalid:8443", nil, CauseName},
		"nothing there":  {"https://127.0.0.1:1", nil, CauseRefused},
		"says nothing":   {"https://" + silent, nil, CauseTimeout},
		"clock too late": {good, func() time.Time { return time.Now().AddDate(1, 0, 0) }, CauseClock},
		"clock too soon": {good, func() time.Time { return time.Now().AddDate(-1, 0, 0) }, CauseClock},
	} {
		t.Run(name, func(t *testing.T) {
			v.id.Hub = x.hub
			defer func() { v.id.Hub = good }()
			cc := New(Config{Vault: v, Stall: 500 * time.Millisecond, Now: x.now})
			r, err := cc.Round(t.Context())
			var e *Error
			if !errors.As(err, &e) || e.Cause != x.cause || !e.Road() || e.Waiting != 1 || r.Waiting != 1 {
				t.Fatalf("%v (%+v)", err, r)
			}
			if s := err.Error(); strings.Contains(s, "network error") || !strings.Contains(s, "1 record waits; it is kept") {
				t.Error(s)
			}
			t.Log(err)
			if last, lerr := cc.Last(); !errors.Is(lerr, err) || last.Waiting != 1 {
				t.Errorf("the last round: %+v %v", last, lerr)
			}
		})
	}
	w.halt()
	var e *Error
	if _, err := c.Round(t.Context()); !errors.As(err, &e) || e.Cause != CauseRefused {
		t.Errorf("hub down: %v", err)
	}
	w.start()
	round(t, c)
	w.delivered(it)
}

// silentServer takes connections and never answers.
func silentServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return l.Addr().String()
}

// fullStore is a hub's store on a disk with little space left.
type fullStore struct {
	hub.Store
	left int64
}

func (f *fullStore) Append(ctx context.Context, id string, offset int64, src io.Reader) (int64, error) {
	n, err := f.Store.Append(ctx, id, offset, io.LimitReader(src, f.left))
	if f.left -= n; err == nil && f.left == 0 {
		err = hub.ErrFull
	}
	return n, err
}

func TestHubFull(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	it := v.seal(packed{bytes: map[string]int{"evidence": 1000, "record": 1000, "image-1": 2_000_000}})
	w.halt()
	w.wrap = func(s hub.Store) hub.Store { return &fullStore{s, 700_000} }
	w.start()
	c.c.Chunk = 1 << 20
	r, err := c.Round(t.Context())
	var e *Error
	if !errors.As(err, &e) || e.Cause != CauseHub || !errors.Is(err, wire.NewProblem(wire.CodeFull, "")) || r.Thin != 1 || it.State != kiosk.StateThin {
		t.Fatalf("%v (%+v)", err, r)
	}
	t.Log(err)
	w.halt()
	w.wrap = nil
	w.start()
	r = round(t, c)
	w.delivered(it)
	if r.Bytes > 1_400_000 {
		t.Errorf("sent %d bytes after the hub had kept 700,000", r.Bytes)
	}
}

func TestProvision(t *testing.T) {
	w := newWorld(t, true)
	code := w.code("lima-1")
	v := newVault(t)
	c := New(Config{Vault: v, Stall: 5 * time.Second})
	if _, err := c.Round(t.Context()); !errors.Is(err, store.ErrNoIdentity) {
		t.Errorf("a round before provisioning: %v", err)
	}
	other := newWorld(t, true)
	var e *Error
	if _, err := c.Provision(t.Context(), code, other.url(), nil); !errors.As(err, &e) || e.Cause != CauseImpostor {
		t.Errorf("another hub at the address: %v", err)
	}
	if _, err := c.Provision(t.Context(), code, "http://"+w.addr, nil); err == nil {
		t.Error("provisioned without TLS")
	}
	typo := []byte(code)
	typo[3] = map[bool]byte{true: 'b', false: 'a'}[typo[3] == 'a']
	if _, err := c.Provision(t.Context(), string(typo), w.url(), nil); !errors.Is(err, wire.ErrMessage) {
		t.Errorf("mistyped: %v", err)
	}
	// The answer is lost: the vault keeps nothing, and the same call gets it.
	first, err := c.Provision(t.Context(), code, w.url(), nil)
	if err != nil {
		t.Fatal(err)
	}
	v.id = Identity{}
	second, err := c.Provision(t.Context(), strings.ToUpper(code), w.url(), nil)
	if err != nil || string(first.Certificate) != string(second.Certificate) {
		t.Fatalf("the same request got another answer: %v", err)
	}
	if first.Kiosk != "lima-1" || first.Site != "Lima" || !first.Training || v.agreement().ID == "" || v.have["roster"] == 0 {
		t.Errorf("%+v", first)
	}
	// Another machine with the same code gets nothing.
	thief := New(Config{Vault: newVault(t), Stall: 5 * time.Second})
	if _, err := thief.Provision(t.Context(), code, w.url(), nil); !errors.Is(err, wire.NewProblem(wire.CodeUnknownCode, "")) {
		t.Errorf("the code was used twice: %v", err)
	}
	late := w.code("lima-3")
	w.clock(25 * time.Hour)
	if _, err := thief.Provision(t.Context(), late, w.url(), nil); !errors.Is(err, wire.NewProblem(wire.CodeUnknownCode, "")) {
		t.Errorf("an expired code: %v", err)
	}
	w.clock(0)
	// Guessing is slowed down.
	rate := false
	for range 20 {
		guess := wire.NewCode(w.keys.CA.Raw).String()
		_, err := thief.Provision(t.Context(), guess, w.url(), nil)
		rate = rate || errors.Is(err, wire.NewProblem(wire.CodeRate, ""))
	}
	if !rate {
		t.Error("twenty guesses in a row were all looked at")
	}
	round(t, c)
}

// TestRenew: the certificate is renewed before it ends, and the old one works
// until the new one is kept.
func TestRenew(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	before := string(v.id.Certificate)
	round(t, c)
	if string(v.id.Certificate) != before {
		t.Error("renewed at once")
	}
	w.halt()
	w.clock(550 * 24 * time.Hour)
	w.start()
	round(t, c)
	after := string(v.id.Certificate)
	if after == before {
		t.Fatal("not renewed with a quarter of its life left")
	}
	round(t, c)
	w.halt()
	w.clock(3 * 365 * 24 * time.Hour)
	w.start()
	if r := round(t, c); r.HubTime.IsZero() {
		t.Error("no time")
	}
}

// TestRun: the loop delivers what is sealed while it runs, and lives through a
// hub that goes away.
func TestRun(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	a := v.seal(packed{})
	c.Wake()
	waitPurged(t, a)
	w.halt()
	b := v.seal(packed{})
	c.Wake()
	for range 500 {
		if _, err := c.Last(); err != nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := c.Last(); err == nil {
		t.Error("no error while the hub was away")
	}
	w.start()
	waitPurged(t, b)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	w.delivered(a, b)
}

func waitPurged(t *testing.T, it *fakeItem) {
	t.Helper()
	for range 3000 {
		if it.state() == kiosk.StatePurged {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the package was not delivered")
}

func TestBackoff(t *testing.T) {
	for fails, most := range map[int]time.Duration{0: time.Second, 3: 8 * time.Second, 30: lastRetry, 1000: lastRetry} {
		for range 100 {
			if d := backoff(fails); d < most/2 || d > most {
				t.Fatalf("%d failures: %v", fails, d)
			}
			if d := jitter(most); d < most*4/5-1 || d > most*6/5+1 {
				t.Fatalf("jitter of %v: %v", most, d)
			}
		}
	}
}
