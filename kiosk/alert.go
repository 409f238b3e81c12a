package kiosk

import "time"

// AlertState is where an alert stands. "Not yet confirmed by a person" until
// somebody has.
type AlertState string

// Alert states, in order; withdrawn may follow any.
const (
	AlertRaised     AlertState = "raised"
	AlertClaimed    AlertState = "claimed"
	AlertConfirmed  AlertState = "confirmed"
	AlertRejected   AlertState = "rejected"
	AlertCannotTell AlertState = "cannot tell"
	AlertDelivered  AlertState = "delivered"
	AlertSeen       AlertState = "seen by"
	AlertDone       AlertState = "done"
	AlertWithdrawn  AlertState = "withdrawn"
)

// Alert tells a kiosk that the hub found something about an encounter it sent,
// perhaps after the person has moved on.
type Alert struct {
	ID          string      `json:"id"`
	Encounter   EncounterID `json:"encounter"`
	State       AlertState  `json:"state"`
	Confirmed   bool        `json:"confirmed"` // by a person at the hub
	Candidate   Candidate   `json:"candidate"`
	Instruction Instruction `json:"instruction"`
	Raised      time.Time   `json:"raised"`
	Version     uint64      `json:"version"` // counts changes of this alert; the newer wins
	SeenBy      string      `json:"seenBy,omitempty"`
}
