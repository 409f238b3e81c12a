package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"

	"tambo/kiosk/ui/theme"
)

// ActKind is how an act button looks.
type ActKind int

// Kinds of act.
const (
	ActPlain   ActKind = iota
	ActPrimary         // the way on; one per screen
	ActStop            // destroys or gives up
	ActOnLoud          // on a loud banner
	ActChoice          // one of several answers; may be Chosen
)

// ActState is an act button.
type ActState struct {
	Kind   ActKind
	Label  string
	Short  string // for narrow panels; empty: Label
	Detail string // second line of a large button
	Sign   theme.Sign
	Reason string // not empty: it cannot be done now, and this is what is missing
	Chosen bool   // of ActChoice
	// Repeats lets the button act again at once. Without it a button acts once,
	// and ignores every further touch until Rearm: a double touch is one act.
	Repeats bool
	// Large is a button as large as its room, with large words.
	Large bool
	// NoEnter: Enter does not act, only touch, mouse and Space. Questions about
	// a person are asked so.
	NoEnter bool
}

// ActButton is an act that an officer can do. Tab reaches it, Enter and Space
// act.
type ActButton struct {
	piece
	touching
	state ActState
	tight int // 0 roomy, 1 tight, 2 short words
	spent bool
	act   func()
}

var (
	_ fyne.Focusable     = (*ActButton)(nil)
	_ fyne.Tappable      = (*ActButton)(nil)
	_ fyne.Disableable   = (*ActButton)(nil)
	_ desktop.Mouseable  = (*ActButton)(nil)
	_ desktop.Cursorable = (*ActButton)(nil)
)

// NewAct returns an act button.
func NewAct(s ActState, act func()) *ActButton {
	b := &ActButton{state: s, act: act}
	b.start(b, b.draw)
	return b
}

// State returns what the button shows.
func (b *ActButton) State() ActState { return b.state }

// Set changes what the button shows. It does not rearm it.
func (b *ActButton) Set(s ActState) {
	if s == b.state {
		return
	}
	b.state = s
	b.Refresh()
}

// OnAct changes what the button does.
func (b *ActButton) OnAct(act func()) { b.act = act }

// Rearm lets the button act again.
func (b *ActButton) Rearm() { b.spent = false }

// Spent reports whether the button has acted and was not rearmed.
func (b *ActButton) Spent() bool { return b.spent }

// Act does what a touch does.
func (b *ActButton) Act() {
	if b.Disabled() || b.spent {
		return
	}
	b.spent = !b.state.Repeats
	if b.act != nil {
		b.act()
	}
}

// Tapped implements fyne.Tappable.
func (b *ActButton) Tapped(*fyne.PointEvent) { b.Act() }

// Disabled implements fyne.Disableable: it has a reason why it cannot be done.
func (b *ActButton) Disabled() bool { return b.state.Reason != "" }

// Enable takes the reason away.
func (b *ActButton) Enable() { s := b.state; s.Reason = ""; b.Set(s) }

// Disable does nothing by itself: a button is never grey without a reason. Set one.
func (b *ActButton) Disable() {}

// FocusGained implements fyne.Focusable.
func (b *ActButton) FocusGained() { b.focused = true; b.Refresh(); reveal(b) }

// FocusLost implements fyne.Focusable.
func (b *ActButton) FocusLost() { b.focused, b.pressed = false, false; b.Refresh() }

// TypedRune implements fyne.Focusable.
func (b *ActButton) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (b *ActButton) TypedKey(k *fyne.KeyEvent) {
	stir(b)
	escape(b, k)
	switch k.Name {
	case fyne.KeySpace:
		b.Act()
	case fyne.KeyReturn, fyne.KeyEnter:
		if !b.state.NoEnter {
			b.Act()
		}
	}
}

// MouseDown implements desktop.Mouseable: pressing shows at once.
func (b *ActButton) MouseDown(*desktop.MouseEvent) {
	if down = b; !b.Disabled() && !b.spent {
		b.pressed = true
		b.Refresh()
	}
}

// MouseUp implements desktop.Mouseable.
func (b *ActButton) MouseUp(*desktop.MouseEvent) {
	up(b)
	if b.pressed {
		b.pressed = false
		b.Refresh()
	}
}

// Cursor implements desktop.Cursorable.
func (b *ActButton) Cursor() desktop.Cursor {
	if b.Disabled() {
		return desktop.DefaultCursor
	}
	return desktop.PointerCursor
}

// squeeze makes the button narrower, step by step; it reports a change.
func (b *ActButton) squeeze(level int) bool {
	if b.tight == level {
		return false
	}
	b.tight, b.root = level, nil
	return true
}

// colours returns ground, border and words.
func (b *ActButton) colours(p *theme.Palette) (fill, line, ink, ink2 nrgba, width float32) {
	stop := p.Tone(theme.Stop)
	fill, line, ink, ink2, width = p.Card, p.Border, p.Ink, p.Ink2, theme.LineTouch
	switch {
	case b.Disabled():
		fill, line, ink = p.Quiet, p.Quiet, p.Ink2
	case b.state.Kind == ActPrimary:
		fill, line, ink, ink2 = p.Accent, p.Accent, p.OnAccent, p.OnAccent2
	case b.state.Kind == ActStop:
		line, ink = stop.Solid, stop.Ink
	case b.state.Kind == ActOnLoud:
		line, ink = p.Card, stop.Ink
	case b.state.Chosen:
		fill, line, width = p.AccentSoft, p.Accent, theme.LineChosen
	}
	if b.pressed {
		if b.state.Kind == ActPrimary {
			line, width = p.OnAccent, theme.LineChosen
		} else {
			fill, line, width = p.AccentSoft, p.Accent, theme.LineChosen
			if b.state.Kind == ActStop || b.state.Kind == ActOnLoud {
				ink = p.Ink
			}
		}
	}
	return fill, line, ink, ink2, width
}

func (b *ActButton) draw() fyne.CanvasObject {
	p, m := look(), theme.Current()
	fill, line, ink, ink2, width := b.colours(p)
	in := func(c nrgba) func(*theme.Palette) nrgba { return func(*theme.Palette) nrgba { return c } }
	label := b.state.Label
	if b.tight > 1 && b.state.Short != "" {
		label = b.state.Short
	}
	if b.Disabled() && !b.state.Large {
		label = b.state.Reason
	}
	left := b.state.Kind == ActChoice && b.state.Large || b.state.Large && b.state.Detail != ""
	st := Style{Bold: true, Centre: true, Colour: in(ink)}
	if b.state.Large && b.state.Kind == ActPrimary {
		st.Size = 36
	}
	words := NewWords(label, st)
	mark := b.state.Sign
	if b.state.Chosen {
		mark = theme.SignCheck
	}
	size := st.size()
	w := words.Natural()
	if w > 340 { // two lines
		w = max(words.longest(), w/2+30)
	}
	var face fyne.CanvasObject = Wide(w+1, words)
	if mark != theme.SignNone {
		face = Row(8, sign(mark, ink, size*1.05), Wide(w+1, words))
	}
	if detail := b.state.Detail; b.state.Large && (detail != "" || b.Disabled()) {
		if b.Disabled() {
			detail = b.state.Reason
		}
		st := Style{Colour: in(ink2)}
		face = Column(4, Row(0, face, Space()), NewWords(detail, st))
	}
	inner := float32(26)
	least := m.Target() * 2.5
	if b.state.Kind == ActPrimary && !b.state.Large {
		least = m.Target() * 4
	}
	if b.tight > 0 || b.state.Kind == ActChoice {
		inner, least = 14, m.Target()*1.5
	}
	var content fyne.CanvasObject
	switch {
	case b.state.Large && b.state.Detail != "":
		content = PadXY(theme.GapEdge, 8, Middle(face))
	case left:
		st.Centre = false
		line := []fyne.CanvasObject{Grow(NewWords(label, st))}
		if mark != theme.SignNone {
			line = append([]fyne.CanvasObject{sign(mark, ink, size*1.05)}, line...)
		}
		content = PadXY(20, 8, Middle(Row(8, line...)))
	default:
		content = PadXY(inner, 4, Middle(Row(0, Space(), face, Space())))
	}
	objects := []fyne.CanvasObject{box(fill, line, width, theme.RadiusTouch), AtLeast(least, m.Target(), content)}
	if b.focused {
		around := p.Ink
		if b.state.Kind == ActOnLoud {
			around = p.Tone(theme.Stop).OnSolid
		}
		objects = append(objects, ring(around, theme.RadiusTouch))
	}
	return Stack(objects...)
}
