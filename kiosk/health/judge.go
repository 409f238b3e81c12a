package health

import (
	"slices"
	"time"
)

// Floors and limits, with where they are from.
const (
	// irisFloor and faceFloor are how many whole frames a second a camera must
	// give. Of the iris camera the kiosk asks 15; below 12 the guidance lags behind
	// the person. A face camera gives 10 or more at the size that its driver chooses
	// (devices.FaceCamera), and a photo is chosen from four looks that are 90 ms
	// apart (kiosk/capture): four fifths of 10, as 12 are of 15, still make them in
	// half a second.
	irisFloor, faceFloor = 12.0, 8.0
	// rateFrames is how many frames it takes to speak of a rate.
	rateFrames = 10
	// SharpFloor is the modulation in percent that must be left at 2 line pairs
	// a millimetre on the subject (60 % there is what ISO/IEC 19794-6:2005, annex A,
	// asks of the least of its three grades of image).
	SharpFloor = 60
	// White of the eye model must lie between these levels of 255: below, the
	// iris drowns in noise; above, it is cut off.
	WhiteFloor, WhiteTop = 110, 245
	// EvenFloor: the darkest corner over the brightest, in percent.
	EvenFloor = 55
	// ScanSharpFloor is for 300 dpi, where 2 line pairs a millimetre are 5.9
	// pixels; OCR-B strokes are 0.3 mm wide (ISO 1073-2).
	ScanSharpFloor = 40
	ScanWhiteFloor = 190
	// ScaleLimit and SkewLimit keep a TD3 zone inside the reader's window.
	ScaleLimit = 1.5 // percent
	SkewLimit  = 3.0 // degrees
	// SkewTime: farther from the hub's time than this a clock is wrong, since
	// certificates and agreements are judged by it.
	SkewTime = 2 * time.Minute
	// QueueAge is when somebody should look after the road.
	QueueAge = 24 * time.Hour
	// Soon is how long before its end a certificate or an agreement is mentioned.
	Soon = 14 * 24 * time.Hour
	// LossAge is how long lost packets are held against a cable.
	LossAge = 24 * time.Hour
	// Together: devices that go within this time of each other went together.
	Together = 3 * time.Second
	// BatteryFloor in percent.
	BatteryFloor = 25
	// WornTop in percent of the life that the disk's maker gives it.
	WornTop = 90
)

// RateFloor is how many whole frames a second the camera of a part must give.
func RateFloor(p Part) float64 {
	if p == PartFace {
		return faceFloor
	}
	return irisFloor
}

// Finding is a cause with what it is about. Only fields that the cause speaks of
// are set.
type Finding struct {
	Part   Part   `json:"part"`
	Cause  Cause  `json:"cause"`
	Weight Weight `json:"weight"`
	Port   string `json:"port,omitempty"`
	// Function is as of DeviceFacts.
	Function int           `json:"function,omitempty"`
	Name     string        `json:"name,omitempty"` // of a file of the vault, or the hub's address
	Count    int           `json:"count,omitempty"`
	At       time.Time     `json:"at,omitzero"`
	Span     time.Duration `json:"span,omitempty"`
}

// Report is what follows from facts.
type Report struct {
	At time.Time `json:"at"`
	// Findings, the verdict first; empty: nothing is known to be wrong.
	Findings []Finding `json:"findings"`
	// Unknown are parts that were not looked at, or could not be.
	Unknown []Part `json:"unknown,omitempty"`
	// Lines are the parts one by one, with their figures.
	Lines []Line `json:"lines"`
	// Worked is what worked, and when, the latest first.
	Worked []Worked `json:"worked"`
}

// Verdict is the first finding; false when there is none.
func (r Report) Verdict() (Finding, bool) {
	if len(r.Findings) == 0 {
		return Finding{}, false
	}
	return r.Findings[0], true
}

// Weight is that of the verdict.
func (r Report) Weight() Weight {
	f, _ := r.Verdict()
	return f.Weight
}

// Judge says what follows from facts. What one cause explains is not a finding
// of its own:
//
//   - a disk that takes nothing explains a vault that does not open; one that says
//     that it fails explains its errors and its wear;
//   - a wrong clock explains certificates that are early or over, and an
//     agreement that is;
//   - a bus that cannot be listed explains missing devices;
//   - two devices of one USB hub that went together explain each other;
//   - lost packets explain a low frame rate, and so does a slow link;
//   - the step of the road that failed explains an old queue.
func Judge(f Facts) Report {
	j := &judging{f: f}
	j.disk()
	j.vault()
	j.clock()
	j.devices()
	j.road()
	j.keys()
	j.rest()
	slices.SortStableFunc(j.found, func(a, b Finding) int {
		if a.Weight != b.Weight {
			return int(b.Weight - a.Weight)
		}
		i, _ := rank(a.Cause)
		k, _ := rank(b.Cause)
		return i - k
	})
	r := Report{At: f.At, Findings: j.found, Unknown: unknown(f), Worked: worked(f)}
	r.Lines = lines(f, r.Findings, r.Unknown)
	return r
}

type judging struct {
	f     Facts
	found []Finding
}

func (j *judging) say(p Part, c Cause, more ...func(*Finding)) {
	_, w := rank(c)
	f := Finding{Part: p, Cause: c, Weight: w}
	for _, m := range more {
		m(&f)
	}
	j.found = append(j.found, f)
}

func count(n int) func(*Finding)    { return func(f *Finding) { f.Count = n } }
func named(s string) func(*Finding) { return func(f *Finding) { f.Name = s } }
func port(s string) func(*Finding)  { return func(f *Finding) { f.Port = s } }
func of(d DeviceFacts) func(*Finding) {
	return func(f *Finding) { f.Port, f.Function = d.Port, d.Function }
}
func when(t time.Time) func(*Finding)     { return func(f *Finding) { f.At = t } }
func span(d time.Duration) func(*Finding) { return func(f *Finding) { f.Span = d } }

func (j *judging) has(cs ...Cause) bool {
	return slices.ContainsFunc(j.found, func(f Finding) bool { return slices.Contains(cs, f.Cause) })
}

func (j *judging) disk() {
	d := j.f.Disk
	if d == nil {
		return
	}
	switch {
	case d.ReadOnly:
		j.say(PartDisk, CauseDiskReadOnly)
	case d.Total > 0 && d.Free < d.Reserve:
		j.say(PartDisk, CauseDiskFull, count(int(d.Free>>20)))
	case d.Refused:
		j.say(PartDisk, CauseDiskRefuses)
	case d.Total > 0 && d.Free < max(d.Total/20, 4*d.Reserve):
		j.say(PartDisk, CauseDiskLow, count(int(d.Free>>20)))
	}
	switch errors := d.Errors + d.Unreadable; {
	case d.Failing:
		j.say(PartDisk, CauseDiskDying)
	case errors > 0:
		j.say(PartDisk, CauseDiskFailing, count(errors))
	}
	if d.Worn >= WornTop && !d.Failing {
		j.say(PartDisk, CauseDiskWorn, count(d.Worn))
	}
}

func (j *judging) vault() {
	v := j.f.Vault
	if v == nil {
		return
	}
	if v.Unclean {
		j.say(PartVault, CauseUnclean)
	}
	if v.State == VaultOpen && v.Damaged > 0 {
		j.say(PartVault, CauseVaultFiles, count(v.Damaged))
	}
	cause := map[VaultState]Cause{VaultMissing: CauseVaultMissing, VaultKey: CauseVaultKey, VaultDamaged: CauseVaultDamaged, VaultClosed: CauseVaultClosed}[v.State]
	if cause == "" || v.State == VaultClosed && j.has(CauseDiskReadOnly, CauseDiskFull, CauseDiskRefuses) {
		return
	}
	j.say(PartVault, cause, named(v.File))
}

// clock: only the hub can say that a clock is wrong, or a certificate that has
// not begun: the kiosk's own was made before now.
func (j *judging) clock() {
	c := j.f.Clock
	if c == nil {
		return
	}
	early := j.f.Keys != nil && !j.f.Keys.CertBegins.IsZero() && j.f.At.Add(SkewTime).Before(j.f.Keys.CertBegins)
	behind := !c.Signed.IsZero() && j.f.At.Add(SkewTime).Before(c.Signed)
	switch {
	case c.Known && c.Skew.Abs() > SkewTime:
		j.say(PartClock, CauseClockWrong, span(c.Skew))
	case early:
		j.say(PartClock, CauseClockWrong, span(j.f.At.Sub(j.f.Keys.CertBegins)))
	case behind:
		j.say(PartClock, CauseClockWrong, span(j.f.At.Sub(c.Signed)))
	case !c.Trusted:
		j.say(PartClock, CauseClockUnsure)
	}
}

// keys: what ends by itself, judged by a clock that is not known to be wrong.
func (j *judging) keys() {
	k := j.f.Keys
	if k == nil || j.has(CauseClockWrong) {
		return
	}
	now := j.f.At
	switch {
	case j.has(CauseNoHub):
	case !k.Agreement:
		j.say(PartKeys, CauseNoAgreement)
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		j.say(PartKeys, CauseAgreementOver, when(k.Expires))
	case !k.Expires.IsZero() && k.Expires.Sub(now) < Soon:
		j.say(PartKeys, CauseAgreementSoon, when(k.Expires), span(k.Expires.Sub(now)))
	}
	switch {
	case k.CertEnds.IsZero():
	case !now.Before(k.CertEnds):
		j.say(PartKeys, CauseCertOver, when(k.CertEnds))
		j.found = slices.DeleteFunc(j.found, func(f Finding) bool { return f.Cause == CauseRejected }) // of course
	case k.CertEnds.Sub(now) < Soon:
		j.say(PartKeys, CauseCertSoon, when(k.CertEnds), span(k.CertEnds.Sub(now)))
	}
}

func (j *judging) rest() {
	if q := j.f.Queue; q != nil {
		if q.Refused > 0 {
			j.say(PartQueue, CausePackages, count(q.Refused))
		}
		if age := j.f.At.Sub(q.Oldest); !q.Oldest.IsZero() && age > QueueAge && !j.roadFails() && !j.has(CauseClockWrong, CauseNoHub) {
			j.say(PartQueue, CauseQueueOld, count(q.Waiting), span(age))
		}
	}
	if p := j.f.Power; p != nil && !p.Mains && p.Percent < BatteryFloor {
		j.say(PartPower, CauseBattery, count(p.Percent))
	}
	if p := j.f.Printer; p != nil && !p.Prints && !p.Saves {
		j.say(PartPrinter, CauseNoPrinter)
	}
}
