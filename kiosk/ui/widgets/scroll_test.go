package widgets

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
)

// tall is a column of ten buttons in a room for four.
func tall(t *testing.T, touched *[]int) (*Scroll, []*ActButton, fyne.Canvas) {
	t.Helper()
	uitest.App(t, false, theme.Metrics{})
	var l []fyne.CanvasObject
	var b []*ActButton
	for i := range 10 {
		b = append(b, NewAct(ActState{Label: fmt.Sprint("Answer ", i), Repeats: true}, func() { *touched = append(*touched, i) }))
		l = append(l, b[i])
	}
	s := NewScroll(Column(15, l...), "More below")
	w := uitest.Window(t, s, fyne.NewSize(400, 320))
	return s, b, w.Canvas()
}

func drag(p *pan, dy float32, steps int) {
	for range steps {
		p.Dragged(&fyne.DragEvent{Dragged: fyne.NewDelta(0, dy/float32(steps))})
	}
	p.DragEnd()
}

// TestAFingerMovesTheColumn, and does not answer what it came down on; a finger
// that slips a little answers, once.
func TestAFingerMovesTheColumn(t *testing.T) {
	var touched []int
	s, b, _ := tall(t, &touched)
	if !s.Over() || !s.parts[1].Visible() {
		t.Fatal("nothing says that there is more below")
	}
	b[1].MouseDown(nil)
	drag(s.pan, -200, 20)
	if s.pan.Offset.Y < 150 || len(touched) != 0 {
		t.Errorf("moved to %.0f, touched %v", s.pan.Offset.Y, touched)
	}
	if b[1].pressed {
		t.Error("the button that the finger left stays pressed")
	}
	b[3].MouseDown(nil)
	drag(s.pan, 6, 3)
	if len(touched) != 1 || touched[0] != 3 {
		t.Errorf("a finger that slipped 6 px touched %v", touched)
	}
	drag(s.pan, 6, 3) // nothing is under it any more
	if len(touched) != 1 {
		t.Errorf("touched again: %v", touched)
	}
	drag(s.pan, -5000, 10)
	if s.parts[1].Visible() {
		t.Error("at the foot it still says that there is more")
	}
	if foot := s.pan.Content.Size().Height - s.pan.Size().Height; s.pan.Offset.Y != foot {
		t.Errorf("moved past the foot: %.0f of %.0f", s.pan.Offset.Y, foot)
	}
}

// TestFocusComesIntoView: what Tab reaches is seen.
func TestFocusComesIntoView(t *testing.T) {
	var touched []int
	s, b, c := tall(t, &touched)
	for _, i := range []int{9, 0, 5} {
		c.Focus(b[i])
		y := b[i].Position().Y + scrollEdge - s.pan.Offset.Y
		if y < 0 || y+b[i].Size().Height > s.pan.Size().Height {
			t.Errorf("button %d has the focus at %.0f of %.0f", i, y, s.pan.Size().Height)
		}
	}
}

// TestAColumnKeepsItsPlace when the screen is made anew, as far as there is so much.
func TestAColumnKeepsItsPlace(t *testing.T) {
	var touched []int
	s, _, c := tall(t, &touched)
	drag(s.pan, -200, 20)
	y := s.pan.Offset.Y
	if y < 150 {
		t.Fatalf("moved by %.0f", y)
	}
	again := func(n int) *Scroll {
		var l []fyne.CanvasObject
		for range n {
			l = append(l, NewAct(ActState{Label: "Answer"}, func() {}))
		}
		x := NewScroll(Column(15, l...), "More below")
		c.SetContent(Column(0, Grow(x)))
		return x
	}
	long := again(12)
	if KeepPlace(s, c.Content()); long.pan.Offset.Y != y {
		t.Errorf("it stood at %.0f, and at %.0f when it was made anew", y, long.pan.Offset.Y)
	}
	for _, n := range []int{6, 1} {
		short := again(n)
		KeepPlace(long, c.Content())
		if top := max(0, short.pan.Content.Size().Height-short.pan.Size().Height); short.pan.Offset.Y != min(y, top) {
			t.Errorf("with %d lines it stands at %.0f of %.0f", n, short.pan.Offset.Y, top)
		}
	}
}

// TestFocusCostsTheSame however many columns the window has shown before: what
// gains the focus is looked for in the one that is there.
func TestFocusCostsTheSame(t *testing.T) {
	var touched []int
	_, b, c := tall(t, &touched)
	next := 0
	focus := func() float64 {
		return testing.AllocsPerRun(20, func() { next++; c.Focus(b[next%len(b)]) })
	}
	first := focus()
	var shown []fyne.CanvasObject // the toolkit may keep them for a while
	for range 300 {
		var l []fyne.CanvasObject
		for i := range b {
			b[i] = NewAct(ActState{Label: fmt.Sprint("Answer ", i)}, func() {})
			l = append(l, b[i])
		}
		s := NewScroll(Column(15, l...), "More below")
		c.SetContent(s)
		shown = append(shown, s)
	}
	if last := focus(); last > 1.2*first+5 {
		t.Errorf("after %d columns the focus costs %.0f allocations, %.0f before", len(shown), last, first)
	}
}

// TestTheBarStandsBeside: the content is narrower by the bar where there is one,
// and says nothing of more where all of it is seen.
func TestTheBarStandsBeside(t *testing.T) {
	var touched []int
	s, b, _ := tall(t, &touched)
	if right := b[0].Position().X + b[0].Size().Width + scrollEdge; right > 400-scrollBar+0.5 {
		t.Errorf("the content goes to %.0f, under the bar", right)
	}
	w := test.NewTempWindow(t, s)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(400, 900))
	if s.Over() || s.parts[1].Visible() {
		t.Error("it says that there is more where all is seen")
	}
}

func TestScrollPicture(t *testing.T) {
	uitest.Golden(t, "scroll", fyne.NewSize(420, 260), func() fyne.CanvasObject {
		var l []fyne.CanvasObject
		for _, k := range []string{"0412", "0413", "0414", "0415", "0416"} {
			l = append(l, NewListRow(RowState{Key: k, KeyWidth: 72, Text: "sin empezar", Touchable: true}, func() {}))
		}
		return NewCard(CardState{Tight: true}, NewScroll(Column(15, l...), "Hay más abajo"))
	})
}

// TestShrink: a name that is too long for its line is smaller before it is
// broken, and is never cut.
func TestShrink(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	name := NewWords("**"+Keep("OLLANTA DABROWSKI WOOLOOMOOLOO")+"**", Style{Size: 20, Shrink: true})
	whole := name.Natural()
	for _, c := range []struct {
		width float32
		lines int
	}{{whole + 2, 1}, {whole * 0.85, 1}, {whole * 0.5, 2}} {
		w := uitest.Window(t, name, fyne.NewSize(c.width, 80))
		if got := len(name.Lines()); got != c.lines {
			t.Errorf("%.0f px wide: %d lines", c.width, got)
		}
		for _, f := range uitest.Check(w.Canvas()) {
			t.Error(f)
		}
	}
}
