package sessiontest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/kiosk/session"
	"tambo/kiosk/session/stored"
	"tambo/store"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// Operators of the bench, and their password.
const (
	Officer    = "of-1"
	Supervisor = "su-1"
	Technician = "te-1"
	Password   = "correct horse battery"
)

// Kiosk is a provisioned kiosk under a training agreement.
type Kiosk struct {
	*session.Service
	Vault     *store.Vault
	Devices   *Devices
	Dir       string
	Agreement kiosk.Agreement
	// Recipients' private keys, by role, and the hub's signing key: what a real
	// kiosk never has.
	Private map[kiosk.RecipientRole][]byte
	Hub     ed25519.PrivateKey

	// Reader reads the print on pages; until it is told what, it cannot, as on a
	// kiosk without one.
	Reader Reader

	t       testing.TB
	options store.Options
	version uint64
}

// New makes a kiosk in a temporary folder, with an officer, a supervisor and a
// technician, and nobody signed in.
func New(t testing.TB) *Kiosk {
	t.Helper()
	k := &Kiosk{t: t, Dir: t.TempDir() + "/vault", Devices: NewDevices(t), Private: map[kiosk.RecipientRole][]byte{},
		options: store.Options{Argon2: keyring.Argon2{Time: 1, Memory: 64, Threads: 1}, Reserve: -1}}
	var recipients []kiosk.Recipient
	for _, role := range []kiosk.RecipientRole{kiosk.RecipientMatcher, kiosk.RecipientCustodian, kiosk.RecipientAdjudicator} {
		private, public, err := seal.GenerateKey()
		k.check(err)
		k.Private[role] = private
		recipients = append(recipients, kiosk.Recipient{Name: "Training hub", Role: role, KeyID: seal.KeyID(public), Key: public})
	}
	k.Agreement = policy.TrainingAgreement(recipients, time.Now())

	const code = "training-code"
	v, err := store.Create(k.Dir, store.CreateOptions{Options: k.options, Code: code})
	k.check(err)
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	k.check(err)
	k.Hub = priv
	verifier, err := note.NewEd25519VerifierKey("training-hub", pub)
	k.check(err)
	k.check(v.Provision(store.Identity{Kiosk: "kiosk-1", Site: "north", Training: true, Hub: "https://hub.example", HubKey: verifier}, nil))
	k.check(v.Begin(t.Context(), code,
		keyring.NewOperator{Operator: kiosk.Operator{Label: Supervisor, Role: kiosk.RoleSupervisor}, Password: Password},
		keyring.NewOperator{Operator: kiosk.Operator{Label: Officer, Role: kiosk.RoleOfficer}, Password: Password},
		keyring.NewOperator{Operator: kiosk.Operator{Label: Technician, Role: kiosk.RoleTechnician}, Password: Password},
	))
	k.serve(v)
	k.Sign(k.Agreement)
	t.Cleanup(func() { k.Vault.Close() })
	return k
}

func (k *Kiosk) check(err error) {
	k.t.Helper()
	if err != nil {
		k.t.Fatal(err)
	}
}

func (k *Kiosk) serve(v *store.Vault) {
	k.Vault = v
	k.Service = session.New(session.Config{Vault: stored.Vault{Vault: v}, Devices: k.Devices, Text: &k.Reader, Log: slog.New(slog.NewTextHandler(k.t.Output(), nil))})
}

// Sign has the hub sign an agreement and the kiosk take it.
func (k *Kiosk) Sign(a kiosk.Agreement) {
	k.t.Helper()
	k.version++
	a.Version = k.version
	k.Agreement = a
	body, err := json.Marshal(a)
	k.check(err)
	signed, err := seal.SignDocument(seal.Document{Kind: seal.KindAgreement, Version: k.version, Issued: time.Now(), NotBefore: a.NotBefore, Expires: a.Expires, Body: body}, k.Hub)
	k.check(err)
	_, err = k.Vault.PutDocument(signed)
	k.check(err)
}

// List has the hub send a list delta down, sealed.
func (k *Kiosk) List(d kiosk.ListDelta) {
	k.t.Helper()
	d.Signed = time.Now()
	d.Expires = d.Signed.Add(time.Hour)
	body, err := json.Marshal(d)
	k.check(err)
	kind := seal.KindList + ":" + d.List
	signed, err := seal.SignDocument(seal.Document{Kind: kind, Version: d.To, Kiosk: "kiosk-1", Issued: d.Signed, NotBefore: d.Signed, Expires: d.Expires, Body: body}, k.Hub)
	k.check(err)
	down, err := seal.SealDown(signed, k.Vault.ReceiveKey(), "kiosk-1")
	k.check(err)
	k.check(k.Vault.PutInbox(kind, d.To, down))
}

// In signs the officer in.
func (k *Kiosk) In() {
	k.t.Helper()
	_, err := k.SignIn(k.t.Context(), Officer, []byte(Password))
	k.check(err)
}

// Restart is a stop without warning: the vault is opened anew, nobody is signed
// in, and nothing that was only in memory is there.
func (k *Kiosk) Restart() {
	k.t.Helper()
	k.check(k.Vault.Close())
	k.Reopen()
}

// Reopen opens the vault anew after a test closed it.
func (k *Kiosk) Reopen() {
	k.t.Helper()
	v, err := store.Open(k.Dir, k.options)
	k.check(err)
	k.serve(v)
}

// Arrival is an adult who was told in Spanish.
func (k *Kiosk) Arrival(wristband string) kiosk.Arrived {
	return kiosk.Arrived{Arrival: kiosk.Arrival{
		Wristband: wristband, Authority: "prison-act-12", Category: "remand", Band: kiosk.BandAdult, BandBasis: kiosk.AgeStated, Language: "es",
		Notice: kiosk.NoticeEvidence{Language: "es", Digest: k.Agreement.Notice.Digest["es"], Form: kiosk.NoticeRead},
	}}
}
