package document

import (
	"cmp"
	"image"
	"slices"
	"strings"
	"unicode"

	"tambo/kiosk"
)

// Bounds of what is compared: a page prints a hundred words. More are not looked
// at; what is longer than any field is not either.
const (
	mostWords = 1024
	mostRunes = 128
)

// print is what was read on a page, as it stands there.
type print struct {
	words    []kiosk.Word
	segments []segment
}

// segment is words that stand on one line, close together.
type segment struct {
	words  []kiosk.Word
	box    image.Rectangle
	labels []label
}

func newPrint(words []kiosk.Word) *print {
	p := &print{}
	for _, w := range words {
		if len(p.words) == mostWords {
			break
		}
		if t := clean(w.Text); t != "" && !w.Box.Empty() && w.Box.Dx() < 1<<20 && w.Box.Dy() < 1<<20 {
			w.Text = t
			p.words = append(p.words, w)
		}
	}
	p.segment()
	return p
}

// clean leaves of a word what a person would call its text.
func clean(s string) string {
	s = strings.ToValidUTF8(s, "")
	if r := []rune(s); len(r) > mostRunes {
		s = string(r[:mostRunes])
	}
	return strings.TrimFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '<' })
}

// segment puts the words into lines, and the lines into pieces with no wide gap.
// A reader's own lines are not used: it breaks them where the paper's pattern is
// strong.
func (p *print) segment() {
	order := slices.Clone(p.words)
	slices.SortStableFunc(order, func(a, b kiosk.Word) int { return a.Box.Min.X - b.Box.Min.X })
	var open []segment
	for _, w := range order {
		best, at := 1<<30, -1
		for i := range open {
			last := open[i].words[len(open[i].words)-1].Box
			gap := w.Box.Min.X - last.Max.X
			h := max(last.Dy(), w.Box.Dy())
			up := min(last.Max.Y, w.Box.Max.Y) - max(last.Min.Y, w.Box.Min.Y)
			if gap > -h && gap < h*5/4 && up*2 > min(last.Dy(), w.Box.Dy()) && w.Box.Dy() < 3*last.Dy() && last.Dy() < 3*w.Box.Dy() && gap < best {
				best, at = gap, i
			}
		}
		if at < 0 {
			open = append(open, segment{words: []kiosk.Word{w}, box: w.Box})
			continue
		}
		open[at].words, open[at].box = append(open[at].words, w), open[at].box.Union(w.Box)
	}
	for i := range open {
		for _, w := range open[i].words {
			if l := labelOf(w.Text); l != 0 && !slices.Contains(open[i].labels, l) {
				open[i].labels = append(open[i].labels, l)
			}
		}
	}
	slices.SortStableFunc(open, func(a, b segment) int { return cmp.Or(a.box.Min.Y-b.box.Min.Y, a.box.Min.X-b.box.Min.X) })
	p.segments = open
}

// runs calls f for every run of at most n neighbouring words of a segment, until
// it says false.
func (p *print) runs(n int, f func(s *segment, run []kiosk.Word) bool) {
	for i := range p.segments {
		s := &p.segments[i]
		for from := range s.words {
			for to := from + 1; to <= min(from+n, len(s.words)); to++ {
				if !f(s, s.words[from:to]) {
					return
				}
			}
		}
	}
}

// mm is a length on the picture that [Print] makes.
func mm(v float64) int { return int(v * printDPI / 25.4) }

// under calls f for the words that stand where a value of that label does, below
// it or else beside it, until it says false.
func (p *print) under(l label, f func(w kiosk.Word) bool) {
	for i := range p.segments {
		s := &p.segments[i]
		if !slices.Contains(s.labels, l) {
			continue
		}
		below, beside := 0, false
		for _, place := range []func(w kiosk.Word) bool{
			func(w kiosk.Word) bool { return isBelow(s.box, w.Box) },
			func(w kiosk.Word) bool { return isBeside(s.box, w.Box) },
		} {
			if beside && below > 0 {
				break
			}
			for j := range p.segments {
				for _, w := range p.segments[j].words {
					if labelOf(w.Text) != 0 || !place(w) {
						continue
					}
					below++
					if !f(w) {
						return
					}
				}
			}
			beside = true
		}
	}
}

func isBelow(label, w image.Rectangle) bool {
	mid := (w.Min.Y + w.Max.Y) / 2
	return mid > label.Max.Y && mid < label.Max.Y+mm(5.5) && w.Min.X > label.Min.X-mm(3) && w.Min.X < label.Max.X
}

func isBeside(label, w image.Rectangle) bool {
	mid := (w.Min.Y + w.Max.Y) / 2
	return mid > label.Min.Y && mid < label.Max.Y && w.Min.X >= label.Max.X && w.Min.X < label.Max.X+mm(20)
}

// labelled returns the label of the value that stands in a box, 0 where none was
// made out.
func (p *print) labelled(box image.Rectangle) (labels []label) {
	best := 1 << 30
	for i := range p.segments {
		s := &p.segments[i]
		if len(s.labels) == 0 || !isBelow(s.box, box) && !isBeside(s.box, box) {
			continue
		}
		if d := box.Min.Y - s.box.Min.Y; d < best {
			best, labels = d, s.labels
		}
	}
	return labels
}

// label is what a caption says that the value under it is.
type label int

const (
	labelSurname label = iota + 1
	labelGiven
	labelNumber
	labelPersonal
	labelCode
	labelNationality
	labelBirth
	labelIssue
	labelExpiry
	labelSex
	labelOther
)

// captions are the words that tell a label, in Spanish, English, French and
// Portuguese (Doc 9303-4, 4.1: captions are in the state's language and in
// English, French or Spanish).
var captions = map[label][]string{
	labelSurname:     {"APELLIDO", "APELLIDOS", "SURNAME", "NOM", "SOBRENOME", "APELIDO", "APELIDOS"},
	labelGiven:       {"NOMBRES", "NOMBRE", "GIVEN", "PRENOMS", "PRENOM", "NOME"},
	labelNumber:      {"PASAPORTE", "PASSPORT", "PASSEPORT", "PASSAPORTE", "DOCUMENTO"},
	labelPersonal:    {"PERSONAL", "PERSONNEL", "PESSOAL"},
	labelCode:        {"CODIGO", "CODE", "PAIS", "COUNTRY", "STATE", "EMISOR", "EMISSOR"},
	labelNationality: {"NACIONALIDAD", "NATIONALITY", "NATIONALITE", "NACIONALIDADE"},
	labelBirth:       {"NACIMIENTO", "BIRTH", "NAISSANCE", "NASCIMENTO"},
	labelIssue:       {"ISSUE", "EXPEDICION", "EMISION", "DELIVRANCE", "EMISSAO", "EXPEDICAO"},
	labelExpiry:      {"EXPIRY", "EXPIRATION", "CADUCIDAD", "VENCIMIENTO", "VALIDADE", "EXPIRES", "VALIDEZ"},
	labelSex:         {"SEXO", "SEX", "SEXE"},
	labelOther:       {"TIPO", "TYPE", "AUTORIDAD", "AUTHORITY", "AUTORITE", "AUTORIDADE", "FECHA", "DATE", "DATA", "LUGAR", "PLACE", "NAMES"},
}

// labelOf is the label that a word tells, 0 if it is no caption. Long captions
// may be read with one letter wrong: they are small.
func labelOf(word string) label {
	t := fold(word)
	if len(t) < 3 || len(t) > 16 {
		return 0
	}
	for l := labelSurname; l <= labelOther; l++ {
		for _, c := range captions[l] {
			if t == c || len(c) >= 6 && near(t, c) {
				return l
			}
		}
	}
	return 0
}

// near reports whether two words differ in one letter at most.
func near(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return i == len(b) || a[i+1:] == b[i+1:]
	}
	return a[i+1:] == b[i:]
}

// fold is a word in plain capital letters and digits.
func fold(s string) string {
	var b strings.Builder
	for _, r := range s {
		r = unicode.ToUpper(r)
		if p, ok := plainLetter[r]; ok {
			r = p
		}
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// plainKey is a text's letters and digits, in capitals, with what stands above or
// below them.
func plainKey(s string) string {
	var b strings.Builder
	for _, r := range strings.ToUpper(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func joined(run []kiosk.Word) string {
	var b strings.Builder
	for _, w := range run {
		b.WriteString(plainKey(w.Text))
	}
	return b.String()
}

func alnum(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') })
}

func lettersOf(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, s)
}

func around(run []kiosk.Word) (box image.Rectangle) {
	for _, w := range run {
		box = box.Union(w.Box)
	}
	return box
}

func certainWords(run []kiosk.Word) bool {
	return !slices.ContainsFunc(run, func(w kiosk.Word) bool { return !(w.Confidence >= sure) })
}
