package tend

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/devices/usb"
	"tambo/devices/virtual"
	"tambo/devices/virtual/virtualtest"
	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/eye"
	"tambo/kiosk/target"
	"tambo/store"
)

// scene shows the eye model, or a person.
type scene struct {
	swapped, person bool
	light           uint8
}

func (s scene) Eyes(shot virtual.Shot) (left, right *image.Gray) {
	if s.person {
		c := eye.Ordinary()
		return eye.Draw(eye.NewPerson(1), kiosk.EyeLeft, c, shot.Width, shot.Height), eye.Draw(eye.NewPerson(1), kiosk.EyeRight, c, shot.Width, shot.Height)
	}
	k := float64(shot.Width) / 37.6
	l, r := target.DrawEye(target.Left, shot.Width, shot.Height, k, s.light), target.DrawEye(target.Right, shot.Width, shot.Height, k, s.light)
	if s.swapped {
		return r, l
	}
	return l, r
}

// nobody sits before a face camera.
type nobody struct{}

func (nobody) Picture(virtual.Shot) image.Image { return nil }
func (scene) Page(dpi int, _ bool) image.Image  { return target.DrawPage(dpi) }

// still draws a scene once.
type still struct{ left, right *image.Gray }

func (s still) Eyes(virtual.Shot) (left, right *image.Gray) { return s.left, s.right }

type bench struct {
	t    *testing.T
	bus  *virtual.Bus
	m    *Meter
	k    *Kiosk
	cam  *virtual.Device
	scan *virtual.Device
}

func newBench(t *testing.T, s scene) *bench {
	t.Helper()
	b := &bench{t: t, bus: virtual.NewBus()}
	t.Cleanup(func() { b.bus.Close() })
	l, r := s.Eyes(virtual.Shot{Width: 320, Height: 240})
	var err error
	if b.cam, err = virtual.NewCamera(still{l, r}, virtual.CameraOptions{Width: 320, Height: 240, Interval: 50 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if b.scan, err = virtual.NewScanner(s, virtual.ScannerOptions{}); err != nil {
		t.Fatal(err)
	}
	b.plug("1-4", b.cam)
	b.plug("1-2", b.scan)
	found := discover.New(b.bus)
	j := OpenJournal(filepath.Join(t.TempDir(), "vault"))
	b.m = NewMeter(found, j)
	b.k = &Kiosk{Devices: found, Meter: b.m, Journal: j}
	return b
}

func (b *bench) plug(port string, d *virtual.Device) {
	b.t.Helper()
	if err := b.bus.Plug(port, d); err != nil {
		b.t.Fatal(err)
	}
}

// look watches the iris camera for a while, or until ok.
func (b *bench) look(limit time.Duration, ok func(Look) bool) (last Look, err error) {
	b.t.Helper()
	return b.watch(health.PartCamera, limit, ok)
}

// watch watches a camera for a while, or until ok.
func (b *bench) watch(part health.Part, limit time.Duration, ok func(Look) bool) (last Look, err error) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.t.Context(), limit)
	defer stop()
	_, err = b.m.Watch(ctx, part, "", func(l Look) {
		if last = l; ok != nil && ok(l) {
			stop()
		}
	})
	return last, err
}

func (b *bench) verdict(want health.Cause, part health.Part, port string) health.Report {
	b.t.Helper()
	r := health.Judge(b.k.Facts(b.t.Context()))
	if v, _ := r.Verdict(); v.Cause != want || want != "" && (v.Part != part || v.Port != port) {
		b.t.Errorf("the verdict is %+v, want %s of %s at %s; all: %+v", v, want, part, port, r.Findings)
	}
	return r
}

// TestVerdictOfVirtualFaults: a fault is put into a virtual device, the driver
// meets it, and the right part is blamed.
func TestVerdictOfVirtualFaults(t *testing.T) {
	model := scene{light: 190}
	// In bubbles where a rate is judged, since a starved machine is slow indeed
	// (TestHandBack).
	t.Run("well", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, model)
			l, err := b.look(5*time.Second, Look.Passed)
			if err != nil || !l.Passed() {
				t.Fatalf("%+v, %v", l.Facts, err)
			}
			r := b.verdict("", "", "")
			if len(r.Lines) == 0 || r.Lines[0].Part != health.PartScanner && r.Lines[0].Part != health.PartCamera {
				t.Errorf("%+v", r.Lines)
			}
		})
	})
	t.Run("lost packets", func(t *testing.T) {
		b := newBench(t, model)
		b.cam.SetFaults(virtual.Faults{Drop: 0.02, Seed: 7})
		b.look(10*time.Second, func(l Look) bool { return l.Stats.Damaged >= 3 })
		r := b.verdict(health.CauseCable, health.PartCamera, "1-4")
		if v, _ := r.Verdict(); v.Count < 3 || time.Since(v.At) > time.Minute {
			t.Errorf("%+v does not say how many and when", v)
		}
		// Another program, later, knows it from the journal.
		b.k.Meter = nil
		b.verdict(health.CauseCable, health.PartCamera, "1-4")
	})
	t.Run("hangs", func(t *testing.T) {
		b := newBench(t, model)
		b.cam.SetFaults(virtual.Faults{Hang: 1})
		cam, err := b.m.OpenIrisCamera(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer cam.Close()
		s, err := cam.Stream(t.Context())
		if err == nil {
			ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, err = s.Next(ctx)
			stop()
			s.Close()
		}
		if !errors.Is(err, devices.ErrStalled) {
			t.Fatal(err)
		}
		b.m.failed(place{part: health.PartCamera, port: "1-4"}, err) // as the officer's capture sees it: its own time is over
		b.verdict(health.CauseDeviceStalled, health.PartCamera, "1-4")
	})
	t.Run("unplugged and back", func(t *testing.T) {
		b := newBench(t, model)
		list, err := b.k.Devices.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.bus.Unplug("1-4")
		for _, d := range list {
			if d.Info.Port == "1-4" {
				b.m.Went(d)
			}
		}
		b.verdict(health.CauseDeviceGone, health.PartCamera, "1-4")
		b.plug("1-4", b.cam)
		b.verdict("", "", "")
	})
	t.Run("broken descriptors", func(t *testing.T) {
		b := newBench(t, model)
		b.bus.Unplug("1-4")
		b.cam.SetFaults(virtual.Faults{Descriptor: "zero"})
		b.plug("1-4", b.cam)
		b.verdict(health.CauseDescriptors, health.PartCamera, "1-4")
	})
	t.Run("dark", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, scene{light: 70})
			b.look(5*time.Second, func(l Look) bool { return l.Facts.Found })
			b.verdict(health.CauseDark, health.PartCamera, "1-4")
		})
	})
	t.Run("exchanged", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, scene{light: 190, swapped: true})
			b.look(5*time.Second, func(l Look) bool { return l.Facts.Found })
			b.verdict(health.CauseSwapped, health.PartCamera, "1-4")
		})
	})
	t.Run("no bus", func(t *testing.T) {
		b := newBench(t, model)
		b.k.Devices = discover.New(brokenBus{b.bus})
		b.verdict(health.CauseBus, health.PartUnknown, "")
	})
}

type brokenBus struct{ *virtual.Bus }

func (brokenBus) List(context.Context) ([]usb.DeviceInfo, error) { return nil, usb.ErrIO }

// twoFaces is a bus with one device at a port, that says that it is two face cameras.
func twoFaces(t *testing.T, port string) (*virtual.Bus, *discover.Discovery) {
	t.Helper()
	bus := virtual.NewBus()
	t.Cleanup(func() { bus.Close() })
	face, err := virtual.NewColourCamera(nobody{}, virtual.ColourOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := bus.Plug(port, face); err != nil {
		t.Fatal(err)
	}
	return bus, discover.New(&virtualtest.Unknown{Bus: bus, Config: virtualtest.Twice})
}

// TestTwoCamerasOfOneDevice: what is known of one of two face cameras in one device
// is not said of the other.
func TestTwoCamerasOfOneDevice(t *testing.T) {
	bus, both := twoFaces(t, "1-4.1")
	journal := OpenJournal(filepath.Join(t.TempDir(), "vault"))
	faces := func(d *discover.Discovery, m *Meter) (out []health.DeviceFacts) {
		for _, x := range (&Kiosk{Devices: d, Meter: m, Journal: journal}).Facts(t.Context()).Devices {
			if x.Part == health.PartFace {
				out = append(out, x)
			}
		}
		return out
	}
	m := NewMeter(both, journal)
	list, err := both.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	m.failed(placeOf(list[1]), devices.ErrBusy)
	if f := faces(both, m); len(f) != 2 || f[0].Fault != "" || f[1].Fault != health.DeviceBusy {
		t.Errorf("the second is busy, and the meter knows %+v", f)
	}
	m.Went(list[0])
	if f := faces(both, m); len(f) != 2 || f[1].Fault != health.DeviceBusy {
		t.Errorf("the first went, and what is known of the second with it: %+v", f)
	}
	m.Went(list[1])
	one := discover.New(&virtualtest.Unknown{Bus: bus})
	if f := faces(one, m); len(f) != 2 || !f[0].Present || f[1].Present || f[1].Left.IsZero() {
		t.Errorf("the second went, the first is there: %+v", f)
	}
	bus.Unplug("1-4.1")
	if f := faces(one, m); len(f) != 2 || f[0].Present || f[1].Present {
		t.Errorf("both went: %+v", f)
	}
}

// TestNobodyIsLookedAt: a person before the camera gives figures and no picture.
func TestNobodyIsLookedAt(t *testing.T) {
	b := newBench(t, scene{person: true})
	looks := 0
	_, err := b.look(2*time.Second, func(l Look) bool {
		looks++
		if l.Left != nil || l.Right != nil || l.Facts.Found {
			t.Error("a person was taken for the eye model")
		}
		return false
	})
	if err != nil || looks == 0 {
		t.Fatalf("%d looks, %v", looks, err)
	}
}

func TestCalibrationPage(t *testing.T) {
	b := newBench(t, scene{light: 190})
	s, err := b.m.OpenScanner(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, img, err := b.m.Calibrate(t.Context(), s, 300)
	if err != nil || img == nil || f.Scale < 99 || f.Scale > 101 || f.Sharp < health.ScanSharpFloor || f.White < health.ScanWhiteFloor {
		t.Errorf("%+v, %v", f, err)
	}
	t.Logf("%+v", f)
	b.verdict("", "", "")
}

// TestVaultVerdicts: a vault is broken in each way that it can be.
func TestVaultVerdicts(t *testing.T) {
	k := sessiontest.New(t)
	now := &Kiosk{Dir: k.Dir, Vault: k.Vault}
	if v, any := health.Judge(now.Facts(t.Context())).Verdict(); any && v.Weight > health.Care {
		t.Errorf("a sound vault: %+v", v)
	}
	_, err := store.Open(k.Dir, store.Options{})
	if f := (&Kiosk{Dir: k.Dir, Why: err}).Facts(t.Context()); f.Vault.State != health.VaultInUse {
		t.Errorf("%v: %+v", err, f.Vault)
	}
	if err := k.Vault.Close(); err != nil {
		t.Fatal(err)
	}
	for file, name := range map[string]string{"vault.db": "vault.db", "keys.tbl": "key-ring"} {
		path := filepath.Join(k.Dir, file)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("not it", 1000)), 0o600); err != nil {
			t.Fatal(err)
		}
		v, err := store.Open(k.Dir, store.Options{})
		if err == nil {
			v.Close()
			t.Fatalf("opens with a broken %s", file)
		}
		got, _ := health.Judge((&Kiosk{Dir: k.Dir, Why: err}).Facts(t.Context())).Verdict()
		if got.Cause != health.CauseVaultDamaged || got.Name != name {
			t.Errorf("%s broken (%v): %+v", file, err, got)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	missing := filepath.Join(t.TempDir(), "none", "vault")
	_, err = store.Open(missing, store.Options{})
	if got, _ := health.Judge((&Kiosk{Dir: missing, Why: err}).Facts(t.Context())).Verdict(); got.Cause != health.CauseVaultMissing {
		t.Errorf("no vault (%v): %+v", err, got)
	}
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	j := OpenJournal(filepath.Join(dir, "vault"))
	for range 25 {
		if err := j.Note(health.Note{Kind: health.NoteShown, Key: "fault.device", Page: "irises"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Note(health.Note{Kind: health.NoteShown, Key: "OLLANTA DABROWSKI"}); !errors.Is(err, health.ErrNote) {
		t.Errorf("a name was noted: %v", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, JournalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("OLLANTA DABROWSKI\n{\"kind\":\"shown\",\"key\":\"OLLANTA\"}\n")
	f.Close()
	code, err := j.Report(health.Report{Findings: []health.Finding{{Part: health.PartCamera, Cause: health.CauseCable, Weight: health.Care, Port: "1-4", Count: 12}}})
	if err != nil {
		t.Fatal(err)
	}
	got, ok := OpenJournal(filepath.Join(dir, "vault")).Fault(strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	if !ok || len(got.Findings) != 1 || got.Findings[0].Port != "1-4" {
		t.Errorf("%s: %+v, %t", code, got, ok)
	}
	if n := len(j.Shown(20)); n != 20 {
		t.Errorf("%d sentences", n)
	}
	if n := len(j.Last(1000)); n != 26 {
		t.Errorf("%d notes: a line that is none was read", n)
	}
	if _, ok := j.Fault("MOKA-99"); ok && code != "MOKA-99" {
		t.Error("a fault that nobody reported")
	}
}

// TestHandBack: a test passes with the technician's objects before sound devices,
// and with nothing less; nothing of it is kept. The devices live in a bubble, whose
// clock stands while anything computes: on a starved machine the camera of this
// program is slow indeed, and a slow camera is not handed back.
func TestHandBack(t *testing.T) {
	k := sessiontest.New(t)
	before, err := k.Vault.Status()
	if err != nil {
		t.Fatal(err)
	}
	inBubble(t, func(t *testing.T) {
		b := newBench(t, scene{light: 190})
		b.k.Vault, b.k.Dir = k.Vault, k.Dir
		code, failed, err := b.k.HandBack(t.Context(), sessiontest.Technician)
		if err != nil || failed != "" || code == "" {
			t.Fatalf("%q, %q, %v: %+v", code, failed, err, health.Judge(b.k.Facts(t.Context())).Findings)
		}
	})
	after, err := k.Vault.Status()
	if err != nil || after.Drafts != before.Drafts || after.Waiting != 0 || after.Cards != 0 || after.Audit != before.Audit+1 {
		t.Errorf("the vault was %+v and is %+v, %v", before, after, err)
	}
	if _, err := k.Begin(t.Context(), kiosk.VisitTest); err == nil {
		t.Error("an encounter was begun as a test")
	}
	k.In()
	if e, err := k.Begin(t.Context(), kiosk.VisitTest); err == nil {
		t.Errorf("an officer began a test: %+v", e.Steps)
	}
	for name, s := range map[string]scene{"a person": {person: true}, "exchanged eyes": {light: 190, swapped: true}, "darkness": {light: 60}} {
		inBubble(t, func(t *testing.T) {
			b := newBench(t, s)
			ctx, stop := context.WithTimeout(t.Context(), 1500*time.Millisecond)
			defer stop()
			if code, failed, _ := b.k.HandBack(ctx, sessiontest.Technician); failed != "camera" || code != "" {
				t.Errorf("%s passes: %q, %q", name, code, failed)
			}
		})
	}
}

// inBubble runs f in a bubble that begins now.
func inBubble(t *testing.T, f func(t *testing.T)) {
	now := time.Now().Round(0)
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now))
		f(t)
	})
}
