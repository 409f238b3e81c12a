package ui

import (
	"context"
	"image"
	"strings"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// decision is what the decision shows beside the encounter's searches.
type decision struct {
	cards map[kiosk.EncounterID]session.CardLine
}

func (c *Controller) showDecision() {
	c.act(func(context.Context) error {
		e, _ := c.ses.Current()
		cards := c.cardsOf(&e)
		c.o.Do(func() { c.decision.cards = cards })
		return nil
	}, func() {
		c.show(page{name: "decision", build: func(f screens.Frame) *screens.Screen {
			var s screens.DecisionState
			if e := f.Encounter; e != nil {
				s.Candidates = candidates(e, c.decision.cards, firstAnswer(e))
				s.NotByIris = e.Excepted(kiosk.ModalityIris, kiosk.EyeLeft) && e.Excepted(kiosk.ModalityIris, kiosk.EyeRight)
				s.Missing = answersMissing(e)
				reasons, _ := c.ses.Seconds()
				s.SecondWanted = len(reasons) > 0
			}
			return screens.Decision(f, s, screens.DecisionCalls{
				Answer: c.answer, Again: c.captureAgain, Search: c.searchAgain,
				Refer: c.refer,
				Park:  c.park,
				Next:  func() { c.decide(kiosk.OutcomeEnrol, "") },
			})
		}})
	})
}

// cardsOf looks up what is kept of the encounters that were found. It runs on
// the worker.
func (c *Controller) cardsOf(e *kiosk.Encounter) map[kiosk.EncounterID]session.CardLine {
	cards := map[kiosk.EncounterID]session.CardLine{}
	for _, q := range e.Searches {
		for _, k := range q.Candidates {
			if card, ok := c.ses.Card(k.Encounter); ok {
				cards[k.Encounter] = card
			}
		}
	}
	return cards
}

func candidates(e *kiosk.Encounter, cards map[kiosk.EncounterID]session.CardLine, answer func(search, candidate int) kiosk.Verdict) []screens.CandidateView {
	var out []screens.CandidateView
	for _, q := range e.Searches {
		for i, k := range q.Candidates {
			v := screens.CandidateView{Search: q.ID, Index: i, Candidate: k, Answer: answer(q.ID, i)}
			if card, ok := cards[k.Encounter]; ok {
				v.Name, v.Wristband = card.Name, card.Wristband
				v.Date, _ = time.Parse(time.DateOnly, card.Date)
			}
			out = append(out, v)
		}
	}
	return out
}

// firstAnswer says what the first person answered last about a candidate.
func firstAnswer(e *kiosk.Encounter) func(search, candidate int) kiosk.Verdict {
	return func(search, candidate int) kiosk.Verdict {
		for i := len(e.Answers) - 1; i >= 0; i-- {
			if a := e.Answers[i]; a.Search == search && a.Candidate == candidate && !a.Second {
				return a.Verdict
			}
		}
		return ""
	}
}

func answersMissing(e *kiosk.Encounter) int {
	n := 0
	for _, code := range intake.Missing(e, kiosk.StepDecision) {
		if strings.HasPrefix(code, "answer:") {
			n++
		}
	}
	return n
}

func (c *Controller) answer(search, candidate int, v kiosk.Verdict) {
	e, open := c.encounter()
	if !open || firstAnswer(&e)(search, candidate) == v {
		c.local(func() {}) // it is answered so already
		return
	}
	c.act(func(ctx context.Context) error {
		_, err := c.ses.Do(ctx, kiosk.Answered{Answer: kiosk.Answer{Search: search, Candidate: candidate, Verdict: v}})
		return err
	}, c.redraw)
}

func (c *Controller) decide(o kiosk.Outcome, reason string) {
	c.do(kiosk.Decided{Decision: kiosk.Decision{Outcome: o, Reason: reason}}, kiosk.StepConfirmed{Step: kiosk.StepDecision})
}

// referReasons are the codes of why a person is referred.
var referReasons = []string{"found", "identity", "document", "order", "care"}

// refer asks why the person is referred, and decides so.
func (c *Controller) refer() {
	b := c.o.Book
	s := screens.ChooseState{Title: b.Say("refer.title"), Detail: b.Say("refer.note"), Person: true}
	for _, k := range referReasons {
		s.Choices = append(s.Choices, screens.Option{Key: k, Label: b.Say("refer." + k)})
	}
	var why string
	c.pickThen(s, func(key string) { why = key }, func() { c.decide(kiosk.OutcomeRefer, why) })
}

// captureAgain takes the irises once more: it adds a search and removes none.
func (c *Controller) captureAgain() {
	c.act(func(ctx context.Context) error {
		_, err := c.ses.Do(ctx, kiosk.WentTo{Step: kiosk.StepIrises})
		return err
	}, func() {
		c.goOn()
		c.lookAgain()
	})
}

func (c *Controller) searchAgain() {
	c.act(func(ctx context.Context) error {
		_, err := c.ses.SearchIrises(ctx)
		return err
	}, c.showDecision)
}

// review is the review and the slip after it.
type review struct {
	sealing bool
	done    *kiosk.Encounter // what was sealed or held: shown until the officer goes on
	words   *words.Book      // of the person's language
	printed bool
	photo   image.Image // the portrait, until it is sealed
}

func (c *Controller) slipState(e *kiosk.Encounter) screens.SlipState {
	r := &c.review
	if r.words == nil {
		r.words = words.New(words.Language(e.Arrival.Language))
	}
	prints, _ := c.o.Station.Printer()
	s := screens.SlipState{Words: r.words, Encounter: e, Agreement: c.o.Station.Agreement(), Now: c.o.Now(),
		Code: slipCode(e.ID), Printer: prints, Printed: r.printed}
	if e.Hold != nil {
		s.Held, s.Until = true, e.Hold.Deadline.Time
	}
	return s
}

// slipCode is the encounter's number in groups, as it is read out.
func slipCode(id kiosk.EncounterID) string {
	s := strings.ToUpper(string(id))
	var parts []string
	for ; len(s) > 4; s = s[4:] {
		parts = append(parts, s[:4])
	}
	return strings.Join(append(parts, s), " ")
}

func (c *Controller) showReview() {
	c.review = review{}
	if e, open := c.encounter(); open && e.Photo() != nil {
		c.portrait(e.Photo().Part, func(img image.Image) {
			if c.page.name == "review" {
				c.review.photo = img
				c.redraw()
			}
		})
	}
	c.show(page{name: "review", build: func(f screens.Frame) *screens.Screen {
		s := screens.ReviewState{Agreement: c.o.Station.Agreement(), Busy: c.review.sealing, Photo: c.review.photo}
		if e := f.Encounter; e != nil {
			s.Slip = c.slipState(e)
			for _, code := range intake.Missing(e, kiosk.StepReview) {
				if k, ok := strings.CutPrefix(code, "step:"); ok {
					s.Missing = append(s.Missing, kiosk.StepKind(k))
				}
			}
			reasons, wait := c.ses.Seconds()
			if s.Seconds = reasons; len(reasons) > 0 {
				s.Deadline = f.Now.Add(wait)
			}
		}
		return screens.Review(f, s, screens.ReviewCalls{Abandon: c.abandon, Park: c.park, Print: c.printer(), Seal: c.seal})
	}})
}

// seal asks to seal. The button is at work until it is durable, or says why
// not.
func (c *Controller) seal() {
	var e kiosk.Encounter
	if !c.busy {
		c.review.sealing = true
	}
	c.act(func(ctx context.Context) (err error) {
		if e, err = c.ses.Do(ctx, kiosk.Reviewed{}); err != nil {
			c.o.Do(func() { c.review.sealing = false })
			return err
		}
		return c.gatherAct(ctx)
	}, func() {
		c.review.sealing = false
		c.o.Station.Wake()
		c.showSlip(&e)
	})
	if c.review.sealing {
		c.redraw()
	}
}

// showSlip shows the paper for the person: of what was sealed, or is held.
func (c *Controller) showSlip(e *kiosk.Encounter) {
	book, printed := c.review.words, c.review.printed
	c.forgetPerson()
	c.review = review{done: e, words: book, printed: printed}
	c.show(page{name: "slip", build: func(f screens.Frame) *screens.Screen {
		f.Encounter, f.Calls.GoTo = nil, nil
		return screens.Slip(f, c.slipState(c.review.done), screens.SlipCalls{
			Print: c.printer(),
			Language: func(tag string) {
				c.local(func() { c.review.words = words.New(words.Language(tag)) })
			},
			Done: c.goHome,
		})
	}})
}

// printer is printSlip where there is somewhere to print or to save to.
func (c *Controller) printer() func() {
	if prints, saves := c.o.Station.Printer(); prints || saves {
		return c.printSlip
	}
	return nil
}

// printSlip gives the paper to the printer, beside the worker.
func (c *Controller) printSlip() {
	c.touch()
	e := c.review.done
	if e == nil {
		now, open := c.encounter()
		if !open {
			c.rearm()
			return
		}
		e = &now
	}
	s := c.slipState(e)
	r := &c.review
	go func() {
		var file string
		pdf, err := slipPDF(&s)
		if err == nil {
			ctx, stop := context.WithTimeout(c.ctx, time.Minute)
			defer stop()
			file, err = c.o.Station.Print(ctx, pdf)
		}
		c.o.Do(func() {
			c.trouble = nil
			if err != nil {
				c.o.Log.Error("the paper was not printed", "err", err)
				c.trouble = &screens.Trouble{Title: c.o.Book.Say("fault.title")}
			} else if file != "" {
				c.trouble = &screens.Trouble{Tone: theme.Good, Title: c.o.Book.Say("slip.noPrinter", "File", file)}
			} else {
				r.printed = true
			}
			if c.page.name == "slip" || c.page.name == "review" {
				c.redraw()
			}
		})
	}()
}
