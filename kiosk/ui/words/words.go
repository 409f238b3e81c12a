// Package words is what the window says, in Spanish and in English: one file of
// strings per language (go-i18n's JSON), switched while the window runs, and the
// forms of numbers, dates and spans that go into them.
//
// It never knows a screen or an encounter, never shows a code to a person, and
// holds no text of an agreement: notices and instructions come from there, in their
// own languages. Words for the person in front of the camera say "their" eye.
package words

import (
	"embed"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Language is a language of the window.
type Language string

// Languages, in the order in which they are offered.
const (
	Spanish Language = "es"
	English Language = "en"
)

// All lists the languages of the window.
var All = []Language{Spanish, English}

//go:embed es.json en.json
var files embed.FS

var bundle = sync.OnceValue(func() *i18n.Bundle {
	b := i18n.NewBundle(language.Spanish)
	for _, l := range All {
		if _, err := b.LoadMessageFileFS(files, string(l)+".json"); err != nil {
			panic("words: the embedded file of " + string(l) + " is broken: " + err.Error()) // held by a test
		}
	}
	return b
})

// Book says things in the language that is set. Safe for concurrent use.
type Book struct {
	now atomic.Pointer[page]
}

type page struct {
	lang Language
	loc  *i18n.Localizer
}

// New returns a book open at a language; one that is not known is Spanish.
func New(l Language) *Book {
	b := &Book{}
	b.Set(l)
	return b
}

// Set changes the language of everything that is said from now on.
func (b *Book) Set(l Language) {
	if !slices.Contains(All, l) {
		l = Spanish
	}
	b.now.Store(&page{l, i18n.NewLocalizer(bundle(), string(l))})
}

// Language returns the language that is set.
func (b *Book) Language() Language { return b.now.Load().lang }

// Other returns the language that is not set.
func (b *Book) Other() Language {
	if b.Language() == Spanish {
		return English
	}
	return Spanish
}

// Say returns the words of a key. Pairs are names of placeholders and what
// stands for them: Say("bar.hub", "Ago", "2 min"). A key that does not exist
// says itself in brackets.
func (b *Book) Say(key string, pairs ...any) string {
	return b.say(key, nil, pairs)
}

// Count is Say for what is counted: n chooses the form, and stands for Count.
func (b *Book) Count(key string, n int, pairs ...any) string {
	return b.say(key, &n, append([]any{"Count", b.Number(n)}, pairs...))
}

// Has reports whether a key exists.
func (b *Book) Has(key string) bool {
	_, err := b.now.Load().loc.LocalizeMessage(&i18n.Message{ID: key})
	return err == nil
}

func (b *Book) say(key string, n *int, pairs []any) string {
	data := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if name, ok := pairs[i].(string); ok {
			data[name] = pairs[i+1]
		}
	}
	c := i18n.LocalizeConfig{MessageID: key, TemplateData: data}
	if n != nil {
		c.PluralCount = *n
	}
	loc := b.now.Load().loc
	s, err := loc.Localize(&c)
	if err != nil && n != nil { // Spanish has a form of its own for whole millions, which needs no words of its own
		c.PluralCount = 2
		s, err = loc.Localize(&c)
	}
	if err != nil {
		return fmt.Sprintf("[%s]", key)
	}
	return s
}
