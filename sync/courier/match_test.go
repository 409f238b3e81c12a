package courier

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/policy"
	"tambo/kiosk/specimen/eye"
	"tambo/store/seal"
	"tambo/sync/hub"
	"tambo/sync/wire"
)

// irises returns a good capture of both eyes of a generated person; another
// visit gives other images.
func irises(t testing.TB, person, visit uint64) []kiosk.Template {
	t.Helper()
	e := iris.New()
	rng := rand.New(rand.NewPCG(person, visit))
	var out []kiosk.Template
	for _, side := range kiosk.BothEyes {
		for range 20 {
			r, err := e.Process(eye.Draw(eye.NewPerson(person), side, eye.RandomConditions(rng), eye.DefaultWidth, eye.DefaultHeight), side)
			if err == nil && r.Quality.Acceptable() {
				out = append(out, r.Template)
				break
			}
		}
	}
	if len(out) != 2 {
		t.Fatalf("person %d has %d usable eyes", person, len(out))
	}
	return out
}

func (v *fakeVault) alerts(t *testing.T) (out []kiosk.Alert) {
	t.Helper()
	for kind, version := range v.have {
		if len(kind) > 6 && kind[:6] == "alert:" {
			var a kiosk.Alert
			if err := json.Unmarshal(v.open(kind, version).Body, &a); err != nil {
				t.Fatal(err)
			}
			out = append(out, a)
		}
	}
	return out
}

func (v *fakeVault) list(t *testing.T, name string, version uint64) (d kiosk.ListDelta) {
	t.Helper()
	doc := v.open(seal.KindList+":"+name, version)
	if err := json.Unmarshal(doc.Body, &d); err != nil {
		t.Fatal(err)
	}
	if d.List != name || d.To != version || doc.Expires != d.Expires || d.Expires.Sub(d.Signed) != 48*time.Hour {
		t.Errorf("%+v", d)
	}
	return d
}

// TestMatch: a newcomer raises nothing; the same person at another kiosk, and
// somebody on a list, raise alerts that come down to the kiosk that sent them.
func TestMatch(t *testing.T) {
	w := newWorld(t, true)
	v1, c1 := w.newKiosk("lima-1")
	v2, c2 := w.newKiosk("lima-2")
	do := kiosk.Instruction{Code: "detain-call", Text: map[string]string{"en": "Call.", "es": "Llame."}}
	wanted := order[hub.ByID](w, "watchlist add", hub.NewEntry{List: "wanted", Templates: irises(t, 3, 1), Numbers: []string{"x00 00-000x"}, Instruction: do}).ID

	first := v1.seal(packed{templates: irises(t, 1, 1)})
	stranger := v1.seal(packed{templates: irises(t, 2, 1)})
	round(t, c1)
	w.settle()
	round(t, c1)
	if a := v1.alerts(t); len(a) != 0 {
		t.Fatalf("alerts about newcomers: %+v", a)
	}
	// The second kiosk says at once that it found somebody, and sends the record
	// later: two packages, one alert.
	again := v2.seal(packed{templates: irises(t, 1, 2)})
	notice := v2.seal(packed{encounter: again.Encounter, kind: kiosk.PackageNotice, hit: true, templates: irises(t, 1, 2), bytes: map[string]int{"evidence": 1000}})
	watched := v2.seal(packed{templates: irises(t, 3, 2)})
	round(t, c2)
	w.settle()
	w.halt() // alerts and gallery outlive the hub
	w.start()
	round(t, c2)
	as := v2.alerts(t)
	if len(as) != 2 || len(v1.alerts(t)) != 0 {
		t.Fatalf("%d alerts at the second kiosk, %d at the first", len(as), len(v1.alerts(t)))
	}
	for _, a := range as {
		if a.State != kiosk.AlertRaised || a.Confirmed || a.Version != 1 {
			t.Errorf("%+v", a)
		}
		switch a.Encounter {
		case again.Encounter:
			if a.Candidate.Kind != kiosk.CandidateEncounter || a.Candidate.Encounter != first.Encounter || a.Candidate.Eyes != 2 {
				t.Errorf("here before: %+v", a.Candidate)
			}
		case watched.Encounter:
			if a.Candidate.Kind != kiosk.CandidateWatch || a.Candidate.Entry != wanted || a.Candidate.List != "wanted" || a.Instruction.Code != "detain-call" {
				t.Errorf("on a list: %+v", a)
			}
		default:
			t.Errorf("an alert about %s", a.Encounter)
		}
		t.Logf("%s by %s: -log10 FMR %.1f over %d eyes, a stranger once in %.2g searches", a.Candidate.Kind, a.Candidate.By, a.Candidate.LogFMR, a.Candidate.Eyes, a.Candidate.Strangers)
	}
	if !allPurged([]*fakeItem{first, stranger, again, notice, watched}) {
		t.Error("a package was not delivered")
	}
	for _, p := range order[[]hub.PackageInfo](w, "packages", nil) {
		if p.Match == nil || !p.Match.Search.Complete || p.Match.Search.Compared != p.Match.Search.Total || p.Match.Search.Eyes != 2 {
			t.Errorf("search of %s: %+v", p.Encounter, p.Match)
		}
	}
	// The person comes a third time: the gallery was filled again after the restart.
	third := v1.seal(packed{templates: irises(t, 1, 3)})
	round(t, c1)
	w.settle()
	round(t, c1)
	found := map[kiosk.EncounterID]bool{}
	for _, a := range v1.alerts(t) {
		if a.Encounter == third.Encounter {
			found[a.Candidate.Encounter] = true
		}
	}
	if !found[first.Encounter] || !found[again.Encounter] || len(found) != 2 {
		t.Errorf("third time: found %v", found)
	}
	alertLife(t, w, v2, c2, as[0])
}

// alertLife: a person at the hub answers, the kiosk sees it, and says so.
func alertLife(t *testing.T, w *world, v *fakeVault, c *Courier, a kiosk.Alert) {
	order[hub.None](w, "alert answer", hub.Answer{ID: a.ID, State: kiosk.AlertConfirmed, By: "adj-1"})
	round(t, c)
	latest := func() kiosk.Alert {
		for _, x := range v.alerts(t) {
			if x.ID == a.ID {
				return x
			}
		}
		return kiosk.Alert{}
	}
	if x := latest(); x.State != kiosk.AlertConfirmed || !x.Confirmed || x.Version != 2 {
		t.Fatalf("%+v", x)
	}
	for range 2 { // saying it twice is saying it once
		if err := c.Say(t.Context(), wire.AlertWord{Alert: a.ID, State: kiosk.AlertSeen, By: "of-1"}); err != nil {
			t.Fatal(err)
		}
	}
	round(t, c)
	if x := latest(); x.State != kiosk.AlertSeen || x.SeenBy != "of-1" || x.Version != 3 || !x.Confirmed {
		t.Errorf("%+v", x)
	}
	n := len(v.inbox)
	round(t, c)
	if len(v.inbox) != n {
		t.Errorf("%d documents came that were there", len(v.inbox)-n)
	}
	for _, r := range order[[]hub.AlertRow](w, "alerts", nil) {
		if r.Alert.ID == a.ID && (r.Delivered != 3 || r.By != "adj-1") {
			t.Errorf("the hub believes that version %d is at the kiosk", r.Delivered)
		}
	}
}

// TestUnreadableTemplates: a part that does not open is kept and said, and stops
// nothing.
func TestUnreadableTemplates(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	v.key, _ = swap(v) // parts are signed by a key that is not the kiosk's…
	other := v.key
	bad := v.seal(packed{})
	v.key, _ = swap(v)
	// …but the manifest by its own.
	m, parts := manifestOf(t, bad, other), bad.parts
	delete(v.items, bad.ID)
	bad = v.put(m, parts)
	good := v.seal(packed{templates: irises(t, 5, 1)})
	round(t, c)
	w.settle()
	w.delivered(bad, good)
	for _, p := range order[[]hub.PackageInfo](w, "packages", nil) {
		if p.Digest == bad.ID && (p.Match != nil || len(p.Remarks) != 1) {
			t.Errorf("%+v", p)
		}
		if p.Digest == good.ID && p.Match == nil {
			t.Error("the job after it was not done")
		}
	}
}

// TestLists: snapshot, delta, withdrawal, refresh; never an older one, and only
// lists that the agreement permits.
func TestLists(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	start := time.Now()
	do := kiosk.Instruction{Code: "look", Text: map[string]string{"en": "Look."}}
	round(t, c)
	empty := v.list(t, "wanted", 1)
	if empty.From != 0 || len(empty.Put)+len(empty.Remove) != 0 || len(empty.HashKey) != 32 {
		t.Errorf("%+v", empty)
	}
	a := order[hub.ByID](w, "watchlist add", hub.NewEntry{List: "wanted", Numbers: []string{"ab 123-4"}, Instruction: do}).ID
	b := order[hub.ByID](w, "watchlist add", hub.NewEntry{List: "wanted", Numbers: []string{"cd 567-8"}, Names: []kiosk.ListName{{Surname: "QUISPE", Given: "ANA", Birth: "1987-XX-XX"}}, Instruction: do}).ID
	round(t, c)
	d := v.list(t, "wanted", 3)
	if d.From != 1 || len(d.Put) != 2 || len(d.Remove) != 0 {
		t.Fatalf("%+v", d)
	}
	for _, e := range d.Put {
		if e.ID == a && (len(e.Documents) != 1 || string(e.Documents[0]) != string(policy.DocumentHash(d.HashKey, "AB1234"))) {
			t.Errorf("the number's hash: %+v", e)
		}
	}
	order[hub.None](w, "watchlist withdraw", hub.ByID{ID: a})
	round(t, c)
	if d = v.list(t, "wanted", 4); d.From != 3 || len(d.Put) != 0 || fmt.Sprint(d.Remove) != fmt.Sprint([]string{a}) {
		t.Fatalf("%+v", d)
	}
	// A kiosk that comes later gets a snapshot without what was withdrawn.
	v2, c2 := w.newKiosk("lima-2")
	round(t, c2)
	if d = v2.list(t, "wanted", 4); d.From != 0 || len(d.Put) != 1 || d.Put[0].ID != b || len(d.Remove) != 0 {
		t.Fatalf("%+v", d)
	}
	n := len(v.inbox)
	round(t, c)
	if len(v.inbox) != n {
		t.Error("the same list came again")
	}
	// Unchanged, but its signature is old: a new version says so.
	w.clock(20 * time.Minute)
	round(t, c)
	if d = v.list(t, "wanted", 5); d.From != 4 || len(d.Put)+len(d.Remove) != 0 || d.Signed.Sub(start) < 19*time.Minute {
		t.Fatalf("%+v", d)
	}
	// An old list that somebody replays is refused.
	r, err := c.prepare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old := wire.DownDocument{Kind: "list:wanted", Version: 3, Data: v.inbox["list:wanted@3"]}
	for _, version := range []uint64{3, 5} {
		old.Version = version
		if err := r.take(old, v.have["list:wanted"]); causeOf(err) != CauseAnswer {
			t.Errorf("replayed as version %d: %v", version, err)
		}
	}
	if _, err := tryOrder[hub.ByID](w, "watchlist add", hub.NewEntry{List: "other", Numbers: []string{"1"}, Instruction: do}); err == nil {
		t.Error("a list that the agreement does not permit")
	}
	for k := range v.have {
		if k != "list:wanted" && k != "list:inquiry" && k != "agreement" && k != "roster" && k != "time" {
			t.Errorf("%s came down", k)
		}
	}
}

// TestAgreementAndRoster: new versions come down; records under the earlier
// agreement are taken all the same.
func TestAgreementAndRoster(t *testing.T) {
	w := newWorld(t, true)
	v, c := w.newKiosk("lima-1")
	old := v.seal(packed{})
	a := v.agreement()
	a.Version++
	a.Title = "The second one"
	order[hub.None](w, "agreement put", a)
	if _, err := tryOrder[hub.None](w, "agreement put", a); err == nil {
		t.Error("the same version twice")
	}
	order[hub.None](w, "operator add", kiosk.Operator{Label: "of-9", Role: kiosk.RoleOfficer})
	order[hub.None](w, "operator revoke", hub.ByID{ID: "of-2"})
	round(t, c)
	if v.agreement().Title != "The second one" || v.have["roster"] != 3 {
		t.Errorf("%v", v.have)
	}
	var r kiosk.Roster
	if err := json.Unmarshal(v.docs["roster"].Body, &r); err != nil || fmt.Sprint(r.Revoked) != "[of-2]" || len(r.Operators) != 5 {
		t.Errorf("%v %+v", err, r)
	}
	fresh := v.seal(packed{})
	round(t, c)
	w.delivered(old, fresh)
}
