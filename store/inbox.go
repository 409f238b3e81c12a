package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// inboxRecord is a document about people that waits for somebody to sign in.
// Kind and version are what the road said; the signature inside decides.
type inboxRecord struct {
	Kind    string `json:"kind"`
	Version uint64 `json:"version"`
	Data    []byte `json:"data"` // seal.SealDown's output
}

// PutInbox keeps a sealed document until the subject tier is open. One that is
// not newer than what is held or waits changes nothing.
func (v *Vault) PutInbox(kind string, version uint64, sealed []byte) error {
	if !aboutPeople(kind) || !seal.IsDown(sealed) || len(sealed) > 2*seal.MaxDocument {
		return fmt.Errorf("put inbox: %q is not a sealed document about people", kind)
	}
	err := v.db.Update(func(tx *bolt.Tx) error {
		floors, err := v.floors(tx)
		if err != nil || version <= floors[kind] {
			return err
		}
		b := tx.Bucket([]byte(bInbox))
		n, err := b.NextSequence()
		if err != nil {
			return err
		}
		name := binary.BigEndian.AppendUint64(nil, n)
		r, err := json.Marshal(inboxRecord{kind, version, sealed})
		if err != nil {
			return err
		}
		return b.Put(name, v.sealValue(bInbox, name, r))
	})
	if err != nil {
		return fmt.Errorf("put inbox: %w", full(err))
	}
	return nil
}

type floorRecord struct {
	Kind    string `json:"kind"`
	Version uint64 `json:"version"`
}

// floors returns, by kind, the newest version that was applied or waits.
func (v *Vault) floors(tx *bolt.Tx) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := tx.Bucket([]byte(bFloors)).ForEach(func(name, b []byte) error {
		var f floorRecord
		plain, err := v.openValue(bFloors, name, b)
		if err == nil {
			err = json.Unmarshal(plain, &f)
		}
		out[f.Kind] = max(out[f.Kind], f.Version)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, v.eachInbox(tx, func(_ []byte, r *inboxRecord) error {
		out[r.Kind] = max(out[r.Kind], r.Version)
		return nil
	})
}

func (v *Vault) setFloor(tx *bolt.Tx, kind string, version uint64) error {
	name := v.blind(bFloors, kind)
	b, err := json.Marshal(floorRecord{kind, version})
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(bFloors)).Put(name, v.sealValue(bFloors, name, b))
}

func (v *Vault) eachInbox(tx *bolt.Tx, fn func(name []byte, r *inboxRecord) error) error {
	return tx.Bucket([]byte(bInbox)).ForEach(func(name, b []byte) error {
		plain, err := v.openValue(bInbox, name, b)
		if err != nil {
			return err
		}
		var r inboxRecord
		if err := json.Unmarshal(plain, &r); err != nil {
			return &ErrDamaged{indexFile, "one document of its inbox cannot be read", err}
		}
		return fn(name, &r)
	})
}

// Receive opens what came down sealed while nobody was signed in, in the order
// in which it came: it applies list deltas and keeps alerts. A document that
// does not open, is not the hub's, or is not what the road called it, is dropped
// and audited. It returns the alerts that stand: all that are not done.
func (s *Subjects) Receive(ctx context.Context) ([]kiosk.Alert, error) {
	release, err := s.use(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	refs := s.v.ring.Find(keyring.Subject, keyring.UseReceive)
	if len(refs) != 1 {
		return nil, s.v.damaged(&ErrDamaged{"keys.tbl", "the receive key is gone; provision the kiosk again", errors.New("no key")})
	}
	private, err := s.v.ring.Key(refs[0], s.s)
	if err != nil {
		return nil, err
	}
	defer private.Wipe()
	var names [][]byte
	err = s.v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bInbox)).ForEach(func(k, _ []byte) error {
			names = append(names, bytes.Clone(k))
			return ctx.Err()
		})
	})
	for _, name := range names {
		if err == nil {
			err = s.receive(name, private[:])
		}
	}
	if err != nil {
		return nil, fmt.Errorf("receive: %w", full(err))
	}
	return s.alerts()
}

// receive opens and applies one document. What it returns is trouble of the
// vault; a bad document is dropped.
func (s *Subjects) receive(name, private []byte) error {
	var r inboxRecord
	err := s.v.db.View(func(tx *bolt.Tx) error {
		plain, err := s.v.openValue(bInbox, name, tx.Bucket([]byte(bInbox)).Get(name))
		if err != nil {
			return err
		}
		return json.Unmarshal(plain, &r)
	})
	if err != nil {
		return err
	}
	drop := func(tx *bolt.Tx) error { return tx.Bucket([]byte(bInbox)).Delete(name) }
	applied := func(tx *bolt.Tx) error {
		return errors.Join(drop(tx), s.v.setFloor(tx, r.Kind, r.Version))
	}
	d, bad := s.v.openDown(&r, private)
	if bad == nil {
		err, bad = s.apply(d, applied)
	}
	if err != nil {
		return err
	}
	if bad == nil {
		s.v.learnTime(d.Issued)
		return nil
	}
	if err := s.v.db.Update(drop); err != nil {
		return err
	}
	return s.v.Audit("document refused", "", s.op.Label, r.Kind+": "+reason(bad))
}

// reason is a bad document's error as a code for the log.
func reason(err error) string {
	switch {
	case errors.Is(err, seal.ErrSealed):
		return "does not open"
	case errors.Is(err, seal.ErrSignature):
		return "not the hub's"
	case errors.Is(err, ErrNotForUs):
		return "for another kiosk"
	case errors.Is(err, ErrListGap):
		return "does not follow"
	}
	return "malformed"
}

func (v *Vault) openDown(r *inboxRecord, private []byte) (seal.Document, error) {
	me, _ := v.Kiosk()
	signed, err := seal.OpenDown(r.Data, private, me)
	if err != nil {
		return seal.Document{}, err
	}
	d, _, err := v.openDocument(signed)
	if err != nil {
		return d, err
	}
	if d.Kind != r.Kind || d.Version != r.Version {
		return d, fmt.Errorf("%w: not what the road called it", seal.ErrMalformed)
	}
	return d, nil
}

// apply does what a document says, and applied in the same transaction. bad is a
// fault of the document, err one of the vault.
func (s *Subjects) apply(d seal.Document, applied func(*bolt.Tx) error) (err, bad error) {
	kind, about, _ := strings.Cut(d.Kind, ":")
	switch kind {
	case seal.KindList:
		var delta kiosk.ListDelta
		if err := json.Unmarshal(d.Body, &delta); err != nil || delta.List != about || delta.To != d.Version {
			return nil, fmt.Errorf("%w: list delta", seal.ErrMalformed)
		}
		if delta.Signed.IsZero() {
			delta.Signed = d.Issued
		}
		err := s.applyList(&delta, applied)
		if errors.Is(err, ErrListGap) {
			return nil, err
		}
		return err, nil
	case seal.KindAlert:
		var a kiosk.Alert
		if err := json.Unmarshal(d.Body, &a); err != nil || a.ID != about {
			return nil, fmt.Errorf("%w: alert", seal.ErrMalformed)
		}
		err := s.v.db.Update(func(tx *bolt.Tx) error {
			return errors.Join(s.putAlert(tx, &a), applied(tx))
		})
		if err != nil {
			return err, nil
		}
		return s.v.Audit("alert came", a.Encounter, s.op.Label, a.ID), nil
	}
	return nil, fmt.Errorf("%w: kind %q is not known here", seal.ErrMalformed, kind)
}

// putAlert keeps an alert unless a newer version is held.
func (s *Subjects) putAlert(tx *bolt.Tx, a *kiosk.Alert) error {
	name := s.v.blind(bAlerts, a.ID)
	b := tx.Bucket([]byte(bAlerts))
	if was := b.Get(name); was != nil {
		var old kiosk.Alert
		plain, err := s.openValue(bAlerts, name, was)
		if err == nil {
			err = json.Unmarshal(plain, &old)
		}
		if err != nil {
			return err
		}
		if old.Version > a.Version {
			return nil
		}
	}
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return b.Put(name, s.sealValue(bAlerts, name, body))
}

func (s *Subjects) alerts() ([]kiosk.Alert, error) {
	var out []kiosk.Alert
	err := s.v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bAlerts)).ForEach(func(name, b []byte) error {
			var a kiosk.Alert
			plain, err := s.openValue(bAlerts, name, b)
			if err == nil {
				err = json.Unmarshal(plain, &a)
			}
			if err == nil && a.State != kiosk.AlertDone {
				out = append(out, a)
			}
			return err
		})
	})
	slices.SortFunc(out, func(a, b kiosk.Alert) int { return a.Raised.Compare(b.Raised) })
	return out, err
}

// AlertWord is what became of an alert here, to be told to the hub.
type AlertWord struct {
	Alert string           `json:"alert"`
	State kiosk.AlertState `json:"state"` // seen by, or done
	By    string           `json:"by"`
}

// MarkAlert says that somebody has seen an alert or is done with it, and queues
// the word for the hub.
func (s *Subjects) MarkAlert(ctx context.Context, id string, state kiosk.AlertState) error {
	if state != kiosk.AlertSeen && state != kiosk.AlertDone {
		return fmt.Errorf("mark alert: state %q", state)
	}
	release, err := s.use(ctx)
	if err != nil {
		return err
	}
	defer release()
	var e kiosk.EncounterID
	err = s.v.db.Update(func(tx *bolt.Tx) error {
		name := s.v.blind(bAlerts, id)
		b := tx.Bucket([]byte(bAlerts)).Get(name)
		if b == nil {
			return fmt.Errorf("alert %s: %w", id, ErrNoDocument)
		}
		var a kiosk.Alert
		plain, err := s.openValue(bAlerts, name, b)
		if err == nil {
			err = json.Unmarshal(plain, &a)
		}
		if err != nil {
			return err
		}
		a.State, a.SeenBy, e = state, s.op.Label, a.Encounter
		word, err := json.Marshal(AlertWord{id, state, s.op.Label})
		if err != nil {
			return err
		}
		key := s.v.blind(bWords, id, string(state))
		return errors.Join(s.putAlert(tx, &a), tx.Bucket([]byte(bWords)).Put(key, s.v.sealValue(bWords, key, word)))
	})
	if err != nil {
		return fmt.Errorf("mark alert: %w", full(err))
	}
	return s.v.Audit("alert "+string(state), e, s.op.Label, id)
}

// AlertWords lists what is still to be told to the hub, with nobody signed in.
func (v *Vault) AlertWords() ([]AlertWord, error) {
	var out []AlertWord
	err := v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bWords)).ForEach(func(name, b []byte) error {
			var w AlertWord
			plain, err := v.openValue(bWords, name, b)
			if err == nil {
				err = json.Unmarshal(plain, &w)
			}
			out = append(out, w)
			return err
		})
	})
	return out, err
}

// AlertWordSent forgets a word that the hub has taken.
func (v *Vault) AlertWordSent(w AlertWord) error {
	return full(v.db.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bWords)).Delete(v.blind(bWords, w.Alert, string(w.State)))
	}))
}
