package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// nbsp holds a number and what belongs to it together.
const nbsp = "\u00a0"

// Number writes a whole number with its thousands apart: 184,210 and 184 210
// (the latter with a no-break space, as the Spanish academies ask; four digits
// stay together there).
func (b *Book) Number(n int) string {
	s := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	sep := ","
	if b.Language() == Spanish {
		sep = nbsp
		if len(s) <= 4 {
			return sign + s
		}
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + sep + s[i:]
	}
	return sign + s
}

// Date writes a day: "12 Aug 1974".
func (b *Book) Date(t time.Time) string {
	return fmt.Sprintf("%d", t.Day()) + nbsp + b.month(int(t.Month())) + nbsp + strconv.Itoa(t.Year())
}

func (b *Book) month(m int) string { return b.Say("month." + strconv.Itoa(m)) }

// DateText writes a date of a record, YYYY-MM-DD with unknown parts "XX", and
// returns anything else as it is.
func (b *Book) DateText(s string) string {
	p := strings.Split(s, "-")
	if len(p) != 3 || len(p[0]) != 4 {
		return s
	}
	m, err := strconv.Atoi(p[1])
	if err != nil || m < 1 || m > 12 {
		if p[1] == "XX" && p[2] == "XX" {
			return p[0]
		}
		return s
	}
	d, err := strconv.Atoi(p[2])
	if err != nil {
		return b.month(m) + nbsp + p[0]
	}
	return strconv.Itoa(d) + nbsp + b.month(m) + nbsp + p[0]
}

// Clock writes a time of day: "06:58".
func (b *Book) Clock(t time.Time) string { return t.Format("15:04") }

// When writes a time of day, with the day if that is not today.
func (b *Book) When(t, now time.Time) string {
	if y, m, d := t.Date(); y == now.Year() && m == now.Month() && d == now.Day() {
		return b.Clock(t)
	}
	return b.Date(t) + nbsp + b.Clock(t)
}

// Span writes how long something is, in the largest unit that tells enough:
// "2 min", "31 h", "5 days". It is rounded down, and never negative.
func (b *Book) Span(d time.Duration) string {
	n, unit := 0, "unit.now"
	switch d = max(d, 0); {
	case d < time.Minute:
		return strings.ReplaceAll(b.Say(unit), " ", nbsp)
	case d < 2*time.Hour:
		n, unit = int(d.Minutes()), "unit.minutes"
	case d < 96*time.Hour:
		n, unit = int(d.Hours()), "unit.hours"
	case d < 731*24*time.Hour:
		n, unit = int(d.Hours()/24), "unit.days"
	default:
		n, unit = int(d.Hours()/24/365.25), "unit.years"
	}
	return strings.ReplaceAll(b.Count(unit, n), " ", nbsp)
}

// Rarity writes how many searches it takes for a stranger to match once, to
// two digits at most: "40,000", "9 million".
func (b *Book) Rarity(searches float64) string {
	if math.IsNaN(searches) || searches < 1 {
		searches = 1
	}
	if searches >= 1e9 {
		return b.Say("unit.countless")
	}
	digits := math.Floor(math.Log10(searches))
	unit := math.Pow(10, math.Max(0, digits-1))
	n := int(math.Floor(searches/unit) * unit) // never rarer than it is
	if n >= 1e6 {
		return strings.ReplaceAll(b.Count("unit.million", n/1e6), " ", nbsp)
	}
	return b.Number(n)
}
