package embedded

import (
	"errors"
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
