package theme

import (
	"image/color"
	"math"
)

// Tone is what a state means. A tone is never shown by colour alone: it has a
// mark, and a word stands beside it.
type Tone int

// Tones.
const (
	Plain  Tone = iota // says nothing of good or bad
	Good               // as it should be
	Care               // take care, look
	Stop               // stop, act first
	Unsure             // incomplete: an answer that must not be taken for "no"
	Active             // now, chosen
)

// ToneColours are the colours of a tone.
type ToneColours struct {
	Ink     color.NRGBA // text and marks, on Soft, on card and on paper
	Soft    color.NRGBA // ground of pills and banners
	Solid   color.NRGBA // ground of loud banners, filled marks, gauges
	OnSolid color.NRGBA // text on Solid
	OnBar   color.NRGBA // filled mark on the top bar
}

// Palette is a set of colours by use.
type Palette struct {
	Ink, Ink2     color.NRGBA // text; second text
	Paper, Card   color.NRGBA // ground of the screen; of cards and of things one can touch
	Hairline      color.NRGBA // separates, never carries meaning
	Border        color.NRGBA // border of things one can touch
	Quiet         color.NRGBA // ground of what cannot be touched now, of plain pills, of tracks
	Bar           color.NRGBA // the bar on top
	OnBar, OnBar2 color.NRGBA
	OnMark        color.NRGBA // sign inside a filled mark on the bar
	Accent        color.NRGBA // the way on, the chosen
	AccentSoft    color.NRGBA
	OnAccent      color.NRGBA
	OnAccent2     color.NRGBA // second text on the accent
	Screen, Lines color.NRGBA // ground of a picture that is not there; its text
	tones         [Active + 1]ToneColours
}

// Tone returns the colours of a tone.
func (p *Palette) Tone(t Tone) ToneColours {
	if t < 0 || int(t) >= len(p.tones) {
		t = Plain
	}
	return p.tones[t]
}

func hex(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 255}
}

// Day is the palette of the sketch; Night has its contrasts on dark paper.
var (
	Day = Palette{
		Ink: hex(0x14202B), Ink2: hex(0x51606E),
		Paper: hex(0xF4F6F8), Card: hex(0xFFFFFF),
		Hairline: hex(0xD9E0E6), Border: hex(0x7F8D99), Quiet: hex(0xE8EDF1),
		Bar: hex(0x0E1A22), OnBar: hex(0xF2F5F7), OnBar2: hex(0xA9B8C3), OnMark: hex(0xFFFFFF),
		Accent: hex(0x0B5D6B), AccentSoft: hex(0xE3F0F2), OnAccent: hex(0xFFFFFF), OnAccent2: hex(0xDCEBEE),
		Screen: hex(0x2A3239), Lines: hex(0xE8EDF1),
		tones: [...]ToneColours{
			Plain:  {hex(0x51606E), hex(0xE8EDF1), hex(0x51606E), hex(0xFFFFFF), hex(0x6C7A86)},
			Good:   {hex(0x1B7A3D), hex(0xE4F3E9), hex(0x1B7A3D), hex(0xFFFFFF), hex(0x27914B)},
			Care:   {hex(0xA35A00), hex(0xFCEFD9), hex(0xA35A00), hex(0xFFFFFF), hex(0xC06E0B)},
			Stop:   {hex(0xB3261E), hex(0xFBE6E4), hex(0xB3261E), hex(0xFFFFFF), hex(0xD5453C)},
			Unsure: {hex(0x5B3E96), hex(0xEEE8F8), hex(0x5B3E96), hex(0xFFFFFF), hex(0x8A6BC8)},
			Active: {hex(0x0B5D6B), hex(0xE3F0F2), hex(0x0B5D6B), hex(0xFFFFFF), hex(0x2A8797)},
		},
	}
	Night = Palette{
		Ink: hex(0xE8EEF2), Ink2: hex(0xA9B8C3),
		Paper: hex(0x0F171D), Card: hex(0x19242C),
		Hairline: hex(0x2E3B45), Border: hex(0x7C8B97), Quiet: hex(0x25323B),
		Bar: hex(0x060B0F), OnBar: hex(0xF2F5F7), OnBar2: hex(0xA9B8C3), OnMark: hex(0xFFFFFF),
		Accent: hex(0x6EC6D4), AccentSoft: hex(0x143A42), OnAccent: hex(0x06222A), OnAccent2: hex(0x0B2E37),
		Screen: hex(0x05090C), Lines: hex(0xD3DCE3),
		tones: [...]ToneColours{
			Plain:  {hex(0xB4C2CC), hex(0x2A3741), hex(0x8B9AA6), hex(0x0F171D), hex(0x6C7A86)},
			Good:   {hex(0x74D194), hex(0x14331F), hex(0x57B878), hex(0x06210F), hex(0x27914B)},
			Care:   {hex(0xF2B65C), hex(0x3A290D), hex(0xE0A144), hex(0x2A1B02), hex(0xC06E0B)},
			Stop:   {hex(0xFF9A90), hex(0x43191A), hex(0xEE7B71), hex(0x2B0503), hex(0xD5453C)},
			Unsure: {hex(0xC3AEF5), hex(0x2C2247), hex(0xA58BE3), hex(0x170B33), hex(0x8A6BC8)},
			Active: {hex(0x8AD6E2), hex(0x143A42), hex(0x6EC6D4), hex(0x06222A), hex(0x2A8797)},
		},
	}
)

// Contrast is the contrast ratio of two opaque colours, 1 to 21 (WCAG 2.1,
// "contrast ratio" and "relative luminance").
func Contrast(a, b color.Color) float64 {
	la, lb := luminance(a), luminance(b)
	if la < lb {
		la, lb = lb, la
	}
	return (la + 0.05) / (lb + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	lin := func(v uint32) float64 {
		s := float64(v) / 0xFFFF
		if s <= 0.03928 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*lin(r) + 0.7152*lin(g) + 0.0722*lin(b)
}
