package screens

import (
	"strings"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// Review shows the whole before it is sealed, and the paper for the person.
func Review(f Frame, s ReviewState, c ReviewCalls) *Screen {
	b := f.build()
	e := f.Encounter
	if e == nil {
		e = &kiosk.Encounter{}
	}
	const name = 130
	id := e.Identity
	person := strings.Trim(widgets.Keep(id.Surname.Value)+", "+widgets.Keep(id.Given.Value), ", ")
	if person == "" {
		person = f.Say("review.noName")
	}
	who := "**" + person + "**"
	if id.Birth.Value != "" {
		who += ", " + f.DateText(id.Birth.Value)
	}
	head := fyne.CanvasObject(widgets.PadXY(10, 6, widgets.NewWords(who, widgets.Style{Size: 20, Shrink: true})))
	if s.Photo != nil {
		head = widgets.Row(14, widgets.Grow(widgets.Middle(head)), widgets.Wide(72, widgets.NewPicture(widgets.PictureState{Image: s.Photo, Size: fyne.NewSize(72, 96)})))
	}
	rows := []fyne.CanvasObject{head}
	if len(id.Aliases) > 0 {
		rows = append(rows, widgets.Fact(f.Say("review.aliases"), widgets.Keep(id.Aliases[0])+also(id.Aliases[1:]), name))
	}
	taken, not := b.takenOf(e)
	rows = append(rows, widgets.Fact(f.Say("review.taken"), dash(list(taken)), name))
	if len(not) > 0 {
		rows = append(rows, widgets.Fact(f.Say("review.notTaken"), list(not), name))
	}
	if a := b.answeredOf(e); a != "" {
		rows = append(rows, widgets.Fact(f.Say("review.answered"), a, name))
	}
	if s.Agreement != nil {
		rows = append(rows, widgets.Fact(f.Say("review.mayGo"), list(recipients(s.Agreement)), name))
		kept := []string{}
		if k := s.Agreement.LocalSearch.Keep; k > 0 {
			kept = append(kept, f.Say("review.keptHere", "Here", f.Date(f.Now.Add(k))))
		}
		if h := s.Agreement.Retention.Hub; h > 0 {
			kept = append(kept, f.Say("review.keptUntil", "Hub", f.Date(f.Now.Add(h))))
		}
		rows = append(rows, widgets.Fact(f.Say("review.kept"), list(kept), name))
	}
	second := widgets.FactState{Name: f.Say("review.second"), NameWidth: name, Words: f.Say("review.secondNone")}
	seal := f.Say("review.seal")
	if len(s.Seconds) > 0 {
		second.Pill = &widgets.PillState{Tone: theme.Care, Word: f.Say("review.secondBy", "Time", f.until(s.Deadline))}
		seal = f.Say("review.hold")
	}
	rows = append(rows, widgets.NewFactRow(second))
	facts := widgets.NewCard(widgets.CardState{Title: f.Say("review.title")}, widgets.Column(12, widgets.Grow(b.scroll(widgets.Column(0, rows...))), widgets.NewWords(f.Say("review.note"), widgets.Second)))
	reason := ""
	switch {
	case s.Busy:
		reason = f.Say("review.sealing")
	case len(s.Missing) > 0:
		reason = f.Say("missing.steps")
	}
	paper := widgets.NewCard(widgets.CardState{}, widgets.Column(8, widgets.NewWords(f.Say("slip.screen", "Language", slipLanguage(s.Slip)), widgets.Second), widgets.Grow(b.scroll(b.paper(s.Slip)))))
	abandon := b.button(widgets.ActState{Kind: widgets.ActStop, Label: f.Say("review.abandon"), NoEnter: true}, c.Abandon)
	return b.done(split(0.58, facts, paper), []*widgets.ActButton{abandon, b.act("act.park", c.Park)}, []*widgets.ActButton{b.repeat("review.print", c.Print), b.way(seal, reason, c.Seal)})
}

func also(l []string) string {
	out := ""
	for _, a := range l {
		out += ", " + widgets.Keep(a)
	}
	return out
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// takenOf lists what was taken, and what was not and why.
func (b *builder) takenOf(e *kiosk.Encounter) (taken, not []string) {
	right, left := e.Best(kiosk.EyeRight), e.Best(kiosk.EyeLeft)
	switch {
	case right != nil && left != nil:
		taken = append(taken, b.Say("review.irises", "Right", right.Quality.Score, "Left", left.Quality.Score))
	case right != nil:
		taken = append(taken, b.Say("review.iris", "Score", right.Quality.Score))
	case left != nil:
		taken = append(taken, b.Say("review.iris", "Score", left.Quality.Score))
	}
	seen := map[kiosk.Modality]bool{kiosk.ModalityFace: true}
	if p := e.Photo(); p != nil {
		taken = append(taken, b.Say("review.photo", "Score", p.Quality.Score))
	}
	for _, x := range e.Captures {
		if x.Modality != kiosk.ModalityIris && !x.Cleared && !seen[x.Modality] {
			seen[x.Modality] = true
			taken = append(taken, coded(b.Book, "modality.", string(x.Modality)))
		}
	}
	for _, x := range e.Exceptions {
		what := coded(b.Book, "modality.", string(x.Modality))
		if x.Eye != kiosk.EyeUnknown {
			what = lower(b.Say("eye." + x.Eye.String()))
		}
		not = append(not, what+" ("+lower(coded(b.Book, "except.", string(x.Reason)))+")")
	}
	return taken, not
}

// ExpiredNote begins the remark on a page whose document has expired; the code
// of why it was accepted follows.
const ExpiredNote = "expired: "

// answeredOf says what the officer answered about candidates.
func (b *builder) answeredOf(e *kiosk.Encounter) string {
	var l []string
	for _, x := range e.Captures {
		if why, ok := strings.CutPrefix(x.Annotation, ExpiredNote); ok && !x.Cleared {
			l = append(l, b.Say("review.expired", "Why", lower(coded(b.Book, "expired.", why))))
		}
	}
	for _, s := range e.Searches {
		for i, c := range s.Candidates {
			name := b.Say("decision.hereBefore")
			if c.Kind == kiosk.CandidateWatch {
				name = b.Say("decision.entry", "Entry", c.Entry)
			}
			if a := answerOf(e, s.ID, i); a != "" {
				l = append(l, name+": "+lower(coded(b.Book, "verdict.", string(a))))
			}
		}
	}
	return list(l)
}
