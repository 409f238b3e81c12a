package widgets_test

import (
	"fmt"
	"image"
	"strings"
	"sync"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	. "tambo/kiosk/ui/widgets"
)

func key(n fyne.KeyName) *fyne.KeyEvent { return &fyne.KeyEvent{Name: n} }

// TestActsOnce: a double touch is one act, until somebody rearms the button.
func TestActsOnce(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	n := 0
	b := NewAct(ActState{Kind: ActPrimary, Label: "Seal"}, func() { n++ })
	uitest.Window(t, b, fyne.NewSize(300, 60))
	for range 5 {
		test.Tap(b)
		b.TypedKey(key(fyne.KeyReturn))
		b.TypedKey(key(fyne.KeySpace))
	}
	b.Set(ActState{Kind: ActPrimary, Label: "Sealing…"}) // a change of words does not rearm
	test.Tap(b)
	if n != 1 {
		t.Fatalf("acted %d times", n)
	}
	b.Rearm()
	b.TypedKey(key(fyne.KeySpace))
	if n != 2 {
		t.Errorf("acted %d times after rearming", n)
	}
	b.Rearm()
	b.Set(ActState{Kind: ActPrimary, Label: "Seal", Reason: "1 answer needed"})
	test.Tap(b)
	b.TypedKey(key(fyne.KeyReturn))
	if n != 2 {
		t.Error("a grey button acted")
	}
}

// TestEnterNeverAnswers: of answers about a person none is chosen beforehand,
// and Enter chooses none.
func TestEnterNeverAnswers(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	var got []string
	s := ChoiceState{Person: true, Down: true, Choices: []Choice{{"same", "Same person"}, {"not", "Not the same"}, {"tell", "I cannot tell"}}}
	c := NewChoiceRow(s, func(k string) { got = append(got, k) })
	w := uitest.Window(t, c, fyne.NewSize(400, 220))
	w.Canvas().FocusNext()
	f := w.Canvas().Focused()
	b, ok := f.(*ActButton)
	if !ok || b.State().Label != "Same person" || b.State().Chosen {
		t.Fatalf("focus is on %T", f)
	}
	f.TypedKey(key(fyne.KeyReturn))
	f.TypedKey(key(fyne.KeyEnter))
	if len(got) != 0 {
		t.Fatalf("Enter answered %v", got)
	}
	f.TypedKey(key(fyne.KeySpace))
	s.Chosen = []string{"same"}
	c.Set(s)
	if w.Canvas().Focused() != f {
		t.Error("the answer lost the focus when it was shown as chosen")
	}
	w.Canvas().FocusNext()
	w.Canvas().Focused().TypedKey(key(fyne.KeySpace))
	if fmt.Sprint(got) != "[same not]" {
		t.Errorf("answers %v", got)
	}
}

// onScreen touches the key that shows a sign, where it lies in the window.
func onScreen(t *testing.T, w fyne.Window, k *Keyboard, sign rune) {
	t.Helper()
	for _, o := range test.WidgetRenderer(k).Objects() {
		if r, ok := o.(interface{ Rune() rune }); ok && r.Rune() == sign {
			p := fyne.CurrentApp().Driver().AbsolutePositionForObject(o)
			test.TapCanvas(w.Canvas(), p.AddXY(o.Size().Width/2, o.Size().Height/2))
			return
		}
	}
	t.Fatalf("no key shows %q", sign)
}

// TestKeyboard types a password and a Spanish name by touch; the field keeps
// the focus all the while.
func TestKeyboard(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	number, word := NewField(FieldState{Label: "Staff number"}, nil), NewField(FieldState{Label: "Password", Secret: true}, nil)
	k := NewKeyboard(KeyboardState{Language: "es"})
	k.Serve(number, word)
	w := uitest.Window(t, Column(10, number, word, Grow(k)), fyne.NewSize(1024, 600))
	typed := func(s string) {
		for _, r := range s {
			onScreen(t, w, k, r)
		}
	}
	w.Canvas().Focus(number.Input())
	typed("4471")
	if number.Text() != "4471" || w.Canvas().Focused() != number.Input() {
		t.Fatalf("typed %q, focus on %T", number.Text(), w.Canvas().Focused())
	}
	w.Canvas().Focus(word.Input())
	typed("\x0eÑ") // shift holds for one letter
	typed("and´u<")
	onScreen(t, w, k, '\x1b')
	typed("!á")
	onScreen(t, w, k, '\x1b')
	typed("x\b")
	if word.Text() != "Ñandú<!á" {
		t.Errorf("typed %q", word.Text())
	}
	if w.Canvas().Focused() != word.Input() {
		t.Error("the field lost the focus")
	}
	w.Canvas().Unfocus() // a touch beside everything; the next key goes where the last went
	typed("z")
	if word.Text() != "Ñandú<!áz" || number.Text() != "4471" {
		t.Errorf("typed %q and %q", word.Text(), number.Text())
	}
}

// TestTopBarShortens: whatever the width, the bar fits, the marks stay, and
// what is not well is shortened last.
func TestTopBarShortens(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	for _, lang := range []string{"es", "en"} {
		for _, width := range []float32{1024, 1280, 1920} {
			b := NewTopBar(barState(lang), nil)
			w := uitest.Window(t, b, fyne.NewSize(width, 60))
			if f := uitest.Check(w.Canvas()); len(f) > 0 {
				t.Errorf("%s at %.0f: %s", lang, width, strings.Join(f, "\n"))
			}
		}
	}
}

// TestWordsBreak: lines break at spaces only, and never at a no-break space.
func TestWordsBreak(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	for _, width := range []float32{60, 120, 200, 300, 900} {
		w := NewWords("Born **12\u00a0Aug\u00a01974** in Zenith,\nnot on the page.", Body)
		uitest.Window(t, w, fyne.NewSize(width, 300))
		for _, l := range w.Lines() {
			if strings.Contains(l, "12") && !strings.Contains(l, "12\u00a0Aug\u00a01974") {
				t.Errorf("at %.0f the date is broken: %q", width, l)
			}
		}
		if all := strings.Join(w.Lines(), " "); strings.ReplaceAll(all, "  ", " ") != "Born 12\u00a0Aug\u00a01974 in Zenith, not on the page." {
			t.Errorf("at %.0f words are lost: %q", width, all)
		}
	}
}

// TestForm judges every widget, at two densities of panel.
func TestForm(t *testing.T) {
	for _, d := range []float32{5, 5.6} {
		found := uitest.Form(t, theme.Metrics{PxPerMM: d}, func() fyne.CanvasObject {
			gap := theme.Current().Gap()
			field := NewField(FieldState{Label: "Contraseña", Secret: true}, nil)
			return onPaper(Column(gap, NewTopBar(barState("es"), nil),
				Row(gap,
					Wide(260, NewWalk(WalkState{Heading: "Pulsera 0412", Steps: []StepState{
						{1, StepDone, "Llegada", "adulta, por la orden", theme.Plain, true}, {2, StepExcepted, "Iris", "", theme.Care, true}, {3, StepNow, "Documento", "vencido", theme.Plain, false}}}, nil)),
					Grow(Column(gap, NewBanner(BannerState{Tone: theme.Stop, Loud: true, Title: "Retener. Llamar a la supervisora.", Act: NewAct(ActState{Kind: ActOnLoud, Label: "Lo tengo"}, nil)}),
						field,
						NewChoiceRow(ChoiceState{Choices: []Choice{{"a", "Adulta"}, {"b", "Menor de 18"}, {"c", "No se sabe"}}, Chosen: []string{"a"}}, nil),
						NewListRow(RowState{Key: "0409", KeyWidth: 70, Text: "pide una segunda persona", Pill: &PillState{Word: "en espera"}, Touchable: true}, nil)))),
				Space(),
				NewActBar([]*ActButton{NewAct(ActState{Label: "Apartar"}, nil)}, []*ActButton{NewAct(ActState{Kind: ActPrimary, Label: "Sigue: identidad", Reason: "Falta 1 respuesta"}, nil)})))
		})
		for _, f := range found {
			t.Errorf("at %.1f px/mm: %s", d, f)
		}
		keys := uitest.Form(t, theme.Metrics{PxPerMM: d}, func() fyne.CanvasObject {
			return onPaper(Column(10, NewKeyboard(KeyboardState{Language: "es"})))
		})
		for _, f := range keys {
			t.Errorf("keyboard at %.1f px/mm: %s", d, f)
		}
		rows := uitest.Form(t, theme.Metrics{PxPerMM: d}, func() fyne.CanvasObject {
			return onPaper(Row(0, Wide(480, NewCard(CardState{Tight: true}, NewFieldTable(table(), nil))), Space()))
		})
		for _, f := range rows {
			t.Errorf("table at %.1f px/mm: %s", d, f)
		}
	}
}

// TestEyeView: the newest frame wins, feeding never waits, and drawing
// allocates no buffer per frame.
func TestEyeView(t *testing.T) {
	uitest.App(t, false, theme.Metrics{})
	v := NewEyeView("no eye")
	uitest.Window(t, v, fyne.NewSize(455, 284))
	g, c := eyePicture()
	feed := func() {
		for range 1000 {
			v.Feed(EyeFrame{Gray: g, Contours: c, Tone: theme.Good})
		}
	}
	var fed sync.WaitGroup
	fed.Go(feed)
	fed.Go(feed)
	fed.Wait()
	show := v.Draw()
	for range 3 { // as long as it is not shown, nothing is drawn over it
		feed()
		if show == nil || v.Draw() != nil {
			t.Fatal("a frame was drawn while another waits to be shown")
		}
	}
	show()
	v.Flush()
	if n := v.Drawn(); n != 2 {
		t.Errorf("of 5000 frames %d were drawn, want the newest twice", n)
	}
	v.Feed(EyeFrame{Gray: image.NewGray(image.Rectangle{})}) // nothing to show: ignored
	for range 2 {
		v.Feed(EyeFrame{Gray: g, Contours: c})
		v.Flush()
	}
	bytes := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			v.Feed(EyeFrame{Gray: g, Contours: c})
			v.Flush()
		}
	})
	t.Logf("a frame costs %v and %d bytes; at 15 a second two eyes take %.1f %% of a core", time.Duration(bytes.NsPerOp()), bytes.AllocedBytesPerOp(), float64(bytes.NsPerOp())*30/1e7)
	if bytes.AllocedBytesPerOp() > 8192 {
		t.Errorf("a frame allocates %d bytes", bytes.AllocedBytesPerOp())
	}
}
