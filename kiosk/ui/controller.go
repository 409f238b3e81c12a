package ui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/widgets"
)

// Controller is the window at work. Everything of it belongs to the UI
// goroutine, except where a comment says otherwise.
type Controller struct {
	o      Options
	win    fyne.Window
	work   *worker
	ctx    context.Context
	end    context.CancelFunc
	ses    Session // nil until the vault is open
	broken error   // why it is not
	opened Session // likewise, of the worker

	page    page
	drawn   string // name of the page that the window shows
	screen  *screens.Screen
	shield  *shield // over a page that has just come
	trouble *screens.Trouble
	// shownThem is what the window that faces the person shows.
	shownThem screens.TravellerState

	// busy: an act is under way; another touch does nothing until it is done.
	busy bool
	// queued is what was asked for meanwhile and must not be lost: park.
	queued func()
	// turn changes whenever what is under way no longer matters: the kiosk was
	// locked.
	turn    int
	capture *capturing // a long look through a device; acts end it
	touched time.Time
	barSecs int64 // when the bar was drawn last

	home   session.Home
	alerts []screens.LateAlert
	bands  map[kiosk.EncounterID]string
	news   uint64
	usual  usual
	batch  *batch

	sign     signIn
	arrival  arrival
	irises   irises
	face     face
	document document
	decision decision
	review   review
	resume   resume
	held     held
	health   healthPage
	diag     diagnostics
}

// page is what is shown: how it is built from the controller's state, and what
// must end when it is left.
type page struct {
	name  string
	build func(screens.Frame) *screens.Screen
	leave func()
	// had is what had the focus when a sheet covered the page, and shown the
	// page's picture then.
	had   fyne.Focusable
	shown *screens.Screen
}

// usual is what repeats from person to person: it was chosen once by the officer.
type usual struct {
	authority, category, language string
}

// New makes a window's controller and shows sign-in. The vault is opened while
// the window is already there.
func New(o Options) *Controller {
	o.fill()
	ctx, end := context.WithCancel(context.Background())
	c := &Controller{o: o, win: o.Window, ctx: ctx, end: end, work: newWorker(ctx)}
	c.touched = o.Now()
	if dc := c.win.Canvas(); dc != nil {
		dc.SetOnTypedKey(c.key)
	}
	c.show(c.signInPage())
	c.open()
	return c
}

// Run ticks until the controller is closed. It is started as a goroutine.
func (c *Controller) Run() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-t.C:
			c.o.Do(c.Tick)
		case <-c.changes():
			c.o.Do(c.Plugged)
		}
	}
}

// Close locks the session and ends the worker. It waits, but not long. Call it
// after the window has closed.
func (c *Controller) Close() {
	c.endCapture()
	done := make(chan struct{})
	c.work.post(func(context.Context) {
		defer close(done)
		if c.opened != nil {
			ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
			defer stop()
			if err := c.opened.Lock(ctx); err != nil {
				c.o.Log.Error("lock at the end", "trouble", session.Explain(err).Trouble)
			}
		}
	})
	select {
	case <-done:
	case <-time.After(15 * time.Second):
	}
	c.end()
	<-c.work.done
}

// openVault opens the vault and notes the session for the end. It runs on the
// worker.
func (c *Controller) openVault(ctx context.Context) (Session, error) {
	s, err := c.o.Station.Open(ctx)
	if err == nil {
		c.opened = s
	}
	return s, err
}

// open opens the vault on the worker.
func (c *Controller) open() {
	c.busy, c.sign.opening = true, true
	c.redraw()
	c.work.post(func(ctx context.Context) {
		s, err := c.openVault(ctx)
		c.o.Do(func() {
			c.busy, c.sign.opening = false, false
			c.ses, c.broken = s, err
			if err != nil {
				c.ses = nil
				c.o.Log.Error("the vault does not open", "err", err)
				c.showHealth()
				return
			}
			if c.page.name == "health" {
				c.show(c.signInPage())
				return
			}
			c.redraw()
		})
	})
}

// show goes to a page and gives the focus to what comes first there.
func (c *Controller) show(p page) {
	if c.page.leave != nil && c.page.name != p.name {
		c.page.leave()
	}
	c.page = p
	c.redraw()
}

// redraw builds the page anew from the state as it is now; what was typed
// stays.
func (c *Controller) redraw() {
	old, again := c.screen, c.drawn == c.page.name
	had := c.win.Canvas().Focused()
	c.drawn = c.page.name
	s := c.page.build(c.frame())
	c.screen = s
	if !again {
		c.raise()
	}
	c.win.SetContent(container.New(window{}, widgets.NewWatch(c.shield.over(s.Object), c.touch)))
	if !again && c.page.shown != nil { // a sheet covered it
		widgets.KeepPlace(c.page.shown.Object, s.Object)
	}
	switch {
	case again && old != nil:
		c.shield.after = widgets.Counterpart(old.Object, s.Object, c.shield.after)
		s.Carry(old, had, c.win.Canvas())
	case s.First != nil:
		c.shield.focus(s.First, c.win.Canvas())
	case c.page.shown != nil:
		c.win.Canvas().Unfocus()
		if f := widgets.Counterpart(c.page.shown.Object, s.Object, c.page.had); f != nil {
			c.shield.focus(f, c.win.Canvas())
		}
	default:
		c.win.Canvas().Unfocus()
	}
	c.traveller()
}

// window gives a screen the whole window, which never grows because of what is
// in it: a kiosk's panel does not.
type window struct{}

func (window) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(320, 240) }

func (window) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		x.Move(fyne.Position{})
		x.Resize(s)
	}
}

// touch notes that somebody is there.
func (c *Controller) touch() { c.touched = c.o.Now() }

// local is a touch that changes what is shown and nothing else.
func (c *Controller) local(f func()) {
	c.touch()
	c.trouble = nil
	f()
	c.redraw()
}

// act does a job on the worker, and what follows on the UI goroutine. While one
// is under way a further touch does nothing. When it fails, the error is shown as
// a sentence on the page that is there.
func (c *Controller) act(do func(context.Context) error, then func()) {
	c.touch()
	if c.busy || c.ses == nil {
		c.rearm()
		return
	}
	c.endCapture()
	c.trouble = nil
	c.busy = true
	turn := c.turn
	c.work.post(func(ctx context.Context) {
		err := do(ctx)
		c.o.Do(func() {
			if turn != c.turn {
				return
			}
			c.busy = false
			if f := c.queued; f != nil {
				c.queued = nil
				f()
				return
			}
			if err != nil {
				c.fail(err)
				return
			}
			then()
		})
	})
}

// do is an act that is one event, after which the encounter is shown where it
// stands.
func (c *Controller) do(events ...kiosk.Event) {
	c.act(func(ctx context.Context) error {
		for _, ev := range events {
			if _, err := c.ses.Do(ctx, ev); err != nil {
				return err
			}
		}
		return nil
	}, c.goOn)
}

func (c *Controller) rearm() {
	if c.screen != nil {
		c.screen.Rearm()
	}
}

// capturing is a long look through a device.
type capturing struct {
	stop context.CancelFunc
	// ended: nobody waits for what it brings any more.
	ended bool
}

// look starts a long look: do runs on the worker for at most limit, then runs
// on the UI goroutine unless something else was begun meanwhile.
func (c *Controller) look(limit time.Duration, do func(context.Context) error, then func(error)) {
	c.endCapture()
	k := &capturing{}
	c.capture = k
	k.stop = c.work.post(func(ctx context.Context) {
		var stop context.CancelFunc = func() {}
		if limit > 0 {
			ctx, stop = context.WithTimeout(ctx, limit)
		}
		err := do(ctx)
		stop()
		c.o.Do(func() {
			if k.ended {
				return
			}
			c.capture = nil
			then(err)
		})
	})
}

func (c *Controller) endCapture() {
	if c.capture != nil {
		c.capture.ended = true
		c.capture.stop()
		c.capture = nil
	}
}

// key is a key that no field and no button took.
func (c *Controller) key(k *fyne.KeyEvent) {
	c.touch()
	switch k.Name {
	case fyne.KeyEscape:
		c.screen.Escape()
	case fyne.KeyReturn, fyne.KeyEnter:
		if c.shield.gone {
			c.screen.Enter()
		}
	}
}

// Tick is one second. Run calls it; a test may.
func (c *Controller) Tick() {
	now := c.o.Now()
	c.diagTick(now)
	if op, in := c.operator(); in && now.Sub(c.touched) >= c.o.IdleLock {
		c.lock(&screens.Locked{Operator: op, Since: now, Idle: c.o.IdleLock})
		return
	}
	c.irisesTick()
	c.faceTick()
	if s := now.Unix(); s-c.barSecs >= 5 || s < c.barSecs {
		c.barSecs = s
		c.screen.SetBar(c.frame())
		c.listen()
	}
}

// listen takes in what the hub sent down meanwhile, when nothing else is under
// way.
func (c *Controller) listen() {
	n := c.o.Station.News()
	if _, in := c.operator(); !in || c.busy || c.capture != nil {
		return
	}
	if n == c.news && c.page.name != "home" && c.page.name != "queue" {
		return
	}
	fresh := n != c.news
	c.news = n
	turn := c.turn
	c.work.post(func(ctx context.Context) {
		var err error
		if fresh {
			_, err = c.ses.Receive(ctx)
		}
		var got gathered
		if err == nil {
			got, err = c.gather(ctx)
		}
		c.o.Do(func() {
			if turn != c.turn || err != nil {
				return
			}
			before := c.alerts
			c.take(got)
			if c.busy || c.capture != nil {
				return
			}
			if c.page.name == "home" || c.page.name == "queue" || !slices.Equal(alertMarks(c.alerts), alertMarks(before)) {
				c.redraw()
			}
		})
	})
}

// alertMarks are what of the alerts, when it changes, must be drawn anew.
func alertMarks(all []screens.LateAlert) []string {
	var out []string
	for _, a := range all {
		out = append(out, fmt.Sprint(a.Alert.ID, " ", a.Alert.State, " ", a.Alert.Confirmed, " ", a.Alert.Version))
	}
	return out
}

func (c *Controller) operator() (kiosk.Operator, bool) {
	if c.ses == nil || c.sign.locked != nil {
		return kiosk.Operator{}, false
	}
	return c.ses.Operator()
}

// encounter is the open one, as it was last saved.
func (c *Controller) encounter() (kiosk.Encounter, bool) {
	if _, in := c.operator(); !in {
		return kiosk.Encounter{}, false
	}
	return c.ses.Current()
}
