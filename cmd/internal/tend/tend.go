// Package tend gathers what a technician has to know about a kiosk: facts for
// package health, the journal of what was shown and what was lost, the test of a
// camera by the eye model and of a scanner by its page, and the support bundle.
// The window and tambo-diag both use it, so that they never say different things.
//
// It looks at things and decides nothing: the verdict is package health's. It
// never reads a draft, an index card, a list or an inbox, never keeps or returns a
// picture that is not a test object ([tambo/kiosk/target]), and writes nothing but
// its journal. It works with nobody signed in and with a vault that does not open.
package tend

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/usb"
	"tambo/devices/usb/usbip"
	"tambo/kiosk/health"
	"tambo/store"
	"tambo/sync/courier"
)

// Reserve is what the vault keeps free for what is open (store.Options).
const Reserve = 32 << 20

// Prober makes the way to the hub; a courier does.
type Prober interface {
	Probe(ctx context.Context) (hub string, steps []courier.Probed, err error)
}

// Kiosk is what is looked at. Fields that are nil or empty are not looked at.
type Kiosk struct {
	Dir   string       // of the vault
	Vault *store.Vault // nil: Why says why it is not open
	Why   error
	Road  Prober
	// Devices finds what is plugged in; BusErr says why there is no bus. Meter
	// knows what streams did.
	Devices *discover.Discovery
	BusErr  error
	Meter   *Meter
	Journal *Journal
	Power   *health.PowerFacts
	Printer *health.PrinterFacts
	Now     func() time.Time // nil: time.Now
}

// Needs are the parts without which nobody can be enrolled.
var Needs = []health.Part{health.PartCamera, health.PartScanner}

// Facts looks at everything. It takes as long as the slowest step of the road,
// and ends when ctx does with what it has.
func (k *Kiosk) Facts(ctx context.Context) health.Facts {
	now := time.Now
	if k.Now != nil {
		now = k.Now
	}
	f := health.Facts{At: now(), Disk: Disk(k.Dir), Power: k.Power, Printer: k.Printer}
	f.Vault = k.vault(f.At)
	if k.Devices != nil || k.BusErr != nil {
		f.Needs = Needs
		k.devices(ctx, &f)
	}
	k.road(ctx, &f)
	if v := k.Vault; v != nil {
		k.keys(&f)
		if s, err := v.Status(); err == nil {
			f.Queue = &health.QueueFacts{Waiting: s.Waiting + s.Thin, Refused: s.Refused, Oldest: s.Oldest}
		}
		if f.Clock == nil {
			f.Clock = &health.ClockFacts{}
		}
		f.Clock.Trusted = v.Now(f.At).Trusted
	}
	return f
}

// vault says how the vault opened. Names of encounters are not passed on.
func (k *Kiosk) vault(now time.Time) *health.VaultFacts {
	if k.Vault != nil {
		v := &health.VaultFacts{State: health.VaultOpen, Checked: now}
		if s, err := k.Vault.Status(); err != nil {
			v.State, v.File = vaultState(err)
		} else {
			v.Damaged, v.Entries, v.Unclean = len(s.Damage), s.Audit, s.Unclean
		}
		return v
	}
	if k.Why == nil {
		return nil // not opened yet
	}
	v := &health.VaultFacts{Checked: now}
	v.State, v.File = vaultState(k.Why)
	return v
}

func vaultState(err error) (health.VaultState, string) {
	var damaged *store.ErrDamaged
	switch {
	case errors.Is(err, store.ErrInUse):
		return health.VaultInUse, ""
	case errors.Is(err, store.ErrNoVault), errors.Is(err, os.ErrNotExist):
		return health.VaultMissing, ""
	case errors.Is(err, store.ErrMachineKey):
		return health.VaultKey, ""
	case errors.As(err, &damaged):
		return health.VaultDamaged, fileOf(damaged.File)
	}
	return health.VaultClosed, ""
}

// fileOf is the name of a file of the vault; of its folder where the name is an
// encounter's.
func fileOf(name string) string {
	if d := filepath.Dir(name); d != "." {
		name = d
	}
	if !plainName.MatchString(name) {
		return ""
	}
	return strings.ReplaceAll(name, " ", "-")
}

// plainName is a name that the store gives, not one made of a number.
var plainName = regexp.MustCompile(`^[a-z][a-z ._]{0,30}$`)

func (k *Kiosk) keys(f *health.Facts) {
	f.Keys = &health.KeyFacts{}
	if a, _, err := k.Vault.Agreement(); err == nil {
		f.Keys.Agreement, f.Keys.NotBefore, f.Keys.Expires = true, a.NotBefore, a.Expires
	}
	if id, err := k.Vault.Identity(); err == nil {
		if c, err := x509.ParseCertificate(id.Certificate); err == nil {
			f.Keys.CertBegins, f.Keys.CertEnds = c.NotBefore, c.NotAfter
		}
	}
}

// steps and faults of the road, as health names them.
var (
	roadSteps = map[string]health.RoadStep{courier.StepName: health.StepName, courier.StepTCP: health.StepTCP, courier.StepTLS: health.StepTLS,
		courier.StepDates: health.StepDates, courier.StepHTTP: health.StepHTTP}
	roadFaults = map[courier.Cause]health.RoadFault{courier.CauseName: health.RoadNoName, courier.CauseNetwork: health.RoadNoWay,
		courier.CauseRefused: health.RoadRefused, courier.CauseTimeout: health.RoadTimeout, courier.CauseImpostor: health.RoadImpostor,
		courier.CauseCertificate: health.RoadRejected, courier.CauseHub: health.RoadStatus, courier.CauseAnswer: health.RoadStatus, courier.CausePackage: health.RoadStatus}
)

// road makes the way to the hub. A kiosk whose vault is not open has no road
// that anybody could look at.
func (k *Kiosk) road(ctx context.Context, f *health.Facts) {
	if k.Road == nil {
		return
	}
	hub, steps, err := k.Road.Probe(ctx)
	switch {
	case errors.Is(err, store.ErrNoIdentity):
		f.Road = &health.RoadFacts{At: f.At}
		return
	case err != nil:
		return // the vault's trouble, which is said elsewhere
	}
	r := &health.RoadFacts{Hub: hub, At: f.At}
	f.Road = r
	if !isLoopback(hub) {
		r.Steps = append(r.Steps, health.RoadMade{Step: health.StepLink})
		if !linked() && steps[len(steps)-1].Err != nil {
			r.Steps[0].Fault = health.RoadNoLink
			return
		}
	}
	for _, s := range steps {
		m := health.RoadMade{Step: roadSteps[s.Step], Took: s.Took, Status: s.Status, Ends: s.NotAfter}
		if s.Err != nil {
			if m.Fault = roadFaults[s.Cause]; m.Fault == "" {
				m.Fault = health.RoadCut
			}
			if s.Cause == courier.CauseClock {
				m.Fault = health.RoadExpired
				if f.At.Before(s.NotBefore) {
					m.Fault = health.RoadEarly
				}
			}
		}
		r.Steps = append(r.Steps, m)
		if !s.HubTime.IsZero() {
			f.Clock = &health.ClockFacts{Known: true, Skew: s.Skew, Signed: s.HubTime}
			c := health.RoadMade{Step: health.StepClock}
			if s.Skew.Abs() > health.SkewTime {
				c.Fault = health.RoadSkew
			}
			r.Steps = append(r.Steps, c)
		}
	}
}

func isLoopback(hub string) bool {
	host, _, err := net.SplitHostPort(hub)
	if err != nil {
		host = hub
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// linked reports whether an interface besides loopback is up and has an address.
func linked() bool {
	all, err := net.Interfaces()
	if err != nil {
		return true // not known
	}
	for _, i := range all {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || i.Flags&net.FlagRunning == 0 {
			continue
		}
		if a, err := i.Addrs(); err == nil && len(a) > 0 {
			return true
		}
	}
	return false
}

var parts = map[devices.Kind]health.Part{devices.KindIrisCamera: health.PartCamera, devices.KindFaceCamera: health.PartFace,
	devices.KindDocumentScanner: health.PartScanner, devices.KindChipReader: health.PartChip}

// PartOf is the part that a kind of device is.
func PartOf(k devices.Kind) health.Part {
	if p, ok := parts[k]; ok {
		return p
	}
	return health.PartUnknown
}

// devices lists what is plugged in, and what was.
func (k *Kiosk) devices(ctx context.Context, f *health.Facts) {
	if k.BusErr != nil {
		f.Bus = health.BusFails
		if errors.Is(k.BusErr, usbip.ErrNotTraining) {
			f.Bus = health.BusTraining
		}
		return
	}
	list, err := k.Devices.List(ctx)
	if err != nil && len(list) == 0 {
		f.Bus = health.BusFails
		return
	}
	for _, d := range list {
		if isHub(d) {
			continue
		}
		f.Devices = append(f.Devices, deviceFacts(d, k.Meter, f.At))
	}
	if k.Journal != nil {
		k.past(f)
	}
}

func isHub(d discover.Device) bool { return d.USB().Class == 0x09 }

func deviceFacts(d discover.Device, m *Meter, now time.Time) health.DeviceFacts {
	i := d.Info
	x := health.DeviceFacts{Part: PartOf(i.Kind), Name: i.Name, Model: model(i), Port: i.Port, Function: d.Function(), Driver: i.Driver, Virtual: i.Virtual,
		WhyNot: d.WhyNot != "", Present: true, Slow: d.USB().Speed == usb.SpeedFull || d.USB().Speed == usb.SpeedLow}
	config, err := usb.ParseConfig(d.USB().Config)
	if err != nil {
		x.Fault = health.DeviceDescriptors
	}
	if x.WhyNot {
		x.Could = could(config)
	}
	if m != nil && !x.WhyNot {
		m.fill(&x, now)
	}
	return x
}

// could is the part that a device's classes say it could be: video a camera,
// printer or still image a scanner.
func could(c usb.Config) health.Part {
	for _, s := range c.Interfaces {
		switch s.Class {
		case 0x0E:
			return health.PartCamera
		case 0x06, 0x07:
			return health.PartScanner
		}
	}
	return ""
}

// past adds what the journal knows: devices that went, packets that were lost.
func (k *Kiosk) past(f *health.Facts) {
	for _, n := range k.Journal.Last(noteMemory) {
		i := slices.IndexFunc(f.Devices, func(d health.DeviceFacts) bool {
			return d.Part == n.Part && d.Port == n.Port && d.Function == n.Function
		})
		switch n.Kind {
		case health.NoteLeft:
			if i < 0 {
				f.Devices = append(f.Devices, health.DeviceFacts{Part: n.Part, Port: n.Port, Function: n.Function, Left: n.At})
			} else if !f.Devices[i].Present {
				f.Devices[i].Left = n.At
			}
		case health.NoteLost:
			if i < 0 || !f.Devices[i].Present || f.At.Sub(n.At) > health.LossAge {
				continue
			}
			d := &f.Devices[i]
			if d.Stream == nil {
				d.Stream = &health.StreamFacts{}
			}
			if n.At.After(d.Stream.Lost) {
				d.Stream.Lost = n.At
			}
			if k.Meter == nil || !k.Meter.counted(n) {
				d.Stream.Damaged += uint64(n.Count)
			}
		}
	}
}
