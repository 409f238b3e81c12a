package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"tambo/kiosk/ui/theme"
)

// CardState is a card: a white field with what belongs together.
type CardState struct {
	Title string     // may be empty
	Pill  *PillState // at the right of the title
	Tone  theme.Tone // Plain: hairline; else a border of 3 px in the tone
	Tight bool       // less room inside
}

// Card groups what belongs together.
type Card struct {
	piece
	state CardState
	body  fyne.CanvasObject
	head  fyne.CanvasObject // title and pill, of root
	pill  *Pill             // in it, nil: none
}

// NewCard returns a card round a body.
func NewCard(s CardState, body fyne.CanvasObject) *Card {
	c := &Card{state: s, body: body}
	c.start(c, c.draw)
	return c
}

// Set changes the card, not its body. A pill that changes many times a second is
// drawn anew alone.
func (c *Card) Set(s CardState) {
	before := c.state
	c.state = s
	if head, ok := c.head.(*fyne.Container); ok && c.pill != nil && before.Pill != nil && s.Pill != nil {
		before.Pill = s.Pill
		if s == before {
			c.pill.Set(*s.Pill)
			head.Layout.Layout(head.Objects, head.Size())
			return
		}
	}
	c.Refresh()
}

func (c *Card) draw() fyne.CanvasObject {
	p := look()
	line, width := p.Hairline, theme.LineHair
	if c.state.Tone != theme.Plain {
		line, width = p.Tone(c.state.Tone).Solid, theme.LineChosen
	}
	pad := theme.GapEdge
	if c.state.Tight {
		pad = theme.GapInside - 2
	}
	var in []fyne.CanvasObject
	c.head, c.pill = nil, nil
	if c.state.Title != "" || c.state.Pill != nil {
		head := []fyne.CanvasObject{Grow(Middle(NewWords(c.state.Title, Heading)))}
		if c.state.Pill != nil {
			c.pill = NewPill(*c.state.Pill)
			head = append(head, Middle(c.pill))
		}
		c.head = Row(theme.GapInside, head...)
		in = append(in, AtLeast(0, 34, c.head))
	}
	if c.body != nil {
		in = append(in, Grow(c.body))
	}
	return Stack(box(p.Card, line, width, theme.RadiusCard), Pad(pad, Column(10, in...)))
}

// PillState is a short state: a mark, a word, a colour.
type PillState struct {
	Tone theme.Tone
	Word string
	Sign theme.Sign // SignNone: the tone's own
}

// Pill shows a short state.
type Pill struct {
	piece
	state PillState
}

// NewPill returns a pill.
func NewPill(s PillState) *Pill {
	w := &Pill{state: s}
	w.start(w, w.draw)
	return w
}

// Set changes the pill.
func (w *Pill) Set(s PillState) { w.state = s; w.Refresh() }

func (w *Pill) draw() fyne.CanvasObject {
	p := look()
	c := p.Tone(w.state.Tone)
	s := w.state.Sign
	if s == theme.SignNone {
		s = theme.ToneSign(w.state.Tone)
	}
	var in []fyne.CanvasObject
	if s != theme.SignNone {
		in = append(in, sign(s, c.Ink, 16))
	}
	in = append(in, NewWords(w.state.Word, Style{Size: theme.SizeCaption, Bold: true, OneLine: true, Colour: func(*theme.Palette) nrgba { return c.Ink }}))
	return Stack(box(c.Soft, nil, 0, 17), PadXY(14, 6, Row(6, in...)))
}

// GaugeState is a value against its floor.
type GaugeState struct {
	Label string  // before the bar; empty: none
	Value float64 // 0 to 1
	Floor float64 // 0 to 1; negative: none
	Tone  theme.Tone
	Words string // after the bar, the number itself; empty: none
	// LabelWidth lines several gauges up; 0: as wide as the label.
	LabelWidth float32
}

// Gauge shows a value, and the floor it must reach as a stroke across.
type Gauge struct {
	piece
	state GaugeState
	bar   *fyne.Container // of root
}

// NewGauge returns a gauge.
func NewGauge(s GaugeState) *Gauge {
	g := &Gauge{state: s}
	g.start(g, g.draw)
	return g
}

// Set changes the gauge. A value that changes many times a second moves the bar
// and nothing else: its words are not drawn again.
func (g *Gauge) Set(s GaugeState) {
	before := g.state
	if s == before {
		return
	}
	g.state = s
	before.Value, before.Floor, before.Tone = s.Value, s.Floor, s.Tone
	if g.bar == nil || s != before {
		g.Refresh()
		return
	}
	g.bar.Objects[1].(*canvas.Rectangle).FillColor = look().Tone(s.Tone).Solid
	g.bar.Layout = &gaugeLayout{s}
	g.bar.Layout.Layout(g.bar.Objects, g.bar.Size())
	canvas.Refresh(g.bar)
}

func (g *Gauge) draw() fyne.CanvasObject {
	p := look()
	g.bar = fynecontainer(&gaugeLayout{g.state}, box(p.Quiet, nil, 0, 6), box(p.Tone(g.state.Tone).Solid, nil, 0, 6), box(p.Ink, nil, 0, 0))
	in := []fyne.CanvasObject{Grow(g.bar)}
	if g.state.Label != "" {
		var l fyne.CanvasObject = NewWords(g.state.Label, Body.Once())
		if g.state.LabelWidth > 0 {
			l = Wide(g.state.LabelWidth, l)
		}
		in = append([]fyne.CanvasObject{l}, in...)
	}
	if g.state.Words != "" {
		in = append(in, NewWords(g.state.Words, Strong.Once()))
	}
	return Row(12, in...)
}

type gaugeLayout struct{ s GaugeState }

func (l *gaugeLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(60, 22) }
func (l *gaugeLayout) Layout(o []fyne.CanvasObject, s fyne.Size) {
	const thick, tall, wide = 12, 20, 3
	y := (s.Height - thick) / 2
	put := func(o fyne.CanvasObject, x, y, w, h float32) { o.Move(fyne.NewPos(x, y)); o.Resize(fyne.NewSize(w, h)) }
	put(o[0], 0, y, s.Width, thick)
	show := func(o fyne.CanvasObject, seen bool) bool {
		if seen != o.Visible() {
			if seen {
				o.Show()
			} else {
				o.Hide()
			}
		}
		return seen
	}
	if v := float32(min(max(l.s.Value, 0), 1)); show(o[1], v > 0) {
		put(o[1], 0, y, max(thick, v*s.Width), thick)
	}
	if !show(o[2], l.s.Floor >= 0) {
		return
	}
	put(o[2], float32(min(l.s.Floor, 1))*s.Width-wide/2, (s.Height-tall)/2, wide, tall)
}
