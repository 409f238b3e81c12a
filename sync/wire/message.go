package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"tambo/kiosk"
	"tambo/store/seal"
)

// message is a JSON message that can say whether its fields are sound.
type message interface{ check() error }

// Decode reads one JSON message of at most limit bytes from r into m, which is
// a pointer to a message type of this package. Unknown fields, trailing bytes
// and fields out of their range are [ErrMessage]; more than limit bytes is a
// *[Problem] with [CodeTooLarge]; other errors are those of reading.
func Decode(r io.Reader, limit int64, m message) error {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	if int64(len(b)) > limit {
		return NewProblem(CodeTooLarge, "more than %d bytes", limit)
	}
	return decode(b, m)
}

func decode(b []byte, m message) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: bytes after the message", ErrMessage)
	}
	if err := m.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return nil
}

// ProvisionRequest asks for a certificate. The same request, sent again after a
// lost answer, gets the same answer for as long as the code lives.
type ProvisionRequest struct {
	Code string `json:"code"` // as [CodeKey.String] writes it
	// Request is a PKCS #10 certificate request (DER) for the transport key.
	// Only its key is used.
	Request []byte `json:"request"`
	// SigningKey (Ed25519, 32 bytes) verifies the kiosk's manifests; Proof is its
	// signature over [ProvisionProof].
	SigningKey []byte `json:"signingKey"`
	Proof      []byte `json:"proof"`
	// ReceiveKey (HPKE, 1,216 bytes) is what documents about people are sealed to.
	ReceiveKey []byte `json:"receiveKey"`
}

// ProvisionProof returns the bytes that the signing key signs to prove that the
// kiosk holds it.
func ProvisionProof(request, signingKey, receiveKey []byte) []byte {
	var b bytes.Buffer
	b.WriteString("tambo provision 1\n")
	for _, x := range [][]byte{request, signingKey, receiveKey} {
		fmt.Fprintf(&b, "%d\n", len(x))
		b.Write(x)
	}
	return b.Bytes()
}

func (m *ProvisionRequest) check() error {
	switch {
	case len(m.Code) == 0 || len(m.Code) > 200:
		return errors.New("code")
	case len(m.Request) == 0 || len(m.Request) > 4096:
		return errors.New("certificate request")
	case len(m.SigningKey) != 32:
		return errors.New("signing key: want 32 bytes")
	case len(m.Proof) != 64:
		return errors.New("proof: want 64 bytes")
	case len(m.ReceiveKey) != 1216:
		return errors.New("receive key: want 1,216 bytes")
	}
	return nil
}

// ProvisionAnswer makes a kiosk a kiosk of this hub.
type ProvisionAnswer struct {
	Kiosk       kiosk.KioskID `json:"kiosk"`
	Site        string        `json:"site"`
	Training    bool          `json:"training,omitempty"`
	Certificate []byte        `json:"certificate"` // DER, of the kiosk's transport key
	CA          []byte        `json:"ca"`          // DER, the hub's certificate authority: pin it
	HubKey      string        `json:"hubKey"`      // note verifier key: pin it
	Agreement   []byte        `json:"agreement"`   // signed document in force
	Roster      []byte        `json:"roster"`      // signed document
	Time        []byte        `json:"time"`        // signed document: the hub's time
}

// IsSite reports whether s may name a site: 1 to 100 printable bytes.
func IsSite(s string) bool {
	return len(s) > 0 && len(s) <= maxNameBytes && printable(s) == s
}

func (m *ProvisionAnswer) check() error {
	if err := m.Kiosk.Validate(); err != nil {
		return err
	}
	switch {
	case !IsSite(m.Site):
		return errors.New("site")
	case len(m.Certificate) == 0 || len(m.Certificate) > 8192 || len(m.CA) == 0 || len(m.CA) > 8192:
		return errors.New("certificates")
	case len(m.Agreement) == 0 || len(m.Agreement) > 1<<20 || len(m.Roster) > 1<<20 || len(m.Time) > 1<<16:
		return errors.New("documents")
	}
	_, _, err := ParseVerifierKey(m.HubKey)
	return err
}

// RenewRequest asks for a new certificate for the same kiosk, over a connection
// that the old one authenticates.
type RenewRequest struct {
	Request []byte `json:"request"` // PKCS #10, DER
}

func (m *RenewRequest) check() error {
	if len(m.Request) == 0 || len(m.Request) > 4096 {
		return errors.New("certificate request")
	}
	return nil
}

// RenewAnswer holds the new certificate.
type RenewAnswer struct {
	Certificate []byte `json:"certificate"` // DER
}

func (m *RenewAnswer) check() error {
	if len(m.Certificate) == 0 || len(m.Certificate) > 8192 {
		return errors.New("certificate")
	}
	return nil
}

// PackageState says where a package stands at the hub.
type PackageState string

// Package states.
const (
	PackageWaiting  PackageState = "waiting"  // manifest known, thin parts missing
	PackageThin     PackageState = "thin"     // thin receipt given, parts missing
	PackageComplete PackageState = "complete" // complete receipt given
	PackageRefused  PackageState = "refused"  // refusal receipt given
)

// PackageAnswer says where a package stands. Receipts are signed notes, oldest
// first; the same package gets the same bytes every time.
type PackageAnswer struct {
	State    PackageState `json:"state"`
	Missing  []Missing    `json:"missing,omitempty"`
	Receipts []string     `json:"receipts,omitempty"`
}

// Missing is a part that the hub does not hold whole.
type Missing struct {
	Part   string `json:"part"`   // Part.Name of the manifest
	Upload string `json:"upload"` // tus upload id
	Offset int64  `json:"offset"` // bytes that are durable; 0 when not begun
	Begun  bool   `json:"begun"`  // the upload was created
}

func (m *PackageAnswer) check() error {
	switch m.State {
	case PackageWaiting, PackageThin, PackageComplete, PackageRefused:
	default:
		return errors.New("state")
	}
	if len(m.Missing) > MaxParts || len(m.Receipts) > 3 {
		return errors.New("too many parts or receipts")
	}
	for _, x := range m.Missing {
		if x.Offset < 0 || x.Offset > MaxPart || len(x.Part) == 0 || len(x.Part) > maxNameBytes {
			return errors.New("missing part")
		}
		if _, _, err := ParseUploadID(x.Upload); err != nil {
			return err
		}
	}
	for _, r := range m.Receipts {
		if len(r) > MaxReceipt {
			return errors.New("receipt")
		}
	}
	return nil
}

// UploadID returns the tus upload id of a kiosk's part: "KIOSK.DIGEST".
func UploadID(k kiosk.KioskID, digest string) string { return string(k) + "." + digest }

// ParseUploadID is its inverse.
func ParseUploadID(id string) (kiosk.KioskID, string, error) {
	k, digest, ok := strings.Cut(id, ".")
	if !ok || kiosk.KioskID(k).Validate() != nil || !IsDigest(digest) {
		return "", "", fmt.Errorf("upload id: %w", ErrMessage)
	}
	return kiosk.KioskID(k), digest, nil
}

// AboutPeople reports whether documents of a kind go down sealed to the kiosk's
// receive key: lists, alerts and galleries. Kinds are those of package seal.
func AboutPeople(kind string) bool {
	base, _, _ := strings.Cut(kind, ":")
	return base == seal.KindList || base == seal.KindAlert || base == seal.KindGallery
}

// isKind reports whether s is a document kind, with or without what it is about.
func isKind(s string) bool {
	base, about, more := strings.Cut(s, ":")
	switch base {
	case seal.KindAgreement, seal.KindRoster, seal.KindKeys, seal.KindTime:
		return !more
	case seal.KindList, seal.KindAlert, seal.KindGallery:
		return more && IsName(about)
	}
	return false
}

// Have says which version of a document a kiosk holds, in a query as
// "kind@version", for instance "list:wanted@7".
type Have struct {
	Kind    string
	Version uint64
}

// String returns the query form.
func (h Have) String() string { return fmt.Sprintf("%s@%d", h.Kind, h.Version) }

// ParseHave reads the query form.
func ParseHave(s string) (Have, error) {
	kind, number, _ := strings.Cut(s, "@")
	version, err := strconv.ParseUint(number, 10, 64)
	h := Have{kind, version}
	if err != nil || !isKind(kind) || h.String() != s {
		return Have{}, fmt.Errorf("have: %w", ErrMessage)
	}
	return h, nil
}

// IsName reports whether s may name a list: 1 to 40 of a-z 0-9 and '-'.
func IsName(s string) bool {
	if len(s) == 0 || len(s) > maxListName {
		return false
	}
	return kiosk.KioskID(s).Validate() == nil
}

// DownAnswer is what the hub has for a kiosk. Time comes always.
type DownAnswer struct {
	Documents []DownDocument `json:"documents"`
	// Checkpoint is the hub's log as a signed note: origin, size, root (C2SP
	// tlog-checkpoint).
	Checkpoint string `json:"checkpoint"`
}

// DownDocument is one document: signed by the hub, and, when it is about
// people, sealed around the signature to the kiosk's receive key. Kind, version
// and issued repeat what is signed inside, so that a locked kiosk can
// sort what it cannot read; whoever opens the document must hold them against
// the inside.
type DownDocument struct {
	Kind    string    `json:"kind"`
	Version uint64    `json:"version"`
	Issued  time.Time `json:"issued"`
	Data    []byte    `json:"data"`
}

func (m *DownAnswer) check() error {
	if len(m.Documents) > MaxHave || len(m.Checkpoint) > MaxReceipt {
		return errors.New("too many documents")
	}
	for _, d := range m.Documents {
		if !isKind(d.Kind) || d.Version == 0 || len(d.Data) == 0 || seal.IsDown(d.Data) != AboutPeople(d.Kind) {
			return errors.New("document")
		}
	}
	return nil
}

// AlertWord tells the hub what became of an alert at the kiosk.
type AlertWord struct {
	Alert string           `json:"alert"`
	State kiosk.AlertState `json:"state"` // seen by, or done
	By    string           `json:"by"`    // operator label
}

func (m *AlertWord) check() error {
	if !IsName(m.Alert) || len(m.By) > maxNameBytes || printable(m.By) != m.By {
		return errors.New("alert word")
	}
	if m.State != kiosk.AlertSeen && m.State != kiosk.AlertDone {
		return errors.New("alert state: want seen by, or done")
	}
	return nil
}

// ProofAnswer proves that a receipt is in the hub's log: the entry's text is the
// receipt's signed note, Proof its RFC 6962 audit path to the checkpoint's root.
type ProofAnswer struct {
	Index      int64       `json:"index"`
	Proof      []tlog.Hash `json:"proof"`
	Checkpoint string      `json:"checkpoint"`
}

func (m *ProofAnswer) check() error {
	if m.Index < 0 || len(m.Proof) > 64 || len(m.Checkpoint) > MaxReceipt {
		return errors.New("proof")
	}
	return nil
}

// CheckManifest reports [ErrMessage] when an opened manifest is outside the
// bounds of this protocol beyond those of its encoding: no digest twice, and at
// most [MaxPackage] bytes in all.
func CheckManifest(m *kiosk.Manifest) error {
	digests := make(map[string]bool, len(m.Parts))
	var total int64
	for _, p := range m.Parts {
		if digests[p.Digest] {
			return fmt.Errorf("manifest: %w: two parts with one digest", ErrMessage)
		}
		digests[p.Digest] = true
		total += p.Size
	}
	if total > MaxPackage {
		return fmt.Errorf("manifest: %w: more than %d bytes", ErrMessage, int64(MaxPackage))
	}
	return nil
}

// DecodeAnswer reads an answer of the hub (at most [MaxAnswer] bytes) into a
// message type of this package, by the rules of [Decode].
func DecodeAnswer(r io.Reader, out any) error {
	m, ok := out.(message)
	if !ok {
		return fmt.Errorf("%w: %T is no message", ErrMessage, out)
	}
	return Decode(r, MaxAnswer, m)
}
