package ui

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

func (c *Controller) showHome() {
	c.forgetPerson()
	listed := screens.Listed
	c.show(page{name: "home", build: func(f screens.Frame) *screens.Screen {
		s := c.homeState()
		s.Listed = listed
		return screens.Home(f, s, screens.HomeCalls{
			Next: c.next, Arrivals: c.showBatch, NewList: c.newBatch, Open: c.openDraft, More: c.more(&listed),
			Queue: c.showQueue, Why: c.showClosed, Fault: c.showHealth, Close: c.closeShift, Lock: c.lockNow,
		})
	}})
}

// more lists more lines.
func (c *Controller) more(listed *int) func() {
	return func() { c.local(func() { *listed += screens.Listed }) }
}

func (c *Controller) homeState() screens.HomeState {
	h := &c.home
	s := screens.HomeState{Queue: queueOf(h.Waiting), Closed: c.closed(), Damaged: len(h.Damaged)}
	if c.batch != nil && !c.batch.making {
		b := c.batch.view(h)
		s.Batch = &b.Batch
	}
	s.Unfinished = unfinished(h.Drafts, c.o.Now())
	return s
}

// unfinished lists first what is overdue, then who was here last: the officer goes
// on with them.
func unfinished(drafts []session.Draft, now time.Time) (all []screens.Unfinished) {
	for _, d := range drafts {
		all = append(all, screens.Unfinished(d))
	}
	slices.SortStableFunc(all, func(a, b screens.Unfinished) int {
		switch x, y := a.Overdue(now), b.Overdue(now); {
		case x && !y:
			return -1
		case y && !x:
			return 1
		}
		return b.Begun.Compare(a.Begun)
	})
	return all
}

// closed says why no enrolment may begin, as the session says it.
func (c *Controller) closed() screens.Closed {
	switch session.Explain(c.home.Closed).Trouble {
	case session.TroubleNone:
	case session.TroubleExpired:
		return screens.ClosedExpired
	case session.TroubleNotYet:
		return screens.ClosedNotYet
	default:
		return screens.ClosedNoAgreement
	}
	if free, needed := c.o.Station.Room(); needed > 0 && free < needed {
		return screens.ClosedDisk
	}
	return screens.ClosedNot
}

func queueOf(w []session.Waiting) screens.Queue {
	q := screens.Queue{}
	people, thin, photos := map[kiosk.EncounterID]bool{}, map[kiosk.EncounterID]bool{}, map[kiosk.EncounterID]bool{}
	for _, x := range w {
		switch x.State {
		case kiosk.StateSealed:
			thin[x.Encounter] = true
		case kiosk.StateThin:
			photos[x.Encounter] = true
		default:
			continue
		}
		people[x.Encounter] = true
		q.Bytes += x.Bytes
		if q.Oldest.IsZero() || x.Sealed.Before(q.Oldest) {
			q.Oldest = x.Sealed
		}
	}
	q.People, q.Thin, q.Photos = len(people), len(thin), len(photos)
	return q
}

// next begins the next person: of the van if there is one.
func (c *Controller) next() {
	if c.closed() != screens.ClosedNot {
		c.showClosed()
		return
	}
	c.act(func(ctx context.Context) error {
		_, err := c.ses.Begin(ctx, kiosk.VisitIntake)
		return err
	}, func() {
		e, _ := c.encounter()
		c.forgetPerson()
		c.startArrival(&e)
	})
}

// openDraft goes on with an unfinished encounter.
func (c *Controller) openDraft(id kiosk.EncounterID) {
	for _, d := range c.home.Drafts {
		if d.ID != id {
			continue
		}
		if d.State == kiosk.StateHeld {
			c.openHeld(d)
		} else {
			c.openResume(d)
		}
		return
	}
	c.rearm()
}

func (c *Controller) closeShift() { c.lockOut() }

// lockOut ends the shift: nobody is expected to come back to this screen.
func (c *Controller) lockOut() { c.lock(nil) }

// showQueue shows what waits, and how the hub stands.
func (c *Controller) showQueue() {
	c.act(c.gatherAct, func() {
		listed := screens.Listed
		c.show(page{name: "queue", build: func(f screens.Frame) *screens.Screen {
			s := screens.QueueState{Queue: queueOf(c.home.Waiting), Listed: listed}
			for _, w := range c.home.Waiting {
				s.Waiting = append(s.Waiting, screens.Waiting{Wristband: c.bands[w.Encounter], State: w.State, Sealed: w.Sealed, Bytes: w.Bytes, Hit: w.Hit})
			}
			slices.SortStableFunc(s.Waiting, func(a, b screens.Waiting) int { // what the hub refused wants somebody
				refused := func(w screens.Waiting) int {
					if w.State == kiosk.StateRefused {
						return 0
					}
					return 1
				}
				return cmp.Or(refused(a)-refused(b), a.Sealed.Compare(b.Sealed))
			})
			if a := c.o.Station.Agreement(); a != nil {
				s.Agree = a.Expires
			}
			return screens.QueueHub(f, s, screens.QueueCalls{
				Now: func() {
					c.o.Station.Wake()
					c.goQueue()
				},
				More: c.more(&listed),
				Back: c.goHome,
			})
		}})
	})
}

func (c *Controller) goQueue() { c.act(c.gatherAct, c.redraw) }

// showClosed says why enrolment is closed.
func (c *Controller) showClosed() {
	switch c.closed() {
	case screens.ClosedDisk:
		c.showDisk()
	case screens.ClosedNot:
		c.redraw()
	default:
		c.showExpired()
	}
}

func (c *Controller) closedCalls() screens.ClosedCalls {
	calls := screens.ClosedCalls{Wrong: c.showHealth, Retry: func() {
		c.o.Station.Wake()
		c.goHome()
	}}
	if _, in := c.operator(); in {
		calls.Queue, calls.Back = c.showQueue, c.goHome
	} else {
		calls.Back = func() { c.local(func() { c.show(c.signInPage()) }) }
	}
	return calls
}

func (c *Controller) showDisk() {
	c.show(page{name: "disk", build: func(f screens.Frame) *screens.Screen {
		free, needed := c.o.Station.Room()
		return screens.DiskFull(f, screens.DiskState{Free: free, Needed: needed, Waiting: queueOf(c.home.Waiting).People}, c.closedCalls())
	}})
}

func (c *Controller) showExpired() {
	c.show(page{name: "expired", build: func(f screens.Frame) *screens.Screen {
		var s screens.ExpiredState
		if a := c.o.Station.Agreement(); a != nil {
			s.Title, s.Expires = a.Title, a.Expires
			if a.NotBefore.After(c.o.Now()) {
				s.NotYet = a.NotBefore
			}
		}
		return screens.AgreementExpired(f, s, c.closedCalls())
	}})
}

func (c *Controller) showClock() {
	c.show(page{name: "clock", build: func(f screens.Frame) *screens.Screen {
		return screens.ClockNotCertain(f, screens.ClockState{Clock: f.Status.Clock, Signed: c.o.Station.Signed()}, c.closedCalls())
	}})
}
