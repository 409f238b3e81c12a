package ui

import (
	"context"
	"errors"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

func (c *Controller) showHome() {
	c.forgetPerson()
	c.show(page{name: "home", build: func(f screens.Frame) *screens.Screen {
		return screens.Home(f, c.homeState(), screens.HomeCalls{
			Next: c.next, Arrivals: c.showBatch, NewList: c.newBatch, Open: c.openDraft,
			Queue: c.showQueue, Why: c.showClosed, Fault: c.showHealth, Close: c.closeShift, Lock: c.lockNow,
		})
	}})
}

func (c *Controller) homeState() screens.HomeState {
	h := &c.home
	s := screens.HomeState{Queue: queueOf(h.Waiting), Closed: c.closed(), Damaged: len(h.Damaged)}
	if c.batch != nil && !c.batch.making {
		b := c.batch.view(h)
		s.Batch = &b.Batch
	}
	for _, d := range h.Drafts {
		s.Unfinished = append(s.Unfinished, screens.Unfinished(d))
	}
	return s
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
		c.show(page{name: "queue", build: func(f screens.Frame) *screens.Screen {
			s := screens.QueueState{Queue: queueOf(c.home.Waiting)}
			for _, w := range c.home.Waiting {
				s.Waiting = append(s.Waiting, screens.Waiting{Wristband: c.bands[w.Encounter], State: w.State, Sealed: w.Sealed, Bytes: w.Bytes, Hit: w.Hit})
			}
			if a := c.o.Station.Agreement(); a != nil {
				s.Agree = a.Expires
			}
			return screens.QueueHub(f, s, screens.QueueCalls{
				Now: func() {
					c.o.Station.Wake()
					c.goQueue()
				},
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

// healthTime is how long all tests together may take.
const healthTime = 20 * time.Second

// health is what the health screen shows.
type health struct {
	items   []screens.HealthItem
	testing bool
	fault   string
}

// showHealth shows how the kiosk is. It needs nobody signed in, and no vault.
func (c *Controller) showHealth() {
	c.touch()
	c.trouble = nil
	c.endCapture()
	c.show(page{name: "health", build: func(f screens.Frame) *screens.Screen {
		f.Encounter, f.Alerts, f.Trouble, f.Calls.GoTo, f.Calls.HaveIt = nil, nil, nil, nil, nil
		return screens.Health(f, screens.HealthState{Items: c.health.items, Testing: c.health.testing, Fault: c.health.fault}, screens.HealthCalls{
			Test: c.test, Report: c.reportFault, Back: c.leaveHealth,
		})
	}})
	c.test()
}

func (c *Controller) leaveHealth() {
	c.touch()
	if _, in := c.operator(); in {
		if c.busy {
			c.rearm()
			return
		}
		c.goOn()
		return
	}
	c.show(c.signInPage())
}

// test looks at every part anew, beside the worker: a part that hangs must not
// hide the others. A vault that did not open is tried again.
func (c *Controller) test() {
	c.touch()
	if c.health.testing {
		c.rearm()
		return
	}
	c.health.testing = true
	c.redraw()
	if c.ses == nil && !c.busy && c.broken != nil {
		c.broken = errors.New("being opened")
		c.reopen()
	}
	go func() {
		ctx, stop := context.WithTimeout(c.ctx, healthTime)
		defer stop()
		items := c.o.Station.Health(ctx)
		c.o.Do(func() {
			c.health.items, c.health.testing = items, false
			if c.page.name == "health" {
				c.redraw()
			}
		})
	}()
}

// reopen tries the vault again and stays where it is.
func (c *Controller) reopen() {
	c.busy = true
	c.work.post(func(ctx context.Context) {
		s, err := c.o.Station.Open(ctx)
		c.o.Do(func() {
			c.busy = false
			c.ses, c.broken = s, err
			if err != nil {
				c.ses = nil
			}
			c.redraw()
		})
	})
}

func (c *Controller) reportFault() {
	c.touch()
	go func() {
		ctx, stop := context.WithTimeout(c.ctx, healthTime)
		defer stop()
		code, err := c.o.Station.Fault(ctx)
		c.o.Do(func() {
			if err != nil {
				c.o.Log.Error("fault report", "err", err)
				c.rearm()
				return
			}
			c.health.fault = code
			if c.page.name == "health" {
				c.redraw()
			}
		})
	}()
}
