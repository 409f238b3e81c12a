package widgets

import (
	"cmp"
	"slices"

	"fyne.io/fyne/v2"
)

// Holder is a widget that shows others.
type Holder interface{ Holds() []fyne.CanvasObject }

// Holds implements [Holder].
func (p *piece) Holds() []fyne.CanvasObject { return []fyne.CanvasObject{p.made()} }

// Holds implements [Holder].
func (s *Scroll) Holds() []fyne.CanvasObject { return []fyne.CanvasObject{s.content} }

// Holds implements [Holder].
func (w *Watch) Holds() []fyne.CanvasObject { return []fyne.CanvasObject{w.object} }

// Holds implements [Holder].
func (b *TopBar) Holds() []fyne.CanvasObject { return []fyne.CanvasObject{b.lang} }

// Holds implements [Holder].
func (b *ActBar) Holds() []fyne.CanvasObject { return objects(b.all()) }

// Holds implements [Holder].
func (t *FieldTable) Holds() []fyne.CanvasObject { return objects(t.rows) }

func objects[T fyne.CanvasObject](l []T) (out []fyne.CanvasObject) {
	for _, x := range l {
		out = append(out, x)
	}
	return out
}

// Focusables are the things shown in an object that can have the focus, and
// those that could if they were not grey, from top to bottom.
func Focusables(o fyne.CanvasObject) (all []fyne.Focusable) {
	if o == nil || !o.Visible() {
		return nil
	}
	if f, ok := o.(fyne.Focusable); ok {
		all = append(all, f)
	}
	for _, x := range within(o) {
		all = append(all, Focusables(x)...)
	}
	return all
}

// within is what an object shows.
func within(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case Holder:
		return o.Holds()
	}
	return nil
}

// Counterpart is what, in the picture of a screen that was made anew, stands for
// a thing of the picture before: what says the same, or where as much can have
// the focus as before what stands in the same place (the language may have
// changed). Nil: there is nothing, or it is grey.
func Counterpart(before, now fyne.CanvasObject, had fyne.Focusable) fyne.Focusable {
	if had == nil {
		return nil
	}
	old, all := Focusables(before), Focusables(now)
	at := slices.Index(old, had)
	if at < 0 {
		return nil
	}
	name := nameOf(had)
	says := func(f fyne.Focusable) bool { return name != "" && nameOf(f) == name }
	i := slices.IndexFunc(all, says)
	if len(old) == len(all) && (i < 0 || says(all[at])) {
		i = at
	}
	if i < 0 || Types(all[i]) != Types(had) {
		return nil
	}
	same := all[i]
	if d, ok := same.(fyne.Disableable); ok && d.Disabled() {
		return nil
	}
	return same
}

// nameOf is what a thing that one can touch says; empty: it is none of those.
func nameOf(f fyne.Focusable) string {
	switch x := f.(type) {
	case *ActButton:
		return "act " + x.state.Label
	case *ListRow:
		return "row " + cmp.Or(x.state.Key, x.state.Second, x.state.Text)
	case *Step:
		return "step " + x.state.Title
	case *barButton:
		return "language"
	}
	return ""
}

// Types reports whether what has the focus takes what is typed: a field, no
// button that Enter would do.
func Types(f fyne.Focusable) bool { _, ok := f.(*input); return ok }
