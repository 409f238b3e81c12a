// Package session is what a window, or the walk without one, talks to: sign in,
// begin an encounter, capture, search, decide, seal, lock. It carries out the
// effects of the intake machine in their order, and shows a result only when they
// are done.
//
// It never decides what may follow what (package intake does), never draws, never
// talks to the network, and never keeps subject data after Lock. The vault and the
// devices are interfaces; it knows neither files nor buses.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/gallery"
	"tambo/kiosk/intake"
	"tambo/kiosk/policy"
)

// Errors that a window shows as a screen of its own.
var (
	ErrLocked      = errors.New("nobody is signed in: sign in to go on")
	ErrNoAgreement = errors.New("enrolment is closed: no agreement has come from the hub yet")
	ErrNoEncounter = errors.New("no encounter is open: begin or resume one")
	ErrOpen        = errors.New("an encounter is open: park it first")
	ErrWrongRole   = errors.New("this role cannot enrol: an officer or a supervisor signs in")
	ErrNoCard      = errors.New("there is no such index card, or it has ended")
)

// Service is the kiosk at work: one operator, at most one open encounter. Safe
// for concurrent use; acts on the encounter happen one after another.
type Service struct {
	vault   Vault
	devices Devices
	text    devices.TextReader
	clock   func() time.Time
	log     *slog.Logger

	mu       sync.Mutex
	subjects Subjects // nil while locked
	operator kiosk.Operator
	current  *kiosk.Encounter
	site     *gallery.Gallery
	unread   atomic.Int64                // entries of the site that cannot be read: in no gallery, and nobody's "no match"
	damaged  map[kiosk.EncounterID]error // drafts that could not be settled at sign-in
	looked   lookedUp
	lists    *lists
	alerts   []kiosk.Alert
	irises   *capture.Collector // of the current encounter, survives a lost camera
	camera   devices.Info       // that it ran with
	photo    *photo             // of the current encounter, until it is kept

	zone  atomic.Pointer[Zone] // of the page scanned last
	shown atomic.Pointer[view] // what readers see while an act is under way

	loading atomic.Pointer[Loading] // nil unless a sign-in is under way
}

// view is the state that may be read at any time.
type view struct {
	operator  kiosk.Operator
	unlocked  bool
	encounter *kiosk.Encounter // never modified once shown
}

// Config is what a Service is made of. Text reads the print on pages; nil where
// nothing does, and then a zone is compared with nothing. Clock is time.Now unless a test says
// otherwise; Log must never be given personal data, and is not.
type Config struct {
	Vault   Vault
	Devices Devices
	Text    devices.TextReader
	Clock   func() time.Time
	Log     *slog.Logger
}

// New returns a locked service.
func New(c Config) *Service {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{vault: c.Vault, devices: c.Devices, text: c.Text, clock: c.Clock, log: c.Log}
	s.show()
	return s
}

// SignIn opens the subject tier, loads what can be searched, and puts aside
// drafts that an unclean stop left open. Only an officer or a supervisor can. With
// a large site it takes seconds: see [Service.Loading]; when ctx ends, nobody is
// signed in.
func (s *Service) SignIn(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects != nil {
		return s.operator, fmt.Errorf("sign in: %s is signed in: lock first", s.operator.Label)
	}
	sub, op, err := s.vault.Unlock(ctx, label, password)
	if err != nil {
		return kiosk.Operator{}, fmt.Errorf("sign in: %w", err)
	}
	if !op.Role.OpensSubjects() {
		sub.Lock()
		return kiosk.Operator{}, ErrWrongRole
	}
	s.subjects, s.operator = sub, op
	if err := s.load(ctx); err != nil {
		s.forget()
		return kiosk.Operator{}, fmt.Errorf("sign in: %w", err)
	}
	s.show()
	return op, nil
}

// load fills the galleries and settles drafts. The caller holds the lock.
func (s *Service) load(ctx context.Context) error {
	if err := s.loadSite(ctx); err != nil {
		return err
	}
	if err := s.receive(ctx); err != nil {
		return err
	}
	return s.recover(ctx)
}

// Receive takes in lists and alerts that the courier brought since. It
// returns the alerts that stand.
func (s *Service) Receive(ctx context.Context) ([]kiosk.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return nil, ErrLocked
	}
	if err := s.receive(ctx); err != nil {
		return nil, err
	}
	return s.alerts, nil
}

func (s *Service) receive(ctx context.Context) error {
	alerts, err := s.subjects.Receive(ctx)
	if err != nil {
		return fmt.Errorf("what came from the hub: %w", err)
	}
	all, err := s.subjects.Lists(ctx)
	if err != nil {
		return fmt.Errorf("lists: %w", err)
	}
	l, err := newLists(all)
	if err != nil {
		return err
	}
	s.alerts, s.lists = alerts, l
	return nil
}

// recover finishes what a kill or a power cut interrupted: a complete
// encounter is sealed, an open draft is parked, so that resuming it asks for the
// same person.
func (s *Service) recover(ctx context.Context) error {
	s.damaged = map[kiosk.EncounterID]error{}
	ids, err := s.subjects.Drafts(ctx)
	if err != nil {
		return fmt.Errorf("drafts: %w", err)
	}
	for _, id := range ids {
		e, err := s.subjects.Draft(ctx, id)
		if err == nil {
			err = s.finishDropping(ctx, e)
		}
		if err != nil {
			s.log.Error("draft cannot be read; the others go on", "encounter", id, "err", err)
			continue // Home names it
		}
		if err := s.settle(ctx, e); err != nil {
			s.log.Error("draft cannot be settled; the others go on", "encounter", id, "err", err)
			s.damaged[id] = err
		}
	}
	s.current = nil
	return nil
}

// settle seals a complete encounter and parks one that was left open.
func (s *Service) settle(ctx context.Context, e *kiosk.Encounter) error {
	switch e.State {
	case kiosk.StateComplete:
		kind := kiosk.PackageEncounter
		if e.Abandoned != "" {
			kind = kiosk.PackageAbandoned
		}
		return s.seal(ctx, e, kind)
	case kiosk.StateDraft, kiosk.StateStopped:
		return s.act(ctx, e, kiosk.Parked{Reason: kiosk.ParkUnclean}, nil)
	}
	return nil
}

// finishDropping destroys again what was withdrawn, in case a cut came between
// saving the new state and destroying the images.
func (s *Service) finishDropping(ctx context.Context, e *kiosk.Encounter) error {
	var gone []string
	for _, c := range e.Captures {
		if c.Cleared {
			gone = append(gone, c.Part)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return s.drop(ctx, e.ID, gone)
}

// Lock parks what is open and forgets the subject key. What was captured is
// kept.
func (s *Service) Lock(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return nil
	}
	var err error
	if s.current != nil && (s.current.State == kiosk.StateDraft || s.current.State == kiosk.StateStopped) {
		err = s.act(ctx, s.current, kiosk.Parked{Reason: kiosk.ParkLocked}, nil)
	}
	s.forget()
	return err
}

func (s *Service) forget() {
	s.subjects.Lock()
	s.subjects, s.operator, s.current = nil, kiosk.Operator{}, nil
	s.site, s.lists, s.alerts, s.irises, s.photo = nil, nil, nil, nil, nil
	s.zone.Store(nil)
	s.show()
}

// Operator returns who is signed in. It never waits for an act.
func (s *Service) Operator() (kiosk.Operator, bool) {
	v := s.shown.Load()
	return v.operator, v.unlocked
}

// Current returns the open encounter, as it was last saved. It never waits for
// an act.
func (s *Service) Current() (kiosk.Encounter, bool) {
	v := s.shown.Load()
	if v.encounter == nil {
		return kiosk.Encounter{}, false
	}
	return *v.encounter, true
}

// show publishes the state. The caller holds the lock.
func (s *Service) show() {
	v := &view{operator: s.operator, unlocked: s.subjects != nil}
	if s.current != nil {
		e := *s.current
		v.encounter = &e
	}
	s.shown.Store(v)
}

// Begin opens an encounter.
func (s *Service) Begin(ctx context.Context, v kiosk.VisitKind) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.free(); err != nil {
		return kiosk.Encounter{}, err
	}
	return s.begin(ctx, v, "")
}

func (s *Service) begin(ctx context.Context, v kiosk.VisitKind, continues kiosk.EncounterID) (kiosk.Encounter, error) {
	id, site := s.vault.Kiosk()
	e := &kiosk.Encounter{Continues: continues}
	s.irises, s.photo = nil, nil
	if err := s.act(ctx, e, kiosk.Began{Visit: v, Site: site, Kiosk: id}, nil); err != nil {
		return kiosk.Encounter{}, err
	}
	return *s.current, nil
}

// free reports whether a new encounter may be opened.
func (s *Service) free() error {
	if s.subjects == nil {
		return ErrLocked
	}
	if s.current != nil {
		return ErrOpen
	}
	return nil
}

// Do applies an officer's act that needs no device: arrival, exceptions,
// answers, confirmations. It returns the encounter as saved; on error nothing
// has changed.
func (s *Service) Do(ctx context.Context, ev kiosk.Event) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	switch ev := ev.(type) {
	case kiosk.Identified:
		return s.identify(ctx, ev)
	case kiosk.Began, kiosk.Captured, kiosk.Searched, kiosk.Resumed, kiosk.SecondAnswered, kiosk.Abandoned,
		kiosk.SealedDone, kiosk.ReceiptCame, kiosk.PurgedDone:
		return *s.current, fmt.Errorf("session: %q has a method of its own", ev.Name())
	}
	return s.doing(ctx, ev, nil)
}

// doing acts on the current encounter and returns it, also when the act closed
// it.
func (s *Service) doing(ctx context.Context, ev kiosk.Event, images map[string][]byte) (kiosk.Encounter, error) {
	e := s.current
	if err := s.act(ctx, e, ev, images); err != nil {
		return *e, err
	}
	return *e, nil
}

func (s *Service) working() error {
	if s.subjects == nil {
		return ErrLocked
	}
	if s.current == nil {
		return ErrNoEncounter
	}
	return nil
}

// rules returns the machine for the agreement in force.
func (s *Service) rules() (intake.Rules, error) {
	a, digest, err := s.vault.Agreement()
	if err != nil {
		return intake.Rules{}, err
	}
	if err := policy.Check(&a); err != nil {
		return intake.Rules{}, err
	}
	return intake.Rules{Agreement: a, Digest: digest}, nil
}

func (s *Service) now() kiosk.Instant { return s.vault.Now(s.clock()) }

// audit writes an act; a full disk must not undo what was already saved, so a
// failure is logged.
func (s *Service) audit(ctx context.Context, act string, id kiosk.EncounterID) {
	if err := s.vault.Audit(ctx, act, id, s.operator.Label); err != nil {
		s.log.Error("audit entry not written", "act", act, "err", err)
	}
}
