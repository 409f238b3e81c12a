package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// Identity shows who the person is or says they are; each value says where it
// came from.
func Identity(f Frame, s IdentityState, c IdentityCalls) *Screen {
	b := f.build()
	var rows []fyne.CanvasObject
	for _, x := range namedFields(&s.Identity) {
		if x.name == "expiry" || x.name == "issuer" {
			continue
		}
		st := RowState{Text: f.Say("field." + x.name), Touchable: c.Change != nil}
		if x.Value != "" {
			st.Text = "**" + Keep(b.value(x.name, x.Value)) + "**"
			st.Second = f.Say("field."+x.name) + " · " + f.Say("identity.from", "Source", f.Say("source."+string(x.Source)))
		}
		rows = append(rows, NewListRow(st, func() { c.Change(x.name) }))
	}
	left := NewCard(CardState{}, scroll(Column(f.gap(), rows...)))
	side := []fyne.CanvasObject{NewWords(f.Say("identity.note"), Second)}
	for i, a := range s.Identity.Aliases {
		side = append(side, NewListRow(RowState{Text: "**" + Keep(a) + "**", Second: f.Say("identity.dropAlias"), Touchable: c.Drop != nil}, func() { c.Drop(i) }))
	}
	if add := b.button(ActState{Kind: ActChoice, Label: f.Say("identity.addAlias"), Sign: theme.SignPlus}, c.Alias); add != nil {
		side = append(side, add)
	}
	if c.Unknown != nil && s.Identity.Surname.Value == "" {
		side = append(side, b.button(ActState{Kind: ActChoice, Label: f.Say("identity.unknownName"), NoEnter: true}, func() { c.Unknown("surname") }))
	}
	reason := ""
	if s.Missing > 0 {
		reason = f.Say("missing.name")
	}
	return b.done(split(0.58, left, NewCard(CardState{Title: f.Say("field.aliases")}, scroll(Column(f.gap(), side...)))),
		[]*ActButton{b.act("act.park", c.Park)}, []*ActButton{b.way(f.Say("identity.confirm"), reason, c.Next)})
}
