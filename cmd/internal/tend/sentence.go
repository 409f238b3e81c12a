package tend

import (
	"regexp"
	"strings"

	"tambo/kiosk/health"
	"tambo/kiosk/ui/words"
)

var holes = regexp.MustCompile(`\{\{[^}]*\}\}|<no value>`)

// Sentence says the words of a key with an ellipsis where a value stood: the
// journal has no values.
func Sentence(b *words.Book, key string) string {
	s := holes.ReplaceAllString(b.Say(key), "…")
	if s == "["+key+"]" {
		s = holes.ReplaceAllString(b.Count(key, 2), "…")
	}
	return strings.ReplaceAll(s, "\u00a0", " ")
}

// ShownWords notes that officers were shown a sentence. Only keys of the window's
// words are noted: whatever else comes is not a sentence of ours.
func (j *Journal) ShownWords(b *words.Book, page, key string) error {
	if !b.Has(key) && Sentence(b, key) == "["+key+"]" {
		return health.ErrNote
	}
	return j.Note(health.Note{Kind: health.NoteShown, Key: key, Page: page})
}
