package seal

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tambo/kiosk"
)

// Bounds of what is decoded.
const (
	MaxManifest = 256 << 10 // bytes of a signed manifest
	MaxParts    = 256       // parts of a manifest
	MaxPart     = 1 << 30   // bytes of one sealed part
	MaxDocument = 64 << 20  // bytes of a signed document

	maxHeader      = 4 << 10
	manifestDomain = "tambo manifest 1\n"
	documentDomain = "tambo document 1\n"
	downMagic      = "tambod1\n"
	downDomain     = "tambo down 1\n"
)

// ErrSignature says that a signature is not the named key's; ErrMalformed that
// something signed is not of the form this package writes.
var (
	ErrSignature = errors.New("signature is wrong")
	ErrMalformed = errors.New("malformed")
)

// SignManifest encodes and signs a manifest.
func SignManifest(m kiosk.Manifest, key ed25519.PrivateKey) ([]byte, error) {
	m.Sealed = m.Sealed.UTC()
	if err := checkManifest(&m); err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	signed, err := sign(manifestDomain, body, key)
	if err != nil {
		return nil, fmt.Errorf("sign manifest: %w", err)
	}
	if len(signed) > MaxManifest {
		return nil, fmt.Errorf("sign manifest: %w: larger than %d bytes", ErrMalformed, MaxManifest)
	}
	return signed, nil
}

// OpenManifest verifies and decodes a signed manifest. The digest is the hex
// SHA-256 of the signed bytes; receipts name it. Only the very bytes that
// [SignManifest] writes for m are accepted: no unknown or repeated field.
func OpenManifest(signed []byte, key ed25519.PublicKey) (m kiosk.Manifest, digest string, err error) {
	if len(signed) > MaxManifest {
		return m, "", fmt.Errorf("open manifest: %w: larger than %d bytes", ErrMalformed, MaxManifest)
	}
	body, err := verify(manifestDomain, signed, key)
	if err != nil {
		return m, "", fmt.Errorf("open manifest: %w", err)
	}
	if m, err = decodeManifest(body); err != nil {
		return kiosk.Manifest{}, "", fmt.Errorf("open manifest: %w", err)
	}
	return m, Digest(signed), nil
}

// Digest is the hex SHA-256 of signed bytes.
func Digest(signed []byte) string {
	sum := sha256.Sum256(signed)
	return hex.EncodeToString(sum[:])
}

func decodeManifest(body []byte) (m kiosk.Manifest, err error) {
	if err := decodeStrict(body, &m); err != nil {
		return m, err
	}
	return m, checkManifest(&m)
}

func checkManifest(m *kiosk.Manifest) error {
	if m.Format != 1 {
		return fmt.Errorf("%w: manifest format %d", ErrMalformed, m.Format)
	}
	if err := m.Kiosk.Validate(); err != nil {
		return err
	}
	if err := m.Encounter.Validate(); err != nil {
		return err
	}
	if m.Cites != "" {
		if err := m.Cites.Validate(); err != nil {
			return err
		}
	}
	switch m.Kind {
	case kiosk.PackageEncounter, kiosk.PackageAbandoned, kiosk.PackageNotice, kiosk.PackageAmendment, kiosk.PackageObjection:
	default:
		return fmt.Errorf("%w: package kind %q", ErrMalformed, m.Kind)
	}
	if !isHex(m.Agreement, sha256.Size) {
		return fmt.Errorf("%w: agreement digest", ErrMalformed)
	}
	if len(m.Parts) == 0 || len(m.Parts) > MaxParts {
		return fmt.Errorf("%w: %d parts, want 1 to %d", ErrMalformed, len(m.Parts), MaxParts)
	}
	names := make(map[string]bool, len(m.Parts))
	for i := range m.Parts {
		if err := checkPart(&m.Parts[i]); err != nil {
			return err
		}
		if names[m.Parts[i].Name] {
			return fmt.Errorf("%w: part %q stands twice", ErrMalformed, m.Parts[i].Name)
		}
		names[m.Parts[i].Name] = true
	}
	return nil
}

func checkPart(p *kiosk.Part) error {
	switch p.Kind {
	case kiosk.PartTemplates, kiosk.PartEvidence, kiosk.PartRecord, kiosk.PartImages:
	default:
		return fmt.Errorf("%w: part kind %q", ErrMalformed, p.Kind)
	}
	if !isName(p.Name, 40) {
		return fmt.Errorf("%w: part name %q", ErrMalformed, p.Name)
	}
	if !isHex(p.Digest, sha256.Size) || !isHex(p.KeyID, 8) {
		return fmt.Errorf("%w: part %q: digest or key id", ErrMalformed, p.Name)
	}
	if p.Size <= 0 || p.Size > MaxPart {
		return fmt.Errorf("%w: part %q: size %d", ErrMalformed, p.Name, p.Size)
	}
	return nil
}

// Kinds of documents. A kind may be followed by ":" and what it is about, for
// instance "list:stolen" or "alert:7"; versions grow for each such kind.
const (
	KindAgreement = "agreement" // kiosk.Agreement
	KindRoster    = "roster"    // kiosk.Roster
	KindKeys      = "keys"      // keys of recipients and of the hub
	KindTime      = "time"      // the hub's clock, in Issued
	KindList      = "list"      // "list:NAME": kiosk.ListDelta
	KindGallery   = "gallery"   // the site gallery: index cards from elsewhere
	KindAlert     = "alert"     // "alert:ID": kiosk.Alert
)

// Document is something the hub signs for its kiosks.
type Document struct {
	Kind    string
	Version uint64 // grows with every change of this kind; never rolled back
	// Kiosk is the only kiosk that may take it; empty: every kiosk of the hub.
	Kiosk     kiosk.KioskID
	Issued    time.Time // the hub's time of signing
	NotBefore time.Time
	Expires   time.Time // zero: does not expire
	Body      []byte    // JSON of what Kind says
}

type header struct {
	Kind      string        `json:"kind"`
	Version   uint64        `json:"version"`
	Kiosk     kiosk.KioskID `json:"kiosk,omitempty"`
	Issued    time.Time     `json:"issued"`
	NotBefore time.Time     `json:"notBefore"`
	Expires   time.Time     `json:"expires"`
}

// SignDocument encodes and signs a document.
func SignDocument(d Document, key ed25519.PrivateKey) ([]byte, error) {
	h := header{d.Kind, d.Version, d.Kiosk, d.Issued.UTC(), d.NotBefore.UTC(), d.Expires.UTC()}
	if err := checkHeader(&h); err != nil {
		return nil, fmt.Errorf("sign document: %w", err)
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("sign document: %w", err)
	}
	if len(head) > maxHeader || len(d.Body) > MaxDocument-maxHeader-1024 {
		return nil, fmt.Errorf("sign document: %w: too large", ErrMalformed)
	}
	payload := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	payload = append(append(payload, head...), d.Body...)
	signed, err := sign(documentDomain, payload, key)
	if err != nil {
		return nil, fmt.Errorf("sign document: %w", err)
	}
	return signed, nil
}

// OpenDocument verifies and decodes a signed document; its digest is the hex
// SHA-256 of the signed bytes. Whether it is valid now, newer than what is
// held, and for this kiosk is for the caller to judge. Body shares the bytes of
// signed.
func OpenDocument(signed []byte, key ed25519.PublicKey) (d Document, digest string, err error) {
	if len(signed) > MaxDocument {
		return d, "", fmt.Errorf("open document: %w: larger than %d bytes", ErrMalformed, MaxDocument)
	}
	payload, err := verify(documentDomain, signed, key)
	if err != nil {
		return d, "", fmt.Errorf("open document: %w", err)
	}
	if d, err = decodeDocument(payload); err != nil {
		return Document{}, "", fmt.Errorf("open document: %w", err)
	}
	return d, Digest(signed), nil
}

func decodeDocument(payload []byte) (d Document, err error) {
	if len(payload) < 4 {
		return d, fmt.Errorf("%w: header is cut off", ErrMalformed)
	}
	n := binary.BigEndian.Uint32(payload)
	payload = payload[4:]
	if n > maxHeader || int(n) > len(payload) {
		return d, fmt.Errorf("%w: header of %d bytes", ErrMalformed, n)
	}
	var h header
	if err := decodeStrict(payload[:n], &h); err != nil {
		return d, err
	}
	if err := checkHeader(&h); err != nil {
		return d, err
	}
	return Document{h.Kind, h.Version, h.Kiosk, h.Issued, h.NotBefore, h.Expires, payload[n:]}, nil
}

func checkHeader(h *header) error {
	kind, about, more := strings.Cut(h.Kind, ":")
	if !isName(kind, 40) || more && !isName(about, 80) {
		return fmt.Errorf("%w: document kind %q", ErrMalformed, h.Kind)
	}
	if h.Version == 0 {
		return fmt.Errorf("%w: document version 0", ErrMalformed)
	}
	if h.Kiosk != "" {
		return h.Kiosk.Validate()
	}
	return nil
}

// SealDown seals a signed document that is about people, so that only the
// kiosk's subject key opens it. recipient is the kiosk's receive key.
func SealDown(signed []byte, recipient []byte, to kiosk.KioskID) ([]byte, error) {
	if len(signed) == 0 || len(signed) > MaxDocument {
		return nil, fmt.Errorf("seal down: %w: %d bytes", ErrMalformed, len(signed))
	}
	var out bytes.Buffer
	out.Grow(len(signed) + len(signed)/ChunkSize*tagSize + encSize + 64)
	if err := sealStream(&out, bytes.NewReader(signed), recipient, downMagic, downInfo(to)); err != nil {
		return nil, fmt.Errorf("seal down: %w", err)
	}
	return out.Bytes(), nil
}

// OpenDown opens what [SealDown] made and returns the signed document, whose
// signature is still to be verified.
func OpenDown(sealed, private []byte, to kiosk.KioskID) (signed []byte, err error) {
	if len(sealed) > 2*MaxDocument {
		return nil, fmt.Errorf("open down: %w: %d bytes", ErrMalformed, len(sealed))
	}
	var out bytes.Buffer
	out.Grow(len(sealed))
	if err := openStream(&out, bytes.NewReader(sealed), private, downMagic, downInfo(to)); err != nil {
		return nil, fmt.Errorf("open down: %w", err)
	}
	return out.Bytes(), nil
}

// IsDown reports whether b begins as [SealDown]'s output does.
func IsDown(b []byte) bool { return bytes.HasPrefix(b, []byte(downMagic)) }

func downInfo(to kiosk.KioskID) []byte { return []byte(downDomain + string(to)) }

func sign(domain string, body []byte, key ed25519.PrivateKey) ([]byte, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, ErrKey
	}
	out := make([]byte, 0, len(domain)+ed25519.SignatureSize+len(body))
	out = append(out, domain...)
	out = append(out, ed25519.Sign(key, append([]byte(domain), body...))...)
	return append(out, body...), nil
}

func verify(domain string, signed []byte, key ed25519.PublicKey) (body []byte, err error) {
	if len(key) != ed25519.PublicKeySize {
		return nil, ErrKey
	}
	rest, ok := bytes.CutPrefix(signed, []byte(domain))
	if !ok || len(rest) < ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: does not begin with %q and a signature", ErrMalformed, domain)
	}
	sig, body := rest[:ed25519.SignatureSize], rest[ed25519.SignatureSize:]
	message := append([]byte(domain), body...)
	if !ed25519.Verify(key, message, sig) {
		return nil, ErrSignature
	}
	return body, nil
}

// decodeStrict accepts only the bytes that json.Marshal writes for v, so that
// one value has one encoding: no unknown, repeated or differently spelt field.
func decodeStrict(body []byte, v any) error {
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	again, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if !bytes.Equal(again, body) {
		return fmt.Errorf("%w: not in the one encoding of its value", ErrMalformed)
	}
	return nil
}

func isHex(s string, size int) bool {
	if len(s) != 2*size {
		return false
	}
	for _, c := range s {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return false
		}
	}
	return true
}

func isName(s string, most int) bool {
	if len(s) == 0 || len(s) > most {
		return false
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_') {
			return false
		}
	}
	return s[0] != '.'
}
