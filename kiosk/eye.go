package kiosk

import "fmt"

// Eye names an eye by the subject's own side, never the viewer's. The values
// are those of ISO/IEC 19794-6:2011 (representation header) and
// ANSI/NIST-ITL 1-2011 field 17.003.
type Eye uint8

// Eyes.
const (
	EyeUnknown Eye = 0 // side not known; compared with both
	EyeRight   Eye = 1 // the subject's right
	EyeLeft    Eye = 2 // the subject's left
)

// BothEyes lists the two eyes in the order in which they are shown and sealed.
var BothEyes = [2]Eye{EyeRight, EyeLeft}

// String returns "right", "left" or "unknown".
func (e Eye) String() string {
	switch e {
	case EyeRight:
		return "right"
	case EyeLeft:
		return "left"
	case EyeUnknown:
		return "unknown"
	}
	return fmt.Sprintf("eye(%d)", uint8(e))
}

// Valid reports whether e is one of the three defined values.
func (e Eye) Valid() bool { return e <= EyeLeft }

// Template is one biometric template: the features of one eye as an engine
// wrote them (ISO/IEC 2382-37: biometric template). It is opaque outside
// package iris. Templates of different engines or engine versions never
// compare.
type Template struct {
	Engine string // engine and version, for instance "tambo-iris/1"
	Eye    Eye
	Data   []byte // the engine's own encoding
}
