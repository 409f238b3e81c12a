package ui_test

import (
	"strings"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/page"
)

// TestThePagePrintsAnotherNumber: the row says so, the way on waits for the
// answer, and the page's value goes on with where it came from; what agrees asks
// nothing.
func TestThePagePrintsAnotherNumber(t *testing.T) {
	b := newBench(t, nil)
	var h page.Holder
	for n := uint64(11); ; n++ {
		if h = page.NewHolder(n); h.Birth < "2000" && h.Expiry > b.time().AddDate(1, 0, 0).Format("2006-01-02") && h.Number[0] != h.Number[1] && len(h.Surname) > len(h.Number)+2 && !strings.Contains(h.Surname, " ") { // a place is known by its width
			break
		}
	}
	b.Devices.Lay(&h)
	other := string([]byte{h.Number[1], h.Number[0]}) + h.Number[2:]
	b.Reader.Says(strings.Fields(strings.ToUpper(h.Surname)), []string{other})
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.arrive("0417", true)
	b.sees(b.say.Say("document.put"))
	b.touch(b.say.Say("document.scan"))
	b.sees(b.say.Say("source.page") + ": " + other)
	if b.find(b.say.Say("next.identity")) != nil {
		t.Error("it goes on before the answer")
	}
	b.touch(b.say.Say("answer.usePage"))
	b.sees(b.say.Say("source.mrz") + ": " + h.Number)
	b.touch(b.say.Say("next.identity"))
	b.touch(b.say.Say("identity.confirm"))
	b.sees(b.say.Say("decision.enrol"))
	e, _ := b.Current()
	if f := e.Identity.DocumentNumber; f.Value != other || f.Source != kiosk.SourcePage {
		t.Errorf("%+v", f)
	}
	if d := e.Identity.Disagreements; len(d) != 1 || d[0].Chosen != 1 || d[0].Values[0].Value != h.Number || d[0].Values[0].Source != kiosk.SourceMRZ {
		t.Errorf("%+v", d)
	}
	if f := e.Identity.Surname; f.Print != kiosk.PrintAgrees {
		t.Errorf("%+v", f)
	}
}
