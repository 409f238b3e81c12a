package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// FieldState is a field to type into, but for what was typed.
type FieldState struct {
	Label  string
	Hint   string // shown while it is empty
	Secret bool   // a password: dots
	Fault  string // what is wrong with it; empty: nothing
	Off    bool   // cannot be typed into now
}

// Field is a labelled field to type into, by the machine's keyboard or the one
// on the screen.
type Field struct {
	piece
	state FieldState
	entry *input
	// OnChange tells what stands in the field; OnEnter that Enter was typed.
	OnChange func(string)
	OnEnter  func()
	// OnFocus tells that the field gained (true) or lost the focus.
	OnFocus func(bool)
}

// NewField returns a field.
func NewField(s FieldState, change func(string)) *Field {
	f := &Field{state: s, OnChange: change, entry: &input{}}
	e := f.entry
	e.ExtendBaseWidget(e)
	e.ActionItem = canvas.NewRectangle(nrgba{}) // no "show password": it would be too small to touch, and others look on
	e.Wrapping, e.Scroll = fyne.TextWrapOff, fyne.ScrollHorizontalOnly
	e.focus = func(on bool) {
		f.Refresh()
		if f.OnFocus != nil {
			f.OnFocus(on)
		}
	}
	e.OnChanged = func(t string) {
		if f.OnChange != nil {
			f.OnChange(t)
		}
	}
	e.OnSubmitted = func(string) {
		if f.OnEnter != nil {
			f.OnEnter()
		}
	}
	f.apply()
	f.start(f, f.draw)
	return f
}

// Set changes the field, not what was typed.
func (f *Field) Set(s FieldState) {
	if s != f.state {
		f.state = s
		f.apply()
		f.Refresh()
	}
}

func (f *Field) apply() {
	f.entry.Password = f.state.Secret
	f.entry.PlaceHolder = f.state.Hint
	if f.state.Off {
		f.entry.Disable()
	} else {
		f.entry.Enable()
	}
}

// Text returns what stands in the field.
func (f *Field) Text() string { return f.entry.Text }

// SetText replaces what stands in the field; OnChange is not called.
func (f *Field) SetText(t string) {
	if t == f.entry.Text {
		return
	}
	on := f.entry.OnChanged
	f.entry.OnChanged = nil
	f.entry.SetText(t)
	f.entry.CursorColumn = len([]rune(t))
	f.entry.OnChanged = on
	f.entry.Refresh()
}

// Input is what takes the focus and the keyboard's runes.
func (f *Field) Input() fyne.Focusable { return f.entry }

func (f *Field) draw() fyne.CanvasObject {
	p, m := look(), theme.Current()
	line, width := p.Border, theme.LineTouch
	switch {
	case f.entry.focused:
		line, width = p.Accent, theme.LineChosen
	case f.state.Fault != "":
		line, width = p.Tone(theme.Stop).Solid, theme.LineChosen
	}
	fill := p.Card
	if f.state.Off {
		fill = p.Quiet
	}
	in := AtLeast(100, m.Target(), f.entry)
	col := []fyne.CanvasObject{}
	if f.state.Label != "" {
		col = append(col, NewWords(f.state.Label, Second.Once()))
	}
	col = append(col, Stack(box(fill, line, width, theme.RadiusTouch), in))
	if f.state.Fault != "" {
		col = append(col, NewWords(f.state.Fault, Style{Size: theme.SizeCaption, Tone: theme.Stop}))
	}
	return Column(4, col...)
}

// input is fyne's entry, which tells of its focus.
type input struct {
	widget.Entry
	focus   func(bool)
	focused bool
}

var _ desktop.Mouseable = (*input)(nil)

func (e *input) FocusGained() {
	e.Entry.FocusGained()
	e.focused = true
	e.focus(true)
}

func (e *input) FocusLost() {
	e.Entry.FocusLost()
	e.focused = false
	e.focus(false)
}

// TypedKey gives Escape to the window, and types the rest.
func (e *input) TypedKey(k *fyne.KeyEvent) {
	stir(e)
	escape(e, k)
	e.Entry.TypedKey(k)
}

// TypedRune types.
func (e *input) TypedRune(r rune) {
	stir(e)
	e.Entry.TypedRune(r)
}

// TappedSecondary would open fyne's menu, whose lines are too small to touch.
func (e *input) TappedSecondary(*fyne.PointEvent) {}
