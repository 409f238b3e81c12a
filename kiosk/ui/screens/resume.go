package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// ResumeScreen asks whether this is the same person.
type ResumeScreen struct {
	*Screen
	// View is the eye that is compared; see [IrisesScreen].
	View *widgets.EyeView

	b     *builder
	guide *widgets.Banner
	gauge *widgets.Gauge
}

// Resume asks whether this is the same person: the wristband number, then one
// eye against the draft.
func Resume(f Frame, s ResumeState, c ResumeCalls) *ResumeScreen {
	b := f.build()
	b.Encounter = nil
	b.s.back = c.Back
	x := &ResumeScreen{Screen: b.s, b: b, View: widgets.NewEyeView(f.Say("irises.empty"))}
	x.guide = widgets.NewBanner(widgets.BannerState{})
	x.gauge = widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.best"), Floor: -1})
	var left, right []*widgets.ActButton
	if s.Phase != ResumeSame {
		left = append(left, b.act("act.back", c.Back))
	}
	if s.Supervisor && (s.Phase == ResumeNoEye || s.Phase == ResumeLooking) {
		left = append(left, b.button(widgets.ActState{Label: f.Say("resume.vouch"), NoEnter: true}, c.Vouch))
	}
	switch s.Phase {
	case ResumeAsk, ResumeWrong:
		reason := ""
		if s.Wristband == "" || s.Phase == ResumeWrong {
			reason = f.Say("missing.wristband")
		}
		right = append(right, b.way(f.Say("resume.compare"), reason, c.Look))
	case ResumeSame, ResumeDifferent:
		right = append(right, b.way(f.Say("resume.go"), "", c.Next))
	case ResumeNoEye:
		right = append(right, b.act("act.again", c.Look))
	}
	x.apply(s)
	number := pick(f.Say("arrival.wristband"), s.Wristband, c.Wristband)
	if s.Phase != ResumeAsk && s.Phase != ResumeWrong {
		number = pick(f.Say("arrival.wristband"), s.Wristband, nil)
	}
	pill := b.statePill(s.Draft.State, s.Draft.Park) // without its number: that is read off the wristband
	draft := widgets.NewListRow(widgets.RowState{Text: b.draftWords(s.Draft), Pill: &pill}, nil)
	side := widgets.NewCard(widgets.CardState{}, widgets.Column(18, draft, number, widgets.NewWords(f.Say("resume.eye"), widgets.Second)))
	eye := widgets.NewCard(widgets.CardState{Tight: true}, widgets.Column(10, widgets.Grow(x.View), x.gauge))
	b.done(widgets.Column(14, widgets.NewWords(f.Say("resume.title"), widgets.Title), x.guide, widgets.Grow(split(0.5, side, eye))), left, right)
	return x
}

// Set changes what is live: guidance and score.
func (x *ResumeScreen) Set(s ResumeState) { x.apply(s) }

func (x *ResumeScreen) apply(s ResumeState) {
	b := x.b
	title, tone := b.Say("resume.wristband"), theme.Active
	switch s.Phase {
	case ResumeWrong:
		title, tone = b.Say("resume.wrong"), theme.Stop
	case ResumeLooking:
		title = b.Say("resume.look")
		if s.Ask != "" && s.AskEye == kiosk.EyeUnknown {
			title, tone = b.Say("guide."+s.Ask), theme.Care
		} else if s.Ask != "" {
			title, tone = b.Say("guide."+s.Ask+"."+s.AskEye.String()), theme.Care
		}
	case ResumeSame:
		title, tone = b.Say("resume.same", "Step", b.Say("step."+string(s.Draft.At))), theme.Good
	case ResumeDifferent:
		title, tone = b.Say("resume.notSame"), theme.Stop
	case ResumeNoEye:
		title, tone = b.Say("resume.noEye"), theme.Care
	}
	x.guide.Set(widgets.BannerState{Tone: tone, Title: title, NoSign: tone == theme.Active})
	t := theme.Care
	if s.Eye.Best >= s.Eye.Floor && s.Eye.Floor > 0 {
		t = theme.Good
	}
	x.gauge.Set(widgets.GaugeState{Label: b.Say("irises.best"), Value: float64(s.Eye.Best) / 100, Floor: floorOf(s.Eye), Tone: t})
}

// Held shows an encounter that waits for a second person.
func Held(f Frame, s HeldState, c HeldCalls) *Screen {
	b := f.build()
	b.Encounter = nil
	b.s.back = c.Back
	tone, when := theme.Care, f.Say("row.wantsSecond", "Time", f.until(s.Deadline))
	if s.Late {
		tone, when = theme.Stop, f.Say("row.overdue", "Time", f.until(s.Deadline))
	}
	rows := []fyne.CanvasObject{}
	if s.Draft.Hold != nil {
		for _, r := range s.Draft.Hold.Reasons {
			rows = append(rows, widgets.PadXY(10, 8, widgets.NewWords("•  "+sentence(coded(f.Book, "second.", string(r))), widgets.Body)))
		}
	}
	rows = append(rows, widgets.PadXY(10, 10, widgets.NewWords(f.Say("held.blind"), widgets.Second)))
	if s.By != "" {
		rows = append(rows, widgets.PadXY(10, 0, widgets.NewWords(f.Say("held.by", "Label", s.By), widgets.Second)))
	}
	title := f.Say("walk.wristband", "Number", widgets.Keep(s.Draft.Wristband))
	content := widgets.Column(14, widgets.NewWords(f.Say("held.title"), widgets.Title), widgets.NewBanner(widgets.BannerState{Tone: tone, Title: title, Detail: sentence(when)}), widgets.Grow(widgets.NewCard(widgets.CardState{Title: f.Say("held.why")}, widgets.Column(0, rows...))))
	sign := b.way(f.Say("held.sign"), "", c.Sign)
	return b.done(content, []*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{sign})
}
