package screens

import (
	"image"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// FacePhase is where the face photo stands.
type FacePhase int

// Phases of the face photo.
const (
	FaceStarting FacePhase = iota // the camera is being opened
	FaceLooking
	FaceNoCamera // none answers
	FaceStruggle // time ran out; the best may be kept
	FaceKept
)

// FaceState is the face photo.
type FaceState struct {
	Phase   FacePhase
	Present bool
	Score   int // of what is seen now
	Best    int // so far
	Floor   int
	// Ask is the one thing to ask now: a code of package face; empty: nothing.
	Ask     string
	Photo   image.Image // the portrait that is kept; nil: none
	Below   bool        // kept below its floor
	Except  kiosk.ExceptionReason
	GoesOn  int  // seconds until it goes on by itself; 0: it does not
	ByRule  bool // not taken of this person
	Missing int  // 1 while neither a photo nor an exception is there
}

// FaceCalls are what can be done at the face photo.
type FaceCalls struct {
	Take    func() // by hand: what is seen now
	Keep    func() // the best so far
	Refuses func()
	Other   func()
	Again   func()
	Stay    func()
	Park    func()
	Next    func()
}

// FaceScreen is the face photo's step. Its view is fed by any goroutine; the
// rest changes by Set, many times a second, without being made anew.
type FaceScreen struct {
	*Screen
	// View is run and fed by whoever shows the screen.
	View *widgets.EyeView

	b         *builder
	guide     *widgets.Banner
	card      *widgets.Card
	now, best *widgets.Gauge
	note      *widgets.Words
	way       *widgets.ActButton
	pill      widgets.PillState
	label     float32 // how wide the gauges' labels are
}

// Face shows the face photo's step.
func Face(f Frame, s FaceState, c FaceCalls) *FaceScreen {
	b := f.build()
	x := &FaceScreen{Screen: b.s, b: b, label: b.gaugeLabels(), View: widgets.NewEyeView(f.Say("face.empty"))}
	x.guide = widgets.NewBanner(widgets.BannerState{NoSign: true})
	x.note = widgets.NewWords(" ", widgets.Second)
	x.now = widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.now"), Floor: -1})
	x.best = widgets.NewGauge(widgets.GaugeState{Label: f.Say("irises.best"), Floor: -1})
	var seen fyne.CanvasObject = x.View
	if s.Phase == FaceKept && s.Photo != nil {
		seen = widgets.NewPicture(widgets.PictureState{Image: s.Photo, Size: fyne.NewSize(180, 200)})
	}
	x.pill = x.pillOf(s)
	x.card = widgets.NewCard(widgets.CardState{Tight: true, Title: f.Say("face.title"), Pill: &x.pill}, widgets.Column(10, widgets.Grow(seen), x.now, x.best))
	left := []*widgets.ActButton{b.act("irises.refuses", c.Refuses), b.act("irises.otherCase", c.Other), b.act("act.park", c.Park)}
	var right []*widgets.ActButton
	again := b.act("act.again", c.Again)
	switch s.Phase {
	case FaceKept:
		left = left[2:] // the struggle is over
		if s.GoesOn > 0 {
			right = append(right, b.act("act.stay", c.Stay))
		}
		right = append(right, b.act("face.retake", c.Again))
	case FaceLooking:
		right = append(right, b.act("face.take", c.Take))
	case FaceStruggle:
		if s.Best > 0 {
			right = append(right, b.act("face.keep", c.Keep))
		}
		right = append(right, again)
	case FaceNoCamera:
		right = append(right, again)
	}
	if s.ByRule || s.Except != "" {
		left = left[len(left)-1:]
		if s.ByRule {
			right = nil
		}
	}
	x.way = b.way(b.next(kiosk.StepFace), "", c.Next)
	x.Set(s)
	b.done(widgets.Column(14, x.guide, widgets.Grow(x.card), x.note), left, append(right, x.way))
	return x
}

// Set changes what is live: guidance, scores, what is missing. A change of
// Phase, of the photo or of the encounter, and the beginning or end of GoesOn,
// wants a new screen.
func (x *FaceScreen) Set(s FaceState) {
	b := x.b
	title, tone := b.faceGuidance(s)
	x.guide.Set(widgets.BannerState{Tone: tone, Title: title, NoSign: tone == theme.Good || s.Phase == FaceLooking})
	if p := x.pillOf(s); p != x.pill { // a card is drawn anew only when it changes
		x.pill = p
		x.card.Set(widgets.CardState{Tight: true, Title: b.Say("face.title"), Pill: &x.pill})
	}
	floor := -1.0
	if s.Floor > 0 {
		floor = float64(s.Floor) / 100
	}
	gauge := func(g *widgets.Gauge, label string, v int) {
		t := theme.Care
		if v >= s.Floor {
			t = theme.Good
		}
		g.Set(widgets.GaugeState{Label: label, LabelWidth: x.label, Value: float64(v) / 100, Floor: floor, Tone: t})
	}
	gauge(x.now, b.Say("irises.now"), s.Score)
	gauge(x.best, b.Say("irises.best"), s.Best)
	note := b.Say("face.note")
	if s.GoesOn > 0 {
		note = b.Say("irises.goesOn", "Seconds", s.GoesOn)
	}
	x.note.Set(note)
	reason := ""
	if s.Missing > 0 {
		reason = b.Say("missing.face")
	}
	setReason(x.way, reason)
}

func (x *FaceScreen) pillOf(s FaceState) widgets.PillState {
	b := x.b
	switch {
	case s.ByRule:
		return widgets.PillState{Word: b.Say("found.byRule"), Sign: theme.SignDash}
	case s.Phase == FaceKept && s.Below:
		return widgets.PillState{Tone: theme.Care, Word: b.Say("irises.keptBelow", "Score", s.Best, "Floor", s.Floor)}
	case s.Phase == FaceKept:
		return widgets.PillState{Tone: theme.Good, Word: b.Say("irises.kept", "Score", s.Best, "Floor", s.Floor)}
	case s.Except != "":
		return widgets.PillState{Tone: theme.Care, Word: coded(b.Book, "except.", string(s.Except))}
	case s.Present && s.Score >= s.Floor:
		return widgets.PillState{Tone: theme.Good, Word: b.Say("face.goodNow", "Score", s.Score, "Floor", s.Floor)}
	case s.Present:
		return widgets.PillState{Tone: theme.Care, Word: b.Say("irises.below", "Score", s.Score, "Floor", s.Floor)}
	}
	return widgets.PillState{Word: b.Say("irises.looking"), Sign: theme.SignDots}
}

// faceGuidance is the one sentence, the most useful one.
func (b *builder) faceGuidance(s FaceState) (string, theme.Tone) {
	switch {
	case s.ByRule:
		return b.Say("except.byRule"), theme.Plain
	case s.Phase == FaceKept && s.Below:
		return b.Say("face.keptBelow"), theme.Care
	case s.Phase == FaceKept:
		return b.Say("face.kept"), theme.Good
	case s.Except != "":
		return sentence(b.Say("irises.notTaken", "Why", lower(coded(b.Book, "except.", string(s.Except))))), theme.Care
	case s.Phase == FaceNoCamera:
		return b.Say("face.none"), theme.Care
	case s.Phase == FaceStruggle:
		return b.Say("face.struggle"), theme.Care
	case s.Phase == FaceStarting:
		return b.Say("missing.busy"), theme.Active
	case s.Ask == "" || s.Ask == "face-still":
		return b.Say("guide.face-still"), theme.Active
	}
	return b.Say("guide." + s.Ask), theme.Care
}
