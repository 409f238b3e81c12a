package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/capture"
	"tambo/kiosk/document"
	"tambo/kiosk/intake"
	"tambo/kiosk/iris"
	"tambo/kiosk/policy"
)

// Errors that a vault returns and a window explains. An implementation of Vault
// wraps them.
var (
	ErrDiskFull = errors.New("the kiosk's disk is full")
	ErrDamaged  = errors.New("something in the vault cannot be read")
	ErrUnknown  = errors.New("nobody of that name may sign in here")
)

// PasswordError says that a password was wrong, and how many tries are left.
type PasswordError struct{ Left int }

func (e *PasswordError) Error() string { return fmt.Sprintf("wrong password: %d tries left", e.Left) }

// LockedOutError says that there were too many wrong passwords.
type LockedOutError struct{ Until time.Time }

func (e *LockedOutError) Error() string {
	return "too many wrong passwords: wait until " + e.Until.Format(time.RFC3339)
}

// Trouble is what is in the way, by what a person does about it. It is a code:
// a window has a sentence for each.
type Trouble string

// Troubles.
const (
	TroubleNone        Trouble = ""
	TroublePassword    Trouble = "password"       // Left tries remain
	TroubleLockedOut   Trouble = "locked out"     // until Until
	TroubleUnknown     Trouble = "unknown"        // no such operator
	TroubleRole        Trouble = "role"           // may not enrol, or may not second
	TroubleLocked      Trouble = "locked"         // nobody is signed in
	TroubleNoAgreement Trouble = "no agreement"   // none came yet
	TroubleExpired     Trouble = "expired"        // the agreement is over
	TroubleNotYet      Trouble = "not yet"        // the agreement has not begun
	TroubleRefused     Trouble = "refused"        // intake's no, with Missing
	TroubleForbidden   Trouble = "forbidden"      // the agreement does not allow it
	TroubleDiskFull    Trouble = "disk full"      //
	TroubleDamaged     Trouble = "damaged"        // a file of the vault
	TroubleGone        Trouble = "device gone"    // unplugged, or none there
	TroubleBusy        Trouble = "device busy"    // another program has it
	TroubleStalled     Trouble = "device stalled" //
	TroubleBadData     Trouble = "device bad data"
	TroubleAccess      Trouble = "device access" // no permission
	TroublePaper       Trouble = "paper"         // no page, or it is stuck
	TroubleCover       Trouble = "cover"         // scanner open
	TroubleVirtual     Trouble = "virtual"       // software device outside training
	TroubleNotGood     Trouble = "not good"      // time ended before eyes or photo were good
	TroubleNotCertain  Trouble = "not certain"   // read, and some fields want a look
	TroubleUnreadable  Trouble = "unreadable"    // a page without a readable zone
	TroubleStopped     Trouble = "stopped"       // the caller's own context ended
	TroubleOther       Trouble = "other"
)

// Explained is an error as a window shows it.
type Explained struct {
	Trouble Trouble
	Left    int       // of TroublePassword
	Until   time.Time // of TroubleLockedOut
	Missing []string  // of TroubleRefused: intake's codes
}

// causes are tried in order: the first that is in the chain counts.
var causes = []struct {
	err error
	t   Trouble
}{
	{ErrUnknown, TroubleUnknown},
	{ErrWrongRole, TroubleRole},
	{ErrLocked, TroubleLocked},
	{ErrNoAgreement, TroubleNoAgreement},
	{policy.ErrExpired, TroubleExpired},
	{policy.ErrNotYet, TroubleNotYet},
	{ErrDiskFull, TroubleDiskFull},
	{ErrDamaged, TroubleDamaged},
	{ErrVirtual, TroubleVirtual},
	{capture.ErrNotGood, TroubleNotGood},
	{capture.ErrNotCertain, TroubleNotCertain},
	{document.ErrNoMRZ, TroubleUnreadable},
	{document.ErrUnreadable, TroubleUnreadable},
	{document.ErrBlank, TroubleUnreadable},
	{context.Canceled, TroubleStopped},
	{context.DeadlineExceeded, TroubleStopped},
	{devices.ErrNoPaper, TroublePaper},
	{devices.ErrPaperJam, TroublePaper},
	{devices.ErrCoverOpen, TroubleCover},
	{devices.ErrGone, TroubleGone},
	{devices.ErrBusy, TroubleBusy},
	{devices.ErrStalled, TroubleStalled},
	{devices.ErrBadData, TroubleBadData},
	{devices.ErrAccess, TroubleAccess},
	{policy.ErrNotAllowed, TroubleForbidden},
	{policy.ErrAuthority, TroubleForbidden},
	{policy.ErrAgreement, TroubleNoAgreement},
}

// Explain sorts an error of the session by what is to be done about it.
func Explain(err error) Explained {
	if err == nil {
		return Explained{}
	}
	x := Explained{Trouble: TroubleOther}
	var password *PasswordError
	var out *LockedOutError
	var refusal *intake.Refusal
	if errors.As(err, &refusal) {
		x.Trouble, x.Missing = TroubleRefused, refusal.Missing
	}
	switch {
	case errors.As(err, &password):
		x.Trouble, x.Left = TroublePassword, password.Left
	case errors.As(err, &out):
		x.Trouble, x.Until = TroubleLockedOut, out.Until
	default:
		for _, c := range causes {
			if errors.Is(err, c.err) {
				x.Trouble = c.t
				break
			}
		}
	}
	return x
}

// Progress is what a running capture reports after every frame.
type Progress = capture.Progress

// Contour is a boundary of pupil or iris as it was traced, in pixels of its frame.
type Contour = iris.Contour

// Draft returns an unfinished encounter without opening it: what a second
// person is shown of one that is held.
func (s *Service) Draft(ctx context.Context, id kiosk.EncounterID) (kiosk.Encounter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return kiosk.Encounter{}, ErrLocked
	}
	e, err := s.subjects.Draft(ctx, id)
	if err != nil {
		return kiosk.Encounter{}, err
	}
	return *e, nil
}

// TakeAlert says what became of an alert here: somebody has it ("seen by"), or
// it is done. The word is queued for the hub.
func (s *Service) TakeAlert(ctx context.Context, id string, state kiosk.AlertState) ([]kiosk.Alert, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return nil, ErrLocked
	}
	if err := s.subjects.MarkAlert(ctx, id, state); err != nil {
		return s.alerts, fmt.Errorf("alert: %w", err)
	}
	if err := s.receive(ctx); err != nil {
		return s.alerts, err
	}
	return s.alerts, nil
}

// CardLine is an earlier encounter in one line, as far as the agreement lets the
// kiosk keep it.
type CardLine struct {
	Wristband string
	Date      string // YYYY-MM-DD
	Site      string
	Name      string
}

// Arriving works out what an arrival permits and still lacks, before it is
// confirmed.
func (s *Service) Arriving(arr *kiosk.Arrival) (intake.Arriving, error) {
	r, err := s.rules()
	if err != nil {
		return intake.Arriving{}, err
	}
	return r.Arriving(arr, s.clock()), nil
}

// Seconds says why the open encounter will be held for a second person, and
// how long that may take.
func (s *Service) Seconds() ([]kiosk.SecondReason, time.Duration) {
	e, ok := s.Current()
	r, err := s.rules()
	if !ok || err != nil {
		return nil, 0
	}
	return r.Seconds(&e)
}

// Prove checks who a second person is, before they are shown what they are to
// judge. It opens nothing.
func (s *Service) Prove(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.subjects == nil {
		return kiosk.Operator{}, ErrLocked
	}
	return s.vault.Check(ctx, label, password)
}

// Zone is where the machine-readable zone lies on the page that was scanned
// last, and its lines as read: for drawing. Corners are shares of the page's
// width and height, from its top left, clockwise as the text runs.
type Zone struct {
	Lines   []string
	Corners [4][2]float64
}

// Zone returns where the zone was on the page scanned last; false if none was
// found. It never waits for an act.
func (s *Service) Zone() (Zone, bool) {
	z := s.zone.Load()
	if z == nil {
		return Zone{}, false
	}
	return *z, true
}

func zoneOf(p capture.Page) *Zone {
	if len(p.MRZ.Lines) == 0 || p.Width == 0 || p.Height == 0 || p.MRZ.Box == ([4]document.Point{}) {
		return nil
	}
	z := &Zone{Lines: p.MRZ.Lines}
	for i, c := range p.MRZ.Box {
		z.Corners[i] = [2]float64{float64(c.X) / float64(p.Width), float64(c.Y) / float64(p.Height)}
	}
	return z
}
