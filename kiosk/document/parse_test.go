package document_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/document"
)

var now = time.Date(2026, 11, 22, 23, 0, 0, 0, time.UTC)

// ICAO Doc 9303-3, 4.9 and appendix A; 9303-11 appendix D.
func TestCheckDigitVectors(t *testing.T) {
	for _, v := range []struct {
		in   string
		want byte
	}{
		{"520727", '3'},
		{"AB2134<<<", '5'},
		{"HA672242<658022549601086<<<<<<<<<<<<<<0", '8'},
		{"HA672242<658022549601086<<<<<<<", '8'},
		{"D23145890<7349<<<<<<<<<<<34071279507122<<<<<<<<<<<", '2'},
		{"L898902C<", '3'},
		{"690806", '1'},
		{"940623", '6'},
		{"D23145890734", '9'},
		{"L898902C3", '6'},
		{"ZE184226B<<<<<", '1'},
		{"", '0'},
	} {
		got, err := document.CheckDigit(v.in)
		if err != nil || got != v.want {
			t.Errorf("CheckDigit(%q) = %c, %v; want %c", v.in, got, err, v.want)
		}
	}
	for _, bad := range []string{"a", "A B", "É", "1-2"} {
		if _, err := document.CheckDigit(bad); !errors.Is(err, document.ErrCharacter) {
			t.Errorf("CheckDigit(%q): %v", bad, err)
		}
	}
}

type want struct {
	typ                                    document.Type
	code, issuer, primary, secondary       string
	number, nationality, birth, sex, until string
	optional                               string
	digits                                 string // names of digits, in order
}

// The specimens of ICAO Doc 9303 parts 4, 5, 6, 7 and 11.
func TestSpecimensOfDoc9303(t *testing.T) {
	for _, v := range []struct {
		name  string
		lines []string
		want  want
	}{
		{"part 4 TD3", []string{
			"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
			"L898902C36UTO7408122F1204159ZE184226B<<<<<10",
		}, want{
			document.TD3, "P", "UTO", "ERIKSSON", "ANNA MARIA", "L898902C3", "UTO", "1974-08-12", "F", "2012-04-15",
			"ZE184226B", "documentNumber birthDate expiryDate optionalData composite",
		}},
		{"part 4 TD3, earlier edition", []string{
			"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
			"L898902C<3UTO6908061F9406236ZE184226B<<<<<14",
		}, want{
			document.TD3, "P", "UTO", "ERIKSSON", "ANNA MARIA", "L898902C", "UTO", "1969-08-06", "F", "1994-06-23",
			"ZE184226B", "documentNumber birthDate expiryDate optionalData composite",
		}},
		{"part 5 TD1", []string{
			"I<UTOD231458907<<<<<<<<<<<<<<<",
			"7408122F1204159UTO<<<<<<<<<<<6",
			"ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
		}, want{
			document.TD1, "I", "UTO", "ERIKSSON", "ANNA MARIA", "D23145890", "UTO", "1974-08-12", "F", "2012-04-15",
			"", "documentNumber birthDate expiryDate composite",
		}},
		{"part 11 TD1, long number", []string{
			"I<UTOD23145890<7349<<<<<<<<<<<",
			"3407127M9507122UTO<<<<<<<<<<<2",
			"STEVENSON<<PETER<JOHN<<<<<<<<<",
		}, want{
			document.TD1, "I", "UTO", "STEVENSON", "PETER JOHN", "D23145890734", "UTO", "1934-07-12", "M", "1995-07-12",
			"", "documentNumber birthDate expiryDate composite",
		}},
		{"part 6 TD2", []string{
			"I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
			"D231458907UTO7408122F1204159<<<<<<<6",
		}, want{
			document.TD2, "I", "UTO", "ERIKSSON", "ANNA MARIA", "D23145890", "UTO", "1974-08-12", "F", "2012-04-15",
			"", "documentNumber birthDate expiryDate composite",
		}},
		{"part 11 TD2, long number", []string{
			"I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<",
			"D23145890<UTO3407127M95071227349<<<8",
		}, want{
			document.TD2, "I", "UTO", "STEVENSON", "PETER JOHN", "D23145890734", "UTO", "1934-07-12", "M", "1995-07-12",
			"", "documentNumber birthDate expiryDate composite",
		}},
		{"part 7 MRV-A", []string{
			"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
			"L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
		}, want{
			document.MRVA, "V", "UTO", "ERIKSSON", "ANNA MARIA", "L8988901C", "XXX", "1940-09-07", "F", "1996-12-10",
			"6ZE184226B", "documentNumber birthDate expiryDate",
		}},
		{"part 7 MRV-B", []string{
			"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<",
			"L8988901C4XXX4009078F9612109<<<<<<<<",
		}, want{
			document.MRVB, "V", "UTO", "ERIKSSON", "ANNA MARIA", "L8988901C", "XXX", "1940-09-07", "F", "1996-12-10",
			"", "documentNumber birthDate expiryDate",
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			m, err := document.Parse(v.lines, now)
			if err != nil {
				t.Fatal(err)
			}
			f := m.Fields
			var digits []string
			for _, c := range m.Checks {
				digits = append(digits, c.Name)
				if !c.OK {
					t.Errorf("%s: printed %c, computed %c", c.Name, c.Digit, c.Computed)
				}
			}
			got := want{
				m.Type, f.DocumentCode.Value, f.Issuer.Value, f.PrimaryIdentifier.Value, f.SecondaryIdentifier.Value,
				f.DocumentNumber.Value, f.Nationality.Value, f.BirthDate.Value, f.Sex.Value, f.ExpiryDate.Value,
				f.OptionalData.Value, strings.Join(digits, " "),
			}
			if got != v.want {
				t.Errorf("got  %+v\nwant %+v", got, v.want)
			}
			if !m.Accepted {
				t.Errorf("not accepted: %+v", m)
			}
			if f.ExpiryDate.Note != document.NoteExpired || f.Issuer.Note != document.NoteSpecimen {
				t.Errorf("notes: expiry %q, issuer %q", f.ExpiryDate.Note, f.Issuer.Note)
			}
		})
	}
}

// line2 makes the second line of a TD3 zone with right digits.
func line2(number, nationality, birth, sex, expiry, optional string) string {
	cd := func(s string) string { c, _ := document.CheckDigit(s); return string(c) }
	pad := func(s string, n int) string { return (s + strings.Repeat("<", n))[:n] }
	number, optional = pad(number, 9), pad(optional, 14)
	n, b, e, o := number+cd(number), birth+cd(birth), expiry+cd(expiry), optional+cd(optional)
	return n + pad(nationality, 3) + b + sex + e + o + cd(n+b+e+o)
}

func line1(names string) string { return ("P<UTO" + names + strings.Repeat("<", 39))[:44] }

func TestDates(t *testing.T) {
	for _, v := range []struct {
		birth, expiry    string
		wantB, wantE     string
		statusB, statusE kiosk.FieldStatus
		noteB            string
	}{
		{"261122", "300101", "2026-11-22", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, ""},
		{"261123", "300101", "1926-11-23", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, ""}, // tomorrow was not
		{"000229", "300101", "2000-02-29", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, ""},
		{"010229", "300101", "", "2030-01-01", kiosk.FieldMalformed, kiosk.FieldChecked, document.NoteBadDate},
		{"740431", "300101", "", "2030-01-01", kiosk.FieldMalformed, kiosk.FieldChecked, document.NoteBadDate},
		{"741301", "300101", "", "2030-01-01", kiosk.FieldMalformed, kiosk.FieldChecked, document.NoteBadDate},
		{"74<<<<", "300101", "1974-XX-XX", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, document.NotePartialDate},
		{"7408<<", "300101", "1974-08-XX", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, document.NotePartialDate},
		{"740800", "300101", "1974-08-XX", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, document.NotePartialDate},
		{"<<<<<<", "300101", "XXXX-XX-XX", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, document.NotePartialDate},
		{"<<0812", "300101", "XXXX-08-12", "2030-01-01", kiosk.FieldChecked, kiosk.FieldChecked, document.NotePartialDate},
		{"7<0812", "300101", "", "2030-01-01", kiosk.FieldMalformed, kiosk.FieldChecked, document.NoteBadDate},
		{"7A0812", "300101", "", "2030-01-01", kiosk.FieldMalformed, kiosk.FieldChecked, document.NoteBadDate},
		{"740812", "750101", "1974-08-12", "2075-01-01", kiosk.FieldChecked, kiosk.FieldChecked, ""},
		{"740812", "761231", "1974-08-12", "1976-12-31", kiosk.FieldChecked, kiosk.FieldChecked, ""},
		{"200812", "120415", "1920-08-12", "2012-04-15", kiosk.FieldChecked, kiosk.FieldChecked, ""}, // born before it expired
		{"740812", "<<<<<<", "1974-08-12", "", kiosk.FieldChecked, kiosk.FieldMalformed, ""},
		{"740812", "300230", "1974-08-12", "", kiosk.FieldChecked, kiosk.FieldMalformed, ""},
	} {
		m, err := document.Parse([]string{line1("ROE<<JO"), line2("X1", "UTO", v.birth, "<", v.expiry, "")}, now)
		if err != nil {
			t.Fatal(err)
		}
		b, e := m.Fields.BirthDate, m.Fields.ExpiryDate
		if b.Value != v.wantB || b.Status != v.statusB || b.Note != v.noteB {
			t.Errorf("birth %s: %+v", v.birth, b)
		}
		if e.Value != v.wantE || e.Status != v.statusE {
			t.Errorf("expiry %s: %+v", v.expiry, e)
		}
		if ok := v.wantB != "" && v.wantE != ""; m.Accepted != ok {
			t.Errorf("birth %s expiry %s: accepted %v", v.birth, v.expiry, m.Accepted)
		}
	}
}

func TestNames(t *testing.T) {
	for _, v := range []struct {
		in, primary, secondary string
		note                   string
		accepted               bool
	}{
		{"VAN<DER<MUELLEN<<ANNA", "VAN DER MUELLEN", "ANNA", "", true},
		{"QUISPE<MAMANI<<JOSE<MARIA", "QUISPE MAMANI", "JOSE MARIA", "", true},
		{"ARKFREITH", "ARKFREITH", "", "", true},
		{"NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<KR", "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG K", document.NoteMaybeCut, true},
		{"ERIKSSON<<ANNA<<MARIA", "ERIKSSON", "ANNA MARIA", document.NoteNameLayout, false},
		{"ERIKSSON<<ANNA<<<<<<K", "ERIKSSON", "ANNA K", document.NoteNameLayout, false},
		{"<ERIKSSON<<ANNA", "ERIKSSON", "ANNA", document.NoteNameLayout, false},
		{"ERIKSS0N<<ANNA", "ERIKSS0N", "ANNA", document.NoteBadCharacters, false},
		{"", "", "", document.NoteNameLayout, false},
	} {
		m, err := document.Parse([]string{line1(v.in), line2("X1", "UTO", "740812", "F", "300101", "")}, now)
		if err != nil {
			t.Fatal(err)
		}
		p, s := m.Fields.PrimaryIdentifier, m.Fields.SecondaryIdentifier
		if p.Value != v.primary || s.Value != v.secondary || m.Accepted != v.accepted {
			t.Errorf("%q: %+v %+v accepted %v", v.in, p, s, m.Accepted)
		}
		if p.Note+s.Note != v.note {
			t.Errorf("%q: notes %q %q, want %q", v.in, p.Note, s.Note, v.note)
		}
	}
}

// Codes that are not three letters of ISO 3166-1, and those that are nothing.
func TestStateCodes(t *testing.T) {
	for code, ok := range map[string]bool{
		"D<<": true, "PER": true, "XXA": true, "XXB": true, "XXC": true, "XXX": true, "GBN": true, "UNO": true,
		"EUE": true, "RKS": true, "UTO": true, "YUG": true,
		"DEU": false, "XKX": false, "AAA": false, "P3R": false, "D<D": false, "<<<": false, "UT0": false,
	} {
		m, err := document.Parse([]string{"P<" + code + line1("ROE<<JO")[5:], line2("X1", code, "740812", "F", "300101", "")}, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []kiosk.Field{m.Fields.Issuer, m.Fields.Nationality} {
			if good := f.Status == kiosk.FieldRead; good != ok || !ok && f.Note != document.NoteUnknownCode {
				t.Errorf("%s: %+v", code, f)
			}
		}
		if m.Accepted != ok {
			t.Errorf("%s: accepted %v", code, m.Accepted)
		}
	}
}

// Any single character changed in what a digit covers is noticed, unless the
// two have the same value modulo 10, which no digit can tell (K and '<').
func TestEveryDigitIsLookedAt(t *testing.T) {
	good := []string{line1("ROE<<JO"), line2("AB1234567", "UTO", "740812", "F", "300101", "ZE184226B")}
	const set = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	val := func(c byte) int {
		switch {
		case c == '<':
			return 0
		case c <= '9':
			return int(c - '0')
		}
		return int(c-'A') + 10
	}
	tried := 0
	for i := range 44 {
		if i >= 10 && i < 13 || i == 20 {
			continue // nationality and sex have no digit
		}
		for j := range len(set) {
			if set[j] == good[1][i] || val(set[j])%10 == val(good[1][i])%10 {
				continue
			}
			l2 := good[1][:i] + string(set[j]) + good[1][i+1:]
			m, err := document.Parse([]string{good[0], l2}, now)
			if err != nil {
				t.Fatal(err)
			}
			tried++
			if m.Accepted {
				t.Errorf("accepted with %c for %c at %d", set[j], good[1][i], i+1)
			}
		}
	}
	t.Logf("%d single changes, none accepted", tried)
}

func TestUnusedOptionalData(t *testing.T) {
	for digit, ok := range map[string]bool{"<": true, "0": true, "1": false} {
		l2 := line2("AB1234567", "UTO", "740812", "F", "300101", "")
		l2 = l2[:42] + digit
		c, _ := document.CheckDigit(l2[0:10] + l2[13:20] + l2[21:43])
		m, err := document.Parse([]string{line1("ROE<<JO"), l2 + string(c)}, now)
		if err != nil {
			t.Fatal(err)
		}
		if m.Accepted != ok {
			t.Errorf("digit %s: accepted %v: %+v", digit, m.Accepted, m.Fields.OptionalData)
		}
	}
	l2 := line2("AB1234567", "UTO", "740812", "F", "300101", "123")
	l2 = l2[:42] + "<"
	c, _ := document.CheckDigit(l2[0:10] + l2[13:20] + l2[21:43])
	m, _ := document.Parse([]string{line1("ROE<<JO"), l2 + string(c)}, now)
	if m.Accepted || m.Fields.OptionalData.Status != kiosk.FieldMismatch || m.Fields.OptionalData.Note != document.NoteNoDigit {
		t.Errorf("used data without a digit: %+v", m.Fields.OptionalData)
	}
}

func TestLayoutErrors(t *testing.T) {
	l1, l2 := line1("ROE<<JO"), line2("X1", "UTO", "740812", "F", "300101", "")
	for _, lines := range [][]string{
		nil, {""}, {"", ""}, {l1}, {l1, l2[:43]}, {l1, l2, l2}, {"X" + l1[1:], l2},
		{"IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6"},
	} {
		if _, err := document.Parse(lines, now); !errors.Is(err, document.ErrLayout) {
			t.Errorf("%q: %v", lines, err)
		}
	}
	for _, bad := range []string{"p", " ", "Ñ", "-"} {
		if _, err := document.Parse([]string{l1[:9] + bad + l1[9+len(bad):], l2}, now); !errors.Is(err, document.ErrCharacter) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Whatever the text, Parse answers, and what it accepts has digits that agree
// and values that stand in the lines.
func FuzzParse(f *testing.F) {
	f.Add("P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10")
	f.Add("I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<")
	f.Add("I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<\nD23145890<UTO3407127M95071227349<<<8")
	f.Add("V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := document.Parse(strings.Split(text, "\n"), now)
		if err != nil {
			return
		}
		for _, c := range m.Checks {
			if m.Accepted && !c.OK {
				t.Errorf("accepted with digit %+v", c)
			}
		}
		for _, n := range m.List() {
			if n.Status == kiosk.FieldDoubtful {
				t.Errorf("%s doubtful in given text", n.Name)
			}
			if m.Accepted && n.Status == kiosk.FieldMismatch {
				t.Errorf("accepted with %s %+v", n.Name, n.Field)
			}
		}
	})
}
