package ui_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui"
)

// promised is how soon a touch is answered.
const promised = 100 * time.Millisecond

// meter measures what keeps the UI goroutine: how long each thing that is done
// on it takes, less what the machine, busy with others, took from it meanwhile.
// Two witnesses say how much that was: the kernel, how long the thread was ready
// and had no processor; and a goroutine that does nothing but wake up, how late it
// was. Who sleeps or waits for a lock on the UI goroutine delays neither.
type meter struct {
	t      testing.TB
	worst  time.Duration
	of     string
	count  int
	thread string
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
				if late := time.Since(start) - nap; late > nap {
					m.late.Add(int64(late))
				}
			}
		}
	}()
	t.Cleanup(func() { close(end); runtime.UnlockOSThread() })
	return m
}

// stolen is what others have taken so far.
func (m *meter) stolen() (kernel, late time.Duration) {
	var ran, waited int64
	if b, err := os.ReadFile(m.thread); err == nil {
		fmt.Sscan(string(b), &ran, &waited)
	}
	return time.Duration(waited), time.Duration(m.late.Load())
}

// on does something on the UI goroutine.
func (m *meter) on(what string, f func()) {
	kernel, late := m.stolen()
	start := time.Now()
	f()
	took := time.Since(start)
	if took > promised { // the witnesses may be late themselves
		time.Sleep(5 * time.Millisecond)
	}
	k, l := m.stolen()
	took -= max(k-kernel, l-late)
	m.count++
	if took > m.worst {
		m.worst, m.of = took, what
	}
	limit := promised
	if raceEnabled {
		limit *= 20
	}
	if took > limit {
		m.t.Errorf("%s kept the window for %s", what, took.Round(time.Millisecond))
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
	return s.Session.Home(ctx)
}

func (s *strict) Receive(ctx context.Context) ([]kiosk.Alert, error) {
	s.at("Receive")
	return s.Session.Receive(ctx)
}

func (s *strict) TakeAlert(ctx context.Context, id string, state kiosk.AlertState) ([]kiosk.Alert, error) {
	s.at("TakeAlert")
	return s.Session.TakeAlert(ctx, id, state)
}

func (s *strict) Card(id kiosk.EncounterID) (session.CardLine, bool) {
	s.at("Card")
	return s.Session.Card(id)
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
	return s.Session.CaptureIrises(ctx, progress, eyes...)
}

func (s *strict) KeepBelow(ctx context.Context, eye kiosk.Eye, reason string) (kiosk.Encounter, error) {
	s.at("KeepBelow")
	return s.Session.KeepBelow(ctx, eye, reason)
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
