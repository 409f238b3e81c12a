package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Type shows one thing to type, or a few, above the keyboard.
func Type(f Frame, s TypeState, c TypeCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil // the keyboard needs the width
	var fields []*widgets.Field
	missing := func() string {
		for i, x := range s.Fields {
			if x.Must && i < len(fields) && fields[i].Text() == "" {
				return f.Say("missing.typed", "Field", x.Label)
			}
		}
		return ""
	}
	done := s.Done
	if done == "" {
		done = f.Say("act.done")
	}
	way := b.way(done, "", nothing)
	var row []fyne.CanvasObject
	upper := false
	for i, x := range s.Fields {
		fd := b.field(x.Key, widgets.FieldState{Label: x.Label, Hint: x.Hint, Secret: x.Secret}, func(string) { setReason(way, missing()) })
		fd.SetText(x.Value)
		fd.OnEnter = func() {
			if i+1 < len(fields) {
				focus(fields[i+1])
			} else {
				way.Act()
			}
		}
		upper = upper || x.Upper
		fields = append(fields, fd)
		row = append(row, widgets.Grow(fd))
	}
	b.s.typed = func() { setReason(way, missing()) }
	b.s.typed()
	way.OnAct(func() {
		values := map[string]string{}
		for i, x := range s.Fields {
			values[x.Key] = fields[i].Text()
		}
		c.Done(values)
	})
	keyboard := widgets.NewKeyboard(widgets.KeyboardState{Language: string(f.Language()), Space: f.Say("act.space"), Upper: upper})
	keyboard.Serve(fields...)
	if len(fields) > 0 {
		b.s.First = fields[0].Input()
	}
	head := []fyne.CanvasObject{widgets.NewWords(s.Title, widgets.Title)}
	if s.Fault != "" {
		head = append(head, widgets.NewWords(s.Fault, widgets.Strong.On(theme.Stop)))
	} else if s.Detail != "" {
		head = append(head, widgets.NewWords(s.Detail, widgets.Second))
	}
	top := widgets.Column(14, widgets.Column(2, head...), widgets.Row(f.gap(), row...))
	return b.done(widgets.Column(16, widgets.Grow(widgets.Middle(top)), keyboard), []*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{way})
}

// nothing stands in until a button has all that it needs.
func nothing() {}

func setReason(a *widgets.ActButton, reason string) {
	st := a.State()
	st.Reason = reason
	a.Set(st)
}

// Choose shows one of several things to choose.
func Choose(f Frame, s ChooseState, c ChooseCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	var l []widgets.Choice
	for _, o := range s.Choices {
		l = append(l, widgets.Choice{Key: o.Key, Label: o.Label})
	}
	answers := widgets.NewChoiceRow(widgets.ChoiceState{Choices: l, Down: true, Person: s.Person, Chosen: s.Chosen}, c.Choose)
	head := []fyne.CanvasObject{widgets.NewWords(s.Title, widgets.Title)}
	if s.Detail != "" {
		head = append(head, widgets.NewWords(s.Detail, widgets.Second))
	}
	body := widgets.Column(18, widgets.Column(4, head...), widgets.Grow(b.scroll(answers)))
	return b.done(narrow(640, widgets.NewCard(widgets.CardState{}, body)), []*widgets.ActButton{b.act("act.back", c.Back)}, some(b.chooseDone(s, c)))
}

// chooseDone is the way on where more than one thing may be chosen.
func (b *builder) chooseDone(s ChooseState, c ChooseCalls) *widgets.ActButton {
	if c.Done == nil {
		return nil
	}
	return b.way(b.Say("act.done"), "", c.Done)
}
