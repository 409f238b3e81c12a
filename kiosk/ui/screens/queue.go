package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// QueueHub shows what waits, and how the hub stands.
func QueueHub(f Frame, s QueueState, c QueueCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	h := f.Status.Hub
	tone, title := theme.Good, f.Say("queue.reached", "Ago", f.ago(h.At))
	switch {
	case h.None || h.At.IsZero():
		tone, title = theme.Care, f.Say("queue.never")
	case !h.Reached:
		tone, title = theme.Stop, f.Say("queue.silent", "Time", f.until(h.At))
	}
	detail := f.Say("home.waitingNone")
	if n := s.Queue.People; n > 0 {
		detail = f.Number(n) + " " + f.Count("home.waiting", n, "Age", f.ago(s.Queue.Oldest)) + ". "
		switch {
		case !h.Reached:
			detail += f.Say("fault.saved")
		case s.Queue.Remaining > 0:
			detail += f.Say("home.sending", "Time", f.Span(s.Queue.Remaining))
		}
	}
	var rows []fyne.CanvasObject
	for _, w := range s.Waiting[:listed(s.Listed, len(s.Waiting))] {
		rows = append(rows, b.waiting(w))
	}
	rows = append(rows, b.more(s.Listed, len(s.Waiting), c.More)...)
	if len(rows) == 0 {
		rows = append(rows, widgets.PadXY(10, 10, widgets.NewWords(f.Say("queue.empty"), widgets.Second)))
	}
	list := widgets.NewCard(widgets.CardState{Title: f.Say("queue.waiting")}, b.scroll(widgets.Column(0, rows...)))
	var side []fyne.CanvasObject
	if l := f.Status.Lists; !l.Signed.IsZero() {
		side = append(side, widgets.Fact(f.Say("queue.lists"), f.Say("bar.lists", "Age", f.ago(l.Signed), "Max", f.Span(l.MaxAge)), 120))
	} else {
		side = append(side, widgets.Fact(f.Say("queue.lists"), f.Say("bar.noLists"), 120))
	}
	if !s.Agree.IsZero() {
		side = append(side, widgets.Fact(f.Say("queue.agreement"), f.Say("queue.until", "Date", f.Date(s.Agree)), 120))
	}
	reason := ""
	switch {
	case s.Busy:
		reason = f.Say("missing.busy")
	case h.None:
		reason = f.Say("bar.hubNone")
	}
	return b.done(widgets.Column(14, widgets.NewWords(f.Say("queue.title"), widgets.Title), widgets.NewBanner(widgets.BannerState{Tone: tone, Title: title, Detail: detail}), widgets.Grow(split(0.6, list, widgets.NewCard(widgets.CardState{}, widgets.Column(0, side...))))),
		[]*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{b.act("queue.stick", c.Stick), b.way(f.Say("queue.now"), reason, c.Now)})
}

func (b *builder) waiting(w Waiting) fyne.CanvasObject {
	key := w.Wristband
	if key == "" {
		key = "–"
	}
	pill := widgets.PillState{Word: b.Say("pill.sealed")}
	second := b.Say("row.sealed", "Time", b.until(w.Sealed))
	switch w.State {
	case kiosk.StateThin:
		pill = widgets.PillState{Tone: theme.Active, Word: b.Say("queue.partly")}
	case kiosk.StateDelivered, kiosk.StatePurged:
		pill = widgets.PillState{Tone: theme.Good, Word: b.Say("queue.confirmed")}
	case kiosk.StateRefused:
		pill = widgets.PillState{Tone: theme.Stop, Word: b.Say("pill.refused")}
	}
	return widgets.NewListRow(widgets.RowState{Key: key, KeyWidth: keyWidth, Text: second + " · " + size(w.Bytes), Pill: &pill}, nil)
}
