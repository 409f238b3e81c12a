package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// ResumeScreen asks whether this is the same person.
type ResumeScreen struct {
	*Screen
	// View is the eye that is compared; see [IrisesScreen].
	View *EyeView

	b     *builder
	guide *Banner
	gauge *Gauge
}

// Resume asks whether this is the same person: the wristband number, then one
// eye against the draft.
func Resume(f Frame, s ResumeState, c ResumeCalls) *ResumeScreen {
	b := f.build()
	b.Encounter = nil
	b.s.back = c.Back
	x := &ResumeScreen{Screen: b.s, b: b, View: NewEyeView(f.Say("irises.empty"))}
	x.guide = NewBanner(BannerState{})
	x.gauge = NewGauge(GaugeState{Label: f.Say("irises.best"), Floor: -1})
	var left, right []*ActButton
	if s.Phase != ResumeSame {
		left = append(left, b.act("act.back", c.Back))
	}
	if s.Supervisor && (s.Phase == ResumeNoEye || s.Phase == ResumeLooking) {
		left = append(left, b.button(ActState{Label: f.Say("resume.vouch"), NoEnter: true}, c.Vouch))
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
	draft := b.draftRow(s.Draft, nil)
	side := NewCard(CardState{}, Column(18, draft, number, NewWords(f.Say("resume.eye"), Second)))
	eye := NewCard(CardState{Tight: true}, Column(10, Grow(x.View), x.gauge))
	b.done(Column(14, NewWords(f.Say("resume.title"), Title), x.guide, Grow(split(0.5, side, eye))), left, right)
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
	x.guide.Set(BannerState{Tone: tone, Title: "", Detail: "**" + title + "**", NoSign: tone == theme.Active})
	t := theme.Care
	if s.Eye.Best >= s.Eye.Floor && s.Eye.Floor > 0 {
		t = theme.Good
	}
	x.gauge.Set(GaugeState{Label: b.Say("irises.best"), Value: float64(s.Eye.Best) / 100, Floor: float64(s.Eye.Floor) / 100, Tone: t})
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
			rows = append(rows, PadXY(10, 8, NewWords("•  "+sentence(coded(f.Book, "second.", string(r))), Body)))
		}
	}
	rows = append(rows, PadXY(10, 10, NewWords(f.Say("held.blind"), Second)))
	title := f.Say("walk.wristband", "Number", Keep(s.Draft.Wristband))
	content := Column(14, NewBanner(BannerState{Tone: tone, Title: title, Detail: sentence(when)}), Grow(NewCard(CardState{Title: f.Say("held.why")}, Column(0, rows...))))
	sign := b.way(f.Say("held.sign"), "", c.Sign)
	return b.done(content, []*ActButton{b.act("act.back", c.Back)}, []*ActButton{sign})
}
