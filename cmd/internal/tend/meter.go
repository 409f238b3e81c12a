package tend

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/kiosk/health"
)

// Meter opens devices as a discovery does, and counts what the streams of both
// cameras did, so that a cable that loses packets while an officer works is known
// afterwards. It hands every frame on as it is, and keeps none.
type Meter struct {
	*discover.Discovery
	journal *Journal

	mu    sync.Mutex
	began time.Time
	known map[place]*metered
}

// place tells what is plugged in apart: two cameras of one device are at one port.
type place struct {
	part     health.Part
	port     string
	function int // as of health.DeviceFacts
}

func placeOf(d discover.Device) place { return place{PartOf(d.Info.Kind), d.Info.Port, d.Function()} }

type metered struct {
	stream  health.StreamFacts
	fault   health.DeviceFault
	faultAt time.Time
	target  *health.TargetFacts
	page    *health.PageFacts
}

// NewMeter meters what a discovery opens; journal may be nil.
func NewMeter(d *discover.Discovery, journal *Journal) *Meter {
	return &Meter{Discovery: d, journal: journal, began: time.Now(), known: map[place]*metered{}}
}

// at returns what is known of a device. The caller holds the lock.
func (m *Meter) at(p place) *metered {
	if m.known[p] == nil {
		m.known[p] = &metered{}
	}
	return m.known[p]
}

// fill adds what is known to a device's facts.
func (m *Meter) fill(d *health.DeviceFacts, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.known[place{d.Part, d.Port, d.Function}]
	if k == nil {
		return
	}
	if k.fault != "" && now.Sub(k.faultAt) < health.LossAge {
		d.Fault, d.FaultAt = k.fault, k.faultAt
	}
	if k.stream.Frames+k.stream.Damaged+k.stream.BusErrors > 0 {
		s := k.stream
		d.Stream = &s
	}
	if k.target != nil {
		t := *k.target
		d.Target = &t
	}
	if k.page != nil {
		g := *k.page
		d.Page = &g
	}
}

// counted reports whether a note is of something that this meter counted itself.
func (m *Meter) counted(n health.Note) bool { return !n.At.Before(m.began.Truncate(time.Second)) }

// Forget forgets what is known of a part: the technician changed something and
// tests it anew.
func (m *Meter) Forget(p health.Part) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.known, func(at place, _ *metered) bool { return at.part == p })
}

func (m *Meter) failed(p place, err error) {
	f := health.DeviceFault("") // gone is known by its absence; unsupported is nobody's fault
	switch {
	case err == nil, errors.Is(err, context.Canceled):
	case errors.Is(err, devices.ErrAccess):
		f = health.DeviceAccess
	case errors.Is(err, devices.ErrBusy):
		f = health.DeviceBusy
	case errors.Is(err, devices.ErrStalled):
		f = health.DeviceStalled
	case errors.Is(err, devices.ErrBadData):
		f = health.DeviceBadData
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.at(p)
	if k.fault = f; f != "" {
		k.faultAt = time.Now()
	}
}

// opened opens the first device of a kind, at a port or anywhere where that is
// empty, and says which it was. What did not open is noted of the device itself.
func opened[T any](ctx context.Context, m *Meter, kind devices.Kind, port string, open func(discover.Device, context.Context) (T, error)) (dev T, at place, err error) {
	dev, err = discover.First(ctx, m.Discovery, kind, port, func(d discover.Device, ctx context.Context) (T, error) {
		at = placeOf(d)
		dev, err := open(d, ctx)
		if err != nil {
			m.failed(at, err)
		}
		return dev, err
	})
	return dev, at, err
}

// OpenIrisCamera implements session.Devices.
func (m *Meter) OpenIrisCamera(ctx context.Context) (devices.IrisCamera, error) {
	c, _, err := m.openIris(ctx, "")
	return c, err
}

// OpenFaceCamera implements session.Devices.
func (m *Meter) OpenFaceCamera(ctx context.Context) (devices.FaceCamera, error) {
	c, _, err := m.openFace(ctx, "")
	return c, err
}

// OpenScanner implements session.Devices.
func (m *Meter) OpenScanner(ctx context.Context) (devices.DocumentScanner, error) {
	s, at, err := opened(ctx, m, devices.KindDocumentScanner, "", discover.Device.OpenScanner)
	if err != nil {
		return nil, err
	}
	return &meteredScanner{s, m, at}, nil
}

type meteredScanner struct {
	devices.DocumentScanner
	m  *Meter
	at place
}

func (s *meteredScanner) Scan(ctx context.Context, o devices.ScanOptions, progress func(int64)) (devices.Page, error) {
	p, err := s.DocumentScanner.Scan(ctx, o, progress)
	s.m.failed(s.at, err)
	return p, err
}

// Came and Went note what was plugged in and out.
func (m *Meter) Came(d discover.Device) { m.plugged(health.NoteCame, d) }

// Went notes that a device was unplugged, and forgets it: what comes back may be
// another one.
func (m *Meter) Went(d discover.Device) {
	m.mu.Lock()
	delete(m.known, placeOf(d))
	m.mu.Unlock()
	m.plugged(health.NoteLeft, d)
}

func (m *Meter) plugged(kind health.NoteKind, d discover.Device) {
	if m.journal != nil && !isHub(d) {
		m.journal.Note(health.Note{Kind: kind, Part: PartOf(d.Info.Kind), Port: d.Info.Port, Function: d.Function()})
	}
}

// model is VID:PID.
func model(i devices.Info) string { return fmt.Sprintf("%04x:%04x", i.VendorID, i.ProductID) }
