// Package theme is how the kiosk's window looks: its colours by day and by
// night, its type, its measures, its marks. Everything that is drawn takes its
// look from here; nothing is written down twice.
//
// It never draws, never decides, and never reads a setting by itself: the window
// says whether it is night and how dense its panel is. Contrast follows WCAG 2.1
// level AA (1.4.3 text, 1.4.11 what is not text); a test computes it for every pair
// of colours that is used.
package theme

import (
	"image/color"
	"strings"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"tambo/assets"
)

// Type sizes, in pixels at scale 1. Working text is Text or larger; Caption is
// the smallest there is.
const (
	SizeHero    float32 = 42 // one per screen at most
	SizeTitle   float32 = 30
	SizeHeading float32 = 22
	SizeInput   float32 = 20 // what is typed
	SizeText    float32 = 18
	SizeCaption float32 = 16
)

// Corners, gaps and lines, in pixels at scale 1.
const (
	RadiusTouch  float32 = 10 // things one can touch
	RadiusCard   float32 = 14
	GapInside    float32 = 16 // between things of one card, between cards
	GapEdge      float32 = 20 // round the screen, inside a card
	LineHair     float32 = 1
	LineTouch    float32 = 2 // border of things one can touch
	LineChosen   float32 = 3 // border of the chosen thing
	FocusReach   float32 = 5 // how far the focus ring stands off
	TopBarHeight float32 = 60
)

// Millimetres that a hand needs, gloves on.
const (
	TargetMM float32 = 12
	KeyMM    float32 = 9
	GapMM    float32 = 3
)

// DefaultPxPerMM is the density of a 10 to 12 inch panel of 1280 by 800.
const DefaultPxPerMM float32 = 5

// Metrics says how large a millimetre is on the panel, in pixels at scale 1.
// The zero Metrics is DefaultPxPerMM.
type Metrics struct {
	PxPerMM float32
}

// MM returns a length in pixels at scale 1, never rounded down.
func (m Metrics) MM(mm float32) float32 {
	d := m.PxPerMM
	if d <= 0 {
		d = DefaultPxPerMM
	}
	px := mm * d
	if whole := float32(int(px)); whole < px-0.01 {
		return whole + 1
	}
	return float32(int(px + 0.01))
}

// Target is the least side of a thing one can touch: 12 mm.
func (m Metrics) Target() float32 { return m.MM(TargetMM) }

// Key is the least width of a key of the keyboard on the screen: 9 mm.
func (m Metrics) Key() float32 { return m.MM(KeyMM) }

// Gap is the least distance between two things one can touch: 3 mm.
func (m Metrics) Gap() float32 { return m.MM(GapMM) }

// Theme is a look: day or night, on a panel. It is immutable.
type Theme struct {
	Metrics
	night bool
}

// New returns the day or night theme for a panel.
func New(night bool, m Metrics) *Theme { return &Theme{Metrics: m, night: night} }

// Night reports whether this is the night theme.
func (t *Theme) Night() bool { return t.night }

// Palette returns the theme's colours.
func (t *Theme) Palette() *Palette {
	if t.night {
		return &Night
	}
	return &Day
}

var fallback = New(false, Metrics{})

// Current returns the theme that the application wears, by day on a common
// panel when it wears none of ours.
func Current() *Theme {
	if a := fyne.CurrentApp(); a != nil {
		if t, ok := a.Settings().Theme().(*Theme); ok {
			return t
		}
	}
	return fallback
}

var (
	regular = fyne.NewStaticResource("NotoSans-Regular.ttf", assets.NotoRegular)
	bold    = fyne.NewStaticResource("NotoSans-Bold.ttf", assets.NotoBold)
	ocrb    = fyne.NewStaticResource("OCRB.otf", assets.OCRB)

	_ fyne.Theme = (*Theme)(nil)
)

// Font gives Noto Sans, and OCR-B for what is monospaced: machine-readable
// zones and codes that are read out.
func (t *Theme) Font(s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Symbol:
		return fynetheme.DefaultSymbolFont()
	case s.Monospace:
		return ocrb
	case s.Bold:
		return bold
	}
	return regular
}

// FontFor is the font of words in a style. Naming it keeps the toolkit from
// loading, for every style, its own fonts and its emoji beside ours: 90 MB and a
// third of a second. What OCR-B has no letter for is in Noto Sans. A letter that
// neither has comes from the system's fonts, if one has it.
func FontFor(words string, s fyne.TextStyle) fyne.Resource {
	switch {
	case s.Monospace && !strings.ContainsFunc(words, func(r rune) bool { return r < ' ' || r > '~' }):
		return ocrb
	case s.Bold:
		return bold
	}
	return regular
}

// Measure is how large words are in a style, in pixels at scale 1.
func Measure(words string, size float32, s fyne.TextStyle) fyne.Size {
	m, _ := fyne.CurrentApp().Driver().RenderedTextSize(words, size, s, FontFor(words, s))
	return m
}

// Icon gives fyne's own icons; our marks are Mark.
func (t *Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return fynetheme.DefaultTheme().Icon(n) }

// Color maps fyne's names to ours, for the few widgets of fyne that are used.
func (t *Theme) Color(n fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	p := t.Palette()
	switch n {
	case fynetheme.ColorNameBackground:
		return p.Paper
	case fynetheme.ColorNameForeground, fynetheme.ColorNameForegroundOnWarning:
		return p.Ink
	case fynetheme.ColorNameInputBackground, fynetheme.ColorNameInputBorder:
		return color.NRGBA{} // the field's own
	case fynetheme.ColorNameMenuBackground, fynetheme.ColorNameOverlayBackground, fynetheme.ColorNameButton:
		return p.Card
	case fynetheme.ColorNameScrollBar:
		return p.Border
	case fynetheme.ColorNamePlaceHolder, fynetheme.ColorNameDisabled:
		return p.Ink2
	case fynetheme.ColorNamePrimary, fynetheme.ColorNameHyperlink, fynetheme.ColorNameFocus:
		return p.Accent
	case fynetheme.ColorNameForegroundOnPrimary:
		return p.OnAccent
	case fynetheme.ColorNameSelection, fynetheme.ColorNameHover, fynetheme.ColorNamePressed:
		return p.AccentSoft
	case fynetheme.ColorNameSeparator:
		return p.Hairline
	case fynetheme.ColorNameDisabledButton, fynetheme.ColorNameHeaderBackground, fynetheme.ColorNameScrollBarBackground:
		return p.Quiet
	case fynetheme.ColorNameError:
		return p.Tone(Stop).Ink
	case fynetheme.ColorNameSuccess:
		return p.Tone(Good).Ink
	case fynetheme.ColorNameWarning:
		return p.Tone(Care).Ink
	case fynetheme.ColorNameForegroundOnError, fynetheme.ColorNameForegroundOnSuccess:
		return p.Card
	case fynetheme.ColorNameShadow:
		return color.Transparent
	}
	v := fynetheme.VariantLight
	if t.night {
		v = fynetheme.VariantDark
	}
	return fynetheme.DefaultTheme().Color(n, v)
}

// Size maps fyne's names to ours. The one widget of fyne's that has words is
// its entry: it is as high as a target, without a border of its own. (A theme of
// the entry's own, in a container.ThemeOverride, would cost the toolkit a set of
// fonts for every field, which it never gives back.)
func (t *Theme) Size(n fyne.ThemeSizeName) float32 {
	switch n {
	case fynetheme.SizeNameText:
		return SizeInput
	case fynetheme.SizeNameCaptionText:
		return SizeCaption
	case fynetheme.SizeNameHeadingText:
		return SizeTitle
	case fynetheme.SizeNameSubHeadingText:
		return SizeHeading
	case fynetheme.SizeNameInputBorder:
		return 0
	case fynetheme.SizeNameInnerPadding:
		return (t.Target() - Measure("Mg", SizeInput, fyne.TextStyle{}).Height) / 2
	case fynetheme.SizeNameInputRadius, fynetheme.SizeNameSelectionRadius:
		return RadiusTouch
	case fynetheme.SizeNameScrollBar:
		return 14
	case fynetheme.SizeNameScrollBarSmall:
		return 8
	case fynetheme.SizeNameSeparatorThickness:
		return LineHair
	}
	return fynetheme.DefaultTheme().Size(n)
}
