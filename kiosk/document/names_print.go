package document

import (
	"image"
	"strings"
	"unicode"

	"tambo/kiosk"
)

// transliterated are the letters that the zone writes otherwise, each with every
// form that Doc 9303-3 section 6.A recommends or lets states use; the plain letter
// of any other with a diacritic is in plainLetter.
var transliterated = map[rune][]string{
	'Ä': {"AE", "A"}, 'Å': {"AA", "A"}, 'Æ': {"AE"}, 'Ö': {"OE", "O"}, 'Ø': {"OE", "O"}, 'Œ': {"OE"},
	'Ü': {"UE", "UXX", "U"}, 'ß': {"SS"}, 'ẞ': {"SS"}, 'Þ': {"TH"}, 'Ð': {"D"}, 'Đ': {"D"}, 'Ñ': {"N", "NXX"},
	'Ĳ': {"IJ"}, 'Ł': {"L"}, 'Ŋ': {"N"}, 'Ŧ': {"T"}, 'Ħ': {"H"}, 'İ': {"I"}, 'ı': {"I"},
	// A reader of print's slips that no name can mean.
	'0': {"O"}, '5': {"S"}, '8': {"B"}, '|': {"I"},
}

// plainLetter gives the letter without what stands above or below it.
var plainLetter = func() map[rune]rune {
	m := map[rune]rune{}
	for plain, with := range map[rune]string{
		'A': "ÀÁÂÃÄÅĀĂĄẠẢẤẦẨẪẬẮẰẲẴẶ", 'C': "ÇĆĈĊČ", 'D': "ĎĐÐ", 'E': "ÈÉÊËĒĔĖĘĚẸẺẼẾỀỂỄỆ", 'G': "ĜĞĠĢ", 'H': "ĤĦ",
		'I': "ÌÍÎÏĨĪĬĮİỊỈ", 'J': "Ĵ", 'K': "Ķ", 'L': "ĹĻĽĿŁ", 'N': "ÑŃŅŇ", 'O': "ÒÓÔÕÖØŌŎŐƠỌỎỐỒỔỖỘỚỜỞỠỢ", 'R': "ŔŖŘ", 'S': "ŚŜŞŠȘ",
		'T': "ŢŤŦȚ", 'U': "ÙÚÛÜŨŪŬŮŰŲƯỤỦỨỪỬỮỰ", 'W': "Ŵ", 'Y': "ÝŶŸỲỴỶỸ", 'Z': "ŹŻŽ",
	} {
		for _, w := range with {
			m[w] = plain
		}
	}
	return m
}()

// forms are what the zone may write for one printed character; none for one that
// it leaves out.
func forms(r rune) []string {
	if f, ok := transliterated[r]; ok { // ß and ı have no upper case of their own
		return f
	}
	r = unicode.ToUpper(r)
	if f, ok := transliterated[r]; ok {
		return f
	}
	if p, ok := plainLetter[r]; ok {
		r = p
	}
	if r >= 'A' && r <= 'Z' {
		return []string{string(r)}
	}
	if unicode.IsLetter(r) || unicode.IsDigit(r) {
		return []string{"?"} // in no zone: matches nothing
	}
	return nil
}

// spells reports whether the zone may write s as want. cut: want may be only the
// beginning.
func spells(s, want string, cut bool) bool {
	if want == "" || len(want) > mostRunes {
		return false
	}
	at := make([]bool, len(want)+1)
	at[0] = true
	for _, r := range s {
		f := forms(r)
		if len(f) == 0 {
			continue
		}
		next := make([]bool, len(want)+1)
		any := false
		for i, ok := range at[:len(want)] {
			if !ok {
				continue
			}
			for _, x := range f {
				switch {
				case strings.HasPrefix(want[i:], x):
					next[i+len(x)], any = true, true
				case cut && strings.HasPrefix(x, want[i:]):
					next[len(want)], any = true, true
				}
			}
		}
		if cut && at[len(want)] {
			next[len(want)], any = true, true
		}
		if !any {
			return false
		}
		at = next
	}
	return at[len(want)]
}

// names compares both names. They are looked for longest first, so that a
// surname that is also part of the given names is not found there.
func (p *print) names(surname, given kiosk.Field) (s, g Printed) {
	cut := surname.Note == NoteMaybeCut || given.Note == NoteMaybeCut
	if surname.Value == given.Value {
		// One printed name cannot vouch for two.
		first := p.name(surname.Value, cut, nil)
		if first.Standing != kiosk.PrintAgrees {
			return s, g
		}
		second := p.name(given.Value, cut, &first.Box)
		if second.Standing != kiosk.PrintAgrees {
			return s, g
		}
		return first, second
	}
	taken := func(r Printed) *image.Rectangle {
		if r.Standing == kiosk.PrintAgrees {
			return &r.Box
		}
		return nil
	}
	if len(surname.Value) >= len(given.Value) {
		s = p.name(surname.Value, cut, nil)
		g = p.name(given.Value, cut, taken(s))
	} else {
		g = p.name(given.Value, cut, nil)
		s = p.name(surname.Value, cut, taken(g))
	}
	return s, g
}

// name looks for a name on one line, or on two of which the second stands right
// under the first. Words that stand in taken are another name's.
func (p *print) name(want string, cut bool, taken *image.Rectangle) (r Printed) {
	if want == "" {
		return r
	}
	whole := strings.ReplaceAll(want, " ", "")
	parts := strings.Fields(want)
	try := func(run, rest []kiosk.Word) bool {
		if taken != nil && around(run).Overlaps(*taken) {
			return false
		}
		if !loose(rest) {
			return false
		}
		if whole := spells(text(run), whole, false) || cut && beginnings(run, parts); whole && !mixed(run) {
			r = Printed{Standing: kiosk.PrintAgrees, Box: around(run)}
			if v := spelling(run, parts); lettersOf(v) != lettersOf(want) {
				r.Value = v
			}
			return true
		}
		if got := lettersOf(joined(run)); r.Standing == "" && !cut && len(whole) >= 5 && certainWords(run) && capitals(run) &&
			got == joined(run) && altered(whole, fold(got)) && len(fold(got)) == len([]rune(got)) {
			r = differs(strings.ToUpper(text(run)), run)
		}
		return false
	}
	done := false
	p.runs(12, func(s *segment, run []kiosk.Word) bool {
		from := 0
		for from < len(s.words) && s.words[from].Box != run[0].Box {
			from++
		}
		rest := append(append([]kiosk.Word{}, s.words[:from]...), s.words[from+len(run):]...)
		done = try(run, rest)
		return !done
	})
	if done || len(parts) == 1 {
		return r
	}
	for i := range p.segments {
		a := &p.segments[i]
		for j := range p.segments {
			b := &p.segments[j]
			gap := b.box.Min.Y - a.box.Max.Y
			if i == j || gap < -mm(1) || gap > mm(3) || b.box.Min.X < a.box.Min.X-mm(2) || b.box.Min.X > a.box.Min.X+mm(2) || len(a.words)+len(b.words) > 16 {
				continue
			}
			if try(append(append([]kiosk.Word{}, a.words...), b.words...), nil) {
				return r
			}
		}
	}
	return r
}

// loose reports whether words beside a name do not belong to it: captions, and
// what is too short or too doubtful to be a name.
func loose(rest []kiosk.Word) bool {
	for _, w := range rest {
		if labelOf(w.Text) == 0 && len(lettersOf(fold(w.Text))) >= 3 && w.Confidence > 0.5 {
			return false
		}
	}
	return true
}

// beginnings reports whether the zone's parts are the beginnings of the printed
// ones, as they are where the zone was too short for the name (Doc 9303-4,
// 4.2.3); printed parts at the end may be missing altogether.
func beginnings(run []kiosk.Word, parts []string) bool {
	var words []string
	for _, w := range run {
		words = append(words, strings.FieldsFunc(w.Text, func(r rune) bool { return r == '-' || r == ' ' })...)
	}
	if len(parts) == 0 || len(words) < len(parts) {
		return false
	}
	for i, part := range parts {
		if !spells(words[i], part, true) {
			return false
		}
	}
	return true
}

// text is a run as printed.
func text(run []kiosk.Word) string {
	l := make([]string, len(run))
	for i, w := range run {
		l[i] = w.Text
	}
	return strings.Join(l, " ")
}

// mixed reports whether a small letter stands among capitals: it was misread, Ł
// as t for instance, and what it was taken for vouches for nothing.
func mixed(run []kiosk.Word) bool {
	for _, w := range run {
		small, large := 0, 0
		for _, r := range w.Text {
			switch {
			case r == 'ß': // has no capital that is in use
			case unicode.IsLower(r):
				small++
			case unicode.IsUpper(r):
				large++
			}
		}
		if small > 0 && large > small {
			return true
		}
	}
	return false
}

// capitals reports whether words are in capitals throughout, as names are
// printed: a small letter among them was misread.
func capitals(run []kiosk.Word) bool {
	for _, w := range run {
		if strings.ContainsFunc(w.Text, unicode.IsLower) {
			return false
		}
	}
	return true
}

// spelling is a name as the page prints it, in capitals. Where a reader broke a
// part in two, the zone's parts say how it goes together.
func spelling(run []kiosk.Word, parts []string) string {
	words := strings.Fields(strings.ToUpper(text(run)))
	var out []string
	i := 0
	for _, part := range parts {
		whole, at := "", i
		for at < len(words) && !spells(whole, part, false) {
			whole += words[at]
			at++
		}
		if !spells(whole, part, false) {
			return strings.Join(words, " ")
		}
		out, i = append(out, whole), at
	}
	return strings.Join(append(out, words[i:]...), " ")
}
