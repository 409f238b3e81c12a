package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// IrisesScreen is the irises step. Its views are fed by any goroutine; the rest
// changes by Set, many times a second, without being made anew.
type IrisesScreen struct {
	*Screen
	// Views are the right and the left eye's (kiosk.BothEyes). Whoever shows the
	// screen feeds them and has them drawn (EyeView.Draw).
	Views [2]*widgets.EyeView

	b     *builder
	guide *widgets.Banner
	cards [2]*widgets.Card
	now   [2]*widgets.Gauge
	best  [2]*widgets.Gauge
	note  *widgets.Words
	way   *widgets.ActButton
	looks [2]eyeLook
	label float32 // how wide the gauges' labels are
}

// Irises shows the irises step.
func Irises(f Frame, s IrisesState, c IrisesCalls) *IrisesScreen {
	b := f.build()
	x := &IrisesScreen{Screen: b.s, b: b, label: b.gaugeLabels()}
	x.guide = widgets.NewBanner(widgets.BannerState{NoSign: true})
	x.note = widgets.NewWords(" ", widgets.Second)
	var cards []fyne.CanvasObject
	for i := range x.Views {
		empty := f.Say("irises.empty")
		if why := s.Eyes[i].Except; why != "" {
			empty = sentence(f.Say("irises.notTaken", "Why", lower(coded(f.Book, "except.", string(why)))))
		}
		x.Views[i] = widgets.NewEyeView(empty)
		x.now[i] = widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.now"), Floor: -1})
		x.best[i] = widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.best"), Floor: -1})
		x.cards[i] = widgets.NewCard(widgets.CardState{Tight: true}, widgets.Column(10, widgets.Grow(x.Views[i]), x.now[i], x.best[i]))
		cards = append(cards, widgets.Grow(x.cards[i]))
	}
	x.way = b.way(b.next(kiosk.StepIrises), "", c.Next)
	left := []*widgets.ActButton{b.act("irises.oneEye", c.OneEye), b.act("irises.refuses", c.Refuses), b.act("irises.otherCase", c.Other), b.act("act.park", c.Park)}
	if s.Phase >= PhaseSearching || s.GoesOn > 0 { // the struggle is over
		left = left[3:]
	} else if s.Phase == PhaseStruggle {
		left = left[1:]
	}
	var right []*widgets.ActButton
	if s.Phase == PhaseStruggle && c.Below != nil {
		for i, e := range s.Eyes {
			if e.wanted() && e.Best > 0 {
				right = append(right, b.button(widgets.ActState{Label: f.Say("irises.keepBest." + kiosk.BothEyes[i].String()), Short: f.Say("irises.keepBest." + kiosk.BothEyes[i].String() + ".short")}, func() { c.Below(kiosk.BothEyes[i]) }))
			}
		}
	}
	if s.GoesOn > 0 {
		right = append(right, b.act("act.stay", c.Stay))
	}
	right = append(right, b.act("act.again", c.Again), x.way)
	x.apply(s)
	b.done(widgets.Column(14, x.top(s), widgets.Grow(widgets.Row(theme.GapInside, cards...)), x.note), left, right)
	return x
}

// eyeLook is what an eye's card shows now.
type eyeLook struct {
	title string
	pill  widgets.PillState
	tone  theme.Tone
}

// wanted: it is neither kept nor excepted.
func (e EyeState) wanted() bool { return !e.Done && e.Except == "" }

// top is the one sentence: a hit that may be shown aloud comes before guidance.
func (x *IrisesScreen) top(s IrisesState) fyne.CanvasObject {
	if e := x.b.Encounter; e != nil && s.Phase == PhaseSearched {
		if loud := x.b.hitBanner(e); loud != nil {
			return loud
		}
	}
	return x.guide
}

// Set changes what is live: guidance, scores, what is missing. A change of
// Phase or of the encounter, and the beginning or end of GoesOn, wants a new
// screen.
func (x *IrisesScreen) Set(s IrisesState) { x.apply(s) }

func (x *IrisesScreen) apply(s IrisesState) {
	b := x.b
	title, tone := b.guidance(s)
	x.guide.Set(widgets.BannerState{Tone: tone, Title: title, NoSign: tone == theme.Good || tone == theme.Care && s.Phase == PhaseLooking})
	for i, e := range s.Eyes {
		x.applyEye(i, e, s)
	}
	note := b.Say("irises.note")
	if s.GoesOn > 0 {
		note = b.Say("irises.goesOn", "Seconds", s.GoesOn)
	}
	x.note.Set(note)
	setReason(x.way, b.irisesMissing(s))
}

func (x *IrisesScreen) applyEye(i int, e EyeState, s IrisesState) {
	b := x.b
	c := widgets.CardState{Tight: true, Title: b.Say("eye." + kiosk.BothEyes[i].String())}
	pill := widgets.PillState{Word: b.Say("irises.looking"), Sign: theme.SignDots}
	tone := theme.Care
	switch {
	case s.ByRule:
		pill = widgets.PillState{Word: b.Say("found.byRule"), Sign: theme.SignDash}
	case e.Except != "":
		pill = widgets.PillState{Tone: theme.Care, Word: coded(b.Book, "except.", string(e.Except))}
	case e.Below:
		pill = widgets.PillState{Tone: theme.Care, Word: b.Say("irises.keptBelow", "Score", e.Best, "Floor", e.Floor)}
	case e.Done:
		tone = theme.Good
		pill = widgets.PillState{Tone: tone, Word: b.Say("irises.kept", "Score", e.Best, "Floor", e.Floor)}
	case e.Present:
		pill = widgets.PillState{Tone: theme.Care, Word: b.Say("irises.below", "Score", e.Best, "Floor", e.Floor)}
	}
	if e.wanted() && s.Phase == PhaseLooking && (s.AskEye == kiosk.BothEyes[i] || s.AskEye == kiosk.EyeUnknown) && e.Present {
		c.Tone = theme.Care
	}
	if look := (eyeLook{c.Title, pill, c.Tone}); look != x.looks[i] { // a card is drawn anew only when it changes
		x.looks[i] = look
		c.Pill = &pill
		x.cards[i].Set(c)
	}
	gauge := func(g *widgets.Gauge, label string, v int) {
		t := theme.Care
		if v >= e.Floor {
			t = theme.Good
		}
		st := widgets.GaugeState{Label: label, LabelWidth: x.label, Value: float64(v) / 100, Floor: floorOf(e), Tone: t}
		g.Set(st)
	}
	now := e.Score
	if !e.wanted() {
		now = 0
	}
	gauge(x.now[i], b.Say("irises.now"), now)
	gauge(x.best[i], b.Say("irises.best"), e.Best)
}

// floorOf is an eye's floor on a gauge; none while it is not known.
func floorOf(e EyeState) float64 {
	if e.Floor <= 0 {
		return -1
	}
	return float64(e.Floor) / 100
}

// gaugeLabels is how wide the labels of an eye's, or a face's, gauges are.
func (b *builder) gaugeLabels() float32 {
	return max(widgets.NewWords(b.Say("irises.now"), widgets.Body).Natural(), widgets.NewWords(b.Say("irises.best"), widgets.Body).Natural()) + 2
}

// guidance is the one sentence, the most useful one.
func (b *builder) guidance(s IrisesState) (string, theme.Tone) {
	taken := 0
	for _, e := range s.Eyes {
		if e.Done {
			taken++
		}
	}
	switch {
	case s.ByRule:
		return b.Say("except.byRule"), theme.Plain
	case s.Phase == PhaseNoCamera:
		return b.Say("irises.cameraGone"), theme.Stop
	case s.Phase == PhaseStarting:
		return b.Say("missing.busy"), theme.Active
	case s.Phase == PhaseSearching:
		return b.Say("irises.searching"), theme.Active
	case s.Phase == PhaseStruggle:
		return b.Say("irises.stopped"), theme.Care
	case s.Eyes[0].wanted() || s.Eyes[1].wanted():
		if s.Ask == "" {
			return b.Say("guide.hold-still"), theme.Active
		}
		if s.AskEye == kiosk.EyeUnknown {
			return b.Say("guide." + s.Ask), theme.Care
		}
		return b.Say("guide." + s.Ask + "." + s.AskEye.String()), theme.Care
	case taken == 0:
		return b.Say("decision.notSearched"), theme.Care
	case b.Encounter != nil && resultOf(b.Encounter).made && !resultOf(b.Encounter).complete:
		return b.Say("decision.incomplete"), theme.Unsure
	case taken == 1:
		return b.Say("irises.oneKept"), theme.Good
	}
	return b.Say("irises.bothKept"), theme.Good
}

func (b *builder) irisesMissing(s IrisesState) string {
	if s.Missing == 0 {
		return ""
	}
	for i, e := range s.Eyes {
		if e.wanted() {
			return b.Say("missing." + kiosk.BothEyes[i].String())
		}
	}
	return b.Say("missing.search")
}

// hitBanner says what to do about a hit that may be shown aloud, nil if there
// is none: first what to do, then why.
func (b *builder) hitBanner(e *kiosk.Encounter) fyne.CanvasObject {
	for _, s := range e.Searches {
		for i := range s.Candidates {
			c := &s.Candidates[i]
			if c.Presentation == kiosk.PresentDiscreet || c.Kind != kiosk.CandidateWatch {
				continue
			}
			do := instruction(b.Book, c.Instruction)
			if do == "" {
				do = b.Say("alert.noText")
			}
			why := []string{b.Say("decision.entry", "Entry", c.Entry), b.Say("decision.unconfirmed")}
			return widgets.NewBanner(widgets.BannerState{Tone: theme.Stop, Loud: true, Title: sentence(do), Detail: c.List + " · " + why[0] + " · " + why[1]})
		}
	}
	return nil
}
