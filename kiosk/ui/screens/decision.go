package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Decision shows what the searches found: one card a candidate with three
// answers, none of them chosen; or that there is no match, in which lists, how old;
// or that the search is incomplete, which is not the same.
func Decision(f Frame, s DecisionState, c DecisionCalls) *Screen {
	b := f.build()
	e := f.Encounter
	if e == nil {
		e = &kiosk.Encounter{}
		b.Encounter = e
	}
	r := resultOf(e)
	var rows []fyne.CanvasObject
	incomplete := r.made && !r.complete
	if loud := b.hitBanner(e); loud != nil {
		rows = append(rows, loud)
	}
	if incomplete {
		detail := f.Say("decision.incompleteWhy", "Compared", f.Number(r.compared), "Total", f.Number(r.total))
		if r.old > 0 {
			detail += " " + f.Count("decision.notCompared", r.old)
		}
		rows = append(rows, widgets.NewBanner(widgets.BannerState{Tone: theme.Unsure, Title: f.Say("decision.incomplete"), Detail: detail}))
	}
	switch {
	case len(s.Candidates) > 0:
		if len(rows) == 0 {
			rows = append(rows, widgets.NewWords(f.Say("decision.question"), widgets.Title))
		}
		rows = append(rows, widgets.Grow(b.candidates(s, c)))
	case s.NotByIris:
		rows = append(rows, widgets.NewBanner(widgets.BannerState{Tone: theme.Care, Title: f.Say("decision.notSearched")}), widgets.Grow(b.whatWasCompared(r, s)))
	case !incomplete:
		rows = append(rows, widgets.NewBanner(widgets.BannerState{Tone: theme.Active, Title: b.noMatch(r, s), NoSign: true}), widgets.Grow(b.whatWasCompared(r, s)))
	default:
		rows = append(rows, widgets.Grow(b.whatWasCompared(r, s)))
	}

	reason := ""
	if s.Missing > 0 {
		reason = f.Count("missing.answers", s.Missing)
	}
	if s.Second {
		b.s.back = c.Park
		object := b.button(widgets.ActState{Label: f.Say("held.back"), NoEnter: true}, c.Object)
		return b.done(widgets.Column(14, rows...), []*widgets.ActButton{b.act("act.back", c.Park)}, []*widgets.ActButton{object, b.way(f.Say("held.approve"), reason, c.Approve)})
	}
	park := "act.park"
	if len(s.Candidates) > 0 {
		park = "act.parkHold"
	}
	left := []*widgets.ActButton{b.act(park, c.Park), b.act("decision.refer", c.Refer)}
	right := []*widgets.ActButton{}
	if incomplete {
		right = append(right, b.act("decision.searchAgain", c.Search))
	} else {
		right = append(right, b.act("decision.again", c.Again))
	}
	right = append(right, b.way(f.Say("decision.enrol"), reason, c.Next))
	return b.done(widgets.Column(14, rows...), left, right)
}

// whatWasCompared says, for an answer without a candidate, what it rests on.
func (b *builder) whatWasCompared(r result, s DecisionState) fyne.CanvasObject {
	const name = 150
	var rows []fyne.CanvasObject
	if !r.made {
		rows = append(rows, widgets.Fact(b.Say("queue.lists"), upper(b.Say("found.notSearched")), name))
	} else if r.lists != nil && len(r.lists.Lists) > 0 {
		rows = append(rows, widgets.Fact(b.Say("queue.lists"), b.Say("decision.compared", "Compared", b.Number(r.lists.Compared), "Total", b.Number(r.lists.Total), "Age", b.oldest(r.lists)), name))
	} else {
		rows = append(rows, widgets.Fact(b.Say("queue.lists"), b.Say("decision.noLists"), name))
	}
	if r.site != nil {
		rows = append(rows, widgets.Fact(b.Say("decision.site"), b.Say("decision.comparedSite", "Compared", b.Number(r.site.Compared), "Total", b.Number(r.site.Total)), name))
	}
	rows = append(rows, widgets.Fact(b.Say("home.hub"), b.hubAnswer(s), name), widgets.PadXY(10, 14, widgets.NewWords(b.Say("decision.noneMeans"), widgets.Second)))
	return widgets.NewCard(widgets.CardState{}, b.scroll(widgets.Column(0, rows...)))
}

func (b *builder) hubAnswer(s DecisionState) string {
	if s.HubAnswered {
		return b.Say("decision.hubAnswered")
	}
	return b.Say("decision.hubSilent")
}

// noMatch names the lists and their age, and whether the hub has answered; it
// never says "clear".
func (b *builder) noMatch(r result, s DecisionState) string {
	switch {
	case r.lists != nil && len(r.lists.Lists) > 0:
		return b.Say("decision.none", "Age", b.oldest(r.lists)) + " " + b.hubAnswer(s)
	case r.site != nil:
		return b.Say("decision.noneSite", "Count", b.Number(r.site.Compared)) + " " + b.hubAnswer(s)
	}
	return b.Say("decision.notSearched")
}

// oldest is the age of the oldest list that was searched.
func (b *builder) oldest(s *kiosk.Search) string {
	t := s.At.Time
	for _, l := range s.Lists {
		if l.Signed.Time.Before(t) {
			t = l.Signed.Time
		}
	}
	return b.ago(t)
}

// compared says what was compared and how old it is.
func (b *builder) compared(r result, s DecisionState) string {
	text := ""
	if r.lists != nil && len(r.lists.Lists) > 0 {
		text = b.Say("decision.compared", "Compared", b.Number(r.lists.Compared), "Total", b.Number(r.lists.Total), "Age", b.oldest(r.lists))
	} else if r.made {
		text = b.Say("decision.noLists")
	}
	if r.site != nil {
		text += " " + b.Say("decision.comparedSite", "Compared", b.Number(r.site.Compared), "Total", b.Number(r.site.Total))
	}
	if s.SecondWanted && !s.Second {
		text += " " + b.Say("decision.second")
	}
	return text
}

// candidates are the cards, beside each other while there is room.
func (b *builder) candidates(s DecisionState, c DecisionCalls) fyne.CanvasObject {
	var cards []fyne.CanvasObject
	for _, v := range s.Candidates {
		cards = append(cards, b.candidate(v, len(s.Candidates) == 1, c))
	}
	compared := widgets.NewWords(b.compared(resultOf(b.Encounter), s), widgets.Second)
	return b.scroll(widgets.Column(14, newFit(350, theme.GapInside, cards...), compared))
}

// candidate is one of them: who, what the match means, and three answers, of
// which none is chosen. Alone, it has its answers beside what they are about.
func (b *builder) candidate(v CandidateView, alone bool, c DecisionCalls) fyne.CanvasObject {
	x := v.Candidate
	tone := theme.Plain
	title, none := b.Say("decision.hereBefore"), b.Say("decision.noFace")
	var lines []string
	if x.Kind == kiosk.CandidateWatch {
		title, none = b.Say("decision.entry", "Entry", x.Entry), b.Say("decision.noFaceList")
		if x.Presentation != kiosk.PresentDiscreet {
			tone = theme.Stop
		}
		lines = append(lines, upper(x.List))
	} else if v.Wristband != "" {
		lines = append(lines, b.Say("decision.beforeLine", "Number", widgets.Keep(v.Wristband), "Date", b.Date(v.Date)))
	}
	if v.Name != "" {
		name := widgets.Keep(v.Name)
		if v.Born != "" {
			name += ", " + b.DateText(v.Born)
		}
		lines = append([]string{"**" + name + "**"}, lines...)
	} else if x.Kind == kiosk.CandidateEncounter {
		lines = append(lines, b.Say("decision.beforeName"))
	}
	head := []fyne.CanvasObject{widgets.NewWords(title, widgets.Heading)}
	for _, l := range lines {
		head = append(head, widgets.NewWords(l, widgets.Style{Shrink: true}))
	}
	var top fyne.CanvasObject
	if v.Face != nil {
		top = widgets.Row(14, widgets.Wide(96, widgets.NewPicture(widgets.PictureState{Image: v.Face, Size: fyne.NewSize(96, 120)})), widgets.Grow(widgets.Middle(widgets.Column(0, head...))))
	} else {
		top = widgets.Column(0, append(head, widgets.NewWords(upper(none), widgets.Caption))...)
	}
	choices := []widgets.Choice{{Key: string(kiosk.VerdictSame), Label: b.Say("verdict.same person")},
		{Key: string(kiosk.VerdictDifferent), Label: b.Say("verdict.not the same")}, {Key: string(kiosk.VerdictUnsure), Label: b.Say("verdict.cannot tell")}}
	if x.Kind == kiosk.CandidateEncounter {
		choices[0].Label = b.Say("verdict.sameLink")
	}
	answers := widgets.NewChoiceRow(widgets.ChoiceState{Choices: choices, Down: true, Person: true, Chosen: one(string(v.Answer))}, func(k string) {
		c.Answer(v.Search, v.Index, kiosk.Verdict(k))
	})
	body := []fyne.CanvasObject{top, widgets.NewWords(b.likelihood(x), widgets.Body)}
	if x.Presentation == kiosk.PresentDiscreet {
		if do := instruction(b.Book, x.Instruction); do != "" {
			body = append(body, widgets.NewWords("**"+sentence(do)+"**", widgets.Body))
		}
	}
	state := widgets.CardState{Tone: tone, Tight: true}
	if alone {
		return widgets.NewCard(state, split(0.5, widgets.Column(12, body...), answers))
	}
	return widgets.NewCard(state, widgets.Column(12, append(body, widgets.Space(), answers)...))
}

// likelihood says in words what the match means in the search that was made.
func (b *builder) likelihood(x kiosk.Candidate) string {
	switch x.By {
	case kiosk.MatchedDocument:
		return b.Say("decision.byDocument")
	case kiosk.MatchedName:
		return b.Say("decision.byName")
	}
	eyes := b.Say("decision.bothEyes")
	if x.Eyes == 1 {
		eyes = b.Say("decision.oneEye")
	}
	return eyes + " " + b.Say("decision.rarity", "Count", b.Rarity(x.Strangers))
}
