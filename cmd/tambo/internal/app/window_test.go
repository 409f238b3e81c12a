package app

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestTheWholeWindow(t *testing.T) {
	o := newOfficer(t)
	say := o.say.Say
	o.sees(say("signin.title"))
	o.shot("1-sign-in")
	o.signIn("of-1", "training officer")
	o.shot("2-home")

	t.Log("a newcomer; what is chosen once for the shift is chosen here")
	o.arrive("0417", true)
	o.sees(say("eye.right"))
	o.sees("pide 60") // an eye is there
	o.shot("4-irises")
	o.document(true)
	o.sees(say("face.title"))
	o.sees(" 60") // a face is there, or its photo
	o.shot("6-face")
	o.sees(say("decision.enrol"))
	o.shot("7-decision")
	o.touch(say("decision.enrol"))
	o.sees(say("review.title"))
	o.shot("8-review")
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.shot("9-slip")
	o.touch(say("act.done"))
	o.sees(say("home.unfinished"))

	t.Log("a stranger, counted")
	o.seat(3)
	o.touches, o.hard = 0, 0
	o.arrive("0418", false)
	o.document(false)
	o.touch(say("decision.enrol"))
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))
	t.Logf("an intake with a face photo took %d touches besides typing, %d of them because the document had expired or was doubtful", o.touches, o.hard)
	if o.touches-o.hard > 12 {
		t.Errorf("an ordinary intake took %d touches, promised are 12", o.touches-o.hard)
	}

	t.Log("somebody on a list, in two languages, held, and the second person")
	o.seat(2)
	o.arrive("0419", false)
	o.sees(say("found.seeDecision"))
	o.shot("10-irises-hit")
	o.touch(say("next.document"))
	o.document(false)
	o.sees("No lo deje salir")
	o.shot("11-decision-hit")
	o.touch("ES")
	o.sees("Do not let the person leave")
	o.shot("12-decision-hit-english")
	o.touch("EN")
	o.touch(say("verdict.same person"))
	o.touch(say("decision.refer"))
	o.touch(say("refer.found"))
	o.touch(say("review.hold"))
	o.sees("segunda persona")
	o.touch(say("act.done"))
	o.shot("13-home-held")
	o.touch("0419")
	o.sees(say("held.title"))
	o.shot("14-held")
	o.touch(say("held.sign"))
	o.types("su-1")
	o.key("Tab")
	o.types("training supervisor")
	o.key("Return")
	o.sees("No lo deje salir")
	o.shot("15-second-person")
	o.touch(say("verdict.same person"))
	o.touch(say("held.approve"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))

	t.Log("one eye only")
	o.seat(5)
	o.scene("scene blank") // a fast camera would have both eyes before it is said
	o.arrive("0420", false)
	o.touch(say("irises.oneEye"))
	o.touch(say("eye.left"))
	o.touch(say("except.bandaged"))
	o.shot("16-exception")
	o.scene("scene normal")
	o.touch(say("except.record"))
	o.document(false)
	o.sees(say("step.decision"))

	t.Log("the power is cut in the middle")
	s, err := o.see()
	o.check(err)
	o.check(syscall.Kill(s.Pid, syscall.SIGKILL))
	o.until("the window to come back", func() bool {
		again, err := o.see()
		return err == nil && again.Pid != s.Pid
	})
	o.signIn("of-1", "training officer")
	o.shot("17-home-after-a-cut")
	o.touch("0420")
	o.types("0420")
	o.key("Return")
	o.sees(say("resume.title"))
	o.touch(say("resume.go"))
	o.sees(say("step.decision"))
	o.touch(say("act.park"))
	o.sees(say("park.title"))
	o.shot("22-park")
	o.touch(say("park.called away"))
	o.sees(say("home.unfinished"))

	t.Log("health, from the sign-in screen")
	o.touch(say("act.lock"))
	o.sees(say("locked.title"))
	o.shot("18-locked")
	o.touch(say("locked.other"))
	o.touch(say("signin.fault"))
	o.sees(say("health.testAll"))
	time.Sleep(time.Second)
	o.shot("19-health")
	o.key("Escape")
	o.sees(say("signin.title"))

	t.Log("a van of two, and the hub is away")
	o.check(o.killHub())
	o.signIn("of-1", "training officer")
	o.van("Callao", 2)
	o.shot("21-van")
	o.touch(say("arrivals.finish"))
	o.sees(say("home.new"))
	o.seat(7)
	o.arrive("0421", true)
	o.document(false)
	o.touch(say("decision.enrol"))
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))
	o.sees(say("home.unfinished"))
	o.touch(say("home.hub"))
	o.sees(say("queue.waiting"))
	o.sees("0421")
	o.shot("20-queue")
	o.key("Escape")
	o.sees(say("home.unfinished"))

	s, err = o.see()
	o.check(err)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid))
	o.check(err)
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			t.Log("the window's memory, software renderer included:", line)
		}
	}
	t.Log("random touches and keys")
	o.monkey(300)
}

// monkey touches and types at random. The window must live, answer, and be the
// same process.
func (o *officer) monkey(n int) {
	o.t.Helper()
	before, err := o.see()
	o.check(err)
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TAMBO_SEED"); s != "" {
		fmt.Sscan(s, &seed)
	}
	o.t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	keys := []string{"Tab", "Return", "space", "Escape", "a", "7", "BackSpace", "shift+Tab"}
	worst := time.Duration(0)
	for i := range n {
		if r.IntN(3) == 0 {
			o.tool("key", keys[r.IntN(len(keys))])
		} else {
			o.tool("mousemove", fmt.Sprint(r.IntN(1280)), fmt.Sprint(r.IntN(800)), "click", "1")
		}
		if i%10 == 0 {
			start := time.Now()
			s, err := o.see()
			if err != nil {
				o.t.Fatalf("after %d touches: %v", i, err)
			}
			if s.Pid != before.Pid {
				o.t.Fatalf("after %d touches the window is another one", i)
			}
			worst = max(worst, time.Since(start))
		}
	}
	o.t.Logf("%d random touches and keys; the slowest answer took %s", n, worst.Round(time.Millisecond))
}

// killHub ends the hub of this test's folder, by its process id.
func (o *officer) killHub() error {
	for pid, c := range o.running() {
		if strings.Contains(c, "tambo-hub serve") {
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return errors.New("no hub runs here")
}
