package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tambo/sync/hub"
	"tambo/sync/hub/hubtest"
)

func TestConformance(t *testing.T) {
	hubtest.Run(t, func(t *testing.T, dir string) hub.Store {
		s, err := Open(filepath.Join(dir, "a", "hub"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	})
}

func TestOneProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := Open(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("opened twice: %v", err)
	}
}

func TestKeysFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hub")
	if _, err := ReadKeys(dir); !errors.Is(err, ErrNoKeys) {
		t.Errorf("no keys: %v", err)
	}
	k, err := hub.GenerateKeys(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteKeys(dir, k); err != nil {
		t.Fatal(err)
	}
	if err := WriteKeys(dir, k); !errors.Is(err, os.ErrExist) {
		t.Errorf("keys overwritten: %v", err)
	}
	st, err := os.Stat(filepath.Join(dir, "keys.json"))
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("mode of the keys: %v %v", st.Mode(), err)
	}
	back, err := ReadKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	if back.VerifierKey() != k.VerifierKey() || !back.CA.Equal(k.CA) || len(back.Private) != 3 {
		t.Error("keys came back different")
	}
	// A hub without the custodian's and adjudicator's private keys is a hub.
	for _, r := range back.Recipients {
		if r.Role != "matcher" {
			delete(back.Private, r.KeyID)
		}
	}
	b, err := back.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hub.ParseKeys(b); err != nil {
		t.Errorf("without custodian and adjudicator: %v", err)
	}
	clear(back.Private)
	if b, err = back.Marshal(); err != nil {
		t.Fatal(err)
	}
	if _, err := hub.ParseKeys(b); err == nil {
		t.Error("a hub without its matcher's key")
	}
}

// What this test fears: one bad page of hub.db, and the hub dies of a panic at
// every start instead of saying what to do.
func TestDamagedStoreIsNamed(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Update(t.Context(), func(tx hub.Tx) error {
		for i := range 400 {
			if err := tx.Put(hub.TablePackages, fmt.Sprintf("p%04d", i), bytes.Repeat([]byte{byte(i)}, 300)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	path := filepath.Join(dir, "hub.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		bad := bytes.Clone(whole)
		page := 2 + rng.IntN(len(bad)/4096-2)
		for i := range 16 { // the header, where bbolt trusts what it reads
			bad[page*4096+i] ^= byte(rng.IntN(256))
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(dir)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("page %d: %v", page, err)
			}
			named++
			continue
		}
		s.View(t.Context(), func(tx hub.Tx) error { // a page that nothing uses
			return tx.Scan(hub.TablePackages, "", func(string, []byte) error { return nil })
		})
		s.Close()
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(dir); err != nil {
		t.Fatalf("the whole file again: %v", err)
	}
	s.Close()
	if named < 50 {
		t.Errorf("only %d of 200 damaged files were named", named)
	}
	t.Logf("%d of 200 damaged files named, the others had damage in pages that nothing uses", named)
}
