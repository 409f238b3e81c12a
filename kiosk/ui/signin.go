package ui

import (
	"context"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
)

// signIn is what the sign-in and the lock screen show.
type signIn struct {
	state   screens.SignInState
	locked  *screens.Locked
	opening bool // the vault is being opened
}

func (c *Controller) signInPage() page {
	return page{name: "sign-in", build: func(f screens.Frame) *screens.Screen {
		s := c.sign.state
		s.Locked, s.Busy = c.sign.locked, c.busy
		return screens.SignIn(f, s, screens.SignInCalls{
			SignIn: c.signIn,
			Forgotten: func() {
				c.local(func() {
					c.trouble = &screens.Trouble{Title: c.o.Book.Say("signin.forgotten"), Detail: c.o.Book.Say("signin.forgottenHelp")}
				})
			},
			Wrong: c.showHealth,
			Other: func() { c.local(func() { c.sign.locked, c.sign.state = nil, screens.SignInState{} }) },
		})
	}}
}

// signIn proves who somebody is, and shows home.
func (c *Controller) signIn(number, password string) {
	c.touch()
	if c.busy {
		return
	}
	if c.ses == nil {
		c.showHealth()
		return
	}
	c.sign.state = screens.SignInState{Number: number}
	c.trouble = nil
	c.busy = true
	c.redraw()
	turn := c.turn
	c.work.post(func(ctx context.Context) {
		secret := []byte(password)
		_, err := c.ses.SignIn(ctx, number, secret)
		tech, proven := c.technician(ctx, number, secret, err)
		clear(secret)
		var got gathered
		var van *batch
		if err == nil {
			got, err = c.gather(ctx)
			van = c.loadBatch(ctx)
		}
		c.o.Do(func() {
			if turn != c.turn {
				return
			}
			c.busy = false
			if proven {
				c.sign = signIn{}
				c.showDiagnostics(tech)
				return
			}
			if err != nil {
				c.refuse(err)
				return
			}
			c.sign = signIn{}
			c.take(got)
			c.batch = van
			c.news = c.o.Station.News()
			c.showHome()
			if !got.home.Clock.Trusted {
				c.showClock()
			}
		})
	})
}

// refuse says why a sign-in was not accepted. A wrong number and a wrong
// password are not told apart.
func (c *Controller) refuse(err error) {
	x := session.Explain(err)
	c.o.Log.Info("sign-in refused", "trouble", x.Trouble)
	s := &c.sign.state
	switch x.Trouble {
	case session.TroublePassword, session.TroubleUnknown:
		s.Fault = screens.FaultWrong
	case session.TroubleLockedOut:
		s.Fault, s.Until = screens.FaultWait, x.Until
	case session.TroubleRole:
		s.Fault = screens.FaultRole
	default:
		c.trouble = troubleOf(c.o.Book, x)
	}
	c.redraw()
}

// lock shows the lock screen at once and puts aside what is open. What was
// captured is kept.
func (c *Controller) lock(l *screens.Locked) {
	_, open := c.encounter()
	if l != nil {
		l.Open = open
	}
	c.endCapture()
	c.turn++
	c.busy, c.queued = false, nil
	c.trouble = nil
	c.home, c.alerts, c.bands = session.Home{}, nil, nil
	c.forgetPerson()
	c.usual, c.batch = usual{}, nil
	c.sign = signIn{locked: l}
	if l != nil {
		c.sign.state.Number = l.Operator.Label
	}
	ses := c.ses
	c.work.post(func(ctx context.Context) {
		if ses == nil {
			return
		}
		if err := ses.Lock(ctx); err != nil {
			c.o.Log.Error("lock", "trouble", session.Explain(err).Trouble)
		}
	})
	c.show(c.signInPage())
}

// lockNow is the officer's own lock: the same operator unlocks.
func (c *Controller) lockNow() {
	if op, in := c.operator(); in {
		c.lock(&screens.Locked{Operator: op, Since: c.o.Now()})
	}
}

// forgetPerson wipes what the window holds about the person.
func (c *Controller) forgetPerson() {
	c.irises.close()
	c.face.close()
	c.face = face{}
	c.arrival, c.irises, c.document, c.decision, c.review, c.resume, c.held = arrival{}, irises{}, document{}, decision{}, review{}, resume{}, held{}
}

// goHome gathers what home shows and goes there.
func (c *Controller) goHome() {
	c.act(c.gatherAct, c.showHome)
}

func (c *Controller) gatherAct(ctx context.Context) error {
	got, err := c.gather(ctx)
	c.o.Do(func() { c.take(got) })
	return err
}

// goOn shows the open encounter where it stands, or home.
func (c *Controller) goOn() {
	e, open := c.encounter()
	if !open {
		c.goHome()
		return
	}
	if e.State == kiosk.StateStopped {
		c.showArrival(&e)
		return
	}
	switch e.At {
	case kiosk.StepIrises:
		c.showIrises(&e)
	case kiosk.StepDocument:
		c.showDocument(&e)
	case kiosk.StepIdentity:
		c.showIdentity(&e)
	case kiosk.StepFace:
		c.showFace(&e)
	case kiosk.StepDecision:
		c.showDecision()
	case kiosk.StepReview:
		c.showReview()
	default:
		c.showArrival(&e)
	}
}

func (c *Controller) goTo(k kiosk.StepKind) { c.do(kiosk.WentTo{Step: k}) }

// parkReasons are those that an officer gives, the commonest first.
var parkReasons = []kiosk.ParkReason{kiosk.ParkCalledAway, kiosk.ParkLater, kiosk.ParkMedical, kiosk.ParkDevice}

// park asks why, and the touch that answers frees the kiosk. What runs goes on
// meanwhile.
func (c *Controller) park() {
	if c.busy {
		c.touch()
		c.queued = c.goOnOrPark
		return
	}
	b := c.o.Book
	s := screens.ChooseState{Title: b.Say("park.title"), Detail: b.Say("park.note"), Person: true}
	for _, k := range parkReasons {
		s.Choices = append(s.Choices, screens.Option{Key: string(k), Label: c.coded("park.", string(k))})
	}
	under := c.covered()
	c.local(func() {
		c.page = page{name: under.name + "/park", leave: under.leave, build: func(f screens.Frame) *screens.Screen {
			return screens.Choose(f, s, screens.ChooseCalls{
				Choose: func(key string) { c.parkBecause(kiosk.ParkReason(key)) },
				Back:   func() { c.local(func() { c.page = under }) },
			})
		}}
	})
}

// goOnOrPark is park that was asked for while an act was under way.
func (c *Controller) goOnOrPark() {
	if _, open := c.encounter(); open {
		c.park()
		return
	}
	c.goOn()
}

func (c *Controller) parkBecause(why kiosk.ParkReason) {
	if c.busy && c.queued == nil {
		c.touch()
		c.queued = func() {
			if _, open := c.encounter(); open {
				c.parkBecause(why)
			} else {
				c.goOn()
			}
		}
		return
	}
	c.act(func(ctx context.Context) error {
		if _, err := c.ses.Do(ctx, kiosk.Parked{Reason: why}); err != nil {
			return err
		}
		return c.gatherAct(ctx)
	}, func() {
		c.forgetPerson()
		c.showHome()
	})
}
