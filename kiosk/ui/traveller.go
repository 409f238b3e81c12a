package ui

import (
	"strings"

	"fyne.io/fyne/v2/container"

	"tambo/kiosk"
	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/words"
)

// traveller shows the person before the kiosk what is wanted of them, on the
// window that faces them, where one is fitted. It is drawn when it changes, from
// what the officer's page is; what a search found never reaches it.
func (c *Controller) traveller() {
	if c.o.Traveller == nil {
		return
	}
	s := c.travellerState()
	if s == c.shownThem {
		return
	}
	c.shownThem = s
	c.o.Traveller.SetContent(container.New(window{}, screens.Traveller(s)))
}

func (c *Controller) travellerState() screens.TravellerState {
	s := screens.TravellerState{Language: c.o.Book.Language()}
	a := c.o.Station.Agreement()
	s.Training = a != nil && a.Training
	e, open := c.encounter()
	step, _, covered := strings.Cut(c.page.name, "/")
	if lang := c.theirLanguage(&e); open && lang != "" {
		s.Language = words.Language(lang)
	}
	switch {
	case step == "irises":
		s.Ask, s.Eye = askOf(c.irises.state.Phase, c.irises.state.Ask, c.irises.state.AskEye)
	case step == "resume":
		s.Ask = "wait"
		if c.resume.state.Phase == screens.ResumeLooking {
			s.Ask, s.Eye = askOf(screens.PhaseLooking, c.resume.state.Ask, c.resume.state.AskEye)
		}
	case !open:
		if c.review.done != nil {
			s.Ask = "thanks"
		}
	case step == "arrival" && a != nil:
		s.Notice = a.Notice.Text[c.arrival.chosen.Language]
	case step == "face" && !covered:
		s.Ask = "look-here"
	case step == "document" && c.document.page == nil:
		s.Ask = "document"
	default:
		s.Ask = "wait"
	}
	return s
}

// theirLanguage is the person's, as far as it is known.
func (c *Controller) theirLanguage(e *kiosk.Encounter) string {
	if c.page.name == "arrival" && c.arrival.of == e.ID {
		return c.arrival.chosen.Language
	}
	return e.Arrival.Language
}

// askOf is what the irises ask of the person. Whether somebody was found makes
// no difference to it.
func askOf(p screens.Phase, ask string, eye kiosk.Eye) (string, int) {
	which := map[kiosk.Eye]int{kiosk.EyeRight: 1, kiosk.EyeLeft: 2}[eye]
	switch {
	case p == screens.PhaseSearched:
		return "thanks", 0
	case p == screens.PhaseLooking && ask != "":
		return ask, which
	case p == screens.PhaseLooking, p == screens.PhaseStarting:
		return "look-here", 0
	}
	return "wait", 0
}
