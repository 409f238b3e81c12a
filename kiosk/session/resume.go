package session

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/iris"
)

// Resume continues a parked encounter after "is this the same person?": the
// wristband number, then the eyes from the camera against the draft, at the
// agreement's verification threshold. If somebody else stands there, the draft
// stays parked, a new one is opened that names it, and same is false. A draft
// without an eye is resumed by its wristband number alone.
func (s *Service) Resume(ctx context.Context, id kiosk.EncounterID, wristband string, progress func(capture.Progress)) (e kiosk.Encounter, same bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.free(); err != nil {
		return kiosk.Encounter{}, false, err
	}
	draft, err := s.subjects.Draft(ctx, id)
	if err != nil {
		return kiosk.Encounter{}, false, fmt.Errorf("resume: %w", err)
	}
	ev := kiosk.Resumed{Wristband: wristband}
	if wristband == draft.Arrival.Wristband {
		if ev.Comparison, ev.Same, err = s.compareEyes(ctx, draft, progress); err != nil {
			return kiosk.Encounter{}, false, err
		}
	}
	s.irises = nil
	if err := s.act(ctx, draft, ev, nil); err != nil {
		return kiosk.Encounter{}, false, err
	}
	if s.current == nil {
		return *draft, false, nil
	}
	return *s.current, s.current.ID == id, nil
}

// Vouch resumes a parked encounter on a supervisor's word, when the draft has
// an eye and none can be compared (the camera is broken, the eye bandaged).
func (s *Service) Vouch(ctx context.Context, id kiosk.EncounterID, wristband string) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.free(); err != nil {
		return kiosk.Encounter{}, err
	}
	draft, err := s.subjects.Draft(ctx, id)
	if err != nil {
		return kiosk.Encounter{}, fmt.Errorf("resume: %w", err)
	}
	if err := s.act(ctx, draft, kiosk.Resumed{Wristband: wristband, Supervisor: s.operator.Label}, nil); err != nil {
		return kiosk.Encounter{}, err
	}
	return *draft, nil
}

// compareEyes captures the eyes that the draft has, the best of a burst each,
// and compares them 1:1. One eye that matches is enough; the threshold allows
// for the number of tries. It returns nil when the draft has no eye.
func (s *Service) compareEyes(ctx context.Context, draft *kiosk.Encounter, progress func(capture.Progress)) (*kiosk.Search, bool, error) {
	r, err := s.rules()
	if err != nil {
		return nil, false, err
	}
	var eyes []kiosk.Eye
	var engines []string // an update may have come since the draft was parked
	for _, e := range kiosk.BothEyes {
		if c := draft.Best(e); c != nil && c.Template != nil {
			eyes, engines = append(eyes, e), append(engines, c.Template.Engine)
		}
	}
	if len(eyes) == 0 {
		return nil, false, nil
	}
	c := capture.NewCollector(eyes, r.Agreement.Floors.Iris, burst)
	c.SetAlso(engines...)
	err = s.withCamera(ctx, draft.Training, func(cam devices.IrisCamera) error { return c.Run(ctx, cam, progress) })
	if err != nil && !errors.Is(err, capture.ErrNotGood) {
		return nil, false, err
	}
	q := &kiosk.Search{Eyes: len(eyes), Complete: true}
	wanted := -math.Log10(r.Agreement.Matching.VerifyFMR / float64(len(eyes)))
	same := false
	for _, e := range eyes {
		if !c.EyeDone(e) {
			continue
		}
		was := *draft.Best(e).Template
		cmp, err := iris.Compare(was, ofEngine(c.Best(e), was.Engine))
		if err != nil {
			continue // too little in common to say anything, or an engine that does not ship
		}
		q.Captures = append(q.Captures, draft.Best(e).ID)
		q.Compared++
		same = same || cmp.LogFMR >= wanted
	}
	if q.Total = q.Compared; q.Compared == 0 {
		return nil, false, fmt.Errorf("resume: %w", capture.ErrNotGood)
	}
	return q, same, nil
}

// ofEngine is the template of a shot by an engine; the current one's if it has no
// such.
func ofEngine(shot *capture.Shot, engine string) kiosk.Template {
	for _, t := range shot.Earlier {
		if t.Engine == engine {
			return t
		}
	}
	return shot.Template
}

// Second takes the word of a second person, who proves who they are, on an
// encounter that is held. answers are their own, given before they saw the
// first's; the key is {search, candidate}.
func (s *Service) Second(ctx context.Context, id kiosk.EncounterID, label string, password []byte, answers map[[2]int]kiosk.Verdict, word kiosk.Second) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.free(); err != nil {
		return kiosk.Encounter{}, err
	}
	by, err := s.vault.Check(ctx, label, password)
	if err != nil {
		return kiosk.Encounter{}, fmt.Errorf("second person: %w", err)
	}
	held, err := s.subjects.Draft(ctx, id)
	if err != nil {
		return kiosk.Encounter{}, fmt.Errorf("second person: %w", err)
	}
	defer func() { s.current = nil }()
	for _, q := range held.Searches {
		for c := range q.Candidates {
			v, ok := answers[[2]int{q.ID, c}]
			if !ok {
				continue
			}
			a := kiosk.Answer{Search: q.ID, Candidate: c, Verdict: v}
			if err := s.actAs(ctx, held, kiosk.Answered{Answer: a}, nil, by); err != nil {
				return *held, err
			}
		}
	}
	if err := s.actAs(ctx, held, kiosk.SecondAnswered{Second: word}, nil, by); err != nil {
		return *held, err
	}
	return *held, nil
}

// Abandon gives the open encounter up. After a hit a second person must prove
// who they are, and the hub learns of it all the same.
func (s *Service) Abandon(ctx context.Context, reason, second string, password []byte) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.working(); err != nil {
		return kiosk.Encounter{}, err
	}
	ev := kiosk.Abandoned{Reason: reason}
	if second != "" {
		by, err := s.vault.Check(ctx, second, password)
		if err != nil {
			return *s.current, fmt.Errorf("second person: %w", err)
		}
		ev.Second = by.Label
		if by.Role != kiosk.RoleSupervisor {
			ev.Second = ""
		}
	}
	return s.doing(ctx, ev, nil)
}

// Home is what the first screen shows.
type Home struct {
	Operator kiosk.Operator
	Closed   error // why no enrolment may begin, nil if one may
	Training bool
	Clock    kiosk.Instant
	Drafts   []Draft // unfinished and held, oldest first
	Waiting  []Waiting
	Lists    []kiosk.ListAge
	Alerts   []kiosk.Alert
	Cards    int // eyes that a search of this site compares
	// Damaged names drafts that could not be read; everything else can be
	// worked with.
	Damaged []string
}

// Draft is an unfinished encounter in one line.
type Draft struct {
	ID        kiosk.EncounterID
	Wristband string
	State     kiosk.State
	Park      kiosk.ParkReason
	At        kiosk.StepKind // up to which step it came
	Hit       bool
	Hold      *kiosk.Hold
	Begun     time.Time
}

// Home gathers the first screen.
func (s *Service) Home(ctx context.Context) (Home, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return Home{}, ErrLocked
	}
	h := Home{Operator: s.operator, Closed: s.closed(), Clock: s.now(), Lists: s.listAges(), Alerts: s.alerts, Cards: s.site.Len()}
	if a, _, err := s.vault.Agreement(); err == nil {
		h.Training = a.Training
	}
	ids, err := s.subjects.Drafts(ctx)
	if err != nil {
		return h, fmt.Errorf("home: %w", err)
	}
	for _, id := range ids {
		e, err := s.subjects.Draft(ctx, id)
		if err == nil && s.damaged[id] != nil {
			h.Damaged = append(h.Damaged, fmt.Sprintf("draft %s: %v", id, s.damaged[id]))
		}
		if err != nil {
			h.Damaged = append(h.Damaged, fmt.Sprintf("draft %s: %v", id, err))
			continue
		}
		h.Drafts = append(h.Drafts, Draft{ID: e.ID, Wristband: e.Arrival.Wristband, State: e.State, Park: e.Park,
			At: e.At, Hit: e.Hit(), Hold: e.Hold, Begun: e.Begun.Time})
	}
	if h.Waiting, err = s.vault.Outbox(ctx); err != nil {
		return h, fmt.Errorf("home: %w", err)
	}
	return h, nil
}
