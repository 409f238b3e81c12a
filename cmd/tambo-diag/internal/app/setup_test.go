package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store"
	"tambo/sync/courier"
	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
	"tambo/sync/wire"
)

// trainingHub is a hub in this process that counts who connects.
type trainingHub struct {
	t     *testing.T
	hub   *hub.Hub
	url   string
	calls atomic.Int64
}

type counting struct {
	net.Listener
	n *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

func newTrainingHub(t *testing.T) *trainingHub {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys, err := hub.GenerateKeys(time.Now())
	must(err)
	s, err := embedded.Open(filepath.Join(t.TempDir(), "hub"))
	must(err)
	t.Cleanup(func() { s.Close() })
	must(hub.Init(t.Context(), s, keys, true, time.Now()))
	h, err := hub.New(t.Context(), hub.Config{Store: s, Keys: keys})
	must(err)
	server, err := h.Server()
	must(err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	w := &trainingHub{t: t, hub: h, url: "https://" + l.Addr().String()}
	go server.ServeTLS(counting{l, &w.calls}, "", "")
	t.Cleanup(func() { server.Close() })
	return w
}

// code is a one-time code for a kiosk.
func (w *trainingHub) code(id string) string {
	w.t.Helper()
	args, err := json.Marshal(hub.AddKiosk{ID: kiosk.KioskID(id), Site: "North gate"})
	if err != nil {
		w.t.Fatal(err)
	}
	a, err := w.hub.Do(w.t.Context(), hub.Order{Name: "kiosk add", Args: args})
	if err != nil {
		w.t.Fatal(err)
	}
	return a.(hub.Code).Code
}

// setup runs "kiosk setup" with what is typed, and holds it against whether it
// may reach the hub.
func (w *trainingHub) setup(dir string, mayCall bool, typed ...string) (string, error) {
	w.t.Helper()
	before := w.calls.Load()
	var out, errs bytes.Buffer
	k := &keeper{in: bufio.NewReader(strings.NewReader(strings.Join(typed, "\n") + "\n")), out: &out, err: &errs}
	err := kioskSetup(w.t.Context(), k, []string{"--dir", dir, "--hub", w.url, "--supervisor", "su-1"})
	if called := w.calls.Load() != before; called && !mayCall {
		w.t.Errorf("the hub was called (%v)", err)
	}
	return out.String(), err
}

const typedPassword = "a long enough password"

// What this test fears: a code with a slip of the finger keys the vault, the
// right code is then used up at the hub, and no operator can ever begin.
func TestSetupWithMistypedCode(t *testing.T) {
	w, dir := newTrainingHub(t), filepath.Join(t.TempDir(), "kiosk")
	code := w.code("gate-1")
	// One slip in 256 is another good code; this is about the others.
	slip := []byte(code)
	for _, c := range []byte("abcdefgh") {
		slip[7] = c
		if _, err := wire.ParseCode(string(slip)); err != nil {
			break
		}
	}
	if _, err := w.setup(dir, false, string(slip), typedPassword); err == nil || !strings.Contains(err.Error(), "code") {
		t.Fatalf("a mistyped code: %v", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Fatalf("a mistyped code made a vault: %v", err)
	}
	// As people type: no dashes, capitals, O for 0.
	loose := strings.NewReplacer("-", " ", "0", "O").Replace(strings.ToUpper(code))
	out, err := w.setup(dir, true, loose, typedPassword)
	if err != nil || !strings.Contains(out, "su-1 may sign in") {
		t.Fatalf("%q %v", out, err)
	}
	out, err = w.setup(dir, false, w.code("gate-1"), typedPassword)
	if err != nil || !strings.Contains(out, "already") {
		t.Errorf("set up again: %q %v", out, err)
	}
	signsIn(t, dir)
}

func signsIn(t *testing.T, dir string) {
	t.Helper()
	v, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if _, err := v.SignIn(t.Context(), "su-1", []byte(typedPassword)); err != nil {
		t.Error(err)
	}
}

// A vault of another code that never had a hub is made anew.
func TestSetupAfterAnotherCode(t *testing.T) {
	w, dir := newTrainingHub(t), filepath.Join(t.TempDir(), "kiosk")
	v, err := store.Create(dir, store.CreateOptions{Code: w.code("gate-1")})
	if err != nil {
		t.Fatal(err)
	}
	old := v.PublicKey()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := w.setup(dir, true, w.code("gate-1"), typedPassword); err != nil {
		t.Fatalf("%q %v", out, err)
	}
	if v, err = store.Open(dir, store.Options{}); err != nil {
		t.Fatal(err)
	}
	if v.PublicKey().Equal(old) {
		t.Error("the vault is the old one")
	}
	v.Close()
	signsIn(t, dir)
}

// A vault that has a hub and waits for its first operators stays, whatever code
// is typed, and its own code goes on with it.
func TestSetupCutShort(t *testing.T) {
	w, dir := newTrainingHub(t), filepath.Join(t.TempDir(), "kiosk")
	code := w.code("gate-1")
	v, err := store.Create(dir, store.CreateOptions{Code: code})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := courier.New(courier.Config{Vault: v}).Provision(context.Background(), code, w.url, nil); err != nil {
		t.Fatal(err)
	}
	key := v.PublicKey()
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = w.setup(dir, false, w.code("gate-2"), typedPassword)
	if err == nil || !strings.Contains(err.Error(), "code") || strings.Contains(err.Error(), "password") {
		t.Errorf("another code: %v", err)
	}
	if _, err = w.setup(dir, true, code, typedPassword); err != nil {
		t.Fatal(err)
	}
	if v, err = store.Open(dir, store.Options{}); err != nil {
		t.Fatal(err)
	}
	if !v.PublicKey().Equal(key) {
		t.Error("the vault was made anew")
	}
	v.Close()
	signsIn(t, dir)
}
