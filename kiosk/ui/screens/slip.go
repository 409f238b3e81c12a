package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// SlipLine is one paragraph of the paper.
type SlipLine struct {
	Text string // without marks
	Bold bool
}

// SlipText is the paper for the person, in the person's language, the same on
// the screen, in print and as PDF: what was taken or not, under which law, who may
// receive it, until when, how to object. The first line is its title.
func SlipText(s SlipState) []SlipLine {
	e, a, w := s.Encounter, s.Agreement, s.Words
	if e == nil || a == nil || w == nil {
		return nil
	}
	say := func(key string, args ...any) SlipLine { return SlipLine{Text: w.Say(key, args...)} }
	title := say("slip.title", "Number", e.Arrival.Wristband)
	title.Bold = true
	l := []SlipLine{title}
	if e.Training {
		l = append(l, SlipLine{w.Say("slip.training"), true})
	}
	law := e.Arrival.Authority
	if x := authority(a, law); x != nil {
		law = x.Citation
	}
	taken, not := slipTaken(w, e)
	if len(taken) > 0 {
		l = append(l, say("slip.taken", "Date", w.Date(s.Now), "What", list(taken), "Law", law))
	}
	if len(not) > 0 {
		l = append(l, say("slip.notTaken", "What", list(not)))
	}
	if r := recipients(a); len(r) > 0 {
		l = append(l, say("slip.who", "Who", list(r)))
	}
	if h := a.Retention.Hub; h > 0 {
		l = append(l, say("slip.until", "Date", w.Date(s.Now.Add(h))))
	}
	if k := a.LocalSearch.Keep; k > 0 {
		l = append(l, say("slip.untilHere", "Date", w.Date(s.Now.Add(k))))
	}
	contact := a.Redress.Contact[string(w.Language())]
	if contact == "" {
		for _, lang := range words.All {
			if contact == "" {
				contact = a.Redress.Contact[string(lang)]
			}
		}
	}
	if contact != "" {
		l = append(l, SlipLine{w.Say("slip.object", "Contact", contact), true})
	}
	return l
}

// slipTaken lists what was taken and what was not, without scores: they mean
// nothing to the person.
func slipTaken(w *words.Book, e *kiosk.Encounter) (taken, not []string) {
	for _, m := range []kiosk.Modality{kiosk.ModalityIris, kiosk.ModalityFace, kiosk.ModalityDocument} {
		have, asked := false, e.Permits(m)
		for _, c := range e.Captures {
			have = have || c.Modality == m && !c.Cleared
		}
		for _, x := range e.Exceptions {
			asked = asked || x.Modality == m
		}
		switch {
		case have:
			taken = append(taken, coded(w, "modality.", string(m)))
		case asked:
			not = append(not, coded(w, "modality.", string(m)))
		}
	}
	return taken, not
}

func slipLanguage(s SlipState) string {
	if s.Words == nil {
		return ""
	}
	return languageName(string(s.Words.Language()))
}

// paper is the slip as it is printed.
func (b *builder) paper(s SlipState) fyne.CanvasObject {
	var col []fyne.CanvasObject
	for i, l := range SlipText(s) {
		st := widgets.Style{Bold: l.Bold}
		if i == 0 {
			st = widgets.Heading
		}
		col = append(col, widgets.NewWords(l.Text, st))
	}
	if s.Code != "" {
		col = append(col, widgets.NewCode(s.Code, s.Code, 96))
	}
	return widgets.Column(12, col...)
}

// Slip shows the paper for the person, on the screen.
func Slip(f Frame, s SlipState, c SlipCalls) *Screen {
	b := f.build()
	b.Encounter = nil
	title := f.Say("slip.sealed")
	if s.Held {
		title = f.Say("slip.held", "Time", f.until(s.Until))
	}
	tone := theme.Good
	if s.Held {
		tone = theme.Care
	}
	side := []fyne.CanvasObject{}
	if c.Language != nil && s.Agreement != nil && s.Words != nil {
		var l []widgets.Choice
		for _, lang := range words.All {
			l = append(l, widgets.Choice{Key: string(lang), Label: languageName(string(lang))})
		}
		side = append(side, widgets.NewChoiceRow(widgets.ChoiceState{Choices: l, Down: true, Chosen: one(string(s.Words.Language()))}, c.Language))
	}
	side = append(side, widgets.NewWords(f.Say("slip.show"), widgets.Second))
	if s.Printed {
		side = append(side, band(theme.Good, f.Say("slip.printed")))
	}
	print := "slip.save"
	if s.Printer {
		print = "slip.print"
	}
	content := widgets.Column(14, widgets.NewBanner(widgets.BannerState{Tone: tone, Title: title}), widgets.Grow(split(0.64, widgets.NewCard(widgets.CardState{}, b.scroll(b.paper(s))), widgets.NewCard(widgets.CardState{Title: f.Say("slip.screen", "Language", slipLanguage(s))}, widgets.Column(14, side...)))))
	return b.done(content, nil, []*widgets.ActButton{b.repeat(print, c.Print), b.way(f.Say("act.done"), "", c.Done)})
}
