package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tambo/kiosk"
	"tambo/sync/wire"
)

// Rows, as JSON in their tables.

// metaHub is the row "hub" of [TableMeta].
type metaHub struct {
	Format   int       `json:"format"` // 1
	Training bool      `json:"training"`
	Created  time.Time `json:"created"`
	// Agreement and Roster in force; the agreement's digest is its key in
	// [TableAgreements].
	Agreement string `json:"agreement"`
	Roster    []byte `json:"roster"` // signed document
	Log       int64  `json:"log"`    // entries of the Merkle log
	Jobs      uint64 `json:"jobs"`   // jobs ever made; numbers them
}

// Kiosk is a kiosk that the hub knows.
type Kiosk struct {
	ID      kiosk.KioskID `json:"id"`
	Site    string        `json:"site"`
	Added   time.Time     `json:"added"`
	Revoked bool          `json:"revoked,omitempty"`
	// Keys are the Ed25519 keys that its manifests may be signed by, newest
	// last; ReceiveKey is what documents about people are sealed to.
	Keys       [][]byte `json:"keys,omitempty"`
	ReceiveKey []byte   `json:"receiveKey,omitempty"`
	// Certificates are the SHA-256 fingerprints of those that are valid for it.
	Certificates []string  `json:"certificates,omitempty"`
	Seen         time.Time `json:"seen,omitzero"`
}

// codeRow is a provisioning code.
type codeRow struct {
	Kiosk   kiosk.KioskID `json:"kiosk"`
	Site    string        `json:"site"`
	Expires time.Time     `json:"expires"`
	// Used is the hex digest of the request that used the code, and Answer what
	// it got: the same request, sent again, gets the same answer.
	Used   string          `json:"used,omitempty"`
	Answer json.RawMessage `json:"answer,omitempty"`
}

// Package is a package and where it stands.
type Package struct {
	Digest    string            `json:"digest"`
	Signed    []byte            `json:"signed"` // the manifest as it came
	Manifest  kiosk.Manifest    `json:"manifest"`
	State     wire.PackageState `json:"state"`
	Receipts  []string          `json:"receipts,omitempty"`
	Key       []byte            `json:"key"` // that the manifest was verified by
	Received  time.Time         `json:"received"`
	Thin      time.Time         `json:"thin,omitzero"`
	Completed time.Time         `json:"completed,omitzero"`
	// Remarks are what the keeper should know: a term that had ended, a part
	// that did not open.
	Remarks []string `json:"remarks,omitempty"`
}

// partRow is a part that a registered manifest lists.
type partRow struct {
	Package string `json:"package"`
	Digest  string `json:"digest"`
	Size    int64  `json:"size"`
}

// jobRow is a match that is to be made.
type jobRow struct {
	Package  string    `json:"package"`
	Attempts int       `json:"attempts,omitempty"`
	After    time.Time `json:"after,omitzero"`
}

// galleryRow is what the hub's gallery holds of an encounter.
type galleryRow struct {
	Kiosk     kiosk.KioskID     `json:"kiosk"`
	Encounter kiosk.EncounterID `json:"encounter"`
	Templates []kiosk.Template  `json:"templates"`
	Added     time.Time         `json:"added"`
}

// listRow is a watchlist. Its version grows with every change, and with every
// new signature over an unchanged list.
type listRow struct {
	Name    string    `json:"name"`
	Version uint64    `json:"version"`
	Signed  time.Time `json:"signed"`
	HashKey []byte    `json:"hashKey"`
}

// entryRow is an entry of a list, or the memory of one that was withdrawn.
type entryRow struct {
	Entry     kiosk.WatchlistEntry `json:"entry"`
	Changed   uint64               `json:"changed"` // list version that put or withdrew it
	Withdrawn bool                 `json:"withdrawn,omitempty"`
}

// AlertRow is an alert and which version of it the kiosk holds.
type AlertRow struct {
	Alert     kiosk.Alert   `json:"alert"`
	Kiosk     kiosk.KioskID `json:"kiosk"`
	Package   string        `json:"package"`
	By        string        `json:"by,omitempty"` // who answered at the hub
	Delivered uint64        `json:"delivered"`    // version that the kiosk says it holds
}

// get reads a row into v, which is left alone on an error.
func get[T any](tx Tx, t Table, key string) (*T, error) {
	b, err := tx.Get(t, key)
	if err != nil {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("table %s, row %q: %w", t, key, err)
	}
	return v, nil
}

// maybe is get for a row that may be missing: nil then.
func maybe[T any](tx Tx, t Table, key string) (*T, error) {
	v, err := get[T](tx, t, key)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	return v, err
}

func put(tx Tx, t Table, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return tx.Put(t, key, b)
}

// scan reads every row under a prefix.
func scan[T any](tx Tx, t Table, prefix string, f func(key string, v *T) error) error {
	return tx.Scan(t, prefix, func(key string, b []byte) error {
		v := new(T)
		if err := json.Unmarshal(b, v); err != nil {
			return fmt.Errorf("table %s, row %q: %w", t, key, err)
		}
		return f(key, v)
	})
}

const metaKey = "hub"

func meta(tx Tx) (*metaHub, error) { return get[metaHub](tx, TableMeta, metaKey) }

func setMeta(tx Tx, m *metaHub) error { return put(tx, TableMeta, metaKey, m) }
