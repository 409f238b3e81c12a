package app

import (
	"strings"
	"testing"
)

// focused is what the keyboard goes to, in its own words; empty while a page that
// has just come takes nothing yet.
func (o *officer) focused() string {
	s, err := o.see()
	if err != nil || s.shielded() {
		return ""
	}
	for _, x := range s.Things {
		if x.Focus {
			return plain(x.Text)
		}
	}
	return ""
}

// tab goes on by Tab until the keyboard goes to something, at most once round.
func (o *officer) tab(text string) (n int) {
	o.t.Helper()
	o.until("a way to "+text, func() bool {
		s, err := o.see()
		if err != nil || s.shielded() {
			return false
		}
		for _, x := range s.Things {
			if x.Touch && !x.Off && strings.HasPrefix(plain(x.Text), plain(text)) {
				return true
			}
		}
		return false
	})
	for ; n < 60; n++ {
		if strings.HasPrefix(o.focused(), plain(text)) {
			return n
		}
		o.key("Tab")
	}
	o.shot("failed")
	o.t.Fatalf("Tab never comes to %q", text)
	return n
}

// enters waits until Enter goes on to something, without a Tab, and goes.
func (o *officer) enters(text string) {
	o.t.Helper()
	o.until("Enter to mean "+text, func() bool { return strings.HasPrefix(o.focused(), plain(text)) })
	o.key("Return")
}

// TestTheWindowByKeyboard: the real window, a keyboard and no mouse: sign-in, an
// intake from arrival to slip, the queue, another language, and the lock.
func TestTheWindowByKeyboard(t *testing.T) {
	o := newOfficer(t)
	o.shots = ""
	say := o.say.Say
	o.signIn("of-1", "training officer")
	o.enters(say("home.new"))
	o.sees(say("arrival.wristband"))
	o.types("0431")
	o.key("Return")
	tabs := 0
	choose := func(field, value string) {
		t.Helper()
		tabs += o.tab(field)
		o.key("Return")
		tabs += o.tab(value)
		o.key("Return")
		o.until("the focus to come back to "+field, func() bool { return strings.Contains(o.focused(), plain(field)) })
	}
	choose(say("arrival.why"), "Specimen Prison Act")
	choose(say("arrival.category"), say("category.remand"))
	answers := 0
	answer := func(text string) {
		t.Helper()
		tabs += o.tab(text)
		o.key("space")
		answers++
	}
	answer(say("band.adult"))
	answer(say("basis.stated"))
	answer(say("notice.read"))
	o.enters(say("act.goOn"))
	o.enters(say("document.scan"))
	for range 9 { // rows that want an answer
		next, expired := o.pageAsks()
		if next {
			break
		}
		if expired {
			answer(say("answer.expired"))
		} else {
			answer(say("answer.looked"))
		}
	}
	o.enters(say("next.identity"))
	o.enters(say("identity.confirm"))
	o.enters(say("decision.enrol")) // the face photo goes on by itself
	o.enters(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.enters(say("act.done"))
	o.sees(say("home.unfinished"))

	tabs += o.tab(say("home.hub"))
	o.key("Return")
	o.sees(say("queue.waiting"))
	o.key("Escape")
	o.sees(say("home.unfinished"))
	o.tab("ES")
	o.key("space")
	o.sees("Unfinished work")
	o.tab("EN")
	o.key("space")
	o.sees(say("home.unfinished"))
	o.tab(say("act.lock"))
	o.key("Return")
	o.sees(say("locked.title"))
	if o.touches != 0 {
		t.Errorf("the mouse was needed %d times", o.touches)
	}
	t.Logf("by keyboard alone: %d answers, %d times Tab", answers, tabs)
}
