package tend

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/kiosk/health"
)

// Meter opens devices as a discovery does, and counts what their streams did, so
// that a cable that loses packets while an officer works is known afterwards. It
// hands every frame on as it is, and keeps none.
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

// Forget forgets what is known of devices: the technician changed something and
// tests anew.
func (m *Meter) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.known)
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

// OpenIrisCamera implements session.Devices.
func (m *Meter) OpenIrisCamera(ctx context.Context) (devices.IrisCamera, error) {
	c, err := m.Discovery.OpenIrisCamera(ctx)
	if err != nil {
		m.blame(ctx, devices.KindIrisCamera, err)
		return nil, err
	}
	return &meteredCamera{c, m}, nil
}

// OpenIrisCameraAt opens the camera at a port.
func (m *Meter) OpenIrisCameraAt(ctx context.Context, port string) (devices.IrisCamera, error) {
	c, err := discover.First(ctx, m.Discovery, devices.KindIrisCamera, port, discover.Device.OpenIris)
	if err != nil {
		m.failed(place{part: health.PartCamera, port: port}, err)
		return nil, err
	}
	return &meteredCamera{c, m}, nil
}

// blame notes why the first device of a kind did not open.
func (m *Meter) blame(ctx context.Context, kind devices.Kind, err error) {
	list, _ := m.List(ctx)
	for _, d := range list {
		if d.Info.Kind == kind {
			m.failed(placeOf(d), err)
			return
		}
	}
}

// OpenScanner implements session.Devices.
func (m *Meter) OpenScanner(ctx context.Context) (devices.DocumentScanner, error) {
	s, err := m.Discovery.OpenScanner(ctx)
	if err != nil {
		m.blame(ctx, devices.KindDocumentScanner, err)
		return nil, err
	}
	return &meteredScanner{s, m}, nil
}

type meteredScanner struct {
	devices.DocumentScanner
	m *Meter
}

func (s *meteredScanner) Scan(ctx context.Context, o devices.ScanOptions, progress func(int64)) (devices.Page, error) {
	p, err := s.DocumentScanner.Scan(ctx, o, progress)
	s.m.failed(place{part: health.PartScanner, port: s.Info().Port}, err)
	return p, err
}

type meteredCamera struct {
	devices.IrisCamera
	m *Meter
}

func (c *meteredCamera) Stream(ctx context.Context) (devices.IrisStream, error) {
	port := c.Info().Port
	s, err := c.IrisCamera.Stream(ctx)
	c.m.failed(place{part: health.PartCamera, port: port}, err)
	if err != nil {
		return nil, err
	}
	return &meteredStream{IrisStream: s, m: c.m, port: port, began: time.Now()}, nil
}

// rateOver is how long frames are counted for a rate.
const rateOver = 2 * time.Second

// meteredStream counts. Next is called by one goroutine at a time.
type meteredStream struct {
	devices.IrisStream
	m     *Meter
	port  string
	began time.Time

	mu     sync.Mutex
	times  []time.Time // of whole frames, of late
	late   time.Duration
	before devices.StreamStats // what was added to the meter so far
	noted  time.Time
	lost   int // not yet noted
}

func (s *meteredStream) Next(ctx context.Context) (devices.IrisFrame, error) {
	f, err := s.IrisStream.Next(ctx)
	if err == nil {
		s.mu.Lock()
		s.times = append(s.times, f.At)
		for len(s.times) > 2 && f.At.Sub(s.times[0]) > rateOver {
			s.times = s.times[1:]
		}
		s.late = max(s.late*9/10, time.Since(f.At))
		s.mu.Unlock()
	} else if !errors.Is(err, devices.ErrGone) && ctx.Err() == nil {
		s.m.failed(place{part: health.PartCamera, port: s.port}, err)
	}
	s.add(false)
	return f, err
}

// Close ends the stream.
func (s *meteredStream) Close() error {
	s.add(true)
	return s.IrisStream.Close()
}

// add adds what happened since the last call to what is known of the device, and
// notes losses, at most every ten seconds and at the end.
func (s *meteredStream) add(last bool) {
	st := s.Stats()
	s.mu.Lock()
	rate := 0.0
	if n := len(s.times); n > 1 {
		rate = float64(n-1) / s.times[n-1].Sub(s.times[0]).Seconds()
	}
	lost := int(st.Damaged-s.before.Damaged) + int(st.BusErrors-s.before.BusErrors)
	s.lost += lost
	note := 0
	if s.lost > 0 && (last || time.Since(s.noted) > 10*time.Second) {
		note, s.lost, s.noted = s.lost, 0, time.Now()
	}
	before, late := s.before, s.late
	s.before = st
	s.mu.Unlock()

	s.m.mu.Lock()
	k := &s.m.at(place{part: health.PartCamera, port: s.port}).stream
	k.Frames += st.Frames - before.Frames
	k.Dropped += st.Dropped - before.Dropped
	k.Damaged += st.Damaged - before.Damaged
	k.BusErrors += st.BusErrors - before.BusErrors
	if rate > 0 {
		k.Rate, k.Latency = rate, late
	}
	if st.Frames > before.Frames {
		k.At = time.Now()
	}
	if lost > 0 {
		k.Lost = time.Now()
	}
	s.m.mu.Unlock()
	if note > 0 && s.m.journal != nil {
		s.m.journal.Note(health.Note{Kind: health.NoteLost, Part: health.PartCamera, Port: s.port, Count: note}) // best effort: the figure stays in memory
	}
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
