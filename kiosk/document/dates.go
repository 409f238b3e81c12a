package document

import (
	"fmt"
	"time"
)

// date is a six-digit date of the zone (Doc 9303-3, 4.8), with the century
// not yet known. A part that the document leaves open is -1.
type date struct{ yy, month, day int }

// parseDate reads YYMMDD, each pair digits or "<<". ok is false where it is
// neither, or where a known part cannot be (month 13, 31 April, 29 February
// is judged once the year is known).
func parseDate(raw string) (d date, ok bool) {
	pair := func(s string) (int, bool) {
		if s == "<<" {
			return -1, true
		}
		if s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
			return 0, false
		}
		return int(s[0]-'0')*10 + int(s[1]-'0'), true
	}
	if len(raw) != 6 {
		return d, false
	}
	var oky, okm, okd bool
	d.yy, oky = pair(raw[0:2])
	d.month, okm = pair(raw[2:4])
	d.day, okd = pair(raw[4:6])
	if !oky || !okm || !okd {
		return d, false
	}
	// Some states print zeros for an unknown month or day.
	if d.month == 0 {
		d.month = -1
	}
	if d.day == 0 {
		d.day = -1
	}
	if d.month > 12 || d.day > 31 {
		return d, false
	}
	return d, true
}

// partial reports whether the document leaves some part open.
func (d date) partial() bool { return d.yy < 0 || d.month < 0 || d.day < 0 }

// exists reports whether the date may exist in the given year (-1: unknown).
func (d date) exists(year int) bool {
	if d.month < 0 || d.day < 0 {
		return true
	}
	if year < 0 {
		year = 2000 // a leap year: allow 29 February
	}
	t := time.Date(year, time.Month(d.month), d.day, 0, 0, 0, 0, time.UTC)
	return int(t.Month()) == d.month
}

// start is the first day that the date may mean in the given year.
func (d date) start(year int) time.Time {
	return time.Date(year, time.Month(max(d.month, 1)), max(d.day, 1), 0, 0, 0, 0, time.UTC)
}

// birthYear chooses the century of a birth: the latest in which the date is
// not after last. Of somebody a hundred and one years old it says one; the
// zone has no more to tell.
func (d date) birthYear(last time.Time) int {
	if d.yy < 0 {
		return -1
	}
	y := last.Year() - last.Year()%100 + d.yy
	if d.start(y).After(last) {
		y -= 100
	}
	return y
}

// expiryYear chooses the century of an expiry: the year within 50 years
// before and 49 after now.
func (d date) expiryYear(now time.Time) int {
	if d.yy < 0 {
		return -1
	}
	y := now.Year() - now.Year()%100 + d.yy
	if y > now.Year()+49 {
		y -= 100
	}
	if y < now.Year()-50 {
		y += 100
	}
	return y
}

// format writes YYYY-MM-DD with "XX" for what is open.
func (d date) format(year int) string {
	part := func(v int) string {
		if v < 0 {
			return "XX"
		}
		return fmt.Sprintf("%02d", v)
	}
	ys := "XXXX"
	if year >= 0 {
		ys = fmt.Sprintf("%04d", year)
	}
	return ys + "-" + part(d.month) + "-" + part(d.day)
}
