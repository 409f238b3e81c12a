package wire

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

// CodeKey is a one-time provisioning code: a secret of 80 random bits that the
// hub knows only as a hash, and the first 16 bytes of the SHA-256 of the hub's
// certificate authority, by which the kiosk knows the hub before it trusts
// anything else. A last byte catches typing mistakes.
type CodeKey struct {
	Secret      [10]byte
	Fingerprint [16]byte
}

var codeEncoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const codeBytes = 10 + 16 + 1

// NewCode returns a code with a fresh secret for the hub whose certificate
// authority is ca (DER).
func NewCode(ca []byte) CodeKey {
	var c CodeKey
	rand.Read(c.Secret[:])
	c.Fingerprint = Fingerprint(ca)
	return c
}

// Fingerprint returns the first 16 bytes of the SHA-256 of a certificate (DER).
func Fingerprint(cert []byte) (fp [16]byte) {
	sum := sha256.Sum256(cert)
	copy(fp[:], sum[:])
	return fp
}

// Hash returns what the hub keeps of the secret.
func (c CodeKey) Hash() [32]byte {
	return sha256.Sum256(append([]byte("tambo provisioning code 1\n"), c.Secret[:]...))
}

// String returns the code in groups of four, as it is typed.
func (c CodeKey) String() string {
	b := append(append([]byte{}, c.Secret[:]...), c.Fingerprint[:]...)
	b = append(b, codeCheck(b))
	s := codeEncoding.EncodeToString(b)
	var groups []string
	for len(s) > 4 {
		groups, s = append(groups, s[:4]), s[4:]
	}
	return strings.Join(append(groups, s), "-")
}

func codeCheck(b []byte) byte {
	sum := sha256.Sum256(append([]byte("check\n"), b...))
	return sum[0]
}

// ParseCode reads a typed code: case, spaces and dashes do not matter, and o, i
// and l read as 0, 1 and 1.
func ParseCode(s string) (CodeKey, error) {
	var c CodeKey
	if len(s) > 200 {
		return c, fmt.Errorf("provisioning code: %w: too long", ErrMessage)
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\n', '\r':
			return -1
		case 'o', 'O':
			return '0'
		case 'i', 'I', 'l', 'L':
			return '1'
		}
		return r
	}, s)
	b, err := codeEncoding.DecodeString(strings.ToLower(s))
	if err != nil || len(b) != codeBytes || codeEncoding.EncodeToString(b) != strings.ToLower(s) {
		return c, fmt.Errorf("provisioning code: %w: want %d letters and digits", ErrMessage, codeEncoding.EncodedLen(codeBytes))
	}
	if !bytes.Equal(b[codeBytes-1:], []byte{codeCheck(b[:codeBytes-1])}) {
		return c, fmt.Errorf("provisioning code: %w: a character was mistyped", ErrMessage)
	}
	copy(c.Secret[:], b)
	copy(c.Fingerprint[:], b[10:])
	return c, nil
}
