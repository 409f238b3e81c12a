package app

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// cpu is the processor time that a process has had.
func (o *officer) cpu(pid int) time.Duration {
	o.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	o.check(err)
	_, after, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(after)
	var user, system int64
	fmt.Sscan(f[11], &user)
	fmt.Sscan(f[12], &system)
	return time.Duration(user+system) * time.Second / 100 // USER_HZ
}

// TestTheWindowsPreview measures what the preview costs beside the driver and
// the engine: the processor time of the real window while it looks for eyes, less
// that of the same look while a sheet lies over the preview. The camera sees a
// dark room, so that it looks for as long as that takes.
func TestTheWindowsPreview(t *testing.T) {
	const long = 10 * time.Second
	o := newOfficer(t)
	o.shots = ""
	o.signIn("of-1", "training officer")
	o.scene("scene blank")
	o.arrive("0600", true)
	o.sees(o.say.Say("eye.right"))
	time.Sleep(time.Second)
	s, err := o.see()
	o.check(err)
	share := func() float64 {
		before, start := o.cpu(s.Pid), time.Now()
		time.Sleep(long)
		return float64(o.cpu(s.Pid)-before) / float64(time.Since(start))
	}
	seen := share()
	o.touch(o.say.Say("act.park")) // its reasons lie over the preview; the camera goes on
	o.sees(o.say.Say("park.title"))
	covered := share()
	t.Logf("two eyes at 15 frames a second: %.0f %% of a core with the preview, %.0f %% without: the preview costs %.0f %%, drawing without a graphics card included",
		100*seen, 100*covered, 100*(seen-covered))
	if covered < 0.005 {
		t.Error("the camera did not run without the preview: nothing was measured")
	}
}
