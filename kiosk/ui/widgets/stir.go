package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/widget"
)

// Watch puts a screen under watch: on is called for every key that a widget in
// it takes, every key of the keyboard on the screen, and every move of the mouse
// or of a finger over it. A kiosk locks when nobody is there, not when nothing is
// decided.
type Watch struct {
	widget.BaseWidget
	object fyne.CanvasObject
	on     func()
}

var _ desktop.Hoverable = (*Watch)(nil)

// NewWatch returns an object under watch.
func NewWatch(o fyne.CanvasObject, on func()) *Watch {
	w := &Watch{object: o, on: on}
	w.ExtendBaseWidget(w)
	return w
}

// MouseIn implements desktop.Hoverable.
func (w *Watch) MouseIn(*desktop.MouseEvent) {}

// MouseMoved implements desktop.Hoverable.
func (w *Watch) MouseMoved(*desktop.MouseEvent) { w.on() }

// MouseOut implements desktop.Hoverable.
func (w *Watch) MouseOut() {}

// CreateRenderer implements fyne.Widget.
func (w *Watch) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(w.object) }

// stir tells the watch over a widget's window that somebody is there.
func stir(o fyne.CanvasObject) {
	a := fyne.CurrentApp()
	if a == nil {
		return
	}
	c := a.Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	if w := watchOf(c.Content()); w != nil {
		w.on()
	}
}

// watchOf finds the watch at the root of a window.
func watchOf(o fyne.CanvasObject) *Watch {
	for range 2 {
		switch x := o.(type) {
		case *Watch:
			return x
		case *fyne.Container:
			if len(x.Objects) != 1 {
				return nil
			}
			o = x.Objects[0]
		default:
			return nil
		}
	}
	return nil
}
