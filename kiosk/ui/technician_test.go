package ui_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/ui"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// cameras are two whose figures never change, but for what is counted.
type cameras struct {
	ui.Technician
	mu      sync.Mutex
	running map[health.Part]int // streams that are open
	most    int                 // that were open at once
}

func (c *cameras) count(p health.Part, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[p] += n
	c.most = max(c.most, c.running[health.PartCamera]+c.running[health.PartFace])
}

func (c *cameras) open(p health.Part) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running[p]
}

func (c *cameras) Watch(ctx context.Context, camera health.Part, each func(ui.Seen)) error {
	c.count(camera, 1)
	defer c.count(camera, -1)
	s := ui.Seen{Rate: 14.9, Late: 38 * time.Millisecond, Lost: 4}
	if camera == health.PartFace {
		s = ui.Seen{Rate: 7.5, Late: 160 * time.Millisecond, Lost: 3, Bus: 2, Untaken: 5}
	}
	for ctx.Err() == nil {
		each(s)
		time.Sleep(200 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond) // a camera takes a while to close
	return nil
}

func (c *cameras) Notes() (shown, faults []health.Note) { return nil, nil }
func (c *cameras) Shown(string, string)                 {}
func (c *cameras) Changes() <-chan struct{}             { return nil }

// diagnose opens the diagnostics of a kiosk with these devices.
func diagnose(t *testing.T, plugged ...health.DeviceFacts) (*bench, *cameras) {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(false, theme.Metrics{}))
	c := &cameras{running: map[health.Part]int{}}
	b := &bench{Kiosk: sessiontest.New(t), t: t, say: words.New(words.English), queue: make(chan func(), 10000), m: newMeter(t), technician: &slowBundle{c, make(chan struct{})}, plugged: plugged}
	b.open = func() (ui.Session, error) { return nil, session.ErrDamaged }
	b.start()
	b.sees("vault.db")
	b.run("the vault to be tried again", func() bool { return !b.c.Busy() }) // while it is, only signing in is offered
	b.touch(b.say.Say("health.signIn"))
	b.sees(b.say.Say("health.testAll"))
	return b, c
}

// TestPlotsOfBothCameras: rate, lateness, losses and errors of the bus are live for
// the camera that is chosen, each with its limit; the choice may be made while a test
// runs, and one camera is open at a time.
func TestPlotsOfBothCameras(t *testing.T) {
	b, c := diagnose(t, health.DeviceFacts{Part: health.PartCamera, Port: "1-1", Present: true}, health.DeviceFacts{Part: health.PartFace, Port: "1-3", Present: true})
	iris, face := b.say.Say("health.camera"), b.say.Say("health.face")
	b.touch(b.say.Say("diag.test"))
	b.sees("Frames a second, needs 12 14.9")
	b.sees("Late by, ms 38")
	b.sees("Lost frames, none allowed 4")
	b.sees("USB errors, none allowed 0")
	b.sees(b.say.Say("diag.noModel"))
	b.touch(face)
	b.sees("Frames a second, needs 8 7.5")
	b.sees("Late by, ms 160")
	b.sees("Lost frames, none allowed 3")
	b.sees("USB errors, none allowed 2")
	b.sees("Not taken in time 5")
	b.sees(b.say.Say("diag.noPicture"))
	if n := c.open(health.PartFace); n != 1 {
		t.Errorf("%d face streams", n)
	}
	b.touch(iris)
	b.touch(face)
	b.touch(iris)
	b.sees("Frames a second, needs 12 14.9")
	b.touch(b.say.Say("diag.stop"))
	b.run("the camera to be closed", func() bool { return c.open(health.PartCamera)+c.open(health.PartFace) == 0 })
	if c.most != 1 {
		t.Errorf("%d cameras were open at once", c.most)
	}
	b.sees(b.say.Say("diag.test"))

	// A soak keeps its camera.
	b.touch(face)
	b.sees("Frames a second, needs 8 –")
	b.touch(b.say.Say("diag.soak"))
	b.sees("Frames a second, needs 8 7.5")
	if b.find(iris) != nil {
		t.Error("the iris camera can be chosen while the face camera soaks")
	}
}

// TestNoChoiceOfOneCamera: a kiosk without a face camera is asked nothing.
func TestNoChoiceOfOneCamera(t *testing.T) {
	b, _ := diagnose(t, health.DeviceFacts{Part: health.PartCamera, Port: "1-1", Present: true})
	b.touch(b.say.Say("diag.test"))
	b.sees("Frames a second, needs 12 14.9")
	if b.find(b.say.Say("health.face")) != nil {
		t.Error("a face camera is offered")
	}
}

// slowBundle makes a bundle when it is told to.
type slowBundle struct {
	*cameras
	ready chan struct{}
}

func (s *slowBundle) Bundle(context.Context) (string, error) {
	<-s.ready
	return "tambo-support-1.tar.gz", nil
}

// TestChoosingMeanwhileLosesNothing: what is made beside is told, though another
// camera is chosen, or one is tested, meanwhile.
func TestChoosingMeanwhileLosesNothing(t *testing.T) {
	b, _ := diagnose(t, health.DeviceFacts{Part: health.PartCamera, Port: "1-1", Present: true}, health.DeviceFacts{Part: health.PartFace, Port: "1-3", Present: true})
	slow := b.technician.(*slowBundle)
	b.touch(b.say.Say("diag.bundle"))
	b.touch(b.say.Say("health.face"))
	b.touch(b.say.Say("diag.test"))
	b.sees("Frames a second, needs 8 7.5")
	b.touch(b.say.Say("diag.stop"))
	close(slow.ready)
	b.sees("tambo-support-1.tar.gz")
	b.sees(b.say.Say("diag.soak"))
}
