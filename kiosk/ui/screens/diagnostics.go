package screens

import (
	"image"
	"math"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk/health"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// DiagnosticsState is what a technician sees. The pictures in it are of the
// technician's own test objects, found and cut out: nothing else ever is.
type DiagnosticsState struct {
	Report  health.Report
	Testing bool // all parts are being looked at
	Shown   []health.Note
	Faults  []health.Note

	// Camera: its stream is being watched; Rates and Losses are of the last
	// looks, oldest first. Scanning: a page is being read.
	Camera, Scanning bool
	Rates, Losses    []float64
	Left, Right      image.Image // the eye models; nil: not seen
	Page             image.Image // the calibration page
	Eyes             *health.TargetFacts
	// Soak is how long the camera's test still runs, 0 none; Length how long it
	// runs in all.
	Soak, Length time.Duration
	// Said is the last answer to an act, empty none.
	Said     string
	SaidTone theme.Tone
}

// DiagnosticsCalls are what a technician can do. Nil calls are not offered.
type DiagnosticsCalls struct {
	Test     func() // everything
	Camera   func() // begins, or stops
	Scanner  func()
	Soak     func()
	HandBack func()
	Bundle   func()
	Find     func() // a fault by its code
	Back     func() // signs the technician out
}

// Diagnostics shows the verdict, the parts, live plots and the test objects.
func Diagnostics(f Frame, s DiagnosticsState, c DiagnosticsCalls) *Screen {
	b := f.build()
	b.s.back = c.Back
	b.Encounter = nil
	verdict := b.verdict(s.Report, s.Testing)
	key := "diag.test"
	if s.Camera {
		key = "diag.stop"
	}
	if c.Camera != nil {
		verdict.Act = b.repeat(key, c.Camera)
	}
	col := []fyne.CanvasObject{widgets.NewBanner(verdict)}
	if s.Said != "" {
		col = append(col, band(s.SaidTone, s.Said))
	}
	right := widgets.Column(14,
		split(0.5, b.plot("rate", s.Rates, health.RateFloor), b.plot("lost", s.Losses, 0)),
		widgets.Grow(b.bench(s)))
	col = append(col, widgets.Grow(split(0.37, f.scroll(widgets.Column(10, b.parts(s.Report)...)), right)))
	return b.done(widgets.Column(14, col...),
		[]*widgets.ActButton{b.act("act.back", c.Back), b.act("diag.bundle", c.Bundle), b.act("diag.find", c.Find)},
		[]*widgets.ActButton{b.act("diag.scan", c.Scanner), b.act("diag.soak", c.Soak), b.act("diag.handBack", c.HandBack), b.testAll(s.Testing, c.Test)})
}

// plot is a figure as it went, with its floor; of what is lost none is allowed.
func (b *builder) plot(key string, values []float64, floor float64) fyne.CanvasObject {
	p := widgets.PlotState{Values: values, Floor: floor, Low: 0}
	g := health.Figure{Key: key, Value: 0}
	if key == health.FigLost {
		p.Floor = math.NaN()
		g.Top = &floor
	} else {
		g.Floor = &floor
	}
	p.Top = max(floor*1.5, 1)
	for _, v := range values {
		p.Top = max(p.Top, v)
	}
	value := "–"
	if n := len(values); n > 0 {
		if g.Value = math.Round(values[n-1]*10) / 10; key == health.FigLost {
			g.Value = sum(values)
		}
		if value = b.Decimal(g.Value); g.Low() {
			p.Tone = theme.Care
		}
	}
	name, _, limit := b.Figure(g)
	return widgets.NewCard(widgets.CardState{Tight: true, Tone: p.Tone}, widgets.Column(2,
		widgets.NewWords(name+", "+widgets.Keep(limit), widgets.Second), widgets.NewWords(value, widgets.Hero), widgets.NewPlot(p)))
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// bench is the test objects, what was measured on them, what worked, what was
// shown, what was reported.
func (b *builder) bench(s DiagnosticsState) fyne.CanvasObject {
	var facts []fyne.CanvasObject
	if t := s.Eyes; t != nil && t.Found {
		for _, g := range []widgets.GaugeState{
			b.gauge(health.FigSharp, float64(t.Sharp), health.SharpFloor, 100),
			b.gauge(health.FigWhite, float64(t.White), health.WhiteFloor, 255),
			b.gauge(health.FigEven, float64(t.Even), health.EvenFloor, 100),
		} {
			facts = append(facts, widgets.NewGauge(g))
		}
	}
	if s.Soak > 0 {
		facts = append(facts, widgets.NewGauge(widgets.GaugeState{Label: b.shortOf("diag.soak"), LabelWidth: gaugeLabel, Floor: -1, Value: 1 - float64(s.Soak)/float64(max(s.Length, 1)), Words: b.Span(s.Soak)}))
	}
	for _, n := range s.Faults[:min(len(s.Faults), 3)] {
		said := b.Say("health.allWell")
		if len(n.Findings) > 0 {
			said, _ = b.Verdict(n.Findings[0], b.Now)
		}
		facts = append(facts, widgets.Fact(widgets.Keep(n.Code), said, 110))
	}
	facts = append(facts, b.workedCard(s.Report, 5), b.shownCard(s.Shown, 20))
	return split(0.58, b.scroll(widgets.Column(10, facts...)), b.pictures(s))
}

const gaugeLabel = 130

func (b *builder) gauge(key string, v, floor, top float64) widgets.GaugeState {
	name, value, limit := b.Figure(health.Figure{Key: key, Value: v, Floor: &floor})
	g := widgets.GaugeState{Label: name, LabelWidth: gaugeLabel, Value: v / top, Floor: floor / top, Tone: theme.Good, Words: value + ", " + limit}
	if v < floor {
		g.Tone = theme.Care
	}
	return g
}

// pictures are the test objects, or the words in place of them.
func (b *builder) pictures(s DiagnosticsState) fyne.CanvasObject {
	if s.Page != nil || s.Scanning {
		return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("diag.page")}, widgets.NewPicture(widgets.PictureState{Image: s.Page, Empty: b.Say("diag.noPage"), Size: fyne.NewSize(180, 130)}))
	}
	body := b.scroll(widgets.NewWords(b.Say("diag.noModel"), widgets.Second))
	if s.Left != nil || s.Right != nil {
		one := func(key string, img image.Image) fyne.CanvasObject {
			return widgets.Column(4, widgets.NewWords(b.Say(key), widgets.Caption), widgets.NewPicture(widgets.PictureState{Image: img, Empty: "–", Size: fyne.NewSize(60, 90)}))
		}
		body = split(0.5, one("diag.right", s.Right), one("diag.left", s.Left)) // as the camera sees them
	}
	return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("diag.eyeModel")}, body)
}
