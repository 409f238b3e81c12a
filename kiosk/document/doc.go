// Package document turns the picture of a travel document's page into facts:
// it finds the machine-readable zone (MRZ), reads its OCR-B characters with a
// recogniser of its own, and takes the fields apart as ICAO Doc 9303 (8th
// edition, 2021) lays them down: TD3 passports foremost; the parser also knows
// TD1, TD2, MRV-A and MRV-B.
//
// Every field carries how far it may be relied on. A document is accepted only
// when every character was certain, every check digit agrees and every date
// and code is one that may stand there. Grammar and check digits can take
// acceptance away; they never make a doubtful character certain.
//
// It never says whether a document is genuine, never reads the chip, does no
// I/O, and keeps nothing: pixels in, facts out.
package document

import (
	"errors"

	"tambo/kiosk"
)

// Type is the format of a machine-readable zone.
type Type string

// The five formats of Doc 9303: parts 4 (TD3), 5 (TD1), 6 (TD2), 7 (MRV).
const (
	TD1  Type = "TD1"   // card, 3 lines of 30
	TD2  Type = "TD2"   // larger card, 2 lines of 36
	TD3  Type = "TD3"   // passport, 2 lines of 44
	MRVA Type = "MRV-A" // visa, 2 lines of 44
	MRVB Type = "MRV-B" // visa, 2 lines of 36
)

// size returns the number of lines and the characters in each.
func (t Type) size() (lines, chars int) {
	switch t {
	case TD1:
		return 3, 30
	case TD2, MRVB:
		return 2, 36
	case TD3, MRVA:
		return 2, 44
	}
	return 0, 0
}

// Errors of Parse.
var (
	ErrLayout    = errors.New("document: not a layout of ICAO Doc 9303")
	ErrCharacter = errors.New("document: a character that the zone may not hold")
)

// Errors of Read. Each says what the officer can do.
var (
	ErrBlank        = errors.New("document: the picture is blank: lay the page on the glass and scan again")
	ErrNoMRZ        = errors.New("document: no machine-readable zone found: check that it is the data page and that the two lines at its foot are visible")
	ErrUnreadable   = errors.New("document: the machine-readable zone cannot be read: clean the page, avoid glare, and scan again")
	ErrTwoDocuments = errors.New("document: more than one machine-readable zone in the picture: scan one document at a time")
	ErrTooLarge     = errors.New("document: the picture is larger than 120 megapixels or has no pixels")
)

// Codes of observations in Field.Note, for the officer.
const (
	NoteUnknownCode   = "unknown-code"     // not a code of Doc 9303-3 section 5 or ISO 3166-1
	NoteFormerCode    = "former-code"      // a state's code that was withdrawn
	NoteSpecimen      = "specimen-code"    // Utopia: specimens and training only
	NoteExpired       = "expired"          // the document expired before now
	NotePartialDate   = "partial-date"     // the document leaves part of the date open
	NoteBadDate       = "bad-date"         // no such day
	NoteNameLayout    = "name-layout"      // the fillers are not where a name has them
	NoteMaybeCut      = "may-be-truncated" // the name fills its field: it may go on
	NoteNoDigit       = "no-check-digit"   // the check digit position holds a filler
	NoteComposite     = "composite"        // the field's own digit agrees, the composite does not
	NoteBadCharacters = "bad-characters"   // characters that this field may not hold
)

// Fields are the values of a zone. Each field's Value is in the record's own
// form, its Raw as printed.
type Fields struct {
	DocumentCode        kiosk.Field // "P", "PD", "V", "ID"
	Issuer              kiosk.Field // issuing state or organisation, Doc 9303-3 section 5
	PrimaryIdentifier   kiosk.Field // surname, parts separated by spaces
	SecondaryIdentifier kiosk.Field // given names, parts separated by spaces
	DocumentNumber      kiosk.Field // overflow of TD1 and TD2 joined
	Nationality         kiosk.Field
	BirthDate           kiosk.Field // YYYY-MM-DD, unknown parts "XX" ("XXXX" for the year)
	Sex                 kiosk.Field // "F", "M" or "X" (unspecified, printed '<')
	ExpiryDate          kiosk.Field // YYYY-MM-DD
	OptionalData        kiosk.Field // TD3: personal number
	OptionalData2       kiosk.Field // TD1: the second line's optional data
}

// Named is a field with its name as it stands in records and on the wire.
type Named struct {
	Name string
	kiosk.Field
}

// List returns the fields that the type has, in the order of the lines.
func (m MRZ) List() []Named {
	f := m.Fields
	out := []Named{
		{"documentCode", f.DocumentCode}, {"issuer", f.Issuer},
		{"primaryIdentifier", f.PrimaryIdentifier}, {"secondaryIdentifier", f.SecondaryIdentifier},
		{"documentNumber", f.DocumentNumber}, {"nationality", f.Nationality},
		{"birthDate", f.BirthDate}, {"sex", f.Sex}, {"expiryDate", f.ExpiryDate},
		{"optionalData", f.OptionalData},
	}
	if m.Type == TD1 {
		out = append(out, Named{"optionalData2", f.OptionalData2})
	}
	return out
}

// Check is one check digit: as printed, as computed over its characters.
type Check struct {
	Name     string // "documentNumber", "birthDate", "expiryDate", "optionalData", "composite"
	Digit    byte   // as printed; '<' where the layout allows it
	Computed byte   // '0' to '9'
	OK       bool
}

// Point is a place on the page, in pixels, y downwards.
type Point struct{ X, Y float64 }

// MRZ is one machine-readable zone.
type MRZ struct {
	Type  Type
	Lines []string // as read, without spaces

	Fields Fields
	Checks []Check

	// Accepted: every character certain, all check digits agree, every date
	// and code valid. Anything less is for a person to look at.
	Accepted bool

	// Box is the zone's outline on the page: the corners at its top left, top
	// right, bottom right and bottom left as the text runs. Zero from Parse.
	Box [4]Point
	// Confidence is, for each line and character, how certain the recogniser
	// is, 0 to 1; a character below Certain makes its field doubtful. Nil
	// from Parse, which takes the text as given.
	Confidence [][]float64
}

// Certain is the confidence from which a character counts as certain.
const Certain = 0.5
