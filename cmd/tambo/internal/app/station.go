package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tambo/cmd/internal/tend"
	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/tesseract"
	"tambo/devices/usb"
	"tambo/devices/usb/libusb"
	"tambo/devices/usb/usbip"
	"tambo/kiosk"
	"tambo/kiosk/session"
	"tambo/kiosk/session/stored"
	"tambo/kiosk/ui"
	"tambo/kiosk/ui/screens"
	"tambo/store"
	"tambo/sync/courier"
)

// station is the kiosk besides the session: vault, devices, road, printer. What
// the window asks often it answers from a snapshot that a goroutine keeps fresh.
type station struct {
	c   Config
	log *slog.Logger
	ctx context.Context

	mu      sync.Mutex // opening, and what opening makes
	vault   *store.Vault
	service *session.Service
	courier *courier.Courier
	buses   []interface{ Close() error }
	found   *discover.Discovery // nil: the vault was never open
	busErr  error               // why there is no bus; nil: there is
	meter   *tend.Meter
	why     error // why the vault did not open

	journal *tend.Journal
	said    *recent       // what was logged lately
	changes chan struct{} // something was plugged in or out

	now  atomic.Pointer[snapshot]
	news atomic.Uint64
	work sync.WaitGroup
	seen sync.Map // plugged → discover.Device
}

type snapshot struct {
	status    screens.Status
	agreement *kiosk.Agreement
	place     string
	signed    time.Time
	free      int64
}

var _ ui.Station = (*station)(nil)

func newStation(ctx context.Context, c Config, log *slog.Logger) *station {
	s := &station{c: c, ctx: ctx, journal: tend.OpenJournal(c.Vault), said: &recent{}, changes: make(chan struct{}, 1)}
	s.log = slog.New(both{log.Handler(), slog.NewTextHandler(s.said, nil)})
	s.now.Store(&snapshot{place: "Tambo", status: screens.Status{Clock: kiosk.Instant{Time: time.Now().UTC()}, Power: power("/sys/class/power_supply")}})
	return s
}

// Open opens the vault, and with it the devices and the road.
func (s *station) Open(context.Context) (ui.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.service != nil {
		return s.service, nil
	}
	v, err := store.Open(s.c.Vault, store.Options{})
	if s.why = err; err != nil {
		return nil, err
	}
	s.vault = v
	s.found = s.openBus()
	s.meter = tend.NewMeter(s.found, s.journal)
	s.service = session.New(session.Config{Vault: stored.Vault{Vault: v}, Devices: s.meter, Text: tesseract.Reader(), Log: s.log})
	s.courier = courier.New(courier.Config{Vault: v, Log: s.log})
	s.refresh()
	s.work.Go(func() { s.watch(s.found) })
	s.work.Go(func() {
		if err := s.courier.Run(s.ctx); err != nil {
			s.log.Error("the road", "err", err)
		}
	})
	s.work.Go(s.keepFresh)
	return s.service, nil
}

// openBus opens the bus that is configured. Virtual devices are no way in: their
// bus opens only under an agreement that says that it is training.
func (s *station) openBus() *discover.Discovery {
	if s.c.usbip == "" {
		b := libusb.New()
		s.buses = append(s.buses, b)
		return discover.New(b)
	}
	a, _, err := s.vault.Agreement()
	var b *usbip.Bus
	if err == nil {
		b, err = usbip.New(s.c.usbip, a.Training)
	}
	if err != nil {
		s.busErr = err
		s.log.Error("no devices", "err", err)
		return discover.New()
	}
	s.buses = append(s.buses, b)
	return discover.New([]usb.Bus{b}...)
}

func (s *station) watch(found *discover.Discovery) {
	for e := range found.Watch(s.ctx) {
		switch e.Kind {
		case discover.Arrived:
			s.seen.Store(plugged(e.Device), e.Device)
			s.meter.Came(e.Device)
		case discover.Left:
			s.seen.Delete(plugged(e.Device))
			s.meter.Went(e.Device)
		case discover.Trouble:
			s.log.Warn("devices", "err", e.Err)
		}
		s.refresh()
		select {
		case s.changes <- struct{}{}:
		default: // one is waiting already
		}
	}
}

// plugged names a device among those that are plugged in: a composite camera is
// there twice, and so are two cameras of one kind in one device.
func plugged(d discover.Device) string {
	return fmt.Sprintf("%s %s %s %d", d.Bus, d.Info.Port, d.Info.Kind, d.Function())
}

func (s *station) keepFresh() {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	var last time.Time
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-t.C:
			if r, _ := s.courier.Last(); r.At.After(last) {
				last = r.At
				s.news.Add(uint64(r.Documents))
			}
			s.refresh()
			breathe()
		}
	}
}

// refresh makes the snapshot anew. It reads, and never waits for an act.
func (s *station) refresh() {
	n := *s.now.Load()
	id, site := s.vault.Kiosk()
	if n.place = site; site == "" {
		n.place = string(id)
	}
	if a, _, err := s.vault.Agreement(); err == nil {
		n.agreement = &a
	}
	n.status.Clock = s.vault.Now(time.Now())
	n.status.Power = power("/sys/class/power_supply")
	n.status.Face = s.device(devices.KindFaceCamera, n.status.Face)
	n.status.Camera, n.status.Scanner, n.status.Chip = s.device(devices.KindIrisCamera, n.status.Camera), s.device(devices.KindDocumentScanner, n.status.Scanner), s.device(devices.KindChipReader, n.status.Chip)
	if n.status.Camera == screens.DeviceNotFitted {
		n.status.Camera = screens.DeviceGone // a kiosk has a camera
	}
	if n.status.Scanner == screens.DeviceNotFitted {
		n.status.Scanner = screens.DeviceGone
	}
	n.status.Hub = s.hub(n.status.Hub)
	if r, _ := s.courier.Last(); r.HubTime.After(n.signed) {
		n.signed = r.HubTime
	}
	if d := tend.Room(s.c.Vault); d != nil {
		n.free = d.Free
	}
	s.now.Store(&n)
}

// device says whether a device of a kind is there. One that was there and is
// not any more is gone, not unfitted.
func (s *station) device(k devices.Kind, before screens.Device) screens.Device {
	d := screens.DeviceNotFitted
	s.seen.Range(func(_, x any) bool {
		if x.(discover.Device).Info.Kind == k {
			d = screens.DeviceReady
		}
		return true
	})
	if d == screens.DeviceNotFitted && before != screens.DeviceNotFitted {
		d = screens.DeviceGone
	}
	return d
}

// hub says when the hub answered last, or since when it does not.
func (s *station) hub(before screens.Hub) screens.Hub {
	if _, err := s.vault.Identity(); err != nil {
		return screens.Hub{None: true}
	}
	r, err := s.courier.Last()
	var road *courier.Error
	switch {
	case r.At.IsZero():
		return screens.Hub{}
	case err == nil || errors.As(err, &road) && !road.Road():
		return screens.Hub{Reached: true, At: r.At}
	case before.Reached || before.At.IsZero():
		return screens.Hub{At: r.At}
	}
	return screens.Hub{At: before.At}
}

func (s *station) Place() string               { return s.now.Load().place }
func (s *station) Status() screens.Status      { return s.now.Load().status }
func (s *station) Agreement() *kiosk.Agreement { return s.now.Load().agreement }
func (s *station) Signed() time.Time           { return s.now.Load().signed }
func (s *station) News() uint64                { return s.news.Load() }

func (s *station) Room() (free, needed int64) {
	n := s.now.Load()
	if n.free == 0 {
		return 0, 0 // not known yet
	}
	return n.free, tend.Reserve
}

func (s *station) Wake() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.courier != nil {
		s.courier.Wake()
	}
}

func (s *station) Printer() (prints, saves bool) { return len(s.c.Print) > 0, s.c.Slips != "" }

// Print gives a PDF to the configured command, or saves it where that is
// configured.
func (s *station) Print(ctx context.Context, pdf []byte) (string, error) {
	prints, saves := s.Printer()
	if !prints && !saves {
		return "", errors.New("neither a print command nor a folder for papers is configured")
	}
	if !prints {
		return s.save(pdf)
	}
	cmd := exec.CommandContext(ctx, s.c.Print[0], s.c.Print[1:]...)
	cmd.Stdin = bytes.NewReader(pdf)
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", s.c.Print[0], err, strings.TrimSpace(said.String()))
	}
	return "", nil
}

func (s *station) save(pdf []byte) (string, error) {
	if err := os.MkdirAll(s.c.Slips, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(s.c.Slips, time.Now().Format("150405-")+"*.pdf")
	if err != nil {
		return "", err
	}
	if _, err := f.Write(pdf); err != nil {
		f.Close()
		return "", err
	}
	return filepath.Base(f.Name()), f.Close()
}

// close ends the road and the devices, and closes the vault.
func (s *station) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
	}
	for _, b := range s.buses {
		b.Close()
	}
	if s.vault != nil {
		if err := s.vault.Close(); err != nil {
			s.log.Error("vault", "err", err)
		}
	}
}
