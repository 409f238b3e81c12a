package theme

import (
	"image/color"
	"testing"
)

// pair is two colours that meet on a screen.
type pair struct {
	what string
	a, b color.NRGBA
	min  float64
}

const (
	text  = 4.5 // WCAG 2.1, 1.4.3
	mark3 = 3.0 // WCAG 2.1, 1.4.11: borders and marks; and large text
)

func pairs(p *Palette) []pair {
	l := []pair{
		{"ink on paper", p.Ink, p.Paper, text}, {"ink on card", p.Ink, p.Card, text},
		{"ink on accent soft", p.Ink, p.AccentSoft, text}, {"ink on quiet", p.Ink, p.Quiet, text},
		{"second ink on paper", p.Ink2, p.Paper, text}, {"second ink on card", p.Ink2, p.Card, text},
		{"second ink on quiet", p.Ink2, p.Quiet, text}, {"second ink on accent soft", p.Ink2, p.AccentSoft, text},
		{"border on paper", p.Border, p.Paper, mark3}, {"border on card", p.Border, p.Card, mark3},
		{"accent as text on card", p.Accent, p.Card, text}, {"accent as text on accent soft", p.Accent, p.AccentSoft, text},
		{"accent as border on paper", p.Accent, p.Paper, mark3},
		{"on accent", p.OnAccent, p.Accent, text}, {"second on accent", p.OnAccent2, p.Accent, text},
		{"on bar", p.OnBar, p.Bar, text}, {"second on bar", p.OnBar2, p.Bar, text},
		{"words where a picture is missing", p.Lines, p.Screen, text},
		{"focus ring on paper", p.Ink, p.Paper, mark3}, {"focus ring on bar", p.OnBar, p.Bar, mark3},
	}
	for t := Plain; t <= Active; t++ {
		c := p.Tone(t)
		n := []string{"plain", "good", "care", "stop", "unsure", "active"}[t]
		l = append(l,
			pair{n + " on soft", c.Ink, c.Soft, text}, pair{n + " on card", c.Ink, p.Card, text}, pair{n + " on paper", c.Ink, p.Paper, text},
			pair{"ink on " + n + " soft", p.Ink, c.Soft, text}, pair{"second ink on " + n + " soft", p.Ink2, c.Soft, text},
			pair{"on solid " + n, c.OnSolid, c.Solid, text},
			pair{"solid " + n + " as gauge on its track", c.Solid, p.Quiet, mark3},
			pair{"solid " + n + " as border on card", c.Solid, p.Card, mark3},
			pair{"solid " + n + " as border on paper", c.Solid, p.Paper, mark3},
			pair{n + " mark on bar", c.OnBar, p.Bar, mark3}, pair{"sign in " + n + " mark on bar", p.OnMark, c.OnBar, mark3},
		)
	}
	return l
}

// TestContrast computes every pair that is used, in both palettes.
func TestContrast(t *testing.T) {
	for name, p := range map[string]*Palette{"day": &Day, "night": &Night} {
		least := 21.0
		for _, q := range pairs(p) {
			c := Contrast(q.a, q.b)
			if c < q.min {
				t.Errorf("%s: %s: %.2f:1, wants %.1f:1", name, q.what, c, q.min)
			}
			if q.min == text && c < least {
				least = c
			}
		}
		t.Logf("%s: %d pairs, least text contrast %.2f:1", name, len(pairs(p)), least)
	}
}

// TestContrastIsThatOfWCAG holds the formula to its fixed points.
func TestContrastIsThatOfWCAG(t *testing.T) {
	white, black, grey := hex(0xFFFFFF), hex(0), hex(0x767676)
	if c := Contrast(white, black); c < 20.99 || c > 21.01 {
		t.Errorf("black on white is %.3f, not 21", c)
	}
	if c := Contrast(grey, white); c < 4.53 || c > 4.55 { // the well-known lightest grey that passes AA
		t.Errorf("#767676 on white is %.3f, not 4.54", c)
	}
}

// TestMillimetres: what a hand needs does not shrink with the panel.
func TestMillimetres(t *testing.T) {
	for _, d := range []float32{3.2, 4, 4.03, 5, 5.58, 5.9, 7.4} {
		m := Metrics{PxPerMM: d}
		if m.Target()/d < 12 || m.Key()/d < 9 || m.Gap()/d < 3 {
			t.Errorf("at %.2f px/mm: target %.0f, key %.0f, gap %.0f px", d, m.Target(), m.Key(), m.Gap())
		}
	}
	if got := (Metrics{}).Target(); got != 60 {
		t.Errorf("default target is %v px", got)
	}
}

// TestMarksExist: every sign that is named is drawn.
func TestMarksExist(t *testing.T) {
	for _, s := range []Sign{SignCheck, SignCross, SignBang, SignWarning, SignDash, SignDots, SignQuestion, SignPlus, SignDown, SignNext, SignEye, SignPen, SignBackspace, SignShift, SignInfo, SignSpace} {
		if Mark(s, Day.Ink) == nil {
			t.Errorf("sign %q is not drawn", s)
		}
		if a, b := Mark(s, Day.Ink), Mark(s, Day.Ink); a != b {
			t.Errorf("sign %q is made twice", s)
		}
	}
}
