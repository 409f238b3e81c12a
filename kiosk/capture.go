package kiosk

// CaptureID numbers a capture within its encounter, from 1. A retake gets a new
// number; the earlier one is kept until sealing, or cleared by the officer.
type CaptureID int

// Capture is one captured biometric or page (ISO/IEC 2382-37: captured
// biometric sample) and what was found in it. The image itself lies in the
// vault under Part.
type Capture struct {
	ID       CaptureID `json:"id"`
	Modality Modality  `json:"modality"`
	Eye      Eye       `json:"eye,omitempty"`
	Part     string    `json:"part"` // name of the image in the encounter's file
	Width    int       `json:"width"`
	Height   int       `json:"height"`
	At       Instant   `json:"at"`
	Quality  Quality   `json:"quality"`
	Template *Template `json:"template,omitempty"`
	// Earlier holds templates of the same image by earlier engines, for searching
	// what was enrolled with those. They never leave the kiosk.
	Earlier []Template `json:"earlier,omitempty"`
	// Read is set on a page whose machine-readable zone was found and parsed.
	Read bool `json:"read,omitempty"`
	// Below is set when the quality is under the agreement's floor and the
	// capture was kept all the same, with the officer's reason.
	Below      string     `json:"below,omitempty"`
	Annotation string     `json:"annotation,omitempty"`
	Cleared    bool       `json:"cleared,omitempty"` // withdrawn by the officer or destroyed by rule: image and template are gone
	Provenance Provenance `json:"provenance"`
}

// Quality is a capture's standing against its floor.
type Quality struct {
	Score int `json:"score"` // 0 to 100, the engine's own
	Floor int `json:"floor"` // of the agreement in force
	// Vector holds the parts of the score: for irises the standard's metrics by
	// clause name (ISO/IEC 29794-6:2015 6.2), for a face photo our own, named
	// after ISO/IEC 29794-5.
	Vector map[string]float64 `json:"vector,omitempty"`
	// Attack holds the signals of a presentation attack that were looked for, for
	// irises; one that could not be judged is missing.
	Attack []AttackSignal `json:"attack,omitempty"`
}

// Provenance says what took a capture.
type Provenance struct {
	Device  string `json:"device"` // product name
	Driver  string `json:"driver"`
	Port    string `json:"port"`
	Virtual bool   `json:"virtual,omitempty"` // a software device: training only
}

// Exception says why something was not captured. It is offered before the
// struggle, and is never the same as "not collected by rule".
type Exception struct {
	Modality Modality        `json:"modality"`
	Eye      Eye             `json:"eye,omitempty"`
	Reason   ExceptionReason `json:"reason"`
	Words    string          `json:"words,omitempty"`   // the person's own, when they refuse
	Present  string          `json:"present,omitempty"` // who was there, when they refuse
	By       string          `json:"by"`                // operator label
	At       Instant         `json:"at"`
}

// ExceptionReason is a coded reason.
type ExceptionReason string

// Reasons for an exception. The eye reasons map to ANSI/NIST-ITL 17.028: MA for
// missing and prosthetic, UC for the rest.
const (
	ExceptMissing    ExceptionReason = "missing"
	ExceptProsthetic ExceptionReason = "prosthetic"
	ExceptBandaged   ExceptionReason = "bandaged"
	ExceptCannotOpen ExceptionReason = "cannot open"
	ExceptRefuses    ExceptionReason = "refuses"
	ExceptNoDocument ExceptionReason = "no document"
	ExceptUnreadable ExceptionReason = "unreadable"
	ExceptDevice     ExceptionReason = "device fault"
)

// Valid reports whether the reason is defined for the modality.
func (r ExceptionReason) Valid(m Modality) bool {
	switch r {
	case ExceptRefuses, ExceptDevice:
		return true
	case ExceptMissing, ExceptProsthetic, ExceptBandaged, ExceptCannotOpen:
		return m == ModalityIris
	case ExceptNoDocument, ExceptUnreadable:
		return m == ModalityDocument
	}
	return false
}
