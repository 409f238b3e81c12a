package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"
)

// TestArrivals: the list of a van outlives the process and a lock, opens for
// whoever may see people, stands in no file in plain, and is gone when it is
// closed. A vault that never had one is whole.
func TestArrivals(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	if l, err := s.Arrivals(bg); err != nil || l != nil {
		t.Fatalf("a new vault has a list: %q, %v", l, err)
	}
	list := []byte(`{"origin":"VANMARKER","people":[{"wristband":"0417"}]}`)
	w.must(s.PutArrivals(bg, []byte("an older one")))
	w.must(s.PutArrivals(bg, list))
	s.Lock()
	if err := s.PutArrivals(bg, list); !errors.Is(err, ErrLocked) {
		t.Errorf("after locking: %v", err)
	}
	w.must(w.v.Close())
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if b, err := os.ReadFile(path); err != nil || bytes.Contains(b, []byte("VANMARKER")) || bytes.Contains(b, []byte("0417")) {
			t.Errorf("%s holds the list in plain, or cannot be read: %v", path, err)
		}
		return nil
	})
	w.must(err)
	w.v, err = Open(w.dir, w.options())
	w.must(err)
	s = w.unlock("su-1", pwS)
	if l, err := s.Arrivals(bg); err != nil || !bytes.Equal(l, list) {
		t.Errorf("after a restart: %q, %v", l, err)
	}
	w.must(s.PutArrivals(bg, nil))
	if l, err := s.Arrivals(bg); err != nil || l != nil {
		t.Errorf("closed: %q, %v", l, err)
	}
	w.must(s.PutArrivals(bg, list))
	w.must(w.v.db.Update(func(tx *bolt.Tx) error { // a flipped bit is a named damage, never another list
		b := tx.Bucket([]byte(bArrivals))
		v := bytes.Clone(b.Get(w.v.arrivalsName()))
		v[len(v)/2] ^= 1
		return b.Put(w.v.arrivalsName(), v)
	}))
	var damaged *ErrDamaged
	if l, err := s.Arrivals(bg); !errors.As(err, &damaged) {
		t.Errorf("damaged: %q, %v", l, err)
	}
}
