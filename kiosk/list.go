package kiosk

import "time"

// WatchlistEntry is one entry of a list that comes down from the hub. It
// carries irises, document numbers, names, or several of these.
type WatchlistEntry struct {
	ID        string     `json:"id"`
	List      string     `json:"list"`
	Templates []Template `json:"templates,omitempty"`
	// Documents are keyed hashes of normalised numbers (policy.DocumentHash),
	// compared exactly; the number itself is not on the kiosk.
	Documents   [][]byte    `json:"documents,omitempty"`
	Names       []ListName  `json:"names,omitempty"`
	Instruction Instruction `json:"instruction"`
	// ByVisit overrides the instruction for a kind of visit.
	ByVisit map[VisitKind]Instruction `json:"byVisit,omitempty"`
	Until   time.Time                 `json:"until"` // zero: until withdrawn
}

// ListName is a name with a birth date (possibly partial).
type ListName struct {
	Surname string `json:"surname"`
	Given   string `json:"given"`
	Birth   string `json:"birth,omitempty"`
}

// ListDelta changes a list from one version to another; From 0 is a snapshot.
// Deltas are signed, numbered and expire; a version never goes back.
type ListDelta struct {
	List    string           `json:"list"`
	From    uint64           `json:"from"`
	To      uint64           `json:"to"`
	Signed  time.Time        `json:"signed"`
	Expires time.Time        `json:"expires"`
	Put     []WatchlistEntry `json:"put,omitempty"`
	Remove  []string         `json:"remove,omitempty"`
	// HashKey keys the document hashes of this list.
	HashKey []byte `json:"hashKey,omitempty"`
}

// CustodyState says where the record behind an index card is.
type CustodyState string

// Custody states.
const (
	CustodyHere      CustodyState = "here"      // sealed, waiting for the road
	CustodyThin      CustodyState = "thin"      // the hub can match it
	CustodyDelivered CustodyState = "delivered" // complete receipt held
	CustodyPurged    CustodyState = "purged"
	CustodyElsewhere CustodyState = "elsewhere" // came down with the site gallery
)

// IndexCard is what remains searchable at the kiosk after sealing. It has its
// own key and its own end.
type IndexCard struct {
	Encounter EncounterID  `json:"encounter"`
	Wristband string       `json:"wristband"`
	Date      string       `json:"date"` // YYYY-MM-DD
	Site      string       `json:"site"`
	Templates []Template   `json:"templates"`
	Name      string       `json:"name,omitempty"` // only if the agreement lists it
	Face      []byte       `json:"face,omitempty"` // small JPEG, only if the agreement lists it
	Custody   CustodyState `json:"custody"`
	Training  bool         `json:"training,omitempty"`
	Ends      time.Time    `json:"ends"`
	// Search is what a gallery holds of Templates, in that gallery's own
	// encoding. The vault keeps it apart, so that a million cards are made
	// searchable without reading their templates; empty if nobody packed it.
	Search []byte `json:"-"`
}
