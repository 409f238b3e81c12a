package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
)

// SignIn shows who signs in; with Locked it is the lock screen.
func SignIn(f Frame, s SignInState, c SignInCalls) *Screen {
	b := f.build()
	var number *widgets.Field
	numberText := func() string {
		if number == nil {
			return s.Locked.Operator.Label
		}
		return number.Text()
	}
	go1 := "signin.go"
	if s.Locked != nil {
		go1 = "locked.go"
	}
	var password *widgets.Field
	want := f.Say("missing.password")
	if s.Locked != nil {
		want = f.Say("signin.password")
	}
	missing := func(password string) string {
		switch {
		case s.Busy:
			return f.Say("signin.working")
		case numberText() == "" || password == "":
			return want
		}
		return ""
	}
	way := b.way(f.Say(go1), want, func() { c.SignIn(numberText(), password.Text()) })
	changed := func(string) { setReason(way, missing(password.Text())) }
	password = b.field("password", widgets.FieldState{Label: f.Say("signin.password"), Secret: true, Off: s.Busy}, changed)
	password.OnEnter = way.Act
	keyboard := widgets.NewKeyboard(widgets.KeyboardState{Language: string(f.Language()), Space: f.Say("act.space")})
	fields := []fyne.CanvasObject{}
	if s.Locked == nil {
		number = b.field("number", widgets.FieldState{Label: f.Say("signin.number"), Off: s.Busy}, changed)
		number.SetText(s.Number)
		number.OnEnter = func() { focus(password) }
		fields = append(fields, widgets.Wide(200, number))
		keyboard.Serve(number, password)
		b.s.First = number.Input()
	} else {
		keyboard.Serve(password)
	}
	if numberText() != "" {
		b.s.First = password.Input()
	}
	fields = append(fields, widgets.Grow(password))
	b.s.typed = func() { setReason(way, missing(password.Text())) }
	b.s.typed()

	top := widgets.Row(40, widgets.Grow(widgets.Middle(b.signInHead(s))), widgets.Wide(560, widgets.Middle(widgets.Row(f.gap(), fields...))))
	other := b.act("signin.forgotten", c.Forgotten)
	if s.Locked != nil {
		other = b.act("locked.other", c.Other)
	}
	return b.done(widgets.Column(16, widgets.Grow(top), keyboard), []*widgets.ActButton{b.fault(c.Wrong)}, []*widgets.ActButton{other, way})
}

// signInHead says who is asked for, or who is locked out and what waits; a fault
// takes the place of the note.
func (b *builder) signInHead(s SignInState) fyne.CanvasObject {
	title, note := b.Say("signin.title"), b.Say("signin.note")
	if l := s.Locked; l != nil {
		title = b.Say("locked.title")
		note = "**" + l.Operator.Label + " · " + coded(b.Book, "role.", string(l.Operator.Role)) + "**\n"
		if l.Idle > 0 {
			note += b.Say("locked.noteIdle", "Wait", b.Span(l.Idle))
		} else {
			note += b.Say("locked.notePlain")
		}
		if l.Open {
			note += " " + b.Say("locked.waits")
		}
	}
	head := []fyne.CanvasObject{widgets.NewWords(title, widgets.Hero)}
	if fault := b.signInFault(s); fault != "" {
		head = append(head, widgets.NewBanner(widgets.BannerState{Tone: theme.Stop, Detail: fault}))
	} else {
		head = append(head, widgets.NewWords(note, widgets.Style{Size: 20, Second: true}))
	}
	return widgets.Column(8, head...)
}

func (b *builder) signInFault(s SignInState) string {
	switch s.Fault {
	case FaultWrong:
		return b.Say("signin.wrong")
	case FaultRole:
		return b.Say("signin.noEnrol")
	case FaultSelf:
		return b.Say("held.notYou")
	case FaultWait:
		return b.Say("signin.locked", "Wait", b.Span(s.Until.Sub(b.Now)))
	}
	return ""
}

// fault is the way to the kiosk's health, open to anybody.
func (b *builder) fault(call func()) *widgets.ActButton {
	return b.button(widgets.ActState{Label: b.Say("signin.fault"), Short: b.Say("signin.fault.short"), Sign: theme.SignWarning}, call)
}

func (f *Frame) gap() float32 { return theme.Current().Gap() }

// focus puts the cursor into a field.
func focus(f *widgets.Field) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(f); c != nil {
		c.Focus(f.Input())
	}
}
