package ui_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"golang.org/x/sys/unix"

	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/ui"
)

// promised is how soon a touch is answered.
const promised = 100 * time.Millisecond

// meter measures what keeps the UI goroutine: how long each thing that is done
// on it takes, less what the machine, busy with others, took from it meanwhile.
// Of the time on the clock the kernel says how much the thread ran, and how long
// it was ready and had no processor: the first counts in full, the second not at
// all. In the rest it slept: that counts less what a goroutine that does nothing
// but wake up was late meanwhile. Who computes, sleeps or waits for a lock on the
// UI goroutine delays neither witness.
type meter struct {
	t      testing.TB
	worst  time.Duration
	of     string
	page   func() string // what is shown, nil: not known
	best   time.Duration // that unit took, least
	count  int
	thread string
	work   [1 << 20]byte
	late   atomic.Int64
}

// newMeter measures the goroutine that calls it, which stays on its thread.
func newMeter(t testing.TB) *meter {
	runtime.LockOSThread()
	m := &meter{t: t, thread: fmt.Sprintf("/proc/self/task/%d/schedstat", unix.Gettid())}
	end := make(chan struct{})
	go func() {
		const nap = 2 * time.Millisecond
		for start := time.Now(); ; start = time.Now() {
			select {
			case <-end:
				return
			case <-time.After(nap):
				late := time.Since(start) - nap
				if late > nap {
					m.late.Add(int64(late))
				}
			}
		}
	}()
	m.slow()
	t.Cleanup(func() { close(end); runtime.UnlockOSThread() })
	return m
}

// account is how long the UI goroutine's thread ran and waited for a processor,
// and how late the other goroutine was, so far.
func (m *meter) account() (ran, waited, late time.Duration) {
	b, err := os.ReadFile(m.thread)
	if err == nil {
		_, err = fmt.Sscan(string(b), &ran, &waited)
	}
	if err != nil {
		m.t.Fatalf("the kernel does not say what the thread took: %v", err)
	}
	return ran, waited, time.Duration(m.late.Load())
}

// slow is how much slower than at its best the processor is for this thread now:
// others in its caches, and on the other half of its core.
func (m *meter) slow() float64 {
	unit := func() time.Duration {
		before, _, _ := m.account()
		x := uint64(1)
		for i := range m.work {
			x = x*6364136223846793005 + uint64(i)
			m.work[x>>52] += byte(x)
		}
		after, _, _ := m.account()
		return after - before
	}
	if m.best == 0 {
		m.best = unit()
		for range 20 {
			m.best = min(m.best, unit())
		}
	}
	now := unit()
	m.best = min(m.best, now)
	return float64(now) / float64(max(m.best, 1))
}

// on does something on the UI goroutine.
func (m *meter) on(what string, f func()) {
	ran, waited, late := m.account()
	start := time.Now()
	f()
	took := time.Since(start)
	if took > promised { // the witness may be late itself
		time.Sleep(5 * time.Millisecond)
	}
	r, w, l := m.account()
	ran, waited, late = r-ran, w-waited, l-late
	slept := max(0, took-ran-waited-late)
	m.count++
	if m.page != nil {
		what += " (" + m.page() + ")"
	}
	if ran+slept > m.worst {
		m.worst, m.of = ran+slept, what
	}
	limit := promised
	if raceEnabled {
		limit *= 20
	}
	if ran+slept > limit {
		if limit = time.Duration(float64(limit) * max(1, min(m.slow(), 3))); ran+slept > limit {
			m.t.Errorf("%s kept the window for %s: it ran %s, slept %s; %s on the clock", what, (ran + slept).Round(time.Millisecond), ran.Round(time.Millisecond), slept.Round(time.Millisecond), took.Round(time.Millisecond))
		}
	}
}

// goroutine is the number of the one that calls.
func goroutine() string {
	var b [64]byte
	f := strings.Fields(string(b[:runtime.Stack(b[:], false)]))
	return f[1]
}

// strict is a session and a kiosk that take their time for everything that may
// take time, and must never be asked for it by the UI goroutine.
type strict struct {
	ui.Session
	t     testing.TB
	ui    string // the UI goroutine
	delay time.Duration
	mu    sync.Mutex
	asked map[string]int

	alert   atomic.Pointer[kiosk.Alert] // stands at home besides those of the vault
	notGood atomic.Bool                 // no eye reaches its floor
}

func newStrict(t testing.TB, delay time.Duration) *strict {
	return &strict{t: t, ui: goroutine(), delay: delay, asked: map[string]int{}}
}

func (s *strict) at(what string) {
	s.mu.Lock()
	s.asked[what]++
	s.mu.Unlock()
	if goroutine() == s.ui {
		s.t.Errorf("%s is asked for on the UI goroutine", what)
		return
	}
	time.Sleep(s.delay)
}

func (s *strict) SignIn(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	s.at("SignIn")
	return s.Session.SignIn(ctx, label, password)
}

func (s *strict) Lock(ctx context.Context) error { s.at("Lock"); return s.Session.Lock(ctx) }

func (s *strict) Home(ctx context.Context) (session.Home, error) {
	s.at("Home")
	h, err := s.Session.Home(ctx)
	if a := s.alert.Load(); a != nil {
		h.Alerts = append(h.Alerts, *a)
	}
	return h, err
}

func (s *strict) Receive(ctx context.Context) ([]kiosk.Alert, error) {
	s.at("Receive")
	return s.Session.Receive(ctx)
}

func (s *strict) TakeAlert(ctx context.Context, id string, state kiosk.AlertState) ([]kiosk.Alert, error) {
	s.at("TakeAlert")
	if s.alert.Swap(nil) != nil {
		return nil, nil
	}
	return s.Session.TakeAlert(ctx, id, state)
}

func (s *strict) Card(id kiosk.EncounterID) (session.CardLine, bool) {
	s.at("Card")
	return s.Session.Card(id)
}

func (s *strict) Arrivals(ctx context.Context) (*session.ArrivalList, error) {
	s.at("Arrivals")
	return s.Session.Arrivals(ctx)
}

func (s *strict) KeepArrivals(ctx context.Context, l *session.ArrivalList) error {
	s.at("KeepArrivals")
	return s.Session.KeepArrivals(ctx, l)
}

func (s *strict) Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error) {
	s.at("Begin")
	return s.Session.Begin(ctx, v)
}

func (s *strict) Do(ctx context.Context, ev kiosk.Event) (kiosk.Encounter, error) {
	s.at("Do " + ev.Name())
	return s.Session.Do(ctx, ev)
}

func (s *strict) CaptureIrises(ctx context.Context, progress func(session.Progress), eyes ...kiosk.Eye) (kiosk.Encounter, error) {
	s.at("CaptureIrises")
	if s.notGood.Load() {
		p := session.Progress{}
		for _, eye := range kiosk.BothEyes {
			p.Eyes = append(p.Eyes, capture.EyeState{Eye: eye, Present: true, Score: 40, Best: 45, Floor: 60})
		}
		progress(p)
		return kiosk.Encounter{}, capture.ErrNotGood
	}
	return s.Session.CaptureIrises(ctx, progress, eyes...)
}

func (s *strict) KeepBelow(ctx context.Context, eye kiosk.Eye, reason string) (kiosk.Encounter, error) {
	s.at("KeepBelow")
	return s.Session.KeepBelow(ctx, eye, reason)
}

func (s *strict) CaptureFace(ctx context.Context, progress func(session.FaceProgress)) (kiosk.Encounter, error) {
	s.at("CaptureFace")
	return s.Session.CaptureFace(ctx, progress)
}

func (s *strict) TakenFace(newest bool) (session.Photo, bool) {
	s.at("TakenFace")
	return s.Session.TakenFace(newest)
}

func (s *strict) KeepFace(ctx context.Context, newest bool, reason string) (kiosk.Encounter, error) {
	s.at("KeepFace")
	return s.Session.KeepFace(ctx, newest, reason)
}

func (s *strict) SearchIrises(ctx context.Context) ([]kiosk.Search, error) {
	s.at("SearchIrises")
	return s.Session.SearchIrises(ctx)
}

func (s *strict) ScanDocument(ctx context.Context, progress func(int64)) (kiosk.Identity, error) {
	s.at("ScanDocument")
	return s.Session.ScanDocument(ctx, progress)
}

func (s *strict) Image(ctx context.Context, part string) ([]byte, error) {
	s.at("Image")
	return s.Session.Image(ctx, part)
}

func (s *strict) Abandon(ctx context.Context, reason, second string, password []byte) (kiosk.Encounter, error) {
	s.at("Abandon")
	return s.Session.Abandon(ctx, reason, second, password)
}

func (s *strict) Draft(ctx context.Context, id kiosk.EncounterID) (kiosk.Encounter, error) {
	s.at("Draft")
	return s.Session.Draft(ctx, id)
}

func (s *strict) Resume(ctx context.Context, id kiosk.EncounterID, wristband string, progress func(session.Progress)) (kiosk.Encounter, bool, error) {
	s.at("Resume")
	return s.Session.Resume(ctx, id, wristband, progress)
}

func (s *strict) Vouch(ctx context.Context, id kiosk.EncounterID, wristband string) (kiosk.Encounter, error) {
	s.at("Vouch")
	return s.Session.Vouch(ctx, id, wristband)
}

func (s *strict) Prove(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	s.at("Prove")
	return s.Session.Prove(ctx, label, password)
}

func (s *strict) Second(ctx context.Context, id kiosk.EncounterID, label string, password []byte, answers map[[2]int]kiosk.Verdict, word kiosk.Second) (kiosk.Encounter, error) {
	s.at("Second")
	return s.Session.Second(ctx, id, label, password, answers, word)
}

// TestTheWatchdog: every act of the window, with a session and a kiosk that take
// a while for each, and meanwhile an officer who touches on: nothing is asked
// for on the UI goroutine, nothing keeps it, and every page answers at once. What
// the window can ask for and this test does not reach fails it.
func TestTheWatchdog(t *testing.T) {
	if testing.Short() {
		t.Skip("a measure of time, not of races")
	}
	s := newStrict(t, 60*time.Millisecond)
	b := newBenchSettling(t, 0, func(real ui.Session) ui.Session { s.Session = real; return s })
	b.strict.Store(s)
	say := b.say.Say
	back := func(from string) {
		b.run("the page "+from, func() bool { return b.c.Page() == from && !b.c.Busy() })
		b.m.on("Escape", func() { b.w.Canvas().OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyEscape}) })
		b.run("leaving "+from, func() bool { return b.c.Page() != from })
	}
	secondPerson := func() {
		b.types(sessiontest.Supervisor)
		b.m.on("Tab", b.w.Canvas().FocusNext)
		b.types(sessiontest.Password)
		b.enter()
	}

	s.alert.Store(&kiosk.Alert{ID: "a-1", State: kiosk.AlertRaised, Raised: time.Now()})
	b.signIn(sessiontest.Officer)
	b.touch(say("alert.have"))
	b.run("the alert to be taken", func() bool { return s.alert.Load() == nil && !b.c.Busy() })
	b.news.Store(1)
	b.run("what came down", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.asked["Receive"] > 0 })
	b.touch(say("home.hub"))
	back("queue")
	b.van()
	b.touch(say("arrivals.finish"))

	for i, wristband := range []string{"0417", "0418"} { // the second time the person is found
		b.Devices.Seat(11, uint64(i+1))
		b.adult(uint64(11 + 50*i))
		b.arrive(wristband, i == 0)
		if i == 1 {
			b.touch(say("next.document"))
		}
		b.document()
		if i == 1 {
			b.touch(say("verdict.same person"))
		}
		b.touch(say("decision.enrol"))
		if i == 0 {
			b.touch(say("review.seal"))
		} else {
			b.touch(say("review.hold"))
		}
		b.touch(say("slip.print"))
		b.run("the printer", func() bool { return b.printed.Load() == int64(i+1) })
		b.touch(say("act.done"))
	}
	b.touch("0418")
	b.touch(say("held.sign"))
	secondPerson()
	b.touch(say("verdict.same person"))
	b.touch(say("held.approve"))
	b.touch(say("act.done"))

	b.Devices.Seat(12, 1) // one eye, parked, resumed; the document again; back to the irises
	b.arrive("0419", false)
	b.touch(say("irises.oneEye"))
	b.touch(say("eye.left"))
	b.touch(say("except.bandaged"))
	b.touch(say("except.record"))
	b.sees(say("document.put"))
	b.touch(say("act.park"))
	b.touch(say("park.medical"))
	b.touch("0419")
	b.types("0419")
	b.enter()
	b.touch(say("resume.go"))
	b.adult(12)
	b.Devices.Mood("far") // a photo by hand, below its floor
	b.document()
	b.touch(say("face.take"))
	b.touch(say("below.posture"))
	b.touch(say("face.keepThis"))
	b.touch(say("next.decision"))
	b.run("the decision", func() bool { return b.c.Page() == "decision" && !b.c.Busy() })
	b.touch(say("step.irises"))
	b.sees(say("eye.right"))
	abandon := func() {
		b.run("the irises", func() bool { return b.c.Page() == "irises" && !b.c.Busy() })
		b.touch(say("step.arrival"))
		b.touch(say("abandon.go"))
		b.touch(say("abandon.left"))
		b.sees(say("home.unfinished"))
	}
	abandon()
	s.notGood.Store(true)
	b.arrive("0421", false)
	b.touch(say("irises.keepBest.right.short"))
	b.touch(say("below.light"))
	b.touch(say("irises.keepBest"))
	back("below")
	s.notGood.Store(false)
	abandon()

	b.touch(say("act.lock"))
	b.sees(say("locked.title"))
	b.touch(say("locked.other"))
	b.touch(say("signin.fault"))
	b.sees("vault.db")
	b.touch(say("health.report"))
	b.sees("0001")
	back("health")
	b.signIn(sessiontest.Supervisor) // who vouches for somebody whose eye cannot be compared
	b.Devices.Seat(13, 1)
	b.arrive("0420", true)
	b.sees(say("document.put"))
	b.touch(say("act.park"))
	b.touch(say("park.medical"))
	b.Devices.Empty()
	b.touch("0420")
	b.types("0420")
	b.enter()
	b.touch(say("resume.vouch"))
	b.sees(say("document.put"))

	t.Logf("%d things done on the UI goroutine while the session took %s for each act; the longest took %s: %s", b.m.count, s.delay, b.m.worst.Round(time.Millisecond), b.m.of)
	s.reached(t, "Operator", "Current", "Arriving", "Seconds", "Zone")
}

// reached fails for what the window may ask for and was not asked for, but for
// what never waits.
func (s *strict) reached(t *testing.T, never ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, i := range []reflect.Type{reflect.TypeFor[ui.Session](), reflect.TypeFor[ui.Station]()} {
		for m := range i.Methods() {
			// of the station, what takes a context is what may wait
			if i == reflect.TypeFor[ui.Session]() || m.Type.NumIn() > 0 {
				all = append(all, m.Name)
			}
		}
	}
	for _, name := range all {
		if slices.Contains(never, name) || s.asked[name] > 0 {
			continue
		}
		if name != "Do" {
			t.Errorf("nobody asked for %s", name)
		}
	}
	for _, ev := range []kiosk.Event{kiosk.Arrived{}, kiosk.Excepted{}, kiosk.Identified{}, kiosk.Answered{}, kiosk.Decided{}, kiosk.StepConfirmed{}, kiosk.WentTo{}, kiosk.Parked{}, kiosk.Reviewed{}} {
		if s.asked["Do "+ev.Name()] == 0 {
			t.Errorf("nothing was %q", ev.Name())
		}
	}
}
