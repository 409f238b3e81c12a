package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// Type shows one thing to type, or a few, above the keyboard.
func Type(f Frame, s TypeState, c TypeCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil // the keyboard needs the width
	var fields []*Field
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
		fd := b.field(x.Key, FieldState{Label: x.Label, Hint: x.Hint, Secret: x.Secret}, func(string) { setReason(way, missing()) })
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
		row = append(row, Grow(fd))
	}
	setReason(way, missing())
	way.OnAct(func() {
		values := map[string]string{}
		for i, x := range s.Fields {
			values[x.Key] = fields[i].Text()
		}
		c.Done(values)
	})
	keyboard := NewKeyboard(KeyboardState{Language: string(f.Language()), Space: f.Say("act.space"), Upper: upper})
	keyboard.Serve(fields...)
	if len(fields) > 0 {
		b.s.First = fields[0].Input()
	}
	head := []fyne.CanvasObject{NewWords(s.Title, Title)}
	if s.Fault != "" {
		head = append(head, NewWords(s.Fault, Strong.On(theme.Stop)))
	} else if s.Detail != "" {
		head = append(head, NewWords(s.Detail, Second))
	}
	top := Column(14, Column(2, head...), Row(f.gap(), row...))
	return b.done(Column(16, Grow(Middle(top)), keyboard), []*ActButton{b.act("act.back", c.Back)}, []*ActButton{way})
}

// nothing stands in until a button has all that it needs.
func nothing() {}

func setReason(a *ActButton, reason string) {
	st := a.State()
	st.Reason = reason
	a.Set(st)
}

// Choose shows one of several things to choose.
func Choose(f Frame, s ChooseState, c ChooseCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	var l []Choice
	for _, o := range s.Choices {
		l = append(l, Choice{Key: o.Key, Label: o.Label})
	}
	answers := NewChoiceRow(ChoiceState{Choices: l, Down: true, Person: s.Person, Chosen: s.Chosen}, c.Choose)
	head := []fyne.CanvasObject{NewWords(s.Title, Title)}
	if s.Detail != "" {
		head = append(head, NewWords(s.Detail, Second))
	}
	body := Column(18, Column(4, head...), Grow(scroll(answers)))
	return b.done(narrow(640, NewCard(CardState{}, body)), []*ActButton{b.act("act.back", c.Back)}, some(b.chooseDone(s, c)))
}

// chooseDone is the way on where more than one thing may be chosen.
func (b *builder) chooseDone(s ChooseState, c ChooseCalls) *ActButton {
	if c.Done == nil {
		return nil
	}
	return b.way(b.Say("act.done"), "", c.Done)
}
