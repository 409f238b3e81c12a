package session_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/intake"
	"tambo/kiosk/policy"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/page"
	"tambo/store"
)

// bench is a kiosk with a test's patience.
type bench struct {
	*sessiontest.Kiosk
	t *testing.T
}

func newBench(t *testing.T) *bench {
	t.Helper()
	k := sessiontest.New(t)
	k.In()
	return &bench{k, t}
}

func (b *bench) do(evs ...kiosk.Event) kiosk.Encounter {
	b.t.Helper()
	var e kiosk.Encounter
	for _, ev := range evs {
		var err error
		if e, err = b.Do(b.t.Context(), ev); err != nil {
			b.t.Fatalf("%s: %v", ev.Name(), err)
		}
	}
	return e
}

func (b *bench) begin(wristband string) kiosk.Encounter {
	b.t.Helper()
	e, err := b.Begin(b.t.Context(), kiosk.VisitIntake)
	if err != nil {
		b.t.Fatal(err)
	}
	b.do(b.Arrival(wristband))
	return e
}

func (b *bench) captureIrises() kiosk.Encounter {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	e, err := b.CaptureIrises(ctx, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func (b *bench) search() []kiosk.Candidate {
	b.t.Helper()
	qs, err := b.SearchIrises(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	var found []kiosk.Candidate
	for _, q := range qs {
		if !q.Complete {
			b.t.Fatalf("search of %s is not complete: %+v", q.Scope, q)
		}
		found = append(found, q.Candidates...)
	}
	return found
}

func (b *bench) scan(holder uint64) kiosk.Identity {
	b.t.Helper()
	h := page.NewHolder(holder)
	b.Devices.Lay(&h)
	id, err := b.ScanDocument(b.t.Context(), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if id.Surname.Value == "" || id.DocumentNumber.Status != kiosk.FieldChecked {
		b.t.Fatalf("identity: %+v", id)
	}
	return id
}

// enrol walks one person to the review, and returns whom the searches found.
func (b *bench) enrol(person, visit uint64, wristband string) (kiosk.Encounter, []kiosk.Candidate) {
	b.t.Helper()
	b.Devices.Seat(person, visit)
	b.begin(wristband)
	b.captureIrises()
	found := b.search()
	b.do(kiosk.StepConfirmed{Step: kiosk.StepIrises})
	id := b.scan(person)
	b.do(kiosk.StepConfirmed{Step: kiosk.StepDocument}, kiosk.Identified{Identity: id}, kiosk.StepConfirmed{Step: kiosk.StepIdentity})
	b.photo()
	b.do(kiosk.StepConfirmed{Step: kiosk.StepFace})
	e, _ := b.Current()
	for _, q := range e.Searches {
		for c := range q.Candidates {
			b.do(kiosk.Answered{Answer: kiosk.Answer{Search: q.ID, Candidate: c, Verdict: kiosk.VerdictSame}})
		}
	}
	b.do(kiosk.Decided{Decision: kiosk.Decision{Outcome: kiosk.OutcomeEnrol}}, kiosk.StepConfirmed{Step: kiosk.StepDecision})
	return b.do(kiosk.Reviewed{}), found
}

func (b *bench) packages(id kiosk.EncounterID, kind kiosk.PackageKind) int {
	b.t.Helper()
	all, err := b.Vault.Outbox(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	n := 0
	for _, x := range all {
		if x.Encounter == id && x.Kind == kind {
			n++
		}
	}
	return n
}

func TestAnIntakeIsSealedAndFoundAgain(t *testing.T) {
	b := newBench(t)
	first, found := b.enrol(11, 1, "0417")
	if len(found) != 0 || first.State != kiosk.StateSealed || b.packages(first.ID, kiosk.PackageEncounter) != 1 {
		t.Fatalf("state %s, found %v", first.State, found)
	}
	if _, open := b.Current(); open {
		t.Fatal("the encounter is still open")
	}
	if h, err := b.Home(t.Context()); err != nil || len(h.Drafts) != 0 || len(h.Waiting) != 1 {
		t.Fatalf("home: %+v %v", h, err)
	}

	again, found := b.enrol(11, 2, "0418")
	if len(found) != 1 || found[0].Encounter != first.ID || found[0].Kind != kiosk.CandidateEncounter {
		t.Fatalf("the same person was not found: %+v", found)
	}
	if again.State != kiosk.StateHeld {
		t.Fatalf("after a hit the encounter is %s, not held", again.State)
	}
	answers := map[[2]int]kiosk.Verdict{}
	for _, q := range again.Searches {
		for c := range q.Candidates {
			answers[[2]int{q.ID, c}] = kiosk.VerdictUnsure
		}
	}
	ok := kiosk.Second{Approved: true}
	if _, err := b.Second(t.Context(), again.ID, sessiontest.Officer, []byte(sessiontest.Password), answers, ok); !errors.Is(err, intake.ErrRefused) {
		t.Errorf("the officer was their own second person: %v", err)
	}
	done, err := b.Second(t.Context(), again.ID, sessiontest.Supervisor, []byte(sessiontest.Password), answers, ok)
	if err != nil || done.State != kiosk.StateSealed {
		t.Fatalf("%s %v", done.State, err)
	}
	// Somebody else is nobody.
	if _, found := b.enrol(12, 1, "0419"); len(found) != 0 {
		t.Errorf("a stranger was taken for %v", found)
	}
}

func TestWatchlistByIrisAndByNumber(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(21, 1)
	b.begin("0500")
	probe := b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})

	key := []byte("list key")
	h := page.NewHolder(22)
	instruction := kiosk.Instruction{Code: "detain-call", Text: map[string]string{"en": "Call the supervisor."}}
	b.List(kiosk.ListDelta{List: "wanted", To: 1, HashKey: key, Put: []kiosk.WatchlistEntry{
		{ID: "w-1", List: "wanted", Templates: []kiosk.Template{*probe.Best(kiosk.EyeLeft).Template, *probe.Best(kiosk.EyeRight).Template}, Instruction: instruction},
		{ID: "w-2", List: "wanted", Documents: [][]byte{policy.DocumentHash(key, h.Number)}, Instruction: instruction},
	}})
	if _, err := b.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		person uint64
		entry  string
		by     kiosk.MatchedBy
	}{{21, "w-1", kiosk.MatchedIris}, {22, "w-2", kiosk.MatchedDocument}} {
		e, _ := b.enrol(c.person, 2, "05"+c.entry)
		ok := slices.ContainsFunc(e.Searches, func(q kiosk.Search) bool {
			return slices.ContainsFunc(q.Candidates, func(x kiosk.Candidate) bool {
				return x.Kind == kiosk.CandidateWatch && x.Entry == c.entry && x.By == c.by && x.Instruction.Text["en"] != ""
			})
		})
		if !ok || b.packages(e.ID, kiosk.PackageNotice) == 0 {
			t.Errorf("person %d: entry %s not hit by %s; notices %d", c.person, c.entry, c.by, b.packages(e.ID, kiosk.PackageNotice))
		}
	}
}

// TestKilledAtEveryStep stops the kiosk without warning after each act. What
// was confirmed is there again, it asks for the same person, and a different
// person does not continue it.
func TestKilledAtEveryStep(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(31, 1)
	e := b.begin("0600")
	acts := []func(){
		func() { b.captureIrises() },
		func() { b.search() },
		func() { b.do(kiosk.StepConfirmed{Step: kiosk.StepIrises}) },
		func() { b.scan(31) },
		func() {
			b.do(kiosk.StepConfirmed{Step: kiosk.StepDocument})
		},
	}
	for i, act := range acts {
		act()
		before, _ := b.Current()
		b.Restart()
		if _, ok := b.Current(); ok {
			t.Fatalf("act %d: open with nobody signed in", i)
		}
		b.In()
		h, err := b.Home(t.Context())
		if err != nil || len(h.Drafts) == 0 || h.Drafts[0].ID != e.ID || h.Drafts[0].State != kiosk.StateParked || h.Drafts[0].Park != kiosk.ParkUnclean {
			t.Fatalf("act %d: home %+v %v", i, h.Drafts, err)
		}
		got, same, err := b.Resume(t.Context(), e.ID, "0600", nil)
		if err != nil || !same || got.ID != e.ID {
			t.Fatalf("act %d: the same person cannot continue: %v", i, err)
		}
		if len(got.Captures) != len(before.Captures) || got.At != before.At || len(got.Searches) < len(before.Searches) {
			t.Fatalf("act %d: lost something: %d captures of %d, at %s of %s", i, len(got.Captures), len(before.Captures), got.At, before.At)
		}
		for _, c := range got.Captures {
			if _, err := b.Image(t.Context(), c.Part); err != nil {
				t.Fatalf("act %d: capture %d: %v", i, c.ID, err)
			}
		}
	}
	// Somebody else sits down.
	b.Restart()
	b.In()
	b.Devices.Seat(32, 1)
	if _, _, err := b.Resume(t.Context(), e.ID, "0601", nil); !errors.Is(err, intake.ErrRefused) {
		t.Errorf("another wristband: %v", err)
	}
	other, same, err := b.Resume(t.Context(), e.ID, "0600", nil)
	if err != nil || same || other.ID == e.ID || other.Continues != e.ID {
		t.Fatalf("a different person: same %v, %v, %v", same, other.ID, err)
	}
	if h, _ := b.Home(t.Context()); len(h.Drafts) != 2 {
		t.Errorf("both drafts must be kept, have %d", len(h.Drafts))
	}
}

func TestNobodyWalksAwayFromAHit(t *testing.T) {
	b := newBench(t)
	b.enrol(41, 1, "0700")
	b.Devices.Seat(41, 2)
	e := b.begin("0701")
	b.captureIrises()
	if len(b.search()) == 0 {
		t.Fatal("no hit")
	}
	// Killed at once: the hub's notice is in the outbox, and goes with nobody
	// signed in.
	b.Restart()
	if n := b.packages(e.ID, kiosk.PackageNotice); n != 1 {
		t.Fatalf("%d notices after a kill", n)
	}
	b.In()
	if _, same, err := b.Resume(t.Context(), e.ID, "0701", nil); err != nil || !same {
		t.Fatal(err)
	}
	// Retaken with nobody hit: the first hit stays.
	if _, err := b.Abandon(t.Context(), "mistake", "", nil); !errors.Is(err, intake.ErrRefused) {
		t.Errorf("abandoned alone: %v", err)
	}
	if _, err := b.Abandon(t.Context(), "mistake", sessiontest.Supervisor, []byte("wrong password")); !errors.As(err, new(store.ErrPassword)) {
		t.Errorf("abandoned with a wrong password: %v", err)
	}
	got, err := b.Abandon(t.Context(), "mistake", sessiontest.Supervisor, []byte(sessiontest.Password))
	if err != nil || b.packages(e.ID, kiosk.PackageAbandoned) != 1 {
		t.Errorf("%s %v, %d packages", got.State, err, b.packages(e.ID, kiosk.PackageAbandoned))
	}
}

func TestDeviceFaultsLoseNothing(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(51, 1)
	b.begin("0800")
	n := 0
	_, err := b.CaptureIrises(t.Context(), func(capture.Progress) {
		if n++; n == 1 {
			b.Devices.Bus.Unplug(sessiontest.CameraPort)
		}
	})
	if !errors.Is(err, devices.ErrGone) {
		t.Fatalf("unplugged: %v", err)
	}
	if _, err := b.CaptureIrises(t.Context(), nil); !errors.Is(err, devices.ErrGone) {
		t.Fatalf("no camera: %v", err)
	}
	b.Devices.PlugCamera()
	b.captureIrises()
	b.search()
	b.do(kiosk.StepConfirmed{Step: kiosk.StepIrises})

	// An empty glass is a page that cannot be read, kept and said.
	b.Devices.Lay(nil)
	if _, err := b.ScanDocument(t.Context(), nil); err == nil {
		t.Error("an empty glass was read")
	}
	if e, _ := b.Current(); len(e.Captures) != 3 {
		t.Errorf("the unreadable page is not kept: %d captures", len(e.Captures))
	}
	b.Devices.Bus.Unplug(sessiontest.ScannerPort)
	if _, err := b.ScanDocument(t.Context(), nil); !errors.Is(err, devices.ErrGone) {
		t.Errorf("no scanner: %v", err)
	}
	b.Devices.PlugScanner()
	b.scan(51)
}

func TestWhoMaySignIn(t *testing.T) {
	k := sessiontest.New(t)
	if _, err := k.SignIn(t.Context(), sessiontest.Technician, []byte(sessiontest.Password)); !errors.Is(err, session.ErrWrongRole) {
		t.Errorf("a technician: %v", err)
	}
	if _, err := k.Begin(t.Context(), kiosk.VisitIntake); !errors.Is(err, session.ErrLocked) {
		t.Errorf("nobody: %v", err)
	}
	k.In()
	if err := k.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Home(t.Context()); !errors.Is(err, session.ErrLocked) {
		t.Errorf("locked: %v", err)
	}
}

func TestLockParksWhatIsOpen(t *testing.T) {
	b := newBench(t)
	e := b.begin("0900")
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.In()
	h, err := b.Home(t.Context())
	if err != nil || len(h.Drafts) != 1 || h.Drafts[0].ID != e.ID || h.Drafts[0].Park != kiosk.ParkLocked {
		t.Fatalf("%+v %v", h.Drafts, err)
	}
}

func TestExpiredAgreementClosesEnrolmentAndKeepsWhatIsOpen(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(61, 1)
	e := b.begin("1000")
	a := b.Agreement
	a.NotBefore, a.Expires = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	b.Sign(a)
	if h, err := b.Home(t.Context()); err != nil || h.Closed == nil {
		t.Fatalf("home does not say that enrolment is closed: %v", err)
	}
	b.do(kiosk.Parked{Reason: kiosk.ParkCalledAway})
	if _, err := b.Begin(t.Context(), kiosk.VisitIntake); !errors.Is(err, intake.ErrRefused) {
		t.Errorf("a new enrolment under an expired agreement: %v", err)
	}
	if h, _ := b.Home(t.Context()); len(h.Drafts) != 1 || h.Drafts[0].ID != e.ID {
		t.Error("the open draft is gone")
	}
}

// TestANumberThatTheOfficerTypesIsLookedUp: who read it makes no difference.
func TestANumberThatTheOfficerTypesIsLookedUp(t *testing.T) {
	b := newBench(t)
	key := []byte("list key")
	b.List(kiosk.ListDelta{List: "wanted", To: 1, HashKey: key, Put: []kiosk.WatchlistEntry{
		{ID: "w-1", List: "wanted", Documents: [][]byte{policy.DocumentHash(key, "X1234567")}, Instruction: kiosk.Instruction{Code: "call"}},
	}})
	if _, err := b.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := b.begin("1200")
	id := b.scan(81)
	id.DocumentNumber = session.Look(id.DocumentNumber, "x 1234567")
	got := b.do(kiosk.Identified{Identity: id})
	if !got.Hit() || b.packages(e.ID, kiosk.PackageNotice) != 1 {
		t.Fatalf("hit %v, %d notices", got.Hit(), b.packages(e.ID, kiosk.PackageNotice))
	}
	if again := b.do(kiosk.Identified{Identity: id}); len(again.Searches) != len(got.Searches) {
		t.Error("the same number was looked up again")
	}
}

func TestASecondPersonMustProveWhoTheyAre(t *testing.T) {
	b := newBench(t)
	b.begin("1300")
	if _, err := b.Do(t.Context(), kiosk.Abandoned{Reason: "x", Second: "nobody-at-all"}); err == nil {
		t.Error("a second person was taken at a word")
	}
}

// TestAChangedAgreementStrandsNoDraft: the reviewer's case, through the vault.
func TestAChangedAgreementStrandsNoDraft(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(91, 1)
	e := b.begin("1400")
	b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	b.Sign(b.Agreement)
	if _, same, err := b.Resume(t.Context(), e.ID, "1400", nil); err != nil || !same {
		t.Fatal(same, err)
	}
	b.do(b.Arrival("1400"))
	b.search()
}

// TestOneDamagedDraftLocksNobodyOut: a complete encounter whose file is spoilt
// cannot be sealed; everybody else goes on, and home names it.
func TestOneDamagedDraftLocksNobodyOut(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(92, 1)
	b.begin("1500")
	b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	if err := b.Vault.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(b.Dir, "enc", "*"))
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(raw); i += 16 {
			raw[i] ^= 0xff
		}
		if err := os.WriteFile(f, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.Reopen()
	b.In()
	h, err := b.Home(t.Context())
	if err != nil || len(files) == 0 || len(h.Damaged) == 0 {
		t.Fatalf("%d files, damaged %v, %v", len(files), h.Damaged, err)
	}
	b.begin("1501")
}

func TestYoungerBandDestroysImages(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(71, 1)
	b.begin("1100")
	b.captureIrises()
	before, _ := b.Current()
	b.search()
	b.do(kiosk.StepConfirmed{Step: kiosk.StepIrises})
	b.scan(71)
	b.do(kiosk.StepConfirmed{Step: kiosk.StepDocument})
	young := kiosk.Identity{Surname: kiosk.Field{Note: intake.Looked}, Birth: kiosk.Field{Value: time.Now().AddDate(-15, 0, 0).Format(time.DateOnly), Status: kiosk.FieldChecked}}
	if got := b.do(kiosk.Identified{Identity: young}); got.State != kiosk.StateStopped {
		t.Fatalf("state %s", got.State)
	}
	for _, c := range before.Captures {
		for _, p := range []string{c.Part, c.Part + ".crop"} {
			if _, err := b.Image(t.Context(), p); !errors.Is(err, store.ErrNoImage) {
				t.Errorf("%s remains: %v", p, err)
			}
		}
	}
}
