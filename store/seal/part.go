package seal

import (
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"tambo/kiosk"
)

const (
	// ChunkSize is how much of the stream one chunk holds, in bytes.
	ChunkSize = 64 << 10
	// PublicKeySize and PrivateKeySize are the sizes of a recipient's keys.
	PublicKeySize  = 1216
	PrivateKeySize = 32

	encSize  = 1120
	tagSize  = 16
	magicLen = 8

	partMagic    = "tambop1\n"
	partDomain   = "tambo part 1\n"
	originDomain = "tambo part origin 1\n"
)

// Errors of opening. Every failure of [Open] and [OpenDown] that is not one of
// the reader's or writer's own is an ErrSealed; ErrOrigin is one of them and says
// that the part opens but this kiosk did not make it.
var (
	ErrSealed = errors.New("sealed part does not open")
	ErrOrigin = fmt.Errorf("%w: origin signature is wrong", ErrSealed)
	ErrKey    = errors.New("malformed key")
)

// Binding says what a part belongs to. It is HPKE's info: a part that is moved
// to another encounter, kiosk, agreement, recipient or name does not open.
type Binding struct {
	Kiosk     kiosk.KioskID
	Encounter kiosk.EncounterID
	Agreement string // hex digest of the signed agreement
	KeyID     string // of the recipient's public key, see [KeyID]
	Part      string // the part's name in the manifest
}

// info encodes the binding unambiguously: each field after its length.
func (b Binding) info() ([]byte, error) {
	out := []byte(partDomain)
	for _, f := range []string{string(b.Kiosk), string(b.Encounter), b.Agreement, b.KeyID, b.Part} {
		if len(f) > 1<<15 {
			return nil, errors.New("binding: field is too long")
		}
		out = binary.BigEndian.AppendUint16(out, uint16(len(f)))
		out = append(out, f...)
	}
	return out, nil
}

// GenerateKey makes a recipient's key pair: a private seed of 32 bytes and a
// public key of 1,216 bytes.
func GenerateKey() (private, public []byte, err error) {
	k, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	if private, err = k.Bytes(); err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	return private, k.PublicKey().Bytes(), nil
}

// PublicKey returns the public key of a private seed.
func PublicKey(private []byte) ([]byte, error) {
	k, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return k.PublicKey().Bytes(), nil
}

// KeyID names a public key in manifests: hex of the first 8 bytes of its
// SHA-256.
func KeyID(public []byte) string {
	sum := sha256.Sum256(public)
	return hex.EncodeToString(sum[:8])
}

// Seal encrypts src to the recipient and writes the sealed part to dst. It
// returns the hex SHA-256 and the length of what it wrote. b.KeyID must be the
// recipient key's. Memory is bounded by a few chunks whatever the size of src.
func Seal(dst io.Writer, src io.Reader, recipient []byte, b Binding, origin ed25519.PrivateKey) (digest string, size int64, err error) {
	if len(origin) != ed25519.PrivateKeySize {
		return "", 0, fmt.Errorf("seal: %w: origin", ErrKey)
	}
	if b.KeyID != KeyID(recipient) {
		return "", 0, fmt.Errorf("seal: %w: binding names key %q, recipient's is %q", ErrKey, b.KeyID, KeyID(recipient))
	}
	info, err := b.info()
	if err != nil {
		return "", 0, fmt.Errorf("seal: %w", err)
	}
	counted := &counter{w: dst, h: sha256.New()}
	content := &counter{w: io.Discard, h: sha256.New()}
	stream := io.MultiReader(io.TeeReader(src, content), &lazy{make: func() []byte {
		return ed25519.Sign(origin, originMessage(info, content))
	}})
	if err := sealStream(counted, stream, recipient, partMagic, info); err != nil {
		return "", 0, fmt.Errorf("seal: %w", err)
	}
	return hex.EncodeToString(counted.h.Sum(nil)), counted.n, nil
}

// Open decrypts a sealed part with the recipient's private key and writes its
// content to dst. Nothing in dst is to be trusted unless Open returns nil: the
// origin is proved only by the stream's end.
func Open(dst io.Writer, src io.Reader, private []byte, b Binding, origin ed25519.PublicKey) error {
	if len(origin) != ed25519.PublicKeySize {
		return fmt.Errorf("open: %w: origin", ErrKey)
	}
	info, err := b.info()
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	public, err := PublicKey(private)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if b.KeyID != KeyID(public) {
		return fmt.Errorf("open: %w: part is for key %s, this is %s", ErrSealed, b.KeyID, KeyID(public))
	}
	content := &counter{w: dst, h: sha256.New()}
	tail := &tailWriter{w: content, keep: ed25519.SignatureSize}
	if err := openStream(tail, src, private, partMagic, info); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	if len(tail.held) != ed25519.SignatureSize || !ed25519.Verify(origin, originMessage(info, content), tail.held) {
		return fmt.Errorf("open: %w", ErrOrigin)
	}
	return nil
}

func originMessage(info []byte, content *counter) []byte {
	m := append([]byte(originDomain), info...)
	m = binary.BigEndian.AppendUint64(m, uint64(content.n))
	return content.h.Sum(m)
}

// sealStream writes magic, encapsulated key and the chunks of src.
func sealStream(dst io.Writer, src io.Reader, recipient []byte, magic string, info []byte) error {
	pk, err := hpke.MLKEM768X25519().NewPublicKey(recipient)
	if err != nil {
		return fmt.Errorf("%w: recipient: %w", ErrKey, err)
	}
	enc, sender, err := hpke.NewSender(pk, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info)
	if err != nil {
		return err
	}
	if _, err := dst.Write(append([]byte(magic), enc...)); err != nil {
		return err
	}
	return eachChunk(src, ChunkSize, func(n uint64, last bool, chunk []byte) error {
		sealed, err := sender.Seal(chunkAAD(n, last), chunk)
		if err != nil {
			return err
		}
		_, err = dst.Write(sealed)
		return err
	})
}

// openStream is sealStream's inverse.
func openStream(dst io.Writer, src io.Reader, private []byte, magic string, info []byte) error {
	sk, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrKey, err)
	}
	head := make([]byte, magicLen+encSize)
	if _, err := io.ReadFull(src, head); err != nil {
		return sealedEnd("header", err)
	}
	if string(head[:magicLen]) != magic {
		return fmt.Errorf("%w: not of this format", ErrSealed)
	}
	receiver, err := hpke.NewRecipient(head[magicLen:], sk, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSealed, err)
	}
	return eachChunk(src, ChunkSize+tagSize, func(n uint64, last bool, chunk []byte) error {
		plain, err := receiver.Open(chunkAAD(n, last), chunk)
		if err != nil {
			return fmt.Errorf("%w: chunk %d", ErrSealed, n)
		}
		if len(plain) == 0 {
			return fmt.Errorf("%w: chunk %d is empty", ErrSealed, n)
		}
		_, err = dst.Write(plain)
		return err
	})
}

// eachChunk reads src in chunks of size, and says of each whether it is the
// last. An empty src is one error: every stream has an end to prove.
func eachChunk(src io.Reader, size int, f func(n uint64, last bool, chunk []byte) error) error {
	chunk, next := make([]byte, size), make([]byte, size)
	have, end, err := fill(src, chunk)
	if err != nil {
		return err
	}
	for n := uint64(0); ; n++ {
		if have == 0 {
			return fmt.Errorf("%w: cut off at chunk %d", ErrSealed, n)
		}
		more := 0
		if !end {
			if more, end, err = fill(src, next); err != nil {
				return err
			}
		}
		last := more == 0
		if err := f(n, last, chunk[:have]); err != nil || last {
			return err
		}
		chunk, next, have = next, chunk, more
	}
}

// fill reads until p is full or src ends. Unlike io.ReadFull it keeps src's own
// "unexpected end" an error: a source that broke off must not be sealed as whole.
func fill(src io.Reader, p []byte) (n int, end bool, err error) {
	for n < len(p) {
		m, err := src.Read(p[n:])
		n += m
		if err == io.EOF {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

func chunkAAD(n uint64, last bool) []byte {
	aad := binary.BigEndian.AppendUint64(nil, n)
	if last {
		return append(aad, 1)
	}
	return append(aad, 0)
}

func sealedEnd(what string, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: cut off in its %s", ErrSealed, what)
	}
	return err
}

// counter counts and hashes what passes.
type counter struct {
	w io.Writer
	h hash.Hash
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.h.Write(p[:n])
	c.n += int64(n)
	return n, err
}

// lazy is a reader of bytes that are made when first asked for.
type lazy struct {
	make func() []byte
	left []byte
	made bool
}

func (l *lazy) Read(p []byte) (int, error) {
	if !l.made {
		l.left, l.made = l.make(), true
	}
	if len(l.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.left)
	l.left = l.left[n:]
	return n, nil
}

// tailWriter passes on everything but the last keep bytes.
type tailWriter struct {
	w    io.Writer
	keep int
	held []byte
}

func (t *tailWriter) Write(p []byte) (int, error) {
	t.held = append(t.held, p...)
	if pass := len(t.held) - t.keep; pass > 0 {
		if _, err := t.w.Write(t.held[:pass]); err != nil {
			return 0, err
		}
		t.held = append(t.held[:0], t.held[pass:]...)
	}
	return len(p), nil
}
