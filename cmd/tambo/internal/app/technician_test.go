package app

import (
	"context"
	"image"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"tambo/cmd/internal/tend"
	"tambo/devices/virtual"
	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/specimen/portrait"
	"tambo/kiosk/target"
	"tambo/kiosk/ui"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// scene is what the camera of the technician's bench looks at.
type scene struct{ left, right *image.Gray }

func (s scene) Eyes(virtual.Shot) (left, right *image.Gray) { return s.left, s.right }
func (scene) Page(dpi int, _ bool) image.Image              { return target.DrawPage(dpi) }

// seat is a window on a real station: a real vault, and virtual devices behind
// USB/IP. The test's goroutine is the UI goroutine.
type seat struct {
	t     *testing.T
	w     fyne.Window
	c     *ui.Controller
	s     *station
	bus   *virtual.Bus
	cam   *virtual.Device
	say   *words.Book
	queue chan func()
}

func newSeat(t *testing.T, sc scene, breakIt func(dir string)) *seat {
	t.Helper()
	k := sessiontest.New(t)
	if err := k.Vault.Close(); err != nil {
		t.Fatal(err)
	}
	if breakIt != nil {
		breakIt(k.Dir)
	}
	x := &seat{t: t, bus: virtual.NewBus(), say: words.New(words.English), queue: make(chan func(), 10000)}
	t.Cleanup(func() { x.bus.Close() })
	var err error
	if x.cam, err = virtual.NewCamera(sc, virtual.CameraOptions{Width: 320, Height: 240, Interval: 60 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	scan, err := virtual.NewScanner(sc, virtual.ScannerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for port, d := range map[string]*virtual.Device{"1-1": x.cam, "1-2": scan} {
		if err := x.bus.Plug(port, d); err != nil {
			t.Fatal(err)
		}
	}
	server, err := virtual.Listen("127.0.0.1:0", x.bus, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(t.Context())
	t.Cleanup(func() { server.Close() })

	test.NewTempApp(t).Settings().SetTheme(theme.New(false, theme.Metrics{}))
	x.w = test.NewTempWindow(t, nil)
	x.w.SetPadded(false)
	x.w.Resize(fyne.NewSize(1280, 800))
	x.s = newStation(t.Context(), Config{Vault: k.Dir, usbip: server.Addr(), CrashLog: filepath.Join(filepath.Dir(k.Dir), "crash.log")}, slog.New(slog.DiscardHandler))
	t.Cleanup(x.s.close)
	c := ui.New(ui.Options{Window: x.w, Station: x.s, Technician: technician{x.s, x.say}, Book: x.say, Log: x.s.log, Do: func(f func()) { x.queue <- f }})
	x.c = c
	go c.Run()
	t.Cleanup(func() {
		done := make(chan struct{})
		go func() { c.Close(); close(done) }()
		for {
			select {
			case <-done:
				return
			case f := <-x.queue:
				f()
			}
		}
	})
	return x
}

// run does what waits for the UI goroutine until ok; it returns how long that took.
func (x *seat) run(what string, ok func() bool) time.Duration {
	x.t.Helper()
	began := time.Now()
	for !ok() {
		select {
		case f := <-x.queue:
			f()
		case <-time.After(time.Second / 2):
		}
		if time.Since(began) > 40*time.Second {
			x.t.Fatalf("%s: waited in vain; the screen says %q", what, x.text())
		}
	}
	return time.Since(began)
}

type touched struct {
	o    fyne.Tappable
	text string
}

func walkThrough(o fyne.CanvasObject, all *[]touched, pictures *int) string {
	if o == nil || !o.Visible() {
		return ""
	}
	var said []string
	i := -1
	if tap, ok := o.(fyne.Tappable); ok {
		i = len(*all)
		*all = append(*all, touched{o: tap})
	}
	switch o := o.(type) {
	case *fyne.Container:
		for _, y := range o.Objects {
			said = append(said, walkThrough(y, all, pictures))
		}
	case *canvas.Text:
		return o.Text
	case *canvas.Image:
		if o.Image != nil && o.Resource == nil && o.File == "" {
			*pictures++
		}
	case fyne.Widget:
		for _, y := range test.WidgetRenderer(o).Objects() {
			said = append(said, walkThrough(y, all, pictures))
		}
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(strings.Join(said, " "), "\u00a0", " ")), " ")
	if i >= 0 {
		(*all)[i].text = text
	}
	return text
}

func (x *seat) look() (text string, all []touched, pictures int) {
	text = walkThrough(x.w.Content(), &all, &pictures)
	return text, all, pictures
}

func (x *seat) text() string {
	t, _, _ := x.look()
	return t
}

func (x *seat) sees(words string) {
	x.t.Helper()
	x.run("to see "+words, func() bool { return strings.Contains(x.text(), words) })
}

func (x *seat) touch(words string) {
	x.t.Helper()
	x.run("to touch "+words, func() bool {
		_, all, _ := x.look()
		for _, y := range all {
			if strings.HasPrefix(y.text, words) {
				y.o.Tapped(&fyne.PointEvent{})
				return true
			}
		}
		return false
	})
}

func (x *seat) signIn(label string) {
	x.t.Helper()
	x.run("the vault", func() bool {
		return x.w.Canvas().Focused() != nil && !strings.Contains(x.text(), x.say.Say("signin.working"))
	})
	test.Type(x.w.Canvas().Focused(), label)
	x.w.Canvas().FocusNext()
	test.Type(x.w.Canvas().Focused(), sessiontest.Password)
	x.w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
}

func models() scene {
	return scene{target.DrawEye(target.Left, 320, 240, 8.5, 190), target.DrawEye(target.Right, 320, 240, 8.5, 190)}
}

// TestTechnicianInAMinute: a technician signs in, meets a fault, changes the
// part, tests, and hands back; an officer's fault is found by its code.
func TestTechnicianInAMinute(t *testing.T) {
	x := newSeat(t, models(), nil)
	x.run("the vault", func() bool {
		return x.w.Canvas().Focused() != nil && !strings.Contains(x.text(), x.say.Say("signin.working"))
	})
	x.touch(x.say.Say("signin.fault")[:18])
	x.touch(x.say.Say("health.report"))
	x.run("a code", func() bool { return len(x.s.journal.Faults(1)) == 1 })
	code := x.s.journal.Faults(1)[0].Code
	x.sees(code)
	x.touch(x.say.Say("act.back"))

	x.signIn(sessiontest.Technician)
	x.sees(x.say.Say("health.testAll"))
	x.sees(code)
	x.cam.SetFaults(virtual.Faults{Drop: 0.02, Seed: 5})
	x.touch(x.say.Say("diag.test"))
	x.run("both eye models", func() bool { _, _, n := x.look(); return n >= 2 })
	x.run("lost packets", func() bool { return x.s.meterLost() >= 5 })
	x.touch(x.say.Say("diag.stop"))
	x.sees("Most likely: iris camera cable, port 1-1.")
	x.cam.SetFaults(virtual.Faults{})
	x.touch(x.say.Say("diag.test"))
	x.run("frames", func() bool { return x.s.meterFrames() >= 30 })
	x.touch(x.say.Say("diag.stop"))
	x.run("the verdict to go", func() bool { return !strings.Contains(x.text(), "cable") })
	x.touch(x.say.Say("diag.scan"))
	x.run("the calibration page", func() bool {
		text, _, n := x.look()
		return strings.Contains(text, x.say.Say("diag.page")) && n >= 1
	})
	x.touch(x.say.Say("diag.handBack"))
	x.sees("it is neither queued nor searched")
	x.touch(x.say.Say("diag.bundle"))
	x.sees("It holds nothing about a person")
	files, err := filepath.Glob(filepath.Join(filepath.Dir(x.s.c.Vault), "support", "*.tar.gz"))
	if err != nil || len(files) != 1 {
		t.Errorf("%d archives, %v", len(files), err)
	}
	x.touch(x.say.Say("act.back"))
	x.sees(x.say.Say("signin.title"))
}

func (s *station) deviceFacts(part health.Part) (lost, frames uint64) {
	for _, d := range s.looked().Facts(s.ctx).Devices {
		if d.Part == part && d.Stream != nil {
			lost, frames = d.Stream.Damaged+d.Stream.BusErrors, d.Stream.Frames
		}
	}
	return lost, frames
}

func (s *station) meterLost() uint64   { n, _ := s.deviceFacts(health.PartCamera); return n }
func (s *station) meterFrames() uint64 { _, n := s.deviceFacts(health.PartCamera); return n }

// sitter is somebody before the face camera.
type sitter struct{ img image.Image }

func (s sitter) Picture(virtual.Shot) image.Image { return s.img }

// TestBothCamerasInTheDiagnostics: a technician finds the face camera's cable, tests
// the iris camera without losing that, changes the cable and tests again. Who sits
// before the face camera is not drawn.
func TestBothCamerasInTheDiagnostics(t *testing.T) {
	x := newSeat(t, models(), nil)
	who := portrait.NewScene(portrait.NewPerson(3), 1, portrait.Good()).Frame(0, 160, 120)
	face, err := virtual.NewColourCamera(sitter{who}, virtual.ColourOptions{Formats: []string{"YUY2"}, Sizes: []image.Point{{160, 120}}, Interval: 60 * time.Millisecond, Payload: 4096})
	if err != nil {
		t.Fatal(err)
	}
	face.SetFaults(virtual.Faults{Drop: 0.01, Seed: 5})
	if err := x.bus.Plug("1-3", face); err != nil {
		t.Fatal(err)
	}
	x.signIn(sessiontest.Technician)
	x.touch(x.say.Say("health.face"))
	x.touch(x.say.Say("diag.test"))
	x.run("lost packets", func() bool {
		if _, _, n := x.look(); n > 0 {
			t.Fatalf("a picture is on the screen: %q", x.text())
		}
		lost, _ := x.s.deviceFacts(health.PartFace)
		return lost >= 3
	})
	x.sees("Frames a second, needs 8 1")
	x.touch(x.say.Say("health.camera"))
	x.run("both eye models", func() bool { _, _, n := x.look(); return n >= 2 })
	x.touch(x.say.Say("diag.stop"))
	x.sees("Most likely: face camera cable, port 1-3.")
	face.SetFaults(virtual.Faults{})
	x.touch(x.say.Say("health.face"))
	x.touch(x.say.Say("diag.test"))
	x.run("frames", func() bool { _, n := x.s.deviceFacts(health.PartFace); return n >= 30 })
	x.touch(x.say.Say("diag.stop"))
	x.run("the verdict to go", func() bool { return !strings.Contains(x.text(), "cable") })
}

// TestTheSessionIsCounted: the session that the station opens takes its cameras from
// the meter, the face camera too.
func TestTheSessionIsCounted(t *testing.T) {
	k := sessiontest.New(t)
	if err := k.Vault.Close(); err != nil {
		t.Fatal(err)
	}
	server, err := virtual.Listen("127.0.0.1:0", k.Devices.Bus, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(t.Context())
	t.Cleanup(func() { server.Close() })
	s := newStation(t.Context(), Config{Vault: k.Dir, usbip: server.Addr()}, slog.New(slog.DiscardHandler))
	t.Cleanup(s.close)
	if _, err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.SignIn(t.Context(), sessiontest.Officer, []byte(sessiontest.Password)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Begin(t.Context(), kiosk.VisitIntake); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.Do(t.Context(), k.Arrival("0417")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if _, err := s.service.CaptureFace(ctx, func(p session.FaceProgress) {
		if p.Frames == 20 {
			stop() // nobody sits there
		}
	}); err == nil {
		t.Error("a photo of nobody")
	}
	if _, frames := s.deviceFacts(health.PartFace); frames < 20 {
		t.Errorf("%d frames of the face camera were counted", frames)
	}
	if _, frames := s.deviceFacts(health.PartCamera); frames > 0 {
		t.Errorf("%d frames of the iris camera, which was not opened", frames)
	}
}

// TestNobodyIsShownToATechnician: a person before the camera moves the plots and
// is not drawn.
func TestNobodyIsShownToATechnician(t *testing.T) {
	p, c := eye.NewPerson(3), eye.Ordinary()
	x := newSeat(t, scene{eye.Draw(p, kiosk.EyeLeft, c, 320, 240), eye.Draw(p, kiosk.EyeRight, c, 320, 240)}, nil)
	x.signIn(sessiontest.Technician)
	x.touch(x.say.Say("diag.test"))
	x.run("frames", func() bool {
		if _, _, n := x.look(); n > 0 {
			t.Fatalf("a picture of somebody is on the screen: %q", x.text())
		}
		return x.s.meterFrames() >= 40
	})
	x.sees(x.say.Say("diag.noModel")[:20])
}

// TestMarksFollowThePlug: the marks of the bar follow plug and unplug within a
// second, and so does the health screen.
func TestMarksFollowThePlug(t *testing.T) {
	x := newSeat(t, models(), nil)
	gone := x.say.Say("bar.cameraGone")
	x.run("the camera", func() bool { return x.s.Status().Camera == 1 && !strings.Contains(x.text(), gone) })
	var worst time.Duration
	for range 5 {
		x.bus.Unplug("1-1")
		worst = max(worst, x.run("the mark to go", func() bool { return strings.Contains(x.text(), gone) }))
		if err := x.bus.Plug("1-1", x.cam); err != nil {
			t.Fatal(err)
		}
		worst = max(worst, x.run("the mark to come", func() bool { return !strings.Contains(x.text(), gone) }))
	}
	t.Logf("of 5 pluggings and 5 unpluggings the slowest took %s to the bar", worst.Round(time.Millisecond))
	if worst > 20*time.Second { // a second is promised; this is a test machine
		t.Error("the marks do not follow")
	}
	x.touch(x.say.Say("signin.fault")[:18])
	x.sees(x.say.Say("health.plugged"))
	x.bus.Unplug("1-1")
	x.sees("unplugged or off, port 1-1")
}

// TestHealthWithABrokenVault: without a password, without a vault, and saying
// which file; the diagnostics open as well, since nobody can sign in.
func TestHealthWithABrokenVault(t *testing.T) {
	x := newSeat(t, models(), func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "vault.db"), []byte("not a database"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	x.sees("the vault is damaged, vault.db")
	x.touch(x.say.Say("health.report"))
	x.run("a code", func() bool { return len(x.s.journal.Faults(1)) == 1 })
	x.touch(x.say.Say("health.signIn"))
	x.sees(x.say.Say("health.testAll"))
	x.sees(x.say.Say("diag.eyeModel"))
}

// TestSentencesAreNoted: what an officer is shown is in the journal as its key.
func TestSentencesAreNoted(t *testing.T) {
	j := tend.OpenJournal(filepath.Join(t.TempDir(), "vault"))
	s := &station{journal: j, log: slog.New(slog.DiscardHandler)}
	tech := technician{s, words.New(words.Spanish)}
	tech.Shown("irises", "fault.device")
	tech.Shown("irises", "OLLANTA DABROWSKI")
	tech.Shown("0417 OLLANTA", "fault.device")
	if n := j.Shown(9); len(n) != 1 || n[0].Key != "fault.device" {
		t.Errorf("%+v", n)
	}
}
