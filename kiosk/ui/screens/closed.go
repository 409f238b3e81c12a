package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// notice is a screen with one thing to know and what to do.
func (f Frame) notice(tone theme.Tone, title string, lines []string, c ClosedCalls, way string) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil
	col := []fyne.CanvasObject{}
	for i, l := range lines {
		if l == "" {
			continue
		}
		st := widgets.Style{Size: 20}
		if i > 0 {
			st.Second = true
		}
		col = append(col, widgets.NewWords(l, st))
	}
	content := widgets.Column(20, widgets.NewBanner(widgets.BannerState{Tone: tone, Title: title}), widgets.NewCard(widgets.CardState{}, widgets.Column(14, col...)), widgets.Space())
	left := []*widgets.ActButton{b.act("act.back", c.Back), b.fault(c.Wrong)}
	right := []*widgets.ActButton{b.act("home.seeQueue", c.Queue), b.act("closed.stick", c.Stick)}
	if c.Retry != nil {
		right = append(right, b.way(way, "", c.Retry))
	}
	return b.done(content, left, right)
}

// ClockNotCertain says that the time is not certain, and what that changes.
func ClockNotCertain(f Frame, s ClockState, c ClosedCalls) *Screen {
	c.Queue, c.Stick = nil, nil
	last := f.Say("clock.never")
	if !s.Signed.IsZero() {
		last = f.Say("clock.note", "Last", f.until(s.Signed), "Now", f.until(s.Clock.Time))
	}
	return f.notice(theme.Care, f.Say("clock.title"), []string{last, f.Say("clock.goOnNote")}, c, f.Say("clock.goOn"))
}

// DiskFull says that there is no room, that nothing is lost, and what frees it.
func DiskFull(f Frame, s DiskState, c ClosedCalls) *Screen {
	lines := []string{f.Say("disk.note"), f.Say("disk.do")}
	if s.Waiting > 0 {
		lines = append(lines, f.Count("disk.waits", s.Waiting))
	}
	lines = append(lines, f.Say("disk.room", "Free", size(s.Free), "Needed", size(s.Needed)))
	return f.notice(theme.Stop, f.Say("disk.title"), lines, c, f.Say("fault.again"))
}

// AgreementExpired says that nobody can be enrolled now, and what to do instead.
func AgreementExpired(f Frame, s ExpiredState, c ClosedCalls) *Screen {
	why := f.Say("closed.none")
	switch {
	case !s.NotYet.IsZero():
		why = f.Say("closed.notYet", "Date", f.Date(s.NotYet))
	case s.Title != "":
		why = f.Say("closed.expired", "Date", f.Date(s.Expires))
	}
	return f.notice(theme.Stop, f.Say("closed.title"), []string{why, f.Say("closed.do"), f.Say("closed.open"), s.Title}, c, f.Say("closed.ask"))
}
