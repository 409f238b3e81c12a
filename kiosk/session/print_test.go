package session_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/kiosk/record"
	"tambo/kiosk/session"
	"tambo/kiosk/specimen/page"
)

// swapped is a number with its first two different neighbours exchanged: nothing
// that a reader of print does by mistake.
func swapped(number string) string {
	b := []byte(number)
	for i := 1; i < len(b); i++ {
		if b[i] != b[i-1] {
			b[i], b[i-1] = b[i-1], b[i]
			break
		}
	}
	return string(b)
}

// The page agrees, or differs and is answered; what was not chosen stays in the
// record, and its number is looked up all the same.
func TestThePrintIsComparedAndAnswered(t *testing.T) {
	b := newBench(t)
	h := page.NewHolder(61)
	other := swapped(h.Number)
	key := []byte("list key")
	b.List(kiosk.ListDelta{List: "wanted", To: 1, HashKey: key, Put: []kiosk.WatchlistEntry{{ID: "w-page", List: "wanted", Documents: [][]byte{policy.DocumentHash(key, other)},
		Instruction: kiosk.Instruction{Code: "call", Text: map[string]string{"en": "Call."}}}}})
	if _, err := b.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.begin("0900")
	if id := b.scan(61); id.Surname.Print != "" || len(id.Disagreements) != 0 {
		t.Errorf("without a reader: %+v", id)
	}
	b.Reader.Says(strings.Fields(strings.ToUpper(h.Surname)), []string{"Sexo"}, []string{h.Sex}, []string{other})
	id := b.scan(61)
	if id.Surname.Print != kiosk.PrintAgrees || id.Sex.Print != kiosk.PrintAgrees || id.Expiry.Print != kiosk.PrintNotFound {
		t.Errorf("%+v", id)
	}
	if agree, of := session.Compared(&id); agree != 2 || of < 7 {
		t.Errorf("%d of %d agree", agree, of)
	}
	d := id.Disagreements
	if len(d) != 1 || d[0].Field != "documentNumber" || d[0].Chosen != -1 || d[0].Values[0].Value != h.Number || d[0].Values[1].Value != other || d[0].Values[1].Source != kiosk.SourcePage {
		t.Fatalf("%+v", d)
	}
	if _, err := b.Do(t.Context(), kiosk.Identified{Identity: id}); err == nil {
		t.Error("the disagreement was passed over")
	}
	hits := func() (n int) {
		e, _ := b.Current()
		for _, q := range e.Searches {
			n += len(slices.Collect(func(yield func(int) bool) {
				for i, c := range q.Candidates {
					if c.By == kiosk.MatchedDocument && !yield(i) {
						return
					}
				}
			}))
		}
		return n
	}
	// The zone is chosen; the page's number is on the list.
	before := id
	session.Settle(&id, "documentNumber", session.Look(id.DocumentNumber, h.Number))
	if before.Disagreements[0].Chosen != -1 || id.Disagreements[0].Chosen != 0 {
		t.Errorf("an answer reaches into what was proposed: %+v", before.Disagreements)
	}
	b.do(kiosk.Identified{Identity: id})
	if hits() != 1 {
		t.Errorf("%d hits: the other spelling escapes", hits())
	}
	// The page is chosen: that is what holds, and the zone's stays in the record.
	id.DocumentNumber = session.Look(d[0].Values[1], other)
	session.Settle(&id, "documentNumber", id.DocumentNumber)
	e := b.do(kiosk.Identified{Identity: id})
	if hits() != 1 {
		t.Errorf("the same number was looked up twice: %d hits", hits())
	}
	parts, err := record.Compose(&e, kiosk.PackageEncounter, func(string) ([]byte, error) { return []byte("image"), nil })
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(parts, func(p record.Part) bool { return p.Kind == kiosk.PartRecord })
	got, err := record.ParseEncounter(parts[at].Body)
	if err != nil {
		t.Fatal(err)
	}
	if f := got.Identity; f.DocumentNumber.Value != other || f.DocumentNumber.Source != kiosk.SourcePage || f.Surname.Print != kiosk.PrintAgrees ||
		f.Disagreements[0].Chosen != 1 || f.Disagreements[0].Values[0].Value != h.Number {
		b, _ := json.Marshal(f)
		t.Errorf("the custodian's part: %s", b)
	}
	for _, p := range parts {
		if p.Kind != kiosk.PartRecord && strings.Contains(string(p.Body), other) {
			t.Errorf("%s holds the number", p.Name)
		}
	}
	// The officer types a third: both others stay.
	typed := kiosk.Field{Value: "T0000001", Source: kiosk.SourceOfficer, Note: "looked at"}
	id.DocumentNumber = typed
	session.Settle(&id, "documentNumber", typed)
	if x := id.Disagreements[0]; len(x.Values) != 3 || x.Chosen != 2 || x.Values[2].Value != typed.Value {
		t.Errorf("%+v", x)
	}
	b.do(kiosk.Identified{Identity: id})
}
