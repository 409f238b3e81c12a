package screens

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

func plain(t *testing.T) Frame {
	uitest.App(t, false, theme.Metrics{})
	return Frame{Book: words.New(words.English), Now: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)}
}

func open(t *testing.T, s *Screen) fyne.Canvas {
	w := uitest.Window(t, s.Object, fyne.NewSize(1280, 800))
	if s.First != nil {
		w.Canvas().Focus(s.First)
	}
	return w.Canvas()
}

// typed types as a machine's keyboard does.
func typed(c fyne.Canvas, text string) {
	for _, r := range text {
		c.Focused().TypedRune(r)
	}
}

func enter(c fyne.Canvas) { c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn}) }

// TestSignInByKeyboard: number, Enter, password, Enter; nothing before both
// are there, and a double Enter signs in once.
func TestSignInByKeyboard(t *testing.T) {
	f := plain(t)
	var got []string
	s := SignIn(f, SignInState{}, SignInCalls{SignIn: func(n, p string) { got = append(got, n+"/"+p) }})
	c := open(t, s)
	s.Enter()
	typed(c, "of-17")
	enter(c)
	s.Enter()
	if len(got) != 0 {
		t.Fatalf("signed in without a password: %v", got)
	}
	typed(c, "ñandú<1")
	enter(c)
	enter(c)
	if len(got) != 1 || got[0] != "of-17/ñandú<1" {
		t.Fatalf("signed in as %q", got)
	}
	s.Rearm()
	enter(c)
	if len(got) != 2 {
		t.Error("after a wrong password the button stays dead")
	}
}

// TestCarry: what was typed and the cursor survive a change of language.
func TestCarry(t *testing.T) {
	f := plain(t)
	calls := SignInCalls{SignIn: func(string, string) {}}
	a := SignIn(f, SignInState{}, calls)
	w := uitest.Window(t, a.Object, fyne.NewSize(1280, 800))
	w.Canvas().Focus(a.First)
	typed(w.Canvas(), "of-17")
	enter(w.Canvas())
	typed(w.Canvas(), "secr")
	f.Set(words.Spanish)
	b := SignIn(f, SignInState{}, calls)
	c := w.Canvas()
	had := c.Focused()
	w.SetContent(b.Object)
	b.Carry(a, had, c)
	typed(c, "et")
	if n, p := b.fields["number"].Text(), b.fields["password"].Text(); n != "of-17" || p != "secret" {
		t.Errorf("carried %q and %q", n, p)
	}
	if b.primary.Disabled() {
		t.Error("both are typed and the way on is grey")
	}
}

func hit(p kiosk.Presentation) *kiosk.Encounter {
	return &kiosk.Encounter{At: kiosk.StepDecision, Steps: []kiosk.Step{{Kind: kiosk.StepIrises, State: kiosk.StepDone}, {Kind: kiosk.StepDecision}},
		Searches: []kiosk.Search{{ID: 1, Scope: kiosk.ScopeLists, Compared: 5, Total: 5, Complete: true, Candidates: []kiosk.Candidate{{Kind: kiosk.CandidateWatch, Entry: "7",
			Presentation: p, Instruction: &kiosk.Instruction{Text: map[string]string{"en": "Keep in custody."}}}}}}}
}

// said collects every word that is drawn.
func said(o fyne.CanvasObject) string {
	var b strings.Builder
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch o := o.(type) {
		case *widgets.Words:
			b.WriteString(o.Text() + "\n")
		case *fyne.Container:
			for _, x := range o.Objects {
				walk(x)
			}
		case fyne.Widget:
			for _, x := range test.WidgetRenderer(o).Objects() {
				walk(x)
			}
		}
	}
	walk(o)
	return strings.ReplaceAll(b.String(), "\u00a0", " ")
}

// TestDiscreet: what a list wants told discreetly is not on the screen that
// the person may see while their eyes are taken; what it wants told openly is.
func TestDiscreet(t *testing.T) {
	done := EyeState{Done: true, Best: 90, Floor: 60}
	for _, p := range []kiosk.Presentation{kiosk.PresentOpen, kiosk.PresentDiscreet} {
		f := plain(t)
		f.Encounter = hit(p)
		f.Encounter.At = kiosk.StepIrises
		x := Irises(f, IrisesState{Phase: PhaseSearched, Eyes: [2]EyeState{done, done}}, IrisesCalls{Next: func() {}})
		open(t, x.Screen)
		text := said(x.Object)
		loud := strings.Contains(text, "custody") || strings.Contains(text, "match")
		if want := p == kiosk.PresentOpen; loud != want {
			t.Errorf("%s: loud is %t\n%s", p, loud, text)
		}
		if p == kiosk.PresentDiscreet && !strings.Contains(text, f.Say("irises.bothKept")) {
			t.Errorf("the guidance is not the usual one:\n%s", text)
		}
	}
}

// TestDiscreetIsHeld: the full text of a discreet hit is on the screen while the
// step of the irises is pressed, and only then.
func TestDiscreetIsHeld(t *testing.T) {
	f := plain(t)
	f.Encounter = hit(kiosk.PresentDiscreet)
	f.Encounter.At = kiosk.StepIrises
	done := EyeState{Done: true, Best: 90, Floor: 60}
	x := Irises(f, IrisesState{Phase: PhaseSearched, Eyes: [2]EyeState{done, done}}, IrisesCalls{Next: func() {}})
	open(t, x.Screen)
	var step *widgets.Step
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.Step:
			if step == nil {
				step = o
			}
		case *fyne.Container:
			for _, x := range o.Objects {
				walk(x)
			}
		case fyne.Widget:
			for _, x := range test.WidgetRenderer(o).Objects() {
				walk(x)
			}
		}
	}
	walk(x.Object)
	for i := range 2 {
		if strings.Contains(said(x.Object), "custody") {
			t.Fatalf("round %d: it is shown before it is held", i)
		}
		step.MouseDown(nil)
		if !strings.Contains(said(x.Object), "custody") {
			t.Fatalf("round %d: it is not shown while it is held", i)
		}
		step.MouseUp(nil)
	}
	if strings.Contains(said(x.Object), "custody") {
		t.Error("it stays after it was let go")
	}
}

// TestEnterAnswersNothingAboutAPerson: with the focus on an answer, Enter
// answers nothing; Space and touch do. None is chosen before.
func TestEnterAnswersNothingAboutAPerson(t *testing.T) {
	f := plain(t)
	f.Encounter = hit(kiosk.PresentOpen)
	var got []kiosk.Verdict
	s := Decision(f, DecisionState{Candidates: []CandidateView{{Search: 1, Candidate: f.Encounter.Searches[0].Candidates[0]}}, Missing: 1},
		DecisionCalls{Answer: func(_, _ int, v kiosk.Verdict) { got = append(got, v) }, Next: func() { t.Error("went on without an answer") }})
	c := open(t, s)
	s.Enter()
	var answers []*widgets.ActButton
	var walk func(fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		switch o := o.(type) {
		case *widgets.ActButton:
			if o.State().Kind == widgets.ActChoice {
				answers = append(answers, o)
			}
		case *fyne.Container:
			for _, x := range o.Objects {
				walk(x)
			}
		case fyne.Widget:
			for _, x := range test.WidgetRenderer(o).Objects() {
				walk(x)
			}
		}
	}
	walk(s.Object)
	if len(answers) != 3 {
		t.Fatalf("%d answers", len(answers))
	}
	for _, a := range answers {
		if a.State().Chosen {
			t.Errorf("%q is chosen before anybody answered", a.State().Label)
		}
		c.Focus(a)
		enter(c)
	}
	if len(got) != 0 {
		t.Fatalf("Enter answered %v", got)
	}
	for _, a := range answers {
		test.Tap(a)
	}
	if len(got) != 3 || got[0] != kiosk.VerdictSame || got[1] != kiosk.VerdictDifferent || got[2] != kiosk.VerdictUnsure {
		t.Errorf("touches answered %v", got)
	}
}

// TestIncompleteIsNeverNoMatch in any of the places that speak of a search.
func TestIncompleteIsNeverNoMatch(t *testing.T) {
	for _, l := range words.All {
		f := plain(t)
		f.Set(l)
		e := hit(kiosk.PresentOpen)
		e.Searches[0].Candidates, e.Searches[0].Complete, e.Searches[0].Total = nil, false, 9
		f.Encounter = e
		s := Decision(f, DecisionState{}, DecisionCalls{Next: func() {}, Search: func() {}})
		open(t, s)
		text := said(s.Object)
		for _, never := range []string{f.Say("decision.none", "Age", ""), f.Say("found.noMatch", "Count", "5")} {
			if strings.Contains(text, strings.TrimSuffix(never, ".")) {
				t.Errorf("%s: an incomplete search says %q", l, never)
			}
		}
		if !strings.Contains(text, f.Say("decision.incomplete")) || !strings.Contains(text, f.Say("found.incomplete")) {
			t.Errorf("%s: it does not say that it is incomplete:\n%s", l, text)
		}
	}
}

// TestLockSaysNothingOfAPerson: neither name nor number.
func TestLockSaysNothingOfAPerson(t *testing.T) {
	f := plain(t)
	f.Encounter = nil
	s := SignIn(f, SignInState{Locked: &Locked{Operator: kiosk.Operator{Label: "of-17", Role: kiosk.RoleOfficer}, Open: true}}, SignInCalls{SignIn: func(n, _ string) {
		if n != "of-17" {
			t.Errorf("unlocks as %q", n)
		}
	}})
	c := open(t, s)
	typed(c, "x")
	enter(c)
}

// TestMissingCodesHaveWords: a grey button never says a code.
func TestMissingCodesHaveWords(t *testing.T) {
	f := plain(t)
	b := f.build()
	for _, code := range []string{"wristband", "authority", "category", "band", "basis", "guardian", "notice", "origin", "words", "present", "reason", "answer:1/0"} {
		for _, l := range words.All {
			f.Set(l)
			if s := b.missing([]string{code}); s == "" || strings.ContainsAny(s, "[]:/") {
				t.Errorf("%s in %s says %q", code, l, s)
			}
		}
	}
}
