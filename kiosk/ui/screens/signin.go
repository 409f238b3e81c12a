package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	. "tambo/kiosk/ui/widgets"
)

// SignIn shows who signs in; with Locked it is the lock screen.
func SignIn(f Frame, s SignInState, c SignInCalls) *Screen {
	b := f.build()
	var number *Field
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
	var password *Field
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
	password = b.field("password", FieldState{Label: f.Say("signin.password"), Secret: true, Off: s.Busy}, changed)
	password.OnEnter = way.Act
	keyboard := NewKeyboard(KeyboardState{Language: string(f.Language()), Space: f.Say("act.space")})
	fields := []fyne.CanvasObject{}
	if s.Locked == nil {
		number = b.field("number", FieldState{Label: f.Say("signin.number"), Off: s.Busy}, changed)
		number.SetText(s.Number)
		number.OnEnter = func() { focus(password) }
		fields = append(fields, Wide(200, number))
		keyboard.Serve(number, password)
		b.s.First = number.Input()
	} else {
		keyboard.Serve(password)
	}
	if numberText() != "" {
		b.s.First = password.Input()
	}
	fields = append(fields, Grow(password))
	setReason(way, missing(password.Text()))

	title, note := f.Say("signin.title"), f.Say("signin.note")
	if l := s.Locked; l != nil {
		title = f.Say("locked.title")
		note = "**" + l.Operator.Label + " · " + coded(f.Book, "role.", string(l.Operator.Role)) + "**\n" + f.Say("locked.notePlain")
		if l.Open {
			note += " " + f.Say("locked.waits")
		}
	}
	head := []fyne.CanvasObject{NewWords(title, Hero)}
	if fault := b.signInFault(s); fault != "" {
		head = append(head, NewBanner(BannerState{Tone: theme.Stop, Detail: fault}))
	} else {
		head = append(head, NewWords(note, Style{Size: 20, Second: true}))
	}
	top := Row(40, Grow(Middle(Column(8, head...))), Wide(560, Middle(Row(f.gap(), fields...))))
	if s.Locked != nil {
		return b.done(Column(16, Grow(top), keyboard), []*ActButton{b.fault(c.Wrong)}, []*ActButton{b.act("locked.other", c.Other), way})
	}
	return b.done(Column(16, Grow(top), keyboard), []*ActButton{b.fault(c.Wrong)}, []*ActButton{b.act("signin.forgotten", c.Forgotten), way})
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
func (b *builder) fault(call func()) *ActButton {
	return b.button(ActState{Label: b.Say("signin.fault"), Short: b.Say("signin.fault.short"), Sign: theme.SignWarning}, call)
}

func (f *Frame) gap() float32 { return theme.Current().Gap() }

// focus puts the cursor into a field.
func focus(f *Field) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(f); c != nil {
		c.Focus(f.Input())
	}
}
