package health

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
)

// NoteKind says what a note is about.
type NoteKind string

// Kinds of note.
const (
	NoteShown NoteKind = "shown" // a sentence that officers were shown: Key, Page
	NoteFault NoteKind = "fault" // somebody reported a fault: Code, Findings
	NoteLost  NoteKind = "lost"  // packets were lost: Part, Port, Count
	NoteLeft  NoteKind = "left"  // a device went: Part, Port
	NoteCame  NoteKind = "came"  // a device came: Part, Port
	NoteTest  NoteKind = "test"  // handed back after a test: Code, Passed
)

// Note is a line of the kiosk's journal. It has no field for anything about a
// person, and what stands in its fields is held to their form ([Note.Check]).
type Note struct {
	At       time.Time `json:"at"`
	Kind     NoteKind  `json:"kind"`
	Key      string    `json:"key,omitempty"`
	Page     string    `json:"page,omitempty"`
	Part     Part      `json:"part,omitempty"`
	Port     string    `json:"port,omitempty"`
	Function int       `json:"function,omitempty"` // as of DeviceFacts
	Count    int       `json:"count,omitempty"`
	Code     string    `json:"code,omitempty"`
	Passed   bool      `json:"passed,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// ErrNote: a note says something that no note may say.
var ErrNote = errors.New("not a note of the journal")

var (
	keyForm  = regexp.MustCompile(`^[a-z][a-zA-Z]*(\.[a-zA-Z-]+){0,3}$`)
	pageForm = regexp.MustCompile(`^[a-z][a-z-]*(/[a-z-]+){0,2}$`)
	portForm = regexp.MustCompile(`^([0-9]+(-[0-9]+(\.[0-9]+)*)?)?$`)
	codeForm = regexp.MustCompile(`^([A-Z]{4}-[0-9]{2})?$`)
	nameForm = regexp.MustCompile(`^[A-Za-z0-9.:\[\]_/-]{0,80}$`)
)

// Check reports whether a note keeps its form. Whether a key is one of the
// window's words, and not a word about somebody, is for who writes notes to know
// as well.
func (n Note) Check() error {
	kinds := []NoteKind{NoteShown, NoteFault, NoteLost, NoteLeft, NoteCame, NoteTest}
	switch {
	case !slices.Contains(kinds, n.Kind), n.At.IsZero(),
		n.Key != "" && !keyForm.MatchString(n.Key), n.Page != "" && !pageForm.MatchString(n.Page),
		n.Count < 0, !functionForm(n.Function), !portForm.MatchString(n.Port), !codeForm.MatchString(n.Code), n.Part != "" && !knownPart(n.Part), len(n.Findings) > len(causes):
		return ErrNote
	case (n.Kind == NoteShown) != (n.Key != ""):
		return ErrNote
	}
	for _, f := range n.Findings {
		if i, _ := rank(f.Cause); i == len(causes) || !knownPart(f.Part) || !portForm.MatchString(f.Port) || !functionForm(f.Function) || !nameForm.MatchString(f.Name) {
			return ErrNote
		}
	}
	return nil
}

// functionForm: an interface number is a byte (USB 2.0, table 9-12).
func functionForm(n int) bool { return n >= 0 && n <= 255 }

func knownPart(p Part) bool {
	return slices.Contains([]Part{PartCamera, PartFace, PartScanner, PartChip, PartHub, PartQueue, PartKeys, PartVault, PartDisk, PartClock, PartPower, PartPrinter, PartUnknown}, p)
}

// ParseNote reads a line of the journal; an error where it is not one.
func ParseNote(line []byte) (Note, error) {
	var n Note
	if len(line) > 16<<10 {
		return n, ErrNote
	}
	d := json.NewDecoder(strings.NewReader(string(line)))
	d.DisallowUnknownFields()
	if err := d.Decode(&n); err != nil {
		return Note{}, fmt.Errorf("%w: %w", ErrNote, err)
	}
	if err := n.Check(); err != nil {
		return Note{}, err
	}
	return n, nil
}

// The letters of a fault's code: syllables that sound alike in Spanish and in
// English, and that a telephone does not swallow.
const (
	consonants = "BDFKLMNPRST"
	vowels     = "AEIO"
)

// rude are codes that nobody should have to say.
var rude = []string{"PEDO", "PENE", "PITO", "TETA", "KAKA", "POTO", "MEAR", "PEPE", "LOKO", "LOKA", "NEPE", "DIKE", "DIKS"}

// NewCode makes a code for a fault from random bytes: two syllables and two
// digits, "MOKA-27"; there are 193,600 of them. It is not a secret.
func NewCode(random io.Reader) (string, error) {
	for {
		var b [6]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return "", err
		}
		word := []byte{consonants[int(b[0])%len(consonants)], vowels[b[1]%4], consonants[int(b[2])%len(consonants)], vowels[b[3]%4]}
		if !slices.Contains(rude, string(word)) {
			return fmt.Sprintf("%s-%d%d", word, b[4]%10, b[5]%10), nil
		}
	}
}

// SpokenCode reads a code as it was heard: without its dash, in small letters,
// with blanks; C and Q for K, V for B.
func SpokenCode(s string) string {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u2013", "").Replace(strings.TrimSpace(s)))
	s = strings.NewReplacer("C", "K", "Q", "K", "V", "B", "Z", "S").Replace(s)
	if len(s) == 6 {
		s = s[:4] + "-" + s[4:]
	}
	return s
}
