package kiosk

import "errors"

// VisitTest marks the encounter that a technician makes to hand a kiosk back: it
// shows that capture, scan and seal work, on the technician's own test objects. It
// is nobody's. No rule of intake begins one, and the vault neither keeps, seals
// nor queues one ([ErrTest]), so that it can be neither delivered nor searched.
const VisitTest VisitKind = "technician's test"

// ErrTest: a test encounter was to be kept, sealed, queued or searched.
var ErrTest = errors.New("a technician's test is neither kept, queued nor searched")
