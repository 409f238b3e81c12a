package ui_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/page"
	"tambo/kiosk/ui"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// bench is a window without a screen on a real session, vault and drivers. The
// test's goroutine is the UI goroutine: what the controller wants done there
// waits in a queue.
type bench struct {
	*sessiontest.Kiosk
	t          *testing.T
	w          fyne.Window
	them       fyne.Window // that faces the person
	c          *ui.Controller
	say        *words.Book
	now        atomic.Pointer[time.Time]
	queue      chan func()
	open       func() (ui.Session, error)
	wakes      int
	news       atomic.Uint64
	printed    atomic.Int64
	settleTime time.Duration
	m          *meter
	strict     atomic.Pointer[strict] // nil: nobody watches what the window asks for
	saved      [][]byte
	technician ui.Technician
	plugged    []health.DeviceFacts
}

func newBench(t *testing.T, wrap func(ui.Session) ui.Session) *bench {
	t.Helper()
	return newBenchSettling(t, 0, wrap)
}

// newBenchSettling is newBench with another time in which a page takes no touch.
func newBenchSettling(t *testing.T, settle time.Duration, wrap func(ui.Session) ui.Session) *bench {
	t.Helper()
	test.NewTempApp(t).Settings().SetTheme(theme.New(false, theme.Metrics{}))
	b := &bench{Kiosk: sessiontest.New(t), t: t, say: words.New(words.English), queue: make(chan func(), 10000), settleTime: settle, m: newMeter(t)}
	b.open = func() (ui.Session, error) {
		if wrap != nil {
			return wrap(b.Service), nil
		}
		return b.Service, nil
	}
	b.start()
	return b
}

// start opens a window, as after a start of the program.
func (b *bench) start() {
	// The test driver takes any object to be in the window made last: the kiosk's.
	b.them = test.NewTempWindow(b.t, nil)
	b.w = test.NewTempWindow(b.t, nil)
	b.w.SetPadded(false)
	b.w.Resize(fyne.NewSize(1280, 800))
	b.them.Resize(fyne.NewSize(1280, 800))
	c := ui.New(ui.Options{Window: b.w, Traveller: b.them, Station: b, Book: b.say, Now: b.time, GoOn: 50 * time.Millisecond, Look: 2 * time.Minute, Settle: b.settleTime, Technician: b.technician,
		Do: func(f func()) { b.queue <- f }})
	b.c = c
	b.m.page = c.Page
	b.t.Cleanup(func() {
		done := make(chan struct{})
		go func() { c.Close(); close(done) }()
		for {
			select {
			case <-done:
				return
			case f := <-b.queue:
				f()
			}
		}
	})
}

func (b *bench) time() time.Time {
	if t := b.now.Load(); t != nil {
		return *t
	}
	return time.Now()
}

func (b *bench) at(what string) {
	if s := b.strict.Load(); s != nil {
		s.at(what)
	}
}

// The bench is its own station.
func (b *bench) Open(context.Context) (ui.Session, error) { b.at("Open"); return b.open() }
func (b *bench) Place() string                            { return "North gate" }
func (b *bench) Status() screens.Status {
	return screens.Status{Camera: screens.DeviceReady, Scanner: screens.DeviceReady, Clock: kiosk.Instant{Time: time.Now(), Trusted: true}}
}
func (b *bench) Agreement() *kiosk.Agreement           { a := b.Kiosk.Agreement; return &a }
func (b *bench) Signed() time.Time                     { return time.Now() }
func (b *bench) News() uint64                          { return b.news.Load() }
func (b *bench) Room() (free, needed int64)            { return 1 << 40, 1 << 20 }
func (b *bench) Wake()                                 { b.wakes++ }
func (b *bench) Fault(context.Context) (string, error) { b.at("Fault"); return "0001", nil }
func (b *bench) Printer() (prints, saves bool)         { return true, false }
func (b *bench) Health(context.Context) health.Report {
	b.at("Health")
	return health.Judge(health.Facts{At: b.time(), Vault: &health.VaultFacts{State: health.VaultDamaged, File: "vault.db"}, Devices: b.plugged})
}
func (b *bench) Print(_ context.Context, pdf []byte) (string, error) {
	b.at("Print")
	b.saved = append(b.saved, pdf)
	b.printed.Add(1)
	return "", nil
}

// run does what waits for the UI goroutine until ok, or for two minutes.
func (b *bench) run(what string, ok func() bool) {
	b.t.Helper()
	end := time.After(2 * time.Minute) // the pictures are drawn on the machine that looks at them
	for !ok() {
		select {
		case f := <-b.queue:
			b.m.on("what was done", f)
		case <-time.After(50 * time.Millisecond):
			b.m.on("a tick", b.c.Tick)
			if b.strict.Load() != nil && b.c.Busy() { // somebody touches on while it works
				for range 2 {
					if o := b.find(strings.ToUpper(string(b.say.Language()))); o != nil {
						b.m.on("changing the language", func() { o.Tapped(&fyne.PointEvent{}) })
					}
				}
			}
		case <-end:
			b.t.Fatalf("%s: waited in vain; the screen says %q", what, b.text())
		}
	}
}

type touchable struct {
	o    fyne.Tappable
	text string
	off  bool
}

func (b *bench) walk(o fyne.CanvasObject, all *[]touchable) string {
	if o == nil || !o.Visible() {
		return ""
	}
	var said []string
	i := -1
	if tap, ok := o.(fyne.Tappable); ok {
		i = len(*all)
		d, _ := o.(fyne.Disableable)
		*all = append(*all, touchable{o: tap, off: d != nil && d.Disabled()})
	}
	switch o := o.(type) {
	case *fyne.Container:
		for _, x := range o.Objects {
			said = append(said, b.walk(x, all))
		}
	case *canvas.Text:
		return o.Text
	case fyne.Widget:
		for _, x := range test.WidgetRenderer(o).Objects() {
			said = append(said, b.walk(x, all))
		}
	}
	text := strings.Join(strings.Fields(strings.ReplaceAll(strings.Join(said, " "), "\u00a0", " ")), " ")
	if i >= 0 {
		(*all)[i].text = text
	}
	return text
}

func (b *bench) text() string {
	var all []touchable
	return b.walk(b.w.Content(), &all)
}

func (b *bench) sees(text string) {
	b.t.Helper()
	b.run("to see "+text, func() bool { return strings.Contains(strings.ToLower(b.text()), strings.ToLower(text)) })
}

func (b *bench) find(text string) fyne.Tappable {
	var all []touchable
	b.walk(b.w.Content(), &all)
	for _, x := range all {
		if !x.off && strings.HasPrefix(strings.ToLower(x.text), strings.ToLower(text)) {
			return x.o
		}
	}
	return nil
}

func (b *bench) touch(text string) {
	b.t.Helper()
	var o fyne.Tappable
	b.run("to touch "+text, func() bool { o = b.find(text); return o != nil && !(b.strict.Load() != nil && b.c.Busy()) })
	b.m.on("touching "+text, func() { o.Tapped(&fyne.PointEvent{}) })
}

// types types into what has the focus, and Enter.
func (b *bench) types(text string) {
	b.t.Helper()
	b.run("a field", func() bool { return b.w.Canvas().Focused() != nil })
	b.m.on("typing", func() { test.Type(b.w.Canvas().Focused(), text) })
}

func (b *bench) enter() {
	b.t.Helper()
	b.m.on("Enter", func() { b.w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) })
}

func (b *bench) signIn(label string) {
	b.t.Helper()
	b.sees(b.say.Say("signin.title"))
	b.run("the vault", func() bool { return !strings.Contains(b.text(), b.say.Say("signin.working")) })
	b.types(label)
	b.w.Canvas().FocusNext()
	b.types(sessiontest.Password)
	b.enter()
	b.sees(b.say.Say("home.report")) // home, whether a list is open or not
}

func (b *bench) arrive(wristband string, first bool) {
	b.t.Helper()
	b.touch(b.say.Say("home.new"))
	b.sees(b.say.Say("arrival.wristband"))
	b.types(wristband)
	b.enter()
	if first {
		b.touch(b.say.Say("arrival.why"))
		b.touch("Specimen Prison Act")
		b.touch(b.say.Say("arrival.category"))
		b.touch(b.say.Say("category.remand"))
	}
	b.touch(b.say.Say("band.adult"))
	b.touch(b.say.Say("basis.stated"))
	b.touch(b.say.Say("notice.read"))
	b.touch(b.say.Say("act.goOn"))
}

// adult lays the page of an adult on the glass.
func (b *bench) adult(n uint64) {
	for ; ; n++ {
		if h := page.NewHolder(n); h.Birth < "2000" {
			b.Devices.Lay(&h)
			return
		}
	}
}

func (b *bench) document() {
	b.t.Helper()
	b.sees(b.say.Say("document.put"))
	b.touch(b.say.Say("document.scan"))
	b.sees(b.say.Say("field.surname"))
	for range 9 {
		switch {
		case b.find(b.say.Say("answer.expired")) != nil && b.find(b.say.Say("next.identity")) == nil:
			b.touch(b.say.Say("answer.expired"))
		case b.find(b.say.Say("answer.looked")) != nil && b.find(b.say.Say("next.identity")) == nil:
			b.touch(b.say.Say("answer.looked"))
		}
	}
	b.touch(b.say.Say("next.identity"))
	b.touch(b.say.Say("identity.confirm"))
}

func TestAWholeIntake(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	b.arrive("0417", true)
	b.document()
	b.touch(b.say.Say("decision.enrol"))
	b.touch(b.say.Say("review.seal"))
	b.sees(b.say.Say("slip.sealed"))
	all, err := b.Vault.Outbox(t.Context())
	if err != nil || len(all) != 1 || b.wakes == 0 {
		t.Fatalf("%d packages wait, the road was woken %d times, %v", len(all), b.wakes, err)
	}
	b.touch(b.say.Say("slip.print"))
	b.run("the printer", func() bool { return b.printed.Load() == 1 })
	if !strings.HasPrefix(string(b.saved[0]), "%PDF-") {
		t.Error("what was printed is no PDF")
	}
	b.touch(b.say.Say("act.done"))
	b.sees(b.say.Say("home.unfinished"))
	if s := b.text(); strings.Contains(s, "0417") {
		t.Error("home still shows the person who was sealed")
	}
}

// TestWhatWasTakenIsExcepted: an eye of glass was captured. It is not chosen for
// the officer; excepting it destroys its image and leaves the other eye.
func TestWhatWasTakenIsExcepted(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	b.arrive("0417", true)
	b.sees(b.say.Say("document.put"))
	b.c.Except(kiosk.ModalityIris, kiosk.BothEyes[:]...)
	b.sees(b.say.Say("missing.eye"))
	b.touch(b.say.Say("eye.right"))
	b.sees(b.say.Say("except.destroys"))
	b.touch(b.say.Say("except.prosthetic"))
	b.touch(b.say.Say("except.record"))
	b.run("the sheet to go", func() bool { return b.c.Page() != "exception" && !b.c.Busy() })
	e, _ := b.Current()
	if e.Best(kiosk.EyeRight) != nil || !e.Excepted(kiosk.ModalityIris, kiosk.EyeRight) || e.Best(kiosk.EyeLeft) == nil || len(e.Searches) == 0 {
		t.Errorf("after the exception: captures %+v, exceptions %+v, %d searches", e.Captures, e.Exceptions, len(e.Searches))
	}
}

// TestAHitIsAnsweredBeforeItIsLeft: the same person comes again. It does not go
// on by itself past an open hit, Enter answers nothing, and the way on is grey
// until there is an answer; then it is held for a second person.
func TestAHitIsAnsweredBeforeItIsLeft(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	for i, wristband := range []string{"0417", "0418"} {
		b.Devices.Seat(11, uint64(i+1))
		b.adult(uint64(11 + 50*i))
		b.arrive(wristband, i == 0)
		if i == 1 {
			b.touch(b.say.Say("next.document"))
		}
		b.document()
		if i == 0 {
			b.touch(b.say.Say("decision.enrol"))
			b.touch(b.say.Say("review.seal"))
			b.touch(b.say.Say("act.done"))
		}
	}
	b.sees(b.say.Say("verdict.not the same"))
	if b.find(b.say.Say("decision.enrol")) != nil {
		t.Fatal("the way on is open without an answer")
	}
	for range 12 { // through everything that can have the focus and is about the person
		b.w.Canvas().FocusNext()
		if f, ok := b.w.Canvas().Focused().(interface{ State() widgets.ActState }); ok && f.State().Kind == widgets.ActChoice {
			b.w.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
		}
	}
	b.w.Canvas().Unfocus()
	b.w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if e, _ := b.Current(); len(e.Answers) > 0 {
		t.Fatal("Enter answered a question about a person")
	}
	b.touch(b.say.Say("verdict.same person"))
	b.touch(b.say.Say("decision.enrol"))
	b.touch(b.say.Say("review.hold"))
	b.touch(b.say.Say("act.done"))
	b.touch("0418")
	b.touch(b.say.Say("held.sign"))
	b.types(sessiontest.Supervisor)
	b.w.Canvas().FocusNext()
	b.types(sessiontest.Password)
	b.enter()
	b.run("the second person's answers, none given", func() bool { return b.find(b.say.Say("verdict.same person")) != nil })
	if b.find(b.say.Say("held.approve")) != nil {
		t.Fatal("the second person may approve without an answer")
	}
	b.touch(b.say.Say("verdict.same person"))
	b.touch(b.say.Say("held.approve"))
	b.sees(b.say.Say("slip.sealed"))
}

// slow is a session that takes its time for everything.
type slow struct {
	ui.Session
	mu    sync.Mutex
	begun int
	held  chan struct{}
}

func (s *slow) Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error) {
	s.mu.Lock()
	s.begun++
	s.mu.Unlock()
	<-s.held
	return s.Session.Begin(ctx, v)
}

func (s *slow) Home(ctx context.Context) (session.Home, error) {
	time.Sleep(300 * time.Millisecond)
	return s.Session.Home(ctx)
}

// TestNothingBlocksTheWindow: while the session is at work every touch and every
// tick comes back within 100 ms (meter), and a button that is touched ten times
// acts once.
func TestNothingBlocksTheWindow(t *testing.T) {
	s := &slow{held: make(chan struct{})}
	b := newBench(t, func(real ui.Session) ui.Session { s.Session = real; return s })
	b.signIn(sessiontest.Officer)
	b.run("the button", func() bool { return b.find(b.say.Say("home.new")) != nil })
	for range 10 {
		b.m.on("a touch", func() { b.find(b.say.Say("home.new")).Tapped(&fyne.PointEvent{}) })
	}
	for range 20 {
		b.m.on("a tick", b.c.Tick)
		var all []touchable
		b.walk(b.w.Content(), &all)
		for _, x := range all {
			if !x.off && x.text == "EN" || x.text == "ES" {
				b.m.on("a touch", func() { x.o.Tapped(&fyne.PointEvent{}) })
			}
		}
	}
	close(s.held)
	b.say.Set(words.English)
	b.sees(b.say.Say("arrival.wristband"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.begun != 1 {
		t.Errorf("ten touches began %d encounters", s.begun)
	}
	t.Logf("%d things done on the UI goroutine; the longest took %s: %s", b.m.count, b.m.worst.Round(time.Millisecond), b.m.of)
}

// TestParkAndResume: park is a touch and a reason, also while the camera runs; resuming
// asks for the wristband and one eye, and a wrong number is refused.
func TestParkAndResume(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Seat(11, 1)
	b.adult(11)
	b.arrive("0417", true)
	b.sees(b.say.Say("document.put"))
	b.touch(b.say.Say("act.park"))
	b.touch(b.say.Say("park.called away"))
	b.sees(b.say.Say("home.unfinished"))
	if _, open := b.Current(); open {
		t.Fatal("parking left the encounter open")
	}
	b.touch("0417")
	b.types("9999")
	b.enter()
	b.sees(b.say.Say("resume.wrong"))
	b.touch(b.say.Say("act.back"))
	b.touch("0417")
	b.types("0417")
	b.enter()
	b.touch(b.say.Say("resume.go"))
	b.sees(b.say.Say("document.put"))

	b.touch(b.say.Say("act.park"))
	b.touch(b.say.Say("park.called away"))
	b.sees(b.say.Say("home.unfinished"))
	b.Devices.Empty()
	b.arrive("0418", false)
	b.sees(b.say.Say("eye.right"))
	b.touch(b.say.Say("act.park")) // the camera looks for somebody who is not there
	b.touch(b.say.Say("park.person not able now"))
	b.sees("0418")
	b.sees(b.say.Say("home.unfinished"))
}

// TestIdleLocks: nobody touches anything, so the kiosk locks, shows no person,
// and keeps the draft.
func TestIdleLocks(t *testing.T) {
	b := newBench(t, nil)
	b.signIn(sessiontest.Officer)
	b.Devices.Empty()
	b.arrive("0417", true)
	later := time.Now().Add(6 * time.Minute)
	b.now.Store(&later)
	b.c.Tick()
	b.sees(b.say.Say("locked.title"))
	if strings.Contains(b.text(), "0417") {
		t.Error("the lock screen shows a person's number")
	}
	b.run("the session to lock", func() bool { _, in := b.Operator(); return !in })
	b.Devices.Seat(11, 1)
	b.run("a field", func() bool { return b.w.Canvas().Focused() != nil })
	b.types(sessiontest.Password)
	b.enter()
	b.sees(b.say.Say("home.unfinished"))
	b.sees("0417")
}

// TestHealthNeedsNoPassword: the vault does not open, and the window shows why,
// with nobody signed in.
func TestHealthNeedsNoPassword(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New(false, theme.Metrics{}))
	b := &bench{Kiosk: sessiontest.New(t), t: t, say: words.New(words.English), queue: make(chan func(), 10000), m: newMeter(t)}
	b.open = func() (ui.Session, error) { return nil, session.ErrDamaged }
	b.start()
	b.sees("vault.db")
	b.w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape})
	b.sees(b.say.Say("signin.title"))
	b.touch(b.say.Say("signin.fault"))
	b.sees("vault.db")
}

// TestWrongPasswordIsASentence: no code, and the number stays.
func TestWrongPasswordIsASentence(t *testing.T) {
	b := newBench(t, nil)
	b.run("the vault", func() bool { return !strings.Contains(b.text(), b.say.Say("signin.working")) })
	b.types(sessiontest.Officer)
	b.w.Canvas().FocusNext()
	b.types("not the password")
	b.enter()
	b.sees(b.say.Say("signin.wrong"))
	b.say.Set(words.Spanish)
	b.touch("EN") // the language button redraws in the other language
}

// TestWhoWasHereLastIsOnTop of the unfinished work, under what is overdue.
func TestWhoWasHereLastIsOnTop(t *testing.T) {
	now := time.Date(2026, 11, 22, 7, 10, 0, 0, time.UTC)
	held := func(in time.Duration) *kiosk.Hold { return &kiosk.Hold{Deadline: kiosk.Instant{Time: now.Add(in)}} }
	var got []string
	for _, u := range ui.Unfinished([]session.Draft{
		{Wristband: "1", State: kiosk.StateParked, Begun: now.Add(-3 * time.Hour)},
		{Wristband: "2", State: kiosk.StateHeld, Begun: now.Add(-2 * time.Hour), Hold: held(-time.Minute)},
		{Wristband: "3", State: kiosk.StateHeld, Begun: now.Add(-time.Hour), Hold: held(time.Hour)},
		{Wristband: "4", State: kiosk.StateParked, Begun: now.Add(-time.Minute)},
	}, now) {
		got = append(got, u.Wristband)
	}
	if want := []string{"2", "4", "3", "1"}; !slices.Equal(got, want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}
