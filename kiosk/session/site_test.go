package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/kiosk/gallery"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
)

// siteCards are the index cards of n strangers, and those of the given person's
// capture, one with codes and one without.
func siteCards(t *testing.T, n int, probe kiosk.Encounter) []kiosk.IndexCard {
	t.Helper()
	own := []kiosk.Template{*probe.Best(kiosk.EyeRight).Template, *probe.Best(kiosk.EyeLeft).Template}
	packed, err := gallery.Pack(own)
	if err != nil {
		t.Fatal(err)
	}
	var out []kiosk.IndexCard
	for i := range n {
		c := kiosk.IndexCard{Encounter: kiosk.EncounterID(fmt.Sprintf("%020d", i)), Wristband: fmt.Sprint(i), Date: "2026-01-02", Site: "gate",
			Templates: own, Search: packed, Ends: time.Now().Add(time.Hour)}
		if i > 1 { // nobody's: codes without a bit in common
			c.Templates, c.Search = nil, []byte{1, 0}
		}
		if i == 1 {
			c.Search = nil
		}
		out = append(out, c)
	}
	return out
}

// Cards are searchable after the next sign-in, with codes or without; how far it
// has come can be seen, and it can be stopped.
func TestSignInLoadsTheSite(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(41, 1)
	b.begin("0700")
	probe := b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	sub, _, err := b.Vault.Unlock(t.Context(), sessiontest.Officer, []byte(sessiontest.Password))
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.PutCards(t.Context(), siteCards(t, 3000, probe)...); err != nil {
		t.Fatal(err)
	}
	sub.Lock()

	// Stopped on the way: nobody is signed in, and it can be tried again.
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan session.Loading)
	done := make(chan struct{})
	go func() {
		defer close(seen)
		for {
			select {
			case <-done:
				return
			default:
			}
			if l, ok := b.Loading(); ok && l.Done > 0 {
				cancel()
				seen <- l
				return
			}
		}
	}()
	_, err = b.SignIn(ctx, sessiontest.Officer, []byte(sessiontest.Password))
	if err != nil {
		if _, in := b.Operator(); !errors.Is(err, context.Canceled) || in {
			t.Errorf("stopped: %v, signed in %v", err, in)
		}
		if l := <-seen; l.Done == 0 || l.Total != 3000 {
			t.Errorf("progress %+v", l)
		}
		b.In()
	} else {
		close(done) // it was faster than the watcher
		<-seen
		t.Log("signed in before it could be stopped")
	}
	cancel()
	if _, ok := b.Loading(); ok {
		t.Error("still loading")
	}
	home, err := b.Home(t.Context())
	if err != nil || home.Cards != 4 {
		t.Errorf("%d eyes searchable, %v", home.Cards, err)
	}
	b.Devices.Seat(41, 2)
	b.begin("0701")
	b.captureIrises()
	found := map[kiosk.EncounterID]bool{}
	for _, c := range b.search() {
		found[c.Encounter] = true
	}
	for i, want := range []bool{true, true, false} {
		if id := kiosk.EncounterID(fmt.Sprintf("%020d", i)); found[id] != want {
			t.Errorf("card %d found: %v", i, found[id])
		}
	}
	if c, ok := b.Card("00000000000000000001"); !ok || c.Wristband != "1" || c.Site != "gate" {
		t.Errorf("%+v, %v", c, ok)
	}
	if _, ok := b.Card("zzzzzzzzzzzzzzzzzzzz"); ok {
		t.Error("a card that is not there")
	}
}

// Cards whose bodies are spoilt on the disk, one with search codes that are whole
// and one without, stop no search; but no search says that it compared them.
func TestADamagedCardIsNotCompared(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(43, 1)
	b.begin("0710")
	probe := b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	sub, _, err := b.Vault.Unlock(t.Context(), sessiontest.Officer, []byte(sessiontest.Password))
	if err != nil {
		t.Fatal(err)
	}
	if err := sub.PutCards(t.Context(), siteCards(t, 2, probe)...); err != nil {
		t.Fatal(err)
	}
	if err := b.Vault.Close(); err != nil {
		t.Fatal(err)
	}
	spoilCards(t, filepath.Join(b.Dir, "vault.db"), 2)
	b.Reopen()
	b.In()
	b.Devices.Seat(43, 2)
	b.begin("0711")
	b.captureIrises()
	for range 2 {
		if found := b.search(); len(found) != 0 {
			t.Errorf("found by cards that cannot be read: %+v", found)
		}
	}
	e, _ := b.Current()
	for _, q := range e.Searches {
		// Both eyes of the one, and the other, of which nobody knows how many.
		if q.Scope == kiosk.ScopeSite && (q.Compared != 0 || q.NotCompared != 3 || q.Total != 3) {
			t.Errorf("search %d says it compared %d of %d, and %d not", q.ID, q.Compared, q.Total, q.NotCompared)
		}
	}
	if st, err := b.Vault.Status(); err != nil || len(st.Damage) == 0 {
		t.Errorf("the vault names no damage: %q, %v", st.Damage, err)
	}
}

// spoilCards changes the last bit of every index card of a closed vault.
func spoilCards(t *testing.T, path string, want int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bolt.Tx) error {
		cards := tx.Bucket([]byte("cards"))
		spoilt := map[string][]byte{}
		err := cards.ForEach(func(name, b []byte) error {
			b = bytes.Clone(b)
			b[len(b)-1] ^= 1
			spoilt[string(name)] = b
			return nil
		})
		if len(spoilt) != want {
			t.Errorf("%d cards, %d wanted", len(spoilt), want)
		}
		for name, b := range spoilt {
			err = errors.Join(err, cards.Put([]byte(name), b))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
