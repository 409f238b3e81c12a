package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// DotState is one state on the top bar: a mark, a word, a colour.
type DotState struct {
	Tone theme.Tone
	// Words are the same thing said ever shorter, the longest first; the mark
	// stays whatever is shown. Never empty.
	Words []string
}

// StatusDot shows one state on the dark bar.
type StatusDot struct {
	piece
	state DotState
	short int
}

// NewStatusDot returns a status dot.
func NewStatusDot(s DotState) *StatusDot {
	w := &StatusDot{state: s}
	w.start(w, w.draw)
	return w
}

// Set changes the dot.
func (w *StatusDot) Set(s DotState) { w.state = s; w.Refresh() }

func (w *StatusDot) words() string {
	if len(w.state.Words) == 0 {
		return ""
	}
	return w.state.Words[min(w.short, len(w.state.Words)-1)]
}

func (w *StatusDot) draw() fyne.CanvasObject {
	p := look()
	return Row(7, round(theme.ToneSign(w.state.Tone), p.OnMark, p.Tone(w.state.Tone).OnBar, 20),
		NewWords(w.words(), onBar))
}

var (
	onBar  = Style{Size: theme.SizeCaption, OneLine: true, Colour: func(p *theme.Palette) nrgba { return p.OnBar }}
	onBar2 = Style{Size: theme.SizeCaption, OneLine: true, Colour: func(p *theme.Palette) nrgba { return p.OnBar2 }}
)

// BarState is the bar on top. It never changes place or order: where we are,
// each fitted device, the hub, the lists with their age, clock, power, who is
// signed in, the language.
type BarState struct {
	Where    []string // the kiosk's place, ever shorter
	Dots     []DotState
	Who      []string // ever shorter
	Language string   // "EN"
}

// TopBar is the bar on top. When the room is short, words shorten by rule:
// first those of what is well, from the right, one step at a time, then the rest;
// then things move closer; then the person and the place; marks stay.
type TopBar struct {
	widget.BaseWidget
	state BarState
	dots  []*StatusDot
	lang  *barButton
	parts []fyne.CanvasObject
	laid  fyne.Size // for which the parts were made
	// OnLanguage asks for the other language.
	OnLanguage func()
}

// NewTopBar returns the bar on top.
func NewTopBar(s BarState, language func()) *TopBar {
	b := &TopBar{OnLanguage: language}
	b.lang = &barButton{tapped: func() {
		if b.OnLanguage != nil {
			b.OnLanguage()
		}
	}}
	b.lang.start(b.lang, b.lang.draw)
	b.state = s
	b.lang.word = s.Language
	b.ExtendBaseWidget(b)
	return b
}

// Set changes the bar.
func (b *TopBar) Set(s BarState) {
	b.state = s
	if b.lang.word != s.Language {
		b.lang.word = s.Language
		b.lang.Refresh()
	}
	b.Refresh()
}

// CreateRenderer implements fyne.Widget.
func (b *TopBar) CreateRenderer() fyne.WidgetRenderer {
	r := &topBarRenderer{b}
	r.make()
	return r
}

type topBarRenderer struct{ b *TopBar }

func (r *topBarRenderer) Destroy()                     {}
func (r *topBarRenderer) Objects() []fyne.CanvasObject { return r.b.parts }
func (r *topBarRenderer) MinSize() fyne.Size           { return fyne.NewSize(640, barHeight()) }
func (r *topBarRenderer) Refresh()                     { r.make(); canvas.Refresh(r.b) }

// Layout makes the bar anew only for another width: new objects want a layout of
// their own, and there would be no end of frames.
func (r *topBarRenderer) Layout(s fyne.Size) {
	if s != r.b.laid {
		r.make()
	}
}

func barHeight() float32 { return max(theme.TopBarHeight, theme.Current().Target()) }

const (
	barName   = "TAMBO"
	barGap    = 18
	barRuleAt = 1
)

// cuts is how far each text of the bar is shortened.
type cuts struct {
	dots       []int
	where, who int
	close      bool // less room between
}

func (c cuts) gap() float32 {
	if c.close {
		return barGap - 7
	}
	return barGap
}

func pick(words []string, n int) string {
	if len(words) == 0 {
		return ""
	}
	return words[min(n, len(words)-1)]
}

// shorten finds the first shortening that fits a width.
func (b *TopBar) shorten(width float32) cuts {
	c := cuts{dots: make([]int, len(b.state.Dots))}
	cut := func(i int) bool {
		if c.dots[i]+1 < len(b.state.Dots[i].Words) {
			c.dots[i]++
			return true
		}
		return false
	}
	steps := []func() bool{
		func() bool { // what is well, from the right
			for i := len(c.dots) - 1; i >= 0; i-- {
				if b.state.Dots[i].Tone == theme.Good && cut(i) {
					return true
				}
			}
			return false
		},
		func() bool {
			for i := len(c.dots) - 1; i >= 0; i-- {
				if cut(i) {
					return true
				}
			}
			return false
		},
		func() bool { was := c.close; c.close = true; return !was },
		func() bool { c.who++; return c.who < len(b.state.Who) },
		func() bool { c.where++; return c.where < len(b.state.Where) },
	}
	for _, step := range steps {
		for b.needs(c) > width && step() {
		}
	}
	return c
}

func (b *TopBar) needs(c cuts) float32 {
	gap := c.gap()
	w := theme.GapEdge - gap + Style{Size: 20, Bold: true}.measure(barName).Width + 3*20 + onBar2.measure(pick(b.state.Where, c.where)).Width
	for i, d := range b.state.Dots {
		w += gap + 27 + onBar.measure(pick(d.Words, c.dots[i])).Width
	}
	return w + gap + barRuleAt + gap + onBar.measure(pick(b.state.Who, c.who)).Width + b.lang.MinSize().Width
}

func (r *topBarRenderer) make() {
	b, p := r.b, look()
	size := b.Size()
	b.laid = size
	c := b.shorten(size.Width)
	for len(b.dots) < len(b.state.Dots) {
		b.dots = append(b.dots, NewStatusDot(DotState{}))
	}
	b.dots = b.dots[:len(b.state.Dots)]
	row := []fyne.CanvasObject{
		NewWords(barName, Style{Size: 20, Bold: true, OneLine: true, Colour: onBar.Colour}),
		NewWords(pick(b.state.Where, c.where), onBar2),
		Space(),
	}
	var dots []fyne.CanvasObject
	for i, d := range b.dots {
		d.state = b.state.Dots[i]
		d.short, d.root = c.dots[i], nil
		d.Refresh()
		dots = append(dots, d)
	}
	rule := Middle(AtLeast(barRuleAt, 24, box(p.OnBar2, nil, 0, 0)))
	dots = append(dots, rule, NewWords(pick(b.state.Who, c.who), onBar))
	row = append(row, Row(c.gap(), dots...))
	left := PadXYZ(theme.GapEdge, 0, 0, 0, Row(20, row...))
	all := Row(0, Grow(left), b.lang)
	b.parts = []fyne.CanvasObject{box(p.Bar, nil, 0, 0), all}
	for _, o := range b.parts {
		o.Resize(size)
	}
}

// barButton is the language button at the bar's end.
type barButton struct {
	piece
	touching
	word   string
	tapped func()
}

var (
	_ fyne.Tappable      = (*barButton)(nil)
	_ fyne.Focusable     = (*barButton)(nil)
	_ desktop.Cursorable = (*barButton)(nil)
)

func (b *barButton) Tapped(*fyne.PointEvent) { b.tapped() }
func (b *barButton) FocusGained()            { b.focused = true; b.Refresh() }
func (b *barButton) FocusLost()              { b.focused = false; b.Refresh() }
func (b *barButton) TypedRune(rune)          {}
func (b *barButton) Cursor() desktop.Cursor  { return desktop.PointerCursor }
func (b *barButton) TypedKey(k *fyne.KeyEvent) {
	stir(b)
	escape(b, k)
	if k.Name == fyne.KeySpace || k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter {
		b.tapped()
	}
}

func (b *barButton) draw() fyne.CanvasObject {
	p := look()
	t := theme.Current().Target()
	face := Row(6, Space(), NewWords(b.word, Style{Size: theme.SizeCaption, Bold: true, OneLine: true, Colour: onBar.Colour}), sign(theme.SignDown, p.OnBar, 13), Space())
	objects := []fyne.CanvasObject{AtLeast(t+14, t, face)}
	if b.focused {
		objects = append(objects, Pad(6, box(nil, p.OnBar, theme.LineChosen, theme.RadiusTouch)))
	}
	return Stack(objects...)
}
