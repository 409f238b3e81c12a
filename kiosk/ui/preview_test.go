package ui

import (
	"image"
	"math/rand/v2"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"golang.org/x/sys/unix"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/iris"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// processor is the processor time that this process has had, the kernel's on its
// behalf and the garbage collector's included.
func processor(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// preview is a look at two eyes that never ends, without a camera and an engine:
// frames of 640×480 that all differ, with both contours of each eye, a score that
// changes with every frame, and guidance that changes every second.
type preview struct {
	*live
	queue  []func()
	window fyne.Window
	screen *screens.IrisesScreen
	state  screens.IrisesState
	frames [8]*image.Gray
	n      int
	told   int
}

func newPreview(t *testing.T) *preview {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(false, theme.Metrics{}))
	p := &preview{state: screens.IrisesState{Phase: screens.PhaseLooking, Missing: 2}}
	p.live = newLive(t.Context(), func(f func()) { p.queue = append(p.queue, f) })
	none := func() {}
	p.screen = screens.Irises(screens.Frame{Book: words.New(words.Spanish), Now: time.Now(), Encounter: &kiosk.Encounter{}}, p.state,
		screens.IrisesCalls{OneEye: none, Refuses: none, Other: none, Below: func(kiosk.Eye) {}, Again: none, Stay: none, Park: none, Next: none})
	p.window = test.NewTempWindow(t, nil)
	p.window.SetPadded(false)
	p.window.Resize(fyne.NewSize(1280, 800))
	p.window.SetContent(p.screen.Object)
	p.show(p.screen.Views)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range p.frames {
		g := image.NewGray(image.Rect(0, 0, 640, 480))
		for j := range g.Pix {
			g.Pix[j] = byte(r.Uint32())
		}
		p.frames[i] = g
	}
	return p
}

func circleOf(x, y float64, r float32) (c iris.Contour) {
	c.Center = iris.Point{X: x, Y: y}
	for i := range c.Radii {
		c.Radii[i] = r
	}
	return c
}

// frame is one frame of both eyes and what is known of it, up to where the window
// has to be painted.
func (p *preview) frame() {
	p.n++
	x := session.Progress{Frames: p.n, Ask: iris.GuidanceHoldStill, AskEye: kiosk.EyeLeft}
	if p.n/previewFPS%2 == 0 {
		x.Ask = iris.GuidanceOpenWider
	}
	x.Frame = devices.IrisFrame{Right: p.frames[p.n%8], Left: p.frames[(p.n+3)%8]}
	for _, e := range kiosk.BothEyes {
		at := 300 + float64(p.n%40)
		x.Eyes = append(x.Eyes, capture.EyeState{Eye: e, Present: true, Score: 20 + p.n%30, Best: min(55, 20+p.n/30), Floor: 60,
			Pupil: circleOf(at, 240, 45), Limbus: circleOf(at, 242, 120)})
	}
	p.progress(x, func(x session.Progress) {
		p.told++
		for _, e := range x.Eyes {
			p.state.Eyes[eyeIndex(e.Eye)] = screens.EyeState{Present: e.Present, Score: e.Score, Best: e.Best, Floor: e.Floor}
		}
		p.state.Ask, p.state.AskEye = string(x.Ask), x.AskEye
		p.screen.Set(p.state)
	})
	p.tick()
	for _, f := range p.queue {
		f()
	}
	p.queue = p.queue[:0]
}

// TestPreviewCost measures in processor time, which other programs on the machine
// do not lengthen as they do a clock's, what a second of the preview of two eyes
// takes beside the driver and the engine: fetching, scaling and marking the
// pictures, and everything that the screen then changes. Promised are 30 % of a
// core with the painting; where a graphics card paints, that is little, and
// TestTheWindowsPreview measures it in the real window. Without the painting half
// of the promise may not be passed: several times what it takes.
func TestPreviewCost(t *testing.T) {
	const most = 0.15
	seconds := 20
	if testing.Short() {
		seconds = 1
	}
	p := newPreview(t)
	for range previewFPS { // what is made once
		p.frame()
	}
	runtime.GC()
	if name := os.Getenv("TAMBO_CPU_PROFILE"); name != "" {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			t.Fatal(err)
		}
	}
	before := processor(t)
	for range seconds * previewFPS {
		p.frame()
	}
	took := float64(processor(t)-before) / float64(seconds) / 1e9
	pprof.StopCPUProfile()
	if n := p.screen.Views[0].Drawn(); n != int64(p.n) || p.told != p.n {
		t.Fatalf("of %d frames %d were drawn and %d told: nothing was measured", p.n, n, p.told)
	}
	if testing.Short() { // for races, whose detector takes many times as much
		return
	}
	const paints = 5
	before = processor(t)
	for range paints {
		p.frame()
		p.window.Canvas().Capture()
	}
	paint := (float64(processor(t)-before)/paints*previewFPS)/1e9 - took
	t.Logf("two eyes of 640×480 at %d frames a second: %.1f %% of a core; the toolkit's renderer without a graphics card, were it used, %.0f %% more", previewFPS, 100*took, 100*paint)
	if took > most {
		t.Errorf("the preview costs %.0f %% of a core beside driver, engine and painting; at most %.0f %% are left for it", 100*took, 100*most)
	}
}

// TestPreviewPaintsOnce: a frame of both eyes, and what is known of it, is one
// call on the UI goroutine; while that waits, nothing more is drawn, and then the
// newest is shown.
func TestPreviewPaintsOnce(t *testing.T) {
	p := newPreview(t)
	run := func() {
		for _, f := range p.queue {
			f()
		}
		p.queue = nil
	}
	show := func(score int) {
		x := session.Progress{Frame: devices.IrisFrame{Right: p.frames[0], Left: p.frames[1]}}
		for _, e := range kiosk.BothEyes {
			x.Eyes = append(x.Eyes, capture.EyeState{Eye: e, Present: true, Score: score, Floor: 60})
		}
		p.progress(x, func(x session.Progress) { p.told = x.Eyes[0].Score })
	}
	for i := 1; i <= 4; i++ {
		show(i)
		p.tick()
	}
	if len(p.queue) != 1 {
		t.Fatalf("four frames were %d calls on the UI goroutine, which was busy: want 1", len(p.queue))
	}
	run()
	if r, l := p.screen.Views[0].Drawn(), p.screen.Views[1].Drawn(); r != 1 || l != 1 || p.told != 1 {
		t.Fatalf("drawn %d and %d times, told frame %d: want what was newest at the first tick", r, l, p.told)
	}
	p.tick()
	run()
	if r, l := p.screen.Views[0].Drawn(), p.screen.Views[1].Drawn(); r != 2 || l != 2 || p.told != 4 {
		t.Errorf("drawn %d and %d times, told frame %d: want the newest, 4", r, l, p.told)
	}
	p.tick()
	if len(p.queue) != 0 {
		t.Error("nothing new was shown once more")
	}
	show(5)
	p.close()
	show(6)
	p.tick()
	run()
	if p.told != 4 {
		t.Errorf("frame %d was told of after the page was left", p.told)
	}
}
