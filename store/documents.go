package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/store/seal"
)

// keepAgreements is how many agreements are kept by digest. A draft that was
// begun under an older one still seals under it.
const keepAgreements = 32

// aboutPeople reports whether documents of a kind come down sealed.
func aboutPeople(kind string) bool {
	base, _, _ := strings.Cut(kind, ":")
	return base == seal.KindList || base == seal.KindAlert || base == seal.KindGallery
}

// PutDocument takes a document that the pinned hub key signed and that is not
// about people. A version that is not newer than the one held is
// [ErrRollback], except the very same bytes, which change nothing. Every
// document also teaches the kiosk the time at which the hub signed it.
func (v *Vault) PutDocument(signed []byte) (seal.Document, error) {
	d, digest, err := v.openDocument(signed)
	if err != nil {
		return d, fmt.Errorf("put document: %w", err)
	}
	if aboutPeople(d.Kind) {
		return d, fmt.Errorf("put document: %q comes sealed, to PutInbox", d.Kind)
	}
	err = v.db.Update(func(tx *bolt.Tx) error {
		name := v.blind(bDocuments, d.Kind)
		if held, err := v.heldDocument(tx, d.Kind); err == nil {
			if bytes.Equal(held, signed) {
				return nil
			}
			if old, _, err := v.openDocument(held); err == nil && old.Version >= d.Version {
				return fmt.Errorf("%w: %s version %d, have %d", ErrRollback, d.Kind, d.Version, old.Version)
			}
		} else if !errors.Is(err, ErrNoDocument) {
			return err
		}
		if err := tx.Bucket([]byte(bDocuments)).Put(name, v.sealValue(bDocuments, name, signed)); err != nil {
			return err
		}
		if d.Kind == seal.KindAgreement {
			return v.keepAgreement(tx, digest, d.Version, signed)
		}
		return nil
	})
	if err != nil {
		return d, fmt.Errorf("put document: %w", full(err))
	}
	v.learnTime(d.Issued)
	return d, nil
}

func (v *Vault) openDocument(signed []byte) (seal.Document, string, error) {
	v.mu.Lock()
	key, err := v.id.hubKey()
	me := v.id.Kiosk
	v.mu.Unlock()
	if err != nil {
		return seal.Document{}, "", err
	}
	d, digest, err := seal.OpenDocument(signed, key)
	if err == nil && d.Kiosk != "" && d.Kiosk != me {
		err = ErrNotForUs
	}
	return d, digest, err
}

func (v *Vault) heldDocument(tx *bolt.Tx, kind string) ([]byte, error) {
	name := v.blind(bDocuments, kind)
	b := tx.Bucket([]byte(bDocuments)).Get(name)
	if b == nil {
		return nil, fmt.Errorf("%s: %w", kind, ErrNoDocument)
	}
	return v.openValue(bDocuments, name, b)
}

// keepAgreement keeps an agreement by its digest, and drops the oldest version
// when there are more than keepAgreements. The value begins with the version.
func (v *Vault) keepAgreement(tx *bolt.Tx, digest string, version uint64, signed []byte) error {
	b := tx.Bucket([]byte(bAgreements))
	name := v.blind(bAgreements, digest)
	value := append(binary.BigEndian.AppendUint64(nil, version), v.sealValue(bAgreements, name, signed)...)
	if err := b.Put(name, value); err != nil {
		return err
	}
	var oldest []byte
	count, least := 0, version
	err := b.ForEach(func(k, x []byte) error {
		count++
		if at := binary.BigEndian.Uint64(x); at < least {
			least, oldest = at, bytes.Clone(k)
		}
		return nil
	})
	if err == nil && count > keepAgreements && oldest != nil {
		err = b.Delete(oldest)
	}
	return err
}

// Document returns the newest document of a kind and its digest;
// [ErrNoDocument] if none came yet. Whether it is still valid is policy's to
// judge.
func (v *Vault) Document(kind string) (seal.Document, string, error) {
	var signed []byte
	err := v.db.View(func(tx *bolt.Tx) (err error) {
		signed, err = v.heldDocument(tx, kind)
		return err
	})
	if err != nil {
		return seal.Document{}, "", err
	}
	return v.openDocument(signed)
}

// Agreement returns the agreement that the hub signed last, and its digest.
func (v *Vault) Agreement() (kiosk.Agreement, string, error) {
	d, digest, err := v.Document(seal.KindAgreement)
	if err != nil {
		return kiosk.Agreement{}, "", err
	}
	a, err := decodeAgreement(d)
	return a, digest, err
}

// AgreementBy returns an agreement by its digest, also one that was replaced.
func (v *Vault) AgreementBy(digest string) (kiosk.Agreement, error) {
	var signed []byte
	err := v.db.View(func(tx *bolt.Tx) (err error) {
		name := v.blind(bAgreements, digest)
		b := tx.Bucket([]byte(bAgreements)).Get(name)
		if len(b) < 8 {
			return fmt.Errorf("agreement %.16s: %w", digest, ErrNoDocument)
		}
		signed, err = v.openValue(bAgreements, name, b[8:])
		return err
	})
	if err != nil {
		return kiosk.Agreement{}, err
	}
	d, _, err := v.openDocument(signed)
	if err != nil {
		return kiosk.Agreement{}, err
	}
	return decodeAgreement(d)
}

func decodeAgreement(d seal.Document) (a kiosk.Agreement, err error) {
	if err := json.Unmarshal(d.Body, &a); err != nil {
		return a, fmt.Errorf("agreement: %w", err)
	}
	return a, nil
}

// Have says which version of each kind of document is held, for asking the hub
// for newer ones. What waits sealed in the inbox counts, if the hub may take it
// as received.
func (v *Vault) Have() (map[string]uint64, error) {
	have := map[string]uint64{}
	err := v.db.View(func(tx *bolt.Tx) error {
		for _, kind := range []string{seal.KindAgreement, seal.KindRoster, seal.KindKeys, seal.KindTime} {
			signed, err := v.heldDocument(tx, kind)
			if errors.Is(err, ErrNoDocument) {
				continue
			}
			if err != nil {
				return err
			}
			if d, _, err := v.openDocument(signed); err == nil {
				have[kind] = d.Version
			}
		}
		floors, err := v.floors(tx)
		if err != nil {
			return err
		}
		for kind, n := range floors {
			have[kind] = max(have[kind], n)
		}
		return nil
	})
	return have, err
}

// loadTime finds the latest time that the hub signed. Uptime since then counts
// from the last audit entry.
func (v *Vault) loadTime() error {
	latest := time.Time{}
	err := v.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(bDocuments)).ForEach(func(name, b []byte) error {
			signed, err := v.openValue(bDocuments, name, b)
			if err != nil {
				return err
			}
			if d, _, err := v.openDocument(signed); err == nil && d.Issued.After(latest) {
				latest = d.Issued
			}
			return nil
		})
	})
	if err != nil || latest.IsZero() {
		return err
	}
	v.signed, v.signedAt = latest, time.Now()
	if e, ok := v.log.Last(); ok && e.At.Time.After(latest) {
		v.before = e.At.Time.Sub(latest)
	}
	return nil
}
