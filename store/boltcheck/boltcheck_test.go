package boltcheck

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// build makes a file with nested, inline, branchy and overflowing content, and
// a history of deletes.
func build(t testing.TB, noFreelist bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b.db")
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoFreelistSync: noFreelist, NoSync: true, PageSize: 4096})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 4 {
		err := db.Update(func(tx *bolt.Tx) error {
			for _, name := range []string{"big", "small", "values"} {
				b, err := tx.CreateBucketIfNotExists([]byte(name))
				if err != nil {
					return err
				}
				n := map[string]int{"big": 300, "small": 2, "values": 5}[name]
				for i := range n {
					size := 60
					if name == "values" {
						size = 9000
					}
					if err := b.Put(fmt.Appendf(nil, "%s-%d", name, r.IntN(2*n)), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
						return err
					}
				}
				in, err := b.CreateBucketIfNotExists([]byte("~nested"))
				if err != nil {
					return err
				}
				if err := in.Put([]byte{byte(round)}, []byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func check(b []byte) error { return Check(bytes.NewReader(b), int64(len(b))) }

func TestSoundFilesPass(t *testing.T) {
	for _, no := range []bool{false, true} {
		if err := check(build(t, no)); err != nil {
			t.Errorf("no freelist %v: %v", no, err)
		}
	}
	path := filepath.Join(t.TempDir(), "empty.db")
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	if err := File(path); err != nil {
		t.Errorf("empty: %v", err)
	}
}

func TestDamageIsFound(t *testing.T) {
	good := build(t, false)
	for name, bad := range map[string][]byte{
		"empty":     {},
		"short":     good[:100],
		"truncated": good[:len(good)/2],
		"zeros":     make([]byte, len(good)),
		"no metas":  append(make([]byte, 8192), good[8192:]...),
	} {
		if err := check(bad); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// One meta page lost is what a cut leaves: the other serves, unless it
	// leads to pages that were used anew.
	lost := bytes.Clone(good)
	clear(lost[:4096])
	check(lost)
	found := 0
	pages := len(good) / 4096
	for p := 2; p < pages; p++ {
		bad := bytes.Clone(good)
		for i := p * 4096; i < p*4096+16; i++ {
			bad[i] ^= 0xff
		}
		if check(bad) != nil {
			found++
		}
	}
	t.Logf("of %d pages with a spoilt header %d are found (the others are free or overflow)", pages-2, found)
	if found == 0 {
		t.Error("no damage was found")
	}
}

// use opens what passed the check with bbolt and touches everything.
func use(t testing.TB, b []byte) {
	path := filepath.Join(t.TempDir(), "u.db")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return
	}
	defer db.Close()
	var visit func(b *bolt.Bucket) error
	visit = func(b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				if in := b.Bucket(k); in != nil {
					return visit(in)
				}
			}
			return nil
		})
	}
	db.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return visit(b) })
	})
	db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("new"))
		if err != nil {
			return err
		}
		for i := range 50 {
			if err := b.Put(fmt.Appendf(nil, "%d", i), make([]byte, 500)); err != nil {
				return err
			}
		}
		return nil
	})
}

// FuzzCheck: what passes must not make bbolt panic.
func FuzzCheck(f *testing.F) {
	good, free := build(f, true), build(f, false)
	for _, at := range []int{0, 24, 40, 48, 4096 + 40, 8192, 8192 + 8, 8192 + 10, 8192 + 16, 3*4096 + 20, 4*4096 + 12} {
		f.Add(false, uint32(at), []byte{0xff, 1})
		f.Add(true, uint32(at), []byte{0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, no bool, at uint32, patch []byte) {
		b := bytes.Clone(free)
		if no {
			b = bytes.Clone(good)
		}
		copy(b[int(at)%len(b):], patch)
		if check(b) == nil {
			use(t, b)
		}
	})
}
