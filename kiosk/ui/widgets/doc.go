// Package widgets is what the kiosk's screens are made of: cards, pills,
// gauges, the walk's steps, the two bars, act buttons, eye views, rows, the
// keyboard. Each takes its state as a value, by Set, and tells what a person did
// by a callback; between the two it remembers nothing but focus and what is being
// pressed.
//
// It never decides, never knows an encounter, never reads a clock and never
// translates: words come in ready to be shown. Everything here belongs to the UI
// goroutine, except [EyeView.Feed] and [EyeView.Draw], which any goroutine may
// call. Colours, measures and marks are those of package theme.
package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// piece is a widget whose picture is made anew from its state. Widgets that
// hold things which can have the focus keep those, and only arrange them anew.
type piece struct {
	widget.BaseWidget
	self  fyne.Widget
	build func() fyne.CanvasObject
	root  fyne.CanvasObject
}

func (p *piece) start(self fyne.Widget, build func() fyne.CanvasObject) {
	p.self, p.build = self, build
	p.ExtendBaseWidget(self)
}

func (p *piece) made() fyne.CanvasObject {
	if p.root == nil {
		p.root = p.build()
	}
	return p.root
}

// HeightFor returns the height that the widget wants at a width.
func (p *piece) HeightFor(width float32) float32 { return heightFor(p.made(), width) }

// CreateRenderer implements fyne.Widget.
func (p *piece) CreateRenderer() fyne.WidgetRenderer {
	p.made()
	return &pieceRenderer{p}
}

type pieceRenderer struct{ p *piece }

func (r *pieceRenderer) Destroy()                     {}
func (r *pieceRenderer) Layout(s fyne.Size)           { r.p.made().Resize(s) }
func (r *pieceRenderer) MinSize() fyne.Size           { return r.p.made().MinSize() }
func (r *pieceRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.p.made()} }

func (r *pieceRenderer) Refresh() {
	r.p.root = r.p.build()
	r.p.root.Resize(r.p.Size())
	canvas.Refresh(r.p.self)
}

// look is a shorthand for the theme's palette.
func look() *theme.Palette { return theme.Current().Palette() }

// touching is what pressing and focus look like, for things one can touch.
type touching struct {
	focused, pressed bool
}

// box draws a rounded rectangle.
func box(fill, stroke fyneColor, width, radius float32) *canvas.Rectangle {
	if fill == nil {
		fill = nrgba{}
	}
	r := canvas.NewRectangle(fill)
	r.StrokeColor, r.StrokeWidth, r.CornerRadius = stroke, width, radius
	return r
}

// ring is the focus ring round something; it stands off, so that it shows on
// any ground.
func ring(c fyneColor, radius float32) fyne.CanvasObject {
	r := box(nil, c, theme.LineChosen, radius+theme.FocusReach)
	return Pad(-theme.FocusReach, r)
}

// sign draws a mark of a size.
func sign(s theme.Sign, c nrgba, size float32) fyne.CanvasObject {
	o := icon(theme.Mark(s, c), size)
	if size < 24 { // beside words, whose middle lies below that of their line
		return PadXYZ(0, 3, 0, 0, o)
	}
	return o
}

func icon(r fyne.Resource, size float32) fyne.CanvasObject {
	i := drawn(r)
	i.SetMinSize(fyne.NewSize(size, size))
	return Middle(i)
}

// round draws a mark in a filled circle.
func round(s theme.Sign, ink, ground nrgba, size float32) fyne.CanvasObject {
	i := drawn(theme.Mark(s, ink))
	return Wide(size, Middle(AtLeast(size, size, Stack(box(ground, nil, 0, size/2), Pad(size*0.2, i)))))
}

// escape gives Escape to the window: it goes back from wherever the focus is.
func escape(o fyne.CanvasObject, k *fyne.KeyEvent) {
	if k.Name != fyne.KeyEscape {
		return
	}
	if c := fyne.CurrentApp().Driver().CanvasForObject(o); c != nil && c.OnTypedKey() != nil {
		c.OnTypedKey()(k)
	}
}
