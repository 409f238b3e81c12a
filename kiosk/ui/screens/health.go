package screens

import (
	"strings"

	"fyne.io/fyne/v2"

	"tambo/kiosk/health"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// HealthState is the kiosk's health. Nothing in it is about a person.
type HealthState struct {
	Report  health.Report
	Testing bool
	Shown   []health.Note // what officers were shown, the latest first
	Fault   string        // code of a fault reported from here, empty: none
}

// HealthCalls are what can be done about health. Nil calls are not offered.
type HealthCalls struct {
	Test       func()
	Report     func()
	Technician func() // to the diagnostics, or to sign in for them
	Back       func()
}

var weightTones = map[health.Weight]theme.Tone{health.Well: theme.Good, health.Hint: theme.Plain, health.Care: theme.Care, health.Stop: theme.Stop}

// Health shows how the kiosk is, the verdict first. Nothing of it is about a
// person, and it needs no password.
func Health(f Frame, s HealthState, c HealthCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil
	cards := b.parts(s.Report)
	cards = append(cards, b.workedCard(s.Report, 6), b.shownCard(s.Shown, 6))
	col := []fyne.CanvasObject{widgets.NewBanner(b.verdict(s.Report, s.Testing))}
	if s.Fault != "" {
		col = append(col, band(theme.Good, f.Say("health.reported", "Code", s.Fault)))
	}
	col = append(col, widgets.Grow(f.scroll(newFit(400, 14, cards...))))
	return b.done(widgets.Column(14, col...), []*widgets.ActButton{b.act("act.back", c.Back), b.act("health.signIn", c.Technician)},
		[]*widgets.ActButton{b.act("health.report", c.Report), b.testAll(s.Testing, c.Test)})
}

// testAll is the way on of both screens.
func (b *builder) testAll(testing bool, call func()) *widgets.ActButton {
	s := widgets.ActState{Kind: widgets.ActPrimary, Label: b.Say("health.testAll"), Short: b.shortOf("health.testAll")}
	if testing {
		s.Reason = b.Say("health.testing")
	}
	b.s.primary = b.button(s, call)
	return b.s.primary
}

// verdict says what is most likely wrong and what to do.
func (b *builder) verdict(r health.Report, testing bool) widgets.BannerState {
	v, any := r.Verdict()
	switch {
	case testing:
		return widgets.BannerState{Tone: theme.Active, Title: b.Say("health.testing"), Detail: b.Say("health.note"), NoSign: true}
	case r.At.IsZero():
		return widgets.BannerState{Title: b.Say("health.workedNone"), Detail: b.Say("health.note"), NoSign: true}
	case !any:
		return widgets.BannerState{Tone: theme.Good, Title: b.Say("health.allWell"), Detail: b.Say("health.note")}
	}
	what, do := b.Verdict(v, b.Now)
	return widgets.BannerState{Tone: weightTones[v.Weight], Title: what, Detail: do}
}

// parts is a card for each part.
func (b *builder) parts(r health.Report) []fyne.CanvasObject {
	var cards []fyne.CanvasObject
	for _, l := range r.Lines {
		pill := b.linePill(l)
		cards = append(cards, widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("health." + string(l.Part)), Pill: &pill}, widgets.NewWords(b.lineWords(l), widgets.Second)))
	}
	return cards
}

func (b *builder) linePill(l health.Line) widgets.PillState {
	switch {
	case !l.Known:
		return widgets.PillState{Tone: theme.Plain, Word: b.Say("health.unlooked")}
	case l.Part == health.PartUnknown && l.Weight <= health.Hint:
		return widgets.PillState{Tone: theme.Plain, Word: b.Say("health.noDriver")}
	case !l.There && l.Weight == health.Stop:
		return widgets.PillState{Tone: theme.Stop, Word: b.Say("health.gone")}
	case l.Weight == health.Stop:
		return widgets.PillState{Tone: theme.Stop, Word: b.Say("health.word.stop")}
	case l.Weight == health.Care:
		return widgets.PillState{Tone: theme.Care, Word: b.Say("health.word.care")}
	case !l.There:
		return widgets.PillState{Tone: theme.Plain, Word: b.Say("health.notFitted")}
	case l.Weight == health.Hint:
		return widgets.PillState{Tone: theme.Plain, Word: b.Say("health.word.hint")}
	}
	if len(l.Figs) == 0 && (l.Part == health.PartCamera || l.Part == health.PartScanner || l.Part == health.PartFace || l.Part == health.PartChip) {
		return widgets.PillState{Tone: theme.Good, Word: b.Say("health.plugged")} // nobody tested it yet
	}
	return widgets.PillState{Tone: theme.Good, Word: b.Say("health.well")}
}

// lineWords are what is known of a part: what it is, where, and its figures with
// their floors.
func (b *builder) lineWords(l health.Line) string {
	var said []string
	if l.Name = strings.TrimSpace(l.Name); l.Name != "" {
		said = append(said, l.Name)
	}
	if l.Port != "" {
		said = append(said, widgets.Keep(l.Port))
	}
	for _, f := range l.Figs {
		name, value, limit := b.Figure(f)
		if name += widgets.Keep(" " + value); limit != "" {
			name += " " + widgets.Keep("("+limit+")")
		}
		said = append(said, name)
	}
	if len(said) == 0 {
		return "–"
	}
	return strings.Join(said, " · ")
}

// workedCard says what worked, and when.
func (b *builder) workedCard(r health.Report, most int) fyne.CanvasObject {
	var rows []fyne.CanvasObject
	for _, w := range r.Worked[:min(len(r.Worked), most)] {
		rows = append(rows, widgets.Fact(b.When(w.At.In(b.Now.Location()), b.Now), b.Worked(w)+keepPort(w.Port), 110))
	}
	if len(rows) == 0 {
		rows = append(rows, widgets.NewWords(b.Say("health.workedNone"), widgets.Second))
	}
	return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("health.worked")}, widgets.Column(4, rows...))
}

func keepPort(p string) string {
	if p == "" {
		return ""
	}
	return widgets.Keep(" · " + p)
}

// shownCard says what officers were shown, without what stood in the sentences.
func (b *builder) shownCard(notes []health.Note, most int) fyne.CanvasObject {
	var rows []fyne.CanvasObject
	for _, n := range notes[:min(len(notes), most)] {
		rows = append(rows, widgets.Fact(b.When(n.At.In(b.Now.Location()), b.Now), "“"+b.Sentence(n.Key)+"”", 110))
	}
	if len(rows) == 0 {
		rows = append(rows, widgets.NewWords(b.Say("health.shownNone"), widgets.Second))
	}
	return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("health.shown")}, widgets.Column(4, rows...))
}
