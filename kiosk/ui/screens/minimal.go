package screens

import . "tambo/kiosk/ui/widgets"

func (f Frame) minimal(title string, way string, call, back func()) *Screen {
	b := f.build()
	b.s.back = back
	return b.done(NewWords(title, Title), some(b.act("act.back", back)), some(b.way(way, "", call)))
}

// SignIn shows who signs in, and the lock screen.
func SignIn(f Frame, s SignInState, c SignInCalls) *Screen {
	return f.minimal(f.Say("signin.title"), f.Say("signin.go"), func() { c.SignIn(s.Number, "") }, nil)
}

// Home shows the first screen.
func Home(f Frame, s HomeState, c HomeCalls) *Screen {
	return f.minimal(f.Say("home.unfinished"), f.Say("home.next"), c.Next, nil)
}

// Arrivals shows a van of N.
func Arrivals(f Frame, s ArrivalsState, c ArrivalsCalls) *Screen {
	return f.minimal(f.Say("arrivals.title"), f.Say("home.next"), c.Next, c.Back)
}

// Arrival shows what stands before any capture.
func Arrival(f Frame, s ArrivalState, c ArrivalCalls) *Screen {
	return f.minimal(f.Say("arrival.title"), f.Say("next.irises"), c.Next, nil)
}

// Below shows why a capture is kept below its floor.
func Below(f Frame, s BelowState, c BelowCalls) *Screen {
	return f.minimal(f.Say("below.title"), f.Say("irises.keepBest"), c.Keep, c.Back)
}

// Exception shows why something cannot be captured.
func Exception(f Frame, s ExceptionState, c ExceptionCalls) *Screen {
	return f.minimal(f.Say("except.title"), f.Say("except.record"), c.Save, c.Back)
}

// Document shows the document step.
func Document(f Frame, s DocumentState, c DocumentCalls) *Screen {
	return f.minimal(f.Say("document.title"), f.Say("next.identity"), c.Next, nil)
}

// Identity shows who the person is.
func Identity(f Frame, s IdentityState, c IdentityCalls) *Screen {
	return f.minimal(f.Say("identity.title"), f.Say("next.decision"), c.Next, nil)
}

// Decision shows what the searches found, and the answers.
func Decision(f Frame, s DecisionState, c DecisionCalls) *Screen {
	return f.minimal(f.Say("decision.title"), f.Say("decision.enrol"), c.Next, nil)
}

// Review shows the whole before it is sealed.
func Review(f Frame, s ReviewState, c ReviewCalls) *Screen {
	return f.minimal(f.Say("review.title"), f.Say("review.seal"), c.Seal, nil)
}

// Slip shows the paper for the person, on the screen.
func Slip(f Frame, s SlipState, c SlipCalls) *Screen {
	return f.minimal(f.Say("step.review"), f.Say("act.done"), c.Done, nil)
}

// Held shows an encounter that waits for a second person.
func Held(f Frame, s HeldState, c HeldCalls) *Screen {
	return f.minimal(f.Say("held.title"), f.Say("held.sign"), c.Sign, c.Back)
}

// QueueHub shows what waits, and how the hub stands.
func QueueHub(f Frame, s QueueState, c QueueCalls) *Screen {
	return f.minimal(f.Say("queue.title"), f.Say("queue.now"), c.Now, c.Back)
}

// Health shows how the kiosk is; nothing of it is about a person.
func Health(f Frame, s HealthState, c HealthCalls) *Screen {
	return f.minimal(f.Say("health.title"), f.Say("health.testAll"), c.Test, c.Back)
}

// Type shows a place to type.
func Type(f Frame, s TypeState, c TypeCalls) *Screen {
	return f.minimal(f.Say("act.type"), f.Say("act.done"), func() { c.Done(nil) }, c.Back)
}

// Choose shows one of several things.
func Choose(f Frame, s ChooseState, c ChooseCalls) *Screen {
	return f.minimal(f.Say("act.more"), f.Say("act.done"), func() { c.Choose("") }, c.Back)
}

// ClockNotCertain says why nobody can be enrolled now.
func ClockNotCertain(f Frame, s ClockState, c ClosedCalls) *Screen {
	return f.minimal(f.Say("clock.title"), f.Say("fault.again"), c.Retry, c.Back)
}

// DiskFull says why nobody can be enrolled now.
func DiskFull(f Frame, s DiskState, c ClosedCalls) *Screen {
	return f.minimal(f.Say("disk.title"), f.Say("fault.again"), c.Retry, c.Back)
}

// AgreementExpired says why nobody can be enrolled now.
func AgreementExpired(f Frame, s ExpiredState, c ClosedCalls) *Screen {
	return f.minimal(f.Say("closed.title"), f.Say("fault.again"), c.Retry, c.Back)
}
