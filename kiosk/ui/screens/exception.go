package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Below asks why a capture is kept below its floor.
func Below(f Frame, s BelowState, c BelowCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	var l []widgets.Choice
	codes, what, keep := []string{"cannotOpen", "disease", "restless", "light"}, "eye."+s.Eye.String(), "irises.keepBest"
	if s.Face {
		codes, what, keep = []string{"restless", "light", "posture", "injury", "covering"}, "face.title", "face.keepThis"
	}
	for _, k := range codes {
		l = append(l, widgets.Choice{Key: k, Label: f.Say("below." + k)})
	}
	reasons := widgets.NewChoiceRow(widgets.ChoiceState{Choices: l, Down: true, Person: true, Chosen: one(s.Reason)}, c.Reason)
	left := widgets.NewCard(widgets.CardState{Tight: true, Title: f.Say(what), Pill: &widgets.PillState{Tone: theme.Care, Word: f.Say("irises.below", "Score", s.Score, "Floor", s.Floor)}},
		widgets.Column(12, widgets.Grow(widgets.NewPicture(widgets.PictureState{Image: s.Image, Empty: f.Say("side.notKept"), Size: fyne.NewSize(200, 150)})),
			widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.best"), Value: float64(s.Score) / 100, Floor: float64(s.Floor) / 100, Tone: theme.Care})))
	right := widgets.NewCard(widgets.CardState{}, widgets.Column(14, widgets.NewWords(f.Say("below.note"), widgets.Second), widgets.Grow(b.scroll(reasons))))
	reason := ""
	if s.Reason == "" {
		reason = f.Say("missing.reason")
	}
	return b.done(widgets.Column(14, widgets.NewWords(f.Say("below.title"), widgets.Title), widgets.Grow(split(0.45, left, right))),
		[]*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{b.way(f.Say(keep), reason, c.Keep)})
}

// exceptReasons are the reasons of each modality, the commonest first.
var exceptReasons = map[kiosk.Modality][]kiosk.ExceptionReason{
	kiosk.ModalityIris:     {kiosk.ExceptMissing, kiosk.ExceptProsthetic, kiosk.ExceptBandaged, kiosk.ExceptCannotOpen, kiosk.ExceptRefuses, kiosk.ExceptDevice},
	kiosk.ModalityDocument: {kiosk.ExceptNoDocument, kiosk.ExceptUnreadable, kiosk.ExceptRefuses, kiosk.ExceptDevice},
	kiosk.ModalityFace:     {kiosk.ExceptRefuses, kiosk.ExceptDevice},
}

// Exception asks why something cannot be captured.
func Exception(f Frame, s ExceptionState, c ExceptionCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	var col []fyne.CanvasObject
	if s.Modality == kiosk.ModalityIris {
		var eyes []widgets.Choice
		for _, e := range kiosk.BothEyes {
			eyes = append(eyes, widgets.Choice{Key: e.String(), Label: f.Say("eye." + e.String())})
		}
		var chosen []string
		for _, e := range s.Eyes {
			chosen = append(chosen, e.String())
		}
		col = append(col, label(f.Say("except.which"), widgets.NewChoiceRow(widgets.ChoiceState{Choices: eyes, Person: true, Chosen: chosen}, func(k string) {
			for _, e := range kiosk.BothEyes {
				if e.String() == k {
					c.Eye(e)
				}
			}
		})))
	}
	if s.Destroys {
		col = append(col, widgets.NewBanner(widgets.BannerState{Tone: theme.Care, Detail: f.Say("except.destroys")}))
	}
	var l []widgets.Choice
	for _, r := range exceptReasons[s.Modality] {
		l = append(l, widgets.Choice{Key: string(r), Label: coded(f.Book, "except.", string(r))})
	}
	col = append(col, label(f.Say("abandon.why"), widgets.NewChoiceRow(widgets.ChoiceState{Choices: l, Person: true, Chosen: one(string(s.Reason))}, func(k string) { c.Reason(kiosk.ExceptionReason(k)) })))
	if s.Reason == kiosk.ExceptRefuses {
		col = append(col, widgets.NewBanner(widgets.BannerState{Tone: theme.Care, Detail: f.Say("except.noForce")}),
			newFit(260, b.gap(), pick(f.Say("except.words"), s.Words, c.Words), pick(f.Say("except.present"), s.Present, c.Present)))
	}
	return b.done(widgets.Column(14, widgets.NewWords(f.Say("except.title"), widgets.Title), widgets.Grow(widgets.NewCard(widgets.CardState{}, b.scroll(widgets.Column(b.gap(), col...))))),
		[]*widgets.ActButton{b.act("act.back", c.Back)}, []*widgets.ActButton{b.way(f.Say("except.record"), b.missing(s.Missing), c.Save)})
}
