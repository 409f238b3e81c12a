package ui

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/widgets"
)

// shield lies over a page that has just come and takes every touch for a moment.
// A gloved finger bounces, a wristband reader sends two line ends, an officer
// touches twice: the second touch was meant for what was there before, and must
// not answer what nobody has read. What is typed into a field goes through.
type shield struct {
	widget.BaseWidget
	gone  bool
	after fyne.Focusable // takes the focus when the shield goes
}

var (
	_ fyne.Tappable     = (*shield)(nil)
	_ desktop.Mouseable = (*shield)(nil)
)

// raise puts a shield over the page that comes now.
func (c *Controller) raise() {
	s := &shield{}
	s.ExtendBaseWidget(s)
	c.shield = s
	time.AfterFunc(c.o.Settle, func() { c.o.Do(func() { c.lower(s) }) })
}

func (c *Controller) lower(s *shield) {
	s.gone = true
	s.Hide()
	if c.shield == s && s.after != nil && c.win.Canvas().Focused() == nil {
		c.win.Canvas().Focus(s.after)
	}
	s.after = nil
}

// over returns an object under the shield, while there is one.
func (s *shield) over(o fyne.CanvasObject) fyne.CanvasObject {
	if s.gone {
		return o
	}
	return container.NewStack(o, s)
}

// focus gives the focus to what comes first on a page: to a field at once, to
// what Enter would do when the shield goes.
func (s *shield) focus(first fyne.Focusable, c fyne.Canvas) {
	if !widgets.Types(first) && !s.gone {
		c.Unfocus()
		s.after = first
		return
	}
	c.Focus(first)
}

// Tapped implements fyne.Tappable: nothing happens.
func (s *shield) Tapped(*fyne.PointEvent) {}

// MouseDown implements desktop.Mouseable: nothing shows that it is pressed.
func (s *shield) MouseDown(*desktop.MouseEvent) {}

// MouseUp implements desktop.Mouseable.
func (s *shield) MouseUp(*desktop.MouseEvent) {}

// CreateRenderer implements fyne.Widget: it is not seen.
func (s *shield) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewWithoutLayout())
}
