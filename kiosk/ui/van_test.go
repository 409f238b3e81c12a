package ui_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/ui"
)

// van makes an arrival list of two from Callao.
func (b *bench) van() {
	b.t.Helper()
	b.touch(b.say.Say("home.newList"))
	b.touch(b.say.Say("arrivals.origin"))
	b.types("Callao")
	b.w.Canvas().FocusNext()
	b.types("0451")
	b.enter()
	b.touch(b.say.Say("arrivals.authority"))
	b.touch("Specimen Prison Act")
	b.touch("+")
	b.touch("+")
	b.touch(b.say.Say("arrivals.begin"))
	b.sees("Callao")
	b.sees(b.say.Say("row.notBegun"))
}

// TestAVanOutlivesTheKiosk: the list of who came is there after a lock, and
// after the window was killed; who was begun stands in it with their number, and
// the next number counts on. Closed, it is gone for good.
func TestAVanOutlivesTheKiosk(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.van()
	b.touch(b.say.Say("home.next"))
	b.sees("0451")
	b.touch(b.say.Say("arrival.category"))
	b.touch(b.say.Say("category.remand"))
	b.touch(b.say.Say("band.adult"))
	b.touch(b.say.Say("basis.stated"))
	b.touch(b.say.Say("notice.read"))
	b.Devices.Seat(11, 1)
	b.touch(b.say.Say("act.goOn"))
	b.sees(b.say.Say("document.put"))

	// The power is cut: another window, and the session begins anew.
	if err := b.Service.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.start()
	b.signIn(sessiontest.Officer)
	b.sees("Callao")
	b.touch(b.say.Say("home.openList"))
	b.sees(b.say.Say("arrivals.finish"))
	b.sees("0451")
	b.touch(b.say.Say("home.next"))
	b.sees("0452")
	b.touch(b.say.Say("act.park"))
	b.touch(b.say.Say("park.medical"))
	b.sees(b.say.Say("home.openList"))
	b.touch(b.say.Say("home.openList"))
	b.touch(b.say.Say("arrivals.finish"))
	b.sees(b.say.Say("home.new"))
	b.start()
	if err := b.Service.Lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.signIn(sessiontest.Officer)
	if strings.Contains(b.text(), "Callao") {
		t.Error("a list that was closed came back")
	}
}

// TestParkAsksWhyOnce: one touch on Park, one on why, and the reason is kept;
// going back changes nothing.
func TestParkAsksWhyOnce(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	b.arrive("0417", true)
	b.sees(b.say.Say("document.put"))
	b.touch(b.say.Say("act.park"))
	b.sees(b.say.Say("park.title"))
	b.touch(b.say.Say("act.back"))
	b.sees(b.say.Say("document.put"))
	if e, open := b.Current(); !open || e.State != kiosk.StateDraft {
		t.Fatal("going back parked it")
	}
	b.touch(b.say.Say("act.park"))
	b.touch(b.say.Say("park.medical"))
	b.sees(b.say.Say("home.unfinished"))
	b.run("the reason", func() bool {
		h, err := b.Service.Home(t.Context())
		return err == nil && len(h.Drafts) == 1 && h.Drafts[0].Park == kiosk.ParkMedical
	})
}

// TestReferGivesAReason: to refer asks why, and the code is in the decision.
func TestReferGivesAReason(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	b.arrive("0417", true)
	b.document()
	b.touch(b.say.Say("decision.refer"))
	b.sees(b.say.Say("refer.title"))
	if e, _ := b.Current(); e.Decision != nil {
		t.Fatal("it was referred before anybody said why")
	}
	b.touch(b.say.Say("refer.order"))
	b.sees(b.say.Say("review.title"))
	e, _ := b.Current()
	if e.Decision == nil || e.Decision.Outcome != kiosk.OutcomeRefer || e.Decision.Reason != "order" {
		t.Errorf("decided %+v", e.Decision)
	}
}

// TestTypingIsNotIdle: somebody who types or moves the mouse is there, although
// nothing is decided.
func TestTypingIsNotIdle(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.touch(b.say.Say("home.new"))
	b.sees(b.say.Say("arrival.wristband"))
	now := time.Now()
	at := func(d time.Duration) {
		x := now.Add(d)
		b.now.Store(&x)
		b.c.Tick()
	}
	for i := range 4 { // eight minutes, a key every two
		b.run("a field", func() bool { return b.w.Canvas().Focused() != nil })
		at(time.Duration(i+1) * 2 * time.Minute)
		b.w.Canvas().Focused().TypedRune('7')
	}
	b.sees(b.say.Say("arrival.wristband"))
	if _, in := b.Operator(); !in {
		t.Fatal("it locked on somebody who types")
	}
	at(14 * time.Minute)
	b.sees(b.say.Say("locked.title"))
}

// failing is a session in which everything after sign-in goes wrong.
type failing struct {
	ui.Session
	err error
}

func (f *failing) Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error) {
	if f.err != nil {
		return kiosk.Encounter{}, f.err
	}
	return f.Session.Begin(ctx, v)
}

func (f *failing) Home(ctx context.Context) (session.Home, error) {
	h, err := f.Session.Home(ctx)
	if f.err != nil {
		return session.Home{}, f.err
	}
	return h, err
}

func (f *failing) KeepArrivals(ctx context.Context, l *session.ArrivalList) error {
	if f.err != nil {
		return f.err
	}
	return f.Session.KeepArrivals(ctx, l)
}

// TestAFaultIsASentence: what the store or the road says in its own words is
// never on the screen.
func TestAFaultIsASentence(t *testing.T) {
	s := &failing{}
	b := newBench(t, func(real ui.Session) ui.Session { s.Session = real; return s })
	b.signIn(sessiontest.Officer)
	s.err = errors.New("store: page 7 of vault.db: checksum XQ")
	for _, key := range []string{"home.new", "home.hub"} {
		b.touch(b.say.Say(key))
		b.sees(b.say.Say("fault.title"))
		if text := b.text(); strings.Contains(text, "XQ") || strings.Contains(text, "vault.db") {
			t.Errorf("%s shows %q", key, text)
		}
	}
	b.w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
}
