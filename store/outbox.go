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

// outRecord is a package at rest, in bOutbox and then in bPurged. The manifest's
// fields stand beside it so that a list of many does not verify as many
// signatures: the record's seal is what vouches for them here.
type outRecord struct {
	ID       string                       `json:"id"`
	Meta     kiosk.Manifest               `json:"meta"`
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

// newOutRecord makes the record of a fresh package.
func (v *Vault) newOutRecord(manifest []byte, file string, ref keyring.Ref) (*outRecord, error) {
	m, id, err := seal.OpenManifest(manifest, v.PublicKey())
	if err != nil {
		return nil, err
	}
	return &outRecord{ID: id, Meta: m, Manifest: manifest, File: file, Ref: ref}, nil
}

func (r *outRecord) item() OutboxItem {
	m := &r.Meta
	i := OutboxItem{ID: r.ID, Encounter: m.Encounter, Kind: m.Kind, Hit: m.Hit, State: r.state(), Sealed: m.Sealed, Parts: m.Parts, Agreement: m.Agreement, Receipts: r.Receipts}
	for _, p := range m.Parts {
		i.Bytes += p.Size
	}
	return i
}

// outRecord finds a package, purged or not.
func (v *Vault) outRecord(tx *bolt.Tx, id string) (*outRecord, error) {
	name := v.blind(bOutbox, id)
	for _, bucket := range []string{bOutbox, bPurged} {
		if b := tx.Bucket([]byte(bucket)).Get(name); b != nil {
			return v.decodeOut(bucket, name, b)
		}
	}
	return nil, fmt.Errorf("package %.16s: %w", id, ErrNoPackage)
}

func (v *Vault) decodeOut(bucket string, name, b []byte) (*outRecord, error) {
	plain, err := v.openValue(bucket, name, b)
	if err != nil {
		return nil, err
	}
	var r outRecord
	if err := json.Unmarshal(plain, &r); err != nil {
		return nil, &ErrDamaged{indexFile, "one entry of its " + bucket + " cannot be read", err}
	}
	return &r, nil
}

// putOut writes a package where its state belongs.
func (v *Vault) putOut(tx *bolt.Tx, r *outRecord) error {
	name, bucket := v.blind(bOutbox, r.ID), bOutbox
	if r.state() == kiosk.StatePurged {
		if err := tx.Bucket([]byte(bOutbox)).Delete(name); err != nil {
			return err
		}
		bucket = bPurged
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := tx.Bucket([]byte(bPackages)).Put(v.packageName(r), name); err != nil {
		return err
	}
	return tx.Bucket([]byte(bucket)).Put(name, v.sealValue(bucket, name, b))
}

// packageName is where an encounter's packages are listed, by blinded names.
func (v *Vault) packageName(r *outRecord) []byte {
	return append(v.blind(bPackages, string(r.Meta.Encounter)), v.blind(bOutbox, r.ID)...)
}

// eachOut calls fn for every package of a bucket.
func (v *Vault) eachOut(tx *bolt.Tx, bucket string, fn func(*outRecord) error) error {
	return tx.Bucket([]byte(bucket)).ForEach(func(name, b []byte) error {
		r, err := v.decodeOut(bucket, name, b)
		if err != nil {
			return err
		}
		return fn(r)
	})
}

// Outbox lists the packages that are sealed and not purged, in the order in
// which they should go: those with a hit first, then the oldest.
func (v *Vault) Outbox(ctx context.Context) ([]OutboxItem, error) {
	var out []OutboxItem
	err := v.db.View(func(tx *bolt.Tx) error {
		return v.eachOut(tx, bOutbox, func(r *outRecord) error {
			out = append(out, r.item())
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
		if err == nil {
			i = r.item()
		}
		return err
	})
	return i, err
}

// Packages lists the packages of an encounter, purged ones too, oldest first:
// their receipts are what an amendment cites.
func (v *Vault) Packages(e kiosk.EncounterID) ([]OutboxItem, error) {
	var out []OutboxItem
	err := v.db.View(func(tx *bolt.Tx) error {
		prefix := v.blind(bPackages, string(e))
		c := tx.Bucket([]byte(bPackages)).Cursor()
		for k, name := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, name = c.Next() {
			for _, bucket := range []string{bOutbox, bPurged} {
				b := tx.Bucket([]byte(bucket)).Get(name)
				if b == nil {
					continue
				}
				r, err := v.decodeOut(bucket, name, b)
				if err != nil {
					return err
				}
				out = append(out, r.item())
			}
		}
		return nil
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
		before, e = r.state(), r.Meta.Encounter
		after = before
		if bytes.Equal(r.Receipts[kind], note) || before == kiosk.StatePurged {
			return nil
		}
		if r.Receipts == nil {
			r.Receipts = map[kiosk.ReceiptKind][]byte{}
		}
		r.Receipts[kind] = note
		after = r.state()
		return v.putOut(tx, r)
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
		gone, e = *r, r.Meta.Encounter
		r.File, r.Ref = "", keyring.Ref{}
		return v.putOut(tx, r)
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
