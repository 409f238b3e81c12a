package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
)

// ErrReceipt marks a receipt that proves nothing here: not signed by the pinned
// hub key, or about another kiosk, encounter or manifest.
var ErrReceipt = errors.New("receipt does not verify")

const receiptHead = "tambo receipt 1\n"

// FormatReceipt returns the text of a receipt, to be signed as a note:
//
//	tambo receipt 1
//	kind: complete
//	kiosk: kiosk-1
//	encounter: 7h2m…
//	manifest: <64 hex>
//	log: 12
//	time: 2026-11-22T06:30:00Z
//	reason: <one line; of a refusal only>
//
// Times have whole seconds. It returns [ErrMessage] for a receipt that
// [ParseReceipt] would not read back.
func FormatReceipt(r kiosk.Receipt) (string, error) {
	if err := checkReceipt(r); err != nil {
		return "", err
	}
	return receiptText(r), nil
}

func receiptText(r kiosk.Receipt) string {
	var b strings.Builder
	b.WriteString(receiptHead)
	fmt.Fprintf(&b, "kind: %s\nkiosk: %s\nencounter: %s\nmanifest: %s\nlog: %d\ntime: %s\n",
		r.Kind, r.Kiosk, r.Encounter, r.Manifest, r.LogIndex, r.Time.UTC().Format(time.RFC3339))
	if r.Kind == kiosk.ReceiptRefused {
		fmt.Fprintf(&b, "reason: %s\n", r.Reason)
	}
	return b.String()
}

func checkReceipt(r kiosk.Receipt) error {
	bad := func(what string) error { return fmt.Errorf("receipt: %w: %s", ErrMessage, what) }
	switch r.Kind {
	case kiosk.ReceiptThin, kiosk.ReceiptComplete:
		if r.Reason != "" {
			return bad("a reason without a refusal")
		}
	case kiosk.ReceiptRefused:
		if r.Reason == "" || len(r.Reason) > MaxReason || !utf8.ValidString(r.Reason) || printable(r.Reason) != r.Reason || strings.TrimSpace(r.Reason) != r.Reason {
			return bad("reason")
		}
	default:
		return bad("kind")
	}
	if err := r.Kiosk.Validate(); err != nil {
		return bad("kiosk")
	}
	if err := r.Encounter.Validate(); err != nil {
		return bad("encounter")
	}
	if !IsDigest(r.Manifest) {
		return bad("manifest digest")
	}
	if r.LogIndex < 0 {
		return bad("log index")
	}
	if y := r.Time.Year(); y < 2000 || y > 9999 || r.Time.Nanosecond() != 0 {
		return bad("time")
	}
	return nil
}

// ParseReceipt reads a receipt's text. It accepts exactly what [FormatReceipt]
// writes: any other spelling is [ErrMessage].
func ParseReceipt(text string) (kiosk.Receipt, error) {
	var r kiosk.Receipt
	bad := func(what string) (kiosk.Receipt, error) {
		return kiosk.Receipt{}, fmt.Errorf("receipt: %w: %s", ErrMessage, what)
	}
	rest, ok := strings.CutPrefix(text, receiptHead)
	if !ok || len(text) > MaxReceipt {
		return bad("head")
	}
	names := []string{"kind", "kiosk", "encounter", "manifest", "log", "time", "reason"}
	values := make([]string, len(names))
	for i, name := range names {
		if name == "reason" && rest == "" {
			break
		}
		line, after, ok := strings.Cut(rest, "\n")
		if !ok {
			return bad("line end")
		}
		value, ok := strings.CutPrefix(line, name+": ")
		if !ok {
			return bad(name)
		}
		values[i], rest = value, after
	}
	if rest != "" {
		return bad("more lines than defined")
	}
	index, err := strconv.ParseInt(values[4], 10, 64)
	if err != nil {
		return bad("log index")
	}
	at, err := time.Parse(time.RFC3339, values[5])
	if err != nil {
		return bad("time")
	}
	r = kiosk.Receipt{
		Kind: kiosk.ReceiptKind(values[0]), Kiosk: kiosk.KioskID(values[1]), Encounter: kiosk.EncounterID(values[2]),
		Manifest: values[3], LogIndex: index, Time: at.UTC(), Reason: values[6],
	}
	if err := checkReceipt(r); err != nil {
		return kiosk.Receipt{}, err
	}
	if receiptText(r) != text {
		return bad("another spelling")
	}
	return r, nil
}

// SignReceipt returns the signed note of a receipt. Ed25519 is deterministic:
// the same receipt gives the same bytes.
func SignReceipt(r kiosk.Receipt, s note.Signer) ([]byte, error) {
	text, err := FormatReceipt(r)
	if err != nil {
		return nil, err
	}
	return note.Sign(&note.Note{Text: text}, s)
}

// OpenReceipt verifies a signed note by the pinned hub key and reads the
// receipt in it. Every failure is [ErrReceipt]. The caller must still hold the
// receipt against what it sent: see [ReceiptFor].
func OpenReceipt(msg []byte, hub note.Verifier) (kiosk.Receipt, error) {
	if len(msg) > MaxReceipt {
		return kiosk.Receipt{}, fmt.Errorf("%w: %d bytes", ErrReceipt, len(msg))
	}
	n, err := note.Open(msg, note.VerifierList(hub))
	if err != nil {
		return kiosk.Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	if len(n.Sigs) != 1 || len(n.UnverifiedSigs) != 0 {
		return kiosk.Receipt{}, fmt.Errorf("%w: want the hub's signature alone", ErrReceipt)
	}
	r, err := ParseReceipt(n.Text)
	if err != nil {
		return kiosk.Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	return r, nil
}

// ReceiptFor verifies a signed note by the pinned hub key, and that it is about
// this kiosk, this encounter and this manifest. Every failure is [ErrReceipt].
func ReceiptFor(msg []byte, hub note.Verifier, k kiosk.KioskID, e kiosk.EncounterID, manifest string) (kiosk.Receipt, error) {
	r, err := OpenReceipt(msg, hub)
	switch {
	case err != nil:
		return kiosk.Receipt{}, err
	case r.Kiosk != k:
		return kiosk.Receipt{}, fmt.Errorf("%w: it is for kiosk %q", ErrReceipt, r.Kiosk)
	case r.Encounter != e:
		return kiosk.Receipt{}, fmt.Errorf("%w: it is for another encounter", ErrReceipt)
	case r.Manifest != manifest:
		return kiosk.Receipt{}, fmt.Errorf("%w: it is for another manifest", ErrReceipt)
	}
	return r, nil
}

// algEd25519 is the signed-note signature type of plain Ed25519 (C2SP
// signed-note, 0x01).
const algEd25519 = 1

// NewSigner returns a note signer of a name and an Ed25519 key, in the form
// that note.NewSigner reads.
func NewSigner(name string, key ed25519.PrivateKey) (note.Signer, error) {
	if len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("note signer: want a private key of %d bytes", ed25519.PrivateKeySize)
	}
	pub := append([]byte{algEd25519}, key.Public().(ed25519.PublicKey)...)
	seed := append([]byte{algEd25519}, key.Seed()...)
	sum := sha256.Sum256(bytes.Join([][]byte{[]byte(name), pub}, []byte("\n")))
	hash := binary.BigEndian.Uint32(sum[:4])
	return note.NewSigner(fmt.Sprintf("PRIVATE+KEY+%s+%08x+%s", name, hash, base64.StdEncoding.EncodeToString(seed)))
}

// VerifierKey returns the text form of a hub key, "name+hash+base64", which is
// what a kiosk pins.
func VerifierKey(name string, pub ed25519.PublicKey) (string, error) {
	return note.NewEd25519VerifierKey(name, pub)
}

// ParseVerifierKey reads a pinned hub key: a note verifier, and the Ed25519 key
// in it for signed documents.
func ParseVerifierKey(vkey string) (note.Verifier, ed25519.PublicKey, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return nil, nil, fmt.Errorf("hub key: %w: %w", ErrMessage, err)
	}
	_, rest, _ := strings.Cut(vkey, "+")
	_, data, _ := strings.Cut(rest, "+")
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(raw) != 1+ed25519.PublicKeySize || raw[0] != algEd25519 {
		return nil, nil, fmt.Errorf("hub key: %w: not an Ed25519 key", ErrMessage)
	}
	return v, ed25519.PublicKey(raw[1:]), nil
}

// IsDigest reports whether s is a hex SHA-256 in lower case.
func IsDigest(s string) bool {
	if len(s) != 2*sha256.Size || strings.ToLower(s) != s {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
