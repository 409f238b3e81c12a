package app

import (
	"strings"
	"testing"
)

// refusal takes in somebody who refuses the irises: their own words and who was
// there are written down, nobody is forced, and the result never reads "no match".
func (o *officer) refusal() {
	o.t.Helper()
	o.t.Log("a refusal")
	say := o.say.Say
	o.seat(7)
	o.scene("scene blank") // who refuses does not look: a fast camera would have both eyes before it is said
	o.arrive("0422", false)
	o.touch(say("irises.refuses"))
	o.sees(say("except.noForce"))
	o.touch(say("except.words"))
	o.types("No quiero que me miren los ojos")
	o.key("Return")
	o.touch(say("except.present"))
	o.types("of-1, abogada")
	o.key("Return")
	o.shot("21-refusal")
	o.touch(say("except.record"))
	o.scene("scene normal")
	o.touch(say("next.document"))
	o.document(false)
	o.sees(say("decision.notSearched"))
	if s, err := o.see(); err == nil && strings.Contains(plain(s.words()), plain(say("found.noMatchSite"))) {
		o.t.Error("nobody was searched for, and the screen says that nobody was found")
	}
	o.shot("22-refusal-decision")
	o.touch(say("decision.enrol"))
	o.touch(say("review.hold"))
	o.touch(say("act.done"))
	o.sees("0422")
}

// minor takes in somebody of 14 to 17: what the agreement excludes is not
// collected by rule and is no exception, and their guardian is named.
func (o *officer) minor() {
	o.t.Helper()
	o.t.Log("a minor")
	say := o.say.Say
	o.seat(8)
	o.touch(say("home.new"))
	o.sees(say("arrival.wristband"))
	o.types("0423")
	o.key("Return")
	o.touch(say("band.14 to 17"))
	o.touch(say("arrival.guardian"))
	o.types("Ana Quispe, abogada")
	o.key("Return")
	o.told("0423")
	o.sees(say("found.byRule"))
	o.shot("23-minor")
	o.onward("0423")
}

// onward goes on from wherever the walk stands until home is shown again.
func (o *officer) onward(who string) {
	o.t.Helper()
	ways := []string{"resume.go", "act.done", "review.seal", "review.hold", "decision.enrol", "next.decision", "identity.confirm", "next.identity",
		"answer.expired", "answer.looked", "document.scan", "next.document"}
	home := plain(o.say.Say("home.unfinished"))
	for range 40 {
		var way thing
		atHome := false
		o.until("a way on for "+who, func() bool {
			s, err := o.see()
			if err != nil || s.shielded() {
				return false
			}
			if atHome = strings.Contains(plain(s.words()), home); atHome {
				return true
			}
			for _, w := range ways {
				for _, x := range s.Things {
					if x.Touch && !x.Off && strings.HasPrefix(plain(x.Text), plain(o.say.Say(w))) {
						way = x
						return true
					}
				}
			}
			return false
		})
		if atHome {
			return
		}
		if o.seen != nil {
			o.seen()
		}
		o.tap(way) // as it was seen: what is under way may show it once more
	}
	o.t.Fatal("the walk does not end")
}

// TestTheWindowsOtherPeople: who refuses, and who is not grown up.
func TestTheWindowsOtherPeople(t *testing.T) {
	o := newOfficer(t)
	o.signIn("of-1", "training officer")
	o.intake("0421", true) // what repeats for the shift
	o.refusal()
	o.minor()
}
