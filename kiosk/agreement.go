package kiosk

import "time"

// Agreement is the governance that the machine enforces. The hub signs it; a
// kiosk without one that is valid now refuses to enrol. Every sealed package
// carries its digest (SHA-256 of the signed bytes).
type Agreement struct {
	ID      string `json:"id"`
	Version uint64 `json:"version"`
	Title   string `json:"title"`
	// Training marks exercises: only under it do virtual devices open, the
	// window wears a band, and only a training hub accepts the packages.
	Training  bool      `json:"training,omitempty"`
	NotBefore time.Time `json:"notBefore"`
	Expires   time.Time `json:"expires"`

	Parties     []Party      `json:"parties"`
	Recipients  []Recipient  `json:"recipients"`
	Purposes    []string     `json:"purposes"`
	Authorities []Authority  `json:"authorities"`
	Categories  []Category   `json:"categories"`
	Visits      []Visit      `json:"visits"`
	Notice      Notice       `json:"notice"`
	Floors      Floors       `json:"floors"`
	Matching    Matching     `json:"matching"`
	Second      []SecondRule `json:"second,omitempty"`
	Lists       []ListRule   `json:"lists,omitempty"`
	LocalSearch LocalSearch  `json:"localSearch"`
	Retention   Retention    `json:"retention"`
	// HumanReview: a hit is "not yet confirmed by a person" until the hub's
	// adjudicator has answered. False is not allowed by policy.
	HumanReview   bool     `json:"humanReview"`
	OnwardSharing []string `json:"onwardSharing,omitempty"` // recipients' own recipients, by name; empty: none
	Caveats       []string `json:"caveats,omitempty"`
	Redress       Redress  `json:"redress"`
}

// Party is an organisation that concluded the agreement.
type Party struct {
	Name    string `json:"name"`
	Country string `json:"country"` // ISO 3166-1 alpha-3, or UTO for Utopia
	Role    string `json:"role"`    // "host", "partner"
}

// RecipientRole says which part of a sealed package a recipient may open.
type RecipientRole string

// Recipient roles.
const (
	RecipientMatcher     RecipientRole = "matcher"     // search templates only
	RecipientCustodian   RecipientRole = "custodian"   // biographics and images
	RecipientAdjudicator RecipientRole = "adjudicator" // the small evidence part: masked iris crops, face
)

// Recipient is who may open parts, with the public key they are sealed to.
type Recipient struct {
	Name string        `json:"name"`
	Role RecipientRole `json:"role"`
	// Key is the HPKE public key (MLKEM768-X25519, 1,216 bytes); KeyID its name
	// in manifests: hex of the first 8 bytes of its SHA-256.
	KeyID string `json:"keyId"`
	Key   []byte `json:"key"`
}

// Basis is the ground on which a person's data may be taken.
type Basis string

// Bases.
const (
	BasisConsent   Basis = "consent"
	BasisLegalDuty Basis = "legal duty"
	BasisOrder     Basis = "order"
)

// Authority is a legal authority: a statute, a warrant, an order.
type Authority struct {
	Code       string    `json:"code"` // what the officer chooses
	Kind       string    `json:"kind"` // "statute", "warrant", "order"
	Citation   string    `json:"citation"`
	Basis      Basis     `json:"basis"`
	ValidFrom  time.Time `json:"validFrom"`
	ValidUntil time.Time `json:"validUntil"`
}

// Category is a kind of subject and what may be taken of it.
type Category struct {
	Code  string     `json:"code"`
	Bands []BandRule `json:"bands"`
}

// BandRule says which modalities an age band permits. A band that is not
// listed permits none.
type BandRule struct {
	Band       AgeBand    `json:"band"`
	Modalities []Modality `json:"modalities"`
	Guardian   bool       `json:"guardian,omitempty"` // a guardian must be present and named in the notice
	// Without lists modalities that a protected flag takes away.
	Without map[ProtectedFlag][]Modality `json:"without,omitempty"`
}

// Visit says which steps a kind of visit has, in order.
type Visit struct {
	Kind     VisitKind  `json:"kind"`
	Steps    []StepKind `json:"steps"`
	Required []StepKind `json:"required"` // these cannot be skipped, only excepted
}

// Notice is what the person must be told: why, under which law, for how long,
// how to object.
type Notice struct {
	Text   map[string]string `json:"text"`   // by language (BCP 47)
	Digest map[string]string `json:"digest"` // hex SHA-256 of each text
	Given  []NoticeForm      `json:"given"`  // forms that satisfy
}

// NoticeForm is how a notice was given.
type NoticeForm string

// Forms of notice.
const (
	NoticeRead    NoticeForm = "read"    // read out
	NoticeShown   NoticeForm = "shown"   // on the person's screen
	NoticePrinted NoticeForm = "printed" // handed over on paper
)

// Floors are the lowest qualities that are taken without a second person.
type Floors struct {
	Iris int `json:"iris"` // own score, 0 to 100
	Face int `json:"face"`
}

// Matching sets how certain a match must be, as the expected number of false
// matches of one search, whatever the gallery's size (ISO/IEC 19795-1: FPIR).
type Matching struct {
	SearchFPIR float64 `json:"searchFpir"` // 1:N, for instance 1e-3
	VerifyFMR  float64 `json:"verifyFmr"`  // 1:1, for instance 1e-6
}

// SecondRule asks for a second person.
type SecondRule struct {
	When     SecondReason  `json:"when"`
	Deadline time.Duration `json:"deadline"`
}

// SecondReason says why a second person is needed.
type SecondReason string

// Reasons for a second person.
const (
	SecondHit       SecondReason = "hit"       // a candidate was found
	SecondBelow     SecondReason = "below"     // a capture below its floor was kept
	SecondException SecondReason = "exception" // something was not captured
	SecondAbandon   SecondReason = "abandon"   // abandoning after a hit
	SecondNoIrises  SecondReason = "no irises" // both irises excepted
	SecondDestroy   SecondReason = "destroy"   // destroying what was not delivered
	SecondDisagree  SecondReason = "disagree"  // two answers differ
	SecondProtected SecondReason = "protected" // a protected flag is set
)

// ListRule permits a watchlist to be searched and says what a hit does.
type ListRule struct {
	List         string        `json:"list"`
	Presentation Presentation  `json:"presentation"`
	MaxAge       time.Duration `json:"maxAge"` // older than this, the list's answer says so
}

// Presentation says how loudly a hit is shown.
type Presentation string

// Presentations.
const (
	PresentOpen     Presentation = "open"
	PresentDiscreet Presentation = "discreet"
)

// LocalSearch says what an index card may keep, and until when.
type LocalSearch struct {
	Name bool          `json:"name,omitempty"`
	Face bool          `json:"face,omitempty"`
	Keep time.Duration `json:"keep"` // from the day of sealing; zero keeps no card
}

// Retention says how long each side keeps a record.
type Retention struct {
	// KioskUndelivered is the longest a sealed record may wait here; reaching
	// it asks a supervisor and destroys nothing by itself.
	KioskUndelivered time.Duration `json:"kioskUndelivered"`
	Hub              time.Duration `json:"hub"`
	Partner          time.Duration `json:"partner"`
	ProbeNoMatch     time.Duration `json:"probeNoMatch"` // what becomes of a probe with no match; zero: erased at once
}

// Redress says how a person objects.
type Redress struct {
	Contact map[string]string `json:"contact"` // by language
}
