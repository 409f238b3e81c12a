package tend

import (
	"tambo/kiosk/health"
	"tambo/kiosk/ui/words"
)

// ShownWords notes that officers were shown a sentence. Only keys of the window's
// words are noted: whatever else comes is not a sentence of ours.
func (j *Journal) ShownWords(b *words.Book, page, key string) error {
	if !b.Knows(key) {
		return health.ErrNote
	}
	return j.Note(health.Note{Kind: health.NoteShown, Key: key, Page: page})
}
