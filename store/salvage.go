package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/boltcheck"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
)

// Salvaged says what [Salvage] found again, and what it did not.
type Salvaged struct {
	Drafts, Packages int
	Lost             []string // files that cannot be read, with why
	Kept             string   // the damaged index, kept beside the new one
}

// Salvage makes a new index for a vault whose vault.db is damaged, from what the
// encounter files say of themselves. Drafts and sealed packages are there again;
// packages are sent again and the hub answers with the receipts that it gave
// before. Index cards, lists, the inbox and documents are gone from the kiosk:
// documents and lists come again from the hub. The damaged index and every file
// are kept. It refuses a vault whose index is sound.
func Salvage(dir string, o Options) (s Salvaged, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("salvage: %w", full(err))
		}
	}()
	if !keyring.Exists(dir) {
		return s, ErrNoVault
	}
	v := &Vault{dir: dir, o: o}
	if v.lock, err = lockDir(dir); err != nil {
		return s, err
	}
	defer v.lock.Close()
	index := filepath.Join(dir, indexFile)
	if sound(index) {
		return s, errors.New("the index is sound: nothing was touched")
	}
	if v.ring, err = keyring.Open(dir, o.ring()); err != nil {
		return s, err
	}
	defer v.ring.Close()
	if err := v.openKeys(); err != nil {
		return s, err
	}
	if err := v.openIdentity(); err != nil {
		return s, err
	}
	defer v.idTable.Close()
	fresh := index + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if v.db, err = newIndex(fresh); err != nil {
		return s, err
	}
	err = v.refill(&s)
	if err = errors.Join(err, v.db.Close()); err != nil {
		return s, err
	}
	s.Kept = indexFile + ".damaged-" + time.Now().UTC().Format("20060102-150405")
	if err := os.Rename(index, filepath.Join(dir, s.Kept)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return s, err
	}
	if err := os.Rename(fresh, index); err != nil {
		return s, err
	}
	return s, twin.SyncDir(dir)
}

// sound reports whether Open would take an index.
func sound(index string) bool {
	if boltcheck.File(index) != nil {
		return false
	}
	db, err := bolt.Open(index, 0o600, indexOptions())
	if err != nil {
		return false
	}
	defer db.Close()
	return wholeIndex(db) == nil
}

func newIndex(path string) (*bolt.DB, error) {
	db, err := bolt.Open(path, 0o600, indexOptions())
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if _, err := tx.CreateBucketIfNotExists([]byte(b)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// refill puts every readable encounter file into the index. A file that was
// sealed but whose draft is still there was cut between the two: the package is
// whole and wins.
func (v *Vault) refill(s *Salvaged) error {
	files, err := os.ReadDir(v.path(""))
	if err != nil {
		return err
	}
	drafts := map[kiosk.EncounterID]*draftRecord{}
	sealed := map[kiosk.EncounterID]bool{}
	for _, f := range files {
		self, manifest, err := v.readSelf(f.Name())
		if err != nil {
			s.Lost = append(s.Lost, fmt.Sprintf("%s/%s: %v", encDir, f.Name(), err))
			if err := v.keepAside(f.Name()); err != nil {
				return err
			}
			continue
		}
		if self.Kind == kindDraft {
			drafts[self.Encounter] = &draftRecord{self.Encounter, f.Name(), self.Ref}
			continue
		}
		r, err := v.newOutRecord(manifest, f.Name(), self.Ref)
		if err != nil {
			s.Lost = append(s.Lost, fmt.Sprintf("%s/%s: %v", encDir, f.Name(), err))
			if err := v.keepAside(f.Name()); err != nil {
				return err
			}
			continue
		}
		sealed[r.Meta.Encounter] = sealed[r.Meta.Encounter] || r.Meta.Kind != kiosk.PackageNotice
		if err := v.db.Update(func(tx *bolt.Tx) error { return v.putOut(tx, r) }); err != nil {
			return err
		}
		s.Packages++
	}
	for id, d := range drafts {
		if sealed[id] {
			continue
		}
		if err := v.db.Update(func(tx *bolt.Tx) error { return v.putDraft(tx, d) }); err != nil {
			return err
		}
		s.Drafts++
	}
	return nil
}

// keepAside moves a file that cannot be read out of the folder that Open sweeps.
func (v *Vault) keepAside(name string) error {
	lost := filepath.Join(v.dir, "lost")
	if err := os.MkdirAll(lost, 0o700); err != nil {
		return err
	}
	return os.Rename(v.path(name), filepath.Join(lost, name))
}

// readSelf reads what a file says of itself, and its manifest if it is sealed.
func (v *Vault) readSelf(name string) (me self, manifest []byte, err error) {
	if !strings.HasSuffix(name, ".enc") {
		return me, nil, errors.New("not an encounter file")
	}
	f, err := v.openEnc(name, keyring.Key{}, true)
	if err != nil {
		return me, nil, err
	}
	defer f.close()
	err = f.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bSelf))
		if b == nil {
			return errors.New("it says nothing of itself")
		}
		return json.Unmarshal(b.Get([]byte(bSelf)), &me)
	})
	if err != nil {
		return me, nil, err
	}
	if err := me.Encounter.Validate(); err != nil {
		return me, nil, err
	}
	switch me.Kind {
	case kindDraft:
		_, err := v.ring.Key(me.Ref, nil) // nobody is signed in: that it is locked is good news
		if !errors.Is(err, ErrNoSubjects) {
			return me, nil, fmt.Errorf("its key: %w", err)
		}
		return me, nil, nil
	case kindSealed:
		if f.key, err = v.ring.Key(me.Ref, nil); err != nil {
			return me, nil, fmt.Errorf("its key: %w", err)
		}
		manifest, err := f.get(manifestBlob)
		return me, manifest, err
	}
	return me, nil, fmt.Errorf("kind %q is not known", me.Kind)
}
