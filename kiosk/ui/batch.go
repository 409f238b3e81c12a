package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

// batch is a van: people who came together, under one authority. The session
// keeps it through a lock and a power cut; each encounter keeps its name.
type batch struct {
	making    bool
	origin    string
	authority string
	total     int
	first     string // wristband number of the first; the others count on from it
	at        time.Time
	people    []begun
}

type begun struct {
	id        kiosk.EncounterID
	wristband string
}

// batchOf is a list as the session kept it; nil: none is open.
func batchOf(l *session.ArrivalList) *batch {
	if l == nil {
		return nil
	}
	b := &batch{origin: l.Origin, authority: l.Authority, total: l.Total, first: l.First, at: l.At}
	for _, p := range l.People {
		b.people = append(b.people, begun{p.Encounter, p.Wristband})
	}
	return b
}

// list is the batch as the session keeps it.
func (b *batch) list() *session.ArrivalList {
	l := &session.ArrivalList{Origin: b.origin, Authority: b.authority, Total: b.total, First: b.first, At: b.at}
	for _, p := range b.people {
		l.People = append(l.People, session.Came{Encounter: p.id, Wristband: p.wristband})
	}
	return l
}

// loadBatch opens the list that was kept. One that cannot be read does not keep
// anybody from working. It runs on the worker.
func (c *Controller) loadBatch(ctx context.Context) *batch {
	l, err := c.ses.Arrivals(ctx)
	if err != nil {
		c.o.Log.Error("the arrival list was not opened", "trouble", session.Explain(err).Trouble)
		return nil
	}
	return batchOf(l)
}

func (b *batch) name() string { return b.origin + " " + b.at.Format("2006-01-02 15:04") }

func (b *batch) began(id kiosk.EncounterID, wristband string) {
	i := slices.IndexFunc(b.people, func(p begun) bool { return p.id == id })
	if i < 0 {
		b.people = append(b.people, begun{id, wristband})
		return
	}
	b.people[i].wristband = wristband
}

// wristband is the next one's number, if the first's was given: as many on as
// people have begun, with as many digits.
func (b *batch) wristband() string {
	if b.first == "" {
		return ""
	}
	digits := strings.LastIndexFunc(b.first, func(r rune) bool { return r < '0' || r > '9' }) + 1
	n, err := strconv.Atoi(b.first[digits:])
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s%0*d", b.first[:digits], len(b.first)-digits, n+len(b.people))
}

// view is the van as it stands, with h saying what is unfinished.
func (b *batch) view(h *session.Home) screens.ArrivalsState {
	s := screens.ArrivalsState{New: b.making, Batch: screens.Batch{Origin: b.origin, Arrived: b.at, Authority: b.authority, Total: max(b.total, len(b.people))}}
	for _, p := range b.people {
		row := screens.Person{ID: p.id, Wristband: p.wristband, State: kiosk.StateSealed}
		for _, d := range h.Drafts {
			if d.ID == p.id {
				row.State, row.At, row.Hit = d.State, d.At, d.Hit
			}
		}
		if row.State == kiosk.StateSealed {
			s.Batch.Done++
		}
		s.Rows = append(s.Rows, row)
	}
	for len(s.Rows) < s.Batch.Total {
		s.Rows = append(s.Rows, screens.Person{})
	}
	if b.origin == "" {
		s.Missing = append(s.Missing, "origin")
	}
	if b.authority == "" {
		s.Missing = append(s.Missing, "authority")
	}
	if b.total == 0 {
		s.Missing = append(s.Missing, "total")
	}
	return s
}

func (c *Controller) newBatch() {
	c.touch()
	b := &batch{making: true, at: c.o.Now()}
	if a := c.o.Station.Agreement(); a != nil {
		b.authority = only(c.usual.authority, a.Authorities, func(x kiosk.Authority) string { return x.Code })
	}
	before := c.batch
	c.batch = b
	c.showBatchPage(func() { c.batch = before; c.goHome() })
}

// beginBatch keeps the new list, and shows it.
func (c *Controller) beginBatch() {
	l := c.batch.list()
	c.act(func(ctx context.Context) error { return c.ses.KeepArrivals(ctx, l) }, func() {
		c.batch.making = false
		c.showBatchPage(c.goHome)
	})
}

// finishBatch closes the list: who was enrolled stays enrolled.
func (c *Controller) finishBatch() {
	c.act(func(ctx context.Context) error {
		if err := c.ses.KeepArrivals(ctx, nil); err != nil {
			return err
		}
		return c.gatherAct(ctx)
	}, func() {
		c.batch = nil
		c.showHome()
	})
}

func (c *Controller) showBatch() {
	if c.batch == nil {
		c.newBatch()
		return
	}
	c.act(c.gatherAct, func() { c.showBatchPage(c.goHome) })
}

func (c *Controller) showBatchPage(back func()) {
	c.show(page{name: "arrivals", build: func(f screens.Frame) *screens.Screen {
		s := c.batch.view(&c.home)
		s.Agreement = c.o.Station.Agreement()
		w := c.o.Book
		return screens.Arrivals(f, s, screens.ArrivalsCalls{
			Next: c.next, Open: c.openDraft, Back: back,
			Origin: func() {
				c.ask(screens.TypeState{Title: w.Say("arrivals.origin"), Fields: []screens.TypeField{
					{Key: "origin", Label: w.Say("arrivals.origin"), Value: c.batch.origin, Must: true},
					{Key: "first", Label: w.Say("arrivals.first"), Value: c.batch.first, Upper: true},
				}}, func(v map[string]string) {
					c.batch.origin, c.batch.first = strings.TrimSpace(v["origin"]), strings.TrimSpace(v["first"])
				})
			},
			Authority: func() {
				var o []screens.Option
				for _, x := range s.Agreement.Authorities {
					o = append(o, screens.Option{Key: x.Code, Label: x.Citation})
				}
				c.pick(screens.ChooseState{Title: w.Say("arrivals.authority"), Choices: o}, func(key string) { c.batch.authority = key })
			},
			Total:  func(n int) { c.local(func() { c.batch.total = min(max(n, 0), 200) }) },
			Begin:  c.beginBatch,
			Finish: c.finishBatch,
		})
	}})
}
