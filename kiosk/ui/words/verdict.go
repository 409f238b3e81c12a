package words

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tambo/kiosk/health"
)

// Verdict says what is most likely wrong, and what was seen and is to be done.
// Times are said in now's zone.
func (b *Book) Verdict(f health.Finding, now time.Time) (what, do string) {
	at, date := "", ""
	if !f.At.IsZero() {
		at, date = b.When(f.At.In(now.Location()), now), b.Date(f.At.In(now.Location()))
	}
	pairs := []any{"Device", b.device(f.Part), "Port", f.Port, "Name", f.Name, "Count", b.Number(f.Count), "Time", at, "Date", date, "Span", b.Span(f.Span.Abs()), "Floor", b.Decimal(health.RateFloor(f.Part))}
	key := "likely." + string(f.Cause)
	return b.Say("likely.is", "What", b.Say(key, pairs...)), b.Say(key+".do", pairs...)
}

// Worked says what worked.
func (b *Book) Worked(w health.Worked) string {
	return b.Say("worked."+w.What, "Device", b.device(w.Part))
}

// device names a part within a sentence.
func (b *Book) device(p health.Part) string { return lowerFirst(b.Say("health." + string(p))) }

// lowerFirst takes the capital off a word that stands alone, and leaves USB.
func lowerFirst(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if second, _ := utf8.DecodeRuneInString(s[n:]); unicode.IsUpper(second) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

// Figure says a figure's name, its value, and its floor or top.
func (b *Book) Figure(f health.Figure) (name, value, limit string) {
	name, value = b.Say("figure."+f.Key), b.Decimal(f.Value)
	switch {
	case f.Floor != nil && f.Top != nil:
		limit = b.Say("figure.between", "Floor", b.Decimal(*f.Floor), "Top", b.Decimal(*f.Top))
	case f.Floor != nil:
		limit = b.Say("figure.floor", "Floor", b.Decimal(*f.Floor))
	case f.Top != nil && *f.Top == 0:
		limit = b.Say("figure.none")
	case f.Top != nil:
		limit = b.Say("figure.top", "Top", b.Decimal(*f.Top))
	}
	return name, value, limit
}

// Decimal writes a number with one digit behind the point where it has one:
// 14.9, or 14,9 in Spanish.
func (b *Book) Decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', 1, 64)
	s = strings.TrimSuffix(s, ".0")
	if b.Language() == Spanish {
		s = strings.ReplaceAll(s, ".", ",")
	}
	return s
}

var places = regexp.MustCompile(`\{\{[^}]*\}\}|<no value>`)

// Sentence says the words of a key with an ellipsis where a value stood: a
// journal has no values.
func (b *Book) Sentence(key string) string {
	s := places.ReplaceAllString(b.Say(key), "…")
	if s == "["+key+"]" {
		s = places.ReplaceAllString(b.Count(key, 2), "…")
	}
	return s
}

// Knows reports whether a key is one of the window's words.
func (b *Book) Knows(key string) bool { return b.Has(key) || b.Count(key, 2) != "["+key+"]" }
