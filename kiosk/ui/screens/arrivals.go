package screens

import (
	"strconv"

	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Arrivals shows a van of N: what is the same for all, and a row a person.
func Arrivals(f Frame, s ArrivalsState, c ArrivalsCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	if s.New {
		return b.newList(s, c)
	}
	v := s.Batch
	law := ""
	if a := authority(s.Agreement, v.Authority); a != nil {
		law = a.Citation
	}
	side := widgets.Column(0,
		widgets.Fact(f.Say("arrivals.origin"), "**"+widgets.Keep(v.Origin)+"**", 150),
		widgets.Fact(f.Say("arrivals.authority"), law, 150),
		widgets.Fact(f.Say("arrivals.done"), "**"+f.Say("home.of", "Done", v.Done, "All", v.Total)+"**", 150),
		widgets.NewWords(" ", widgets.Caption),
		widgets.NewWords(f.Say("arrivals.note"), widgets.Second))
	var rows []fyne.CanvasObject
	for _, p := range s.Rows {
		rows = append(rows, b.person(p, c))
	}
	list := widgets.NewCard(widgets.CardState{}, b.scroll(widgets.Column(f.gap(), rows...)))
	title := f.Say("home.arrivals", "Origin", v.Origin, "Time", f.Clock(v.Arrived.In(f.Now.Location())))
	reason := ""
	if v.Done >= v.Total {
		reason = f.Say("arrivals.allDone")
	}
	return b.done(widgets.Column(14, widgets.NewWords(title, widgets.Title), widgets.Grow(split(0.6, list, widgets.NewCard(widgets.CardState{}, side)))),
		[]*widgets.ActButton{b.act("act.home", c.Back)},
		[]*widgets.ActButton{b.act("arrivals.finish", c.Finish), b.way(f.Say("home.next"), reason, c.Next)})
}

func (b *builder) person(p Person, c ArrivalsCalls) fyne.CanvasObject {
	pill := b.statePill(p.State, "")
	key, text := p.Wristband, b.Say("row.notBegun")
	if key == "" {
		key = "–"
	}
	if p.ID != "" {
		text = b.Say("step." + string(p.At))
		if !p.State.Open() {
			text = b.Say("row.finished")
		}
	}
	touch := p.ID != "" && p.State.Open() && c.Open != nil
	return widgets.NewListRow(widgets.RowState{Key: key, KeyWidth: keyWidth, Text: text, Pill: &pill, Touchable: touch}, func() { c.Open(p.ID) })
}

// newList asks for what is the same for everybody on the van.
func (b *builder) newList(s ArrivalsState, c ArrivalsCalls) *Screen {
	v := s.Batch
	law := ""
	if a := authority(s.Agreement, v.Authority); a != nil {
		law = a.Citation
	}
	less := b.repeatIf("–", v.Total <= 1, func() { c.Total(v.Total - 1) })
	more := b.repeatIf("+", v.Total >= 99, func() { c.Total(v.Total + 1) })
	number := widgets.Row(b.gap(), less, widgets.AtLeast(90, 60, widgets.Middle(widgets.NewWords(strconv.Itoa(v.Total), widgets.Style{Size: theme.SizeTitle, Bold: true, Centre: true}))), more, widgets.Space())
	body := widgets.Column(18,
		widgets.NewWords(b.Say("arrivals.note"), widgets.Second),
		pick(b.Say("arrivals.origin"), v.Origin, c.Origin),
		pick(b.Say("arrivals.authority"), law, c.Authority),
		label(b.Say("arrivals.count"), number))
	return b.done(widgets.Column(14, widgets.NewWords(b.Say("home.newList"), widgets.Title), widgets.Grow(widgets.NewCard(widgets.CardState{}, body))),
		[]*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{b.way(b.Say("arrivals.begin"), b.missing(s.Missing), c.Begin)})
}

func (b *builder) repeatIf(sign string, no bool, call func()) *widgets.ActButton {
	s := widgets.ActState{Kind: widgets.ActChoice, Label: sign, Repeats: true}
	if no {
		s.Reason = sign
	}
	return b.button(s, call)
}

// missing says the first thing that is missing.
func (b *builder) missing(codes []string) string {
	if len(codes) == 0 {
		return ""
	}
	if b.Has("missing." + codes[0]) {
		return b.Say("missing." + codes[0])
	}
	return b.Count("missing.answers", len(codes))
}
