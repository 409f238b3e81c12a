package kiosk

// Source says where a value of identity came from.
type Source string

// Sources, strongest first.
const (
	SourceChip    Source = "chip"    // read from the document's chip
	SourceMRZ     Source = "mrz"     // read from the machine-readable zone
	SourcePage    Source = "page"    // read from the printed page
	SourceOfficer Source = "officer" // typed by the officer
)

// FieldStatus says how far a field that a machine read may be relied on.
type FieldStatus string

// Field statuses.
const (
	FieldChecked   FieldStatus = "checked"   // read with certainty and its check digit agrees
	FieldRead      FieldStatus = "read"      // read with certainty; the format gives it no check digit
	FieldDoubtful  FieldStatus = "doubtful"  // some character is not certain: a person must look
	FieldMismatch  FieldStatus = "mismatch"  // read with certainty and the check digit disagrees, as printed or as forged
	FieldMalformed FieldStatus = "malformed" // read, but not a value this field may have (month 13, say)
	FieldAbsent    FieldStatus = "absent"    // the document leaves it empty
)

// Field is one value with its origin and standing. The zero Field is absent.
type Field struct {
	Value  string      // the value in the record's own form (dates YYYY-MM-DD, unknown parts "XX")
	Raw    string      // what was read, before interpretation
	Source Source      // where it came from
	Status FieldStatus // how far it may be relied on
	Note   string      // code of an observation for the officer, empty if none
	// Print is how the print on the page stands to a field that was read in its
	// zone; empty where it was not compared. Printed is the page's own spelling
	// where it agrees and is not the zone's: diacritics, a name in its full length.
	Print   PrintStanding `json:",omitempty"`
	Printed string        `json:",omitempty"`
}
