package technician

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"tambo/cmd/internal/tend"
	"tambo/devices/discover"
	"tambo/kiosk/health"
	"tambo/store"
	"tambo/sync/courier"
)

// kioskOf opens what a kiosk has, as far as it opens. A vault that another
// program holds stays with that program.
func (o *options) kioskOf() (*tend.Kiosk, func()) {
	k := &tend.Kiosk{Dir: o.dir}
	var ends []func()
	if o.dir != "" {
		k.Journal = tend.OpenJournal(o.dir)
		if k.Vault, k.Why = store.Open(o.dir, store.Options{}); k.Why == nil {
			ends = append(ends, func() { k.Vault.Close() })
			k.Road = courier.New(courier.Config{Vault: k.Vault})
		}
	}
	b, err := o.open()
	if err != nil {
		k.BusErr = err
	} else {
		ends = append(ends, func() { b.Close() })
		k.Devices = discover.New(b)
		k.Meter = tend.NewMeter(k.Devices, k.Journal)
	}
	return k, func() {
		for _, f := range ends {
			f()
		}
	}
}

// checkTime bounds the whole check.
const checkTime = time.Minute

// checked is the check as JSON.
type checked struct {
	Verdict string `json:"verdict"`
	Do      string `json:"do"`
	health.Report
	Facts health.Facts  `json:"facts"`
	Shown []health.Note `json:"shown"`
}

// Health is `tambo-diag health`: a verdict, what to do next, and what was looked
// at. It exits with 1 where something cannot be done.
func Health(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, rest, err := parse("health", args, stdout, stderr, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return wrongUse("what is %q?", rest[0])
	}
	k, end := o.kioskOf()
	defer end()
	if errors.Is(k.BusErr, ErrUsage) {
		return k.BusErr
	}
	ctx, stop := context.WithTimeout(ctx, checkTime)
	defer stop()
	f := k.Facts(ctx)
	c := checked{Facts: f, Report: health.Judge(f)}
	c.Verdict = o.say.Say("health.allWell")
	if v, any := c.Report.Verdict(); any {
		c.Verdict, c.Do = o.say.Verdict(v, time.Now())
	}
	if k.Journal != nil {
		c.Shown = k.Journal.Shown(20)
	}
	if o.json {
		err = o.print(c)
	} else {
		o.printReport(c)
	}
	if c.Weight() == health.Stop && err == nil {
		err = errors.New("something does not work")
	}
	return err
}

// printReport prints verdict, parts, what worked, what was shown.
func (o *options) printReport(c checked) {
	o.line("%s %s", c.Verdict, c.Do)
	for _, x := range c.Findings[min(1, len(c.Findings)):] {
		what, do := o.say.Verdict(x, time.Now())
		o.line("  %s %s", what, do)
	}
	o.line("")
	marks := map[health.Weight]string{health.Well: "ok  ", health.Hint: "see ", health.Care: "CARE", health.Stop: "STOP"}
	for _, l := range c.Lines {
		mark := marks[l.Weight]
		if !l.Known {
			mark = "?   "
		}
		figs := ""
		for _, f := range l.Figs {
			name, value, limit := o.say.Figure(f)
			if limit != "" {
				limit = " (" + limit + ")"
			}
			figs += fmt.Sprintf(" · %s %s%s", name, value, limit)
		}
		if l.Name == "" {
			figs = strings.TrimPrefix(figs, " · ")
		}
		port := ""
		if l.Port != "" {
			port = " " + l.Port
		}
		o.line("%s %-22s %s%s", mark, o.say.Say("health."+string(l.Part))+port, l.Name, figs)
	}
	if r := c.Facts.Road; r != nil && r.Hub != "" {
		steps := ""
		for _, s := range r.Steps {
			word := "ok"
			if s.Fault != "" {
				word = string(s.Fault)
			}
			steps += fmt.Sprintf("%s %s (%s)  ", s.Step, word, s.Took.Round(100*time.Microsecond))
		}
		o.line("road %s", steps)
	}
	o.line("\n%s", o.say.Say("health.worked"))
	for _, w := range c.Worked {
		o.line("  %s  %s %s", w.At.Local().Format("2006-01-02 15:04:05"), o.say.Worked(w), w.Port)
	}
	if len(c.Worked) == 0 {
		o.line("  %s", o.say.Say("health.workedNone"))
	}
	o.line("\n%s", o.say.Say("health.shown"))
	for _, n := range c.Shown {
		o.line("  %s  %s", n.At.Local().Format("2006-01-02 15:04:05"), o.sentence(n))
	}
	if len(c.Shown) == 0 {
		o.line("  %s", o.say.Say("health.shownNone"))
	}
}

// sentence says what an officer was shown, without what stood in its places.
func (o *options) sentence(n health.Note) string {
	return fmt.Sprintf("%q (%s)", o.say.Sentence(n.Key), n.Page)
}

// Faults is `tambo-diag faults [CODE]`: what officers reported.
func Faults(_ context.Context, args []string, stdout, stderr io.Writer) error {
	count := 20
	o, rest, err := parse("faults", args, stdout, stderr, func(fs *flag.FlagSet) { fs.IntVar(&count, "last", 20, "how `many`") })
	if err != nil {
		return err
	}
	if len(rest) > 2 {
		return wrongUse("one code, as it was said")
	}
	if o.dir == "" {
		return wrongUse("--dir is missing: where does the kiosk keep its vault?")
	}
	j := tend.OpenJournal(o.dir)
	notes := j.Faults(count)
	if len(rest) > 0 {
		spoken := rest[0]
		if len(rest) == 2 {
			spoken += rest[1]
		}
		n, ok := j.Fault(spoken)
		if !ok {
			return errors.New(o.say.Say("diag.notFound", "Code", health.SpokenCode(spoken)))
		}
		notes = []health.Note{n}
	}
	if o.json {
		return o.print(notes)
	}
	if len(notes) == 0 {
		o.line("no fault was reported at this kiosk")
	}
	for _, n := range notes {
		o.line("%s", o.say.Say("health.fault", "Code", n.Code, "When", n.At.Local().Format("2006-01-02 15:04")))
		if len(n.Findings) == 0 {
			o.line("  %s", o.say.Say("health.allWell"))
		}
		for _, f := range n.Findings {
			what, do := o.say.Verdict(f, n.At.Local())
			o.line("  %s %s", what, do)
		}
		for _, s := range shownBefore(j, n) {
			o.line("  %s  %s", s.At.Local().Format("15:04:05"), o.sentence(s))
		}
	}
	return nil
}

// shownBefore is what was shown in the ten minutes before a fault was reported.
func shownBefore(j *tend.Journal, fault health.Note) (out []health.Note) {
	for _, s := range j.Shown(200) {
		if d := fault.At.Sub(s.At); d >= 0 && d < 10*time.Minute && len(out) < 5 {
			out = append(out, s)
		}
	}
	return out
}
