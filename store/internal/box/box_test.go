package box

import (
	"bytes"
	"errors"
	"testing"
)

func TestBox(t *testing.T) {
	key, other := bytes.Repeat([]byte{1}, KeySize), bytes.Repeat([]byte{2}, KeySize)
	at := Place("file", "bucket", "name")
	s := Seal(key, at, []byte("value"))
	if b, err := Open(key, at, s); err != nil || string(b) != "value" || len(s) != 5+Overhead {
		t.Fatalf("%q, %v", b, err)
	}
	if bytes.Equal(s, Seal(key, at, []byte("value"))) {
		t.Error("one nonce twice")
	}
	for i := range s {
		bad := bytes.Clone(s)
		bad[i] ^= 1
		if _, err := Open(key, at, bad); !errors.Is(err, ErrOpen) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := Open(key, at, s[:i]); !errors.Is(err, ErrOpen) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	if _, err := Open(other, at, s); !errors.Is(err, ErrOpen) {
		t.Error("another key")
	}
	for _, elsewhere := range [][]byte{nil, Place("file", "bucket", "nam", "e"), Place("filebucket", "name"), Place("file", "bucket", "Name")} {
		if _, err := Open(key, elsewhere, s); !errors.Is(err, ErrOpen) {
			t.Errorf("opened at %q", elsewhere)
		}
	}
	if _, err := Open(key[:5], at, s); err == nil {
		t.Error("short key")
	}
	if !bytes.Equal(Blind(key, "a", "b"), Blind(key, "a", "b")) || bytes.Equal(Blind(key, "a", "b"), Blind(key, "ab")) || bytes.Equal(Blind(key, "a"), Blind(other, "a")) {
		t.Error("blinding")
	}
}
