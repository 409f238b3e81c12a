package ui

import (
	"context"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// frame is what every screen has round it, as things stand now.
func (c *Controller) frame() screens.Frame {
	f := screens.Frame{
		Book: c.o.Book, Now: c.o.Now(), Place: c.o.Station.Place(), Status: c.o.Station.Status(),
		Trouble: c.trouble,
		Calls:   screens.FrameCalls{Language: c.otherLanguage},
	}
	a := c.o.Station.Agreement()
	f.Training = a != nil && a.Training
	if c.diag.op.Label != "" {
		f.Status.Operator = c.diag.op
	}
	if op, in := c.operator(); in {
		f.Status.Operator = op
		f.Status.Lists = lists(a, c.home.Lists)
		f.Alerts = c.alerts
		f.Calls.HaveIt = c.haveIt
	}
	if e, open := c.encounter(); open {
		f.Alerts = alertsBut(f.Alerts, &e)
		if e.Arrival.Wristband == "" && c.arrival.of == e.ID {
			e.Arrival.Wristband = c.arrival.chosen.Wristband // typed, not yet confirmed
		}
		f.Encounter = &e
		f.Training = f.Training || e.Training
		f.Calls.GoTo = c.goTo
	}
	return f
}

// alertsBut leaves out alerts about a person who is here and whose hit is shown
// anyway: the same thing said twice hides the next one. They stay on home.
func alertsBut(all []screens.LateAlert, e *kiosk.Encounter) []screens.LateAlert {
	if !openHit(e) {
		return all
	}
	var out []screens.LateAlert
	for _, a := range all {
		if a.Alert.Encounter != e.ID {
			out = append(out, a)
		}
	}
	return out
}

// lists says how old the oldest list is against how old it may be.
func lists(a *kiosk.Agreement, ages []kiosk.ListAge) screens.Lists {
	if a == nil {
		return screens.Lists{}
	}
	l := screens.Lists{None: len(a.Lists) == 0}
	for _, rule := range a.Lists {
		for _, age := range ages {
			if age.List == rule.List && (l.Signed.IsZero() || age.Signed.Time.Before(l.Signed)) {
				l.Signed, l.MaxAge = age.Signed.Time, rule.MaxAge
			}
		}
	}
	return l
}

func (c *Controller) otherLanguage() {
	c.local(func() { c.o.Book.Set(c.o.Book.Other()) })
}

func (c *Controller) haveIt(id string) {
	state := kiosk.AlertSeen
	for _, a := range c.alerts {
		if a.Alert.ID == id && (a.Taken || a.Alert.State == kiosk.AlertWithdrawn) {
			state = kiosk.AlertDone
		}
	}
	running := c.capture != nil
	c.act(func(ctx context.Context) error {
		if _, err := c.ses.TakeAlert(ctx, id, state); err != nil {
			return err
		}
		got, err := c.gather(ctx)
		c.o.Do(func() { c.take(got) })
		return err
	}, func() {
		c.o.Station.Wake()
		if running {
			c.goOn() // the look that the touch ended begins again
			return
		}
		c.redraw()
	})
}

// gathered is what home, the alerts and the bar show.
type gathered struct {
	home   session.Home
	alerts []screens.LateAlert
	bands  map[kiosk.EncounterID]string // wristband numbers of what waits
}

// gather runs on the worker.
func (c *Controller) gather(ctx context.Context) (gathered, error) {
	h, err := c.ses.Home(ctx)
	if err != nil {
		return gathered{}, err
	}
	g := gathered{home: h, bands: map[kiosk.EncounterID]string{}}
	for _, w := range h.Waiting {
		if card, ok := c.ses.Card(w.Encounter); ok {
			g.bands[w.Encounter] = card.Wristband
		}
	}
	for _, a := range h.Alerts {
		if a.State == kiosk.AlertDone {
			continue
		}
		l := screens.LateAlert{Alert: a, Taken: a.State == kiosk.AlertSeen}
		if card, ok := c.ses.Card(a.Encounter); ok {
			l.Wristband = card.Wristband
		}
		for _, d := range h.Drafts {
			if d.ID == a.Encounter {
				l.Wristband = d.Wristband
			}
		}
		g.alerts = append(g.alerts, l)
	}
	return g, nil
}

func (c *Controller) take(g gathered) {
	if g.home.Operator.Label == "" {
		return // nothing was gathered
	}
	c.home, c.alerts, c.bands = g.home, g.alerts, g.bands
}

// fail shows an error where the officer is: as a screen of its own where it
// has one, else as a sentence.
func (c *Controller) fail(err error) {
	x := session.Explain(err)
	c.o.Log.Info("an act was not done", "page", c.page.name, "trouble", x.Trouble, "missing", len(x.Missing))
	switch x.Trouble {
	case session.TroubleStopped:
		c.redraw()
		return
	case session.TroubleLocked:
		c.show(c.signInPage())
		return
	case session.TroubleDiskFull:
		c.noteShown("disk.title")
		c.showDisk()
		return
	case session.TroubleExpired, session.TroubleNoAgreement, session.TroubleNotYet:
		c.noteShown("closed.title")
		c.showExpired()
		return
	}
	c.trouble = troubleOf(c.o.Book, x)
	c.redraw()
}

// troubleKeys are the words of what may be in the way. A trouble that is not
// here has words that hold a figure, or none that say more than "not done".
var troubleKeys = map[session.Trouble]string{
	session.TroubleGone: "fault.device", session.TroubleStalled: "fault.device", session.TroubleBadData: "fault.device",
	session.TroubleBusy: "fault.busy", session.TroubleAccess: "fault.busy",
	session.TroubleVirtual: "fault.virtual", session.TroubleCover: "fault.cover", session.TroublePaper: "fault.paper",
	session.TroubleUnreadable: "document.unread", session.TroubleNotGood: "fault.notGood", session.TroubleNotCertain: "fault.notCertain",
	session.TroubleUnknown: "signin.wrong", session.TroubleRole: "fault.wrongSecond",
	session.TroubleForbidden: "fault.forbidden", session.TroubleDamaged: "fault.damaged",
	session.TroubleLocked: "fault.locked", session.TroubleNoAgreement: "closed.none", session.TroubleDiskFull: "disk.note",
	session.TroubleExpired: "closed.title", session.TroubleNotYet: "closed.title",
}

// troubleOf is an error as a sentence. Nothing of the error's own text is in it.
func troubleOf(b *words.Book, x session.Explained) *screens.Trouble {
	key := troubleKeys[x.Trouble]
	t := &screens.Trouble{Tone: theme.Care}
	switch {
	case key != "":
		t.Title = b.Say(key)
	case x.Trouble == session.TroublePassword && x.Left > 0 && x.Left <= 3:
		t.Title = b.Count("fault.passwordLeft", x.Left)
	case x.Trouble == session.TroublePassword:
		t.Title = b.Say("signin.wrong")
	case x.Trouble == session.TroubleLockedOut:
		t.Title, t.Tone = b.Say("signin.locked", "Wait", b.Span(time.Until(x.Until))), theme.Stop
	case x.Trouble == session.TroubleRefused && len(x.Missing) > 0:
		t.Key, t.Title = "fault.refused", b.Say("fault.refused", "Why", missing(b, x.Missing))
	default:
		t.Key = "fault.title"
		t.Title, t.Detail = b.Say("fault.title"), b.Say("fault.saved")
	}
	return t
}

// missing says the first thing that is missing.
func missing(b *words.Book, codes []string) string {
	code, rest := codes[0], ""
	for i, r := range code {
		if r == ':' {
			code, rest = code[:i], code[i+1:]
			break
		}
	}
	switch code {
	case "answer":
		return b.Count("missing.answers", len(codes))
	case "look", "disagreement":
		return b.Count("missing.looks", len(codes))
	case "step":
		return b.Say("missing.steps")
	case "search":
		return b.Say("missing.search")
	case "capture":
		for _, key := range []string{rest} {
			if b.Has("missing." + key) {
				return b.Say("missing." + key)
			}
		}
	}
	if b.Has("missing." + code) {
		return b.Say("missing." + code)
	}
	return b.Say("missing.steps")
}
