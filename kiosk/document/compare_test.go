package document_test

import (
	"image"
	"strings"
	"testing"
	"unicode/utf8"

	"tambo/kiosk"
	"tambo/kiosk/document"
)

// printed lays lines of words out as a page prints them: a caption over its
// value, 300 dpi, one column. A line that begins with "+" stands right under the
// one before, as the second line of a name does.
func printed(lines ...string) (words []kiosk.Word) {
	y := 100
	for n, l := range lines {
		cont := strings.HasPrefix(l, "+")
		y += map[bool]int{true: 46, false: 60}[cont]
		x := 200
		for _, w := range strings.Fields(strings.TrimPrefix(l, "+")) {
			wide := 22 * utf8.RuneCountInString(w)
			words = append(words, kiosk.Word{Text: w, Box: image.Rect(x, y, x+wide, y+36), Confidence: 0.95, Line: n})
			x += wide + 14
		}
	}
	return words
}

func zone(t *testing.T, names, second string) document.MRZ {
	t.Helper()
	fill := func(s string, n int) string { return (s + strings.Repeat("<", n))[:n] }
	m, err := document.Parse([]string{"P<UTO" + fill(names, 39), second}, now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// anna is the specimen of Doc 9303-4, with a day of expiry that is not over.
const anna = "L898902C36UTO7408122F3204154ZE184226B<<<<<16"

func TestCompare(t *testing.T) {
	agrees, differs, unseen := kiosk.PrintAgrees, kiosk.PrintDiffers, kiosk.PrintNotFound
	for _, c := range []struct {
		name, zone, field string
		print             []string
		want              kiosk.PrintStanding
		value             string
	}{
		{"a name", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"ERIKSSON"}, agrees, ""},
		{"with its caption", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"Apellidos / ERIKSSON"}, agrees, ""},
		{"given names", "ERIKSSON<<ANNA<MARIA", "secondaryIdentifier", []string{"ANNA MARIA"}, agrees, ""},
		{"given names on two lines", "ERIKSSON<<ANNA<MARIA", "secondaryIdentifier", []string{"ANNA", "+MARIA"}, agrees, ""},
		{"in small letters", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"Eriksson"}, agrees, ""},
		{"a small letter among capitals", "TUCJA<<ANNA", "primaryIdentifier", []string{"tUCJA"}, unseen, ""},
		{"part of another name", "ANNA<<ANNA<MARIA", "primaryIdentifier", []string{"ANNA MARIA"}, unseen, ""},
		{"one name for two", "ANNA<<ANNA", "primaryIdentifier", []string{"ANNA"}, unseen, ""},
		{"two names alike", "ANNA<<ANNA", "primaryIdentifier", []string{"ANNA", "Given", "ANNA"}, agrees, ""},
		{"a longer name", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"ERIKSSON LUND"}, unseen, ""},
		{"Ñ as N", "NUNEZ<<ANA", "primaryIdentifier", []string{"NÚÑEZ"}, agrees, "NÚÑEZ"},
		{"Ñ as NXX", "NUNXXEZ<<ANA", "primaryIdentifier", []string{"NÚÑEZ"}, agrees, "NÚÑEZ"},
		{"Ü as UE", "MUELLER<<ANA", "primaryIdentifier", []string{"MÜLLER"}, agrees, "MÜLLER"},
		{"Ü as UXX", "MUXXLLER<<ANA", "primaryIdentifier", []string{"MÜLLER"}, agrees, "MÜLLER"},
		{"Ü as U", "MULLER<<ANA", "primaryIdentifier", []string{"MÜLLER"}, agrees, "MÜLLER"},
		{"U is not UE", "MUELLER<<ANA", "primaryIdentifier", []string{"MULLER"}, unseen, ""},
		{"ß Ø Å Þ", "STRASSE<OEAATH<<ANA", "primaryIdentifier", []string{"STRAßE ØÅÞ"}, agrees, "STRAßE ØÅÞ"},
		{"apostrophe", "OCONNOR<<ANA", "primaryIdentifier", []string{"O'CONNOR"}, agrees, ""},
		{"hyphen", "SMITH<JONES<<ANA", "primaryIdentifier", []string{"SMITH-JONES"}, agrees, ""},
		{"split by a reader", "CASTANEDA<CONDORI<<ANA", "primaryIdentifier", []string{"CASTAÑ EDA CONDORI"}, agrees, "CASTAÑEDA CONDORI"},
		{"cut in the zone", "NILAVADHANANANDA<CHAYAPA<DEJTHAMRONG<KR", "primaryIdentifier", []string{"NILAVADHANANANDA CHAYAPA DEJTHAMRONG KRASUANG"}, agrees, "NILAVADHANANANDA CHAYAPA DEJTHAMRONG KRASUANG"},
		{"one letter changed", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"ERIKSHON"}, differs, "ERIKSHON"},
		{"two letters changed", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"ERYKSHON"}, unseen, ""},
		{"a reader's slip", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"ERLKSSON"}, unseen, ""},
		{"another name", "ERIKSSON<<ANNA<MARIA", "primaryIdentifier", []string{"LINDBERG"}, unseen, ""},

		{"the number", "ERIKSSON<<ANNA", "documentNumber", []string{"L898902C3"}, agrees, ""},
		{"in groups", "ERIKSSON<<ANNA", "documentNumber", []string{"L89 8902 C3"}, agrees, ""},
		{"another digit", "ERIKSSON<<ANNA", "documentNumber", []string{"L897902C3"}, differs, "L897902C3"},
		{"neighbours exchanged", "ERIKSSON<<ANNA", "documentNumber", []string{"L898920C3"}, differs, "L898920C3"},
		{"O for 0", "ERIKSSON<<ANNA", "documentNumber", []string{"L8989O2C3"}, unseen, ""},
		{"the right one stands there too", "ERIKSSON<<ANNA", "documentNumber", []string{"L897902C3", "L898902C3"}, agrees, ""},

		{"birth", "ERIKSSON<<ANNA", "birthDate", []string{"Fecha de nacimiento", "1974-08-12"}, agrees, ""},
		{"birth, DD MMM YYYY", "ERIKSSON<<ANNA", "birthDate", []string{"12 AUG 1974"}, agrees, ""},
		{"birth, two languages", "ERIKSSON<<ANNA", "birthDate", []string{"12 AGO/AUG 74"}, agrees, ""},
		{"birth, two languages that disagree", "ERIKSSON<<ANNA", "birthDate", []string{"12 JUL/AUG 74"}, unseen, ""},
		{"birth, French", "ERIKSSON<<ANNA", "birthDate", []string{"12 AOÛT 1974"}, agrees, ""},
		{"birth, Portuguese", "ERIKSSON<<ANNA", "birthDate", []string{"12 agosto 1974"}, agrees, ""},
		{"birth, points", "ERIKSSON<<ANNA", "birthDate", []string{"12.08.1974"}, agrees, ""},
		{"birth, strokes", "ERIKSSON<<ANNA", "birthDate", []string{"12/08/1974"}, agrees, ""},
		{"birth, a letter misread", "ERIKSSON<<ANNA", "birthDate", []string{"1974-O8-I2"}, agrees, ""},
		{"under another's caption", "ERIKSSON<<ANNA", "birthDate", []string{"Fecha de expedición", "1974-08-12"}, unseen, ""},
		{"another day", "ERIKSSON<<ANNA", "birthDate", []string{"Date of birth", "1974-04-12"}, differs, "1974-04-12"},
		{"another day somewhere", "ERIKSSON<<ANNA", "birthDate", []string{"1974-04-12"}, unseen, ""},
		{"a day of issue like the expiry", "ERIKSSON<<ANNA", "expiryDate", []string{"Date of issue", "2022-04-15"}, unseen, ""},
		{"expiry", "ERIKSSON<<ANNA", "expiryDate", []string{"Date of expiry", "15 ABR/APR 2032"}, agrees, ""},

		{"sex", "ERIKSSON<<ANNA", "sex", []string{"Sexo / Sex", "F"}, agrees, ""},
		{"sex in words", "ERIKSSON<<ANNA", "sex", []string{"Sexo", "FEMENINO"}, agrees, ""},
		{"the other sex", "ERIKSSON<<ANNA", "sex", []string{"Sexo / Sex", "M"}, differs, "M"},
		{"a letter somewhere", "ERIKSSON<<ANNA", "sex", []string{"Tipo", "F"}, unseen, ""},

		{"nationality", "ERIKSSON<<ANNA", "nationality", []string{"Nacionalidad / Nationality", "UTO"}, agrees, ""},
		{"the people", "ERIKSSON<<ANNA", "nationality", []string{"Nationality", "UTOPIANA"}, agrees, ""},
		{"another people", "ERIKSSON<<ANNA", "nationality", []string{"Nationality", "PERUANA"}, differs, "PER"},
		{"the issuer's code is not the nationality", "ERIKSSON<<ANNA", "nationality", []string{"Code", "UTO"}, unseen, ""},
		{"issuer", "ERIKSSON<<ANNA", "issuer", []string{"Code", "UTO"}, agrees, ""},
		{"issuer at the head", "ERIKSSON<<ANNA", "issuer", []string{"UTOPIA"}, agrees, ""},
	} {
		got := document.Compare(zone(t, c.zone, anna), printed(c.print...))[c.field]
		if got.Standing != c.want || got.Value != c.value {
			t.Errorf("%s: %s %q, want %s %q", c.name, got.Standing, got.Value, c.want, c.value)
		}
	}
}

// Every doubt of the reader takes "differs" away, and a second reading must say
// the same.
func TestDiffersWantsCertainty(t *testing.T) {
	m := zone(t, "ERIKSSON<<ANNA", anna)
	w := printed("L897902C3")
	first := document.Compare(m, w)["documentNumber"]
	if first.Standing != kiosk.PrintDiffers || !first.Confirmed(printed("L897902C3")) || !first.Confirmed(printed("L897 902C3")) {
		t.Errorf("%+v", first)
	}
	for _, again := range []string{"L898902C3", "L897902C", "", "L897902C3 X"} {
		if first.Confirmed(printed(again)) {
			t.Errorf("%q confirms", again)
		}
	}
	w[0].Confidence = 0.8
	if got := document.Compare(m, w)["documentNumber"]; got.Standing != kiosk.PrintNotFound {
		t.Errorf("read with 0.8: %+v", got)
	}
}

// A value that is not there, or is none, is not compared.
func TestCompareLeavesOut(t *testing.T) {
	m := zone(t, "ERIKSSON", anna) // no given names
	if _, ok := document.Compare(m, nil)["secondaryIdentifier"]; ok {
		t.Error("given names that the document leaves empty were compared")
	}
	if got := len(document.Compare(m, nil)); got != 7 {
		t.Errorf("%d fields", got)
	}
}

// FuzzCompare: any words, anywhere, end in a standing for each field, and a
// value from the page wherever something differs.
func FuzzCompare(f *testing.F) {
	f.Add("ERIKSSON<<ANNA<MARIA", "Apellidos ERIKSSON NÚÑEZ 12 AGO/AUG 74 L897902C3 F UTO", int16(10), int16(40), uint8(95))
	f.Add("O<<", "\xff\x00 ß|5 1974-08-12", int16(-5), int16(0), uint8(200))
	f.Fuzz(func(t *testing.T, names, words string, step, size int16, confidence uint8) {
		z := strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r == '<' {
				return r
			}
			return -1
		}, strings.ToUpper(names))
		m, err := document.Parse([]string{"P<UTO" + (z + strings.Repeat("<", 39))[:39], anna}, now)
		if err != nil {
			return
		}
		var all []kiosk.Word
		for i, w := range strings.Fields(words) {
			x, y := i*int(step)%1400, i/5*int(size)
			all = append(all, kiosk.Word{Text: w, Box: image.Rect(x, y, x+int(size), y+int(size)/2), Confidence: float64(confidence) / 100})
		}
		for name, p := range document.Compare(m, all) {
			switch {
			case p.Standing != kiosk.PrintAgrees && p.Standing != kiosk.PrintDiffers && p.Standing != kiosk.PrintNotFound:
				t.Errorf("%s: %+v", name, p)
			case p.Standing == kiosk.PrintDiffers && (p.Value == "" || p.Box.Empty()):
				t.Errorf("%s differs without a value or a place: %+v", name, p)
			case !utf8.ValidString(p.Value):
				t.Errorf("%s: %q", name, p.Value)
			}
		}
	})
}
