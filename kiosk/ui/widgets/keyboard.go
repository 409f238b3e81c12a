package widgets

import (
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// KeyboardState is the keyboard on the screen.
type KeyboardState struct {
	Language string // "es" or "en": which letters lie where
	Space    string // word on the space bar
	Upper    bool   // capitals only: names, machine-readable zones
}

// Keyboard types into the field that has the focus, and the field keeps it. It
// sends runes and Backspace, as a machine's keyboard does, and knows nothing of
// what is typed. Keys are 9 mm or more wide and 3 mm apart.
type Keyboard struct {
	widget.BaseWidget
	state  KeyboardState
	shift  bool
	extra  bool // signs and accents
	accent bool // an acute waits for its vowel
	target fyne.Focusable
	rows   [][]*key
}

// Special keys, in the layouts below.
const (
	keyBack   = '\b'
	keyShift  = '\x0e'
	keyExtra  = '\x1b'
	keySpace  = ' '
	deadAcute = '´'
)

var layouts = map[string][4]string{
	"es":   {"1234567890\b", "qwertyuiop´", "asdfghjklñ-", "\x0ezxcvbnm< \x1b"},
	"en":   {"1234567890\b", "qwertyuiopñ", "asdfghjkl.-", "\x0ezxcvbnm< \x1b"},
	"more": {"1234567890\b", "!?@#$%&*+=_", ".,:;/\\()'\"-", "\x0eáéíóúüç< \x1b"},
}

var acutes = map[rune]rune{'a': 'á', 'e': 'é', 'i': 'í', 'o': 'ó', 'u': 'ú', 'y': 'ý',
	'A': 'Á', 'E': 'É', 'I': 'Í', 'O': 'Ó', 'U': 'Ú', 'Y': 'Ý'}

var (
	_ fyne.Focusable   = (*Keyboard)(nil)
	_ fyne.Disableable = (*Keyboard)(nil)
)

// NewKeyboard returns a keyboard that types into a field until another gains
// the focus; see Serve.
func NewKeyboard(s KeyboardState) *Keyboard {
	k := &Keyboard{state: s}
	k.ExtendBaseWidget(k)
	k.fill()
	return k
}

// Serve names the fields that the keyboard types into. The first is the one it
// begins with.
func (k *Keyboard) Serve(fields ...*Field) {
	for i, f := range fields {
		if i == 0 && k.target == nil {
			k.target = f.Input()
		}
		was := f.OnFocus
		f.OnFocus = func(on bool) {
			if on {
				k.target = f.Input()
			}
			if was != nil {
				was(on)
			}
		}
	}
}

// Set changes the keyboard.
func (k *Keyboard) Set(s KeyboardState) {
	k.state = s
	k.fill()
	k.Refresh()
}

// FocusGained is never called: the keyboard takes no focus. It is a Focusable,
// and Disabled, so that a touch on it does not take the focus from a field.
func (k *Keyboard) FocusGained() {}

// FocusLost implements fyne.Focusable.
func (k *Keyboard) FocusLost() {}

// TypedRune implements fyne.Focusable.
func (k *Keyboard) TypedRune(rune) {}

// TypedKey implements fyne.Focusable.
func (k *Keyboard) TypedKey(*fyne.KeyEvent) {}

// Disabled is always true: see FocusGained.
func (k *Keyboard) Disabled() bool { return true }

// Enable does nothing.
func (k *Keyboard) Enable() {}

// Disable does nothing.
func (k *Keyboard) Disable() {}

func (k *Keyboard) upper() bool { return k.shift != k.state.Upper }

// fill gives every key its sign.
func (k *Keyboard) fill() {
	l, ok := layouts[k.state.Language]
	if !ok {
		l = layouts["en"]
	}
	if k.extra {
		l = layouts["more"]
	}
	if k.rows == nil {
		k.rows = make([][]*key, len(l))
	}
	for y, row := range l {
		for x, r := range []rune(row) {
			if x == len(k.rows[y]) {
				n := &key{board: k}
				n.start(n, n.draw)
				k.rows[y] = append(k.rows[y], n)
			}
			if k.upper() && unicode.IsLetter(r) {
				r = unicode.ToUpper(r)
			}
			k.rows[y][x].become(r)
		}
	}
}

// press does what a touch on a key does.
func (k *Keyboard) press(r rune) {
	switch r {
	case keyShift:
		k.shift = !k.shift
		k.fill()
		return
	case keyExtra:
		k.extra, k.accent = !k.extra, false
		k.fill()
		return
	}
	to := k.focus()
	if to == nil {
		return
	}
	switch {
	case r == keyBack:
		k.setAccent(false)
		to.TypedKey(&fyne.KeyEvent{Name: fyne.KeyBackspace})
		return
	case r == deadAcute:
		k.setAccent(!k.accent)
		return
	case k.accent:
		k.setAccent(false)
		if a, ok := acutes[r]; ok {
			r = a
		}
	}
	to.TypedRune(r)
	if k.shift {
		k.shift = false
		k.fill()
	}
}

func (k *Keyboard) setAccent(on bool) {
	if k.accent != on {
		k.accent = on
		for _, row := range k.rows {
			for _, n := range row {
				if n.rune == deadAcute {
					n.Refresh()
				}
			}
		}
	}
}

// focus returns the field to type into, and gives it the focus back if a touch
// took it.
func (k *Keyboard) focus() fyne.Focusable {
	c := fyne.CurrentApp().Driver().CanvasForObject(k)
	if c == nil {
		return k.target
	}
	if f := c.Focused(); f != nil {
		if _, ok := f.(*input); ok {
			k.target = f
			return f
		}
	}
	if k.target != nil {
		c.Focus(k.target)
	}
	return k.target
}

// CreateRenderer implements fyne.Widget.
func (k *Keyboard) CreateRenderer() fyne.WidgetRenderer { return &keyboardRenderer{k} }

type keyboardRenderer struct{ k *Keyboard }

func (r *keyboardRenderer) Destroy() {}

func (r *keyboardRenderer) Objects() (l []fyne.CanvasObject) {
	for _, row := range r.k.rows {
		for _, n := range row {
			l = append(l, n)
		}
	}
	return l
}

// keyHeight is that of any target; only the width of a key may be less.
func keyHeight() float32 { return theme.Current().Target() }

func (r *keyboardRenderer) MinSize() fyne.Size {
	m := theme.Current()
	n, rows := float32(len(r.k.rows[0])), float32(len(r.k.rows))
	return fyne.NewSize(n*m.Key()+(n-1)*m.Gap(), rows*keyHeight()+(rows-1)*m.Gap())
}

func (r *keyboardRenderer) Layout(s fyne.Size) {
	gap := theme.Current().Gap()
	h := (s.Height - gap*float32(len(r.k.rows)-1)) / float32(len(r.k.rows))
	for y, row := range r.k.rows {
		w := (s.Width - gap*float32(len(row)-1)) / float32(len(row))
		for x, n := range row {
			n.Move(fyne.NewPos(float32(x)*(w+gap), float32(y)*(h+gap)))
			n.Resize(fyne.NewSize(w, h))
		}
	}
}

func (r *keyboardRenderer) Refresh() {
	for _, row := range r.k.rows {
		for _, n := range row {
			n.Refresh()
		}
	}
	canvas.Refresh(r.k)
}

// key is one key. It takes no focus: the field keeps it.
type key struct {
	piece
	touching
	board *Keyboard
	rune  rune
}

var (
	_ fyne.Tappable      = (*key)(nil)
	_ desktop.Mouseable  = (*key)(nil)
	_ desktop.Cursorable = (*key)(nil)
)

// IsKey tells the form's test that the width of a key is asked of it.
func (n *key) IsKey() bool { return true }

func (n *key) become(r rune) {
	if n.rune != r || r == keyShift || r == keyExtra {
		n.rune = r
		n.Refresh()
	}
}

// Tapped implements fyne.Tappable.
func (n *key) Tapped(*fyne.PointEvent) { stir(n); n.board.press(n.rune) }

// MouseDown implements desktop.Mouseable.
func (n *key) MouseDown(*desktop.MouseEvent) { down = n; n.pressed = true; n.Refresh() }

// MouseUp implements desktop.Mouseable.
func (n *key) MouseUp(*desktop.MouseEvent) { up(n); n.pressed = false; n.Refresh() }

// Cursor implements desktop.Cursorable.
func (n *key) Cursor() desktop.Cursor { return desktop.PointerCursor }

func (n *key) draw() fyne.CanvasObject {
	p, m := look(), theme.Current()
	on := n.pressed || n.rune == keyShift && n.board.shift || n.rune == keyExtra && n.board.extra || n.rune == deadAcute && n.board.accent
	fill, line, width := p.Card, p.Border, theme.LineTouch
	if on {
		fill, line, width = p.AccentSoft, p.Accent, theme.LineChosen
	}
	st := Style{Size: 22, Bold: true, Centre: true, OneLine: true}
	var face fyne.CanvasObject
	switch n.rune {
	case keyBack:
		face = Row(0, Space(), sign(theme.SignBackspace, p.Ink, 28), Space())
	case keyShift:
		face = Row(0, Space(), sign(theme.SignShift, p.Ink, 26), Space())
	case keySpace:
		if n.board.state.Space == "" {
			face = Row(0, Space(), sign(theme.SignSpace, p.Ink, 30), Space())
		} else {
			st.Size = theme.SizeCaption
			face = NewWords(n.board.state.Space, st)
		}
	case keyExtra:
		word := "#+á"
		if n.board.extra {
			word = "abc"
		}
		st.Size = theme.SizeText
		face = NewWords(word, st)
	default:
		face = NewWords(string(n.rune), st)
	}
	return Stack(box(fill, line, width, theme.RadiusTouch), AtLeast(m.Key(), m.Key(), Middle(face)))
}

// Rune returns what the key types.
func (n *key) Rune() rune { return n.rune }
