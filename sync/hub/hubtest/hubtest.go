// Package hubtest is the conformance suite of hub stores: every implementation
// of hub.Store passes it, so that a hub may be moved from one to another. It
// proves no durability: what a power cut leaves is for each store's own tests.
package hubtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"tambo/kiosk"
	"tambo/sync/hub"
	"tambo/sync/wire"
)

// Run runs the suite. open opens the store of a test; it is called again, after
// Close, to see what was kept.
func Run(t *testing.T, open func(t *testing.T, dir string) hub.Store) {
	for name, f := range map[string]func(*testing.T, func() hub.Store){
		"rows": rows, "transactions": transactions, "scan": scans, "counter": counter,
		"blob": blob, "begin again": beginAgain, "offsets": offsets, "broken source": brokenSource,
		"wrong digest": wrongDigest, "ids": ids, "drop": drop,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f(t, func() hub.Store { return open(t, dir) })
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rows(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	for _, table := range hub.Tables {
		check(t, s.Update(ctx, func(tx hub.Tx) error {
			if _, err := tx.Get(table, "a"); !errors.Is(err, hub.ErrNotFound) {
				t.Errorf("%s: a row that was never written: %v", table, err)
			}
			value := []byte("one")
			if err := tx.Put(table, "a", value); err != nil {
				return err
			}
			value[0] = 'x' // the store has its own copy
			if err := tx.Put(table, "b", []byte{}); err != nil {
				return err
			}
			return tx.Delete(table, "never there")
		}))
	}
	check(t, s.Close())
	s = open()
	defer s.Close()
	for _, table := range hub.Tables {
		check(t, s.View(ctx, func(tx hub.Tx) error {
			v, err := tx.Get(table, "a")
			if err != nil || string(v) != "one" {
				t.Errorf("%s: %q %v after opening again", table, v, err)
			}
			if v, err := tx.Get(table, "b"); err != nil || len(v) != 0 {
				t.Errorf("%s: an empty row: %q %v", table, v, err)
			}
			if tx.Put(table, "c", nil) == nil {
				t.Errorf("%s: wrote in a read-only transaction", table)
			}
			return nil
		}))
	}
}

func transactions(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	mine := errors.New("mine")
	err := s.Update(ctx, func(tx hub.Tx) error {
		if err := tx.Put(hub.TableMeta, "a", []byte("1")); err != nil {
			return err
		}
		if v, err := tx.Get(hub.TableMeta, "a"); err != nil || string(v) != "1" {
			t.Errorf("own write not seen: %q %v", v, err)
		}
		return mine
	})
	if !errors.Is(err, mine) {
		t.Errorf("error of the function: %v", err)
	}
	check(t, s.View(ctx, func(tx hub.Tx) error {
		if _, err := tx.Get(hub.TableMeta, "a"); !errors.Is(err, hub.ErrNotFound) {
			t.Error("a transaction that failed left something")
		}
		return nil
	}))
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Update(ended, func(tx hub.Tx) error { return tx.Put(hub.TableMeta, "b", nil) }); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func scans(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	check(t, s.Update(ctx, func(tx hub.Tx) error {
		for _, k := range []string{"b/2", "a/1", "b/1", "b", "b0", "c/1", "b/10"} {
			if err := tx.Put(hub.TableEntries, k, []byte("v"+k)); err != nil {
				return err
			}
		}
		return nil
	}))
	check(t, s.View(ctx, func(tx hub.Tx) error {
		var got []string
		err := tx.Scan(hub.TableEntries, "b/", func(k string, v []byte) error {
			if string(v) != "v"+k {
				t.Errorf("row %s has %q", k, v)
			}
			got = append(got, k)
			return nil
		})
		if err != nil || strings.Join(got, " ") != "b/1 b/10 b/2" {
			t.Errorf("scan: %v %v", got, err)
		}
		n := 0
		if err := tx.Scan(hub.TableEntries, "", func(string, []byte) error { n++; return hub.ErrStop }); err != nil || n != 1 {
			t.Errorf("stopped scan: %d rows, %v", n, err)
		}
		mine := errors.New("mine")
		if err := tx.Scan(hub.TableEntries, "", func(string, []byte) error { return mine }); !errors.Is(err, mine) {
			t.Errorf("scan's error: %v", err)
		}
		return nil
	}))
}

// counter holds the store to serializable transactions: no increment is lost.
func counter(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	const workers, each = 8, 10
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range each {
				if err := s.Update(ctx, func(tx hub.Tx) error {
					n := 0
					if v, err := tx.Get(hub.TableMeta, "n"); err == nil {
						fmt.Sscan(string(v), &n)
					}
					return tx.Put(hub.TableMeta, "n", fmt.Append(nil, n+1))
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	check(t, s.View(ctx, func(tx hub.Tx) error {
		if v, _ := tx.Get(hub.TableMeta, "n"); string(v) != fmt.Sprint(workers*each) {
			t.Errorf("counted %s of %d", v, workers*each)
		}
		return nil
	}))
}

func part(n int) (id, digest string, b []byte) {
	b = make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	sum := sha256.Sum256(b)
	digest = hex.EncodeToString(sum[:])
	return wire.UploadID("lima-1", digest), digest, b
}

func size(t *testing.T, s hub.Store, id string, want int64, whole bool) {
	t.Helper()
	n, committed, err := s.Size(t.Context(), id)
	if err != nil || n != want || committed != whole {
		t.Fatalf("size %d, committed %v, %v; want %d, %v", n, committed, err, want, whole)
	}
}

func blob(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	id, digest, b := part(300_000)
	if _, _, err := s.Size(ctx, id); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("size of nothing: %v", err)
	}
	if _, err := s.Append(ctx, id, 0, bytes.NewReader(b)); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("append to nothing: %v", err)
	}
	if err := s.Commit(ctx, id, digest); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("commit of nothing: %v", err)
	}
	check(t, s.Begin(ctx, id))
	size(t, s, id, 0, false)
	for at := 0; at < len(b); { // and across closing and opening
		n := min(100_001, len(b)-at)
		m, err := s.Append(ctx, id, int64(at), bytes.NewReader(b[at:at+n]))
		if err != nil || m != int64(n) {
			t.Fatal(m, err)
		}
		at += n
		check(t, s.Close())
		s = open()
		size(t, s, id, int64(at), false)
	}
	if _, err := s.Open(ctx, id); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("opened before commit: %v", err)
	}
	for range 2 {
		check(t, s.Commit(ctx, id, digest))
		size(t, s, id, int64(len(b)), true)
	}
	check(t, s.Close())
	s = open()
	defer s.Close()
	size(t, s, id, int64(len(b)), true)
	r, err := s.Open(ctx, id)
	check(t, err)
	got, err := io.ReadAll(r)
	check(t, errors.Join(err, r.Close()))
	if !bytes.Equal(got, b) {
		t.Error("came back different")
	}
	if _, err := s.Append(ctx, id, int64(len(b)), strings.NewReader("more")); !errors.Is(err, hub.ErrOffset) {
		t.Errorf("append after commit: %v", err)
	}
}

// beginAgain is the mistake of other upload stores: creating again truncates.
func beginAgain(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	id, digest, b := part(1000)
	check(t, s.Begin(ctx, id))
	_, err := s.Append(ctx, id, 0, bytes.NewReader(b[:600]))
	check(t, err)
	check(t, s.Begin(ctx, id))
	size(t, s, id, 600, false)
	_, err = s.Append(ctx, id, 600, bytes.NewReader(b[600:]))
	check(t, err)
	check(t, s.Commit(ctx, id, digest))
	check(t, s.Begin(ctx, id))
	size(t, s, id, 1000, true)
}

func offsets(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	id, _, b := part(1000)
	check(t, s.Begin(ctx, id))
	_, err := s.Append(ctx, id, 0, bytes.NewReader(b[:500]))
	check(t, err)
	for _, at := range []int64{0, 499, 501, 1000} {
		if _, err := s.Append(ctx, id, at, bytes.NewReader(b)); !errors.Is(err, hub.ErrOffset) {
			t.Errorf("append at %d of 500: %v", at, err)
		}
	}
	size(t, s, id, 500, false)
	var wg sync.WaitGroup
	won := make(chan bool, 8)
	for range 8 {
		wg.Go(func() {
			_, err := s.Append(ctx, id, 500, bytes.NewReader(b[500:]))
			if err == nil {
				won <- true
			} else if !errors.Is(err, hub.ErrOffset) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Errorf("%d of 8 wrote at one offset", len(won))
	}
	size(t, s, id, 1000, false)
}

func brokenSource(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	id, digest, b := part(10_000)
	check(t, s.Begin(ctx, id))
	cut := errors.New("cut")
	n, err := s.Append(ctx, id, 0, io.MultiReader(bytes.NewReader(b[:3333]), iotest.ErrReader(cut)))
	if n != 3333 || !errors.Is(err, cut) {
		t.Fatalf("%d %v: want what came before the cut, and the cut", n, err)
	}
	size(t, s, id, 3333, false)
	if err := s.Commit(ctx, wire.UploadID("lima-2", digest), digest); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("another kiosk's: %v", err)
	}
	_, err = s.Append(ctx, id, 3333, bytes.NewReader(b[3333:]))
	check(t, err)
	check(t, s.Commit(ctx, id, digest))
}

func wrongDigest(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	id, digest, b := part(5000)
	check(t, s.Begin(ctx, id))
	bad := bytes.Clone(b)
	bad[4999] ^= 1
	_, err := s.Append(ctx, id, 0, bytes.NewReader(bad))
	check(t, err)
	if err := s.Commit(ctx, id, digest); !errors.Is(err, hub.ErrDigest) {
		t.Fatalf("changed byte: %v", err)
	}
	if _, _, err := s.Size(ctx, id); !errors.Is(err, hub.ErrNotFound) {
		t.Errorf("the damaged upload is still there: %v", err)
	}
	check(t, s.Begin(ctx, id))
	_, err = s.Append(ctx, id, 0, bytes.NewReader(b))
	check(t, err)
	check(t, s.Commit(ctx, id, digest))
}

// ids: a name that is not an upload id reaches no file.
func ids(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	_, digest, _ := part(10)
	for _, id := range []string{"", "x", "../x." + digest, "lima-1." + digest + "/..", "lima-1/." + digest, "lima-1." + strings.ToUpper(digest), string(kiosk.KioskID("lima-1"))} {
		if s.Begin(ctx, id) == nil {
			t.Errorf("began %q", id)
		}
		if _, _, err := s.Size(ctx, id); err == nil {
			t.Errorf("size of %q", id)
		}
		if _, err := s.Append(ctx, id, 0, strings.NewReader("x")); err == nil {
			t.Errorf("append to %q", id)
		}
		if s.Commit(ctx, id, digest) == nil {
			t.Errorf("commit of %q", id)
		}
		if _, err := s.Open(ctx, id); err == nil {
			t.Errorf("opened %q", id)
		}
	}
}

func drop(t *testing.T, open func() hub.Store) {
	s, ctx := open(), t.Context()
	defer s.Close()
	id, digest, b := part(100)
	check(t, s.Drop(ctx, id))
	for _, commit := range []bool{false, true} {
		check(t, s.Begin(ctx, id))
		_, err := s.Append(ctx, id, 0, bytes.NewReader(b))
		check(t, err)
		if commit {
			check(t, s.Commit(ctx, id, digest))
		}
		check(t, s.Drop(ctx, id))
		if _, _, err := s.Size(ctx, id); !errors.Is(err, hub.ErrNotFound) {
			t.Errorf("dropped, but there: %v", err)
		}
	}
}
