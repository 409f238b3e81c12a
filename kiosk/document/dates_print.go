package document

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"tambo/kiosk"
)

// Forms of printed dates (Doc 9303-3, 3.8: the day in digits, the month in digits
// or as an abbreviated name in one or two languages, the year in two or four
// digits) and those of ISO 8601 and common use. Between digits a letter is a digit
// misread.
const (
	digit = `[0-9OolI|]`
	gap   = `[-./ ]{1,3}`
	month = `([\p{L}]{3,10})\.?`
)

var (
	yearFirst  = regexp.MustCompile(`(?:^|[^\pL0-9])(` + digit + `{4})` + gap + `(` + digit + `{1,2})` + gap + `(` + digit + `{1,2})(?:$|[^\pL0-9])`)
	dayFirst   = regexp.MustCompile(`(?:^|[^\pL0-9])(` + digit + `{1,2})` + gap + `(` + digit + `{1,2})` + gap + `(` + digit + `{4})(?:$|[^\pL0-9])`)
	monthNamed = regexp.MustCompile(`(?:^|[^\pL0-9])(` + digit + `{1,2})[-./ ]{0,3}` + month + `(?: ?/ ?` + month + `)?[-./ ]{0,3}(` + digit + `{4}|` + digit + `{2})(?:$|[^\pL0-9])`)
)

// months are the beginnings of month names in Spanish, English, French and
// Portuguese; longer ones first where one begins the other.
var months = func() map[string]int {
	m := map[string]int{}
	for i, names := range []string{
		"ENERO ENE JANUARY JAN JANVIER JANV JANEIRO", "FEBRERO FEB FEBRUARY FEVRIER FEV FEVR FEVEREIRO", "MARZO MAR MARCH MARS MARCO",
		"ABRIL ABR APRIL APR AVRIL AVR", "MAYO MAY MAI MAIO", "JUNIO JUN JUNE JUIN JUNHO", "JULIO JUL JULY JUILLET JUIL JULHO",
		"AGOSTO AGO AUGUST AUG AOUT AOU", "SEPTIEMBRE SEP SEPT SET SETIEMBRE SEPTEMBER SEPTEMBRE SETEMBRO", "OCTUBRE OCT OCTOBER OCTOBRE OUT OUTUBRO",
		"NOVIEMBRE NOV NOVEMBER NOVEMBRE NOVEMBRO", "DICIEMBRE DIC DECEMBER DEC DECEMBRE DEZ DEZEMBRO",
	} {
		for _, n := range strings.Fields(names) {
			m[n] = i + 1
		}
	}
	return m
}()

// printedDate is a date that stands on a page. short: the century is not
// printed.
type printedDate struct {
	year, month, day int
	short            bool
	run              []kiosk.Word
}

func (d printedDate) is(want string) bool {
	if d.short {
		return len(want) == 10 && want[2:] == fmt.Sprintf("%02d-%02d-%02d", d.year, d.month, d.day)
	}
	return want == d.String()
}

func (d printedDate) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.year, d.month, d.day) }

// dates finds the dates of a page.
func (p *print) dates() (out []printedDate) {
	p.runs(6, func(_ *segment, run []kiosk.Word) bool {
		if d, ok := dateOf(text(run)); ok {
			d.run = run
			out = append(out, d)
		}
		return true
	})
	return out
}

// dateOf reads a text that is one date and nothing else.
func dateOf(s string) (d printedDate, ok bool) {
	if len(s) > 48 {
		return d, false
	}
	s = strings.Map(func(r rune) rune {
		switch r {
		case '–', '—', '−', '_', '~':
			return '-'
		case ',':
			return '.'
		}
		return r
	}, s)
	whole := func(m []string) bool { return m != nil && strings.Trim(m[0], " ") == strings.Trim(s, " ") }
	if m := yearFirst.FindStringSubmatch(s); whole(m) {
		d = printedDate{year: numberOf(m[1]), month: numberOf(m[2]), day: numberOf(m[3])}
	} else if m := dayFirst.FindStringSubmatch(s); whole(m) {
		d = printedDate{year: numberOf(m[3]), month: numberOf(m[2]), day: numberOf(m[1])}
	} else if m := monthNamed.FindStringSubmatch(s); whole(m) {
		d = printedDate{year: numberOf(m[4]), month: months[fold(m[2])], day: numberOf(m[1]), short: len(m[4]) == 2}
		if second := months[fold(m[3])]; m[3] != "" && second != 0 {
			if d.month != 0 && second != d.month {
				return d, false
			}
			d.month = second
		}
	} else {
		return d, false
	}
	if d.month < 1 || d.month > 12 || d.day < 1 {
		return d, false
	}
	year := d.year
	if d.short {
		year += 2000
	}
	t := time.Date(year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
	return d, t.Day() == d.day || d.short && d.month == 2 && d.day == 29
}

// numberOf is the number that stands there, letters read as the digits they are
// taken for.
func numberOf(s string) (n int) {
	for _, r := range s {
		switch r {
		case 'O', 'o':
			r = '0'
		case 'l', 'I', '|':
			r = '1'
		}
		n = n*10 + int(r-'0')
	}
	return n
}

// date compares a date. One that stands under the caption of another is that
// other, whatever it says: passports are often issued on the day on which they
// expire ten years later.
func (p *print) date(want string, own label, other string) (r Printed) {
	if strings.Contains(want, "X") {
		return r
	}
	var near *printedDate
	for _, d := range p.dates() {
		under := p.labelled(around(d.run))
		mine := slices.Contains(under, own)
		if d.is(want) && (mine || !slices.ContainsFunc(under, func(l label) bool { return l != labelOther })) {
			return Printed{Standing: kiosk.PrintAgrees, Box: around(d.run)}
		}
		if mine && !d.short && !d.is(want) && !d.is(other) && certainWords(d.run) && altered(want, d.String()) {
			near = &d
		}
	}
	if near != nil {
		r = differs(near.String(), near.run)
	}
	return r
}
