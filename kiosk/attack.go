package kiosk

import "slices"

// AttackSignal is one sign that what the camera saw may not be a live eye
// without disguise (ISO/IEC 30107-1: presentation attack). It is a signal for a
// person to look at, never a refusal by itself.
type AttackSignal struct {
	Kind AttackKind `json:"kind"`
	// Score is how far the sign goes, in the kind's own unit; see package
	// kiosk/iris/attack.
	Score float64 `json:"score"`
	// Strong says that Score is beyond what nearly all live eyes show.
	Strong bool `json:"strong,omitempty"`
}

// AttackKind is what a signal points to.
type AttackKind string

// Kinds of signals.
const (
	AttackPrint AttackKind = "print" // printing dots
	AttackLens  AttackKind = "lens"  // a contact lens with a printed pattern
	AttackStill AttackKind = "still" // pupil that does not move over a burst
)

// Suspect returns the strong signals of a capture.
func (q *Quality) Suspect() []AttackSignal {
	return slices.DeleteFunc(slices.Clone(q.Attack), func(s AttackSignal) bool { return !s.Strong })
}
