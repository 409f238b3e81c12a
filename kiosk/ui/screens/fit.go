package screens

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"tambo/kiosk/ui/widgets"
)

// fit puts objects beside each other, equally wide, in as many columns as give
// each a least width.
type fit struct {
	widget.BaseWidget
	least, gap float32
	objects    []fyne.CanvasObject
}

func newFit(least, gap float32, o ...fyne.CanvasObject) *fit {
	f := &fit{least: least, gap: gap, objects: o}
	f.ExtendBaseWidget(f)
	return f
}

func (f *fit) place(width float32, put func(o fyne.CanvasObject, x, y, w, h float32)) float32 {
	n := min(len(f.objects), max(1, int((width+f.gap)/(f.least+f.gap))))
	if n == 0 {
		return 0
	}
	w, y := (width-f.gap*float32(n-1))/float32(n), float32(0)
	for i := 0; i < len(f.objects); i += n {
		row := f.objects[i:min(i+n, len(f.objects))]
		h := float32(0)
		for _, o := range row {
			h = max(h, widgets.HeightFor(o, w))
		}
		for k, o := range row {
			put(o, float32(k)*(w+f.gap), y, w, h)
		}
		y += h + f.gap
	}
	return y - f.gap
}

// HeightFor returns the height at a width.
func (f *fit) HeightFor(width float32) float32 {
	return f.place(width, func(fyne.CanvasObject, float32, float32, float32, float32) {})
}

// Holds implements widgets.Holder.
func (f *fit) Holds() []fyne.CanvasObject { return f.objects }

// CreateRenderer implements fyne.Widget.
func (f *fit) CreateRenderer() fyne.WidgetRenderer { return &fitRenderer{f} }

type fitRenderer struct{ f *fit }

func (r *fitRenderer) Destroy()                     {}
func (r *fitRenderer) Objects() []fyne.CanvasObject { return r.f.objects }
func (r *fitRenderer) Refresh()                     { r.Layout(r.f.Size()) }
func (r *fitRenderer) MinSize() fyne.Size {
	w := float32(0)
	for _, o := range r.f.objects {
		w = max(w, o.MinSize().Width)
	}
	return fyne.NewSize(w, r.f.HeightFor(max(w, r.f.Size().Width)))
}

func (r *fitRenderer) Layout(s fyne.Size) {
	r.f.place(s.Width, func(o fyne.CanvasObject, x, y, w, h float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(w, h))
	})
}
