package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// abandonReasons are why a record is given up; each is a code of the words
// "abandon.".
var abandonReasons = []string{"left", "released", "twice", "mistake"}

// Abandon asks whether a record is given up, and why. The way on keeps it.
func Abandon(f Frame, s AbandonState, c AbandonCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	note := widgets.BannerState{Tone: theme.Stop, Title: f.Say("abandon.title"), Detail: f.Say("abandon.note")}
	if s.Hit {
		note.Detail = f.Say("abandon.hit")
	}
	var l []widgets.Choice
	for _, k := range abandonReasons {
		l = append(l, widgets.Choice{Key: k, Label: f.Say("abandon." + k)})
	}
	why := widgets.NewChoiceRow(widgets.ChoiceState{Choices: l, Down: true, Person: true, Chosen: one(s.Reason)}, c.Reason)
	st := widgets.ActState{Kind: widgets.ActStop, Label: f.Say("abandon.go"), NoEnter: true}
	if s.Reason == "" {
		st.Reason = f.Say("missing.reason")
	}
	return b.done(widgets.Column(14, widgets.NewBanner(note), widgets.Grow(widgets.NewCard(widgets.CardState{Title: f.Say("abandon.why")}, b.scroll(why)))),
		[]*widgets.ActButton{b.button(st, c.Go)}, []*widgets.ActButton{b.way(f.Say("abandon.keep"), "", c.Back)})
}

// CloseShift shows what was done, what is still open, and what waits, before
// the shift is closed and the kiosk locked.
func CloseShift(f Frame, s ShiftState, c ShiftCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil
	var rows []fyne.CanvasObject
	for _, u := range s.Unfinished {
		rows = append(rows, b.draftRow(u, nil))
	}
	if len(rows) == 0 {
		rows = append(rows, widgets.PadXY(10, 10, widgets.NewWords(f.Say("home.nothing"), widgets.Second)))
	}
	tone := theme.Good
	if len(s.Unfinished) > 0 {
		tone = theme.Care
	}
	hub := f.Say("home.waitingNone")
	if n := s.Queue.People; n > 0 {
		hub = sentence(f.Number(n) + " " + f.Count("home.waiting", n, "Age", f.ago(s.Queue.Oldest)))
	}
	return b.done(widgets.Column(14, widgets.NewBanner(widgets.BannerState{Tone: tone, Title: sentence(f.Count("shift.done", s.Done)), Detail: hub}),
		widgets.Grow(widgets.NewCard(widgets.CardState{Title: f.Say("shift.left")}, b.scroll(widgets.Column(0, rows...))))),
		[]*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{b.way(f.Say("shift.go"), "", c.Go)})
}
