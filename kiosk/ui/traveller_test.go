package ui_test

import (
	"strings"
	"testing"

	"tambo/kiosk/session/sessiontest"
)

// theirs is what the window that faces the person says.
func (b *bench) theirs() string {
	var all []touchable
	return b.walk(b.them.Content(), &all)
}

func (b *bench) theySee(text string) {
	b.t.Helper()
	b.run("them to see "+text, func() bool { return strings.Contains(b.theirs(), text) })
}

// TestTheTravellerIsToldWhatToDo, and never what was found: somebody who was
// here before reads the same as a newcomer, step by step, and neither the number of
// their wristband nor their name.
func TestTheTravellerIsToldWhatToDo(t *testing.T) {
	b := newBench(t, nil)
	b.theySee(b.say.Say("you.welcome"))
	b.signIn(sessiontest.Officer)
	for i, wristband := range []string{"0417", "0418"} {
		b.Devices.Seat(11, uint64(i+1))
		b.adult(uint64(11 + 50*i))
		b.touch(b.say.Say("home.new"))
		b.sees(b.say.Say("arrival.wristband"))
		b.types(wristband)
		b.enter()
		if i == 0 {
			b.touch(b.say.Say("arrival.why"))
			b.touch("Specimen Prison Act")
			b.touch(b.say.Say("arrival.category"))
			b.touch(b.say.Say("category.remand"))
		}
		b.theySee(b.say.Say("you.notice"))
		b.touch(b.say.Say("band.adult"))
		b.touch(b.say.Say("basis.stated"))
		b.touch(b.say.Say("notice.read"))
		b.touch(b.say.Say("act.goOn"))
		if i == 1 {
			b.sees(b.say.Say("found.seeDecision")) // the officer is told; they are thanked
			b.theySee(b.say.Say("you.thanks"))
			b.touch(b.say.Say("next.document"))
		}
		b.theySee(b.say.Say("you.document"))
		b.document()
		b.sees(b.say.Say("step.decision"))
		b.theySee(b.say.Say("you.wait"))
		for _, never := range []string{wristband, "found", "match", "before", "Enrol", "list"} {
			if strings.Contains(b.theirs(), never) {
				t.Errorf("they read %q in %q", never, b.theirs())
			}
		}
		if i == 0 {
			b.touch(b.say.Say("decision.enrol"))
			b.touch(b.say.Say("review.seal"))
			b.theySee(b.say.Say("you.thanks"))
			b.touch(b.say.Say("act.done"))
			b.theySee(b.say.Say("you.welcome"))
		}
	}
}
