package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Identity shows who the person is or says they are; each value says where it
// came from.
func Identity(f Frame, s IdentityState, c IdentityCalls) *Screen {
	b := f.build()
	var rows []fyne.CanvasObject
	id := &s.Identity
	for _, x := range []namedField{{"surname", id.Surname}, {"given", id.Given}, {"birth", id.Birth}, {"sex", id.Sex}, {"nationality", id.Nationality}, {"documentNumber", id.DocumentNumber}} {
		st := widgets.RowState{Text: f.Say("field." + x.name), Touchable: c.Change != nil}
		if x.Value != "" {
			st.Text = "**" + widgets.Keep(b.value(x.name, x.Value)) + "**"
			st.Second = f.Say("field."+x.name) + " · " + f.Say("identity.from", "Source", f.Say("source."+string(x.Source)))
		}
		rows = append(rows, widgets.NewListRow(st, func() { c.Change(x.name) }))
	}
	left := widgets.NewCard(widgets.CardState{Title: f.Say("step.identity")}, b.scroll(widgets.Column(f.gap(), rows...)))
	side := []fyne.CanvasObject{widgets.NewWords(f.Say("identity.note"), widgets.Second)}
	for i, a := range s.Identity.Aliases {
		side = append(side, widgets.NewListRow(widgets.RowState{Text: "**" + widgets.Keep(a) + "**", Second: f.Say("identity.dropAlias"), Touchable: c.Drop != nil}, func() { c.Drop(i) }))
	}
	if add := b.button(widgets.ActState{Kind: widgets.ActChoice, Label: f.Say("identity.addAlias"), Sign: theme.SignPlus}, c.Alias); add != nil {
		side = append(side, add)
	}
	if c.Unknown != nil && s.Identity.Surname.Value == "" {
		side = append(side, b.button(widgets.ActState{Kind: widgets.ActChoice, Label: f.Say("identity.unknownName"), NoEnter: true}, func() { c.Unknown("surname") }))
	}
	reason := ""
	if s.Missing > 0 {
		reason = f.Say("missing.name")
	}
	return b.done(split(0.58, left, widgets.NewCard(widgets.CardState{Title: f.Say("field.aliases")}, b.scroll(widgets.Column(f.gap(), side...)))),
		[]*widgets.ActButton{b.act("act.park", c.Park)}, []*widgets.ActButton{b.way(f.Say("identity.confirm"), reason, c.Next)})
}
