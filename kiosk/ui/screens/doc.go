// Package screens is every screen of the prison intake: a function from a
// state, in the words of package kiosk, and the calls that a person may make, to
// what is shown.
//
// It decides nothing: what may be done now, and what is still missing, stands in
// the state. It knows no session, starts no goroutine, reads no clock and does no
// I/O. Everything here belongs to the UI goroutine. Words come from the
// frame's [words.Book]; what a screen says is never a code.
package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// Frame is what every screen has round it.
type Frame struct {
	*words.Book
	Now    time.Time // where the kiosk stands: its zone is the zone of what is shown
	Place  string    // the kiosk's own name, "Admission 2"
	Status Status
	// Training: the band that says nobody here is real.
	Training bool
	// Encounter is the open one; it is the walk at the left. Nil: no walk.
	Encounter *kiosk.Encounter
	// Alerts stand until acted on; they come first on home and on every step.
	Alerts []LateAlert
	// Trouble is what just went wrong, nil if nothing did.
	Trouble *Trouble
	Calls   FrameCalls
}

// FrameCalls are what can be done on every screen. Nil calls are not offered.
type FrameCalls struct {
	Language func()               // the other language
	GoTo     func(kiosk.StepKind) // back to a step that is done
	HaveIt   func(alert string)   // "I have it": Alert.ID
}

// Trouble is a sentence about something that did not work, and what to do,
// ready to show.
type Trouble struct {
	Title  string
	Detail string
	Tone   theme.Tone // Plain: Care
	Key    string     // of the title among the window's words, for the kiosk's journal; empty: not noted
}

// Status is what the bar on top shows.
type Status struct {
	Camera, Scanner, Chip Device
	Face                  Device // camera
	Hub                   Hub
	Lists                 Lists
	Clock                 kiosk.Instant
	Power                 Power
	Operator              kiosk.Operator // zero: nobody is signed in
}

// Device is a device of the bar.
type Device int

// Devices are fitted and well, or they say why not.
const (
	DeviceNotFitted Device = iota // not shown
	DeviceReady
	DeviceBusy
	DeviceTrouble // answers, but badly
	DeviceGone
)

// Hub is how the hub stands.
type Hub struct {
	Reached bool
	At      time.Time // last reached; not reached: since when not
	None    bool      // this kiosk has no road: stick only
}

// Lists is how old the lists are against how old they may be.
type Lists struct {
	Signed time.Time // the oldest list's; zero: none has come
	MaxAge time.Duration
	None   bool // the agreement searches none
}

// Power is where the current comes from.
type Power struct {
	Known   bool
	Mains   bool
	Percent int // of the battery
}

// LateAlert is an alert that came after the person had moved on.
type LateAlert struct {
	Alert     kiosk.Alert
	Wristband string // empty: not known here
	Taken     bool   // somebody here has it
}

// Screen is what a screen function returns: what to show, and how to reach it
// by keyboard.
type Screen struct {
	// Object fills the window.
	Object fyne.CanvasObject
	// First is what takes the focus; nil: nothing does.
	First fyne.Focusable

	bar     *widgets.TopBar
	fields  map[string]*widgets.Field
	cursor  string // the field that had the focus last
	typed   func() // what a change of a field does; SetText does not call it
	primary *widgets.ActButton
	buttons []*widgets.ActButton
	back    func()
}

// SetBar changes the bar on top alone: time passes, devices come and go.
func (s *Screen) SetBar(f Frame) {
	if s.bar != nil {
		s.bar.Set(f.barState())
	}
}

// Enter does the way on, unless it is about a person or not allowed. It is for
// Enter typed while nothing has the focus.
func (s *Screen) Enter() {
	if s.primary != nil && !s.primary.State().NoEnter {
		s.primary.Act()
	}
}

// Escape goes back, where there is a back.
func (s *Screen) Escape() {
	if s.back != nil {
		s.back()
	}
}

// Rearm lets buttons act again, after a call that left the screen as it was.
func (s *Screen) Rearm() {
	for _, b := range s.buttons {
		b.Rearm()
	}
}

// Carry takes over what was typed in the same screen's earlier picture, which
// field had the cursor, how far its columns were moved, and what had the focus:
// the language changed, the state was drawn anew. What makes the way on possible
// gives it the focus. It is called once the new picture is in the window, and sets
// the focus.
func (s *Screen) Carry(old *Screen, had fyne.Focusable, c fyne.Canvas) {
	if old != nil {
		widgets.KeepPlace(old.Object, s.Object)
		for name, f := range s.fields {
			if o := old.fields[name]; o != nil {
				f.SetText(o.Text())
				if name == old.cursor {
					s.First = f.Input()
				}
			}
		}
		if s.typed != nil {
			s.typed()
		}
		opened := s.primary != nil && !s.primary.Disabled() && (old.primary == nil || old.primary.Disabled())
		if same := widgets.Counterpart(old.Object, s.Object, had); same != nil && !opened {
			c.Focus(same)
			return
		}
	}
	if s.First != nil {
		c.Focus(s.First)
	}
}
