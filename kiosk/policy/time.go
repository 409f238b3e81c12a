package policy

import (
	"time"

	"tambo/kiosk"
)

// Clock is what is known about time at the kiosk.
type Clock struct {
	Build     time.Time     // of the program
	LastAudit time.Time     // of the last audit entry
	Signed    time.Time     // latest time that the hub signed, zero if none
	SinceSign time.Duration // uptime since that was received; a restart counts from the last audit entry
}

// Instant judges what the system clock says. It is trusted when it is not
// before the latest of hub-signed time, last audit entry and build time, and not
// more than a day beyond the last signed time plus uptime.
func (c Clock) Instant(now time.Time) kiosk.Instant {
	i := kiosk.Instant{Time: now.UTC()}
	const slack = 2 * time.Second // clocks are read twice
	for _, floor := range []time.Time{c.Build, c.LastAudit, c.Signed} {
		if now.Add(slack).Before(floor) {
			return i
		}
	}
	i.Trusted = !c.Signed.IsZero() && !now.After(c.Signed.Add(c.SinceSign+24*time.Hour))
	return i
}

// Purge reports ErrNotAllowed unless a sealed record may be destroyed: on a
// complete receipt. (The record's own retention limit, confirmed by a supervisor
// under trusted time, is the other way; RetentionReached says when it is.)
func Purge(complete bool) error {
	if !complete {
		return ErrNotAllowed
	}
	return nil
}

// RetentionReached reports that an undelivered record has waited longer than
// the agreement lets it, under trusted time. It destroys nothing by itself.
func RetentionReached(a *kiosk.Agreement, sealed time.Time, now kiosk.Instant) bool {
	return now.Trusted && a.Retention.KioskUndelivered > 0 && now.Time.Sub(sealed) > a.Retention.KioskUndelivered
}
