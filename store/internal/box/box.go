// Package box seals small values at rest with XChaCha20-Poly1305 and blinds
// their names with HMAC-SHA256. What a value is (file, bucket, name, schema
// version) goes in as associated data, so that a value which was copied to
// another place does not open there. It holds no key.
package box

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the size of every key, and Overhead what sealing adds, in bytes.
const (
	KeySize  = chacha20poly1305.KeySize
	Overhead = chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
)

// ErrOpen says that a value was not sealed with this key at this place, or was
// changed since.
var ErrOpen = errors.New("value does not open: changed, or of another place or key")

// Seal returns nonce and ciphertext of plain. The key must be KeySize bytes.
func Seal(key, ad, plain []byte) []byte {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // a key of another size is a programmer's mistake
	}
	out := make([]byte, chacha20poly1305.NonceSizeX, Overhead+len(plain))
	rand.Read(out)
	return aead.Seal(out, out, plain, ad)
}

// Open is Seal's inverse; it fails with [ErrOpen].
func Open(key, ad, sealed []byte) ([]byte, error) { return OpenTo(nil, key, ad, sealed) }

// OpenTo is [Open] into the room that dst has behind its length.
func OpenTo(dst, key, ad, sealed []byte) ([]byte, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, err
	}
	if len(sealed) < Overhead {
		return nil, ErrOpen
	}
	plain, err := aead.Open(dst, sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:], ad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Place encodes where a value stands, unambiguously.
func Place(parts ...string) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

// Blind returns 16 bytes that stand for a name: the same for the same key and
// name, and telling nothing without the key.
func Blind(key []byte, parts ...string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(Place(parts...))
	return h.Sum(nil)[:16]
}
