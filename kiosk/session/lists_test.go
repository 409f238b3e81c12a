package session_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/record"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/eye"
)

// Entries of a list that the agreement does not let be searched must not take
// the places of those that it does, however many they are and however alike.
func TestListsThatMayNotBeSearchedHideNobody(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(31, 1)
	b.begin("0600")
	probe := b.captureIrises()
	var barred []kiosk.WatchlistEntry
	for n := range 60 { // the very templates of the probe: nobody is nearer
		barred = append(barred, kiosk.WatchlistEntry{ID: fmt.Sprintf("b-%d", n), List: "barred",
			Templates: []kiosk.Template{*probe.Best(kiosk.EyeLeft).Template, *probe.Best(kiosk.EyeRight).Template}})
	}
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	b.Devices.Seat(31, 2)
	b.begin("0601")
	other := b.captureIrises()
	b.List(kiosk.ListDelta{List: "barred", To: 1, Put: barred})
	b.List(kiosk.ListDelta{List: "wanted", To: 1, Put: []kiosk.WatchlistEntry{{ID: "w-9", List: "wanted",
		Templates:   []kiosk.Template{*other.Best(kiosk.EyeLeft).Template},
		Instruction: kiosk.Instruction{Code: "detain-call", Text: map[string]string{"en": "Call the supervisor."}}}}})
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	if _, err := b.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Devices.Seat(31, 1)
	b.begin("0602")
	b.captureIrises()
	found := b.search()
	if !slices.ContainsFunc(found, func(c kiosk.Candidate) bool { return c.List == "wanted" && c.Entry == "w-9" }) {
		t.Errorf("60 entries that may not be searched hide one that may: %+v", found)
	}
	e, _ := b.Current()
	for _, q := range e.Searches {
		if q.Scope == kiosk.ScopeLists && (q.Total != 1 || q.Compared+q.NotCompared != 1 || len(q.Lists) != 1 || q.Lists[0].List != "wanted") {
			t.Errorf("search of the lists: %+v", q)
		}
	}
}

// Somebody who was enrolled with the previous engine is found by a search of
// today, and by no template that leaves the kiosk.
func TestThePreviousEngineIsSearched(t *testing.T) {
	b := newBench(t)
	d := b.Devices
	d.Seat(51, 1)
	e := iris.New()
	e.SetAlso(iris.PreviousVersion)
	r, err := e.Process(eye.NewScene(eye.NewPerson(51), 1).Frame(kiosk.EyeLeft, 0, 1), kiosk.EyeLeft)
	if err != nil || len(r.Also) != 1 {
		t.Fatal(err, len(r.Also))
	}
	b.List(kiosk.ListDelta{List: "wanted", To: 1, Put: []kiosk.WatchlistEntry{{ID: "w-old", List: "wanted", Templates: r.Also,
		Instruction: kiosk.Instruction{Code: "detain-call", Text: map[string]string{"en": "Call the supervisor."}}}}})
	if _, err := b.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.Seat(51, 2)
	b.begin("0800")
	got := b.captureIrises()
	if c := got.Best(kiosk.EyeLeft); len(c.Earlier) != 1 || c.Earlier[0].Engine != iris.PreviousVersion {
		t.Fatalf("%d earlier templates", len(c.Earlier))
	}
	if found := b.search(); !slices.ContainsFunc(found, func(c kiosk.Candidate) bool { return c.Entry == "w-old" }) {
		t.Errorf("not found: %+v", found)
	}
	now, _ := b.Current()
	for _, q := range now.Searches {
		if q.Eyes != 2 || len(q.Captures) != 2 {
			t.Errorf("%d eyes of captures %v", q.Eyes, q.Captures)
		}
	}
	parts, err := record.Compose(&now, kiosk.PackageEncounter, func(string) ([]byte, error) { return []byte("image"), nil })
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		if bytes.Contains(p.Body, []byte(iris.PreviousVersion)) {
			t.Errorf("%s holds a template of the previous engine", p.Name)
		}
	}
}

// A draft that was parked before an update has templates of the engine of then:
// its person is known again by that engine, and a stranger is not.
func TestADraftOfThePreviousEngineIsResumed(t *testing.T) {
	b := newBench(t)
	b.Devices.Seat(52, 1)
	e := b.begin("0810")
	b.captureIrises()
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	if err := b.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	sub, _, err := b.Vault.Unlock(t.Context(), sessiontest.Officer, []byte(sessiontest.Password))
	if err != nil {
		t.Fatal(err)
	}
	draft, err := sub.Draft(t.Context(), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	engine := iris.New()
	engine.SetAlso(iris.PreviousVersion)
	for i := range draft.Captures {
		c := &draft.Captures[i]
		r, err := engine.Process(eye.NewScene(eye.NewPerson(52), 1).Frame(c.Eye, 0, 1), c.Eye)
		if err != nil || len(r.Also) != 1 {
			t.Fatal(err, len(r.Also))
		}
		c.Template = &r.Also[0]
	}
	if err := sub.SaveDraft(t.Context(), draft, nil); err != nil {
		t.Fatal(err)
	}
	sub.Lock()
	b.In()
	b.Devices.Seat(53, 1)
	if _, same, err := b.Resume(t.Context(), e.ID, "0810", nil); err != nil || same {
		t.Fatalf("a stranger: same %v, %v", same, err)
	}
	b.do(kiosk.Parked{Reason: kiosk.ParkMedical})
	b.Devices.Seat(52, 2)
	if _, same, err := b.Resume(t.Context(), e.ID, "0810", nil); err != nil || !same {
		t.Errorf("the person of the draft: same %v, %v", same, err)
	}
}
