// Package ui is the kiosk's window at work: which screen is shown, what a touch
// does, and what comes back. It drives package session and draws with package
// screens.
//
// It decides nothing about an encounter: what is allowed and what is missing it
// asks of intake and session, and what they refuse it shows as a sentence, never
// as a code. It never blocks the UI goroutine: every call of the session runs on
// one worker, in order, under a context that ends when the officer goes
// elsewhere; results come back by fyne.Do. A button acts once. It never logs what
// is about a person.
package ui

import (
	"context"
	"log/slog"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/words"
)

// Session is what the window drives; see [session.Service] for what each
// promises. Operator, Current, Arriving, Seconds and Zone never wait for an act
// that is under way; all others may, and are called on the worker only.
type Session interface {
	SignIn(ctx context.Context, label string, password []byte) (kiosk.Operator, error)
	Lock(ctx context.Context) error
	Home(ctx context.Context) (session.Home, error)
	Receive(ctx context.Context) ([]kiosk.Alert, error)
	TakeAlert(ctx context.Context, id string, state kiosk.AlertState) ([]kiosk.Alert, error)
	Card(id kiosk.EncounterID) (session.CardLine, bool)
	Arrivals(ctx context.Context) (*session.ArrivalList, error)
	KeepArrivals(ctx context.Context, l *session.ArrivalList) error

	Operator() (kiosk.Operator, bool)
	Current() (kiosk.Encounter, bool)
	Arriving(arr *kiosk.Arrival) (intake.Arriving, error)
	Seconds() ([]kiosk.SecondReason, time.Duration)

	Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error)
	Do(ctx context.Context, ev kiosk.Event) (kiosk.Encounter, error)
	CaptureIrises(ctx context.Context, progress func(session.Progress), eyes ...kiosk.Eye) (kiosk.Encounter, error)
	KeepBelow(ctx context.Context, eye kiosk.Eye, reason string) (kiosk.Encounter, error)
	CaptureFace(ctx context.Context, progress func(session.FaceProgress)) (kiosk.Encounter, error)
	TakenFace(newest bool) (session.Photo, bool)
	KeepFace(ctx context.Context, newest bool, reason string) (kiosk.Encounter, error)
	SearchIrises(ctx context.Context) ([]kiosk.Search, error)
	ScanDocument(ctx context.Context, progress func(received int64)) (kiosk.Identity, error)
	Zone() (session.Zone, bool)
	Image(ctx context.Context, part string) ([]byte, error)
	Abandon(ctx context.Context, reason, second string, password []byte) (kiosk.Encounter, error)

	Draft(ctx context.Context, id kiosk.EncounterID) (kiosk.Encounter, error)
	Resume(ctx context.Context, id kiosk.EncounterID, wristband string, progress func(session.Progress)) (kiosk.Encounter, bool, error)
	Vouch(ctx context.Context, id kiosk.EncounterID, wristband string) (kiosk.Encounter, error)
	Prove(ctx context.Context, label string, password []byte) (kiosk.Operator, error)
	Second(ctx context.Context, id kiosk.EncounterID, label string, password []byte, answers map[[2]int]kiosk.Verdict, word kiosk.Second) (kiosk.Encounter, error)
}

var _ Session = (*session.Service)(nil)

// Station is what the window needs of the kiosk besides the session. Nothing
// of it is about a person, and all of it works with nobody signed in and with a
// vault that cannot be opened. All but Open, Health, Print and Fault answer at
// once.
type Station interface {
	// Open opens the vault, once it can be opened; the window calls it again
	// when the officer asks to look again.
	Open(ctx context.Context) (Session, error)
	// Place is the kiosk's own name.
	Place() string
	// Status is what the bar shows; the operator and the lists are the window's.
	Status() screens.Status
	// Agreement is the one in force, nil if none has come.
	Agreement() *kiosk.Agreement
	// Signed is when the hub last signed something, zero if never.
	Signed() time.Time
	// News counts what came down from the hub.
	News() uint64
	// Room is the disk's, in bytes.
	Room() (free, needed int64)
	// Wake asks for a round on the road now.
	Wake()
	// Health looks at the parts of the kiosk.
	Health(ctx context.Context) health.Report
	// Fault writes down that somebody reported a fault, and returns its number.
	Fault(ctx context.Context) (string, error)
	// Printer says whether papers can be printed, and if not whether they can
	// be saved.
	Printer() (prints, saves bool)
	// Print prints a PDF, or saves it and returns the file's name.
	Print(ctx context.Context, pdf []byte) (file string, err error)
}

// Options are a window's parts.
type Options struct {
	Window  fyne.Window
	Station Station
	// Technician is nil where the window has no diagnostics.
	Technician Technician
	Book       *words.Book
	// Traveller is the window that faces the person, nil where none is fitted.
	Traveller fyne.Window
	Log       *slog.Logger // nil: nothing is logged

	IdleLock time.Duration // nobody touches anything for so long: it locks. 0: 5 min
	GoOn     time.Duration // green irises go on by themselves after. 0: 3 s
	Look     time.Duration // irises are looked for so long before keeping the best is offered. 0: 45 s
	Settle   time.Duration // a page that has just come takes no touch for so long. 0: 250 ms

	Now func() time.Time // nil: time.Now
	Do  func(func())     // runs a function on the UI goroutine; nil: fyne.Do
}

func (o *Options) fill() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Do == nil {
		o.Do = fyne.Do
	}
	for d, def := range map[*time.Duration]time.Duration{&o.IdleLock: 5 * time.Minute, &o.GoOn: 3 * time.Second, &o.Look: 45 * time.Second, &o.Settle: 250 * time.Millisecond} {
		if *d <= 0 {
			*d = def
		}
	}
}
