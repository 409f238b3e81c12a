package ui

import (
	"context"
	"errors"
	"time"

	"tambo/kiosk/health"
	"tambo/kiosk/ui/screens"
)

// healthTime is how long all tests together may take.
const healthTime = 40 * time.Second

// healthPage is what the health screen shows.
type healthPage struct {
	report  health.Report
	shown   []health.Note
	faults  []health.Note
	testing bool
	again   bool // something changed while it was tested
	fault   string
}

// showHealth shows how the kiosk is. It needs nobody signed in, and no vault.
func (c *Controller) showHealth() {
	c.touch()
	c.trouble = nil
	c.endCapture()
	c.show(page{name: "health", build: func(f screens.Frame) *screens.Screen {
		f.Encounter, f.Alerts, f.Trouble, f.Calls.GoTo, f.Calls.HaveIt = nil, nil, nil, nil, nil
		calls := screens.HealthCalls{Test: c.test, Report: c.reportFault, Back: c.leaveHealth}
		if _, in := c.operator(); !in && c.o.Technician != nil {
			calls.Technician = c.toDiagnostics
		}
		return screens.Health(f, screens.HealthState{Report: c.health.report, Shown: c.health.shown, Testing: c.health.testing, Fault: c.health.fault}, calls)
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

// onHealth reports whether a page shows the health of the kiosk.
func (c *Controller) onHealth() bool { return c.page.name == "health" || c.page.name == "diagnostics" }

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
	c.lookAt()
}

// lookAt asks the station how the parts are, and shows what it answers.
func (c *Controller) lookAt() {
	go func() {
		ctx, stop := context.WithTimeout(c.ctx, healthTime)
		defer stop()
		r := c.o.Station.Health(ctx)
		var shown, faults []health.Note
		if c.o.Technician != nil {
			shown, faults = c.o.Technician.Notes()
		}
		c.o.Do(func() {
			h := &c.health
			h.report, h.shown, h.faults, h.testing = r, shown, faults, false
			if h.again {
				h.again, h.testing = false, true
				c.lookAt()
			}
			if c.onHealth() {
				c.redraw()
			}
		})
	}()
}

// reopen tries the vault again and stays where it is.
func (c *Controller) reopen() {
	c.busy = true
	c.work.post(func(ctx context.Context) {
		s, err := c.openVault(ctx)
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

// noteShown keeps that officers were shown a sentence: its key, never its words.
func (c *Controller) noteShown(key string) {
	if t := c.o.Technician; t != nil && key != "" {
		page := c.page.name
		go t.Shown(page, key)
	}
}

// changes says that something was plugged in or out; nil where nobody says so.
func (c *Controller) changes() <-chan struct{} {
	if c.o.Technician == nil {
		return nil
	}
	return c.o.Technician.Changes()
}

// Plugged shows that something was plugged in or out, at once. Run calls it when
// the station says so; a test may.
func (c *Controller) Plugged() {
	c.screen.SetBar(c.frame())
	switch {
	case !c.onHealth() || c.diag.stop != nil:
	case c.health.testing:
		c.health.again = true
	default:
		c.health.testing = true
		c.lookAt()
	}
}
