package theme

import (
	"fmt"
	"image/color"
	"regexp"
	"strconv"
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

	// Pictograms for the person before the camera.
	SignCloser  Sign = "closer"
	SignFurther Sign = "further"
	SignOpen    Sign = "open"
	SignGlasses Sign = "glasses"
	SignStill   Sign = "still"
	SignPage    Sign = "page"
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
	SignCloser: `<rect x="2.5" y="8" width="5" height="8" rx="1.2" fill="none" stroke="%[1]s" stroke-width="1.4"/><circle cx="5" cy="12" r="1.2" fill="%[1]s"/>` +
		`<circle cx="19" cy="8" r="2.6" fill="%[1]s"/><path d="M15.5 17.5 C15.5 11.5 22.5 11.5 22.5 17.5 Z" fill="%[1]s"/><path d="M15 12 L10 12 M12 9.8 L9.8 12 L12 14.2" fill="none" stroke="%[1]s" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignFurther: `<rect x="2.5" y="8" width="5" height="8" rx="1.2" fill="none" stroke="%[1]s" stroke-width="1.4"/><circle cx="5" cy="12" r="1.2" fill="%[1]s"/>` +
		`<circle cx="19" cy="8" r="2.6" fill="%[1]s"/><path d="M15.5 17.5 C15.5 11.5 22.5 11.5 22.5 17.5 Z" fill="%[1]s"/><path d="M9.5 12 L14.5 12 M12.4 9.8 L14.6 12 L12.4 14.2" fill="none" stroke="%[1]s" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignOpen: `<path d="M2.5 12 C6 7.5 18 7.5 21.5 12 C18 16.5 6 16.5 2.5 12 Z" fill="none" stroke="%[1]s" stroke-width="1.4"/><circle cx="12" cy="12" r="2.6" fill="%[1]s"/>` +
		`<path d="M12 6.6 L12 2.4 M10 4 L12 2 L14 4 M12 17.4 L12 21.6 M10 20 L12 22 L14 20" fill="none" stroke="%[1]s" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>`,
	SignGlasses: `<circle cx="7" cy="13" r="4" fill="none" stroke="%[1]s" stroke-width="1.5"/><circle cx="17" cy="13" r="4" fill="none" stroke="%[1]s" stroke-width="1.5"/><path d="M11 12.4 C11.6 11.8 12.4 11.8 13 12.4 M3 12 L4 8 M21 12 L20 8" fill="none" stroke="%[1]s" stroke-width="1.5" stroke-linecap="round"/><path d="M3 21 L21 4" fill="none" stroke="%[1]s" stroke-width="2" stroke-linecap="round"/>`,
	SignStill:   `<circle cx="12" cy="7.5" r="4" fill="%[1]s"/><path d="M5 21 C5 11.5 19 11.5 19 21 Z" fill="%[1]s"/><path d="M3 4 L3 11 M21 4 L21 11" fill="none" stroke="%[1]s" stroke-width="1.6" stroke-linecap="round"/>`,
	SignPage:    `<rect x="3" y="6" width="18" height="12.5" rx="1.6" fill="none" stroke="%[1]s" stroke-width="1.5"/><rect x="5.5" y="8.5" width="4.5" height="5.5" fill="%[1]s"/><path d="M12.5 9.5 L18 9.5 M12.5 12 L18 12 M5.5 16 L18.5 16" fill="none" stroke="%[1]s" stroke-width="1.2" stroke-linecap="round"/>`,
	SignSpace:   `<path d="M3 11 L3 16 L21 16 L21 11" fill="none" stroke="%[1]s" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,
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
	size float32 // of its lines, 1: as drawn
}

var (
	marksMu sync.Mutex
	marks   = map[markKey]fyne.Resource{}
)

// Mark returns a sign in a colour, nil for SignNone. Safe for concurrent use.
func Mark(s Sign, ink color.NRGBA) fyne.Resource { return mark(s, ink, 1) }

// Pictogram returns a sign to be drawn at a side, in units of the screen. The
// toolkit draws a line as wide as it says whatever the size of the whole, so that a
// large sign wants wider lines.
func Pictogram(s Sign, ink color.NRGBA, side float32) fyne.Resource { return mark(s, ink, side/24) }

var strokes = regexp.MustCompile(`stroke-width="([0-9.]+)"`)

func mark(s Sign, ink color.NRGBA, scale float32) fyne.Resource {
	path, ok := paths[s]
	if !ok {
		return nil
	}
	k := markKey{s, ink, scale}
	marksMu.Lock()
	defer marksMu.Unlock()
	if r, ok := marks[k]; ok {
		return r
	}
	if scale != 1 {
		path = strokes.ReplaceAllStringFunc(path, func(m string) string {
			w, err := strconv.ParseFloat(strokes.FindStringSubmatch(m)[1], 64)
			if err != nil {
				return m
			}
			return fmt.Sprintf(`stroke-width="%.1f"`, w*float64(scale))
		})
	}
	hue := fmt.Sprintf("#%02x%02x%02x", ink.R, ink.G, ink.B)
	r := fyne.NewStaticResource(fmt.Sprintf("mark-%s-%s-%.1f.svg", s, hue[1:], scale), []byte(
		`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">`+fmt.Sprintf(path, hue)+`</svg>`))
	marks[k] = r
	return r
}
