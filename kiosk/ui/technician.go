package ui

import (
	"context"
	"errors"
	"image"
	"slices"
	"strings"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
)

// Technician is what diagnostics need of the kiosk. Pictures that it gives are of
// the technician's own test objects only. Notes, Shown and Changes answer at once.
type Technician interface {
	// SignIn proves that somebody is a technician; session.ErrWrongRole for
	// anybody else.
	SignIn(ctx context.Context, label string, password []byte) (kiosk.Operator, error)
	// Watch streams from a camera, health.PartCamera or health.PartFace, until ctx
	// ends and calls each for what is seen, some times a second, on another
	// goroutine.
	Watch(ctx context.Context, camera health.Part, each func(Seen)) error
	// Calibrate scans the calibration page; no picture if it is not there.
	Calibrate(ctx context.Context) (image.Image, error)
	// HandBack makes one test encounter with the test objects and forgets it. It
	// returns its code, or what failed: "camera", "scanner", "seal", "verdict".
	HandBack(ctx context.Context, by string) (code, failed string, err error)
	// Bundle saves a support archive and returns its name.
	Bundle(ctx context.Context) (string, error)
	// Notes are what officers were shown and what they reported, the latest first.
	Notes() (shown, faults []health.Note)
	// Fault finds a fault by the code that somebody said.
	Fault(spoken string) (health.Note, bool)
	// Shown notes that officers were shown a sentence.
	Shown(page, key string)
	// Changes says that something was plugged in or out.
	Changes() <-chan struct{}
}

// Seen is a look through a camera. Counts are since the stream began.
type Seen struct {
	Rate        float64 // frames a second, 0 not known yet
	Late        time.Duration
	Lost        uint64      // frames
	Bus         uint64      // errors of the bus
	Untaken     uint64      // frames that this machine was too slow to take
	Left, Right image.Image // eye models; nil: not there
	Eyes        health.TargetFacts
}

// diagnostics is what the diagnostics screen shows.
type diagnostics struct {
	op   kiosk.Operator // the technician; zero: nobody
	open bool           // without one: the vault does not open

	chosen   health.Part        // the camera to test
	stop     context.CancelFunc // ends its test; nil: none runs
	over     chan struct{}      // closed when the test that began last has ended
	turn     int                // of the test that runs
	visit    int                // of the technician, who may test several times
	plots    screens.Plots
	before   Seen // at the last point of the plots
	seen     Seen
	page     image.Image
	scanning bool
	until    time.Time // the soak's end; zero: none
	working  bool      // a bundle or a hand-back is made
	said     string
	tone     theme.Tone
}

// plotLength is how many looks a plot shows.
const plotLength = 60

// soakTime is how long the window's soak runs; longer ones are tambo-diag's.
const soakTime = time.Hour

// technician signs in somebody whom the session refused for being no officer.
func (c *Controller) technician(ctx context.Context, label string, password []byte, refused error) (kiosk.Operator, bool) {
	if c.o.Technician == nil || !errors.Is(refused, session.ErrWrongRole) {
		return kiosk.Operator{}, false
	}
	op, err := c.o.Technician.SignIn(ctx, label, password)
	return op, err == nil && op.Role == kiosk.RoleTechnician
}

// toDiagnostics goes to the diagnostics: signed in, or where nobody can be
// because the vault does not open. Else to the sign-in.
func (c *Controller) toDiagnostics() {
	if c.ses == nil && c.broken != nil && !c.busy {
		c.showDiagnostics(kiosk.Operator{})
		return
	}
	c.show(c.signInPage())
}

// showDiagnostics shows the diagnostics to a technician.
func (c *Controller) showDiagnostics(op kiosk.Operator) {
	c.touch()
	c.trouble = nil
	c.diag = diagnostics{op: op, open: true, turn: c.diag.turn + 1, visit: c.diag.visit + 1, over: c.diag.over, chosen: health.PartCamera}
	c.show(page{name: "diagnostics", leave: c.leaveDiagnostics, build: func(f screens.Frame) *screens.Screen {
		f.Encounter, f.Alerts, f.Trouble, f.Calls.GoTo, f.Calls.HaveIt = nil, nil, nil, nil, nil
		return screens.Diagnostics(f, c.diagState(), c.diagCalls())
	}})
	c.test()
}

func (c *Controller) diagState() screens.DiagnosticsState {
	d, h := &c.diag, &c.health
	s := screens.DiagnosticsState{Report: h.report, Testing: h.testing, Shown: h.shown, Faults: h.faults, Chosen: d.chosen, Camera: d.stop != nil, Scanning: d.scanning,
		Plots: d.plots, Untaken: d.seen.Untaken, Left: d.seen.Left, Right: d.seen.Right, Page: d.page, Said: d.said, SaidTone: d.tone}
	if d.seen.Eyes.Found {
		s.Eyes = &d.seen.Eyes
	}
	if !d.until.IsZero() {
		s.Soak, s.Length = max(0, d.until.Sub(c.o.Now())), soakTime
	}
	return s
}

func (c *Controller) diagCalls() screens.DiagnosticsCalls {
	calls := screens.DiagnosticsCalls{Test: c.test, Camera: c.testCamera, Back: c.endDiagnostics, Find: c.findFault}
	if c.hasFaceCamera() || c.diag.chosen == health.PartFace {
		calls.Choose = c.chooseCamera
	}
	if !c.diag.working && c.diag.stop == nil && !c.diag.scanning {
		calls.Scanner, calls.Soak, calls.Bundle = c.testScanner, c.soak, c.bundle
		if c.ses != nil {
			calls.HandBack = c.handBack
		}
	}
	return calls
}

// hasFaceCamera reports whether one is there, or was.
func (c *Controller) hasFaceCamera() bool {
	return slices.ContainsFunc(c.health.report.Lines, func(l health.Line) bool { return l.Part == health.PartFace })
}

// chooseCamera chooses the camera to test. A test that runs goes on with it.
func (c *Controller) chooseCamera(p health.Part) {
	c.touch()
	d := &c.diag
	if d.chosen == p || !d.until.IsZero() {
		return
	}
	runs := d.stop != nil
	if runs {
		d.stop()
		d.stop = nil
	}
	d.chosen, d.plots, d.seen = p, screens.Plots{}, Seen{}
	d.turn++
	if runs {
		c.testCamera()
		return
	}
	c.redraw()
}

// leaveDiagnostics ends what runs and forgets who was there.
func (c *Controller) leaveDiagnostics() {
	if c.diag.stop != nil {
		c.diag.stop()
	}
	c.diag = diagnostics{turn: c.diag.turn + 1, visit: c.diag.visit + 1, over: c.diag.over}
}

func (c *Controller) endDiagnostics() {
	c.touch()
	c.show(c.signInPage())
}

// diagTick leaves the diagnostics when nobody touches anything, unless a soak
// runs, and draws what is live.
func (c *Controller) diagTick(now time.Time) {
	d := &c.diag
	switch {
	case !d.open:
	case c.page.name != "diagnostics" && !strings.HasPrefix(c.page.name, "diagnostics/"):
	case d.until.IsZero() && now.Sub(c.touched) >= c.o.IdleLock:
		c.endDiagnostics()
	case !d.until.IsZero() && !now.Before(d.until):
		c.testCamera() // the soak is over
	case d.stop != nil && c.page.name == "diagnostics":
		c.redraw()
	}
}

// tell answers an act.
func (c *Controller) tell(tone theme.Tone, words string) {
	c.diag.said, c.diag.tone = words, tone
	if c.page.name == "diagnostics" {
		c.redraw()
	}
}

// testCamera begins the camera's test, or ends it.
func (c *Controller) testCamera() {
	c.touch()
	d := &c.diag
	if d.stop != nil {
		d.stop()
		c.rearm()
		return
	}
	ctx, stop := context.WithCancel(c.ctx)
	d.stop, d.plots, d.before, d.seen, d.page, d.said = stop, screens.Plots{}, Seen{}, Seen{}, nil, ""
	d.turn++
	turn, camera, before, over := d.turn, d.chosen, d.over, make(chan struct{})
	d.over = over
	c.redraw()
	go func() {
		defer close(over)
		if before != nil {
			<-before // a camera that is still being closed is busy
		}
		var last time.Time
		var err error
		if ctx.Err() == nil { // else it was stopped before it began
			err = c.o.Technician.Watch(ctx, camera, func(s Seen) {
				now := time.Now()
				point := now.Sub(last) >= time.Second
				if point {
					last = now
				}
				c.o.Do(func() {
					if turn == c.diag.turn && c.diag.stop != nil {
						c.saw(s, point)
					}
				})
			})
		}
		if ctx.Err() != nil {
			err = nil // what was broken off is no trouble
		}
		stop()
		c.o.Do(func() {
			if turn != c.diag.turn {
				return
			}
			c.diag.stop, c.diag.until = nil, time.Time{}
			if err != nil {
				x := troubleOf(c.o.Book, session.Explain(err))
				c.tell(theme.Care, strings.TrimSpace(x.Title+" "+x.Detail))
			}
			c.test()
		})
	}()
}

// saw takes in a look; once a second it is a point of the plots.
func (c *Controller) saw(s Seen, point bool) {
	d := &c.diag
	if s.Left == nil && s.Right == nil && d.seen.Eyes.Found {
		s.Eyes = health.TargetFacts{} // what is not seen now has no figures
	}
	d.seen = s
	if !point || s.Rate == 0 {
		return
	}
	add := func(to *[]float64, v float64) {
		*to = append(*to, v)
		*to = (*to)[max(0, len(*to)-plotLength):]
	}
	add(&d.plots.Rate, s.Rate)
	add(&d.plots.Late, float64(s.Late.Milliseconds()))
	add(&d.plots.Lost, float64(s.Lost-d.before.Lost))
	add(&d.plots.Bus, float64(s.Bus-d.before.Bus))
	d.before = s
}

// soak is the camera's test for an hour.
func (c *Controller) soak() {
	if c.diag.stop == nil {
		c.testCamera()
		c.diag.until = c.o.Now().Add(soakTime)
	}
}

// beside does a long thing beside the worker; then runs on the UI goroutine if
// the technician is still there.
func (c *Controller) beside(do func(context.Context) error, then func(error)) {
	c.touch()
	visit := c.diag.visit
	c.diag.said = ""
	c.redraw()
	go func() {
		ctx, stop := context.WithTimeout(c.ctx, 2*time.Minute)
		err := do(ctx)
		stop()
		c.o.Do(func() {
			if visit == c.diag.visit {
				then(err)
			}
		})
	}()
}

// testScanner reads the calibration page.
func (c *Controller) testScanner() {
	c.diag.scanning, c.diag.page = true, nil
	var img image.Image
	c.beside(func(ctx context.Context) (err error) {
		img, err = c.o.Technician.Calibrate(ctx)
		return err
	}, func(err error) {
		c.diag.scanning, c.diag.page = false, img
		switch {
		case err != nil:
			x := troubleOf(c.o.Book, session.Explain(err))
			c.tell(theme.Care, strings.TrimSpace(x.Title+" "+x.Detail))
		case img == nil:
			c.tell(theme.Care, c.o.Book.Say("diag.noPage"))
		}
		c.test()
	})
}

// bundle saves a support archive.
func (c *Controller) bundle() {
	c.diag.working = true
	var name string
	c.beside(func(ctx context.Context) (err error) {
		name, err = c.o.Technician.Bundle(ctx)
		return err
	}, func(err error) {
		c.diag.working = false
		if err != nil {
			c.o.Log.Error("support bundle", "err", err)
			c.tell(theme.Stop, c.o.Book.Say("diag.bundleFailed"))
			return
		}
		c.tell(theme.Good, c.o.Book.Say("diag.bundled", "Name", name))
	})
}

// handBack makes the test encounter that is neither queued nor searched.
func (c *Controller) handBack() {
	c.diag.working = true
	var code, failed string
	by := c.diag.op.Label
	c.beside(func(ctx context.Context) (err error) {
		code, failed, err = c.o.Technician.HandBack(ctx, by)
		return err
	}, func(err error) {
		c.diag.working = false
		switch {
		case err != nil:
			x := troubleOf(c.o.Book, session.Explain(err))
			c.tell(theme.Care, strings.TrimSpace(x.Title+" "+x.Detail))
		case failed != "":
			c.tell(theme.Care, c.o.Book.Say("diag.notPassed", "What", c.o.Book.Say("diag.failed."+failed)))
		default:
			c.tell(theme.Good, c.o.Book.Say("diag.passed", "Code", code))
		}
		c.test()
	})
}

// findFault asks for a code and says what was reported under it.
func (c *Controller) findFault() {
	b := c.o.Book
	c.ask(screens.TypeState{Title: b.Say("diag.find"), Fields: []screens.TypeField{{Key: "code", Label: b.Say("diag.code"), Must: true}}}, func(v map[string]string) {
		n, ok := c.o.Technician.Fault(v["code"])
		switch {
		case !ok:
			c.diag.said, c.diag.tone = b.Say("diag.notFound", "Code", health.SpokenCode(v["code"])), theme.Care
		case len(n.Findings) == 0:
			c.diag.said, c.diag.tone = b.Say("health.fault", "Code", n.Code, "When", b.When(n.At.In(c.o.Now().Location()), c.o.Now()))+": "+b.Say("health.allWell"), theme.Good
		default:
			what, do := b.Verdict(n.Findings[0], c.o.Now())
			c.diag.said, c.diag.tone = b.Say("health.fault", "Code", n.Code, "When", b.When(n.At.In(c.o.Now().Location()), c.o.Now()))+": "+what+" "+do, theme.Care
		}
	})
}
