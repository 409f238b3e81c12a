package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// List is a watchlist as the kiosk holds it.
type List struct {
	Name    string
	Version uint64
	Signed  time.Time // when the hub signed this state
	Expires time.Time // zero: does not
	HashKey []byte    // keys the document hashes
	Entries []kiosk.WatchlistEntry
}

// listRecord is a list's head at rest. Entries are sealed by the list's key,
// which a snapshot replaces and erases.
type listRecord struct {
	Name    string      `json:"name"`
	Version uint64      `json:"version"`
	Ref     keyring.Ref `json:"ref"`
	Body    []byte      `json:"body"` // listHead, by the list's key
}

type listHead struct {
	Signed  time.Time `json:"signed"`
	Expires time.Time `json:"expires"`
	HashKey []byte    `json:"hashKey,omitempty"`
}

func listPlace(list string, entry []byte) []byte {
	return box.Place(schema, indexFile, bEntries, list, string(entry))
}

func (v *Vault) listRecord(tx *bolt.Tx, list string) (*listRecord, error) {
	name := v.blind(bLists, list)
	b := tx.Bucket([]byte(bLists)).Get(name)
	if b == nil {
		return nil, nil
	}
	return v.decodeList(name, b)
}

func (v *Vault) decodeList(name, b []byte) (*listRecord, error) {
	plain, err := v.openValue(bLists, name, b)
	if err != nil {
		return nil, err
	}
	var r listRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return nil, &ErrDamaged{indexFile, "one list cannot be read", err}
	}
	return &r, nil
}

func (v *Vault) entryName(list, id string) []byte {
	return append(v.blind(bEntries, list), v.blind(bEntries, list, id)...)
}

// ApplyList changes a list by a delta that the caller has verified. A delta from
// version 0 is a snapshot: it replaces the list under a new key and erases the
// old one. One that does not follow the version held is [ErrListGap]; one that
// is not newer changes nothing.
func (s *Subjects) ApplyList(ctx context.Context, d *kiosk.ListDelta) error {
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	return s.applyList(d, nil)
}

// applyList runs also in the transaction.
func (s *Subjects) applyList(d *kiosk.ListDelta, also func(*bolt.Tx) error) error {
	v := s.v
	var old *listRecord
	err := v.db.View(func(tx *bolt.Tx) (err error) {
		old, err = v.listRecord(tx, d.List)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case old != nil && d.To <= old.Version:
		return v.db.Update(func(tx *bolt.Tx) error { return run(also, tx) })
	case d.From != 0 && (old == nil || old.Version != d.From):
		return fmt.Errorf("list %s: %w: from %d to %d", d.List, ErrListGap, d.From, d.To)
	}
	ref, key, err := s.listKey(old, d.From == 0)
	if err != nil {
		return err
	}
	defer key.Wipe()
	err = v.db.Update(func(tx *bolt.Tx) error {
		if err := s.writeList(tx, d, old, ref, key); err != nil {
			return err
		}
		return run(also, tx)
	})
	fresh := old == nil || d.From == 0
	switch {
	case err != nil && fresh:
		err = errors.Join(err, v.ring.Erase(ref))
	case err == nil && fresh && old != nil:
		err = v.ring.Erase(old.Ref)
	}
	if err != nil {
		return fmt.Errorf("list %s: %w", d.List, full(err))
	}
	return v.Audit("list applied", "", s.op.Label, fmt.Sprintf("%s %d", d.List, d.To))
}

func run(f func(*bolt.Tx) error, tx *bolt.Tx) error {
	if f == nil {
		return nil
	}
	return f(tx)
}

func (s *Subjects) listKey(old *listRecord, snapshot bool) (keyring.Ref, keyring.Key, error) {
	if old == nil || snapshot {
		return s.v.ring.NewKey(s.s, keyring.Subject, keyring.UseList)
	}
	key, err := s.v.ring.Key(old.Ref, s.s)
	return old.Ref, key, err
}

func (s *Subjects) writeList(tx *bolt.Tx, d *kiosk.ListDelta, old *listRecord, ref keyring.Ref, key keyring.Key) error {
	v, entries := s.v, tx.Bucket([]byte(bEntries))
	head := listHead{Signed: d.Signed.UTC(), Expires: d.Expires.UTC(), HashKey: d.HashKey}
	if d.From == 0 {
		if err := deletePrefix(entries, v.blind(bEntries, d.List)); err != nil {
			return err
		}
	} else if len(d.HashKey) == 0 && old != nil {
		was, err := openHead(old, key)
		if err != nil {
			return err
		}
		head.HashKey = was.HashKey
	}
	for i := range d.Put {
		b, err := json.Marshal(&d.Put[i])
		if err != nil {
			return err
		}
		name := v.entryName(d.List, d.Put[i].ID)
		if err := entries.Put(name, box.Seal(key[:], listPlace(d.List, name), b)); err != nil {
			return err
		}
	}
	for _, id := range d.Remove {
		if err := entries.Delete(v.entryName(d.List, id)); err != nil {
			return err
		}
	}
	body, err := json.Marshal(head)
	if err != nil {
		return err
	}
	r, err := json.Marshal(listRecord{d.List, d.To, ref, box.Seal(key[:], listPlace(d.List, nil), body)})
	if err != nil {
		return err
	}
	name := v.blind(bLists, d.List)
	return tx.Bucket([]byte(bLists)).Put(name, v.sealValue(bLists, name, r))
}

func openHead(r *listRecord, key keyring.Key) (h listHead, err error) {
	b, err := box.Open(key[:], listPlace(r.Name, nil), r.Body)
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

func deletePrefix(b *bolt.Bucket, prefix []byte) error {
	c := b.Cursor()
	for k, _ := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, _ = c.Seek(prefix) {
		if err := b.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// Lists returns the watchlists as they stand, without entries whose time is
// over. A list that cannot be read is an error: a search without it would not be
// complete.
func (s *Subjects) Lists(ctx context.Context) ([]List, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	var out []List
	err = s.v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bLists)).ForEach(func(name, b []byte) error {
			r, err := s.v.decodeList(name, b)
			if err != nil {
				return err
			}
			l, err := s.list(ctx, tx, r)
			if err != nil {
				return s.v.damaged(&ErrDamaged{indexFile, "list " + r.Name + " cannot be read; ask the hub for all of it again", err})
			}
			out = append(out, l)
			return nil
		})
	})
	slices.SortFunc(out, func(a, b List) int { return strings.Compare(a.Name, b.Name) })
	return out, err
}

func (s *Subjects) list(ctx context.Context, tx *bolt.Tx, r *listRecord) (List, error) {
	key, err := s.v.ring.Key(r.Ref, s.s)
	if err != nil {
		return List{}, err
	}
	defer key.Wipe()
	h, err := openHead(r, key)
	if err != nil {
		return List{}, err
	}
	l := List{Name: r.Name, Version: r.Version, Signed: h.Signed, Expires: h.Expires, HashKey: h.HashKey}
	now, prefix := s.v.now(), s.v.blind(bEntries, r.Name)
	c := tx.Bucket([]byte(bEntries)).Cursor()
	for k, b := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, b = c.Next() {
		plain, err := box.Open(key[:], listPlace(r.Name, k), b)
		if err != nil {
			return l, err
		}
		var e kiosk.WatchlistEntry
		if err := json.Unmarshal(plain, &e); err != nil {
			return l, err
		}
		if e.Until.IsZero() || !now.Trusted || e.Until.After(now.Time) {
			l.Entries = append(l.Entries, e)
		}
		if err := ctx.Err(); err != nil {
			return l, err
		}
	}
	return l, nil
}

// listKeyOf returns the ref of a list's key.
func (v *Vault) listKeyOf(list string) (ref keyring.Ref, err error) {
	err = v.db.View(func(tx *bolt.Tx) error {
		r, err := v.listRecord(tx, list)
		if err == nil && r != nil {
			ref = r.Ref
		}
		return err
	})
	return ref, err
}
