package screens

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// keyWidth lines wristband numbers up.
const keyWidth = 72

// Home shows the first screen: late alerts, unfinished work, the next person,
// what waits for the hub.
func Home(f Frame, s HomeState, c HomeCalls) *Screen {
	b := f.build()
	rows := []fyne.CanvasObject{}
	for _, a := range b.Alerts {
		if !a.Taken {
			rows = append(rows, b.lateAlert(a))
		}
	}
	for _, a := range b.Alerts {
		if a.Taken {
			rows = append(rows, b.takenAlert(a))
		}
	}
	for _, u := range s.Unfinished {
		if u.Park == kiosk.ParkUnclean && u.Wristband != "" {
			rows = append(rows, widgets.NewBanner(widgets.BannerState{Tone: theme.Active, Detail: f.Say("home.afterCut", "Number", widgets.Keep(u.Wristband), "Step", f.Say("step."+string(u.At))), NoSign: true}))
			break
		}
	}
	if s.Damaged > 0 {
		rows = append(rows, widgets.NewBanner(widgets.BannerState{Tone: theme.Care, Detail: f.Count("home.damagedDrafts", s.Damaged)}))
	}
	rows = append(rows, widgets.Grow(split(0.59, b.work(s, c), b.begin(s, c))), widgets.NewCard(widgets.CardState{Tight: true}, b.hubLine(s.Queue, c.Queue)))
	return b.done(widgets.Column(14, rows...),
		[]*widgets.ActButton{b.act("home.report", c.Fault)},
		[]*widgets.ActButton{b.act("home.newList", c.NewList), b.act("home.closeShift", c.Close), b.act("act.lock", c.Lock)})
}

// work is the van and what is unfinished.
func (b *builder) work(s HomeState, c HomeCalls) fyne.CanvasObject {
	var rows []fyne.CanvasObject
	title := b.Say("home.unfinished")
	if v := s.Batch; v != nil {
		title = ""
		head := widgets.Row(16, widgets.Grow(widgets.Middle(widgets.NewWords(b.Say("home.arrivals", "Origin", widgets.Keep(v.Origin), "Time", b.Clock(v.Arrived.In(b.Now.Location()))), widgets.Heading))),
			widgets.NewWords(b.Say("home.of", "Done", v.Done, "All", v.Total), widgets.Style{Size: 26, Bold: true, OneLine: true}))
		share := 0.0
		if v.Total > 0 {
			share = float64(v.Done) / float64(v.Total)
		}
		bar := widgets.NewGauge(widgets.GaugeState{Value: share, Floor: -1, Tone: theme.Active})
		rows = append(rows, head, bar)
		if c.Arrivals != nil {
			rows = append(rows, widgets.NewListRow(widgets.RowState{Text: b.Say("home.openList"), Touchable: true}, c.Arrivals))
		}
	}
	for _, u := range s.Unfinished[:listed(s.Listed, len(s.Unfinished))] {
		rows = append(rows, b.draftRow(u, func() { c.Open(u.ID) }))
	}
	rows = append(rows, b.more(s.Listed, len(s.Unfinished), c.More)...)
	if len(s.Unfinished) == 0 {
		rows = append(rows, widgets.PadXY(10, 10, widgets.NewWords(b.Say("home.nothing"), widgets.Second)))
	}
	return widgets.NewCard(widgets.CardState{Title: title}, b.scroll(widgets.Column(theme.Current().Gap(), rows...)))
}

// listed is how many of all lines are shown, when so many were asked for.
func listed(asked, all int) int { return min(max(asked, Listed), all) }

// more is the line under a list that does not show all.
func (b *builder) more(asked, all int, more func()) []fyne.CanvasObject {
	left := all - listed(asked, all)
	if left == 0 || more == nil {
		return nil
	}
	return []fyne.CanvasObject{widgets.NewListRow(widgets.RowState{Text: b.Say("list.more"), Second: b.Count("list.left", left), Touchable: true}, more)}
}

// draftRow is an unfinished encounter in one line.
func (b *builder) draftRow(u Unfinished, open func()) *widgets.ListRow {
	key := u.Wristband
	if key == "" {
		key = "–"
	}
	pill := b.statePill(u.State, u.Park)
	return widgets.NewListRow(widgets.RowState{Key: key, KeyWidth: keyWidth, Text: b.draftWords(u), Pill: &pill, Touchable: open != nil}, open)
}

// draftWords say where an encounter stands.
func (b *builder) draftWords(u Unfinished) string {
	text := b.Say("row.stoppedAt", "Step", b.Say("step."+string(u.At)), "Time", b.until(u.Begun))
	switch {
	case u.Overdue(b.Now):
		text = b.Say("row.overdue", "Time", b.until(u.Hold.Deadline.Time))
	case u.State == kiosk.StateHeld && u.Hold != nil:
		text = b.Say("row.wantsSecond", "Time", b.until(u.Hold.Deadline.Time))
	case u.State == kiosk.StateParked && u.Park != "" && u.Park != kiosk.ParkUnclean:
		text = b.Say("row.parkedBy", "Why", lower(coded(b.Book, "park.", string(u.Park)))) + " · " + b.Say("step."+string(u.At))
	}
	return text
}

func (b *builder) statePill(s kiosk.State, park kiosk.ParkReason) widgets.PillState {
	switch s {
	case kiosk.StateHeld:
		return widgets.PillState{Tone: theme.Active, Word: b.Say("pill.held")}
	case kiosk.StateParked:
		if park == kiosk.ParkUnclean {
			return widgets.PillState{Tone: theme.Care, Word: b.Say("pill.unfinished")}
		}
		return widgets.PillState{Word: b.Say("pill.parked")}
	case kiosk.StateStopped:
		return widgets.PillState{Tone: theme.Care, Word: b.Say("pill.stopped")}
	case kiosk.StateSealed:
		return widgets.PillState{Tone: theme.Good, Word: b.Say("pill.sealed")}
	case kiosk.StateThin, kiosk.StateDelivered, kiosk.StatePurged:
		return widgets.PillState{Tone: theme.Good, Word: b.Say("pill.sent")}
	case kiosk.StateRefused:
		return widgets.PillState{Tone: theme.Stop, Word: b.Say("pill.refused")}
	case kiosk.StateDraft, kiosk.StateComplete:
		return widgets.PillState{Tone: theme.Care, Word: b.Say("pill.unfinished")}
	}
	return widgets.PillState{Word: b.Say("pill.waits")}
}

// begin is the way to the next person.
func (b *builder) begin(s HomeState, c HomeCalls) fyne.CanvasObject {
	title, detail := b.Say("home.new"), b.Say("home.newDetail")
	if s.Batch != nil && s.Batch.Done < s.Batch.Total {
		title, detail = b.Say("home.next"), b.Say("home.nextKept")
	}
	next := b.button(widgets.ActState{Kind: widgets.ActPrimary, Large: true, Sign: theme.SignPlus, Label: title, Detail: detail, Reason: b.closed(s.Closed)}, c.Next)
	b.s.primary = next
	soon := func(key, why string, sign theme.Sign, call func()) *widgets.ActButton {
		st := widgets.ActState{Label: b.Say(key), Sign: sign}
		if call == nil {
			st.Reason = b.Say(key) // grey; the words under both say why
			call = nothing
		}
		return b.button(st, call)
	}
	col := []fyne.CanvasObject{widgets.Grow(next)}
	if s.Closed != ClosedNot {
		if why := b.act("home.whyClosed", c.Why); why != nil {
			col = append(col, why)
		}
	}
	col = append(col, widgets.Row(b.gap(), widgets.Grow(soon("home.verify", "home.verifySoon", theme.SignEye, c.Verify)), widgets.Grow(soon("home.amend", "home.amendSoon", theme.SignPen, c.Amend))))
	if c.Verify == nil || c.Amend == nil {
		col = append(col, widgets.NewWords(b.Say("home.soon"), widgets.Caption))
	}
	return widgets.Column(b.gap(), col...)
}

// closed says in a few words why nobody can be enrolled now.
func (b *builder) closed(why Closed) string {
	switch why {
	case ClosedNoAgreement:
		return b.Say("closed.none")
	case ClosedExpired, ClosedNotYet:
		return b.Say("closed.title")
	case ClosedDisk:
		return b.Say("disk.title")
	case ClosedClock:
		return b.Say("clock.title")
	}
	return ""
}

// hubLine says what waits for the hub; a touch opens the queue.
func (b *builder) hubLine(q Queue, open func()) fyne.CanvasObject {
	text := b.Say("home.waitingNone")
	if q.People > 0 {
		text = fmt.Sprintf("**%s** %s", b.Number(q.People), b.Count("home.waiting", q.People, "Age", b.ago(q.Oldest)))
		more := ""
		switch {
		case !b.Status.Hub.Reached && !b.Status.Hub.At.IsZero():
			more = b.Say("home.hubSilent", "Time", b.until(b.Status.Hub.At))
		case q.Moving && q.Remaining > 0:
			more = b.Say("home.sending", "Time", b.Span(q.Remaining))
		}
		if q.Photos > 0 && b.Status.Hub.Reached {
			more += " " + b.Count("home.imagesWait", q.Photos)
		}
		if more != "" {
			text += ". " + strings.TrimSpace(more)
		}
	}
	return widgets.NewListRow(widgets.RowState{Key: b.Say("home.hub"), KeyWidth: keyWidth + 8, Text: text, Touchable: open != nil, Plain: true}, open)
}
