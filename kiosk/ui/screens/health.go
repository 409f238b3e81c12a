package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

var healthTones = map[HealthWord]theme.Tone{
	HealthWell: theme.Good, HealthBusy: theme.Good, HealthPoor: theme.Care, HealthUnsure: theme.Care, HealthNoDriver: theme.Plain, HealthNone: theme.Plain,
	HealthGone: theme.Stop, HealthBroken: theme.Stop, HealthFull: theme.Stop,
}

// Health shows how the kiosk is, the verdict first. Nothing of it is about a
// person, and it needs no password.
func Health(f Frame, s HealthState, c HealthCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil
	verdict := widgets.BannerState{Tone: theme.Good, Title: f.Say("health.allWell"), Detail: f.Say("health.note")}
	for _, want := range []theme.Tone{theme.Stop, theme.Care} {
		for _, i := range s.Items {
			if healthTones[i.State] == want && verdict.Tone == theme.Good {
				verdict = widgets.BannerState{Tone: want, Title: f.Say("health.mostLikely", "What", b.verdict(i)), Detail: f.Say("health.do." + string(i.Part))}
			}
		}
	}
	if s.Testing {
		verdict = widgets.BannerState{Tone: theme.Active, Title: f.Say("health.testing"), Detail: f.Say("health.note"), NoSign: true}
	}
	var cards []fyne.CanvasObject
	for _, i := range s.Items {
		detail := i.Detail
		if !i.At.IsZero() {
			if detail != "" {
				detail += " · "
			}
			detail += f.until(i.At)
		}
		pill := widgets.PillState{Tone: healthTones[i.State], Word: f.Say("health.word." + string(i.State))}
		cards = append(cards, widgets.NewCard(widgets.CardState{Tight: true, Title: f.Say("health." + string(i.Part)), Pill: &pill}, widgets.NewWords(detail, widgets.Second)))
	}
	col := []fyne.CanvasObject{widgets.NewBanner(verdict)}
	if s.Fault != "" {
		col = append(col, band(theme.Good, f.Say("health.reported", "Code", s.Fault)))
	}
	col = append(col, widgets.Grow(scroll(newFit(400, 14, cards...))))
	reason := ""
	if s.Testing {
		reason = f.Say("health.testing")
	}
	test := b.way(f.Say("health.testAll"), reason, c.Test)
	return b.done(widgets.Column(14, col...), []*widgets.ActButton{b.act("act.back", c.Back), b.act("health.bundle", c.Bundle)}, []*widgets.ActButton{b.act("health.report", c.Report), test})
}

// verdict names what is most likely wrong.
func (b *builder) verdict(i HealthItem) string {
	return lower(b.Say("health."+string(i.Part))) + ", " + b.Say("health.word."+string(i.State)) + "."
}
