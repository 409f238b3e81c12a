package screens

import (
	"time"

	"tambo/kiosk"
)

// Fault is why a sign-in was not accepted.
type Fault int

// Faults of a sign-in. A wrong number and a wrong password are not told apart.
const (
	FaultNone Fault = iota
	FaultWrong
	FaultRole // the role opens no subject data
	FaultWait // too many wrong passwords
	FaultSelf // the second person must be somebody else
)

// SignInState is the sign-in screen; Locked makes it the lock screen.
type SignInState struct {
	Number string // typed before
	Fault  Fault
	Until  time.Time // of FaultWait
	Busy   bool      // the password is being checked
	Locked *Locked
}

// Locked says what the lock screen shows: no name and no number of a person.
type Locked struct {
	Operator kiosk.Operator
	Since    time.Time
	Idle     time.Duration // nobody touched anything for so long; 0: it was locked by hand
	Open     bool          // an encounter was put aside and waits
}

// SignInCalls are what can be done at sign-in.
type SignInCalls struct {
	SignIn    func(number, password string)
	Forgotten func()
	Wrong     func() // "something is wrong with this kiosk"
	Other     func() // locked: somebody else signs in
}

// Unfinished is a draft in one line; package session's Draft converts to it.
type Unfinished struct {
	ID        kiosk.EncounterID
	Wristband string
	State     kiosk.State
	Park      kiosk.ParkReason
	At        kiosk.StepKind
	Hit       bool
	Hold      *kiosk.Hold
	Begun     time.Time
}

// Overdue reports whether a second person should have answered by now.
func (u Unfinished) Overdue(now time.Time) bool {
	return u.State == kiosk.StateHeld && u.Hold != nil && now.After(u.Hold.Deadline.Time)
}

// Batch is a van: people who came together, under one authority.
type Batch struct {
	Origin    string
	Arrived   time.Time
	Authority string // Authority.Code
	Total     int
	Done      int // sealed
}

// Queue is what waits for the hub.
type Queue struct {
	People    int
	Oldest    time.Time
	Bytes     int64
	Thin      int           // people whose names and templates are still to go
	Remaining time.Duration // about, for the thin parts; 0: not known
	Photos    int           // people whose pictures wait
	Moving    bool
}

// Listed is how many lines a list shows before it is asked for more. A kiosk that
// was off the road for a month has thousands that wait: all of their lines would
// keep the window for a second.
const Listed = 60

// HomeState is the first screen.
type HomeState struct {
	Batch      *Batch // nil: no arrival list is open
	Unfinished []Unfinished
	Listed     int // of the unfinished; 0: the first [Listed]
	Queue      Queue
	Closed     Closed // why nobody can be enrolled now
	Damaged    int    // drafts that cannot be read
}

// Closed says why no enrolment may begin.
type Closed int

// Reasons why enrolment is closed.
const (
	ClosedNot         Closed = iota
	ClosedNoAgreement        // none has come from the hub
	ClosedExpired
	ClosedNotYet
	ClosedDisk
	ClosedClock
)

// HomeCalls are what can be done at home. Verify and Amend may be nil: they
// are then grey.
type HomeCalls struct {
	Next     func()
	Arrivals func() // the open list
	NewList  func()
	Open     func(kiosk.EncounterID)
	More     func() // list more of the unfinished
	Queue    func()
	Why      func() // enrolment is closed: say why
	Verify   func()
	Amend    func()
	Fault    func()
	Close    func() // close the shift
	Lock     func()
}

// ArrivalsState is a van of N.
type ArrivalsState struct {
	Batch     Batch
	New       bool // it is being made: origin, authority and number are asked
	Agreement *kiosk.Agreement
	Rows      []Person
	Missing   []string // "origin", "authority", "total"
}

// Person is one row of a van.
type Person struct {
	ID        kiosk.EncounterID // empty: not begun
	Wristband string            // empty: not given yet
	State     kiosk.State
	At        kiosk.StepKind
	Hit       bool
}

// ArrivalsCalls are what can be done with a van.
type ArrivalsCalls struct {
	Next      func()
	Open      func(kiosk.EncounterID)
	Origin    func() // type it
	Authority func() // choose it
	Total     func(int)
	Begin     func() // the new list stands
	Finish    func() // nobody is left
	Back      func()
}

// ResumeState asks whether this is the same person.
type ResumeState struct {
	Draft     Unfinished
	Wristband string // typed
	Phase     ResumePhase
	Eye       EyeState
	Ask       string
	AskEye    kiosk.Eye
	// Supervisor: who is signed in may vouch.
	Supervisor bool
}

// ResumePhase is where resuming stands.
type ResumePhase int

// Phases of resuming.
const (
	ResumeAsk       ResumePhase = iota // the wristband number
	ResumeWrong                        // it is not the draft's
	ResumeLooking                      // one eye
	ResumeSame                         // the same person
	ResumeDifferent                    // somebody else: a new draft was opened
	ResumeNoEye                        // nothing to compare, or no camera: a supervisor may vouch
)

// ResumeCalls are what can be done about it.
type ResumeCalls struct {
	Wristband func() // type it
	Look      func()
	Vouch     func()
	Back      func()
	Next      func()
}

// HeldState is an encounter that waits for a second person.
type HeldState struct {
	Draft    Unfinished
	Deadline time.Time
	// Late: the deadline has passed.
	Late bool
	By   string // who enrolled: the second person is somebody else
}

// HeldCalls are what can be done with it.
type HeldCalls struct {
	Sign func() // the second person proves who they are
	Back func()
}

// Waiting is a sealed package and where it stands.
type Waiting struct {
	Wristband string
	State     kiosk.State
	Sealed    time.Time
	Bytes     int64
	Hit       bool
}

// QueueState is the queue and the hub.
type QueueState struct {
	Queue   Queue
	Waiting []Waiting
	Listed  int       // of those that wait; 0: the first [Listed]
	Agree   time.Time // until when the agreement holds
	Busy    bool
}

// QueueCalls are what can be done with the queue. Stick may be nil.
type QueueCalls struct {
	Now   func()
	More  func() // list more of those that wait
	Stick func()
	Back  func()
}

// ClockState: the time is not certain.
type ClockState struct {
	Clock  kiosk.Instant
	Signed time.Time // last time the hub signed, zero: never
}

// DiskState: there is no room.
type DiskState struct {
	Free    int64 // bytes
	Needed  int64
	Waiting int // people who wait for the hub
}

// ExpiredState: no agreement permits enrolment now.
type ExpiredState struct {
	Title   string // of the agreement, empty: none has come
	Expires time.Time
	NotYet  time.Time // it begins then; zero: it has begun
}

// ClosedCalls are what can be done when enrolment is closed. Nil calls are not
// offered.
type ClosedCalls struct {
	Retry func() // ask the hub again, or look again
	Stick func() // load from a stick
	Queue func()
	Wrong func() // health
	Back  func()
}

// TypeField is one thing to type.
type TypeField struct {
	Key    string
	Label  string // ready to show
	Hint   string
	Value  string
	Secret bool
	Must   bool // it may not be empty
	Upper  bool
}

// TypeState asks for words: a number, a name, a reason, a second person's
// password.
type TypeState struct {
	Title  string // ready to show
	Detail string
	Fields []TypeField
	Fault  string // what was wrong with what was typed before, ready to show
	Done   string // the way on; empty: "Done"
}

// TypeCalls are what can be done with it.
type TypeCalls struct {
	Done func(values map[string]string)
	Back func()
}

// ChooseState asks for one of several things: a reason, a language.
type ChooseState struct {
	Title   string // ready to show
	Detail  string
	Choices []Option
	Chosen  []string // keys
	Person  bool     // it is a question about a person: Enter does not answer it
}

// Option is one thing to choose.
type Option struct {
	Key   string
	Label string // ready to show
}

// ChooseCalls are what can be done with it.
type ChooseCalls struct {
	Choose func(key string)
	Done   func() // where several may be chosen; nil: the first touch answers
	Back   func()
}

// AbandonState asks whether a record is given up.
type AbandonState struct {
	Hit    bool   // somebody was found: a second person is asked too
	Reason string // "left", "released", "twice", "mistake"; empty: none yet
}

// AbandonCalls are what can be done about it. Back keeps the record.
type AbandonCalls struct {
	Reason func(code string)
	Go     func()
	Back   func()
}

// ShiftState is the end of a shift.
type ShiftState struct {
	Done       int // people enrolled
	Unfinished []Unfinished
	Queue      Queue
}

// ShiftCalls are what can be done at the end of a shift.
type ShiftCalls struct {
	Go   func() // close and lock
	Back func()
}
