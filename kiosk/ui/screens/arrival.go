package screens

import (
	"maps"
	"slices"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// Arrival shows what stands before any capture: why, who, how old, and what the
// person must be told.
func Arrival(f Frame, s ArrivalState, c ArrivalCalls) *Screen {
	b := f.build()
	content := split(0.52, b.arrivalFacts(s, c), b.notice(s, c))
	rows := []fyne.CanvasObject{Grow(content)}
	if s.Stopped {
		rows = append([]fyne.CanvasObject{NewBanner(BannerState{Tone: theme.Stop, Detail: f.Say("arrival.stopped")})}, rows...)
	}
	next := kiosk.StepIrises
	if e := f.Encounter; e != nil && len(e.Steps) > 1 {
		for _, x := range e.Steps[1:] {
			if x.State != kiosk.StepByRule {
				next = x.Kind
				break
			}
		}
	}
	return b.done(Column(14, rows...),
		[]*ActButton{b.act("act.park", c.Park), b.act("review.abandon", c.Abandon)},
		[]*ActButton{b.way(f.Say("next."+string(next)), b.missing(s.Missing), c.Next)})
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
	var bands []Choice
	if k := category(s.Agreement, a.Category); k != nil {
		for _, r := range k.Bands {
			bands = append(bands, Choice{Key: string(r.Band), Label: coded(b.Book, "band.", string(r.Band))})
		}
	}
	bands = append(bands, Choice{Key: string(kiosk.BandUnknown), Label: coded(b.Book, "band.", string(kiosk.BandUnknown))})
	var bases []Choice
	for _, x := range []kiosk.AgeBasis{kiosk.AgeDocument, kiosk.AgeStated, kiosk.AgeEstimated} {
		bases = append(bases, Choice{Key: string(x), Label: upper(coded(b.Book, "basis.", string(x)))})
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
	return NewCard(CardState{}, scroll(Column(b.gap(),
		newFit(200, b.gap(), pick(b.Say("arrival.wristband"), a.Wristband, c.Wristband), pick(b.Say("arrival.category"), cat, c.Category)),
		pick(b.Say("arrival.why"), law, c.Authority),
		label(b.Say("arrival.age"), NewChoiceRow(ChoiceState{Choices: bands, Person: true, Chosen: one(string(a.Band))}, func(k string) { c.Band(kiosk.AgeBand(k)) })),
		label(upper(b.Say("arrival.from")), NewChoiceRow(ChoiceState{Choices: bases, Chosen: one(string(a.BandBasis))}, func(k string) { c.Basis(kiosk.AgeBasis(k)) })),
		newFit(200, b.gap(), pick(care, careNow, c.Flags), pick(guardian, a.Guardian, c.Guardian)))))
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
		return NewCard(CardState{}, NewWords("", Body))
	}
	n := s.Agreement.Notice
	lang := s.Arrival.Language
	var langs []Choice
	for _, tag := range slices.Sorted(maps.Keys(n.Text)) {
		langs = append(langs, Choice{Key: tag, Label: languageName(tag)})
	}
	var forms []Choice
	for _, x := range n.Given {
		forms = append(forms, Choice{Key: string(x), Label: coded(b.Book, "notice.", string(x))})
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
	words := NewWords("“"+n.Text[lang]+"”", Style{Size: 20})
	if n.Text[lang] == "" {
		words = NewWords(b.Say("missing.language"), Second)
	}
	return NewCard(CardState{Title: b.Say("arrival.say")}, Column(12,
		NewChoiceRow(ChoiceState{Choices: langs, Chosen: one(lang)}, c.Language),
		Grow(scroll(Column(12, words, NewWords(take, Second)))),
		label(b.Say("arrival.toldHow"), NewChoiceRow(ChoiceState{Choices: forms, Chosen: one(told), Reason: reason}, func(k string) { c.Told(kiosk.NoticeForm(k)) }))))
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
