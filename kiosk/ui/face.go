package ui

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // photos are kept so
	"math"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/intake"
	"tambo/kiosk/session"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// face is the face photo's step: what the camera showed last, and where it
// stands.
type face struct {
	state  screens.FaceState
	screen *screens.FaceScreen
	stay   bool      // it does not go on by itself
	from   time.Time // since when a photo is kept; zero: it is not, or came before
	live   *live
}

func (f *face) close() {
	if f.live != nil {
		f.live.close()
		f.live = nil
	}
}

// showFace shows the face photo, and takes it if there is none.
func (c *Controller) showFace(e *kiosk.Encounter) {
	c.face.close()
	c.face = face{live: c.newLive()}
	c.readPhoto(e)
	c.show(page{name: "face", build: c.buildFace, leave: func() { c.face.close(); c.face.screen = nil }})
	switch s := &c.face.state; {
	case s.ByRule || s.Except != "":
		c.redraw()
	case s.Missing == 0: // it was taken before: the officer came back
		c.face.stay = true
		c.showPhoto(e)
	default:
		c.lookForFace()
	}
}

func (c *Controller) buildFace(f screens.Frame) *screens.Screen {
	x := &c.face
	c.readPhoto(f.Encounter)
	x.screen = screens.Face(f, x.state, screens.FaceCalls{
		Take:    func() { c.takeFace(true) },
		Keep:    func() { c.takeFace(false) },
		Refuses: func() { c.showException(kiosk.ModalityFace, kiosk.ExceptRefuses) },
		Other:   func() { c.showException(kiosk.ModalityFace, "") },
		Again:   c.faceAgain,
		Stay: func() {
			c.touch()
			x.stay, x.from, x.state.GoesOn = true, time.Time{}, 0
			c.redraw()
		},
		Park: c.parkFace,
		Next: c.faceNext,
	})
	if x.live != nil {
		x.live.show([2]*widgets.EyeView{x.screen.View})
	}
	return x.screen.Screen
}

func (c *Controller) parkFace() {
	if c.face.state.Phase == screens.FaceNoCamera {
		c.parkBecause(kiosk.ParkDevice)
		return
	}
	c.park()
}

func (c *Controller) faceNext() { c.do(kiosk.StepConfirmed{Step: kiosk.StepFace}) }

// readPhoto takes what the encounter holds of the photo into the state.
func (c *Controller) readPhoto(e *kiosk.Encounter) {
	if e == nil {
		return
	}
	s := &c.face.state
	s.ByRule, s.Except, s.Missing = !e.Permits(kiosk.ModalityFace), "", len(intake.Missing(e, kiosk.StepFace))
	if s.ByRule {
		s.Missing = 0
	}
	for _, x := range e.Exceptions {
		if x.Modality == kiosk.ModalityFace {
			s.Except = x.Reason
		}
	}
}

// faceAgain looks for a photo once more; an earlier one stays until another is
// kept.
func (c *Controller) faceAgain() {
	c.touch()
	if _, open := c.encounter(); !open || c.busy {
		c.rearm()
		return
	}
	c.trouble = nil
	c.lookForFace()
}

// lookForFace takes a photo as soon as it is good.
func (c *Controller) lookForFace() {
	x := &c.face
	x.state.Phase, x.state.Ask, x.state.GoesOn, x.state.Photo, x.from = screens.FaceStarting, "", 0, nil, time.Time{}
	x.state.Present, x.state.Score, x.state.Best = false, 0, 0
	l := x.live
	if l == nil {
		return
	}
	l.last[0].Store(nil)
	c.redraw()
	c.look(c.o.Look, func(ctx context.Context) error {
		_, err := c.ses.CaptureFace(ctx, func(p session.FaceProgress) { l.face(p, c.seenFace) })
		l.flush()
		return err
	}, func(err error) {
		e, _ := c.encounter()
		if err == nil {
			x.from = c.o.Now()
			c.showPhoto(&e)
			return
		}
		x.state.Ask = ""
		t := session.Explain(err).Trouble
		c.o.Log.Info("face photo not taken", "trouble", t)
		switch t {
		case session.TroubleNotGood, session.TroubleStopped:
			x.state.Phase = screens.FaceStruggle
			c.redraw()
		case session.TroubleGone, session.TroubleStalled, session.TroubleBusy, session.TroubleAccess, session.TroubleBadData:
			x.state.Phase = screens.FaceNoCamera
			c.redraw()
		default:
			x.state.Phase = screens.FaceStruggle
			c.fail(err)
		}
	})
}

// takeFace keeps a photo by hand: what is seen now, or the best so far. One that
// is below its floor wants a reason.
func (c *Controller) takeFace(newest bool) {
	below := false
	c.act(func(ctx context.Context) error {
		_, err := c.ses.KeepFace(ctx, newest, "")
		if x := session.Explain(err); x.Trouble == session.TroubleRefused && slices.Contains(x.Missing, "reason") {
			below = true
			return nil
		}
		return err
	}, func() {
		if below {
			c.askWhyBelow(newest)
			return
		}
		e, _ := c.encounter()
		c.face.from = c.o.Now()
		c.showPhoto(&e)
	})
}

// askWhyBelow shows the picture and asks why it is kept.
func (c *Controller) askWhyBelow(newest bool) {
	s := screens.BelowState{Face: true, Floor: c.face.state.Floor}
	c.act(func(context.Context) error {
		if p, ok := c.ses.TakenFace(newest); ok {
			s.Score, s.Floor = p.Quality.Score, p.Quality.Floor
			if _, small, err := p.JPEG(); err == nil {
				s.Image = decoded(small)
			}
		}
		return nil
	}, func() {
		c.show(page{name: "below", build: func(f screens.Frame) *screens.Screen {
			return screens.Below(f, s, screens.BelowCalls{
				Reason: func(code string) { c.local(func() { s.Reason = code }) },
				Keep: func() {
					if s.Reason == "" {
						c.rearm()
						return
					}
					c.act(func(ctx context.Context) error {
						_, err := c.ses.KeepFace(ctx, newest, s.Reason)
						return err
					}, c.goOn)
				},
				Back: func() { c.touch(); c.goOn() },
			})
		}})
	})
}

// showPhoto shows the photo that is kept, and goes on by itself if it is new and
// good.
func (c *Controller) showPhoto(e *kiosk.Encounter) {
	x := &c.face
	p := e.Photo()
	if p == nil {
		return
	}
	s := &x.state
	s.Phase, s.Ask, s.Below, s.Best, s.Score, s.Floor = screens.FaceKept, "", p.Below != "", p.Quality.Score, p.Quality.Score, p.Quality.Floor
	if x.stay || s.Below {
		x.from = time.Time{}
	}
	if s.GoesOn = 0; !x.from.IsZero() {
		s.GoesOn = int(math.Ceil(c.o.GoOn.Seconds()))
	}
	c.redraw()
	part := p.Part
	c.portrait(part, func(img image.Image) {
		if c.page.name == "face" && x.state.Phase == screens.FaceKept {
			x.state.Photo = img
			c.redraw()
		}
	})
}

// portrait fetches the portrait of a photo on the worker; f runs on the UI
// goroutine, unless the kiosk was locked meanwhile.
func (c *Controller) portrait(part string, f func(image.Image)) {
	turn := c.turn
	c.work.post(func(ctx context.Context) {
		b, err := c.ses.Image(ctx, session.PortraitPart(part))
		img := decoded(b)
		c.o.Do(func() {
			if turn == c.turn && err == nil && img != nil {
				f(img)
			}
		})
	})
}

func decoded(b []byte) image.Image {
	img, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	return img
}

// seenFace takes what is known of the newest frame.
func (c *Controller) seenFace(p session.FaceProgress) {
	x := &c.face
	if c.page.name != "face" || c.capture == nil || x.screen == nil {
		return
	}
	s := &x.state
	s.Present, s.Score, s.Best, s.Floor, s.Ask = p.Look.Present, p.Score, p.Best, p.Floor, string(p.Ask)
	if s.Phase == screens.FaceStarting {
		s.Phase = screens.FaceLooking
		c.redraw()
		return
	}
	x.screen.Set(*s)
}

// faceTick counts down to going on, and picks a camera up that came back.
func (c *Controller) faceTick() {
	x := &c.face
	if c.page.name != "face" || x.screen == nil {
		return
	}
	if x.state.Phase == screens.FaceNoCamera && c.capture == nil && !c.busy && c.o.Station.Status().Face == screens.DeviceReady {
		c.lookForFace()
		return
	}
	if x.from.IsZero() || x.stay || c.busy || c.trouble != nil || x.state.Phase != screens.FaceKept {
		return
	}
	left := c.o.GoOn - c.o.Now().Sub(x.from)
	if left <= 0 {
		x.from, x.state.GoesOn = time.Time{}, 0
		c.faceNext()
		return
	}
	x.state.GoesOn = int(math.Ceil(left.Seconds()))
	x.screen.Set(x.state)
}

// face takes a frame of a face and hands what is known of it to set. It is
// called on the capture's goroutine.
func (l *live) face(p session.FaceProgress, set func(session.FaceProgress)) {
	if l.ctx.Err() != nil {
		return // another page is shown
	}
	img := p.Frame.Image
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	f := widgets.EyeFrame{Colour: img, Tone: theme.Care, Marks: oval(w, h)}
	if p.Look.Present {
		m, d := p.Look.Middle(), p.Look.EyeDistance()
		f.Contours = [][]fyne.Position{ellipse(m.X, m.Y, 1.25*d, 1.85*d, p.Look.Roll)}
	}
	if p.Floor > 0 && p.Score >= p.Floor {
		f.Tone = theme.Good
	}
	l.feed(0, &f)
	p.Frame.Image, p.Frame.JPEG = nil, nil
	l.tell(func() { set(p) })
}

// oval is where the head should be: the largest and the least that it may be,
// as short marks above and below.
func oval(w, h float64) [][]fyne.Position {
	const high, low = 0.72, 0.46 // of the frame's height
	cx, cy := w/2, 0.44*h
	mark := func(y float64) []fyne.Position {
		return []fyne.Position{fyne.NewPos(float32(cx-0.05*h), float32(y)), fyne.NewPos(float32(cx+0.05*h), float32(y))}
	}
	return [][]fyne.Position{ellipse(cx, cy, 0.20*h, 0.30*h, 0), mark(cy - high/2*h), mark(cy - low/2*h), mark(cy + low/2*h), mark(cy + high/2*h)}
}

// ellipse is a closed line, leaning by degrees.
func ellipse(x, y, rx, ry, lean float64) []fyne.Position {
	const n = 90
	out := make([]fyne.Position, n)
	ls, lc := math.Sincos(lean * math.Pi / 180)
	for i := range out {
		s, c := math.Sincos(2 * math.Pi * float64(i) / n)
		u, v := rx*c, ry*s
		out[i] = fyne.NewPos(float32(x+u*lc-v*ls), float32(y+u*ls+v*lc))
	}
	return out
}
