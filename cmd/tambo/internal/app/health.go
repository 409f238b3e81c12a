package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/devices"
	"tambo/devices/discover"
	"tambo/kiosk/ui/screens"
	"tambo/store"
)

// Health looks at each part. Nothing in it is about anybody, and it works with
// a vault that does not open: then it says why.
func (s *station) Health(ctx context.Context) []screens.HealthItem {
	now := time.Now()
	s.mu.Lock()
	v, road, bus, why := s.vault, s.courier, s.bus, s.why
	s.mu.Unlock()
	var items []screens.HealthItem
	add := func(p screens.HealthPart, w screens.HealthWord, format string, args ...any) {
		items = append(items, screens.HealthItem{Part: p, State: w, Detail: fmt.Sprintf(format, args...), At: now})
	}
	if v == nil {
		add(screens.PartVault, screens.HealthBroken, "%s", closed(why))
		s.addDisk(add)
		add(screens.PartClock, screens.HealthUnsure, "%s", now.Format("2006-01-02 15:04:05"))
		return items
	}
	s.addDevices(add, bus)
	switch r, err := road.Last(); {
	case err != nil:
		add(screens.PartHub, screens.HealthGone, "%s", err)
	case r.At.IsZero():
		add(screens.PartHub, screens.HealthBusy, "")
	default:
		add(screens.PartHub, screens.HealthWell, "")
	}
	switch st, err := v.Status(); {
	case err != nil:
		add(screens.PartVault, screens.HealthBroken, "%s", err)
	case len(st.Damage) > 0:
		add(screens.PartVault, screens.HealthBroken, "%s", strings.Join(st.Damage, "; "))
	default:
		add(screens.PartVault, screens.HealthWell, "#%d", st.Audit) // entries of the log
	}
	s.addDisk(add)
	if i := v.Now(now); i.Trusted {
		add(screens.PartClock, screens.HealthWell, "%s", now.Format("2006-01-02 15:04:05"))
	} else {
		add(screens.PartClock, screens.HealthUnsure, "%s", now.Format("2006-01-02 15:04:05"))
	}
	if prints, _ := s.Printer(); prints {
		add(screens.PartPrinter, screens.HealthWell, "%s", filepath.Base(s.c.Print[0]))
	} else {
		add(screens.PartPrinter, screens.HealthNone, "")
	}
	_ = ctx
	return items
}

// closed says why the vault is not open.
func closed(err error) string {
	var damaged *store.ErrDamaged
	switch {
	case err == nil:
		return "…"
	case errors.As(err, &damaged):
		return damaged.File + ": " + damaged.Do
	}
	return err.Error()
}

func (s *station) addDevices(add func(screens.HealthPart, screens.HealthWord, string, ...any), bus string) {
	if bus != "" {
		add(screens.PartCamera, screens.HealthGone, "%s", bus)
		add(screens.PartScanner, screens.HealthGone, "%s", bus)
		return
	}
	parts := map[devices.Kind]screens.HealthPart{devices.KindIrisCamera: screens.PartCamera,
		devices.KindDocumentScanner: screens.PartScanner, devices.KindChipReader: screens.PartChip}
	there := map[screens.HealthPart]bool{}
	s.seen.Range(func(_, x any) bool {
		d := x.(discover.Device)
		p, ok := parts[d.Info.Kind]
		switch {
		case ok && d.WhyNot == "":
			there[p] = true
			add(p, screens.HealthWell, "%s, %s", d.Info.Name, d.Info.Port)
		case d.WhyNot != "":
			add(screens.PartUnknown, screens.HealthNoDriver, "%04x:%04x, %s: %s", d.Info.VendorID, d.Info.ProductID, d.Info.Port, d.WhyNot)
		}
		return true
	})
	for _, p := range []screens.HealthPart{screens.PartCamera, screens.PartScanner} {
		if !there[p] {
			add(p, screens.HealthGone, "")
		}
	}
}

func (s *station) addDisk(add func(screens.HealthPart, screens.HealthWord, string, ...any)) {
	free, total := diskRoom(s.c.Vault)
	if total == 0 {
		return
	}
	word := screens.HealthWell
	if free < reserve {
		word = screens.HealthFull
	} else if free < total/20 {
		word = screens.HealthPoor
	}
	add(screens.PartDisk, word, "%d GB / %d GB", free>>30, total>>30)
}

// diskRoom is the free and the whole size of the disk that holds a folder, or
// the folder above it; zero if neither is there.
func diskRoom(dir string) (free, total int64) {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil && unix.Statfs(filepath.Dir(dir), &st) != nil {
		return 0, 0
	}
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize
}

// power reads where the current comes from (sysfs-class-power). A machine that
// says nothing of it is on mains.
func power(dir string) screens.Power {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return screens.Power{}
	}
	read := func(name, file string) string {
		b, _ := os.ReadFile(filepath.Join(dir, name, file))
		return strings.TrimSpace(string(b))
	}
	var p screens.Power
	battery := false
	for _, e := range entries {
		switch read(e.Name(), "type") {
		case "Mains":
			p.Known, p.Mains = true, p.Mains || read(e.Name(), "online") == "1"
		case "Battery":
			if read(e.Name(), "scope") == "Device" {
				continue // a mouse's
			}
			if n, err := strconv.Atoi(read(e.Name(), "capacity")); err == nil {
				p.Percent, battery, p.Known = n, true, true
			}
		}
	}
	if p.Known && !battery {
		p.Mains = true
	}
	return p
}
