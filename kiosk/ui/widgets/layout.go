package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
)

type (
	fyneColor = color.Color
	nrgba     = color.NRGBA
)

// flower is an object whose height follows from its width: a paragraph, or
// what holds one.
type flower interface{ HeightFor(width float32) float32 }

// Flow is a layout whose height follows from its width, of another package.
type Flow interface {
	fyne.Layout
	HeightFor(o []fyne.CanvasObject, width float32) float32
}

// heightFor returns the height that an object wants at a width.
func heightFor(o fyne.CanvasObject, width float32) float32 {
	if f, ok := o.(flower); ok {
		return f.HeightFor(width)
	}
	if c, ok := o.(*fyne.Container); ok {
		if l, ok := c.Layout.(interface {
			heightFor([]fyne.CanvasObject, float32) float32
		}); ok {
			return l.heightFor(c.Objects, width)
		}
		if l, ok := c.Layout.(Flow); ok {
			return l.HeightFor(c.Objects, width)
		}
	}
	return o.MinSize().Height
}

// growing marks an object that takes the room that is left over.
type growing struct{}

func (growing) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }
func (growing) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.Position{})
	o[0].Resize(s)
}
func (growing) heightFor(o []fyne.CanvasObject, w float32) float32 { return heightFor(o[0], w) }

// Grow lets an object take the room that is left over in a Row or a Column.
func Grow(o fyne.CanvasObject) fyne.CanvasObject { return container.New(growing{}, o) }

// Space takes the room that is left over, and shows nothing.
func Space() fyne.CanvasObject {
	r := canvas.NewRectangle(color.Transparent)
	return Grow(r)
}

func grows(o fyne.CanvasObject) bool {
	c, ok := o.(*fyne.Container)
	if !ok {
		return false
	}
	_, ok = c.Layout.(growing)
	return ok
}

// Row puts objects beside each other, each as wide as it needs; those in Grow
// share the rest.
func Row(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(&line{gap: gap}, o...)
}

// Column puts objects under each other, each as wide as the column and as high
// as it wants at that width; those in Grow share the rest.
func Column(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(&line{gap: gap, down: true}, o...)
}

// line is the layout of Row and Column.
type line struct {
	gap  float32
	down bool
}

func shown(objects []fyne.CanvasObject) []fyne.CanvasObject {
	var l []fyne.CanvasObject
	for _, o := range objects {
		if o.Visible() {
			l = append(l, o)
		}
	}
	return l
}

func (l *line) MinSize(objects []fyne.CanvasObject) (s fyne.Size) {
	objects = shown(objects)
	for i, o := range objects {
		m := o.MinSize()
		g := l.gap
		if i == 0 {
			g = 0
		}
		if l.down {
			s = fyne.NewSize(max(s.Width, m.Width), s.Height+m.Height+g)
		} else {
			s = fyne.NewSize(s.Width+m.Width+g, max(s.Height, m.Height))
		}
	}
	return s
}

// widths shares a width among the objects of a row.
func (l *line) widths(objects []fyne.CanvasObject, width float32) []float32 {
	left := width - l.gap*float32(len(objects)-1)
	w := make([]float32, len(objects))
	n := 0
	for i, o := range objects {
		if grows(o) {
			n++
			continue
		}
		w[i] = o.MinSize().Width
		left -= w[i]
	}
	for i, o := range objects {
		if grows(o) {
			w[i] = max(0, left/float32(n))
		}
	}
	return w
}

func (l *line) heightFor(objects []fyne.CanvasObject, width float32) (h float32) {
	objects = shown(objects)
	if l.down {
		for i, o := range objects {
			if i > 0 {
				h += l.gap
			}
			h += heightFor(o, width)
		}
		return h
	}
	for i, w := range l.widths(objects, width) {
		h = max(h, heightFor(objects[i], w))
	}
	return h
}

func (l *line) Layout(objects []fyne.CanvasObject, s fyne.Size) {
	objects = shown(objects)
	if !l.down {
		x := float32(0)
		for i, w := range l.widths(objects, s.Width) {
			objects[i].Move(fyne.NewPos(x, 0))
			objects[i].Resize(fyne.NewSize(w, s.Height))
			x += w + l.gap
		}
		return
	}
	left, n := s.Height-l.gap*float32(len(objects)-1), 0
	for _, o := range objects {
		if grows(o) {
			n++
		} else {
			left -= heightFor(o, s.Width)
		}
	}
	y := float32(0)
	for _, o := range objects {
		h := max(0, left/float32(max(n, 1)))
		if !grows(o) {
			h = heightFor(o, s.Width)
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(s.Width, h))
		y += h + l.gap
	}
}

// padding is room round an object; it may be negative.
type padding struct{ left, top, right, bottom float32 }

func (p padding) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	return fyne.NewSize(max(0, m.Width+p.left+p.right), max(0, m.Height+p.top+p.bottom))
}

func (p padding) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.NewPos(p.left, p.top))
	o[0].Resize(fyne.NewSize(s.Width-p.left-p.right, s.Height-p.top-p.bottom))
}

func (p padding) heightFor(o []fyne.CanvasObject, w float32) float32 {
	return heightFor(o[0], w-p.left-p.right) + p.top + p.bottom
}

// Pad leaves room round an object on all sides.
func Pad(all float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(padding{all, all, all, all}, o)
}

// PadXY leaves room at the sides and above and below.
func PadXY(x, y float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(padding{x, y, x, y}, o)
}

// stacked puts objects over each other, all of the same size.
type stacked struct{}

func (stacked) MinSize(o []fyne.CanvasObject) (s fyne.Size) {
	for _, x := range shown(o) {
		s = s.Max(x.MinSize())
	}
	return s
}

func (stacked) Layout(o []fyne.CanvasObject, s fyne.Size) {
	for _, x := range o {
		x.Move(fyne.Position{})
		x.Resize(s)
	}
}

func (stacked) heightFor(o []fyne.CanvasObject, w float32) (h float32) {
	for _, x := range shown(o) {
		h = max(h, heightFor(x, w))
	}
	return h
}

// Stack puts objects over each other, the first at the bottom.
func Stack(o ...fyne.CanvasObject) *fyne.Container { return container.New(stacked{}, o...) }

// middle keeps an object at its least height, in the middle of the height
// there is, and as wide as there is room.
type middle struct{}

func (middle) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }
func (middle) Layout(o []fyne.CanvasObject, s fyne.Size) {
	h := min(s.Height, heightFor(o[0], s.Width))
	o[0].Move(fyne.NewPos(0, (s.Height-h)/2))
	o[0].Resize(fyne.NewSize(s.Width, h))
}
func (middle) heightFor(o []fyne.CanvasObject, w float32) float32 { return heightFor(o[0], w) }

// Middle puts an object at half the height there is.
func Middle(o fyne.CanvasObject) fyne.CanvasObject { return container.New(middle{}, o) }

// atLeast gives an object a least size.
type atLeast struct{ size fyne.Size }

func (a atLeast) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize().Max(a.size) }
func (a atLeast) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.Position{})
	o[0].Resize(s)
}
func (a atLeast) heightFor(o []fyne.CanvasObject, w float32) float32 {
	return max(a.size.Height, heightFor(o[0], w))
}

// AtLeast gives an object a least size.
func AtLeast(w, h float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(atLeast{fyne.NewSize(w, h)}, o)
}

// fixed gives an object exactly a width, whatever it says it needs.
type fixed struct{ width float32 }

func (f fixed) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(f.width, heightFor(o[0], f.width))
}
func (f fixed) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.Position{})
	o[0].Resize(fyne.NewSize(f.width, s.Height))
}
func (f fixed) heightFor(o []fyne.CanvasObject, _ float32) float32 { return heightFor(o[0], f.width) }

// Wide gives an object exactly a width.
func Wide(w float32, o fyne.CanvasObject) fyne.CanvasObject { return container.New(fixed{w}, o) }

// wrapping puts objects beside each other and goes on below when a line is full.
type wrapping struct{ gap float32 }

func (l wrapping) MinSize(o []fyne.CanvasObject) (s fyne.Size) {
	for _, x := range shown(o) {
		s = s.Max(x.MinSize())
	}
	return s
}

func (l wrapping) place(o []fyne.CanvasObject, width float32, put func(fyne.CanvasObject, fyne.Position, fyne.Size)) float32 {
	x, y, h := float32(0), float32(0), float32(0)
	for _, c := range shown(o) {
		m := c.MinSize()
		if x > 0 && x+m.Width > width {
			x, y, h = 0, y+h+l.gap, 0
		}
		put(c, fyne.NewPos(x, y), m)
		x += m.Width + l.gap
		h = max(h, m.Height)
	}
	return y + h
}

func (l wrapping) Layout(o []fyne.CanvasObject, s fyne.Size) {
	l.place(o, s.Width, func(c fyne.CanvasObject, p fyne.Position, m fyne.Size) { c.Move(p); c.Resize(m) })
}

func (l wrapping) heightFor(o []fyne.CanvasObject, w float32) float32 {
	return l.place(o, w, func(fyne.CanvasObject, fyne.Position, fyne.Size) {})
}

// Wrap puts objects beside each other, and on further lines when one is full.
func Wrap(gap float32, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(wrapping{gap}, o...)
}

// PadXYZ leaves room on each side.
func PadXYZ(left, top, right, bottom float32, o fyne.CanvasObject) fyne.CanvasObject {
	return container.New(padding{left, top, right, bottom}, o)
}

func fynecontainer(l fyne.Layout, o ...fyne.CanvasObject) *fyne.Container {
	return container.New(l, o...)
}
