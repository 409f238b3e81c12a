package ui

import (
	"context"
	"slices"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
)

// ask shows a place to type over the page that is there; then it is that page
// again.
func (c *Controller) ask(s screens.TypeState, done func(map[string]string)) {
	c.askThen(s, done, nil)
}

// askThen is ask with something else than going back after it is done: then, if
// it is not nil, shows what comes next.
func (c *Controller) askThen(s screens.TypeState, done func(map[string]string), then func()) {
	c.touch()
	c.trouble = nil
	under := c.covered()
	back := func() {
		c.touch()
		c.trouble = nil
		c.returnTo(under)
	}
	c.cover(page{name: under.name + "/type", leave: under.leave, build: func(f screens.Frame) *screens.Screen {
		return screens.Type(f, s, screens.TypeCalls{
			Done: func(v map[string]string) {
				c.touch()
				for _, x := range s.Fields {
					if x.Must && strings.TrimSpace(v[x.Key]) == "" {
						c.rearm()
						return
					}
				}
				if c.busy {
					c.rearm()
					return
				}
				done(v)
				if then != nil {
					c.page = under // what follows covers or leaves the page below
					then()
					return
				}
				back()
			},
			Back: back,
		})
	}})
}

// pick shows one of several things over the page that is there.
func (c *Controller) pick(s screens.ChooseState, done func(key string)) { c.pickThen(s, done, nil) }

func (c *Controller) pickThen(s screens.ChooseState, done func(key string), then func()) {
	c.touch()
	c.trouble = nil
	under := c.covered()
	back := func() {
		c.touch()
		c.trouble = nil
		c.returnTo(under)
	}
	c.cover(page{name: under.name + "/choose", leave: under.leave, build: func(f screens.Frame) *screens.Screen {
		return screens.Choose(f, s, screens.ChooseCalls{
			Choose: func(key string) {
				c.touch()
				if !slices.ContainsFunc(s.Choices, func(o screens.Option) bool { return o.Key == key }) || c.busy {
					c.rearm()
					return
				}
				done(key)
				if then != nil {
					c.page = under
					then()
					return
				}
				back()
			},
			Back: back,
		})
	}})
}

// covered is the page that a sheet will cover, with what has the focus on it.
func (c *Controller) covered() page {
	p := c.page
	p.had, p.shown = c.win.Canvas().Focused(), c.screen
	return p
}

// cover shows a page over another without leaving it.
func (c *Controller) cover(p page) {
	c.page = p
	c.redraw()
}

func (c *Controller) returnTo(p page) {
	c.page = p
	c.redraw()
}

// abandon gives the encounter up: a reason, and after a hit a second person.
func (c *Controller) abandon() {
	b := c.o.Book
	e, open := c.encounter()
	if !open {
		c.rearm()
		return
	}
	s := screens.ChooseState{Title: b.Say("abandon.title"), Detail: b.Say("abandon.note"), Person: true}
	if e.Hit() {
		s.Detail = b.Say("abandon.hit")
	}
	for _, k := range []string{"left", "released", "mistake", "twice"} {
		s.Choices = append(s.Choices, screens.Option{Key: k, Label: b.Say("abandon." + k)})
	}
	var reason string
	c.pickThen(s, func(key string) { reason = key }, func() {
		if !e.Hit() {
			c.abandoned(reason, "", "")
			return
		}
		c.askSecond(b.Say("abandon.hit"), func(label, password string) { c.abandoned(reason, label, password) })
	})
}

func (c *Controller) abandoned(reason, second, password string) {
	c.act(func(ctx context.Context) error {
		secret := []byte(password)
		defer clear(secret)
		if _, err := c.ses.Abandon(ctx, reason, second, secret); err != nil {
			return err
		}
		return c.gatherAct(ctx)
	}, func() {
		c.o.Station.Wake()
		c.showHome()
	})
}

// askSecond asks who the second person is.
func (c *Controller) askSecond(detail string, then func(label, password string)) {
	b := c.o.Book
	var label, password string
	c.askThen(screens.TypeState{Title: b.Say("held.sign"), Detail: detail, Done: b.Say("held.sign"), Fields: []screens.TypeField{
		{Key: "number", Label: b.Say("signin.number"), Must: true},
		{Key: "password", Label: b.Say("signin.password"), Secret: true, Must: true},
	}}, func(v map[string]string) { label, password = strings.TrimSpace(v["number"]), v["password"] }, func() { then(label, password) })
}

// except is the exception sheet.
type except struct {
	of    kiosk.Modality
	eyes  []kiosk.Eye
	why   kiosk.ExceptionReason
	words string
	with  string
}

// showException offers what cannot be captured, before the struggle.
func (c *Controller) showException(m kiosk.Modality, why kiosk.ExceptionReason, eyes ...kiosk.Eye) {
	c.touch()
	c.endCapture()
	c.trouble = nil
	e, _ := c.encounter()
	if m != kiosk.ModalityIris {
		eyes = []kiosk.Eye{kiosk.EyeUnknown}
	}
	// An eye that was captured is excepted only if the officer says so.
	eyes = slices.DeleteFunc(slices.Clone(eyes), func(eye kiosk.Eye) bool { return eye != kiosk.EyeUnknown && e.Best(eye) != nil })
	x := &except{of: m, why: why, eyes: eyes}
	c.show(page{name: "exception", build: func(f screens.Frame) *screens.Screen {
		s := screens.ExceptionState{Modality: x.of, Eyes: x.eyes, Destroys: len(c.captured(x)) > 0, Reason: x.why, Words: x.words, Present: x.with}
		if x.of == kiosk.ModalityIris && len(x.eyes) == 0 {
			s.Missing = append(s.Missing, "eye")
		}
		if x.why == "" {
			s.Missing = append(s.Missing, "reason")
		}
		if x.why == kiosk.ExceptRefuses {
			if x.words == "" {
				s.Missing = append(s.Missing, "words")
			}
			if x.with == "" {
				s.Missing = append(s.Missing, "present")
			}
		}
		return screens.Exception(f, s, screens.ExceptionCalls{
			Eye: func(e kiosk.Eye) {
				c.local(func() {
					if i := slices.Index(x.eyes, e); i >= 0 {
						x.eyes = slices.Delete(slices.Clone(x.eyes), i, i+1)
					} else {
						x.eyes = append(slices.Clone(x.eyes), e)
					}
				})
			},
			Reason: func(r kiosk.ExceptionReason) { c.local(func() { x.why = r }) },
			Words: func() {
				c.ask(screens.TypeState{Title: c.o.Book.Say("except.words"), Fields: []screens.TypeField{{Key: "v", Label: c.o.Book.Say("except.words"), Value: x.words}}},
					func(v map[string]string) { x.words = strings.TrimSpace(v["v"]) })
			},
			Present: func() {
				c.ask(screens.TypeState{Title: c.o.Book.Say("except.present"), Fields: []screens.TypeField{{Key: "v", Label: c.o.Book.Say("except.present"), Value: x.with}}},
					func(v map[string]string) { x.with = strings.TrimSpace(v["v"]) })
			},
			Save: func() { c.excepted(x) },
			Back: func() { c.touch(); c.goOn() },
		})
	}})
}

// captured are the captures of what is to be excepted: what cannot be taken was
// not taken. A page that cannot be read stays.
func (c *Controller) captured(x *except) (all []kiosk.CaptureID) {
	e, _ := c.encounter()
	for _, k := range e.Captures {
		if k.Modality == x.of && x.of != kiosk.ModalityDocument && slices.Contains(x.eyes, k.Eye) && !k.Cleared {
			all = append(all, k.ID)
		}
	}
	return all
}

func (c *Controller) excepted(x *except) {
	var events []kiosk.Event
	for _, id := range c.captured(x) {
		events = append(events, kiosk.Cleared{Capture: id})
	}
	e, _ := c.encounter()
	for _, eye := range x.eyes {
		if !e.Excepted(x.of, eye) {
			events = append(events, kiosk.Excepted{Exception: kiosk.Exception{Modality: x.of, Eye: eye, Reason: x.why, Words: x.words, Present: x.with}})
		}
	}
	if x.of == kiosk.ModalityFace {
		events = append(events, kiosk.StepConfirmed{Step: kiosk.StepFace})
	}
	c.do(events...)
}
