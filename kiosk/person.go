package kiosk

// AgeBand is the band that decides which modalities are permitted.
type AgeBand string

// Age bands. An agreement lists those it knows.
const (
	BandUnder14 AgeBand = "under 14"
	Band14To17  AgeBand = "14 to 17"
	BandAdult   AgeBand = "adult"
	BandUnknown AgeBand = "unknown" // treated as the youngest band listed
)

// AgeBasis says what an age band rests on.
type AgeBasis string

// Bases of an age band.
const (
	AgeDocument  AgeBasis = "document"
	AgeStated    AgeBasis = "stated"
	AgeEstimated AgeBasis = "estimated"
)

// ProtectedFlag marks a person who needs special care.
type ProtectedFlag string

// Protected flags.
const (
	FlagPregnant   ProtectedFlag = "pregnant"
	FlagDisability ProtectedFlag = "disability"
	FlagAsylum     ProtectedFlag = "asylum"
	FlagVictim     ProtectedFlag = "victim"
	FlagMinorAlone ProtectedFlag = "minor alone"
)

// Modality is what may be captured of a person.
type Modality string

// Modalities.
const (
	ModalityIris     Modality = "iris"
	ModalityFace     Modality = "face"
	ModalityDocument Modality = "document"
)

// Arrival is what stands before any capture: who brought the person, under
// which authority, what age band, which language. Modalities and recipients
// are computed from it.
type Arrival struct {
	Wristband string          `json:"wristband"` // number on the wristband, the person's handle at this site
	Authority string          `json:"authority"` // Authority.Code of the agreement
	Category  string          `json:"category"`  // Category.Code of the agreement
	Band      AgeBand         `json:"band"`
	BandBasis AgeBasis        `json:"bandBasis"`
	Language  string          `json:"language"` // BCP 47, of the person
	Guardian  string          `json:"guardian,omitempty"`
	Flags     []ProtectedFlag `json:"flags,omitempty"`
	Notice    NoticeEvidence  `json:"notice"`
	Batch     string          `json:"batch,omitempty"` // the van they came in
}

// NoticeEvidence proves that the person was told.
type NoticeEvidence struct {
	Language string     `json:"language"`
	Digest   string     `json:"digest"` // of the text that was given
	Form     NoticeForm `json:"form"`
	At       Instant    `json:"at"`
}

// Identity is who the person says they are, or their document. Each field
// says where it came from. Unknown names, two surnames and partial birth dates
// ("1987-XX-XX") are normal.
type Identity struct {
	Surname        Field          `json:"surname"` // primary identifier
	Given          Field          `json:"given"`   // secondary identifier
	Birth          Field          `json:"birth"`
	Sex            Field          `json:"sex"` // M, F, X or empty
	Nationality    Field          `json:"nationality"`
	DocumentType   Field          `json:"documentType"`
	DocumentNumber Field          `json:"documentNumber"`
	Issuer         Field          `json:"issuer"`
	Expiry         Field          `json:"expiry"`
	Aliases        []string       `json:"aliases,omitempty"`
	Disagreements  []Disagreement `json:"disagreements,omitempty"`
}

// Disagreement is a field about which two sources differ, and what the officer
// answered. It is never passed over.
type Disagreement struct {
	Field  string  `json:"field"`
	Values []Field `json:"values"`
	Chosen int     `json:"chosen"` // index into Values, -1 while unanswered
}

// Subject is a person as the hub knows them: the encounters that people have
// linked. Only the hub merges.
type Subject struct {
	ID         string        `json:"id"`
	Encounters []EncounterID `json:"encounters"`
	Names      []string      `json:"names"`
}
