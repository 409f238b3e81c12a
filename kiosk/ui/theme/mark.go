package theme

import (
	"fmt"
	"image/color"
	"sync"

	"fyne.io/fyne/v2"
)

// Sign is a mark that goes with a word. Signs are drawn, not typed, so that
// they look the same whatever fonts a machine has.
type Sign string

// Signs.
const (
	SignNone      Sign = ""
	SignCheck     Sign = "check"
	SignCross     Sign = "cross"
	SignBang      Sign = "bang"
	SignWarning   Sign = "warning" // triangle
	SignDash      Sign = "dash"
	SignDots      Sign = "dots"
	SignQuestion  Sign = "question"
	SignPlus      Sign = "plus"
	SignDown      Sign = "down"
	SignNext      Sign = "next"
	SignEye       Sign = "eye"
	SignPen       Sign = "pen"
	SignBackspace Sign = "backspace"
	SignShift     Sign = "shift"
	SignInfo      Sign = "info"
	SignSpace     Sign = "space"
)

// paths are drawn on a square of 24; %[1]s is the colour.
var paths = map[Sign]string{
	SignCheck:    `<path d="M5 12.8 L10 17.5 L19.2 6.8" fill="none" stroke="%[1]s" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignCross:    `<path d="M6.5 6.5 L17.5 17.5 M17.5 6.5 L6.5 17.5" fill="none" stroke="%[1]s" stroke-width="3" stroke-linecap="round"/>`,
	SignBang:     `<path d="M12 4.5 L12 14" fill="none" stroke="%[1]s" stroke-width="3.2" stroke-linecap="round"/><circle cx="12" cy="19" r="2" fill="%[1]s"/>`,
	SignWarning:  `<path d="M12 3.2 L22 20.6 L2 20.6 Z" fill="none" stroke="%[1]s" stroke-width="2" stroke-linejoin="round"/><path d="M12 9.5 L12 14.2" fill="none" stroke="%[1]s" stroke-width="2.2" stroke-linecap="round"/><circle cx="12" cy="17.6" r="1.3" fill="%[1]s"/>`,
	SignDash:     `<path d="M6 12 L18 12" fill="none" stroke="%[1]s" stroke-width="3" stroke-linecap="round"/>`,
	SignDots:     `<circle cx="5.5" cy="12" r="2" fill="%[1]s"/><circle cx="12" cy="12" r="2" fill="%[1]s"/><circle cx="18.5" cy="12" r="2" fill="%[1]s"/>`,
	SignQuestion: `<path d="M8 8.6 C8 3.6 16 3.6 16 8.6 C16 11.8 12 11.6 12 14.8" fill="none" stroke="%[1]s" stroke-width="2.8" stroke-linecap="round"/><circle cx="12" cy="19.4" r="1.9" fill="%[1]s"/>`,
	SignPlus:     `<path d="M12 5 L12 19 M5 12 L19 12" fill="none" stroke="%[1]s" stroke-width="3" stroke-linecap="round"/>`,
	SignDown:     `<path d="M5.5 9 L12 16 L18.5 9" fill="none" stroke="%[1]s" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignNext:     `<path d="M9 5.5 L16 12 L9 18.5" fill="none" stroke="%[1]s" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignEye:      `<path d="M2 12 C6 5.5 18 5.5 22 12 C18 18.5 6 18.5 2 12 Z" fill="none" stroke="%[1]s" stroke-width="2"/><circle cx="12" cy="12" r="3.2" fill="%[1]s"/>`,
	SignPen:      `<path d="M4 20 L5.2 15.2 L16 4.4 L19.6 8 L8.8 18.8 Z" fill="none" stroke="%[1]s" stroke-width="2" stroke-linejoin="round"/>`,
	SignBackspace: `<path d="M8 5 L22 5 L22 19 L8 19 L2 12 Z" fill="none" stroke="%[1]s" stroke-width="2" stroke-linejoin="round"/>` +
		`<path d="M11.5 9 L17.5 15 M17.5 9 L11.5 15" fill="none" stroke="%[1]s" stroke-width="2" stroke-linecap="round"/>`,
	SignShift: `<path d="M12 3 L21 12.5 L16 12.5 L16 20.5 L8 20.5 L8 12.5 L3 12.5 Z" fill="none" stroke="%[1]s" stroke-width="2" stroke-linejoin="round"/>`,
	SignInfo:  `<circle cx="12" cy="5" r="2" fill="%[1]s"/><path d="M12 10.5 L12 19.5" fill="none" stroke="%[1]s" stroke-width="3.2" stroke-linecap="round"/>`,
	SignSpace: `<path d="M3 11 L3 16 L21 16 L21 11" fill="none" stroke="%[1]s" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,
}

// ToneSign is the sign of a tone.
func ToneSign(t Tone) Sign {
	switch t {
	case Good:
		return SignCheck
	case Care:
		return SignBang
	case Stop:
		return SignCross
	case Unsure:
		return SignQuestion
	}
	return SignNone
}

type markKey struct {
	sign Sign
	ink  color.NRGBA
}

var (
	marksMu sync.Mutex
	marks   = map[markKey]fyne.Resource{}
)

// Mark returns a sign in a colour, nil for SignNone. Safe for concurrent use.
func Mark(s Sign, ink color.NRGBA) fyne.Resource {
	path, ok := paths[s]
	if !ok {
		return nil
	}
	k := markKey{s, ink}
	marksMu.Lock()
	defer marksMu.Unlock()
	if r, ok := marks[k]; ok {
		return r
	}
	hue := fmt.Sprintf("#%02x%02x%02x", ink.R, ink.G, ink.B)
	r := fyne.NewStaticResource(fmt.Sprintf("mark-%s-%s.svg", s, hue[1:]), []byte(
		`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+fmt.Sprintf(path, hue)+`</svg>`))
	marks[k] = r
	return r
}
