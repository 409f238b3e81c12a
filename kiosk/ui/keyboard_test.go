package ui_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/ui/widgets"
)

// focused is what the keyboard goes to, in its own words.
func (b *bench) focused() string {
	o, ok := b.w.Canvas().Focused().(fyne.CanvasObject)
	if !ok {
		return ""
	}
	var all []touchable
	return strings.ToLower(b.walk(o, &all))
}

// press types a key: into what has the focus, else into the window.
func (b *bench) press(name fyne.KeyName) {
	b.t.Helper()
	b.m.on(string(name), func() {
		k := &fyne.KeyEvent{Name: name}
		switch f := b.w.Canvas().Focused(); {
		case name == fyne.KeyTab:
			b.w.Canvas().FocusNext()
		case f != nil:
			f.TypedKey(k)
		default:
			b.w.Canvas().OnTypedKey()(k)
		}
	})
}

// tab goes on to something by Tab, at most once round, and counts.
func (b *bench) tab(text string) (n int) {
	b.t.Helper()
	text = strings.ToLower(text)
	b.run("a way to "+text, func() bool { return !b.c.Busy() && b.find(text) != nil })
	for ; n < 60; n++ {
		if strings.HasPrefix(b.focused(), text) {
			return n
		}
		b.press(fyne.KeyTab)
		if f := b.w.Canvas().Focused(); f != nil && !slices.Contains(widgets.Focusables(b.w.Content()), f) {
			b.t.Errorf("%q is lost when the screen is drawn anew", b.focused())
		}
	}
	b.t.Fatalf("Tab never comes to %q; the screen says %q", text, b.text())
	return 0
}

// enters waits until Enter goes on to something, without a Tab, and goes.
func (b *bench) enters(text string) {
	b.t.Helper()
	b.run("Enter to mean "+text, func() bool { return !b.c.Busy() && strings.HasPrefix(b.focused(), strings.ToLower(text)) })
	b.press(fyne.KeyReturn)
}

// TestAnIntakeByKeyboard: a whole intake without a touch. What has an answer
// keeps the focus, what was asked on a sheet has it again after the sheet, and
// when the last thing that was missing is there, Enter goes on. Enter answers
// nothing about the person: not how old they are, not that they were told, not
// that a doubtful field was looked at.
func TestAnIntakeByKeyboard(t *testing.T) {
	if testing.Short() {
		t.Skip("the short form is for races: TestAWholeIntake goes the same way")
	}
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	say := b.say.Say
	tabs := b.tab(say("home.new"))
	b.press(fyne.KeyReturn)
	b.sees(say("arrival.wristband"))
	b.types("0417")
	b.enter()
	for _, x := range [][2]string{{"arrival.why", "Specimen Prison Act"}, {"arrival.category", say("category.remand")}} {
		tabs += b.tab(say(x[0]))
		b.press(fyne.KeyReturn)
		tabs += b.tab(x[1])
		b.press(fyne.KeyReturn)
		b.run("the focus to come back", func() bool { return strings.Contains(b.focused(), strings.ToLower(say(x[0]))) })
	}
	answers := 0
	answer := func(text string) {
		t.Helper()
		tabs += b.tab(text)
		answers++
		chosen := func() bool {
			f, ok := b.w.Canvas().Focused().(interface{ State() widgets.ActState })
			return ok && f.State().Chosen
		}
		b.press(fyne.KeyReturn)
		b.c.Tick()
		if chosen() {
			t.Errorf("Enter answered %q", text)
		}
		b.press(fyne.KeySpace)
	}
	answer(say("band.adult"))
	if f := b.focused(); !strings.HasPrefix(f, strings.ToLower(say("band.adult"))) {
		t.Errorf("after an answer the focus is on %q", f)
	}
	answer(say("basis.stated"))
	answer(say("notice.read"))
	b.enters(say("act.goOn"))

	b.sees(say("document.put"))
	b.enters(say("document.scan"))
	b.sees(say("field.surname"))
	b.run("the page", func() bool {
		return !b.c.Busy() && b.find(say("document.scanAgain")) != nil || b.c.Page() == "identity"
	})
	for range 9 {
		switch {
		case b.find(say("answer.expired")) != nil && b.find(say("next.identity")) == nil:
			answer(say("answer.expired"))
		case b.find(say("answer.looked")) != nil && b.find(say("next.identity")) == nil:
			answer(say("answer.looked"))
		}
	}
	if b.c.Page() == "document" {
		b.enters(say("next.identity"))
	}
	b.enters(say("identity.confirm"))
	b.enters(say("decision.enrol"))
	b.enters(say("review.seal"))
	b.sees(say("slip.sealed"))
	b.enters(say("act.done"))
	b.sees(say("home.unfinished"))
	t.Logf("an intake by keyboard: %d answers, %d times Tab", answers, tabs)

	// Escape goes back: from a sheet to the page below it, which stays.
	b.tab(say("home.new"))
	b.press(fyne.KeyReturn)
	b.sees(say("arrival.wristband"))
	b.types("0418")
	b.enter()
	b.tab(say("act.park"))
	b.press(fyne.KeySpace)
	b.sees(say("park.title"))
	b.press(fyne.KeyEscape)
	b.sees(say("arrival.toldHow"))
	if e, open := b.Current(); !open || e.State != kiosk.StateDraft {
		t.Error("Escape did more than go back: " + fmt.Sprint(open))
	}
}
