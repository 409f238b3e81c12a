package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store/seal"
)

// TestOneEncounter is the whole life: draft, more images, sealed, delivered,
// purged, with the vault closed and opened at every turn.
func TestOneEncounter(t *testing.T) {
	w := newWorld(t)
	e, images := w.encounter(1, 100_000)
	s := w.unlock("of-1", pwO)
	w.must(s.SaveDraft(bg, e, map[string][]byte{"image-1": images["image-1"]}))
	e.At = kiosk.StepDocument
	w.must(s.SaveDraft(bg, e, map[string][]byte{"image-2": images["image-2"], "image-3": images["image-3"]}))
	w.reopen()
	s = w.unlock("su-1", pwS)
	ds, err := s.Drafts(bg)
	if err != nil || len(ds) != 1 || ds[0].ID != e.ID || ds[0].Wristband != "WB-0000001" || ds[0].At != kiosk.StepDocument {
		t.Fatalf("drafts: %+v, %v", ds, err)
	}
	got, err := s.Draft(bg, e.ID)
	w.must(err)
	if want, _ := json.Marshal(e); !bytes.Equal(must(json.Marshal(got)), want) {
		t.Error("the draft came back different")
	}
	for name, want := range images {
		if b, err := s.Image(bg, e.ID, name); err != nil || !bytes.Equal(b, want) {
			t.Errorf("image %s: %v", name, err)
		}
	}
	if _, err := s.Image(bg, e.ID, "image-9"); !errors.Is(err, ErrNoImage) {
		t.Errorf("an image that was never saved: %v", err)
	}
	item, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), card(e, w.now.AddDate(0, 1, 0)))
	w.must(err)
	if again, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil); err != nil || again.ID != item.ID {
		t.Errorf("sealing again: %v %v", again.ID, err)
	}
	if err := s.SaveDraft(bg, e, nil); err == nil {
		t.Error("a sealed encounter became a draft again")
	}
	if _, err := s.Draft(bg, e.ID); !errors.Is(err, ErrNoDraft) {
		t.Errorf("draft after sealing: %v", err)
	}
	w.reopen() // from here on nobody signs in
	w.checkPackage(item.ID, e, images)
	if err := w.v.Purge(item.ID); !errors.Is(err, ErrNotReceipted) {
		t.Errorf("purge without a receipt: %v", err)
	}
	w.must(w.v.ApplyReceipt(item.ID, kiosk.ReceiptThin, []byte("thin note")))
	if err := w.v.Purge(item.ID); !errors.Is(err, ErrNotReceipted) {
		t.Errorf("purge with a thin receipt: %v", err)
	}
	w.state(item.ID, kiosk.StateThin)
	for range 2 {
		w.must(w.v.ApplyReceipt(item.ID, kiosk.ReceiptComplete, []byte("complete note")))
	}
	w.state(item.ID, kiosk.StateDelivered)
	w.reopen()
	for range 2 {
		w.must(w.v.Purge(item.ID))
	}
	w.state(item.ID, kiosk.StatePurged)
	if _, _, err := w.v.SealedPart(item.ID, "record"); !errors.Is(err, ErrPurged) {
		t.Errorf("part after purge: %v", err)
	}
	if out, err := w.v.Outbox(bg); err != nil || len(out) != 0 {
		t.Errorf("outbox after purge: %v %v", out, err)
	}
	if files, _ := os.ReadDir(filepath.Join(w.dir, encDir)); len(files) != 0 {
		t.Errorf("%d encounter files are left", len(files))
	}
	w.reopen()
	s = w.unlock("of-1", pwO)
	n := 0
	w.must(s.Cards(bg, func(c kiosk.IndexCard) error {
		n++
		if c.Encounter != e.ID || c.Custody != kiosk.CustodyPurged || c.Name != e.Identity.Surname.Value || !bytes.Equal(c.Templates[0].Data, e.Captures[0].Template.Data) {
			t.Errorf("card is %+v", c)
		}
		return nil
	}))
	if n != 1 {
		t.Errorf("%d cards", n)
	}
	if st, err := w.v.Status(); err != nil || len(st.Damage) > 0 || st.Drafts != 0 || st.Cards != 1 {
		t.Errorf("status %+v, %v", st, err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (w *world) state(id string, want kiosk.State) {
	w.t.Helper()
	i, err := w.v.Package(id)
	if err != nil || i.State != want {
		w.t.Errorf("package is %q (%v), want %q", i.State, err, want)
	}
}

// checkPackage does what the hub does: verifies the manifest and opens every
// part with its recipient's key.
func (w *world) checkPackage(id string, e *kiosk.Encounter, images map[string][]byte) {
	w.t.Helper()
	signed, err := w.v.Manifest(id)
	w.must(err)
	m, digest, err := seal.OpenManifest(signed, w.v.PublicKey())
	w.must(err)
	if digest != id || m.Encounter != e.ID || m.Kiosk != "lima-1" || !m.Training || m.Hit != e.Hit() || m.Agreement != w.agreement {
		w.t.Errorf("manifest %+v", m)
	}
	want := map[string][]byte{}
	for _, p := range parts(e, images) {
		want[p.Name] = p.Body
	}
	for _, p := range m.Parts {
		r, size, err := w.v.SealedPart(id, p.Name)
		w.must(err)
		sealed, err := io.ReadAll(r)
		w.must(err)
		if int64(len(sealed)) != size || size != p.Size || seal.Digest(sealed) != p.Digest {
			w.t.Errorf("part %s is not what the manifest lists", p.Name)
		}
		if _, err := r.Seek(size/2, io.SeekStart); err != nil {
			w.t.Error(err)
		}
		if rest, err := io.ReadAll(r); err != nil || !bytes.Equal(rest, sealed[size/2:]) {
			w.t.Errorf("part %s: reading on from the middle: %v", p.Name, err)
		}
		r.Close()
		var plain bytes.Buffer
		b := seal.Binding{Kiosk: m.Kiosk, Encounter: m.Encounter, Agreement: m.Agreement, KeyID: p.KeyID, Part: p.Name}
		w.must(seal.Open(&plain, bytes.NewReader(sealed), w.private[p.Kind.Recipient()], b, w.v.PublicKey()))
		if !bytes.Equal(plain.Bytes(), want[p.Name]) {
			w.t.Errorf("part %s came out different", p.Name)
		}
		delete(want, p.Name)
	}
	if len(want) != 0 {
		w.t.Errorf("parts are missing: %d", len(want))
	}
}

func TestOutboxOrder(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	var ids []kiosk.EncounterID
	for i := range 4 {
		e, images := w.encounter(i, 1000)
		if i == 2 {
			e.Searches = []kiosk.Search{{ID: 1, Candidates: []kiosk.Candidate{{}}}}
		}
		w.must(s.SaveDraft(bg, e, images))
		w.now = w.now.Add(time.Minute)
		_, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil)
		w.must(err)
		ids = append(ids, e.ID)
	}
	out, err := w.v.Outbox(bg)
	w.must(err)
	for i, want := range []int{2, 0, 1, 3} {
		if out[i].Encounter != ids[want] {
			t.Errorf("place %d is not encounter %d", i, want)
		}
	}
}

// TestNotice: a hit's notice goes while the draft goes on.
func TestNotice(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 1000)
	e.Searches = []kiosk.Search{{ID: 1, Candidates: []kiosk.Candidate{{}}}}
	w.must(s.SaveDraft(bg, e, images))
	n, err := s.Queue(bg, e, kiosk.PackageNotice, parts(e, images)[:2])
	w.must(err)
	if _, err := s.Draft(bg, e.ID); err != nil || !n.Hit {
		t.Errorf("draft after a notice: %v", err)
	}
	w.must(s.SaveDraft(bg, e, nil))
	x, err := s.Seal(bg, e, kiosk.PackageAbandoned, parts(e, images), nil)
	w.must(err)
	if x.ID == n.ID || x.Kind != kiosk.PackageAbandoned {
		t.Error("the notice was taken for the package")
	}
}

func TestDropAndDiscard(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 50_000)
	w.must(s.SaveDraft(bg, e, images))
	old, _ := w.v.findDraft(e.ID)
	w.must(s.DropImages(bg, e.ID, "image-1", "image-3"))
	for i := range 2 {
		if _, err := s.Image(bg, e.ID, "image-1"); !errors.Is(err, ErrNoImage) {
			t.Errorf("dropped image: %v", err)
		}
		if b, err := s.Image(bg, e.ID, "image-2"); err != nil || !bytes.Equal(b, images["image-2"]) {
			t.Errorf("kept image: %v", err)
		}
		if _, err := s.Draft(bg, e.ID); err != nil {
			t.Error(err)
		}
		if _, err := w.v.ring.Key(old.Ref, s.s); err == nil {
			t.Error("the key of the dropped images is still there")
		}
		if i == 0 {
			w.reopen()
			s = w.unlock("of-1", pwO)
		}
	}
	w.must(s.Discard(bg, e.ID))
	if err := s.Discard(bg, e.ID); !errors.Is(err, ErrNoDraft) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(filepath.Join(w.dir, encDir)); len(files) != 0 {
		t.Error("the discarded draft's file is left")
	}
}

func TestLockAndRoles(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 1000)
	w.must(s.SaveDraft(bg, e, images))
	s.Lock()
	s.Lock()
	if err := s.SaveDraft(bg, e, nil); !errors.Is(err, ErrLocked) {
		t.Errorf("after locking: %v", err)
	}
	for label, pw := range map[string]string{"te-1": pwT, "ke-1": pwK} {
		if _, who, err := w.v.Unlock(bg, label, []byte(pw)); !errors.Is(err, ErrNoSubjects) || who.Label != label {
			t.Errorf("%s: %v", label, err)
		}
		if op, err := w.v.Check(bg, label, []byte(pw)); err != nil || op.Label != label {
			t.Errorf("check %s: %v", label, err)
		}
	}
	if _, _, err := w.v.Unlock(bg, "of-1", []byte("wrong password")); !errors.As(err, &ErrPassword{}) {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := Open(w.dir, w.options()); !errors.Is(err, ErrInUse) {
		t.Errorf("second process: %v", err)
	}
	if _, err := Open(t.TempDir(), w.options()); !errors.Is(err, ErrNoVault) {
		t.Errorf("empty folder: %v", err)
	}
	if ds, err := w.unlock("su-1", pwS).Drafts(bg); err != nil || len(ds) != 1 {
		t.Errorf("what was captured before locking: %v %v", ds, err)
	}
}

func TestRoster(t *testing.T) {
	w := newWorld(t)
	put := func(n uint64, r kiosk.Roster) { _, err := w.v.PutDocument(w.sign(seal.KindRoster, n, r)); w.must(err) }
	put(1, kiosk.Roster{})
	w.unlock("of-1", pwO).Lock()
	all := []kiosk.Operator{{Label: "su-1", Role: kiosk.RoleSupervisor}, {Label: "of-1", Role: kiosk.RoleOfficer}, {Label: "of-2", Role: kiosk.RoleOfficer}}
	put(2, kiosk.Roster{Operators: all, Revoked: []string{"of-1"}})
	if _, _, err := w.v.Unlock(bg, "of-1", []byte(pwO)); !errors.Is(err, ErrNotRostered) {
		t.Errorf("revoked: %v", err)
	}
	if _, err := w.v.Check(bg, "te-1", []byte(pwT)); !errors.Is(err, ErrNotRostered) {
		t.Errorf("not listed: %v", err)
	}
	s := w.unlock("su-1", pwS)
	w.must(w.v.AddOperator(bg, s.SignedIn(), op("of-2", kiosk.RoleOfficer, pwO)))
	if err := w.v.AddOperator(bg, s.SignedIn(), op("of-3", kiosk.RoleOfficer, pwO)); !errors.Is(err, ErrNotRostered) {
		t.Errorf("added somebody whom the roster does not know: %v", err)
	}
	e, images := w.encounter(1, 1000)
	w.must(s.SaveDraft(bg, e, images))
	w.must(w.v.RemoveOperator(bg, s.SignedIn(), "of-1"))
	if _, err := s.Draft(bg, e.ID); err != nil {
		t.Errorf("the supervisor's own session after rotation: %v", err)
	}
	w.reopen()
	if _, err := w.unlock("of-2", pwO).Draft(bg, e.ID); err != nil {
		t.Errorf("another officer after rotation: %v", err)
	}
}

func TestDocuments(t *testing.T) {
	w := newWorld(t)
	a, digest, err := w.v.Agreement()
	if err != nil || digest != w.agreement || a.ID == "" {
		t.Fatalf("agreement: %v", err)
	}
	next := a
	next.Version, next.Title = 2, "second"
	second := w.sign(seal.KindAgreement, 2, next)
	for range 2 {
		_, err := w.v.PutDocument(second)
		w.must(err)
	}
	first := w.sign(seal.KindAgreement, 1, a)
	forged := bytes.Clone(second)
	forged[len(forged)-2] ^= 1
	theirs, _ := seal.SignDocument(seal.Document{Kind: "time", Version: 9, Kiosk: "lima-2", Issued: start}, hubSigning)
	for name, c := range map[string]struct {
		doc  []byte
		want error
	}{
		"older": {first, ErrRollback}, "same version, other bytes": {w.sign(seal.KindAgreement, 2, a), ErrRollback},
		"forged": {forged, seal.ErrSignature}, "another kiosk's": {theirs, ErrNotForUs}, "about people": {w.sign("list:x", 1, nil), nil}, "junk": {[]byte("x"), seal.ErrMalformed},
	} {
		if _, err := w.v.PutDocument(c.doc); err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w.reopen()
	if got, _, err := w.v.Agreement(); err != nil || got.Title != "second" {
		t.Errorf("agreement now: %v", err)
	}
	if old, err := w.v.AgreementBy(w.agreement); err != nil || old.Title != a.Title {
		t.Errorf("the agreement that a draft was begun under: %v", err)
	}
	if _, _, err := w.v.Document(seal.KindKeys); !errors.Is(err, ErrNoDocument) {
		t.Error(err)
	}
	have, err := w.v.Have()
	if err != nil || have[seal.KindAgreement] != 2 {
		t.Errorf("have %v, %v", have, err)
	}
}

func TestProvisionOnce(t *testing.T) {
	w := newWorld(t)
	id := w.identity()
	id.Certificate = []byte("renewed")
	w.must(w.v.Provision(id, nil))
	id.Kiosk = "lima-2"
	s := w.unlock("su-1", pwS)
	for _, by := range []*Operator{nil, s.SignedIn()} {
		if err := w.v.Provision(id, by); !errors.Is(err, ErrNotPermitted) {
			t.Errorf("another name: %v", err)
		}
	}
	k, err := w.v.SignIn(bg, "ke-1", []byte(pwK))
	w.must(err)
	w.must(w.v.Provision(id, k))
	w.reopen()
	if got, err := w.v.Identity(); err != nil || got.Kiosk != "lima-2" || string(got.Certificate) != "renewed" {
		t.Errorf("identity %v %v", got.Kiosk, err)
	}
}

func TestTrustedTime(t *testing.T) {
	w := newWorld(t)
	if !w.v.Now(start.Add(2 * time.Hour)).Trusted {
		t.Error("an hour after the last act is not trusted")
	}
	if w.v.Now(start.Add(-time.Hour)).Trusted {
		t.Error("before the hub's time is trusted")
	}
	if w.v.Now(start.AddDate(0, 0, 3)).Trusted {
		t.Error("three days beyond the signed time is trusted")
	}
	w.now = start.Add(20 * time.Hour)
	w.must(w.v.Audit("x", "", "", ""))
	w.reopen() // uptime counts from the last audit entry
	if !w.v.Now(start.Add(40*time.Hour)).Trusted || w.v.Now(start.Add(45*time.Hour)).Trusted {
		t.Error("a day beyond signed time plus uptime is the limit")
	}
	if w.v.Now(start.Add(19 * time.Hour)).Trusted {
		t.Error("before the last audit entry is trusted")
	}
}

func TestCardsEnd(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	var cards []kiosk.IndexCard
	for i := range 60 {
		e, _ := w.encounter(i, 10)
		cards = append(cards, *card(e, start.Add(time.Duration(i)*time.Hour)))
	}
	w.must(s.PutCards(bg, cards...))
	w.must(s.PutCards(bg, cards[:30]...)) // replaced, not doubled
	count := func() (n int) {
		w.must(s.Cards(bg, func(kiosk.IndexCard) error { n++; return nil }))
		return n
	}
	if n := count(); n != 58 { // an hour has passed: two have ended
		t.Errorf("%d cards", n)
	}
	if n, err := w.v.EndCards(kiosk.Instant{Time: start.AddDate(9, 0, 0)}); n != 0 || err != nil {
		t.Errorf("declared time ended %d cards: %v", n, err)
	}
	s.Lock()
	keys := len(w.v.ring.Refs())
	if n, err := w.v.EndCards(kiosk.Instant{Time: start.Add(10 * time.Hour), Trusted: true}); n != 11 || err != nil {
		t.Errorf("ended %d cards: %v", n, err)
	}
	if got := len(w.v.ring.Refs()); got != keys-11 {
		t.Errorf("%d keys, had %d", got, keys)
	}
	s = w.unlock("of-1", pwO)
	if n := count(); n != 49 {
		t.Errorf("%d cards left", n)
	}
}

func TestDown(t *testing.T) {
	w := newWorld(t)
	entry := func(i int) kiosk.WatchlistEntry {
		return kiosk.WatchlistEntry{ID: fmt.Sprint("e-", i), List: "stolen", Documents: [][]byte{noise(i, 32)}, Instruction: kiosk.Instruction{Code: "refer"}}
	}
	down := func(kind string, version uint64, body any, to []byte) {
		t.Helper()
		b, err := seal.SealDown(w.sign(kind, version, body), to, "lima-1")
		w.must(err)
		w.must(w.v.PutInbox(kind, version, b))
	}
	to := w.v.ReceiveKey()
	down("list:stolen", 3, kiosk.ListDelta{List: "stolen", To: 3, HashKey: []byte("k"), Put: []kiosk.WatchlistEntry{entry(1), entry(2), entry(3)}}, to)
	down("list:stolen", 5, kiosk.ListDelta{List: "stolen", From: 3, To: 5, Put: []kiosk.WatchlistEntry{entry(4)}, Remove: []string{"e-1"}}, to)
	down("alert:a-1", 1, kiosk.Alert{ID: "a-1", Encounter: "0123456789abcdefghjk", State: kiosk.AlertRaised, Version: 1}, to)
	down("list:gap", 9, kiosk.ListDelta{List: "gap", From: 8, To: 9}, to)
	_, stranger, _ := seal.GenerateKey()
	down("list:other", 4, kiosk.ListDelta{List: "other", To: 4}, stranger)
	lie, _ := seal.SealDown(w.sign("alert:a-9", 1, kiosk.Alert{ID: "a-9"}), to, "lima-1")
	w.must(w.v.PutInbox("alert:a-8", 1, lie))
	if have, err := w.v.Have(); err != nil || have["list:stolen"] != 5 || have["list:other"] != 4 {
		t.Errorf("have, while locked: %v %v", have, err)
	}
	w.reopen()
	s := w.unlock("of-1", pwO)
	alerts, err := s.Receive(bg)
	if err != nil || len(alerts) != 1 || alerts[0].ID != "a-1" {
		t.Fatalf("alerts %v, %v", alerts, err)
	}
	ls, err := s.Lists(bg)
	if err != nil || len(ls) != 1 || ls[0].Version != 5 || string(ls[0].HashKey) != "k" || len(ls[0].Entries) != 3 {
		t.Fatalf("lists %+v, %v", ls, err)
	}
	have, err := w.v.Have()
	if err != nil || have["list:stolen"] != 5 || have["list:gap"] != 0 || have["list:other"] != 0 || have["alert:a-1"] != 1 || have["alert:a-8"] != 0 {
		t.Errorf("have, once opened: %v %v", have, err)
	}
	if st, _ := w.v.Status(); st.Inbox != 0 || st.Lists != 1 {
		t.Errorf("status %+v", st)
	}
	down("list:stolen", 6, kiosk.ListDelta{List: "stolen", To: 6, Put: []kiosk.WatchlistEntry{entry(7)}}, to)
	oldKey, err := w.v.listKeyOf("stolen")
	w.must(err)
	_, err = s.Receive(bg)
	w.must(err)
	if ls, _ := s.Lists(bg); len(ls[0].Entries) != 1 || ls[0].Entries[0].ID != "e-7" || ls[0].HashKey != nil {
		t.Errorf("after a snapshot: %+v", ls)
	}
	if _, err := w.v.ring.Key(oldKey, s.s); err == nil {
		t.Error("a snapshot left the old list's key")
	}
	w.must(s.MarkAlert(bg, "a-1", kiosk.AlertSeen))
	w.must(s.MarkAlert(bg, "a-1", kiosk.AlertDone))
	if a, err := s.Receive(bg); err != nil || len(a) != 0 {
		t.Errorf("a done alert stands: %v %v", a, err)
	}
	s.Lock()
	words, err := w.v.AlertWords()
	if err != nil || len(words) != 2 {
		t.Fatalf("words %v %v", words, err)
	}
	for _, x := range words {
		w.must(w.v.AlertWordSent(x))
	}
	if words, _ := w.v.AlertWords(); len(words) != 0 {
		t.Error("words that were sent are left")
	}
	if err := w.v.PutInbox("roster", 1, lie); err == nil {
		t.Error("a roster was taken sealed")
	}
}

// TestPurgedIsForgotten: manifest and receipts of a purged package can be cited
// by an amendment, until they are forgotten.
func TestPurgedIsForgotten(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 1000)
	w.must(s.SaveDraft(bg, e, images))
	item, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil)
	w.must(err)
	w.must(w.v.ApplyReceipt(item.ID, kiosk.ReceiptComplete, []byte("complete note")))
	w.must(w.v.Purge(item.ID))

	a, ai := w.encounter(2, 1000)
	a.Amendment = &kiosk.Amendment{Receipt: seal.Digest([]byte("complete note")), Field: "surname", Value: "X", Signers: []string{"of-1", "su-1"}}
	w.must(s.SaveDraft(bg, a, ai))
	amended, err := s.Seal(bg, a, kiosk.PackageAmendment, parts(a, ai), nil)
	w.must(err)
	signed, err := w.v.Manifest(amended.ID)
	w.must(err)
	if m, _, err := seal.OpenManifest(signed, w.v.PublicKey()); err != nil || m.Cites != e.ID {
		t.Errorf("the amendment cites %q: %v", m.Cites, err)
	}
	for _, c := range []struct {
		now  kiosk.Instant
		left int
	}{
		{kiosk.Instant{Time: w.now.Add(keepPurged - time.Hour), Trusted: true}, 1},
		{kiosk.Instant{Time: w.now.Add(keepPurged + time.Hour)}, 1}, // declared time
		{kiosk.Instant{Time: w.now.Add(keepPurged + time.Hour), Trusted: true}, 0},
	} {
		_, err := w.v.EndCards(c.now)
		w.must(err)
		if ps, err := w.v.Packages(e.ID); err != nil || len(ps) != c.left {
			t.Errorf("at %v: %d packages, %v", c.now, len(ps), err)
		}
	}
	if ps, err := w.v.Packages(a.ID); err != nil || len(ps) != 1 {
		t.Errorf("a package that waits was forgotten: %v", err)
	}
}
