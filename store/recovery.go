package store

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
)

const runningFile = "running"

// recover finishes what a cut left over. The index is the only word on what
// there is: keys and files that it does not name belong to something that was
// never confirmed, or whose destruction was.
func (v *Vault) recover() error {
	v.unclean = v.markRunning()
	if n := v.ring.Damaged(); n > 0 {
		v.damage = append(v.damage, fmt.Sprintf("keys.tbl: %d pages cannot be read in either copy; what their keys opened is lost", n))
	}
	if err := v.loadTime(); err != nil {
		v.damage = append(v.damage, err.Error())
	}
	refs, files, err := v.named()
	if err != nil {
		// What cannot be read may be what names a key: nothing is swept.
		v.damage = append(v.damage, err.Error())
		return nil
	}
	if err := v.sweepKeys(refs); err != nil {
		return err
	}
	return v.sweepFiles(files)
}

// markRunning leaves a mark that Close takes away. It reports whether the last
// run ended without.
func (v *Vault) markRunning() bool {
	path := filepath.Join(v.dir, runningFile)
	_, err := os.Stat(path)
	os.WriteFile(path, nil, 0o600)
	return err == nil
}

// Unclean reports whether the kiosk stopped last time without closing the vault:
// a power cut or a crash.
func (v *Vault) Unclean() bool { return v.unclean }

// named returns the keys and files that the index names.
func (v *Vault) named() (map[keyring.Ref]string, map[string]bool, error) {
	refs, files := map[keyring.Ref]string{}, map[string]bool{}
	err := v.db.View(func(tx *bolt.Tx) error {
		err := tx.Bucket([]byte(bDrafts)).ForEach(func(name, b []byte) error {
			r, err := v.decodeDraft(name, b)
			if err == nil {
				refs[r.Ref], files[r.File] = "a draft", true
			}
			return err
		})
		if err != nil {
			return err
		}
		err = v.eachOut(tx, bOutbox, func(r *outRecord) error {
			refs[r.Ref], files[r.File] = "a sealed package", true
			return nil
		})
		if err != nil {
			return err
		}
		err = tx.Bucket([]byte(bCards)).ForEach(func(name, b []byte) error {
			r, err := v.decodeCard(name, b)
			refs[r.Ref] = "an index card"
			return err
		})
		if err != nil {
			return err
		}
		return tx.Bucket([]byte(bLists)).ForEach(func(name, b []byte) error {
			r, err := v.decodeList(name, b)
			if err == nil {
				refs[r.Ref] = "a list"
			}
			return err
		})
	})
	return refs, files, err
}

func (v *Vault) sweepKeys(named map[keyring.Ref]string) error {
	keep := slices.Concat(v.ring.Find(keyring.Machine, keyring.UseIndex), v.ring.Find(keyring.Subject, keyring.UseIndex), v.ring.Find(keyring.Subject, keyring.UseReceive))
	var gone []keyring.Ref
	for _, ref := range v.ring.Refs() {
		if _, ok := named[ref]; ok {
			delete(named, ref)
		} else if !slices.Contains(keep, ref) {
			gone = append(gone, ref)
		}
	}
	for _, what := range named {
		v.damage = append(v.damage, "keys.tbl: the key of "+what+" is gone")
	}
	return v.ring.Erase(gone...)
}

func (v *Vault) sweepFiles(named map[string]bool) error {
	found, err := os.ReadDir(v.path(""))
	if err != nil {
		return &ErrDamaged{encDir, "the folder of encounter files is missing; restore it or provision the kiosk again", err}
	}
	removed := false
	for _, f := range found {
		if named[f.Name()] {
			delete(named, f.Name())
			continue
		}
		if err := os.RemoveAll(v.path(f.Name())); err != nil {
			return err
		}
		removed = true
	}
	for name := range named {
		v.damage = append(v.damage, (&ErrDamaged{encDir + "/" + name, "tell the hub's keeper", os.ErrNotExist}).Error())
	}
	if removed {
		return twin.SyncDir(v.path(""))
	}
	return nil
}

// Status is what the vault holds, in numbers: nothing in it is about anybody.
type Status struct {
	Drafts, Waiting, Thin, Delivered, Refused int // packages by state; Waiting has no receipt yet
	Hits                                      int // of those not delivered
	Cards, Lists, Inbox                       int
	Oldest                                    time.Time // sealing of the oldest undelivered package; zero if none
	Free, Total                               uint64    // of the disk, in bytes
	Damage                                    []string  // what cannot be read, and what to do
	Unclean                                   bool      // the last run ended without closing the vault
	Audit                                     int64     // entries
}

// Status counts, with nobody signed in.
func (v *Vault) Status() (Status, error) {
	var s Status
	err := v.db.View(func(tx *bolt.Tx) error {
		for name, n := range map[string]*int{bDrafts: &s.Drafts, bCards: &s.Cards, bLists: &s.Lists, bInbox: &s.Inbox} {
			*n = tx.Bucket([]byte(name)).Stats().KeyN
		}
		return v.eachOut(tx, bOutbox, func(r *outRecord) error {
			s.count(r.item())
			return nil
		})
	})
	if err != nil {
		return s, err
	}
	s.Free, s.Total, err = v.space()
	s.Audit, s.Unclean = v.log.Size(), v.unclean
	v.mu.Lock()
	defer v.mu.Unlock()
	s.Damage = slices.Clone(v.damage)
	return s, err
}

func (s *Status) count(i OutboxItem) {
	switch i.State {
	case kiosk.StateDelivered:
		s.Delivered++
		return
	case kiosk.StateRefused:
		s.Refused++
	case kiosk.StateThin:
		s.Thin++
	default:
		s.Waiting++
	}
	if i.Hit {
		s.Hits++
	}
	if s.Oldest.IsZero() || i.Sealed.Before(s.Oldest) {
		s.Oldest = i.Sealed
	}
}
