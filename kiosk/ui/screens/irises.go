package screens

import (
	"tambo/kiosk/ui/widgets"
	. "tambo/kiosk/ui/widgets"
)

// IrisesScreen is the irises step. Its views are fed by any goroutine; the rest
// changes by Set, many times a second, without being made anew.
type IrisesScreen struct {
	*Screen
	// Views are the right and the left eye's (kiosk.BothEyes). Whoever shows the
	// screen runs them ([widgets.EyeView.Run]) and feeds them.
	Views [2]*widgets.EyeView
}

// Irises shows the irises step.
func Irises(f Frame, s IrisesState, c IrisesCalls) *IrisesScreen {
	return &IrisesScreen{f.minimal(f.Say("irises.title"), f.Say("next.document"), c.Next, nil), [2]*EyeView{NewEyeView(""), NewEyeView("")}}
}

// Set changes what is live: guidance, scores, what is missing. A change of Phase
// or of the encounter wants a new screen.
func (x *IrisesScreen) Set(s IrisesState) {}
