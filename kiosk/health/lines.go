package health

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Line is a part with what was measured of it.
type Line struct {
	Part     Part     `json:"part"`
	Port     string   `json:"port,omitempty"`
	Function int      `json:"function,omitempty"` // as of DeviceFacts
	Name     string   `json:"name,omitempty"`     // product, driver's words; of the hub its address
	Weight   Weight   `json:"weight"`             // of its gravest finding
	Cause    Cause    `json:"cause,omitempty"`
	Known    bool     `json:"known"` // it was looked at
	There    bool     `json:"there"` // of a device: plugged in
	Figs     []Figure `json:"figures,omitempty"`
}

// Figure is a number with its floor or its top. Its words are under "figure.".
type Figure struct {
	Key   string  `json:"key"`
	Value float64 `json:"value"`
	// Floor is what it must reach, Top what it may not pass; NaN is none, and is
	// left out of JSON.
	Floor *float64 `json:"floor,omitempty"`
	Top   *float64 `json:"top,omitempty"`
}

// Low reports whether the figure does not keep its floor or its top.
func (f Figure) Low() bool {
	return f.Floor != nil && f.Value < *f.Floor || f.Top != nil && f.Value > *f.Top
}

// Figures, by key, with their units.
const (
	FigRate    = "rate"    // frames a second
	FigLost    = "lost"    // frames given up
	FigBus     = "bus"     // transfers that failed
	FigLate    = "late"    // milliseconds
	FigSharp   = "sharp"   // percent
	FigWhite   = "white"   // levels of 255
	FigEven    = "even"    // percent
	FigScale   = "scale"   // percent of the true length
	FigFree    = "free"    // gigabytes
	FigWorn    = "worn"    // percent of the disk's life
	FigWaiting = "waiting" // records
	FigOldest  = "oldest"  // hours
	FigSkew    = "skew"    // seconds
	FigCert    = "cert"    // days
	FigLaw     = "law"     // days that the agreement goes on
	FigEntries = "entries" // of the log
	FigPower   = "charge"  // percent
)

// AllFigures lists their keys.
func AllFigures() []string {
	return []string{FigRate, FigLost, FigBus, FigLate, FigSharp, FigWhite, FigEven, FigScale, FigFree, FigWorn, FigWaiting, FigOldest, FigSkew, FigCert, FigLaw, FigEntries, FigPower}
}

func fig(key string, v float64) Figure { return Figure{Key: key, Value: math.Round(v*10) / 10} }

func (f Figure) floor(v float64) Figure { f.Floor = &v; return f }
func (f Figure) top(v float64) Figure   { f.Top = &v; return f }

// lines is a line for every part that a kiosk has, and one for each device.
func lines(f Facts, found []Finding, not []Part) []Line {
	out := deviceLines(f)
	out = append(out, hubLine(f), queueLine(f), keysLine(f), vaultLine(f.Vault), diskLine(f.Disk), Line{Part: PartClock, There: true})
	if p := f.Power; p != nil {
		l := Line{Part: PartPower, There: true}
		if !p.Mains {
			l.Figs = append(l.Figs, fig(FigPower, float64(p.Percent)).floor(BatteryFloor))
		}
		out = append(out, l)
	}
	if f.Printer != nil {
		out = append(out, Line{Part: PartPrinter, There: f.Printer.Prints || f.Printer.Saves})
	}
	for i := range out {
		l := &out[i]
		l.Known = !slices.Contains(not, l.Part)
		for _, x := range found {
			if x.Part == l.Part && (x.Port == l.Port && x.Function == l.Function || x.Port == "" || l.Port == "") {
				l.Weight, l.Cause = x.Weight, x.Cause // the gravest comes first
				break
			}
		}
	}
	return out
}

// deviceLines is a line for each device, and for each that a kiosk must have and
// that is not there.
func deviceLines(f Facts) (out []Line) {
	seen := map[Part]bool{}
	for _, d := range f.Devices {
		seen[d.Part] = seen[d.Part] || d.Part != PartUnknown
		out = append(out, deviceLine(d))
	}
	for _, p := range f.Needs {
		if !seen[p] {
			out = append(out, Line{Part: p})
		}
	}
	return out
}

func hubLine(f Facts) Line {
	l := Line{Part: PartHub, There: true}
	if f.Road != nil {
		l.Name = f.Road.Hub
	}
	if f.Clock != nil && f.Clock.Known {
		l.Figs = append(l.Figs, fig(FigSkew, f.Clock.Skew.Seconds()).top(SkewTime.Seconds()).floor(-SkewTime.Seconds()))
	}
	return l
}

func queueLine(f Facts) Line {
	l := Line{Part: PartQueue, There: true}
	if q := f.Queue; q != nil {
		l.Figs = append(l.Figs, fig(FigWaiting, float64(q.Waiting)))
		if !q.Oldest.IsZero() {
			l.Figs = append(l.Figs, fig(FigOldest, f.At.Sub(q.Oldest).Hours()).top(QueueAge.Hours()))
		}
	}
	return l
}

func keysLine(f Facts) Line {
	l := Line{Part: PartKeys, There: true}
	days := func(t time.Time) float64 { return t.Sub(f.At).Hours() / 24 }
	if k := f.Keys; k != nil {
		if !k.CertEnds.IsZero() {
			l.Figs = append(l.Figs, fig(FigCert, days(k.CertEnds)).floor(Soon.Hours()/24))
		}
		if k.Agreement && !k.Expires.IsZero() {
			l.Figs = append(l.Figs, fig(FigLaw, days(k.Expires)).floor(Soon.Hours()/24))
		}
	}
	return l
}

func vaultLine(v *VaultFacts) Line {
	l := Line{Part: PartVault, There: true}
	if v != nil {
		if l.Name = v.File; v.State == VaultOpen {
			l.Figs = append(l.Figs, fig(FigEntries, float64(v.Entries)))
		}
	}
	return l
}

func diskLine(d *DiskFacts) Line {
	l := Line{Part: PartDisk, There: true}
	if d != nil && d.Total > 0 {
		l.Figs = append(l.Figs, fig(FigFree, float64(d.Free)/1e9).floor(math.Round(float64(max(d.Total/20, 4*d.Reserve))/1e8)/10))
		if d.Worn > 0 {
			l.Figs = append(l.Figs, fig(FigWorn, float64(d.Worn)).top(WornTop))
		}
	}
	return l
}

func deviceLine(d DeviceFacts) Line {
	l := Line{Part: d.Part, Port: d.Port, Function: d.Function, Name: d.Name, There: d.Present}
	if d.Part == PartUnknown {
		l.Name = d.Model + " " + d.Name
	}
	if d.Function != 0 {
		l.Name = strings.TrimSpace(fmt.Sprintf("%s (interface %d)", l.Name, d.Function))
	}
	if s := d.Stream; s != nil && s.Frames > 0 {
		if s.Rate > 0 && s.Frames >= rateFrames {
			l.Figs = append(l.Figs, fig(FigRate, s.Rate).floor(RateFloor(d.Part)))
		}
		l.Figs = append(l.Figs, fig(FigLost, float64(s.Damaged)).top(0), fig(FigBus, float64(s.BusErrors)).top(0), fig(FigLate, float64(s.Latency.Milliseconds())))
	}
	if t := d.Target; t != nil && t.Found {
		l.Figs = append(l.Figs, fig(FigSharp, float64(t.Sharp)).floor(SharpFloor), fig(FigWhite, float64(t.White)).floor(WhiteFloor).top(WhiteTop), fig(FigEven, float64(t.Even)).floor(EvenFloor))
	}
	if g := d.Page; g != nil && g.Found {
		l.Figs = append(l.Figs, fig(FigSharp, float64(g.Sharp)).floor(ScanSharpFloor), fig(FigWhite, float64(g.White)).floor(ScanWhiteFloor), fig(FigScale, g.Scale).floor(100-ScaleLimit).top(100+ScaleLimit))
	}
	return l
}

// unknown lists what was not looked at.
func unknown(f Facts) (out []Part) {
	for p, known := range map[Part]bool{
		PartClock: f.Clock != nil, PartDisk: f.Disk != nil, PartVault: f.Vault != nil, PartQueue: f.Queue != nil, PartKeys: f.Keys != nil, PartHub: f.Road != nil,
	} {
		if !known {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// Worked is something that worked. Its words are under "worked.".
type Worked struct {
	What string    `json:"what"`
	Part Part      `json:"part"`
	Port string    `json:"port,omitempty"`
	At   time.Time `json:"at"`
}

// What can have worked.
const (
	WorkedFrames = "frames" // a whole frame came
	WorkedTarget = "target" // the eye model was seen, sharp and lit
	WorkedPage   = "page"   // the calibration page was read
	WorkedHub    = "hub"    // every step of the road
	WorkedVault  = "vault"
)

// AllWorked lists them.
func AllWorked() []string {
	return []string{WorkedFrames, WorkedTarget, WorkedPage, WorkedHub, WorkedVault}
}

func worked(f Facts) (out []Worked) {
	add := func(what string, p Part, port string, at time.Time) {
		if !at.IsZero() {
			out = append(out, Worked{what, p, port, at})
		}
	}
	for _, d := range f.Devices {
		if d.Stream != nil && d.Stream.Frames > 0 {
			add(WorkedFrames, d.Part, d.Port, d.Stream.At)
		}
		if t := d.Target; t != nil && t.Found && t.Sharp >= SharpFloor && t.White >= WhiteFloor && t.White <= WhiteTop {
			add(WorkedTarget, d.Part, d.Port, t.At)
		}
		if d.Page != nil && d.Page.Found {
			add(WorkedPage, d.Part, d.Port, d.Page.At)
		}
	}
	if r := f.Road; r != nil && len(r.Steps) > 0 && r.Steps[len(r.Steps)-1].Fault == "" {
		add(WorkedHub, PartHub, "", r.At)
	}
	if f.Vault != nil && f.Vault.State == VaultOpen && f.Vault.Damaged == 0 {
		add(WorkedVault, PartVault, "", f.Vault.Checked)
	}
	slices.SortStableFunc(out, func(a, b Worked) int { return b.At.Compare(a.At) })
	return out
}
