package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// builder makes one screen.
type builder struct {
	Frame
	s    *Screen
	held func(down bool) // what is told discreetly is held in sight; nil: nothing is
}

func (f Frame) build() *builder {
	return &builder{Frame: f, s: &Screen{fields: map[string]*widgets.Field{}}}
}

// act makes a button; nil when there is no call, and such a button is left out.
func (b *builder) act(key string, call func()) *widgets.ActButton {
	return b.button(widgets.ActState{Label: b.Say(key), Short: b.shortOf(key)}, call)
}

// repeat makes a button that may be touched again at once.
func (b *builder) repeat(key string, call func()) *widgets.ActButton {
	return b.button(widgets.ActState{Label: b.Say(key), Short: b.shortOf(key), Repeats: true}, call)
}

func (b *builder) button(s widgets.ActState, call func()) *widgets.ActButton {
	if call == nil {
		return nil
	}
	a := widgets.NewAct(s, call)
	b.s.buttons = append(b.s.buttons, a)
	return a
}

// way makes the way on: grey, with what is missing, while reason is not empty.
func (b *builder) way(label, reason string, call func()) *widgets.ActButton {
	a := b.button(widgets.ActState{Kind: widgets.ActPrimary, Label: label, Reason: reason}, call)
	if a != nil {
		b.s.primary = a
	}
	return a
}

// field makes a field to type into, known by a name.
func (b *builder) field(name string, s widgets.FieldState, change func(string)) *widgets.Field {
	f := widgets.NewField(s, change)
	f.OnFocus = func(on bool) {
		if on {
			b.s.cursor = name
		}
	}
	b.s.fields[name] = f
	return f
}

func some(l ...*widgets.ActButton) []*widgets.ActButton {
	var out []*widgets.ActButton
	for _, a := range l {
		if a != nil {
			out = append(out, a)
		}
	}
	return out
}

// done puts the content into the frame.
func (b *builder) done(content fyne.CanvasObject, left, right []*widgets.ActButton) *Screen {
	b.s.bar = widgets.NewTopBar(b.barState(), b.Calls.Language)
	rows := []fyne.CanvasObject{b.s.bar}
	if b.Training {
		rows = append(rows, widgets.NewTrainingBand(b.Say("training.band")))
	}
	if t := b.trouble(); t != nil {
		content = widgets.Column(14, t, widgets.Grow(content))
	}
	if b.Encounter != nil {
		if note := b.discreet(); note != nil {
			note.Hide()
			column := widgets.Column(14, note, widgets.Grow(content))
			content = column
			b.held = func(down bool) {
				if down {
					note.Show()
				} else {
					note.Hide()
				}
				column.Refresh()
			}
		}
		if a := b.alert(); a != nil {
			content = widgets.Column(14, a, widgets.Grow(content))
		}
		content = b.besides(content)
	}
	rows = append(rows, widgets.Grow(widgets.PadXY(theme.GapEdge, theme.GapInside, content)), widgets.NewActBar(some(left...), some(right...)))
	b.s.Object = widgets.Column(0, rows...)
	if b.s.First == nil && b.s.primary != nil && !b.s.primary.Disabled() {
		b.s.First = b.s.primary
	}
	return b.s
}

// trouble says what went wrong, in a band above everything else.
func (b *builder) trouble() fyne.CanvasObject {
	t := b.Trouble
	if t == nil {
		return nil
	}
	tone := t.Tone
	if tone == theme.Plain {
		tone = theme.Care
	}
	return widgets.NewBanner(widgets.BannerState{Tone: tone, Title: t.Title, Detail: t.Detail})
}

// alert shows the alert that comes first: what nobody has taken, the oldest.
func (b *builder) alert() fyne.CanvasObject {
	for _, a := range b.Alerts {
		if !a.Taken {
			return b.lateAlert(a)
		}
	}
	return nil
}

func (b *builder) lateAlert(a LateAlert) fyne.CanvasObject {
	number := b.number(a)
	have := b.button(widgets.ActState{Kind: widgets.ActOnLoud, Label: b.Say("alert.have"), NoEnter: true}, func() {
		if b.Calls.HaveIt != nil {
			b.Calls.HaveIt(a.Alert.ID)
		}
	})
	if a.Alert.State == kiosk.AlertWithdrawn {
		return widgets.NewBanner(widgets.BannerState{Tone: theme.Good, Loud: true, Title: b.Say("alert.withdrawn", "Number", number),
			Detail: b.Say("alert.withdrawnNote", "Ago", b.ago(a.Alert.Raised)), Act: have})
	}
	note := b.Say("alert.unconfirmed")
	if a.Alert.Confirmed {
		note = b.Say("alert.confirmed")
	}
	return widgets.NewBanner(widgets.BannerState{Tone: theme.Stop, Loud: true, Title: b.Say("alert.title", "Number", number, "What", lower(sentence(b.what(&a.Alert)))),
		Detail: b.Say("alert.late", "Ago", b.ago(a.Alert.Raised)) + " " + note, Act: have})
}

// takenAlert is an alert that somebody here has: it stays on home, with the
// name, until it is done.
func (b *builder) takenAlert(a LateAlert) fyne.CanvasObject {
	done := b.button(widgets.ActState{Label: b.Say("alert.done"), NoEnter: true}, func() {
		if b.Calls.HaveIt != nil {
			b.Calls.HaveIt(a.Alert.ID)
		}
	})
	title := b.Say("alert.withdrawn", "Number", b.number(a))
	if a.Alert.State != kiosk.AlertWithdrawn {
		title = b.Say("alert.title", "Number", b.number(a), "What", lower(sentence(b.what(&a.Alert))))
	}
	return widgets.NewBanner(widgets.BannerState{Tone: theme.Stop, Title: title, Detail: b.Say("alert.takenBy", "Label", a.Alert.SeenBy), Act: done})
}

func (b *builder) number(a LateAlert) string {
	if a.Wristband == "" {
		return "?"
	}
	return widgets.Keep(a.Wristband)
}

// what is what an alert asks to do.
func (b *builder) what(a *kiosk.Alert) string {
	if do := instruction(b.Book, &a.Instruction); do != "" {
		return do
	}
	return b.Say("alert.noText")
}

// instruction returns an instruction's text in the language, or in any.
func instruction(w *words.Book, i *kiosk.Instruction) string {
	if i == nil {
		return ""
	}
	for _, l := range []string{string(w.Language()), "es", "en"} {
		if t := i.Text[l]; t != "" {
			return t
		}
	}
	return ""
}

// barState is what the bar on top says.
func (f *Frame) barState() widgets.BarState {
	s := f.Status
	var dots []widgets.DotState
	dot := func(t theme.Tone, key string) { dots = append(dots, f.dot(t, key)) }
	device := func(d Device, well, gone string) {
		switch d {
		case DeviceReady, DeviceBusy:
			dot(theme.Good, well)
		case DeviceTrouble:
			dot(theme.Care, well)
		case DeviceGone:
			dot(theme.Stop, gone)
		}
	}
	if well := func(d Device) bool { return d == DeviceReady || d == DeviceBusy }; well(s.Camera) && well(s.Face) {
		dot(theme.Good, "bar.cameras") // room is dear while nothing is wrong
	} else {
		device(s.Camera, "bar.camera", "bar.cameraGone")
		device(s.Face, "bar.face", "bar.faceGone")
	}
	device(s.Scanner, "bar.scanner", "bar.scannerGone")
	device(s.Chip, "bar.chip", "bar.chipGone")
	dots = append(dots, f.hubDot(), f.listsDot())
	if s.Clock.Trusted {
		dot(theme.Good, "bar.clock")
	} else {
		dot(theme.Care, "bar.clockUnsure")
	}
	switch p := s.Power; {
	case !p.Known, p.Mains:
		dot(theme.Good, "bar.power")
	default:
		tone := theme.Care
		if p.Percent < 15 {
			tone = theme.Stop
		}
		dots = append(dots, f.dot(tone, "bar.battery", "Percent", p.Percent))
	}
	who := []string{f.Say("bar.nobody"), f.Say("bar.nobody.short")}
	if s.Operator.Label != "" {
		who = []string{f.Say("bar.who", "Label", s.Operator.Label, "Role", coded(f.Book, "role.", string(s.Operator.Role))), s.Operator.Label}
	}
	return widgets.BarState{Where: []string{f.Place, ""}, Dots: dots, Who: who, Language: f.Say("lang.code")}
}

// dot says a state by a key, ever shorter.
func (f *Frame) dot(t theme.Tone, key string, args ...any) widgets.DotState {
	d := widgets.DotState{Tone: t, Words: []string{f.Say(key, args...)}}
	for _, end := range []string{".short", ".least"} {
		if f.Has(key + end) {
			d.Words = append(d.Words, f.Say(key+end, args...))
		}
	}
	return d
}

func (f *Frame) hubDot() widgets.DotState {
	h := f.Status.Hub
	switch {
	case h.None:
		return f.dot(theme.Care, "bar.hubNone")
	case h.Reached:
		return f.dot(theme.Good, "bar.hub", "Ago", f.barSpan(f.Now.Sub(h.At)))
	case h.At.IsZero():
		return f.dot(theme.Stop, "bar.hubNever")
	}
	return f.dot(theme.Stop, "bar.hubSince", "Time", f.until(h.At))
}

func (f *Frame) listsDot() widgets.DotState {
	l := f.Status.Lists
	if f.Status.Operator.Label == "" && l.Signed.IsZero() {
		return f.dot(theme.Care, "bar.listsLocked")
	}
	if l.Signed.IsZero() {
		return f.dot(theme.Care, "bar.noLists")
	}
	age := f.Now.Sub(l.Signed)
	args := []any{"Age", f.barSpan(age), "Max", f.Span(l.MaxAge)}
	if age > l.MaxAge {
		return f.dot(theme.Stop, "bar.listsOld", args...)
	}
	if age > l.MaxAge*3/4 {
		return f.dot(theme.Care, "bar.lists", args...)
	}
	return f.dot(theme.Good, "bar.lists", args...)
}
