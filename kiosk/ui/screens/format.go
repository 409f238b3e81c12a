package screens

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"tambo/kiosk/ui/widgets"
	"tambo/kiosk/ui/words"
)

// shortOf returns the short words of a key, "" if it has none.
func (f *Frame) shortOf(key string, args ...any) string {
	if f.Has(key + ".short") {
		return f.Say(key+".short", args...)
	}
	return ""
}

// coded returns the words of a code. A code without words, which an agreement
// may bring, is shown in plain letters: a person must see something.
func coded(w *words.Book, prefix, code string) string {
	if key := prefix + code; w.Has(key) {
		return w.Say(key)
	}
	return upper(strings.NewReplacer("-", " ", "_", " ").Replace(code))
}

// barSpan is Span where room is dear: a moment has no words.
func (f *Frame) barSpan(d time.Duration) string {
	if d < time.Minute {
		return widgets.Keep("<1 min")
	}
	return f.Span(d)
}

func (f *Frame) ago(t time.Time) string { return f.Span(f.Now.Sub(t)) }

// until says a time of day, with the day if it is another one.
func (f *Frame) until(t time.Time) string { return f.When(t.In(f.Now.Location()), f.Now) }

// size says how much there is to carry.
func size(n int64) string {
	switch {
	case n >= 1<<30:
		return widgets.Keep(fmt.Sprintf("%.1f GB", float64(n)/(1<<30)))
	case n >= 1<<20:
		return widgets.Keep(fmt.Sprintf("%.0f MB", float64(n)/(1<<20)))
	}
	return widgets.Keep(fmt.Sprintf("%.0f kB", math.Ceil(float64(n)/1024)))
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	s = upper(strings.TrimSpace(s))
	if s != "" && !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "!") && !strings.HasSuffix(s, "?") {
		s += "."
	}
	return s
}

func upper(s string) string { return first(s, unicode.ToUpper) }
func lower(s string) string { return first(s, unicode.ToLower) }

func first(s string, f func(rune) rune) string {
	r := []rune(s)
	if len(r) > 0 {
		r[0] = f(r[0])
	}
	return string(r)
}

// list joins things by commas.
func list(l []string) string { return strings.Join(l, ", ") }
