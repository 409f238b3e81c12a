package tend

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

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
// folder, and removes it.
func Disk(dir string) *health.DiskFacts {
	d := Room(dir)
	if d == nil {
		return nil
	}
	if !d.ReadOnly {
		d.Refused = !writes(filepath.Dir(dir))
	}
	var s unix.Stat_t
	if unix.Stat(dir, &s) == nil || unix.Stat(filepath.Dir(dir), &s) == nil {
		d.Errors, d.Worn = blockDevice(uint64(s.Dev), "/sys")
	}
	return d
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

// blockDevice reads what the kernel knows about a disk: errors that ext4
// counted, and the wear that an eMMC reports in steps of 10 percent (JESD84-B51,
// DEVICE_LIFE_TIME_EST_TYP_A). Zero where it says nothing.
func blockDevice(dev uint64, sys string) (errors, worn int) {
	link, err := os.Readlink(filepath.Join(sys, "dev", "block", fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev))))
	if err != nil {
		return 0, 0
	}
	read := func(path ...string) string {
		b, err := os.ReadFile(filepath.Join(path...))
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(b))
	}
	name := filepath.Base(link)
	errors, _ = strconv.Atoi(read(sys, "fs", "ext4", name, "errors_count"))
	for _, at := range []string{link, filepath.Dir(link)} { // the disk, or the disk of a partition
		for _, step := range strings.Fields(read(sys, "dev", "block", at, "device", "life_time")) {
			if n, err := strconv.ParseUint(step, 0, 8); err == nil && n > 0 && n <= 11 {
				worn = max(worn, int(n)*10)
			}
		}
	}
	return errors, worn
}
