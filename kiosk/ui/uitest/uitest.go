// Package uitest judges the form of screens: it walks what is drawn and says
// where a hand could not touch, an eye could not read, or words do not fit. It
// also compares pictures with golden images.
//
// It is for tests only; no program links it. It never judges what a screen
// means, only whether it can be used. Measures are those of package theme; contrast
// follows WCAG 2.1 level AA.
package uitest

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/theme"
)

// Sizes are the windows that every screen must fit.
var Sizes = []fyne.Size{{Width: 1024, Height: 768}, {Width: 1280, Height: 800}, {Width: 1920, Height: 1080}}

// Form shows what build makes in every size, by day and by night, and returns
// what is wrong, each finding once, with the size and theme it was first seen in.
func Form(t testing.TB, m theme.Metrics, build func() fyne.CanvasObject) []string {
	t.Helper()
	var all []string
	seen := map[string]bool{}
	for _, night := range []bool{false, true} {
		for _, size := range Sizes {
			App(t, night, m)
			w := Window(t, build(), size)
			for _, f := range Check(w.Canvas()) {
				if !seen[f] {
					seen[f] = true
					all = append(all, fmt.Sprintf("%.0f×%.0f, night %t: %s", size.Width, size.Height, night, f))
				}
			}
		}
	}
	return all
}

// Check walks what a canvas shows, its topmost overlay if there is one, and
// returns what is wrong with its form.
func Check(c fyne.Canvas) []string {
	root := c.Content()
	if o := c.Overlays().Top(); o != nil {
		root = o
	}
	bounds := rect{0, 0, c.Size().Width, c.Size().Height}
	k := &checker{theme: theme.Current()}
	k.shapes = append(k.shapes, shape{bounds, k.theme.Palette().Paper, true})
	k.walk(root, root.Position(), []rect{bounds}, -1, bounds)
	k.judge()
	slices.Sort(k.found)
	return slices.Compact(k.found)
}

// Over reports whether anything that a canvas shows is higher than its room, so
// that a part of it must be scrolled to.
func Over(c fyne.Canvas) bool {
	var over func(o fyne.CanvasObject) bool
	all := func(l []fyne.CanvasObject) bool { return slices.ContainsFunc(l, over) }
	over = func(o fyne.CanvasObject) bool {
		if o == nil || !o.Visible() {
			return false
		}
		if s, ok := o.(interface{ Over() bool }); ok && s.Over() {
			return true
		}
		switch o := o.(type) {
		case *fyne.Container:
			return all(o.Objects)
		case fyne.Widget:
			return all(test.WidgetRenderer(o).Objects())
		}
		return false
	}
	return over(c.Content())
}

type rect struct{ x1, y1, x2, y2 float32 }

func (r rect) inside(o rect, slack float32) bool {
	return r.x1 >= o.x1-slack && r.y1 >= o.y1-slack && r.x2 <= o.x2+slack && r.y2 <= o.y2+slack
}

func (r rect) meets(o rect, least float32) bool {
	return min(r.x2, o.x2)-max(r.x1, o.x1) > least && min(r.y2, o.y2)-max(r.y1, o.y1) > least
}

func (r rect) has(x, y float32) bool { return x >= r.x1 && x < r.x2 && y >= r.y1 && y < r.y2 }

func (r rect) cut(o rect) rect {
	return rect{max(r.x1, o.x1), max(r.y1, o.y1), min(r.x2, o.x2), min(r.y2, o.y2)}
}

func (r rect) empty() bool { return r.x2 <= r.x1 || r.y2 <= r.y1 }

// distance between two rectangles, 0 if they touch.
func (r rect) distance(o rect) float32 {
	dx := max(0, max(r.x1, o.x1)-min(r.x2, o.x2))
	dy := max(0, max(r.y1, o.y1)-min(r.y2, o.y2))
	return float32(math.Hypot(float64(dx), float64(dy)))
}

func (r rect) String() string {
	return fmt.Sprintf("%.0f×%.0f at %.0f,%.0f", r.x2-r.x1, r.y2-r.y1, r.x1, r.y1)
}

// shape is something painted; known says that its colour is.
type shape struct {
	r     rect
	fill  color.Color
	known bool
}

type words struct {
	t      *canvas.Text
	r      rect // as drawn
	target int  // it belongs to, -1 none
}

type target struct {
	r      rect
	name   string
	key    bool
	parent int
}

type checker struct {
	theme   *theme.Theme
	shapes  []shape // in painting order
	words   []words
	targets []target
	found   []string
}

func (k *checker) say(format string, a ...any) { k.found = append(k.found, fmt.Sprintf(format, a...)) }

func at(pos fyne.Position, s fyne.Size) rect {
	return rect{pos.X, pos.Y, pos.X + s.Width, pos.Y + s.Height}
}

// walk visits an object and what it holds, in painting order. In are the boxes
// it must stay within, view is what of it can be seen.
func (k *checker) walk(o fyne.CanvasObject, pos fyne.Position, in []rect, of int, view rect) {
	if o == nil || !o.Visible() {
		return
	}
	r := at(pos, o.Size())
	if tap, ok := o.(fyne.Tappable); ok {
		of = k.target(tap, r, in, of, view)
	}
	switch o := o.(type) {
	case *canvas.Text:
		k.text(o, r, in, of, view)
	case *canvas.Rectangle:
		k.rectangle(o, r, of)
	case *canvas.Circle:
		k.paint(r, o.FillColor)
	case *canvas.Image:
		if o.Size().Width > 40 { // a picture, not a mark
			k.shapes = append(k.shapes, shape{r: r})
		}
	case *canvas.Raster:
		if o.Size().Width > 40 {
			k.shapes = append(k.shapes, shape{r: r})
		}
	case *fyne.Container:
		inside := append(slices.Clone(in), r)
		for _, c := range o.Objects {
			k.walk(c, pos.Add(c.Position()), inside, of, view)
		}
	case *container.Scroll:
		k.scroll(o, pos, r, of, view)
	case interface{ Room() *container.Scroll }:
		k.scroll(o.Room(), pos, r, of, view)
	case fyne.Widget:
		if _, ok := o.(interface{ SelectedText() string }); ok {
			return // an entry scrolls what is typed
		}
		inside := append(slices.Clone(in), r)
		for _, c := range test.WidgetRenderer(o).Objects() {
			k.walk(c, pos.Add(c.Position()), inside, of, view)
		}
	}
}

// scroll visits what can be moved: it may be higher than its room.
func (k *checker) scroll(o *container.Scroll, pos fyne.Position, r rect, of int, view rect) {
	p := pos.Add(o.Content.Position())
	room := at(p, o.Content.Size())
	if o.Direction == container.ScrollVerticalOnly { // nobody can move it sideways
		room.x1, room.x2 = r.x1, r.x2
	}
	k.walk(o.Content, p, []rect{room}, of, view.cut(r))
}

func (k *checker) target(o fyne.Tappable, r rect, in []rect, of int, view rect) int {
	if d, ok := o.(fyne.Disableable); ok && d.Disabled() {
		return of
	}
	seen := r.cut(view)
	if seen.empty() {
		return of
	}
	name := fmt.Sprintf("%T", o)
	key := false
	if x, ok := o.(interface{ IsKey() bool }); ok {
		key = x.IsKey()
	}
	t := target{seen, name, key, of}
	w, h := r.x2-r.x1, r.y2-r.y1
	least := k.theme.Target()
	if key {
		least = k.theme.Key()
	}
	if min(w, h) < least-0.5 {
		k.say("%s is %.1f×%.1f mm, wants %.0f", name, w/k.theme.MM(1), h/k.theme.MM(1), least/k.theme.MM(1))
	}
	for _, b := range in {
		if !r.inside(b, 1) {
			k.say("%s (%v) sticks out of its box (%v)", name, r, b)
			break
		}
	}
	k.targets = append(k.targets, t)
	return len(k.targets) - 1
}

func (k *checker) text(t *canvas.Text, r rect, in []rect, of int, view rect) {
	if t.Text == "" {
		return
	}
	m := t.MinSize()
	d := r
	switch t.Alignment {
	case fyne.TextAlignCenter:
		d.x1 = (r.x1 + r.x2 - m.Width) / 2
	case fyne.TextAlignTrailing:
		d.x1 = r.x2 - m.Width
	}
	d.x2 = d.x1 + m.Width
	if extra := (r.y2 - r.y1 - m.Height) / 2; extra > 0 {
		d.y1 += extra
	}
	d.y2 = d.y1 + m.Height
	short := t.Text
	if n := []rune(short); len(n) > 40 {
		short = string(n[:40]) + "…"
	}
	if m.Width > r.x2-r.x1+1.5 || m.Height > r.y2-r.y1+1.5 {
		k.say("%q needs %.0f×%.0f, has %.0f×%.0f", short, m.Width, m.Height, r.x2-r.x1, r.y2-r.y1)
	}
	ink := rect{d.x1, d.y1 + 0.22*m.Height, d.x2, d.y2 - 0.2*m.Height}
	for _, b := range in {
		if !ink.inside(b, 1.5) {
			k.say("%q (%v) sticks out of its box (%v)", short, d, b)
			break
		}
	}
	switch size := t.TextSize; {
	case size < theme.SizeCaption:
		k.say("%q is %.0f px, the least is %.0f", short, size, theme.SizeCaption)
	case size > theme.SizeCaption && size < theme.SizeText:
		k.say("%q is %.0f px: neither a caption nor working text", short, size)
	}
	if ink = ink.cut(view); ink.empty() {
		return
	}
	if s, ok := k.under((ink.x1+ink.x2)/2, (ink.y1+ink.y2)/2); ok && s.known {
		if c := theme.Contrast(t.Color, s.fill); c < 4.5 {
			k.say("%q has contrast %.2f:1, wants 4.5:1", short, c)
		}
	}
	k.words = append(k.words, words{t, ink, of})
}

// under returns the last shape painted at a point.
func (k *checker) under(x, y float32) (shape, bool) {
	for i := len(k.shapes) - 1; i >= 0; i-- {
		if k.shapes[i].r.has(x, y) {
			return k.shapes[i], true
		}
	}
	return shape{}, false
}

func opaque(c color.Color) bool {
	if c == nil {
		return false
	}
	_, _, _, a := c.RGBA()
	return a == 0xFFFF
}

func (k *checker) paint(r rect, c color.Color) {
	if opaque(c) {
		k.shapes = append(k.shapes, shape{r, c, true})
	}
}

// rectangle paints; as the outline of a thing one can touch, it must be seen.
func (k *checker) rectangle(o *canvas.Rectangle, r rect, of int) {
	if of >= 0 && (opaque(o.FillColor) || opaque(o.StrokeColor) && o.StrokeWidth > 0) {
		t := k.targets[of].r
		if (r.x2-r.x1)*(r.y2-r.y1) > 0.9*(t.x2-t.x1)*(t.y2-t.y1) {
			if s, ok := k.under(t.x1+1, (t.y1+t.y2)/2); ok && s.known {
				best := 0.0
				if opaque(o.FillColor) {
					best = theme.Contrast(o.FillColor, s.fill)
				}
				if opaque(o.StrokeColor) && o.StrokeWidth > 0 {
					best = max(best, theme.Contrast(o.StrokeColor, s.fill))
					if opaque(o.FillColor) { // either side of the line will do
						best = max(best, theme.Contrast(o.StrokeColor, o.FillColor))
					}
				}
				if best < 3 && o.StrokeWidth > 0 {
					k.say("border of %s has contrast %.2f:1, wants 3:1", k.targets[of].name, best)
				}
			}
		}
	}
	k.paint(r, o.FillColor)
}

// below reports whether a target is another or lies within it.
func (k *checker) below(t, of int) bool {
	for ; t >= 0; t = k.targets[t].parent {
		if t == of {
			return true
		}
	}
	return false
}

// judge looks at pairs: what lies over what, and too close to what.
func (k *checker) judge() {
	gap := k.theme.Gap()
	for i, a := range k.targets {
		for j := i + 1; j < len(k.targets); j++ {
			b := k.targets[j]
			if k.below(j, i) || k.below(i, j) {
				continue
			}
			if a.r.meets(b.r, 0) {
				k.say("%s (%v) lies over %s (%v)", b.name, b.r, a.name, a.r)
			} else if d := a.r.distance(b.r); d < gap-0.5 {
				k.say("%s (%v) and %s (%v) are %.1f mm apart, want 3", a.name, a.r, b.name, b.r, d/k.theme.MM(1))
			}
		}
		for _, w := range k.words {
			if !k.below(w.target, i) && w.r.meets(a.r, 1) {
				k.say("%q lies over %s (%v)", w.t.Text, a.name, a.r)
			}
		}
	}
	for i, a := range k.words {
		for _, b := range k.words[i+1:] {
			if a.r.meets(b.r, 1) {
				k.say("%q and %q overlap", a.t.Text, b.t.Text)
			}
		}
	}
}
