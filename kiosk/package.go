package kiosk

import "time"

// PartKind says what a sealed part holds, and so who may open it.
type PartKind string

// Part kinds.
const (
	PartTemplates PartKind = "templates" // → matcher
	PartEvidence  PartKind = "evidence"  // → adjudicator: masked iris crops, face
	PartRecord    PartKind = "record"    // → custodian: identity, arrival, events
	PartImages    PartKind = "images"    // → custodian: the captured images
)

// Thin reports whether parts of this kind go first, before any image.
func (k PartKind) Thin() bool { return k == PartTemplates || k == PartEvidence }

// Recipient returns the role that parts of this kind are sealed to.
func (k PartKind) Recipient() RecipientRole {
	switch k {
	case PartTemplates:
		return RecipientMatcher
	case PartEvidence:
		return RecipientAdjudicator
	}
	return RecipientCustodian
}

// Part is one sealed part as the manifest lists it: nothing in it says
// anything about the person.
type Part struct {
	Name   string   `json:"name"` // "templates", "evidence", "record", "image-1"…
	Kind   PartKind `json:"kind"`
	Digest string   `json:"digest"` // hex SHA-256 of the ciphertext
	Size   int64    `json:"size"`   // bytes of ciphertext
	KeyID  string   `json:"keyId"`  // of the recipient
}

// TemplatesPart is what a part of kind templates holds, as JSON, before it is
// sealed: what the matcher needs and nothing more.
type TemplatesPart struct {
	Visit     VisitKind  `json:"visit"` // chooses the instruction of a list entry
	Templates []Template `json:"templates"`
}

// Manifest lists the sealed parts of an encounter. It is signed last, by the
// kiosk's Ed25519 key, and holds digests, lengths and key ids only.
type Manifest struct {
	Format    int         `json:"format"` // 1
	Kiosk     KioskID     `json:"kiosk"`
	Encounter EncounterID `json:"encounter"`
	Kind      PackageKind `json:"kind"`
	Agreement string      `json:"agreement"` // hex digest of the agreement in force
	Training  bool        `json:"training,omitempty"`
	// Hit is true when any search found a candidate: the hub must look first.
	Hit    bool      `json:"hit,omitempty"`
	Sealed time.Time `json:"sealed"`
	// Cites names the earlier encounter that an amendment or objection is about.
	Cites EncounterID `json:"cites,omitempty"`
	Parts []Part      `json:"parts"`
}

// PackageKind says what a package is.
type PackageKind string

// Package kinds.
const (
	PackageEncounter PackageKind = "encounter"
	PackageAbandoned PackageKind = "abandoned" // abandoned after a hit: the hit travels all the same
	PackageNotice    PackageKind = "notice"    // a hit of an encounter that is still open
	PackageAmendment PackageKind = "amendment"
	PackageObjection PackageKind = "objection"
)

// Amendment is a correction of one field of an earlier record, or an objection
// to it. A sealed record is never read or changed: a new package cites it.
type Amendment struct {
	Receipt string   `json:"receipt"` // digest of the receipt that it cites
	Field   string   `json:"field,omitempty"`
	Value   string   `json:"value,omitempty"`
	Ground  string   `json:"ground,omitempty"` // of an objection
	Reason  string   `json:"reason"`
	Signers []string `json:"signers"` // two operator labels
}

// ReceiptKind says what a receipt proves.
type ReceiptKind string

// Receipt kinds.
const (
	// ReceiptThin: manifest and thin parts are durable at the hub, and it
	// matches them.
	ReceiptThin ReceiptKind = "thin"
	// ReceiptComplete: every part is durable with its digest. Only this permits
	// purge.
	ReceiptComplete ReceiptKind = "complete"
	// ReceiptRefused: the hub will not take the package, with its reason.
	ReceiptRefused ReceiptKind = "refused"
)

// Receipt is the hub's signed word. It travels as a signed note
// (golang.org/x/mod/sumdb/note) whose text sync/wire defines.
type Receipt struct {
	Kind      ReceiptKind `json:"kind"`
	Kiosk     KioskID     `json:"kiosk"`
	Encounter EncounterID `json:"encounter"`
	Manifest  string      `json:"manifest"` // hex SHA-256 of the signed manifest's bytes
	LogIndex  int64       `json:"logIndex"` // in the hub's log
	Time      time.Time   `json:"time"`
	Reason    string      `json:"reason,omitempty"` // of a refusal
}
