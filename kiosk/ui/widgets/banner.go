package widgets

import (
	"fyne.io/fyne/v2"

	"tambo/kiosk/ui/theme"
)

// BannerState is a sentence that says what to do now, largest and first.
type BannerState struct {
	Tone   theme.Tone
	Title  string
	Detail string // why, since when; may be empty
	Loud   bool   // on the tone's solid ground: hits and late alerts
	NoSign bool
	Act    *ActButton // at the right, may be nil; ActOnLoud on a loud banner
}

// Banner says what to do now.
type Banner struct {
	piece
	state BannerState
}

// NewBanner returns a banner.
func NewBanner(s BannerState) *Banner {
	b := &Banner{state: s}
	b.start(b, b.draw)
	return b
}

// Set changes the banner.
func (b *Banner) Set(s BannerState) {
	if s != b.state {
		b.state = s
		b.Refresh()
	}
}

func (b *Banner) draw() fyne.CanvasObject {
	p, s := look(), b.state
	c := p.Tone(s.Tone)
	fill, ink := c.Soft, c.Ink
	if s.Loud {
		fill, ink = c.Solid, c.OnSolid
	}
	in := func(*theme.Palette) nrgba { return ink }
	title := Style{Size: 26, Bold: true, Colour: in}
	if s.Detail == "" {
		title.Size = theme.SizeTitle
	}
	var words []fyne.CanvasObject
	if s.Title != "" { // a sentence of its own in Detail alone is a quiet banner
		words = append(words, NewWords(s.Title, title))
	}
	if s.Detail != "" {
		words = append(words, NewWords(s.Detail, Style{Colour: func(p *theme.Palette) nrgba {
			if s.Loud {
				return ink
			}
			return p.Ink
		}}))
	}
	row := []fyne.CanvasObject{}
	mark := theme.ToneSign(s.Tone)
	if s.Loud {
		mark = theme.SignWarning
	}
	if mark != theme.SignNone && !s.NoSign {
		row = append(row, sign(mark, ink, 34))
	}
	row = append(row, Grow(Middle(Column(0, words...))))
	if s.Act != nil {
		row = append(row, Middle(s.Act))
	}
	return Stack(box(fill, nil, 0, theme.RadiusCard), AtLeast(0, 68, PadXY(22, 12, Row(18, row...))))
}

// TrainingBand says that nothing here is about a real person. It stays on
// every screen of an exercise.
type TrainingBand struct {
	piece
	words string
}

// NewTrainingBand returns the band.
func NewTrainingBand(words string) *TrainingBand {
	b := &TrainingBand{words: words}
	b.start(b, b.draw)
	return b
}

// Set changes its words.
func (b *TrainingBand) Set(words string) { b.words = words; b.Refresh() }

func (b *TrainingBand) draw() fyne.CanvasObject {
	c := look().Tone(theme.Unsure)
	return Stack(box(c.Solid, nil, 0, 0), PadXY(theme.GapEdge, 3,
		NewWords(b.words, Style{Size: theme.SizeCaption, Bold: true, Centre: true, OneLine: true, Colour: func(*theme.Palette) nrgba { return c.OnSolid }})))
}
