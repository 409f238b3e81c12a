package widgets

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"tambo/kiosk/ui/theme"
)

// StepMark is where a step of the walk stands.
type StepMark int

// Marks of a step.
const (
	StepToCome   StepMark = iota
	StepNow               // the step on the screen
	StepDone              // a check
	StepExcepted          // not captured, with a reason: take care
	StepByRule            // not collected by rule: a dash
)

// StepState is one step of the walk.
type StepState struct {
	Number int
	Mark   StepMark
	Title  string
	Found  string // what was found, one line; empty: nothing yet
	// Tone marks what was found, discreetly: a small mark after it. Plain: none.
	Tone theme.Tone
	// Touchable: a touch goes to the step.
	Touchable bool
}

// Step is one step of the walk in the left column.
type Step struct {
	piece
	touching
	state StepState
	// OnTouch goes to the step.
	OnTouch func()
	// OnHold tells that the step is pressed and held (true) or let go (false):
	// what was found is then shown in full. May be nil.
	OnHold func(bool)
}

var (
	_ fyne.Tappable     = (*Step)(nil)
	_ fyne.Focusable    = (*Step)(nil)
	_ fyne.Disableable  = (*Step)(nil)
	_ desktop.Mouseable = (*Step)(nil)
	_ desktop.Keyable   = (*Step)(nil)
)

// NewStep returns a step.
func NewStep(s StepState, touch func()) *Step {
	w := &Step{state: s, OnTouch: touch}
	w.start(w, w.draw)
	return w
}

// Set changes the step.
func (w *Step) Set(s StepState) {
	if s != w.state {
		w.state = s
		w.Refresh()
	}
}

// State returns what the step shows.
func (w *Step) State() StepState { return w.state }

// Tapped implements fyne.Tappable.
func (w *Step) Tapped(*fyne.PointEvent) {
	if w.state.Touchable && w.OnTouch != nil {
		w.OnTouch()
	}
}

// Disabled implements fyne.Disableable.
func (w *Step) Disabled() bool { return !w.state.Touchable }

// Enable and Disable are Set's business.
func (w *Step) Enable() {}

// Disable does nothing: see Enable.
func (w *Step) Disable() {}

// FocusGained implements fyne.Focusable.
func (w *Step) FocusGained() { w.focused = true; w.Refresh() }

// FocusLost implements fyne.Focusable.
func (w *Step) FocusLost() { w.focused = false; w.hold(false); w.Refresh() }

// TypedRune implements fyne.Focusable.
func (w *Step) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (w *Step) TypedKey(k *fyne.KeyEvent) {
	stir(w)
	escape(w, k)
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter || k.Name == fyne.KeySpace {
		w.Tapped(nil)
	}
}

// KeyDown implements desktop.Keyable: Space held is a press held.
func (w *Step) KeyDown(k *fyne.KeyEvent) {
	if k.Name == fyne.KeySpace {
		w.hold(true)
	}
}

// KeyUp implements desktop.Keyable.
func (w *Step) KeyUp(*fyne.KeyEvent) { w.hold(false) }

// MouseDown implements desktop.Mouseable.
func (w *Step) MouseDown(*desktop.MouseEvent) { down = w; w.hold(true) }

// MouseUp implements desktop.Mouseable.
func (w *Step) MouseUp(*desktop.MouseEvent) { up(w); w.hold(false) }

func (w *Step) hold(down bool) {
	if w.pressed == down {
		return
	}
	w.pressed = down
	if w.OnHold != nil {
		w.OnHold(down)
	}
}

func (w *Step) draw() fyne.CanvasObject {
	p, s := look(), w.state
	const side = 32
	var disc fyne.CanvasObject
	title := p.Ink2
	number := func(fill, line, ink nrgba) fyne.CanvasObject {
		n := Style{Size: theme.SizeCaption, Bold: true, Centre: true, OneLine: true, Colour: func(*theme.Palette) nrgba { return ink }}
		return Wide(side, Middle(AtLeast(side, side, Stack(box(fill, line, theme.LineTouch, side/2), NewWords(strconv.Itoa(s.Number), n)))))
	}
	switch s.Mark {
	case StepDone:
		t := p.Tone(theme.Good)
		disc = round(theme.SignCheck, t.OnSolid, t.Solid, side)
	case StepExcepted:
		t := p.Tone(theme.Care)
		disc = round(theme.SignBang, t.OnSolid, t.Solid, side)
	case StepByRule:
		t := p.Tone(theme.Plain)
		disc = round(theme.SignDash, t.OnSolid, t.Solid, side)
	case StepNow:
		disc = number(p.Accent, p.Accent, p.OnAccent)
		title = p.Tone(theme.Active).Ink
	default:
		disc = number(p.Paper, p.Border, p.Ink2)
	}
	words := []fyne.CanvasObject{NewWords(s.Title, Style{Bold: true, Colour: func(*theme.Palette) nrgba { return title }})}
	if s.Found != "" {
		found := NewWords(s.Found, Style{Size: theme.SizeCaption, Tone: s.Tone, Second: true, Colour: func(p *theme.Palette) nrgba {
			if s.Mark == StepNow && s.Tone == theme.Plain {
				return p.Ink
			}
			return Style{Second: true, Tone: s.Tone}.colour(p)
		}})
		if s.Tone != theme.Plain {
			words = append(words, Row(6, sign(theme.ToneSign(s.Tone), p.Tone(s.Tone).Ink, 14), Grow(found)))
		} else {
			words = append(words, found)
		}
	}
	row := Pad(0, Row(12, disc, Grow(Middle(Column(-3, words...)))))
	objects := []fyne.CanvasObject{AtLeast(0, theme.Current().Target(), PadXY(14, 3, row))}
	if s.Mark == StepNow {
		objects = append([]fyne.CanvasObject{box(p.AccentSoft, nil, 0, theme.RadiusTouch)}, objects...)
	}
	if w.focused {
		objects = append(objects, ring(p.Ink, theme.RadiusTouch))
	}
	return Stack(objects...)
}

// WalkState is the left column of an encounter.
type WalkState struct {
	Heading string // "Wristband 0412"
	Steps   []StepState
}

// Walk is the left column: the wristband number, and the steps under it.
type Walk struct {
	piece
	state WalkState
	steps []*Step
	// OnStep goes to the step of an index; OnHold shows what was found in full.
	OnStep func(int)
	OnHold func(int, bool)
}

// NewWalk returns the left column.
func NewWalk(s WalkState, step func(int)) *Walk {
	w := &Walk{OnStep: step}
	w.arrange(s)
	w.start(w, w.draw)
	return w
}

// Set changes the column; a step keeps the focus it has.
func (w *Walk) Set(s WalkState) {
	w.arrange(s)
	w.Refresh()
}

func (w *Walk) arrange(s WalkState) {
	w.state = s
	for i := len(w.steps); i < len(s.Steps); i++ {
		st := NewStep(StepState{}, func() {
			if w.OnStep != nil {
				w.OnStep(i)
			}
		})
		st.OnHold = func(down bool) {
			if w.OnHold != nil {
				w.OnHold(i, down)
			}
		}
		w.steps = append(w.steps, st)
	}
	w.steps = w.steps[:len(s.Steps)]
	for i, x := range s.Steps {
		w.steps[i].Set(x)
	}
}

func (w *Walk) draw() fyne.CanvasObject {
	l := []fyne.CanvasObject{PadXY(14, 4, NewWords(w.state.Heading, Style{Size: theme.SizeHeading, Bold: true, Shrink: true}))}
	var steps []fyne.CanvasObject
	for _, s := range w.steps {
		steps = append(steps, s)
	}
	return Column(8, l[0], Column(theme.Current().Gap(), steps...))
}
