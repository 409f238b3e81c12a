package ui

import (
	"context"
	"slices"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

// arrival is what was chosen before it is confirmed. Once it is, the encounter
// holds it.
type arrival struct {
	of     kiosk.EncounterID
	chosen kiosk.Arrival
}

// startArrival begins a new person: what repeats is filled in, and the
// wristband number is asked for first.
func (c *Controller) startArrival(e *kiosk.Encounter) {
	a := c.o.Station.Agreement()
	c.arrival = arrival{of: e.ID, chosen: kiosk.Arrival{Language: string(c.o.Book.Language())}}
	x := &c.arrival.chosen
	if c.usual.language != "" {
		x.Language = c.usual.language
	}
	if a != nil {
		x.Authority = only(c.usual.authority, a.Authorities, func(x kiosk.Authority) string { return x.Code })
		x.Category = only(c.usual.category, a.Categories, func(x kiosk.Category) string { return x.Code })
	}
	if c.batch != nil && !c.batch.making {
		x.Authority, x.Batch = c.batch.authority, c.batch.name()
		x.Wristband = c.batch.wristband()
	}
	c.showArrival(e)
	if x.Wristband == "" {
		c.typeWristband()
	}
}

// only returns what was chosen before, or what there is only one of.
func only[T any](usual string, all []T, code func(T) string) string {
	if slices.ContainsFunc(all, func(x T) bool { return code(x) == usual }) {
		return usual
	}
	if len(all) == 1 {
		return code(all[0])
	}
	return ""
}

// showArrival shows the arrival: as chosen so far, or as it was confirmed.
func (c *Controller) showArrival(e *kiosk.Encounter) {
	if c.arrival.of != e.ID {
		c.arrival = arrival{of: e.ID, chosen: e.Arrival}
		if e.Arrival.Language == "" {
			c.arrival.chosen.Language = string(c.o.Book.Language())
		}
	}
	if e.State == kiosk.StateStopped {
		c.arrival.chosen = e.Arrival
	}
	stopped := e.State == kiosk.StateStopped
	c.show(page{name: "arrival", build: func(f screens.Frame) *screens.Screen {
		x := c.arrival.chosen
		s := screens.ArrivalState{Arrival: x, Agreement: c.o.Station.Agreement(), Stopped: stopped}
		for _, d := range c.home.Drafts {
			s.Taken = s.Taken || d.ID != e.ID && x.Wristband != "" && d.Wristband == x.Wristband
		}
		if w, err := c.ses.Arriving(&x); err == nil {
			s.Permitted, s.Guardian, s.Missing = w.Permitted, w.Guardian, w.Missing
		} else {
			s.Missing = []string{"authority"}
		}
		if c.batch != nil && !c.batch.making {
			b := c.batch.view(&c.home).Batch
			s.Batch = &b
		}
		return screens.Arrival(f, s, screens.ArrivalCalls{
			Wristband: c.typeWristband, Guardian: c.typeGuardian,
			Authority: c.chooseAuthority, Category: c.chooseCategory, Flags: c.chooseFlags,
			Band:     func(b kiosk.AgeBand) { c.choose(func(x *kiosk.Arrival) { x.Band = b }) },
			Basis:    func(b kiosk.AgeBasis) { c.choose(func(x *kiosk.Arrival) { x.BandBasis = b }) },
			Language: func(tag string) { c.choose(func(x *kiosk.Arrival) { x.Language = tag }) },
			Told:     c.told,
			Park:     c.park, Abandon: c.abandon, Next: c.arrived,
		})
	}})
}

func (c *Controller) choose(f func(*kiosk.Arrival)) {
	c.local(func() {
		before := c.arrival.chosen.Language
		f(&c.arrival.chosen)
		if c.arrival.chosen.Language != before {
			c.arrival.chosen.Notice = kiosk.NoticeEvidence{} // told in another language: not told
		}
	})
}

// told notes that the person was told, with the text that they were told.
func (c *Controller) told(form kiosk.NoticeForm) {
	c.choose(func(x *kiosk.Arrival) {
		a := c.o.Station.Agreement()
		if a == nil {
			return
		}
		x.Notice = kiosk.NoticeEvidence{Language: x.Language, Digest: a.Notice.Digest[x.Language], Form: form,
			At: kiosk.Instant{Time: c.o.Now().UTC(), Trusted: c.o.Station.Status().Clock.Trusted}}
	})
}

func (c *Controller) arrived() {
	x := c.arrival.chosen
	c.usual = usual{authority: x.Authority, category: x.Category, language: x.Language}
	var van *session.ArrivalList
	if id := c.arrival.of; c.batch != nil && !c.batch.making && x.Batch == c.batch.name() {
		c.batch.began(id, x.Wristband)
		van = c.batch.list()
	}
	c.act(func(ctx context.Context) error {
		if _, err := c.ses.Do(ctx, kiosk.Arrived{Arrival: x}); err != nil || van == nil {
			return err
		}
		if err := c.ses.KeepArrivals(ctx, van); err != nil { // the encounter names its van all the same
			c.o.Log.Error("the arrival list was not kept", "trouble", session.Explain(err).Trouble)
		}
		return nil
	}, c.goOn)
}

func (c *Controller) typeWristband() {
	b := c.o.Book
	c.ask(screens.TypeState{Title: b.Say("arrival.wristband"), Fields: []screens.TypeField{{
		Key: "wristband", Label: b.Say("arrival.wristband"), Value: c.arrival.chosen.Wristband, Must: true, Upper: true,
	}}}, func(v map[string]string) {
		c.arrival.chosen.Wristband = strings.TrimSpace(v["wristband"])
	})
}

func (c *Controller) typeGuardian() {
	b := c.o.Book
	c.ask(screens.TypeState{Title: b.Say("arrival.guardian"), Fields: []screens.TypeField{{
		Key: "guardian", Label: b.Say("arrival.guardianName"), Value: c.arrival.chosen.Guardian,
	}}}, func(v map[string]string) {
		c.arrival.chosen.Guardian = strings.TrimSpace(v["guardian"])
	})
}

func (c *Controller) chooseAuthority() {
	a := c.o.Station.Agreement()
	if a == nil {
		return
	}
	var o []screens.Option
	for _, x := range a.Authorities {
		o = append(o, screens.Option{Key: x.Code, Label: x.Citation})
	}
	c.pick(screens.ChooseState{Title: c.o.Book.Say("arrival.why"), Choices: o}, func(key string) { c.arrival.chosen.Authority = key })
}

func (c *Controller) chooseCategory() {
	a := c.o.Station.Agreement()
	if a == nil {
		return
	}
	var o []screens.Option
	for _, x := range a.Categories {
		o = append(o, screens.Option{Key: x.Code, Label: c.coded("category.", x.Code)})
	}
	c.pick(screens.ChooseState{Title: c.o.Book.Say("arrival.category"), Choices: o}, func(key string) { c.arrival.chosen.Category = key })
}

// flags are those that an officer can set.
var flags = []kiosk.ProtectedFlag{kiosk.FlagAsylum, kiosk.FlagVictim, kiosk.FlagPregnant, kiosk.FlagDisability, kiosk.FlagMinorAlone}

func (c *Controller) chooseFlags() {
	var o []screens.Option
	for _, x := range flags {
		label := c.coded("flag.", string(x))
		if slices.Contains(c.arrival.chosen.Flags, x) {
			label = "✓ " + label
		}
		o = append(o, screens.Option{Key: string(x), Label: label})
	}
	c.pick(screens.ChooseState{Title: c.o.Book.Say("arrival.flags"), Choices: o, Person: true}, func(key string) {
		x, f := &c.arrival.chosen, kiosk.ProtectedFlag(key)
		if i := slices.Index(x.Flags, f); i >= 0 {
			x.Flags = slices.Delete(slices.Clone(x.Flags), i, i+1)
		} else {
			x.Flags = append(slices.Clone(x.Flags), f)
		}
	})
}

// coded says a code. A code without words is shown in plain letters: a person
// must see something.
func (c *Controller) coded(prefix, code string) string {
	if c.o.Book.Has(prefix + code) {
		return c.o.Book.Say(prefix + code)
	}
	s := strings.NewReplacer("-", " ", "_", " ").Replace(code)
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// missingOf counts what a step still wants.
func missingOf(e *kiosk.Encounter, k kiosk.StepKind) int {
	if e == nil {
		return 0
	}
	return len(intake.Missing(e, k))
}
