package kiosk

import "time"

// Instant is a moment and how far it may be believed.
type Instant struct {
	Time time.Time `json:"time"` // UTC
	// Trusted: not before the latest of hub-signed time, last audit entry and
	// build time, and not more than a day beyond the last signed time plus
	// uptime. Otherwise the time is only declared, and nothing is destroyed on
	// its word.
	Trusted bool `json:"trusted"`
}
