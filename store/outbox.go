package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// OutboxItem is a sealed package and where it stands.
type OutboxItem struct {
	ID        string // hex digest of the signed manifest
	Encounter kiosk.EncounterID
	Kind      kiosk.PackageKind
	Hit       bool        // goes first
	State     kiosk.State // sealed, thin-delivered, delivered, refused, purged
	Sealed    time.Time
	Bytes     int64 // of all parts
	Parts     []kiosk.Part
	Agreement string // digest
	// Receipts are the signed notes that came, by kind.
	Receipts map[kiosk.ReceiptKind][]byte
}

// outRecord is an outbox entry at rest.
type outRecord struct {
	Manifest []byte                       `json:"manifest"`
	File     string                       `json:"file,omitempty"` // empty once purged
	Ref      keyring.Ref                  `json:"ref"`
	Receipts map[kiosk.ReceiptKind][]byte `json:"receipts,omitempty"`
}

func (r *outRecord) state() kiosk.State {
	switch {
	case r.File == "":
		return kiosk.StatePurged
	case r.Receipts[kiosk.ReceiptComplete] != nil:
		return kiosk.StateDelivered
	case r.Receipts[kiosk.ReceiptRefused] != nil:
		return kiosk.StateRefused
	case r.Receipts[kiosk.ReceiptThin] != nil:
		return kiosk.StateThin
	}
	return kiosk.StateSealed
}

func (v *Vault) item(r *outRecord) (OutboxItem, error) {
	m, digest, err := seal.OpenManifest(r.Manifest, v.PublicKey())
	if err != nil {
		return OutboxItem{}, &ErrDamaged{indexFile, "one manifest of its outbox cannot be read", err}
	}
	i := OutboxItem{ID: digest, Encounter: m.Encounter, Kind: m.Kind, Hit: m.Hit, State: r.state(), Sealed: m.Sealed, Parts: m.Parts, Agreement: m.Agreement, Receipts: r.Receipts}
	for _, p := range m.Parts {
		i.Bytes += p.Size
	}
	return i, nil
}

func (v *Vault) outRecord(tx *bolt.Tx, id string) (*outRecord, error) {
	name := v.blind(bOutbox, id)
	b := tx.Bucket([]byte(bOutbox)).Get(name)
	if b == nil {
		return nil, fmt.Errorf("package %.16s: %w", id, ErrNoPackage)
	}
	return v.decodeOut(name, b)
}

func (v *Vault) decodeOut(name, b []byte) (*outRecord, error) {
	plain, err := v.openValue(bOutbox, name, b)
	if err != nil {
		return nil, err
	}
	var r outRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return nil, &ErrDamaged{indexFile, "one entry of its outbox cannot be read", err}
	}
	return &r, nil
}

func (v *Vault) putOut(tx *bolt.Tx, id string, r *outRecord) error {
	name := v.blind(bOutbox, id)
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return tx.Bucket([]byte(bOutbox)).Put(name, v.sealValue(bOutbox, name, b))
}

// eachOut calls fn for every package, purged ones too.
func (v *Vault) eachOut(tx *bolt.Tx, fn func(*outRecord, OutboxItem) error) error {
	return tx.Bucket([]byte(bOutbox)).ForEach(func(name, b []byte) error {
		r, err := v.decodeOut(name, b)
		if err != nil {
			return err
		}
		i, err := v.item(r)
		if err != nil {
			return err
		}
		return fn(r, i)
	})
}

// Outbox lists the packages that are sealed and not purged, in the order in
// which they should go: those with a hit first, then the oldest.
func (v *Vault) Outbox(ctx context.Context) ([]OutboxItem, error) {
	var out []OutboxItem
	err := v.db.View(func(tx *bolt.Tx) error {
		return v.eachOut(tx, func(_ *outRecord, i OutboxItem) error {
			if i.State != kiosk.StatePurged {
				out = append(out, i)
			}
			return ctx.Err()
		})
	})
	slices.SortFunc(out, func(a, b OutboxItem) int {
		if a.Hit != b.Hit {
			if a.Hit {
				return -1
			}
			return 1
		}
		if c := a.Sealed.Compare(b.Sealed); c != 0 {
			return c
		}
		return bytes.Compare([]byte(a.ID), []byte(b.ID))
	})
	return out, err
}

// Package returns one package, purged or not.
func (v *Vault) Package(id string) (OutboxItem, error) {
	var i OutboxItem
	err := v.db.View(func(tx *bolt.Tx) error {
		r, err := v.outRecord(tx, id)
		if err != nil {
			return err
		}
		i, err = v.item(r)
		return err
	})
	return i, err
}

// Packages lists the packages of an encounter, purged ones too, oldest first:
// their receipts are what an amendment cites.
func (v *Vault) Packages(e kiosk.EncounterID) ([]OutboxItem, error) {
	var out []OutboxItem
	err := v.db.View(func(tx *bolt.Tx) error {
		return v.eachOut(tx, func(_ *outRecord, i OutboxItem) error {
			if i.Encounter == e {
				out = append(out, i)
			}
			return nil
		})
	})
	slices.SortFunc(out, func(a, b OutboxItem) int { return a.Sealed.Compare(b.Sealed) })
	return out, err
}

// Manifest returns the signed manifest of a package.
func (v *Vault) Manifest(id string) ([]byte, error) {
	var m []byte
	err := v.db.View(func(tx *bolt.Tx) error {
		r, err := v.outRecord(tx, id)
		if err == nil {
			m = r.Manifest
		}
		return err
	})
	return m, err
}

// SealedPart opens a sealed part for sending: ciphertext to its recipient, as
// the manifest lists it. It must be closed. Memory is one chunk of 64 KiB.
func (v *Vault) SealedPart(id, name string) (part io.ReadSeekCloser, size int64, err error) {
	var r *outRecord
	err = v.db.View(func(tx *bolt.Tx) (err error) {
		r, err = v.outRecord(tx, id)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	if r.File == "" {
		return nil, 0, fmt.Errorf("package %.16s: %w", id, ErrPurged)
	}
	key, err := v.ring.Key(r.Ref, nil)
	if err != nil {
		return nil, 0, v.damaged(&ErrDamaged{"keys.tbl", "the key of a sealed package is gone; tell the hub's keeper", err})
	}
	f, err := v.openEnc(r.File, key, true)
	if err != nil {
		return nil, 0, err
	}
	b, err := f.reader(name)
	if err != nil {
		f.close()
		return nil, 0, fmt.Errorf("package %.16s, part %q: %w", id, name, err)
	}
	return b, b.info.Size, nil
}

// ApplyReceipt keeps a receipt that the caller has verified against the pinned
// hub key, this kiosk and this manifest. The same receipt again changes
// nothing. A refusal does not undo a complete receipt.
func (v *Vault) ApplyReceipt(id string, kind kiosk.ReceiptKind, note []byte) error {
	switch kind {
	case kiosk.ReceiptThin, kiosk.ReceiptComplete, kiosk.ReceiptRefused:
	default:
		return fmt.Errorf("apply receipt: kind %q", kind)
	}
	if len(note) == 0 {
		return errors.New("apply receipt: it is empty")
	}
	var before, after kiosk.State
	var e kiosk.EncounterID
	err := v.db.Update(func(tx *bolt.Tx) error {
		r, err := v.outRecord(tx, id)
		if err != nil {
			return err
		}
		i, err := v.item(r)
		if err != nil {
			return err
		}
		before, e = r.state(), i.Encounter
		after = before
		if bytes.Equal(r.Receipts[kind], note) || before == kiosk.StatePurged {
			return nil
		}
		if r.Receipts == nil {
			r.Receipts = map[kiosk.ReceiptKind][]byte{}
		}
		r.Receipts[kind] = note
		after = r.state()
		return v.putOut(tx, id, r)
	})
	if err != nil {
		return fmt.Errorf("apply receipt: %w", full(err))
	}
	if before == after {
		return nil
	}
	return v.Audit("receipt "+string(kind), e, "", id[:16])
}

// Purge destroys a sealed package whose complete receipt is held: its key is
// erased and its file removed. What remains is the manifest and the receipts.
// Purging again does nothing. Without the receipt it is [ErrNotReceipted].
func (v *Vault) Purge(id string) error {
	v.files.Lock()
	defer v.files.Unlock()
	var gone outRecord
	var e kiosk.EncounterID
	err := v.db.Update(func(tx *bolt.Tx) error {
		r, err := v.outRecord(tx, id)
		if err != nil || r.File == "" {
			return err
		}
		if r.Receipts[kiosk.ReceiptComplete] == nil {
			return ErrNotReceipted
		}
		i, err := v.item(r)
		if err != nil {
			return err
		}
		gone, e = *r, i.Encounter
		r.File, r.Ref = "", keyring.Ref{}
		return v.putOut(tx, id, r)
	})
	if err != nil {
		return fmt.Errorf("purge: %w", full(err))
	}
	if gone.File == "" {
		return nil
	}
	if err := v.destroy(gone.Ref, gone.File); err != nil {
		return fmt.Errorf("purge: %w", full(err))
	}
	return v.Audit("purged", e, "", id[:16])
}
