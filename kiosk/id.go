package kiosk

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"
)

// EncounterID names one encounter, unique without coordination: 20 characters
// of Crockford-like base32 (lower case, no i l o u), 100 random bits. It says
// nothing about the person, the kiosk or the time.
type EncounterID string

// KioskID names a kiosk as the hub provisioned it: 1 to 40 of a-z 0-9 and '-'.
type KioskID string

const idAlphabet = "0123456789abcdefghjkmnpqrstvwxyz"

var idEncoding = base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding)

// ErrID marks a malformed identifier.
var ErrID = errors.New("malformed identifier")

// NewEncounterID returns a fresh random id. It is the package's only use of
// randomness.
func NewEncounterID() EncounterID {
	var b [13]byte
	rand.Read(b[:]) // never fails (crypto/rand, Go 1.24)
	return EncounterID(idEncoding.EncodeToString(b[:])[:20])
}

// Validate reports ErrID unless id has the form that NewEncounterID gives, so
// that an id may be used as a file or upload name.
func (id EncounterID) Validate() error {
	if len(id) != 20 {
		return fmt.Errorf("encounter id: %w: want 20 characters, have %d", ErrID, len(id))
	}
	for _, c := range id {
		if !strings.ContainsRune(idAlphabet, c) {
			return fmt.Errorf("encounter id: %w", ErrID)
		}
	}
	return nil
}

// Validate reports ErrID unless id is 1 to 40 of a-z 0-9 '-'.
func (id KioskID) Validate() error {
	if len(id) == 0 || len(id) > 40 {
		return fmt.Errorf("kiosk id: %w: want 1 to 40 characters", ErrID)
	}
	for _, c := range id {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return fmt.Errorf("kiosk id: %w: only a-z, 0-9 and '-'", ErrID)
		}
	}
	return nil
}
