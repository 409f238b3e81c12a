package kiosk

// Scope says where a search was made.
type Scope string

// Scopes of a search.
const (
	ScopeSite  Scope = "site"  // index cards of this kiosk and the site gallery
	ScopeLists Scope = "lists" // watchlists
	ScopeHub   Scope = "hub"   // the hub's gallery
	ScopeDraft Scope = "draft" // 1:1 against an open draft: same person?
)

// Search is one search that was made, with everything that is needed to judge
// its answer later. It is committed as an event before it is shown. A search
// that is not Complete is never "no match".
type Search struct {
	ID       int         `json:"id"` // within the encounter, from 1
	Scope    Scope       `json:"scope"`
	Lists    []ListAge   `json:"lists,omitempty"` // which lists, and how old each was
	Captures []CaptureID `json:"captures"`        // the probes
	Eyes     int         `json:"eyes"`            // eyes that were searched; 0: "not searched by iris"
	// Compared of Total entries; NotCompared were of another engine version, of the
	// other eye only, or could not be read.
	Compared    int         `json:"compared"`
	NotCompared int         `json:"notCompared"`
	Total       int         `json:"total"`
	Complete    bool        `json:"complete"`
	FPIR        float64     `json:"fpir"` // false positives expected of one such search at the threshold used
	Candidates  []Candidate `json:"candidates,omitempty"`
	At          Instant     `json:"at"`
}

// ListAge says how old a list was when it was searched.
type ListAge struct {
	List    string  `json:"list"`
	Version uint64  `json:"version"`
	Signed  Instant `json:"signed"` // when the hub signed this state
}

// CandidateKind says what a candidate is.
type CandidateKind string

// Candidate kinds.
const (
	CandidateEncounter CandidateKind = "encounter" // an earlier encounter: here before
	CandidateWatch     CandidateKind = "watch"     // an entry of a watchlist
)

// MatchedBy says what matched.
type MatchedBy string

// What matches.
const (
	MatchedIris     MatchedBy = "iris"
	MatchedDocument MatchedBy = "document" // exact document number after normalisation
	MatchedName     MatchedBy = "name"     // a ranked suggestion, never an automatic hit
)

// Candidate is one answer of a search.
type Candidate struct {
	Kind      CandidateKind `json:"kind"`
	By        MatchedBy     `json:"by"`
	Encounter EncounterID   `json:"encounter,omitempty"`
	Subject   string        `json:"subject,omitempty"` // the hub's, when known
	List      string        `json:"list,omitempty"`
	Entry     string        `json:"entry,omitempty"` // watchlist entry id
	// LogFMR is the calibrated −log10 of the false match rate at this score,
	// fused over the eyes compared; Strangers is how often a stranger would do
	// this in a search of that size: once in Strangers searches.
	LogFMR       float64      `json:"logFmr,omitempty"`
	Strangers    float64      `json:"strangers,omitempty"`
	Eyes         int          `json:"eyes,omitempty"` // eyes that were compared
	Instruction  *Instruction `json:"instruction,omitempty"`
	Presentation Presentation `json:"presentation,omitempty"`
}

// Instruction tells the officer what to do first.
type Instruction struct {
	Code string            `json:"code"`
	Text map[string]string `json:"text"` // by language
}

// Verdict is an answer about one candidate. None is ever preselected.
type Verdict string

// Verdicts.
const (
	VerdictSame      Verdict = "same person"
	VerdictDifferent Verdict = "not the same"
	VerdictUnsure    Verdict = "cannot tell"
)

// Answer is what a person decided about one candidate of one search.
type Answer struct {
	Search    int     `json:"search"`
	Candidate int     `json:"candidate"` // index into Search.Candidates
	Verdict   Verdict `json:"verdict"`
	By        string  `json:"by"`
	Second    bool    `json:"second,omitempty"` // given by the second person, who had not seen the first
	At        Instant `json:"at"`
}

// Decision closes the question of a visit.
type Decision struct {
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason,omitempty"` // code
	By      string  `json:"by"`
	At      Instant `json:"at"`
}

// Outcome is what was decided.
type Outcome string

// Outcomes.
const (
	OutcomeEnrol        Outcome = "enrol"
	OutcomeAdmit        Outcome = "admit"
	OutcomeRefer        Outcome = "refer"
	OutcomeRefuse       Outcome = "refuse"
	OutcomeConfirmed    Outcome = "confirmed"     // release check: this is the person
	OutcomeNotConfirmed Outcome = "not confirmed" // never "impostor"
)
