package ui

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

const previewFPS = 15

// irises is the irises step: what the camera showed last, and where it stands.
type irises struct {
	state  screens.IrisesState
	screen *screens.IrisesScreen
	stay   bool      // it does not go on by itself
	from   time.Time // since when all is green; zero: it is not
	live   *live
}

func (i *irises) close() {
	if i.live != nil {
		i.live.close()
		i.live = nil
	}
}

// live carries frames from the capture's goroutine to the views, and what is
// known of them to the UI goroutine: the newest wins, and nobody waits.
type live struct {
	do      func(func())
	views   atomic.Pointer[[2]*widgets.EyeView]
	last    [2]atomic.Pointer[widgets.EyeFrame] // for a view that is made anew
	newest  atomic.Pointer[func()]              // is to run on the UI goroutine
	waiting atomic.Bool                         // the UI goroutine has a tick to show yet

	ctx  context.Context
	stop context.CancelFunc
}

func (c *Controller) newLive() *live {
	l := newLive(c.ctx, c.o.Do)
	go l.run()
	return l
}

func newLive(ctx context.Context, do func(func())) *live {
	l := &live{do: do}
	l.ctx, l.stop = context.WithCancel(ctx)
	return l
}

// run draws what is newest, previewFPS times a second, until it is closed.
func (l *live) run() {
	t := time.NewTicker(time.Second / previewFPS)
	defer t.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-t.C:
			l.tick()
		}
	}
}

// tick draws both views off the UI goroutine, and shows them there with what is
// known of them, all at once: one frame is one repaint of the window. While the
// UI goroutine has one to show, there is no other.
func (l *live) tick() {
	if !l.waiting.CompareAndSwap(false, true) {
		return
	}
	var shows []func()
	if v := l.views.Load(); v != nil {
		for _, x := range v {
			if x == nil {
				continue
			}
			if show := x.Draw(); show != nil {
				shows = append(shows, show)
			}
		}
	}
	told := l.newest.Swap(nil)
	if len(shows) == 0 && told == nil {
		l.waiting.Store(false)
		return
	}
	l.do(func() {
		defer l.waiting.Store(false)
		for _, show := range shows {
			show()
		}
		if told != nil && l.ctx.Err() == nil {
			(*told)()
		}
	})
}

// close ends it and the views. UI goroutine only, as show.
func (l *live) close() {
	l.stop()
	l.show([2]*widgets.EyeView{})
}

// show names the views that frames go to. Those before are closed.
func (l *live) show(v [2]*widgets.EyeView) {
	if old := l.views.Swap(&v); old != nil {
		for _, x := range old {
			if x != nil && x != v[0] && x != v[1] {
				x.Close()
			}
		}
	}
	for i, x := range v {
		if x == nil {
			continue
		}
		if f := l.last[i].Load(); f != nil {
			x.Feed(*f)
		}
	}
}

// feed gives a frame to a view.
func (l *live) feed(view int, f *widgets.EyeFrame) {
	l.last[view].Store(f)
	if v := l.views.Load(); v != nil && v[view] != nil {
		v[view].Feed(*f)
	}
}

// tell has f run on the UI goroutine with the next tick, unless a newer f comes
// before.
func (l *live) tell(f func()) { l.newest.Store(&f) }

// flush has the newest of what was told run without waiting for the next tick: no
// frame follows, and what the last one said stands.
func (l *live) flush() {
	if told := l.newest.Swap(nil); told != nil {
		l.do(func() {
			if l.ctx.Err() == nil {
				(*told)()
			}
		})
	}
}

// progress takes a frame of eyes and hands what is known of it to set. It is
// called on the capture's goroutine.
func (l *live) progress(p session.Progress, set func(session.Progress)) {
	if l.ctx.Err() != nil {
		return // another page is shown
	}
	for _, e := range p.Eyes {
		img, i := p.Frame.Eye(e.Eye), eyeIndex(e.Eye)
		if img == nil || e.Done && l.last[i].Load() != nil && l.last[i].Load().Tone == theme.Good {
			continue // the eye is kept: its picture stands
		}
		f := widgets.EyeFrame{Gray: img, Tone: theme.Care}
		if e.Present {
			f.Contours = [][]fyne.Position{line(&e.Pupil), line(&e.Limbus)}
		}
		if e.Floor > 0 && e.Score >= e.Floor {
			f.Tone = theme.Good
		}
		l.feed(i, &f)
	}
	p.Frame.Left, p.Frame.Right = nil, nil
	l.tell(func() { set(p) })
}

// line is a contour as a closed line.
func line(c *session.Contour) []fyne.Position {
	out := make([]fyne.Position, 0, len(c.Radii)/2)
	for i := 0; i < len(c.Radii); i += 2 {
		p := c.Point(i)
		out = append(out, fyne.NewPos(float32(p.X), float32(p.Y)))
	}
	return out
}

// eyeIndex is an eye's place in kiosk.BothEyes.
func eyeIndex(e kiosk.Eye) int {
	if e == kiosk.EyeLeft {
		return 1
	}
	return 0
}

// showIrises shows the irises, and looks for those that are missing.
func (c *Controller) showIrises(e *kiosk.Encounter) {
	c.irises.close()
	c.irises = irises{}
	i := &c.irises
	i.live = c.newLive()
	c.show(page{name: "irises", build: c.buildIrises, leave: func() { c.irises.close(); c.irises.screen = nil }})
	c.lookOn(e)
}

func (c *Controller) buildIrises(f screens.Frame) *screens.Screen {
	i := &c.irises
	c.readEyes(f.Encounter)
	i.screen = screens.Irises(f, i.state, screens.IrisesCalls{
		OneEye:  func() { c.showException(kiosk.ModalityIris, "") },
		Refuses: func() { c.showException(kiosk.ModalityIris, kiosk.ExceptRefuses, kiosk.BothEyes[:]...) },
		Other:   func() { c.showException(kiosk.ModalityIris, "", kiosk.BothEyes[:]...) },
		Below:   c.showBelow,
		Again:   c.lookAgain,
		Stay:    c.stay,
		Park:    c.parkIrises,
		Next:    c.irisesNext,
	})
	if i.live != nil {
		i.live.show(i.screen.Views)
	}
	return i.screen.Screen
}

func (c *Controller) stay() {
	c.touch()
	c.irises.stay, c.irises.state.GoesOn = true, 0
	c.redraw()
}

func (c *Controller) parkIrises() {
	if c.irises.state.Phase == screens.PhaseNoCamera {
		c.parkBecause(kiosk.ParkDevice)
		return
	}
	c.park()
}

// readEyes takes what the encounter holds of each eye into the state.
func (c *Controller) readEyes(e *kiosk.Encounter) {
	if e == nil {
		return
	}
	s := &c.irises.state
	s.ByRule = !e.Permits(kiosk.ModalityIris)
	s.Missing = missingOf(e, kiosk.StepIrises)
	for _, eye := range kiosk.BothEyes {
		x := &s.Eyes[eyeIndex(eye)]
		x.Except = ""
		for _, ex := range e.Exceptions {
			if ex.Modality == kiosk.ModalityIris && ex.Eye == eye {
				x.Except = ex.Reason
			}
		}
		if k := e.Best(eye); k != nil {
			x.Done, x.Below, x.Best, x.Floor = true, k.Below != "", max(x.Best, k.Quality.Score), k.Quality.Floor
		}
	}
}

// lookOn does what the step still wants: the missing eyes, then the search.
func (c *Controller) lookOn(e *kiosk.Encounter) {
	i := &c.irises
	var eyes []kiosk.Eye
	search := false
	for _, code := range intake.Missing(e, kiosk.StepIrises) {
		switch {
		case code == "capture:right":
			eyes = append(eyes, kiosk.EyeRight)
		case code == "capture:left":
			eyes = append(eyes, kiosk.EyeLeft)
		case strings.HasPrefix(code, "search:"):
			search = true
		}
	}
	switch {
	case i.state.ByRule:
	case len(eyes) > 0:
		c.lookFor(eyes)
	case search:
		c.search()
	default:
		i.state.Phase, i.stay = screens.PhaseSearched, true // it was done before: the officer came back
		c.redraw()
	}
}

func (c *Controller) lookAgain() {
	c.touch()
	e, open := c.encounter()
	if !open || c.busy {
		c.rearm()
		return
	}
	var eyes []kiosk.Eye
	for _, eye := range kiosk.BothEyes {
		if e.Best(eye) == nil && !e.Excepted(kiosk.ModalityIris, eye) {
			eyes = append(eyes, eye)
		}
	}
	if len(eyes) == 0 { // take both again
		for _, eye := range kiosk.BothEyes {
			if !e.Excepted(kiosk.ModalityIris, eye) {
				eyes = append(eyes, eye)
			}
		}
	}
	c.trouble = nil
	c.lookFor(eyes)
}

// lookFor captures eyes, and searches when it has what the step wants.
func (c *Controller) lookFor(eyes []kiosk.Eye) {
	i := &c.irises
	i.state.Phase, i.state.Ask, i.state.GoesOn, i.from = screens.PhaseStarting, "", 0, time.Time{}
	for _, e := range eyes {
		i.state.Eyes[eyeIndex(e)] = screens.EyeState{}
		i.live.last[eyeIndex(e)].Store(nil)
	}
	l := i.live
	c.redraw()
	c.look(c.o.Look, func(ctx context.Context) error {
		_, err := c.ses.CaptureIrises(ctx, func(p session.Progress) { l.progress(p, c.seen) }, eyes...)
		l.flush()
		return err
	}, func(err error) {
		e, _ := c.encounter()
		if err == nil {
			c.lookOn(&e)
			return
		}
		i.state.Ask = ""
		x := session.Explain(err)
		c.o.Log.Info("irises not taken", "trouble", x.Trouble)
		switch x.Trouble {
		case session.TroubleNotGood, session.TroubleStopped:
			i.state.Phase = screens.PhaseStruggle
			c.redraw()
		case session.TroubleGone, session.TroubleStalled, session.TroubleBusy, session.TroubleAccess, session.TroubleBadData:
			i.state.Phase = screens.PhaseNoCamera
			c.redraw()
		default:
			i.state.Phase = screens.PhaseStruggle
			c.fail(err)
		}
	})
}

// search searches with the eyes that are there. It is committed before it is
// shown.
func (c *Controller) search() {
	i := &c.irises
	i.state.Phase, i.state.Ask = screens.PhaseSearching, ""
	c.redraw()
	c.look(0, func(ctx context.Context) error {
		_, err := c.ses.SearchIrises(ctx)
		return err
	}, func(err error) {
		i.state.Phase = screens.PhaseSearched
		if err != nil {
			c.fail(err)
			return
		}
		e, _ := c.encounter()
		if !i.stay && len(intake.Missing(&e, kiosk.StepIrises)) == 0 && !openHit(&e) {
			i.from = c.o.Now()
			i.state.GoesOn = int(math.Ceil(c.o.GoOn.Seconds()))
		}
		c.redraw()
	})
}

// openHit reports a hit that the agreement lets be shown: then it does not go
// on by itself.
func openHit(e *kiosk.Encounter) bool {
	return slices.ContainsFunc(e.Searches, func(q kiosk.Search) bool {
		return slices.ContainsFunc(q.Candidates, func(k kiosk.Candidate) bool { return k.Presentation != kiosk.PresentDiscreet })
	})
}

// seen takes what is known of the newest frame.
func (c *Controller) seen(p session.Progress) {
	i := &c.irises
	if c.page.name != "irises" || c.capture == nil || i.screen == nil {
		return
	}
	for _, x := range p.Eyes {
		s := &i.state.Eyes[eyeIndex(x.Eye)]
		s.Present, s.Score, s.Best, s.Floor, s.Done = x.Present, x.Score, x.Best, x.Floor, x.Done
	}
	i.state.Ask, i.state.AskEye = string(p.Ask), p.AskEye
	if i.state.Phase == screens.PhaseStarting {
		i.state.Phase = screens.PhaseLooking
		c.redraw()
		return
	}
	i.screen.Set(i.state)
	c.traveller()
}

// irisesTick counts down to going on, and picks a camera up that came back.
func (c *Controller) irisesTick() {
	i := &c.irises
	if c.page.name != "irises" || i.screen == nil {
		return
	}
	if i.state.Phase == screens.PhaseNoCamera && c.capture == nil && c.o.Station.Status().Camera == screens.DeviceReady {
		c.lookBack()
		return
	}
	if i.from.IsZero() || i.stay || c.busy || c.trouble != nil {
		return
	}
	left := c.o.GoOn - c.o.Now().Sub(i.from)
	if left <= 0 {
		i.from, i.state.GoesOn = time.Time{}, 0
		c.irisesNext()
		return
	}
	i.state.GoesOn = int(math.Ceil(left.Seconds()))
	i.screen.Set(i.state)
}

func (c *Controller) lookBack() {
	if e, open := c.encounter(); open {
		c.lookOn(&e)
	}
}

func (c *Controller) irisesNext() { c.do(kiosk.StepConfirmed{Step: kiosk.StepIrises}) }

// showBelow asks why a capture is kept below its floor.
func (c *Controller) showBelow(eye kiosk.Eye) {
	c.touch()
	c.endCapture()
	s := screens.BelowState{Eye: eye, Score: c.irises.state.Eyes[eyeIndex(eye)].Best, Floor: c.irises.state.Eyes[eyeIndex(eye)].Floor}
	c.show(page{name: "below", build: func(f screens.Frame) *screens.Screen {
		return screens.Below(f, s, screens.BelowCalls{
			Reason: func(code string) { c.local(func() { s.Reason = code }) },
			Keep: func() {
				if s.Reason == "" {
					c.rearm()
					return
				}
				c.act(func(ctx context.Context) error {
					_, err := c.ses.KeepBelow(ctx, eye, s.Reason)
					return err
				}, c.goOn)
			},
			Back: func() { c.touch(); c.goOn() },
		})
	}})
}
