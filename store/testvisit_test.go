package store

import (
	"errors"
	"testing"

	"tambo/kiosk"
)

// TestATestIsNotKept: a technician's test encounter gets nowhere in the vault,
// whatever else is right about it.
func TestATestIsNotKept(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 10)
	e.Visit = kiosk.VisitTest
	if err := s.SaveDraft(bg, e, images); !errors.Is(err, kiosk.ErrTest) {
		t.Errorf("kept: %v", err)
	}
	if _, err := s.Queue(bg, e, kiosk.PackageNotice, nil); !errors.Is(err, kiosk.ErrTest) {
		t.Errorf("queued: %v", err)
	}
	e.Visit = kiosk.VisitIntake
	w.must(s.SaveDraft(bg, e, images))
	e.Visit = kiosk.VisitTest
	if _, err := s.Seal(bg, e, kiosk.PackageEncounter, nil, nil); !errors.Is(err, kiosk.ErrTest) {
		t.Errorf("sealed: %v", err)
	}
	items, err := w.v.Outbox(bg)
	if err != nil || len(items) != 0 {
		t.Errorf("%d packages wait, %v", len(items), err)
	}
}
