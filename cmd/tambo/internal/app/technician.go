package app

import (
	"context"
	"errors"
	"image"
	"io"
	"path/filepath"

	"tambo/cmd/internal/tend"
	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/health"
	"tambo/kiosk/session"
	"tambo/kiosk/ui"
	"tambo/kiosk/ui/words"
)

// technician serves the window's diagnostics.
type technician struct {
	*station
	book *words.Book
}

var _ ui.Technician = technician{}

// SignIn proves that somebody is a technician, and opens nothing for them.
func (t technician) SignIn(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	t.mu.Lock()
	v := t.vault
	t.mu.Unlock()
	if v == nil {
		return kiosk.Operator{}, errors.New("the vault is not open")
	}
	op, err := v.Check(ctx, label, password)
	if err == nil && op.Role != kiosk.RoleTechnician {
		err = session.ErrWrongRole
	}
	return op, err
}

// errNoDevices says that there is no bus that could be asked.
var errNoDevices = &devices.Error{Op: "find", Kind: devices.ErrGone}

// Watch streams from a camera.
func (t technician) Watch(ctx context.Context, camera health.Part, each func(ui.Seen)) error {
	k := t.looked()
	if k.Meter == nil {
		return errNoDevices
	}
	k.Meter.Forget(camera) // the technician changed something and tests anew
	_, err := k.Meter.Watch(ctx, camera, "", func(l tend.Look) {
		s := ui.Seen{Rate: l.Rate, Late: l.Latency, Lost: l.Stats.Damaged, Bus: l.Stats.BusErrors, Untaken: l.Stats.Dropped, Eyes: l.Facts}
		if l.Left != nil {
			s.Left = l.Left.Picture
		}
		if l.Right != nil {
			s.Right = l.Right.Picture
		}
		each(s)
	})
	return err
}

// Calibrate scans the calibration page.
func (t technician) Calibrate(ctx context.Context) (image.Image, error) {
	k := t.looked()
	if k.Meter == nil {
		return nil, errNoDevices
	}
	s, err := k.Meter.OpenScanner(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	_, img, err := k.Meter.Calibrate(ctx, s, 300)
	if errors.Is(err, tend.ErrNoPage) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return img, nil
}

// HandBack makes the test encounter that is kept nowhere.
func (t technician) HandBack(ctx context.Context, by string) (code, failed string, err error) {
	k := t.looked()
	if k.Meter == nil {
		return "", "camera", errNoDevices
	}
	return k.HandBack(ctx, by)
}

// Bundle saves a support archive in the folder support beside the vault.
func (t technician) Bundle(ctx context.Context) (string, error) {
	b := tend.Bundle{Kiosk: t.looked(), Config: t.c.file, Crash: t.c.CrashLog, Logs: []io.Reader{t.said.reader()}}
	name, err := b.Save(ctx, filepath.Join(filepath.Dir(t.c.Vault), "support"))
	return filepath.Base(name), err
}

// Notes are what was shown and what was reported.
func (t technician) Notes() (shown, faults []health.Note) {
	return t.journal.Shown(20), t.journal.Faults(10)
}

// Fault finds a fault by its code.
func (t technician) Fault(spoken string) (health.Note, bool) { return t.journal.Fault(spoken) }

// Shown notes that officers were shown a sentence.
func (t technician) Shown(page, key string) {
	if err := t.journal.ShownWords(t.book, page, key); err != nil {
		t.log.Warn("journal", "page", page)
	}
}

// Changes says that something was plugged in or out.
func (t technician) Changes() <-chan struct{} { return t.changes }
