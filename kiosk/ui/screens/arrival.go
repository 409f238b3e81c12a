package screens

import (
	"maps"
	"slices"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Arrival shows what stands before any capture: why, who, how old, and what the
// person must be told.
func Arrival(f Frame, s ArrivalState, c ArrivalCalls) *Screen {
	b := f.build()
	content := split(0.52, b.arrivalFacts(s, c), b.notice(s, c))
	rows := []fyne.CanvasObject{widgets.NewWords(f.Say("step.arrival"), widgets.Title), widgets.Grow(content)}
	if s.Taken {
		rows = append([]fyne.CanvasObject{widgets.NewBanner(widgets.BannerState{Tone: theme.Care, Detail: f.Say("arrival.taken", "Number", widgets.Keep(s.Arrival.Wristband))})}, rows...)
	}
	if s.Stopped {
		rows = append([]fyne.CanvasObject{widgets.NewBanner(widgets.BannerState{Tone: theme.Stop, Detail: f.Say("arrival.stopped")})}, rows...)
	}
	return b.done(widgets.Column(10, rows...),
		[]*widgets.ActButton{b.act("act.park", c.Park), b.act("review.abandon", c.Abandon)},
		[]*widgets.ActButton{b.way(b.arrivalNext(), b.missing(s.Missing), c.Next)})
}

// arrivalNext is the way on. Which steps follow is known once the arrival is
// confirmed; before, the walk has no more than its first.
func (b *builder) arrivalNext() string {
	if b.Encounter == nil || len(b.Encounter.Steps) < 2 {
		return b.Say("act.goOn")
	}
	return b.next(kiosk.StepArrival)
}

func (b *builder) arrivalFacts(s ArrivalState, c ArrivalCalls) fyne.CanvasObject {
	a := s.Arrival
	law := ""
	if x := authority(s.Agreement, a.Authority); x != nil {
		law = x.Citation + " · " + lower(coded(b.Book, "lawful.", string(x.Basis)))
	}
	cat := ""
	if a.Category != "" {
		cat = coded(b.Book, "category.", a.Category)
	}
	var bands []widgets.Choice
	if k := category(s.Agreement, a.Category); k != nil {
		for _, r := range k.Bands {
			bands = append(bands, widgets.Choice{Key: string(r.Band), Label: coded(b.Book, "band.", string(r.Band))})
		}
	}
	bands = append(bands, widgets.Choice{Key: string(kiosk.BandUnknown), Label: coded(b.Book, "band.", string(kiosk.BandUnknown))})
	var bases []widgets.Choice
	for _, x := range []kiosk.AgeBasis{kiosk.AgeDocument, kiosk.AgeStated, kiosk.AgeEstimated} {
		bases = append(bases, widgets.Choice{Key: string(x), Label: upper(coded(b.Book, "basis.", string(x)))})
	}
	care := b.Say("arrival.flags")
	careNow := ""
	if len(a.Flags) > 0 {
		var l []string
		for _, x := range a.Flags {
			l = append(l, coded(b.Book, "flag.", string(x)))
		}
		careNow = list(l)
	}
	guardian := b.Say("arrival.guardian")
	return widgets.NewCard(widgets.CardState{Tight: true}, b.scroll(widgets.Column(10,
		newFit(170, b.gap(), pick(b.Say("arrival.wristband"), a.Wristband, c.Wristband), pick(b.Say("arrival.category"), cat, c.Category)),
		widgets.PadXYZ(0, b.gap()-10, 0, 0, pick(b.Say("arrival.why"), law, c.Authority)),
		label(b.Say("arrival.age"), widgets.NewChoiceRow(widgets.ChoiceState{Choices: bands, Person: true, Chosen: one(string(a.Band))}, func(k string) { c.Band(kiosk.AgeBand(k)) })),
		label(upper(b.Say("arrival.from")), widgets.NewChoiceRow(widgets.ChoiceState{Choices: bases, Person: true, Chosen: one(string(a.BandBasis))}, func(k string) { c.Basis(kiosk.AgeBasis(k)) })),
		widgets.PadXYZ(0, b.gap()-10, 0, 0, newFit(170, b.gap(), pick(care, careNow, c.Flags), pick(guardian, a.Guardian, c.Guardian))))))
}

func one(key string) []string {
	if key == "" {
		return nil
	}
	return []string{key}
}

// notice is what the person must be told, in their language, and how they were.
func (b *builder) notice(s ArrivalState, c ArrivalCalls) fyne.CanvasObject {
	if s.Agreement == nil {
		return widgets.NewCard(widgets.CardState{}, widgets.NewWords("", widgets.Body))
	}
	n := s.Agreement.Notice
	lang := s.Arrival.Language
	var langs []widgets.Choice
	for _, tag := range slices.Sorted(maps.Keys(n.Text)) {
		langs = append(langs, widgets.Choice{Key: tag, Label: languageName(tag)})
	}
	var forms []widgets.Choice
	for _, x := range n.Given {
		forms = append(forms, widgets.Choice{Key: string(x), Label: coded(b.Book, "notice.", string(x))})
	}
	told := ""
	if s.Arrival.Notice.Language == lang {
		told = string(s.Arrival.Notice.Form)
	}
	take := b.Say("arrival.willTakeNone")
	if len(s.Permitted) > 0 {
		var l []string
		for _, m := range s.Permitted {
			l = append(l, coded(b.Book, "modality.", string(m)))
		}
		take = b.Say("arrival.willTake", "What", list(l))
	} else if s.Arrival.Band == "" {
		take = ""
	}
	if r := recipients(s.Agreement); len(r) > 0 {
		take += "\n" + b.Say("arrival.mayGo", "Who", list(r))
	}
	reason := ""
	if n.Text[lang] == "" {
		reason = b.Say("missing.language")
	}
	words := widgets.NewWords("“"+n.Text[lang]+"”", widgets.Style{Size: 20})
	if n.Text[lang] == "" {
		words = widgets.NewWords(b.Say("missing.language"), widgets.Second)
	}
	return widgets.NewCard(widgets.CardState{Title: b.Say("arrival.say"), Tight: true}, widgets.Column(10,
		widgets.NewChoiceRow(widgets.ChoiceState{Choices: langs, Chosen: one(lang)}, c.Language),
		widgets.Grow(b.scroll(widgets.Column(12, words, widgets.NewWords(take, widgets.Second)))),
		label(b.Say("arrival.toldHow"), widgets.NewChoiceRow(widgets.ChoiceState{Choices: forms, Person: true, Chosen: one(told), Reason: reason}, func(k string) { c.Told(kiosk.NoticeForm(k)) }))))
}

func recipients(a *kiosk.Agreement) []string {
	var l []string
	for _, r := range a.Recipients {
		if !slices.Contains(l, r.Name) {
			l = append(l, r.Name)
		}
	}
	return l
}
