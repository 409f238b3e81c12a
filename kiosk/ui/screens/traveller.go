package screens

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// TravellerState is what the person before the kiosk sees on their own screen.
// It holds nothing about them, and nothing of what a search found.
type TravellerState struct {
	Language words.Language // theirs, as far as the window speaks it
	// Ask is the one thing to do now, in the words of [IrisesState]; "wait",
	// "thanks" and "" (nobody is here) besides.
	Ask      string
	Eye      int    // 1: the right eye is meant, 2: the left; 0: both or none
	Notice   string // why and for how long, in their language, while they are told
	Training bool
}

// travellerSigns are the pictograms of what is asked.
var travellerSigns = map[string]theme.Sign{
	"look-here": theme.SignEye, "closer": theme.SignCloser, "further": theme.SignFurther, "open-wider": theme.SignOpen,
	"remove-glasses": theme.SignGlasses, "hold-still": theme.SignStill, "thanks": theme.SignCheck, "wait": theme.SignDots, "document": theme.SignPage,
}

// Traveller is the screen that faces the person: a pictogram and a sentence in
// their language, or the notice. It takes no touch and makes no sound.
func Traveller(s TravellerState) fyne.CanvasObject {
	w := words.New(s.Language)
	var rows []fyne.CanvasObject
	if s.Training {
		rows = append(rows, widgets.NewTrainingBand(w.Say("training.band")))
	}
	centre := widgets.Style{Size: theme.SizeHero, Bold: true, Centre: true}
	var content fyne.CanvasObject
	switch {
	case s.Notice != "":
		content = widgets.Column(24, widgets.NewWords(w.Say("you.notice"), centre), narrow(860, widgets.NewWords(s.Notice, widgets.Style{Size: 32})))
	case travellerSigns[s.Ask] != theme.SignNone:
		text := w.Say("you." + s.Ask)
		if s.Eye > 0 && (s.Ask == "open-wider" || s.Ask == "look-here") {
			text = w.Say([]string{"you.right", "you.left"}[s.Eye-1]) + "\n" + text
		}
		content = widgets.Column(36, widgets.Pictogram(travellerSigns[s.Ask], 260), narrow(860, widgets.NewWords(text, centre)))
	default:
		content = narrow(860, widgets.NewWords(w.Say("you.welcome"), centre))
	}
	rows = append(rows, widgets.Grow(widgets.PadXY(40, 30, widgets.Middle(content))))
	return widgets.Ground(widgets.Column(0, rows...))
}
