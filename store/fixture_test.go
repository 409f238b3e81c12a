package store

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/keyring"
	"tambo/store/seal"
)

var (
	bg    = context.Background()
	cheap = keyring.Argon2{Time: 1, Memory: 16, Threads: 1}

	hubSigning = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	start      = time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)
)

const (
	testCode = "one-time-code"
	pwS      = "supervisor password"
	pwO      = "officer password"
	pwT      = "technician password"
	pwK      = "keeper password"
)

// world is a provisioned vault with one operator of each role, the hub's side
// of it, and a clock.
type world struct {
	t         testing.TB
	dir       string
	v         *Vault
	now       time.Time
	private   map[kiosk.RecipientRole][]byte
	agreement string // digest
}

func (w *world) options() Options {
	return Options{Argon2: cheap, Now: func() time.Time { return w.now }, Reserve: -1}
}

func op(label string, role kiosk.Role, pw string) keyring.NewOperator {
	return keyring.NewOperator{Operator: kiosk.Operator{Label: label, Role: role}, Password: pw}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, dir: filepath.Join(t.TempDir(), "vault"), now: start.Add(time.Hour), private: map[kiosk.RecipientRole][]byte{}}
	w.make()
	t.Cleanup(func() { w.v.Close() })
	return w
}

func (w *world) make() {
	w.t.Helper()
	var err error
	if w.v, err = Create(w.dir, CreateOptions{w.options(), testCode}); err != nil {
		w.t.Fatal(err)
	}
	w.must(w.v.Provision(w.identity(), nil))
	var recipients []kiosk.Recipient
	for _, r := range []kiosk.RecipientRole{kiosk.RecipientMatcher, kiosk.RecipientCustodian, kiosk.RecipientAdjudicator} {
		private, public, err := seal.GenerateKey()
		w.must(err)
		w.private[r] = private
		recipients = append(recipients, kiosk.Recipient{Name: string(r), Role: r, KeyID: seal.KeyID(public), Key: public})
	}
	a := policy.TrainingAgreement(recipients, start)
	signed := w.sign(seal.KindAgreement, 1, a)
	_, err = w.v.PutDocument(signed)
	w.must(err)
	w.agreement = seal.Digest(signed)
	w.must(w.v.Begin(bg, testCode, op("su-1", kiosk.RoleSupervisor, pwS), op("ke-1", kiosk.RoleKeeper, pwK)))
	s := w.unlock("su-1", pwS)
	w.must(w.v.AddOperator(bg, s.SignedIn(), op("of-1", kiosk.RoleOfficer, pwO)))
	w.must(w.v.AddOperator(bg, s.SignedIn(), op("te-1", kiosk.RoleTechnician, pwT)))
	s.Lock()
}

func (w *world) identity() Identity {
	key, err := note.NewEd25519VerifierKey("hub.test", hubSigning.Public().(ed25519.PublicKey))
	w.must(err)
	return Identity{Kiosk: "lima-1", Site: "Lima", Training: true, Hub: "https://hub.test", HubKey: key, CA: []byte("ca"), Certificate: []byte("cert"), TransportKey: []byte("key")}
}

func (w *world) must(err error) {
	if err != nil {
		w.t.Helper()
		w.t.Fatal(err)
	}
}

func (w *world) sign(kind string, version uint64, body any) []byte {
	w.t.Helper()
	b, err := json.Marshal(body)
	w.must(err)
	signed, err := seal.SignDocument(seal.Document{Kind: kind, Version: version, Issued: start, NotBefore: start, Expires: start.AddDate(1, 0, 0), Body: b}, hubSigning)
	w.must(err)
	return signed
}

func (w *world) unlock(label, pw string) *Subjects {
	w.t.Helper()
	s, _, err := w.v.Unlock(bg, label, []byte(pw))
	w.must(err)
	return s
}

// reopen closes and opens the vault; cut does not close it first.
func (w *world) reopen() {
	w.t.Helper()
	w.v.Close()
	w.open()
}

func (w *world) open() {
	w.t.Helper()
	v, err := Open(w.dir, w.options())
	w.must(err)
	w.v = v
}

func noise(seed, n int) []byte {
	var s [32]byte
	s[0], s[1] = byte(seed), byte(seed>>8)
	b := make([]byte, n)
	rand.NewChaCha8(s).Read(b)
	return b
}

// encounter is a draft with a name, a wristband and captures whose images are
// img.
func (w *world) encounter(seed int, imageSize int) (*kiosk.Encounter, map[string][]byte) {
	e := &kiosk.Encounter{ID: kiosk.NewEncounterID(), Kiosk: "lima-1", Site: "Lima", Visit: kiosk.VisitIntake, State: kiosk.StateDraft,
		Agreement: w.agreement, Training: true, Begun: kiosk.Instant{Time: w.now}, By: "of-1", At: kiosk.StepIrises,
		Arrival:  kiosk.Arrival{Wristband: fmt.Sprintf("WB-%07d", seed)},
		Identity: kiosk.Identity{Surname: kiosk.Field{Value: fmt.Sprintf("QUISPEMARKER%d", seed)}}}
	images := map[string][]byte{}
	for i := range 3 {
		name := fmt.Sprintf("image-%d", i+1)
		images[name] = noise(seed*10+i, imageSize)
		e.Captures = append(e.Captures, kiosk.Capture{ID: kiosk.CaptureID(i + 1), Part: name, Modality: kiosk.ModalityIris, Eye: kiosk.Eye(i%2 + 1),
			Template: &kiosk.Template{Engine: "t/1", Data: noise(seed*10+i+5, 512)}})
	}
	return e, images
}

func parts(e *kiosk.Encounter, images map[string][]byte) []Part {
	record, _ := json.Marshal(e)
	out := []Part{
		{"templates", kiosk.PartTemplates, e.Captures[0].Template.Data},
		{"evidence", kiosk.PartEvidence, images["image-1"][:len(images["image-1"])/4]},
		{"record", kiosk.PartRecord, record},
	}
	for _, c := range e.Captures {
		out = append(out, Part{c.Part, kiosk.PartImages, images[c.Part]})
	}
	return out
}

func card(e *kiosk.Encounter, ends time.Time) *kiosk.IndexCard {
	return &kiosk.IndexCard{Encounter: e.ID, Wristband: e.Arrival.Wristband, Name: e.Identity.Surname.Value, Date: "2026-03-01", Site: e.Site,
		Templates: []kiosk.Template{*e.Captures[0].Template}, Custody: kiosk.CustodyHere, Ends: ends}
}
