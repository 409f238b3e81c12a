package document

import (
	"math"
	"strings"

	"tambo/kiosk/document/internal/glyph"
)

// Margins between the best score and another, from which a character counts
// as certain (natural logarithms of odds as the network puts them). Measured
// on renderings that the network was not trained on: see the train program's
// report and TestDegradedPages.
const (
	// marginFree: against a character that may stand there and that no check
	// digit would tell from it.
	marginFree = 7.0
	// marginDigit: against one that a check digit would tell.
	marginDigit = 3.0
	// marginGrammar: against one that may not stand there. Grammar asks for
	// less; it never replaces what was seen.
	marginGrammar = 1.5
	// leastCorr is the correlation with the printed shape below which a
	// character is not certain whatever the network says.
	leastCorr = 0.55
	// leadCorr is by how much the shape must agree better than that of the
	// nearest rival that marginFree is asked of: the network's second witness.
	// A lead of clearCorr halves what is asked.
	leadCorr, clearCorr = 0.02, 0.14
)

// kind is the set of characters that a position may hold.
type kind string

const (
	letters      kind = "ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
	digits       kind = "0123456789"
	digitsOpen   kind = "0123456789<"
	sexes        kind = "FM<"
	alphanumeric kind = glyph.Alphabet
)

// position says what may stand in a place of a zone and whether a check digit
// covers it.
type position struct {
	kind    kind
	covered bool
}

// grammar lays the positions of a format out.
func grammar(t Type) [][]position {
	n, width := t.size()
	out := make([][]position, n)
	for i := range out {
		out[i] = make([]position, width)
		for j := range out[i] {
			out[i][j].kind = alphanumeric
		}
	}
	l := layouts[t]
	set := func(s span, k kind, covered bool) {
		for j := s.from; j < s.to; j++ {
			out[s.line][j] = position{k, covered}
		}
	}
	for _, s := range l.composite {
		set(s, alphanumeric, true)
	}
	set(l.number, alphanumeric, true)
	for _, s := range []span{l.code, l.issuer, l.names, l.nationality} {
		set(s, letters, false)
	}
	set(at(0, 0), kind(codeLetters[t]), false)
	set(l.birth, digitsOpen, true)
	set(l.expiry, digitsOpen, true)
	set(l.sex, sexes, false)
	for _, s := range []span{l.birthDigit, l.expiryDigit, l.compositeDigit} {
		set(s, digits, true)
	}
	set(l.numberDigit, digits, true)
	if l.overflow {
		set(l.numberDigit, digitsOpen, true)
	}
	set(l.optionalDigit, digitsOpen, true)
	return out
}

func classOf(c byte) int { return strings.IndexByte(glyph.Alphabet, c) }

// decide turns scores into text and the certainty of each character.
func (g reading) decide(t Type) (lines []string, confidence [][]float64) {
	for i, row := range grammar(t) {
		text, conf := make([]byte, len(row)), make([]float64, len(row))
		for j, p := range row {
			text[j], conf[j] = p.decide(&g.chars[i][j])
		}
		lines, confidence = append(lines, string(text)), append(confidence, conf)
	}
	return lines, confidence
}

// decide picks the likeliest character that may stand here. It is certain
// only if it is also the likeliest of all, by the margin that each rival asks.
func (p position) decide(c *char) (byte, float64) {
	pick := -1
	for k := range glyph.None {
		if strings.IndexByte(string(p.kind), glyph.Alphabet[k]) >= 0 && (pick < 0 || c.scores[k] > c.scores[pick]) {
			pick = k
		}
	}
	lead := c.corr - c.rival
	spare := math.Inf(1) // margin beyond what is asked, over the nearest rival
	for k, s := range c.scores {
		if k == pick {
			continue
		}
		asked := p.asked(pick, k)
		if asked == marginFree && k == c.second {
			asked -= marginFree / 2 * max(0, min(1, lead/clearCorr))
		}
		spare = min(spare, float64(c.scores[pick]-s)-asked)
	}
	conf := 1 / (1 + math.Exp(-spare))
	if pick != c.best || c.stain || c.corr < leastCorr || lead < leadCorr && p.asked(pick, c.second) == marginFree {
		conf = min(conf, 0.3)
	}
	return glyph.Alphabet[pick], conf
}

// asked is the margin that certainty of pick asks over rival.
func (p position) asked(pick, rival int) float64 {
	switch {
	case rival == glyph.None:
		return marginDigit
	case strings.IndexByte(string(p.kind), glyph.Alphabet[rival]) < 0:
		return marginGrammar
	case p.covered:
		a, _ := value(glyph.Alphabet[pick])
		b, _ := value(glyph.Alphabet[rival])
		if a%10 != b%10 {
			return marginDigit
		}
	}
	return marginFree
}
