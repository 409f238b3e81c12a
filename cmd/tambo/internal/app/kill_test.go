package app

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// walked are the steps in their order, by what the screen offers there.
var walked = []string{"irises.note", "document.scan", "identity.confirm", "face.note", "decision.enrol", "review.title", "slip.sealed"}

// stands says how far the walk has come by what the screen shows; -1: not begun.
func (o *officer) stands(s sight) int {
	all := plain(s.words())
	for i := len(walked) - 1; i >= 0; i-- {
		if strings.Contains(all, plain(o.say.Say(walked[i]))) {
			return i
		}
	}
	return -1
}

// TestTheWindowKilled kills the window at any moment of an intake, again and
// again. It comes back by itself; the draft is there with every step that the
// screen had left behind, and the intake is ended from there. The last end is a
// panic that quotes a person: the crash log does not. TAMBO_LONG kills 40 times,
// TAMBO_KILLS says how often.
func TestTheWindowKilled(t *testing.T) {
	n := 4
	if os.Getenv("TAMBO_LONG") != "" {
		n = 40
	}
	if k := os.Getenv("TAMBO_KILLS"); k != "" {
		fmt.Sscan(k, &n)
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("TAMBO_SEED"); s != "" {
		fmt.Sscan(s, &seed)
	}
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	o := newOfficer(t)
	o.shots = ""
	o.signIn("of-1", "training officer")
	start := time.Now()
	o.intake("0800", true)
	whole := time.Since(start)
	var at [8]int
	for cuts, i := 0, 0; cuts < n; i++ {
		if i > 4*n+10 {
			t.Fatalf("%d people came and the window ended %d times only", i, cuts)
		}
		who := fmt.Sprintf("%04d", 801+i)
		o.seat(20 + i)
		start := time.Now()
		far, ended := o.cut(who, o.fresh, time.Duration(r.Int64N(int64(whole))), cuts == n-1)
		if !ended { // the intake was faster than the one before
			whole = min(whole, time.Since(start))
			continue
		}
		at[far+1]++
		cuts++
	}
	t.Logf("%d times the window ended in the middle (an intake took %s), after so many steps: %v; nothing confirmed was lost", n, whole.Round(time.Second), at)
	o.crashLog()
}

// cut takes somebody in, ends the window after a while, and goes on. It returns
// how far the walk had come, and whether the window ended before the intake.
func (o *officer) cut(who string, first bool, after time.Duration, panics bool) (far int, ended bool) {
	t := o.t
	t.Helper()
	s, err := o.see()
	o.check(err)
	far = -1
	look := func() {
		if s, err := o.see(); err == nil {
			far = max(far, o.stands(s))
		}
	}
	o.seen = look
	timer := time.AfterFunc(after, func() {
		o.killed.Store(true)
		if panics {
			o.ask("panic", nil)
		} else {
			syscall.Kill(s.Pid, syscall.SIGKILL)
		}
	})
	func() {
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(killed); !ok {
					panic(p)
				}
			}
		}()
		o.arrive(who, first)
		o.onward(who)
	}()
	timer.Stop()
	if !o.killed.Load() { // it was faster
		return len(walked) - 1, false
	}
	o.killed.Store(false)
	o.seen = nil
	o.until("the window to come back", func() bool {
		again, err := o.see()
		return err == nil && again.Pid != s.Pid
	})
	o.signIn("of-1", "training officer")
	home, err := o.see()
	o.check(err)
	if !strings.Contains(plain(home.words()), who) {
		if far >= 0 && far < len(walked)-2 { // a review that was on its way may be sealed
			t.Fatalf("%s had come to %s and is gone", who, walked[far])
		}
		return far, true
	}
	o.touch(who)
	o.sees(o.say.Say("arrival.wristband"))
	o.types(who)
	o.key("Return")
	o.touch(o.say.Say("resume.go"))
	o.until("the step", func() bool { s, err := o.see(); return err == nil && o.stands(s) >= 0 || far < 0 })
	if s, err := o.see(); err == nil && o.stands(s) < far {
		t.Fatalf("%s had come to %s and stands at %s", who, walked[far], walked[o.stands(s)])
	}
	o.onward(who)
	return far, true
}

// crashLog is written and quotes nobody.
func (o *officer) crashLog() {
	o.t.Helper()
	b, err := os.ReadFile(filepath.Join(o.dir, "run", "crash.log"))
	o.check(err)
	for _, part := range append(strings.Split(marker, "-"), "0800", "0801", "training officer") {
		if strings.Contains(string(b), part) {
			o.t.Errorf("the crash log has %q:\n%s", part, b)
		}
	}
	if !strings.Contains(string(b), "goroutine 1") || !strings.Contains(string(b), "eyes_test.go") {
		o.t.Errorf("the crash log does not say where it was:\n%s", b)
	}
}
