// Package health turns facts about a kiosk into a verdict: what is most likely
// wrong, and so what to do next, first; the figures that say so, with their
// floors, after it.
//
// It is pure: facts and a time in, a [Report] out. It never looks at a device, a
// disk or a clock itself, never says a sentence (package words does, from its
// codes), and never holds anything about a person: facts name parts, ports,
// files of the vault and the hub's address, and nothing else has a field. What
// the window told officers is kept as keys of words ([Note]), never as values.
//
// Two mistakes matter most here. Blaming the wrong part sends a technician for a
// cable that is sound, so one cause hides what it explains ([Judge] says which);
// and a figure that was never measured is not zero, so what is unknown is said to
// be unknown.
package health

import "time"

// Part is a part of the kiosk.
type Part string

// Parts.
const (
	PartCamera  Part = "camera"
	PartFace    Part = "face"
	PartScanner Part = "scanner"
	PartChip    Part = "chip"
	PartHub     Part = "hub"
	PartQueue   Part = "queue"
	PartKeys    Part = "keys" // certificates and the agreement
	PartVault   Part = "vault"
	PartDisk    Part = "disk"
	PartClock   Part = "clock"
	PartPower   Part = "power"
	PartPrinter Part = "printer"
	PartUnknown Part = "unknown" // a device that nothing here speaks to
)

// Facts is what was looked at. Pointers that are nil were not looked at, which is
// not the same as well.
type Facts struct {
	At      time.Time     `json:"at"`
	Clock   *ClockFacts   `json:"clock,omitempty"`
	Disk    *DiskFacts    `json:"disk,omitempty"`
	Vault   *VaultFacts   `json:"vault,omitempty"`
	Queue   *QueueFacts   `json:"queue,omitempty"`
	Keys    *KeyFacts     `json:"keys,omitempty"`
	Road    *RoadFacts    `json:"road,omitempty"`
	Power   *PowerFacts   `json:"power,omitempty"`
	Printer *PrinterFacts `json:"printer,omitempty"`

	// Bus is why the bus could not be listed: a code, empty when it was.
	Bus     BusFault      `json:"bus,omitempty"`
	Devices []DeviceFacts `json:"devices,omitempty"`
	// Needs are the parts that this kiosk must have; a missing one is a fault.
	Needs []Part `json:"needs,omitempty"`
}

// BusFault says why no bus could be listed.
type BusFault string

// Faults of the bus.
const (
	BusFails    BusFault = "fails"    // the controller or its driver
	BusTraining BusFault = "training" // virtual devices without a training agreement
)

// ClockFacts is how the time stands.
type ClockFacts struct {
	Trusted bool `json:"trusted"`
	// Skew is how far this clock is ahead of the hub's, where that is Known.
	Skew  time.Duration `json:"skew"`
	Known bool          `json:"known"`
	// Signed is the latest time that the hub signed, zero if none.
	Signed time.Time `json:"signed,omitzero"`
}

// DiskFacts is the disk that holds the vault.
type DiskFacts struct {
	Free     int64 `json:"free"` // bytes
	Total    int64 `json:"total"`
	Reserve  int64 `json:"reserve"` // kept for what is open
	ReadOnly bool  `json:"readOnly"`
	// Errors are those that the file system counted since it was made.
	Errors int `json:"errors"`
	// Refused: a small file could not be written and synced just now.
	Refused bool `json:"refused"`
	// Worn is how much of its life the maker says is used, in percent; 0 where
	// it does not say.
	Worn int `json:"worn"`
	// Asked: the disk itself was asked (SMART). Failing is that it says it fails,
	// or is about to; Unreadable are pieces of data that it could not read.
	Asked      bool `json:"asked"`
	Failing    bool `json:"failing,omitempty"`
	Unreadable int  `json:"unreadable,omitempty"`
}

// VaultState is how the vault opened.
type VaultState string

// States of the vault.
const (
	VaultOpen    VaultState = "open"
	VaultInUse   VaultState = "in use" // another program of ours has it: well
	VaultMissing VaultState = "missing"
	VaultKey     VaultState = "key" // the machine's key does not open it
	VaultDamaged VaultState = "damaged"
	VaultClosed  VaultState = "closed" // anything else
)

// VaultFacts is the vault, as opening and checking found it.
type VaultFacts struct {
	State   VaultState `json:"state"`
	File    string     `json:"file,omitempty"`    // which file is damaged
	Damaged int        `json:"damaged,omitempty"` // files that cannot be read, the vault being open
	Entries int64      `json:"entries"`           // of the log
	Unclean bool       `json:"unclean"`           // the last run ended without closing it
	Checked time.Time  `json:"checked,omitzero"`
}

// QueueFacts is what waits for the hub.
type QueueFacts struct {
	Waiting int       `json:"waiting"`
	Refused int       `json:"refused"`
	Oldest  time.Time `json:"oldest,omitzero"`
}

// KeyFacts is what ends by itself.
type KeyFacts struct {
	Agreement  bool      `json:"agreement"` // there is one
	NotBefore  time.Time `json:"notBefore,omitzero"`
	Expires    time.Time `json:"expires,omitzero"`
	CertBegins time.Time `json:"certBegins,omitzero"` // of this kiosk's certificate
	CertEnds   time.Time `json:"certEnds,omitzero"`
}

// RoadStep is a step on the way to the hub.
type RoadStep string

// Steps, in the order in which they are made.
const (
	StepLink  RoadStep = "link" // a network is there at all
	StepName  RoadStep = "name"
	StepTCP   RoadStep = "tcp"
	StepTLS   RoadStep = "tls"
	StepDates RoadStep = "dates" // of the hub's certificate
	StepHTTP  RoadStep = "http"
	StepClock RoadStep = "clock"
)

// RoadFault says how a step failed.
type RoadFault string

// Faults of the road.
const (
	RoadNoLink   RoadFault = "no link"
	RoadNoName   RoadFault = "no name"
	RoadNoWay    RoadFault = "no way"
	RoadRefused  RoadFault = "refused"
	RoadTimeout  RoadFault = "timeout"
	RoadImpostor RoadFault = "impostor" // whoever answers is not the pinned hub
	RoadEarly    RoadFault = "early"    // the hub's certificate is not valid yet
	RoadExpired  RoadFault = "expired"  // the hub's certificate is over
	RoadRejected RoadFault = "rejected" // the hub does not accept this kiosk's certificate
	RoadStatus   RoadFault = "status"   // it answers with an error of its own
	RoadCut      RoadFault = "cut"
	RoadSkew     RoadFault = "skew"
)

// RoadMade is a step that was made, or the one that failed.
type RoadMade struct {
	Step  RoadStep      `json:"step"`
	Fault RoadFault     `json:"fault,omitempty"` // empty: well
	Took  time.Duration `json:"took"`
	// Status is the HTTP status, Ends the end of the hub's certificate.
	Status int       `json:"status,omitempty"`
	Ends   time.Time `json:"ends,omitzero"`
}

// RoadFacts is the way to the hub, step by step; the last is the one that
// failed, if one did.
type RoadFacts struct {
	Hub   string     `json:"hub"` // host and port; empty: this kiosk has no hub
	Steps []RoadMade `json:"steps"`
	At    time.Time  `json:"at"`
}

// PowerFacts is where the current comes from.
type PowerFacts struct {
	Mains   bool `json:"mains"`
	Percent int  `json:"percent"`
}

// PrinterFacts is how papers come out.
type PrinterFacts struct {
	Prints bool `json:"prints"`
	Saves  bool `json:"saves"`
}

// DeviceFault is how a device failed when it was used last.
type DeviceFault string

// Faults of devices; those of package devices, and descriptors that cannot be
// followed.
const (
	DeviceGone        DeviceFault = "gone"
	DeviceBusy        DeviceFault = "busy"
	DeviceStalled     DeviceFault = "stalled"
	DeviceBadData     DeviceFault = "bad data"
	DeviceAccess      DeviceFault = "access"
	DeviceDescriptors DeviceFault = "descriptors"
)

// DeviceFacts is a device, or one that was there before.
type DeviceFacts struct {
	Part  Part   `json:"part"`
	Name  string `json:"name,omitempty"`
	Model string `json:"model,omitempty"` // VID:PID
	Port  string `json:"port"`
	// Function tells cameras of one device apart that are at one port: the
	// interface number of the video function, 0 where there is one.
	Function int `json:"function,omitempty"`

	Driver  string `json:"driver,omitempty"`
	Virtual bool   `json:"virtual,omitempty"`
	// WhyNot: no driver takes it. A hub is not listed. Could is the part that its
	// class says it could be, empty for keyboards and the like.
	WhyNot bool `json:"whyNot,omitempty"`
	Could  Part `json:"could,omitempty"`
	// Slow: it hangs on a link of 12 Mbit/s or less.
	Slow    bool      `json:"slow,omitempty"`
	Present bool      `json:"present"`
	Left    time.Time `json:"left,omitzero"` // when it went

	Fault   DeviceFault  `json:"fault,omitempty"`
	FaultAt time.Time    `json:"faultAt,omitzero"`
	Stream  *StreamFacts `json:"stream,omitempty"`
	Target  *TargetFacts `json:"target,omitempty"`
	Page    *PageFacts   `json:"page,omitempty"`
}

// StreamFacts is what a stream did.
type StreamFacts struct {
	Rate      float64       `json:"rate"` // whole frames a second, lately
	Frames    uint64        `json:"frames"`
	Dropped   uint64        `json:"dropped"`   // whole frames that nobody took in time
	Damaged   uint64        `json:"damaged"`   // given up: lost or wrong packets
	BusErrors uint64        `json:"busErrors"` // transfers that failed
	Latency   time.Duration `json:"latency"`   // from complete to taken, the longest of late
	Lost      time.Time     `json:"lost,omitzero"`
	At        time.Time     `json:"at"`
}

// TargetFacts is what the camera saw of the eye model.
type TargetFacts struct {
	Found bool `json:"found"`
	// Sharp is the modulation that is left at 2 line pairs a millimetre, in
	// percent; White the level of the model's white, Even the darkest corner
	// over the brightest, in percent.
	Sharp   int       `json:"sharp"`
	White   int       `json:"white"`
	Even    int       `json:"even"`
	Swapped bool      `json:"swapped,omitempty"` // left and right eye are exchanged
	At      time.Time `json:"at"`
}

// PageFacts is what the scanner made of the calibration page.
type PageFacts struct {
	Found bool      `json:"found"`
	Sharp int       `json:"sharp"` // modulation at 2 line pairs a millimetre, percent
	White int       `json:"white"`
	Scale float64   `json:"scale"` // measured over true length, in percent
	Skew  float64   `json:"skew"`  // degrees
	At    time.Time `json:"at"`
}
