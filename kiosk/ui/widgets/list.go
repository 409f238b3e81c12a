package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"tambo/kiosk/ui/theme"
)

// RowState is one line of a list.
type RowState struct {
	Key       string // first and bold: the wristband number
	KeyWidth  float32
	Text      string
	Second    string // under the text, may be empty
	Pill      *PillState
	Chosen    bool
	Touchable bool
	Plain     bool // no line under it
}

// ListRow is one line of a list; a touch opens it.
type ListRow struct {
	piece
	touching
	state   RowState
	OnTouch func()
}

var (
	_ fyne.Tappable     = (*ListRow)(nil)
	_ fyne.Focusable    = (*ListRow)(nil)
	_ fyne.Disableable  = (*ListRow)(nil)
	_ desktop.Mouseable = (*ListRow)(nil)
)

// NewListRow returns a line of a list.
func NewListRow(s RowState, touch func()) *ListRow {
	r := &ListRow{state: s, OnTouch: touch}
	r.start(r, r.draw)
	return r
}

// Set changes the line.
func (r *ListRow) Set(s RowState) { r.state = s; r.Refresh() }

// Tapped implements fyne.Tappable.
func (r *ListRow) Tapped(*fyne.PointEvent) {
	if r.state.Touchable && r.OnTouch != nil {
		r.OnTouch()
	}
}

// Disabled implements fyne.Disableable.
func (r *ListRow) Disabled() bool { return !r.state.Touchable }

// Enable and Disable are Set's business.
func (r *ListRow) Enable() {}

// Disable does nothing: see Enable.
func (r *ListRow) Disable() {}

// FocusGained implements fyne.Focusable.
func (r *ListRow) FocusGained() { r.focused = true; r.Refresh(); reveal(r) }

// FocusLost implements fyne.Focusable.
func (r *ListRow) FocusLost() { r.focused, r.pressed = false, false; r.Refresh() }

// TypedRune implements fyne.Focusable.
func (r *ListRow) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (r *ListRow) TypedKey(k *fyne.KeyEvent) {
	stir(r)
	escape(r, k)
	if k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter || k.Name == fyne.KeySpace {
		r.Tapped(nil)
	}
}

// MouseDown implements desktop.Mouseable.
func (r *ListRow) MouseDown(*desktop.MouseEvent) {
	if down = r; r.state.Touchable {
		r.pressed = true
		r.Refresh()
	}
}

// MouseUp implements desktop.Mouseable.
func (r *ListRow) MouseUp(*desktop.MouseEvent) { up(r); r.pressed = false; r.Refresh() }

func (r *ListRow) draw() fyne.CanvasObject {
	p, s := look(), r.state
	var row []fyne.CanvasObject
	if s.Key != "" {
		var k fyne.CanvasObject = NewWords(s.Key, Strong.Once())
		if s.KeyWidth > 0 {
			k = Wide(s.KeyWidth, k)
		}
		row = append(row, k)
	}
	words := []fyne.CanvasObject{NewWords(s.Text, Body)}
	if s.Second != "" {
		words = append(words, NewWords(s.Second, Caption))
	}
	row = append(row, Grow(Middle(Column(0, words...))))
	if s.Pill != nil {
		row = append(row, Middle(NewPill(*s.Pill)))
	}
	if s.Touchable {
		row = append(row, sign(theme.SignNext, p.Ink2, 16))
	}
	fill := fyneColor(nil)
	if s.Chosen || r.pressed {
		fill = p.AccentSoft
	}
	height := float32(46)
	if s.Touchable {
		height = theme.Current().Target()
	}
	objects := []fyne.CanvasObject{box(fill, nil, 0, theme.RadiusTouch), AtLeast(0, height, PadXY(10, 4, Row(16, row...)))}
	if !s.Plain {
		objects = append(objects, Column(0, Space(), AtLeast(0, 1, box(p.Hairline, nil, 0, 0))))
	}
	if r.focused {
		objects = append(objects, Pad(1, box(nil, p.Ink, theme.LineChosen, theme.RadiusTouch)))
	}
	return Stack(objects...)
}

// Fact is a line of two columns: what it is, and what it says. The words may
// hold **bold**.
func Fact(name, words string, nameWidth float32) fyne.CanvasObject {
	return NewFactRow(FactState{Name: name, Words: words, NameWidth: nameWidth})
}

// FactState is a line of two columns.
type FactState struct {
	Name      string
	Words     string
	NameWidth float32
	Pill      *PillState // in place of the words
}

// FactRow is a line of two columns: what it is, and what it says.
type FactRow struct {
	piece
	state FactState
}

// NewFactRow returns a line of two columns.
func NewFactRow(s FactState) *FactRow {
	f := &FactRow{state: s}
	f.start(f, f.draw)
	return f
}

// Set changes the line.
func (f *FactRow) Set(s FactState) { f.state = s; f.Refresh() }

func (f *FactRow) draw() fyne.CanvasObject {
	var value fyne.CanvasObject = NewWords(f.state.Words, Body)
	if f.state.Pill != nil {
		value = Row(0, NewPill(*f.state.Pill), Space())
	}
	row := Row(16, Wide(f.state.NameWidth, Middle(NewWords(f.state.Name, Second))), Grow(Middle(value)))
	return Stack(AtLeast(0, 46, PadXY(10, 8, row)), Column(0, Space(), AtLeast(0, 1, box(look().Hairline, nil, 0, 0))))
}
