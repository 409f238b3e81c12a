package ui

import (
	"context"
	"maps"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/widgets"
)

// resume asks "is this the same person?".
type resume struct {
	state  screens.ResumeState
	screen *screens.ResumeScreen
	live   *live
}

func (c *Controller) openResume(d session.Draft) {
	op, _ := c.operator()
	c.resume = resume{state: screens.ResumeState{Draft: screens.Unfinished(d), Supervisor: op.Role == kiosk.RoleSupervisor}}
	c.resume.live = c.newLive()
	c.show(page{name: "resume", build: c.buildResume, leave: func() {
		c.endCapture()
		if c.resume.live != nil {
			c.resume.live.close()
		}
	}})
	if d.Wristband != "" {
		c.typeResume()
	} else {
		c.lookResume() // it was parked before it had a number: nothing to compare
	}
}

func (c *Controller) buildResume(f screens.Frame) *screens.Screen {
	r := &c.resume
	f.Encounter, f.Calls.GoTo = nil, nil
	r.screen = screens.Resume(f, r.state, screens.ResumeCalls{
		Wristband: c.typeResume, Look: c.lookResume, Vouch: c.vouch,
		Back: c.goHome, Next: c.goOn,
	})
	if r.live != nil {
		i := eyeIndex(r.state.AskEye)
		var v [2]*widgets.EyeView
		v[i], v[1-i] = r.screen.View, nil
		if r.state.AskEye == kiosk.EyeUnknown {
			v[1] = nil
		}
		r.live.show(v)
	}
	return r.screen.Screen
}

func (c *Controller) typeResume() {
	b := c.o.Book
	r := &c.resume
	c.askThen(screens.TypeState{Title: b.Say("resume.title"), Detail: b.Say("resume.wristband"), Fields: []screens.TypeField{{
		Key: "wristband", Label: b.Say("arrival.wristband"), Value: r.state.Wristband, Must: true, Upper: true,
	}}}, func(v map[string]string) { r.state.Wristband = strings.TrimSpace(v["wristband"]) }, c.lookResume)
}

// lookResume asks the session, which compares the number and then the eyes.
func (c *Controller) lookResume() {
	c.touch()
	r := &c.resume
	if c.busy {
		c.rearm()
		return
	}
	c.trouble = nil
	r.state.Phase, r.state.Ask, r.state.Eye = screens.ResumeLooking, "", screens.EyeState{}
	c.redraw()
	id, wristband, l := r.state.Draft.ID, r.state.Wristband, r.live
	var same bool
	c.look(c.o.Look, func(ctx context.Context) (err error) {
		_, same, err = c.ses.Resume(ctx, id, wristband, func(p session.Progress) { l.progress(p, c.seenResume) })
		return err
	}, func(err error) {
		if err == nil {
			r.state.Phase = screens.ResumeDifferent
			if same {
				r.state.Phase = screens.ResumeSame
			}
			c.redraw()
			return
		}
		x := session.Explain(err)
		c.o.Log.Info("not resumed", "trouble", x.Trouble)
		switch {
		case x.Trouble == session.TroubleRefused && len(x.Missing) > 0 && x.Missing[0] == "wristband":
			r.state.Phase = screens.ResumeWrong
		case x.Trouble == session.TroubleDiskFull:
			c.fail(err)
			return
		default:
			r.state.Phase = screens.ResumeNoEye
			if x.Trouble != session.TroubleNotGood && x.Trouble != session.TroubleStopped {
				c.trouble = troubleOf(c.o.Book, x)
			}
		}
		c.redraw()
	})
}

func (c *Controller) seenResume(p session.Progress) {
	r := &c.resume
	if c.page.name != "resume" || c.capture == nil || r.screen == nil {
		return
	}
	for _, x := range p.Eyes {
		r.state.Eye = screens.EyeState{Present: x.Present, Score: x.Score, Best: x.Best, Floor: x.Floor, Done: x.Done}
		if r.state.AskEye != x.Eye && len(p.Eyes) == 1 {
			r.state.AskEye = x.Eye
			i := eyeIndex(x.Eye)
			var v [2]*widgets.EyeView
			v[i] = r.screen.View
			r.live.views.Store(&v)
		}
	}
	r.state.Ask = string(p.Ask)
	r.screen.Set(r.state)
	c.traveller()
}

func (c *Controller) vouch() {
	id, wristband := c.resume.state.Draft.ID, c.resume.state.Wristband
	c.act(func(ctx context.Context) error {
		_, err := c.ses.Vouch(ctx, id, wristband)
		return err
	}, c.goOn)
}

// held is an encounter that waits for a second person, and that person at work.
type held struct {
	draft    session.Draft
	e        *kiosk.Encounter
	cards    map[kiosk.EncounterID]session.CardLine
	label    string
	password []byte
	answers  map[[2]int]kiosk.Verdict
}

func (c *Controller) openHeld(d session.Draft) {
	var e kiosk.Encounter
	c.act(func(ctx context.Context) (err error) {
		e, err = c.ses.Draft(ctx, d.ID)
		return err
	}, func() {
		c.held = held{draft: d, e: &e}
		c.showHeld()
	})
}

func (c *Controller) showHeld() {
	h := &c.held
	c.show(page{name: "held", build: func(f screens.Frame) *screens.Screen {
		s := screens.HeldState{Draft: screens.Unfinished(h.draft), By: h.e.By}
		if h.e.Hold != nil {
			s.Deadline = h.e.Hold.Deadline.Time
			s.Late = f.Now.After(s.Deadline)
		}
		return screens.Held(f, s, screens.HeldCalls{Sign: c.signSecond, Back: c.goHome})
	}})
}

// signSecond proves who the second person is, and only then shows what they
// are to judge.
func (c *Controller) signSecond() {
	c.askSecond(c.o.Book.Say("held.blind"), func(label, password string) {
		h := &c.held
		secret := []byte(password)
		var op kiosk.Operator
		c.act(func(ctx context.Context) (err error) {
			if op, err = c.ses.Prove(ctx, label, secret); err != nil {
				return err
			}
			cards := c.cardsOf(h.e)
			c.o.Do(func() { h.cards = cards })
			return nil
		}, func() {
			h.label, h.password, h.answers = op.Label, secret, map[[2]int]kiosk.Verdict{}
			c.showSecond()
		})
		if c.page.name == "held" {
			c.redraw()
		}
	})
}

// showSecond is the decision for the second person: no answer of the first is
// shown.
func (c *Controller) showSecond() {
	h := &c.held
	c.show(page{name: "second", leave: func() { clear(h.password) }, build: func(f screens.Frame) *screens.Screen {
		f.Encounter, f.Calls.GoTo, f.Alerts = h.e, nil, alertsBut(f.Alerts, h.e)
		s := screens.DecisionState{Second: true, Candidates: candidates(h.e, h.cards, func(q, k int) kiosk.Verdict { return h.answers[[2]int{q, k}] })}
		for _, k := range s.Candidates {
			if k.Answer == "" {
				s.Missing++
			}
		}
		return screens.Decision(f, s, screens.DecisionCalls{
			Answer: func(q, k int, v kiosk.Verdict) {
				c.local(func() { h.answers[[2]int{q, k}] = v })
			},
			Approve: func() { c.second(kiosk.Second{Approved: true}) },
			Object: func() {
				b := c.o.Book
				var why string
				c.askThen(screens.TypeState{Title: b.Say("held.back"), Fields: []screens.TypeField{{Key: "v", Label: b.Say("held.backWhy"), Must: true}}},
					func(v map[string]string) { why = strings.TrimSpace(v["v"]) },
					func() { c.second(kiosk.Second{Reason: why}) })
			},
			Park: c.goHome,
		})
	}})
}

func (c *Controller) second(word kiosk.Second) {
	h := &c.held
	id, label, password, answers := h.draft.ID, h.label, append([]byte(nil), h.password...), maps.Clone(h.answers)
	var e kiosk.Encounter
	c.act(func(ctx context.Context) (err error) {
		defer clear(password)
		if e, err = c.ses.Second(ctx, id, label, password, answers, word); err != nil {
			return err
		}
		return c.gatherAct(ctx)
	}, func() {
		c.o.Station.Wake()
		if e.State == kiosk.StateSealed {
			c.showSlip(&e)
			return
		}
		c.showHome()
	})
}
