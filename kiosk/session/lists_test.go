package session_test

import (
	"fmt"
	"slices"
	"testing"

	"tambo/kiosk"
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
