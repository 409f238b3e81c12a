package document

import (
	"image"
	"slices"
	"strings"

	"tambo/kiosk"
)

// Names of the fields that print is compared with, as in [MRZ.List].
const (
	fieldSurname     = "primaryIdentifier"
	fieldGiven       = "secondaryIdentifier"
	fieldNumber      = "documentNumber"
	fieldIssuer      = "issuer"
	fieldNationality = "nationality"
	fieldBirth       = "birthDate"
	fieldSex         = "sex"
	fieldExpiry      = "expiryDate"
)

// Printed is how the print stands to one field of the zone.
type Printed struct {
	Standing kiosk.PrintStanding
	// Value is what the page prints, in the record's own form, where that is
	// not what the zone says: another value, or a name in its own spelling and
	// its full length. Empty otherwise.
	Value string
	// Box is where it stands on the picture that was read.
	Box image.Rectangle
	key string // what a second reading must say too
}

// sure is how certain a reader must be of every word before it may be said that
// the page differs from the zone. Agreement needs no such floor: few read a whole
// value right by mistake.
const sure = 0.85

// Compare compares a zone with words that were read on [Print] of its page: for
// each field that has a value, by its name as in [MRZ.List], how the print stands
// to it.
//
// PrintAgrees means that every character is the same, after the transliteration
// of Doc 9303-3 section 6; nothing that a reader of print often takes for
// something else is overlooked for that. PrintDiffers is said only of what is
// nearly the same, or stands in the field's own place, was read with certainty,
// cannot be a reader's usual mistake and is not another field's value; whoever
// shows it to a person reads that place again first, see [Printed.Confirmed].
// Everything else is PrintNotFound, which says nothing against the document.
func Compare(m MRZ, words []kiosk.Word) map[string]Printed {
	p := newPrint(words)
	f := m.Fields
	out := map[string]Printed{}
	put := func(name string, field kiosk.Field, r Printed) {
		if field.Value != "" && field.Status != kiosk.FieldMalformed && field.Status != kiosk.FieldAbsent {
			if r.Standing == "" {
				r = Printed{Standing: kiosk.PrintNotFound}
			}
			out[name] = r
		}
	}
	surname, given := p.names(f.PrimaryIdentifier, f.SecondaryIdentifier)
	put(fieldSurname, f.PrimaryIdentifier, surname)
	put(fieldGiven, f.SecondaryIdentifier, given)
	put(fieldNumber, f.DocumentNumber, p.number(f))
	put(fieldIssuer, f.Issuer, p.state(f.Issuer.Value, labelCode))
	put(fieldNationality, f.Nationality, p.state(f.Nationality.Value, labelNationality))
	put(fieldBirth, f.BirthDate, p.date(f.BirthDate.Value, labelBirth, f.ExpiryDate.Value))
	put(fieldSex, f.Sex, p.sex(f.Sex.Value))
	put(fieldExpiry, f.ExpiryDate, p.date(f.ExpiryDate.Value, labelExpiry, f.BirthDate.Value))
	return out
}

// Confirmed reports whether a second reading, of the place alone, says what the
// first said. It is true of what does not differ.
func (p Printed) Confirmed(again []kiosk.Word) bool {
	if p.Standing != kiosk.PrintDiffers {
		return true
	}
	var all strings.Builder
	for _, w := range again {
		all.WriteString(plainKey(w.Text))
	}
	return p.key != "" && all.String() == p.key
}

// number compares the document number. It may be printed in groups.
func (p *print) number(f Fields) (r Printed) {
	want := f.DocumentNumber.Value
	others := []string{want, f.OptionalData.Value, f.OptionalData2.Value, plainKey(f.BirthDate.Value), plainKey(f.ExpiryDate.Value)}
	p.runs(4, func(_ *segment, run []kiosk.Word) bool {
		got := joined(run)
		if got == want {
			r = Printed{Standing: kiosk.PrintAgrees, Box: around(run)}
			return false
		}
		if r.Standing == "" && len(want) >= 6 && certainWords(run) && !slices.Contains(others, got) && alnum(got) && altered(want, got) {
			r = differs(got, run)
		}
		return true
	})
	return r
}

// sex is one letter or a word: it counts only in its own place.
func (p *print) sex(want string) (r Printed) {
	p.under(labelSex, func(w kiosk.Word) bool {
		for _, part := range strings.FieldsFunc(strings.ToUpper(w.Text), func(r rune) bool { return r == '/' || r == '.' || r == '-' }) {
			got, ok := sexWords[fold(part)]
			switch {
			case !ok:
				continue
			case got == want:
				r = Printed{Standing: kiosk.PrintAgrees, Box: w.Box}
			case w.Confidence >= sure && got != "X" && want != "X":
				r = differs(got, []kiosk.Word{w})
			}
			return false
		}
		return true
	})
	return r
}

var sexWords = map[string]string{
	"F": "F", "FEMALE": "F", "FEMENINO": "F", "FEMENINA": "F", "MUJER": "F", "FEMININO": "F", "FEMININ": "F",
	"M": "M", "MALE": "M", "MASCULINO": "M", "HOMBRE": "M", "MASCULIN": "M",
	"X": "X",
}

// state compares a code with what stands in its own place: the code, the state's
// name, or what its people are called. The issuer's name may stand at the head of
// the page where no code is printed.
func (p *print) state(want string, l label) (r Printed) {
	found := false
	p.under(l, func(w kiosk.Word) bool {
		t := fold(strings.Trim(w.Text, "/.,;:-|'"))
		switch {
		case len(t) < 1 || lettersOf(t) == "":
			return true
		case t == want || slices.Contains(peoples[want], t):
			r, found = Printed{Standing: kiosk.PrintAgrees, Box: w.Box}, true
			return false
		case stateOf(t) != "" && len(t) >= 3 && w.Confidence >= sure && !(len(t) == len(want) && confusable(want, t)):
			r, found = differs(stateOf(t), []kiosk.Word{w}), true
			r.key = t
			return false
		case len(t) >= 3:
			found = true
		}
		return true
	})
	if l == labelCode && !found {
		for _, w := range p.words {
			if t := fold(w.Text); len(t) >= 4 && slices.Contains(peoples[want], t) && w.Confidence >= sure {
				return Printed{Standing: kiosk.PrintAgrees, Box: w.Box}
			}
		}
	}
	return r
}

// stateOf is the code of a state by its code or its people; "" if it is neither.
func stateOf(t string) string {
	if _, ok := codeNotes[t]; ok {
		return t
	}
	for code, names := range peoples {
		if slices.Contains(names, t) {
			return code
		}
	}
	return ""
}

func differs(value string, run []kiosk.Word) Printed {
	return Printed{Standing: kiosk.PrintDiffers, Value: value, Box: around(run), key: joined(run)}
}

// altered reports whether got is want with one character changed, or two
// neighbours exchanged, in a way that is not a reader's mistake.
func altered(want, got string) bool {
	a, b := []rune(want), []rune(got)
	if len(a) != len(b) {
		return false
	}
	var at []int
	for i := range a {
		if a[i] != b[i] {
			at = append(at, i)
		}
	}
	switch {
	case len(at) == 1:
		return !alike(a[at[0]], b[at[0]])
	case len(at) == 2 && at[1] == at[0]+1:
		return a[at[0]] == b[at[1]] && a[at[1]] == b[at[0]]
	}
	return false
}

// lookalikes are groups of characters that readers of print take for one another
// on worn pages. Source: the confusions of tesseract's spa and eng on generated
// pages, and those that every such list has (O0, I1, S5, B8, Z2, G6).
var lookalikes = strings.Fields("O0DQCGU I1LTJ7 S5Z2 S58 S569 B83R BDÐ 08698 G6C 17 A4 VUY VWM MNH EFB PRF KXH ÑN 3895 27Z CEG")

// alike reports whether two characters are taken for one another.
func alike(a, b rune) bool {
	return a == b || slices.ContainsFunc(lookalikes, func(g string) bool { return strings.ContainsRune(g, a) && strings.ContainsRune(g, b) })
}

// confusable reports whether two words of the same length are taken for one
// another.
func confusable(a, b string) bool {
	x, y := []rune(a), []rune(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !alike(x[i], y[i]) {
			return false
		}
	}
	return true
}
