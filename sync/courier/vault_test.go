package courier

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store"
	"tambo/store/keyring"
	"tambo/sync/hub"
)

const testPassword = "a long enough password"

// realKiosk is a kiosk with the vault that the product has.
type realKiosk struct {
	t   *testing.T
	dir string
	v   *store.Vault
	c   *Courier
}

func (k *realKiosk) open() {
	k.t.Helper()
	v, err := store.Open(k.dir, store.Options{Argon2: keyring.Argon2{Time: 1, Memory: 64, Threads: 1}, Reserve: -1})
	if err != nil {
		k.t.Fatal(err)
	}
	k.v, k.c = v, New(Config{Vault: v, Stall: 5 * time.Second})
}

func newRealKiosk(t *testing.T, w *world, id kiosk.KioskID) *realKiosk {
	t.Helper()
	k := &realKiosk{t: t, dir: filepath.Join(t.TempDir(), "vault")}
	v, err := store.Create(k.dir, store.CreateOptions{Options: store.Options{Argon2: keyring.Argon2{Time: 1, Memory: 64, Threads: 1}, Reserve: -1}, Code: "the first one"})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	k.open()
	t.Cleanup(func() { k.v.Close() })
	if _, err := k.c.Provision(t.Context(), w.code(id), w.url(), nil); err != nil {
		t.Fatal(err)
	}
	if err := k.v.Begin(t.Context(), "the first one",
		keyring.NewOperator{Operator: kiosk.Operator{Label: "su-1", Role: kiosk.RoleSupervisor}, Password: testPassword}); err != nil {
		t.Fatal(err)
	}
	return k
}

// enrol seals an encounter of a person and locks the vault again.
func (k *realKiosk) enrol(templates []kiosk.Template) store.OutboxItem {
	k.t.Helper()
	s, _, err := k.v.Unlock(k.t.Context(), "su-1", []byte(testPassword))
	if err != nil {
		k.t.Fatal(err)
	}
	defer s.Lock()
	id, site := k.v.Kiosk()
	_, digest, err := k.v.Agreement()
	if err != nil {
		k.t.Fatal(err)
	}
	e := &kiosk.Encounter{ID: kiosk.NewEncounterID(), Kiosk: id, Site: site, Visit: kiosk.VisitIntake, State: kiosk.StateComplete,
		Agreement: digest, Training: true, Begun: k.v.Now(time.Now()), By: "su-1"}
	if err := s.SaveDraft(k.t.Context(), e, nil); err != nil {
		k.t.Fatal(err)
	}
	body, err := json.Marshal(kiosk.TemplatesPart{Visit: e.Visit, Templates: templates})
	if err != nil {
		k.t.Fatal(err)
	}
	it, err := s.Seal(k.t.Context(), e, kiosk.PackageEncounter, []store.Part{
		{Name: "templates", Kind: kiosk.PartTemplates, Body: body},
		{Name: "evidence", Kind: kiosk.PartEvidence, Body: make([]byte, 10_000)},
		{Name: "record", Kind: kiosk.PartRecord, Body: []byte(`{"surname":"QUISPE"}`)},
		{Name: "image-1", Kind: kiosk.PartImages, Body: make([]byte, 300_000)},
	}, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	return it
}

// TestRealVault is the road with the product's vault: sealed with somebody
// signed in, carried and purged with nobody, an alert and a list that wait for
// the next who signs in.
func TestRealVault(t *testing.T) {
	w := newWorld(t, true)
	k := newRealKiosk(t, w, "lima-1")
	first := k.enrol(irises(t, 11, 1))
	w.halt()
	if _, err := k.c.Round(t.Context()); err == nil {
		t.Error("delivered to nobody")
	}
	if err := k.v.Close(); err != nil {
		t.Fatal(err)
	}
	k.open()
	w.start()
	r := round(t, k.c)
	if r.Thin != 1 || r.Delivered != 1 || r.Purged != 1 || r.Waiting != 0 {
		t.Fatalf("%+v", r)
	}
	out, err := k.v.Outbox(t.Context())
	if err != nil || len(out) != 0 {
		t.Fatalf("%v %+v", err, out)
	}
	if p, err := k.v.Package(first.ID); err != nil || p.State != kiosk.StatePurged || len(p.Receipts) != 2 {
		t.Errorf("%v %+v", err, p)
	}
	do := kiosk.Instruction{Code: "look", Text: map[string]string{"en": "Look."}}
	order[hub.ByID](w, "watchlist add", hub.NewEntry{List: "wanted", Templates: irises(t, 12, 1), Instruction: do})
	second := k.enrol(irises(t, 11, 2))
	round(t, k.c)
	w.settle()
	round(t, k.c)
	documents := round(t, k.c).Documents
	if documents != 0 {
		t.Errorf("%d documents came again while the vault was locked", documents)
	}
	s, _, err := k.v.Unlock(t.Context(), "su-1", []byte(testPassword))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Lock()
	alerts, err := s.Receive(t.Context())
	if err != nil || len(alerts) != 1 || alerts[0].Encounter != second.Encounter || alerts[0].Candidate.Encounter != first.Encounter {
		t.Fatalf("%v %+v", err, alerts)
	}
	lists, err := s.Lists(t.Context())
	if err != nil || len(lists) != 2 {
		t.Fatalf("%v %+v", err, lists)
	}
	for _, l := range lists {
		if l.Name == "wanted" && len(l.Entries) != 1 || l.Name == "inquiry" && len(l.Entries) != 0 {
			t.Errorf("list %s has %d entries", l.Name, len(l.Entries))
		}
	}
	if st := order[hub.Status](w, "status", nil); st.Packages["complete"] != 2 || st.Log != 4 || st.Gallery != 2 {
		t.Errorf("%+v", st)
	}
}
