package tend

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/cmd/internal/tend/smart"
	"tambo/kiosk/health"
)

// Room is how much room there is on the disk that holds a folder, or the folder
// above it; nil where neither is there. It only asks.
func Room(dir string) *health.DiskFacts {
	var st unix.Statfs_t
	if dir == "" || unix.Statfs(dir, &st) != nil && unix.Statfs(filepath.Dir(dir), &st) != nil {
		return nil
	}
	return &health.DiskFacts{Free: int64(st.Bavail) * st.Bsize, Total: int64(st.Blocks) * st.Bsize, Reserve: Reserve, ReadOnly: st.Flags&unix.ST_RDONLY != 0}
}

// Disk looks at that disk closely: it writes and syncs one small file beside the
// folder, and removes it; and asks the disk what it says of itself, or reads what
// it said to root.
func Disk(dir string) *health.DiskFacts {
	d := Room(dir)
	if d == nil {
		return nil
	}
	if !d.ReadOnly {
		d.Refused = !writes(filepath.Dir(dir))
	}
	if dev, ok := deviceOf(dir); ok {
		d.Errors, d.Worn = fileSystem(dev, "/sys")
		asked, _ := AskDisks(dir)
		if len(asked.Disks) == 0 {
			asked, _ = ReadDiskReport(DiskReportFile)
		}
		asked.fill(d, disksOf(dev, "/sys"), time.Now())
	}
	return d
}

func deviceOf(dir string) (dev uint64, ok bool) {
	var s unix.Stat_t
	if unix.Stat(dir, &s) != nil && unix.Stat(filepath.Dir(dir), &s) != nil {
		return 0, false
	}
	return uint64(s.Dev), true
}

// writes reports whether a small file can be written and synced in a folder. One
// that this program may not write to says nothing about the disk.
func writes(dir string) bool {
	f, err := os.CreateTemp(dir, ".tambo-check-*")
	if os.IsPermission(err) {
		return true
	}
	if err != nil {
		return false
	}
	defer os.Remove(f.Name())
	_, err = f.Write(make([]byte, 4096))
	if err == nil {
		err = f.Sync()
	}
	return f.Close() == nil && err == nil
}

// sysText reads a small file of the kernel's.
func sysText(path ...string) string {
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// blockLink is where the kernel describes a block device.
func blockLink(dev uint64, sys string) (string, bool) {
	at, err := filepath.EvalSymlinks(filepath.Join(sys, "dev", "block", fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))))
	return at, err == nil
}

// fileSystem reads what the kernel knows about a disk: errors that ext4 counted,
// and the wear that an eMMC reports in steps of 10 percent (JESD84-B51,
// DEVICE_LIFE_TIME_EST_TYP_A). Zero where it says nothing.
func fileSystem(dev uint64, sys string) (errors, worn int) {
	at, ok := blockLink(dev, sys)
	if !ok {
		return 0, 0
	}
	errors, _ = strconv.Atoi(sysText(sys, "fs", "ext4", filepath.Base(at), "errors_count"))
	for _, disk := range disksOf(dev, sys) {
		for _, step := range strings.Fields(sysText(sys, "class", "block", disk, "device", "life_time")) {
			if n, err := strconv.ParseUint(step, 0, 8); err == nil && n > 0 && n <= 11 {
				worn = max(worn, int(n)*10)
			}
		}
	}
	return errors, worn
}

// maxDisks bounds what may lie below one file system.
const maxDisks = 16

// disksOf names the disks that hold a block device: of a partition its disk, of an
// encrypted or joined volume what is below it.
func disksOf(dev uint64, sys string) []string {
	at, ok := blockLink(dev, sys)
	if !ok {
		return nil
	}
	var out []string
	seen := map[string]bool{}
	for next := []string{at}; len(next) > 0 && len(seen) < 4*maxDisks; next = next[1:] {
		at := next[0]
		if seen[at] {
			continue
		}
		seen[at] = true
		below, _ := os.ReadDir(filepath.Join(at, "slaves"))
		switch _, err := os.Stat(filepath.Join(at, "partition")); {
		case err == nil:
			next = append(next, filepath.Dir(at))
		case len(below) > 0:
			for _, b := range below {
				if to, err := filepath.EvalSymlinks(filepath.Join(at, "slaves", b.Name())); err == nil {
					next = append(next, to)
				}
			}
		case len(out) < maxDisks:
			out = append(out, filepath.Base(at))
		}
	}
	slices.Sort(out)
	return out
}

// DiskReportFile is where root's timer leaves what the disks said of themselves,
// for programs that may not ask (tambo-disk.service).
const DiskReportFile = "/run/tambo-disk/disks.json"

// reportAge is how old a report may be: it is made every day.
const reportAge = 8 * 24 * time.Hour

// DiskReport is what disks said of themselves, by the kernel's names.
type DiskReport struct {
	At    time.Time               `json:"at"`
	Disks map[string]smart.Health `json:"disks"`
}

// AskDisks asks the disks that hold a folder, or the folder above it. Only root
// may; disks that say nothing are left out. The error is the last of those.
func AskDisks(dir string) (DiskReport, error) {
	r := DiskReport{At: time.Now().UTC().Truncate(time.Second), Disks: map[string]smart.Health{}}
	dev, ok := deviceOf(dir)
	if !ok {
		return r, fmt.Errorf("%s: %w", dir, os.ErrNotExist)
	}
	last := error(smart.ErrUnsupported)
	for _, name := range disksOf(dev, "/sys") {
		h, err := smart.Read("/dev/" + name)
		if err != nil {
			last = fmt.Errorf("%s: %w", name, err)
			continue
		}
		r.Disks[name] = h
	}
	if len(r.Disks) > 0 {
		last = nil
	}
	return r, last
}

// Write keeps a report, whole or not at all, for everybody to read.
func (r DiskReport) Write(path string) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".disks-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// ReadDiskReport reads one.
func ReadDiskReport(path string) (DiskReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return DiskReport{}, err
	}
	defer f.Close()
	return parseReport(f)
}

func parseReport(r io.Reader) (DiskReport, error) {
	d := json.NewDecoder(io.LimitReader(r, 64<<10))
	d.DisallowUnknownFields()
	var out DiskReport
	if err := d.Decode(&out); err != nil {
		return DiskReport{}, err
	}
	if len(out.Disks) > maxDisks {
		return DiskReport{}, fmt.Errorf("a report of %d disks", len(out.Disks))
	}
	for _, h := range out.Disks {
		if h.Used < 0 || h.Used > 255 || h.Unreadable < 0 || h.Unreadable > 1<<30 {
			return DiskReport{}, fmt.Errorf("%w: %+v", smart.ErrData, h)
		}
	}
	return out, nil
}

// fill puts into the facts what the disks said, the worst of each. A report that is
// old, or of the future, says nothing.
func (r DiskReport) fill(d *health.DiskFacts, disks []string, now time.Time) {
	if age := now.Sub(r.At); age > reportAge || age < -time.Hour {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(r.Disks)) {
		if !slices.Contains(disks, name) {
			continue
		}
		h := r.Disks[name]
		d.Asked, d.Failing, d.Unreadable = true, d.Failing || h.Failing, d.Unreadable+h.Unreadable
		if h.UsedKnown {
			d.Worn = max(d.Worn, h.Used)
		}
	}
}
