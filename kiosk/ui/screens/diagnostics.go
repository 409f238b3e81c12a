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

	// Chosen is the camera that is tested, health.PartCamera or health.PartFace.
	// Camera: its stream is being watched. Scanning: a page is being read.
	Chosen           health.Part
	Camera, Scanning bool
	Plots            Plots
	Untaken          uint64      // frames that this machine was too slow to take
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

// Plots are figures of a camera as they went, a point a look, the oldest first.
type Plots struct {
	Rate []float64 // frames a second
	Lost []float64 // frames
	Bus  []float64 // errors of the bus
	Late []float64 // milliseconds
}

// DiagnosticsCalls are what a technician can do. Nil calls are not offered.
type DiagnosticsCalls struct {
	Test     func()            // everything
	Camera   func()            // begins, or stops
	Choose   func(health.Part) // a camera; offered where there are two to choose from
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
	right := widgets.Column(12, append(b.cameras(s, c.Choose), widgets.Grow(f.scroll(widgets.Column(12,
		split(0.5, b.plot(health.FigRate, s.Plots.Rate, health.RateFloor(s.Chosen)), b.plot(health.FigLate, s.Plots.Late, math.NaN())),
		split(0.5, b.plot(health.FigLost, s.Plots.Lost, 0), b.plot(health.FigBus, s.Plots.Bus, 0)),
		split(0.58, b.bench(s), widgets.Column(0, b.pictures(s)))))))...)
	col = append(col, widgets.Grow(split(0.37, f.scroll(widgets.Column(10, b.parts(s.Report)...)), right)))
	return b.done(widgets.Column(14, col...),
		[]*widgets.ActButton{b.act("act.back", c.Back), b.act("diag.bundle", c.Bundle), b.act("diag.find", c.Find)},
		[]*widgets.ActButton{b.act("diag.scan", c.Scanner), b.act("diag.soak", c.Soak), b.act("diag.handBack", c.HandBack), b.testAll(s.Testing, c.Test)})
}

// cameras is the choice of the camera that is tested and plotted. While a soak
// runs, it keeps its camera.
func (b *builder) cameras(s DiagnosticsState, choose func(health.Part)) []fyne.CanvasObject {
	if choose == nil {
		return nil
	}
	var all widgets.ChoiceState
	for _, p := range []health.Part{health.PartCamera, health.PartFace} {
		all.Choices = append(all.Choices, widgets.Choice{Key: string(p), Label: b.Say("health." + string(p))})
	}
	if all.Chosen, all.Even = []string{string(s.Chosen)}, true; s.Soak > 0 {
		all.Reason = b.Say("diag.soak")
	}
	return []fyne.CanvasObject{widgets.NewChoiceRow(all, func(k string) { choose(health.Part(k)) })}
}

// plot is a figure as it went, with its limit: the floor of a rate, none allowed of
// what is lost, NaN for no limit. Of what is counted it says the sum.
func (b *builder) plot(key string, values []float64, limit float64) fyne.CanvasObject {
	p := widgets.PlotState{Values: values, Floor: limit}
	g := health.Figure{Key: key}
	counted := key == health.FigLost || key == health.FigBus
	switch {
	case counted:
		g.Top, p.Top = &limit, 1
	case math.IsNaN(limit):
		p.Top = lateTop
	default:
		g.Floor, p.Top = &limit, limit*1.5
	}
	for _, v := range values {
		p.Top = max(p.Top, v)
	}
	value := "–"
	if n := len(values); n > 0 {
		if g.Value = math.Round(values[n-1]*10) / 10; counted {
			g.Value = sum(values)
		}
		if value = b.Decimal(g.Value); g.Low() {
			p.Tone = theme.Care
		}
	}
	name, _, words := b.Figure(g)
	if words != "" {
		name += ", " + widgets.Keep(words)
	}
	return widgets.NewCard(widgets.CardState{Tight: true, Tone: p.Tone}, widgets.Column(0,
		widgets.NewWords(name, widgets.Second), widgets.Space(), // so that figures beside each other stand in line
		widgets.Row(10, widgets.Wide(valueWidth, widgets.NewWords(value, widgets.Hero)), widgets.Grow(widgets.NewPlot(p)))))
}

const (
	lateTop    = 100 // milliseconds: what is less looks like little
	valueWidth = 100 // of a plot's figure, so that the plots begin below each other
)

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}

// bench is what was measured on the test objects, what was reported, what worked,
// and what was shown.
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
	if s.Untaken > 0 {
		facts = append(facts, widgets.Fact(b.Say("diag.untaken"), b.Number(int(s.Untaken)), 180))
	}
	for _, n := range s.Faults[:min(len(s.Faults), 3)] {
		said := b.Say("health.allWell")
		if len(n.Findings) > 0 {
			said, _ = b.Verdict(n.Findings[0], b.Now)
		}
		facts = append(facts, widgets.Fact(widgets.Keep(n.Code), said, 110))
	}
	facts = append(facts, b.workedCard(s.Report, 5), b.shownCard(s.Shown, 20))
	return widgets.Column(10, facts...)
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

// pictures are the test objects, or the words in place of them. Of the face camera
// there is none.
func (b *builder) pictures(s DiagnosticsState) fyne.CanvasObject {
	if s.Page != nil || s.Scanning {
		return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("diag.page")}, widgets.NewPicture(widgets.PictureState{Image: s.Page, Empty: b.Say("diag.noPage"), Size: fyne.NewSize(180, 130)}))
	}
	if s.Chosen == health.PartFace {
		return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("health.face")}, widgets.NewWords(b.Say("diag.noPicture"), widgets.Second))
	}
	var body fyne.CanvasObject = widgets.NewWords(b.Say("diag.noModel"), widgets.Second)
	if s.Left != nil || s.Right != nil {
		one := func(key string, img image.Image) fyne.CanvasObject {
			return widgets.Column(4, widgets.NewWords(b.Say(key), widgets.Caption), widgets.NewPicture(widgets.PictureState{Image: img, Empty: "–", Size: fyne.NewSize(60, 90)}))
		}
		body = split(0.5, one("diag.right", s.Right), one("diag.left", s.Left)) // as the camera sees them
	}
	return widgets.NewCard(widgets.CardState{Tight: true, Title: b.Say("diag.eyeModel")}, body)
}
