package widgets

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// ActBar is the bar at the bottom: the hard cases on the left, offered before
// the struggle; the way on at the right. When the room is short, buttons move
// closer, then use their short words.
type ActBar struct {
	widget.BaseWidget
	left, right []*ActButton
	parts       []fyne.CanvasObject
	laid        []fyne.Size // of the bar and its buttons, when the parts were made
}

// NewActBar returns the bar at the bottom.
func NewActBar(left, right []*ActButton) *ActBar {
	b := &ActBar{left: left, right: right}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes the buttons.
func (b *ActBar) Set(left, right []*ActButton) {
	b.left, b.right = left, right
	b.Refresh()
}

// Rearm rearms every button.
func (b *ActBar) Rearm() {
	for _, a := range b.all() {
		a.Rearm()
	}
}

func (b *ActBar) all() []*ActButton {
	return append(append([]*ActButton(nil), b.left...), b.right...)
}

// CreateRenderer implements fyne.Widget.
func (b *ActBar) CreateRenderer() fyne.WidgetRenderer {
	r := &actBarRenderer{b}
	r.make()
	return r
}

type actBarRenderer struct{ b *ActBar }

const actBarPad = theme.GapInside

func (r *actBarRenderer) Destroy()                     {}
func (r *actBarRenderer) Objects() []fyne.CanvasObject { return r.b.parts }
func (r *actBarRenderer) MinSize() fyne.Size {
	return fyne.NewSize(640, theme.Current().Target()+2*actBarPad)
}

// Layout makes the bar anew only if something in it changed: new objects want
// a layout of their own, and there would be no end of frames.
func (r *actBarRenderer) Layout(s fyne.Size) {
	if now := r.sizes(s); !slices.Equal(now, r.b.laid) {
		r.make()
	}
}

func (r *actBarRenderer) sizes(s fyne.Size) []fyne.Size {
	out := []fyne.Size{s}
	for _, a := range r.b.all() {
		out = append(out, a.MinSize())
	}
	return out
}

func (r *actBarRenderer) Refresh() { r.make(); canvas.Refresh(r.b) }

func (r *actBarRenderer) make() {
	b, p := r.b, look()
	size, gap := b.Size(), theme.Current().Gap()
	for level := range 3 {
		w := 2*theme.GapEdge + gap
		for _, a := range b.all() {
			if a.squeeze(level) {
				a.Refresh()
			}
			w += a.MinSize().Width + gap
		}
		if w <= size.Width {
			break
		}
	}
	var row []fyne.CanvasObject
	for _, a := range b.left {
		row = append(row, a)
	}
	row = append(row, Space())
	for _, a := range b.right {
		row = append(row, a)
	}
	line := box(p.Hairline, nil, 0, 0)
	ground := box(p.Card, nil, 0, 0)
	acts := PadXY(theme.GapEdge, actBarPad, Row(gap, row...))
	b.parts = []fyne.CanvasObject{ground, line, acts}
	ground.Resize(size)
	line.Resize(fyne.NewSize(size.Width, theme.LineHair))
	acts.Resize(size)
	b.laid = r.sizes(size)
}
