package ui_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/ui"
)

// witness is a session that notes which events every encounter has.
type witness struct {
	ui.Session
	mu  sync.Mutex
	all map[kiosk.EncounterID][]kiosk.Record
}

func (w *witness) note(es ...kiosk.Encounter) {
	if e, open := w.Session.Current(); open {
		es = append(es, e)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range es {
		if len(e.Events) > len(w.all[e.ID]) {
			w.all[e.ID] = slices.Clone(e.Events)
		}
	}
}

func (w *witness) Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error) {
	e, err := w.Session.Begin(ctx, v)
	w.note(e)
	return e, err
}

func (w *witness) Do(ctx context.Context, ev kiosk.Event) (kiosk.Encounter, error) {
	e, err := w.Session.Do(ctx, ev)
	w.note(e)
	return e, err
}

func (w *witness) KeepBelow(ctx context.Context, eye kiosk.Eye, reason string) (kiosk.Encounter, error) {
	e, err := w.Session.KeepBelow(ctx, eye, reason)
	w.note(e)
	return e, err
}

func (w *witness) KeepFace(ctx context.Context, newest bool, reason string) (kiosk.Encounter, error) {
	e, err := w.Session.KeepFace(ctx, newest, reason)
	w.note(e)
	return e, err
}

func (w *witness) Abandon(ctx context.Context, reason, second string, password []byte) (kiosk.Encounter, error) {
	e, err := w.Session.Abandon(ctx, reason, second, password)
	w.note(e)
	return e, err
}

func (w *witness) Resume(ctx context.Context, id kiosk.EncounterID, wristband string, progress func(session.Progress)) (kiosk.Encounter, bool, error) {
	e, same, err := w.Session.Resume(ctx, id, wristband, progress)
	w.note(e)
	return e, same, err
}

func (w *witness) Vouch(ctx context.Context, id kiosk.EncounterID, wristband string) (kiosk.Encounter, error) {
	e, err := w.Session.Vouch(ctx, id, wristband)
	w.note(e)
	return e, err
}

func (w *witness) Second(ctx context.Context, id kiosk.EncounterID, label string, password []byte, answers map[[2]int]kiosk.Verdict, word kiosk.Second) (kiosk.Encounter, error) {
	e, err := w.Session.Second(ctx, id, label, password, answers, word)
	w.note(e)
	return e, err
}

// fresh returns what happened since the last call, by event and detail.
func (w *witness) fresh(seen map[kiosk.EncounterID]int) map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[string]int{}
	for id, all := range w.all {
		for _, r := range all[seen[id]:] {
			switch r.Name {
			case "captured", "searched": // a device's, several for one touch
				continue
			case "step confirmed", "began", "reviewed", "parked", "second answered", "abandoned", "went to", "decided":
				out[r.Name]++
			default:
				out[r.Name+" "+r.Note]++
			}
		}
		seen[id] = len(all)
	}
	return out
}

// monkey touches and types at random.
type monkey struct {
	*bench
	w     *witness
	r     *rand.Rand
	seed  uint64
	last  []string // what it did
	seen  map[kiosk.EncounterID]int
	pages map[string]int
	found int // taps that did something
}

func (m *monkey) fatal(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("seed %d: %s\npage %q says %q\nlast: %s", m.seed, fmt.Sprintf(format, args...), m.c.Page(), m.text(), strings.Join(m.last, "\n      "))
}

func (m *monkey) did(format string, args ...any) {
	m.last = append(m.last, m.c.Page()+": "+fmt.Sprintf(format, args...))
	if len(m.last) > 25 {
		m.last = m.last[1:]
	}
}

// settle does what waits for the UI goroutine until no act is under way and a
// touch counts. bounced is called when another page has come, while a touch does
// not count yet.
func (m *monkey) settle(bounced func()) {
	m.t.Helper()
	before := m.c.Page()
	end := time.After(2 * time.Minute)
	for {
		select {
		case f := <-m.queue:
			m.m.on("what was done", f)
		case <-end:
			m.fatal("it is at work for ever")
		default:
			if !m.c.Busy() && !m.c.Shielded() {
				return
			}
			time.Sleep(100 * time.Microsecond)
		}
		if p := m.c.Page(); p != before && bounced != nil {
			before = p
			bounced()
		}
	}
}

// spot is something that can be touched, and its middle.
type spot struct {
	text string
	at   fyne.Position
}

func spots(o fyne.CanvasObject, at fyne.Position, all *[]spot) string {
	if o == nil || !o.Visible() {
		return ""
	}
	at = at.Add(o.Position())
	i := -1
	if _, ok := o.(fyne.Tappable); ok {
		if d, ok := o.(fyne.Disableable); !ok || !d.Disabled() {
			i = len(*all)
			*all = append(*all, spot{at: at.AddXY(o.Size().Width/2, o.Size().Height/2)})
		}
	}
	var said []string
	switch o := o.(type) {
	case *fyne.Container:
		for _, x := range o.Objects {
			said = append(said, spots(x, at, all))
		}
	case *canvas.Text:
		return o.Text
	case fyne.Widget:
		for _, x := range test.WidgetRenderer(o).Objects() {
			said = append(said, spots(x, at, all))
		}
	}
	text := strings.Join(strings.Fields(strings.Join(said, " ")), " ")
	if i >= 0 {
		(*all)[i].text = text
	}
	return text
}

func (m *monkey) spots() []spot {
	var all []spot
	spots(m.w0().Content(), fyne.Position{}, &all)
	return all
}

func (m *monkey) w0() fyne.Canvas { return m.bench.w.Canvas() }

func (m *monkey) tap(p fyne.Position) {
	m.m.on(m.c.Page()+": a touch", func() { test.TapCanvas(m.w0(), p) })
}

func (m *monkey) key(n fyne.KeyName) {
	m.m.on(m.c.Page()+": a key", func() {
		if f := m.w0().Focused(); f != nil {
			f.TypedKey(&fyne.KeyEvent{Name: n})
		} else if on := m.w0().OnTypedKey(); on != nil {
			on(&fyne.KeyEvent{Name: n})
		}
	})
}

func (m *monkey) words(s string) {
	for _, r := range s {
		if f := m.w0().Focused(); f != nil {
			f.TypedRune(r)
		}
	}
}

// step does one thing, and checks that it was one.
func (m *monkey) step() {
	m.t.Helper()
	m.pages[m.c.Page()]++
	var bounced func()
	switch all := m.spots(); {
	case m.c.Page() == "sign-in" && m.r.IntN(4) == 0:
		m.did("signs in")
		m.signInAgain()
	case len(all) == 0:
		m.fatal("there is nothing to touch")
	case m.r.IntN(100) < 60 && m.sensible():
	case m.r.IntN(100) < 45:
		s := all[m.r.IntN(len(all))]
		m.did("touch %q", s.text)
		m.tap(s.at)
	case m.r.IntN(100) < 25:
		s := all[m.r.IntN(len(all))]
		m.did("touch %q twice, at once", s.text)
		m.tap(s.at)
		m.tap(s.at)
	case m.r.IntN(100) < 25:
		s := all[m.r.IntN(len(all))]
		m.did("touch %q, and again when another page comes", s.text)
		bounced = func() { m.tap(s.at); m.key(fyne.KeyReturn) }
		m.tap(s.at)
	case m.r.IntN(100) < 40:
		p := fyne.NewPos(m.r.Float32()*1280, m.r.Float32()*800)
		m.did("touch (%.0f, %.0f)", p.X, p.Y)
		m.tap(p)
	case m.r.IntN(100) < 60:
		m.keys()
	default:
		m.fill()
	}
	m.settle(bounced)
	m.once()
}

// sensible does what an officer would, so that the monkey gets everywhere; false
// if it knows nothing.
func (m *monkey) sensible() bool {
	m.t.Helper()
	ways := map[string][]string{
		"home":     {"home.new", "home.new", "home.unfinished"},
		"arrival":  {"arrival.wristband", "arrival.why", "arrival.category", "band.adult", "basis.stated", "notice.read", "act.goOn", "act.goOn"},
		"document": {"document.scan", "answer.looked", "answer.expired", "next.identity"},
		"identity": {"identity.confirm"},
		"face":     {"next.decision", "act.again", "face.take"},
		"decision": {"verdict.same person", "verdict.not the same", "decision.enrol"},
		"second":   {"verdict.same person", "held.approve"},
		"held":     {"held.sign"},
		"review":   {"review.seal", "review.hold"},
		"slip":     {"slip.print", "act.done"},
		"irises":   {"next.document", "act.again"},
		"resume":   {"resume.go"},
	}[m.c.Page()]
	if m.c.Looking() {
		m.did("waits for the device")
		for end := time.After(time.Second); m.c.Looking(); {
			select {
			case f := <-m.queue:
				m.m.on("what was done", f)
			case <-end:
				return true
			}
		}
		return true
	}
	if strings.HasSuffix(m.c.Page(), "/type") {
		m.fill()
		return true
	}
	for range 4 {
		if len(ways) == 0 {
			return false
		}
		way := ways[m.r.IntN(len(ways))]
		if o := m.find(m.say.Say(way)); o != nil {
			m.did("%s", way)
			o.Tapped(&fyne.PointEvent{})
			return true
		}
	}
	return false
}

func (m *monkey) keys() {
	switch n := m.r.IntN(8); n {
	case 0:
		m.did("Tab")
		m.w0().FocusNext()
	case 1:
		m.did("Shift+Tab")
		m.w0().FocusPrevious()
	default:
		k := []fyne.KeyName{fyne.KeyReturn, fyne.KeyReturn, fyne.KeySpace, fyne.KeyEscape, fyne.KeyBackspace, fyne.KeyDown}[n-2]
		m.did("%s", k)
		m.key(k)
		if m.r.IntN(3) == 0 {
			m.did("%s again", k)
			m.key(k)
		}
	}
}

// fill types something that may be meant.
func (m *monkey) fill() {
	if _, ok := m.w0().Focused().(interface{ SelectedText() string }); !ok {
		m.words("a7ñ<")
		return
	}
	switch m.r.IntN(4) {
	case 0:
		m.did("types the supervisor's number and password")
		m.words(sessiontest.Supervisor)
		m.w0().FocusNext()
		m.words(sessiontest.Password)
		m.key(fyne.KeyReturn)
	case 1:
		m.did("types nonsense")
		m.words("Ñandú <7>")
	default:
		m.did("types a number")
		m.words(fmt.Sprint(400 + m.r.IntN(20)))
		m.key(fyne.KeyReturn)
	}
}

// once fails when one touch, or one that was made twice, was two acts.
func (m *monkey) once() {
	m.t.Helper()
	got := m.w.fresh(m.seen)
	for what, n := range got {
		if n > 1 && !(n == 2 && strings.HasPrefix(what, "excepted ")) { // one for each eye
			m.fatal("one touch was %d times %q: %v", n, what, got)
		}
	}
	if len(got) > 0 {
		m.found++
	}
}

// goHome fails when there is no way home: Escape, parking, back or done lead
// there from everywhere in a few touches, and from the sign-in a password.
func (m *monkey) goHome() {
	m.t.Helper()
	m.did("goes home")
	for range 12 {
		m.settle(nil)
		switch m.c.Page() {
		case "home":
			return
		case "sign-in":
			m.signInAgain()
			continue
		}
		if strings.HasSuffix(m.c.Page(), "/park") {
			if o := m.find(m.say.Say("park." + string(kiosk.ParkCalledAway))); o != nil {
				o.Tapped(&fyne.PointEvent{})
				continue
			}
		}
		before := m.text()
		m.w0().Unfocus()
		m.key(fyne.KeyEscape)
		m.settle(nil)
		if m.c.Page() == "home" || m.text() != before {
			continue
		}
		for _, way := range []string{"act.park", "act.back", "act.done", "act.goOn", "next.document"} {
			if o := m.find(m.say.Say(way)); o != nil {
				o.Tapped(&fyne.PointEvent{})
				break
			}
		}
	}
	m.fatal("there is no way home")
}

// entries are the fields that can be typed into.
func entries(o fyne.CanvasObject, all *[]fyne.Focusable) {
	if o == nil || !o.Visible() {
		return
	}
	if _, ok := o.(interface{ SelectedText() string }); ok {
		*all = append(*all, o.(fyne.Focusable))
		return
	}
	switch o := o.(type) {
	case *fyne.Container:
		for _, x := range o.Objects {
			entries(x, all)
		}
	case fyne.Widget:
		for _, x := range test.WidgetRenderer(o).Objects() {
			entries(x, all)
		}
	}
}

// signInAgain signs in as a person would, whatever the monkey left there.
func (m *monkey) signInAgain() {
	m.t.Helper()
	if o := m.find(m.say.Say("locked.other")); o != nil {
		o.Tapped(&fyne.PointEvent{})
		m.settle(nil)
	}
	var fields []fyne.Focusable
	entries(m.w0().Content(), &fields)
	for i, text := range []string{sessiontest.Officer, sessiontest.Password}[2-min(2, len(fields)):] {
		m.w0().Focus(fields[i])
		m.key(fyne.KeyEnd)
		for range 60 {
			m.key(fyne.KeyBackspace)
		}
		m.words(text)
	}
	m.key(fyne.KeyReturn)
	m.settle(nil)
}

// TestMonkey: random touches and keys, on a real session, vault and drivers,
// with people coming and going. Nothing panics, there is always a way home, and
// one touch is one act: so say the encounters' own events.
func TestMonkey(t *testing.T) {
	n, seed := 1000, uint64(1)
	if testing.Short() {
		n = 60
	}
	if os.Getenv("TAMBO_LONG") != "" {
		n, seed = 10000, uint64(time.Now().UnixNano())
	}
	if s := os.Getenv("TAMBO_SEED"); s != "" {
		fmt.Sscan(s, &seed)
	}
	w := &witness{all: map[kiosk.EncounterID][]kiosk.Record{}}
	m := &monkey{w: w, r: rand.New(rand.NewPCG(seed, 7)), seed: seed, seen: map[kiosk.EncounterID]int{}, pages: map[string]int{}}
	strict := newStrict(t, 0)
	m.bench = newBenchSettling(t, 10*time.Millisecond, func(s ui.Session) ui.Session {
		strict.Session, w.Session = s, strict
		return w
	})
	m.strict.Store(strict)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("seed %d: last: %s", seed, strings.Join(m.last, "\n      "))
			panic(p)
		}
	}()
	m.adult(11)
	m.goHome()
	for i := range n {
		if i%40 == 0 {
			m.Devices.SeatStill(uint64(11+m.r.IntN(4)), uint64(1+m.r.IntN(50)))
			m.adult(uint64(11 + m.r.IntN(40)))
		}
		if i%20 == 0 {
			m.c.Tick()
		}
		if i%250 == 249 {
			m.goHome()
			m.compare()
		}
		m.step()
	}
	m.goHome()
	acts := 0
	for _, e := range w.all {
		acts += len(e)
	}
	t.Logf("seed %d: %d touches and keys; %d did something to one of %d encounters (%d events); pages seen %v", seed, n, m.found, len(w.all), acts, m.pages)
	t.Logf("%d things done on the UI goroutine; the longest took %s: %s", m.m.count, m.m.worst.Round(time.Millisecond), m.m.of)
}

// compare holds what was seen against what the vault has.
func (m *monkey) compare() {
	m.t.Helper()
	h, err := m.Home(m.t.Context())
	if err != nil {
		m.fatal("%v", err)
	}
	for _, d := range h.Drafts {
		e, err := m.Draft(m.t.Context(), d.ID)
		if err != nil {
			m.fatal("draft %s: %v", d.ID, err)
		}
		seen := len(m.w.all[d.ID])
		// What the kiosk does by itself at a lock is not a touch's.
		if n := len(e.Events); n < seen || n > seen+1 {
			m.fatal("draft %s has %d events in the vault, %d were seen", d.ID, n, seen)
		}
	}
}
