package widgets

import (
	"math"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/theme"
)

// Scroll shows a column that may be higher than its room. A finger, a mouse and
// the wheel move it, and what gains the focus by keyboard comes into view. While
// something lies below, a line at its foot says so; the bar stands beside the
// content, never over it.
type Scroll struct {
	widget.BaseWidget
	pan     *pan
	content fyne.CanvasObject
	foot    *Words
	sign    fyne.CanvasObject
	parts   []fyne.CanvasObject
	over    bool // the content is higher than the room
}

const (
	scrollBar  = 18 // room of the bar beside the content
	scrollFoot = 26
	scrollEdge = 4 // a focus ring stands off that far
)

// NewScroll returns a column that moves; more are the words for "there is more
// below".
func NewScroll(content fyne.CanvasObject, more string) *Scroll {
	s := &Scroll{content: content, pan: newPan(content)}
	s.foot = NewWords(more, Style{Size: theme.SizeCaption, Bold: true, OneLine: true, Colour: func(p *theme.Palette) nrgba { return p.Tone(theme.Active).Ink }})
	s.sign = sign(theme.SignDown, look().Tone(theme.Active).Ink, 15)
	s.parts = []fyne.CanvasObject{s.pan, Row(8, Space(), s.sign, s.foot, Space())}
	s.pan.OnScrolled = func(fyne.Position) { s.atFoot() }
	s.ExtendBaseWidget(s)
	return s
}

// Over reports whether the content is higher than its room.
func (s *Scroll) Over() bool { return s.over }

// atFoot shows the line at the foot while something lies below.
func (s *Scroll) atFoot() {
	row := s.parts[1]
	below := s.over && s.pan.Offset.Y+s.pan.Size().Height < s.pan.Content.Size().Height-1
	if below == row.Visible() {
		return
	}
	if below {
		row.Show()
	} else {
		row.Hide()
	}
	canvas.Refresh(s)
}

// HeightFor returns the height that shows everything at a width.
func (s *Scroll) HeightFor(width float32) float32 {
	return heightFor(s.content, width-2*scrollEdge) + 2*scrollEdge
}

// CreateRenderer implements fyne.Widget.
func (s *Scroll) CreateRenderer() fyne.WidgetRenderer { return &scrollRenderer{s} }

type scrollRenderer struct{ s *Scroll }

func (r *scrollRenderer) Destroy()                     {}
func (r *scrollRenderer) Objects() []fyne.CanvasObject { return r.s.parts }
func (r *scrollRenderer) Refresh() {
	r.Layout(r.s.Size())
	r.s.pan.Refresh()
	canvas.Refresh(r.s)
}
func (r *scrollRenderer) MinSize() fyne.Size {
	return fyne.NewSize(r.s.content.MinSize().Width+2*scrollEdge, 60)
}

func (r *scrollRenderer) Layout(size fyne.Size) {
	s := r.s
	s.over = s.HeightFor(size.Width) > size.Height+0.5
	room := size
	s.pan.right = scrollEdge
	if s.over {
		s.pan.right = scrollBar
		room.Height -= scrollFoot
	}
	s.pan.width = room.Width
	s.pan.Move(fyne.Position{})
	s.pan.Resize(room)
	s.pan.settle()
	s.parts[1].Move(fyne.NewPos(0, room.Height))
	s.parts[1].Resize(fyne.NewSize(size.Width, scrollFoot))
	s.atFoot()
}

// pan is fyne's scroll, which a finger moves too: on a kiosk's panel a finger
// is a mouse, and fyne's own ignores a mouse that drags.
type pan struct {
	container.Scroll
	width, right float32
	travel       float32 // of the finger since it came down
}

var (
	_ fyne.Draggable    = (*pan)(nil)
	_ desktop.Mouseable = (*pan)(nil)
)

func newPan(content fyne.CanvasObject) *pan {
	p := &pan{}
	p.Direction = container.ScrollVerticalOnly
	p.Content = container.New(&panned{p}, content)
	p.ExtendBaseWidget(p)
	return p
}

// Room returns what is moved, for the form's test.
func (p *pan) Room() *container.Scroll { return &p.Scroll }

// settle gives the content its place anew, in a room that may be as large as before
// and have a bar. Nothing in it is made anew.
func (p *pan) settle() {
	c := p.Content.(*fyne.Container)
	size := c.MinSize().Max(p.Size())
	c.Resize(size)
	c.Layout.Layout(c.Objects, size)
	p.to(p.Offset.Y)
	p.Base.Refresh() // the bar
}

// to moves the content so that y of it is on top, as far as there is so much.
func (p *pan) to(y float32) {
	p.ScrollToOffset(fyne.NewPos(0, max(0, min(y, p.Content.Size().Height-p.Size().Height))))
}

// panned makes the content as wide as the room and as high as it wants there.
type panned struct{ p *pan }

func (l *panned) inner() float32 { return l.p.width - scrollEdge - l.p.right }

func (l *panned) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, heightFor(o[0], l.inner())+2*scrollEdge)
}

func (l *panned) Layout(o []fyne.CanvasObject, s fyne.Size) {
	o[0].Move(fyne.NewPos(scrollEdge, scrollEdge))
	o[0].Resize(fyne.NewSize(l.inner(), s.Height-2*scrollEdge))
}

// Dragged moves the content with the finger. A finger in a glove never holds
// still: until it has gone some way it is a touch.
func (p *pan) Dragged(e *fyne.DragEvent) {
	p.travel += float32(math.Abs(float64(e.Dragged.DX)) + math.Abs(float64(e.Dragged.DY)))
	if p.travel < p.slip() {
		return
	}
	letGo()
	p.to(p.Offset.Y - e.Dragged.DY)
	if p.OnScrolled != nil {
		p.OnScrolled(p.Offset)
	}
}

// slip is how far a finger may move and still touch: 3 mm, and 6 mm where
// nothing can be moved.
func (p *pan) slip() float32 {
	if p.Content.Size().Height > p.Size().Height+0.5 {
		return theme.Current().Gap()
	}
	return theme.Current().Target() / 2
}

// DragEnd touches what the finger came down on, if it stayed there: fyne takes
// every touch that moved two pixels for none.
func (p *pan) DragEnd() {
	stayed := p.travel < p.slip()
	p.travel = 0
	if o := down; o != nil && stayed {
		letGo()
		o.Tapped(&fyne.PointEvent{})
		return
	}
	letGo()
}

// MouseDown implements desktop.Mouseable.
func (p *pan) MouseDown(*desktop.MouseEvent) { p.travel = 0 }

// MouseUp implements desktop.Mouseable.
func (p *pan) MouseUp(*desktop.MouseEvent) {}

// pressable is a thing that a finger can come down on.
type pressable interface {
	fyne.Tappable
	desktop.Mouseable
}

// down is what a finger or the mouse came down on last. Of the UI goroutine.
var down pressable

// up forgets what came down: it was let go the usual way.
func up(o pressable) {
	if down == o {
		down = nil
	}
}

func letGo() {
	if o := down; o != nil {
		down = nil
		o.MouseUp(nil)
	}
}

// reveal moves the columns that an object lies in so that it can be seen. They are
// looked for in the window, from its content down: a list of the columns there are
// would hold those that the window no longer shows, too.
func reveal(o fyne.CanvasObject) {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(o)
	if c == nil {
		return
	}
	columns, _ := columnsOver(o, c.Content())
	at := d.AbsolutePositionForObject(o)
	for _, s := range columns {
		if !s.over {
			continue
		}
		y := at.Y - d.AbsolutePositionForObject(s.pan.Content).Y
		s.MoveTo(max(min(s.pan.Offset.Y, y-scrollEdge), y+o.Size().Height+scrollEdge-s.pan.Size().Height))
	}
}

// MoveTo moves the column so that y of its content is on top, as far as there is so
// much.
func (s *Scroll) MoveTo(y float32) {
	s.pan.to(y)
	s.atFoot()
}

// KeepPlace moves the columns of a screen that was made anew to where those of its
// picture before stood.
func KeepPlace(before, now fyne.CanvasObject) {
	old, all := Columns(before), Columns(now)
	if len(old) != len(all) {
		return
	}
	for i, s := range all {
		s.MoveTo(old[i].pan.Offset.Y)
	}
}

// Columns are those that are shown in an object, the outer before the inner.
func Columns(o fyne.CanvasObject) (all []*Scroll) {
	if o == nil || !o.Visible() {
		return nil
	}
	if s, ok := o.(*Scroll); ok {
		all = append(all, s)
	}
	for _, x := range within(o) {
		all = append(all, Columns(x)...)
	}
	return all
}

// columnsOver are the columns between from and what is shown in it, the innermost
// first; false: it is not shown there.
func columnsOver(o, from fyne.CanvasObject) ([]*Scroll, bool) {
	if from == nil || !from.Visible() {
		return nil, false
	}
	if from == o {
		return nil, true
	}
	for _, x := range within(from) {
		if l, ok := columnsOver(o, x); ok {
			if s, is := from.(*Scroll); is {
				l = append(l, s)
			}
			return l, true
		}
	}
	return nil, false
}
