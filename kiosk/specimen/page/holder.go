// Package page makes pages of passports that nobody holds: fictional holders
// of the fictional state of Utopia (Doc 9303's specimen code UTO), drawn as a
// data page with its machine-readable zone, and worn and scanned the way real
// pages are. Tests, demonstrations and training use them.
//
// Nothing here comes from a real document or person, and nothing made here can
// pass for one: every page says SPECIMEN. The product never links it.
//
// Geometry and zone follow ICAO Doc 9303 parts 3 and 4 (TD3). The same seed
// gives the same page.
package page

import (
	"math/rand/v2"
	"strings"
	"unicode"

	"tambo/kiosk/document"
)

// Holder is a fictional person as the visual zone shows them; dates are
// YYYY-MM-DD.
type Holder struct {
	Surname, Given string // in the visual zone's spelling, several separated by spaces
	Number         string // up to nine of A-Z and 0-9
	Nationality    string // code of Doc 9303-3 section 5
	Issuer         string // likewise
	Birth          string
	Sex            string // F, M or X
	Expiry         string
	Personal       string // up to fourteen of A-Z and 0-9, may be empty
	Seed           uint64 // drives the drawn portrait and the background
}

var surnames = strings.Fields(`Quispe Mamani Núñez Huamán Ñahui Condori Peña Castañeda Ibáñez Müller Øvergård
Åkesson Strauß Çelik Žižka Wójcik Fernández Guzmán Óscarsson Villavicencio Etxeberría-Goñi O'Brien Bobadilla
Kóvacs Jiménez Xólotl Yupanqui Zúñiga Dąbrowski Łukasiewicz Oosterhuis Brückner Guðmundsdóttir Kekkonen
Bennelong Wooloomooloo Warrandyte Charonguangkiatkul Nilavadhanananda Ekwueme Kukulkán Sacsayhuamán Ollanta`)

var givens = strings.Fields(`Ana María José Íñigo Begoña Zoë Kasimir Ottokar Quintín Wilfrida Xóchitl Yma Súmac
Jürgen Ágnes Ólafur Bjørk Łucja Zdeňka Hüseyin Françoise Ignacio Guadalupe Maximiliano Concepción Esperanza
Kunturi Illari Sami Killa Wayra Nina Inti Rumi Ollin Kekoa Dejthamrong Chayapa Arnpol Bartholomäus Oluwaseun`)

var nationalities = strings.Fields(`UTO UTO UTO UTO UTO UTO UTO PER CHL BLZ COL D GBN XXA XXB KIR KOR FSM JPN QAT ZWE VUT HKG`)

// NewHolder makes up a holder from a seed.
func NewHolder(seed uint64) Holder {
	r := rand.New(rand.NewPCG(seed, 0x9303))
	pick := func(from []string) string { return from[r.IntN(len(from))] }
	some := func(from []string, n int) string {
		var out []string
		for range n {
			out = append(out, pick(from))
		}
		return strings.Join(out, " ")
	}
	h := Holder{
		Surname: some(surnames, 1+r.IntN(10)/4), Given: some(givens, 1+r.IntN(3)),
		Nationality: pick(nationalities), Issuer: "UTO",
		Birth:  dateIn(r, 1936, 2010),
		Sex:    []string{"F", "M", "F", "M", "F", "M", "F", "M", "X"}[r.IntN(9)],
		Expiry: dateIn(r, 2020, 2036), Seed: seed,
	}
	const alnum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	text := func(n int, set string) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = set[r.IntN(len(set))]
		}
		return string(b)
	}
	h.Number = text(9, alnum)
	switch r.IntN(4) {
	case 0:
		h.Number = text(2, alnum[10:]) + text(7, alnum[:10])
	case 1:
		h.Number = text(8, alnum)
	}
	switch r.IntN(5) {
	case 0:
		h.Personal = text(14, alnum)
	case 1:
		h.Personal = text(8+r.IntN(3), alnum[:10])
	case 2:
		h.Personal = text(2, alnum[10:]) + text(6, alnum[:10]) + text(1, alnum[10:])
	}
	return h
}

func dateIn(r *rand.Rand, from, to int) string {
	two := func(v int) string { return string([]byte{byte('0' + v/10), byte('0' + v%10)}) }
	y := from + r.IntN(to-from)
	return two(y/100) + two(y%100) + "-" + two(1+r.IntN(12)) + "-" + two(1+r.IntN(28))
}

// MRZ returns the two lines of 44 characters (Doc 9303-4, 4.2).
func (h Holder) MRZ() [2]string {
	digit := func(s string) string {
		c, err := document.CheckDigit(s)
		if err != nil {
			return "<"
		}
		return string(c)
	}
	yymmdd := func(d string) string { return field(strings.ReplaceAll(d, "-", "")[2:], 6) }
	sex := h.Sex
	if sex != "F" && sex != "M" {
		sex = "<"
	}
	n, o := field(h.Number, 9), field(h.Personal, 14)
	n += digit(n)
	b, e := yymmdd(h.Birth), yymmdd(h.Expiry)
	b, e = b+digit(b), e+digit(e)
	if h.Personal == "" && h.Seed%2 == 0 {
		o += "<"
	} else {
		o += digit(o)
	}
	return [2]string{
		"P<" + field(h.Issuer, 3) + Names(h.Surname, h.Given, 39),
		n + field(h.Nationality, 3) + b + sex + e + o + digit(n+b+e+o),
	}
}

// field writes s in the zone's alphabet, filled or cut to n characters.
func field(s string, n int) string {
	return (Transliterate(s) + strings.Repeat("<", n))[:n]
}

// transliterations of Doc 9303-3 section 6, A, for letters beyond those whose
// diacritic is dropped.
var transliterations = map[rune]string{
	'Ä': "AE", 'Å': "AA", 'Æ': "AE", 'Ö': "OE", 'Ø': "OE", 'Œ': "OE", 'Ü': "UE", 'ß': "SS", 'ẞ': "SS",
	'Þ': "TH", 'Ð': "D", 'Đ': "D", 'Ñ': "N", 'Ł': "L", 'Ĳ': "IJ",
	'\'': "", '’': "", ',': "", '.': "",
}

// folded gives the plain letter of one with a diacritic.
var folded = func() map[rune]rune {
	m := map[rune]rune{}
	for plain, with := range map[rune]string{
		'A': "ÀÁÂÃĀĂĄ", 'C': "ÇĆĈĊČ", 'D': "Ď", 'E': "ÈÉÊËĒĔĖĘĚ", 'G': "ĜĞĠĢ", 'H': "ĤĦ", 'I': "ÌÍÎÏĨĪĬĮİ",
		'J': "Ĵ", 'K': "Ķ", 'L': "ĹĻĽĿ", 'N': "ŃŅŇ", 'O': "ÒÓÔÕŌŎŐ", 'R': "ŔŖŘ", 'S': "ŚŜŞŠ", 'T': "ŢŤŦ",
		'U': "ÙÚÛŨŪŬŮŰŲ", 'W': "Ŵ", 'Y': "ÝŶŸ", 'Z': "ŹŻŽ",
	} {
		for _, w := range with {
			m[w] = plain
		}
	}
	return m
}()

// Transliterate writes s in the alphabet of the zone: upper-case letters,
// digits and '<' (Doc 9303-3, 4.6 and section 6). Hyphens and spaces become
// fillers; apostrophes and commas go; what is unknown becomes a filler.
func Transliterate(s string) string {
	var b strings.Builder
	for _, r := range s {
		if t, ok := transliterations[r]; ok { // ß has no upper case of its own
			b.WriteString(t)
			continue
		}
		r = unicode.ToUpper(r)
		if t, ok := transliterations[r]; ok {
			b.WriteString(t)
			continue
		}
		if p, ok := folded[r]; ok {
			r = p
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('<')
		}
	}
	return b.String()
}

// Names writes the name field of n characters: primary "<<" secondary, filled
// with '<'; a name too long is cut so that its last position holds a letter,
// which is how the zone tells of it (Doc 9303-4, 4.2.3).
func Names(surname, given string, n int) string {
	p, s := words(surname), words(given)
	all := p
	if s != "" {
		all += "<<" + s
	}
	if len(all) <= n {
		return all + strings.Repeat("<", n-len(all))
	}
	// Leave the given names at least their first letters.
	if limit := n - 2 - min(len(s), 6); s != "" && len(p) > limit {
		p = cut(p, limit)
	}
	all = p
	if s != "" {
		all += "<<" + s
	}
	return cut(all, n)
}

// cut shortens s, which is longer than n or just as long, to n characters of
// which the last is a letter: where a filler would be the last, the longest
// part before it gives up a letter.
func cut(s string, n int) string {
	for len(s) > n && s[n-1] == '<' {
		end, size := 0, 0
		for i, run := 0, 0; i < n; i++ {
			if run++; s[i] == '<' {
				run = 0
			}
			if run > size {
				end, size = i+1, run
			}
		}
		s = s[:end-1] + s[end:]
	}
	return s[:n]
}

// words transliterates a name and joins its parts by single fillers.
func words(s string) string {
	return strings.Join(strings.FieldsFunc(Transliterate(s), func(r rune) bool { return r == '<' }), "<")
}
