package screens_test

import (
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/screens"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/uitest"
	"tambo/kiosk/ui/words"
)

// TestTraveller: the screen that faces the person, in the sizes of every panel,
// by day and by night; pictures of three of them.
func TestTraveller(t *testing.T) {
	notice := agreement().Notice.Text
	asks := map[string]bool{"look-here": true, "closer": false, "further": false, "open-wider": true, "remove-glasses": true, "hold-still": false, "thanks": false, "wait": false, "document": false, "": false}
	for _, l := range words.All {
		states := []screens.TravellerState{{Language: l, Notice: notice[string(l)], Training: true}}
		for ask := range asks {
			states = append(states, screens.TravellerState{Language: l, Ask: ask, Eye: len(ask) % 3})
		}
		for _, s := range states {
			name := "traveller-" + s.Ask
			if s.Notice != "" {
				name = "traveller-notice"
			}
			for _, night := range []bool{false, true} {
				uitest.App(t, night, theme.Metrics{})
				for _, size := range uitest.Sizes {
					c := uitest.Window(t, screens.Traveller(s), size).Canvas()
					for _, f := range uitest.Check(c) {
						t.Errorf("%s %s, %.0f×%.0f, night %t: %s", name, l, size.Width, size.Height, night, f)
					}
					if !night && size == (fyne.Size{Width: 1280, Height: 800}) && (asks[s.Ask] || s.Notice != "") {
						uitest.Same(t, filepath.Join("testdata", name+"-"+string(l)+".png"), c.Capture())
					}
				}
			}
		}
	}
}
