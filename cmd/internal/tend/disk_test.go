package tend

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tambo/cmd/internal/tend/smart"
	"tambo/kiosk/health"
)

// machine makes the kernel's files of a machine: an eMMC with a partition, an NVMe
// disk with an encrypted volume on its second partition, and a volume over two
// disks.
func machine(t *testing.T) string {
	t.Helper()
	sys := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = filepath.Join(sys, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := func(from, to string) {
		t.Helper()
		from = filepath.Join(sys, from)
		if err := os.MkdirAll(filepath.Dir(from), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(sys, to), from); err != nil {
			t.Fatal(err)
		}
	}
	write("devices/mmc/block/mmcblk0/mmcblk0p2/partition", "2\n")
	write("devices/mmc/block/mmcblk0/device/life_time", "0x03 0x05\n")
	write("devices/nvme/nvme0n1/nvme0n1p3/partition", "3\n")
	write("devices/virtual/dm-0/slaves/x", "")
	link("devices/virtual/dm-0/slaves/nvme0n1p3", "devices/nvme/nvme0n1/nvme0n1p3")
	write("devices/sata/sda/size", "1")
	write("devices/sata/sdb/size", "1")
	write("devices/virtual/md0/slaves/x", "")
	link("devices/virtual/md0/slaves/sda", "devices/sata/sda")
	link("devices/virtual/md0/slaves/sdb", "devices/sata/sdb")
	link("devices/virtual/md0/slaves/self", "devices/virtual/md0") // never ends
	link("dev/block/179:2", "devices/mmc/block/mmcblk0/mmcblk0p2")
	link("dev/block/253:0", "devices/virtual/dm-0")
	link("dev/block/9:0", "devices/virtual/md0")
	link("class/block/mmcblk0", "devices/mmc/block/mmcblk0")
	write("fs/ext4/mmcblk0p2/errors_count", "7\n")
	return sys
}

func TestDisksOf(t *testing.T) {
	sys := machine(t)
	for _, c := range []struct {
		dev  uint64
		want []string
	}{{unix.Mkdev(179, 2), []string{"mmcblk0"}}, {unix.Mkdev(253, 0), []string{"nvme0n1"}}, {unix.Mkdev(9, 0), []string{"sda", "sdb"}}, {unix.Mkdev(1, 1), nil}} {
		if got := disksOf(c.dev, sys); !slices.Equal(got, c.want) {
			t.Errorf("%x is on %q, want %q", c.dev, got, c.want)
		}
	}
	if errors, worn := fileSystem(unix.Mkdev(179, 2), sys); errors != 7 || worn != 50 {
		t.Errorf("%d errors, %d %% worn", errors, worn)
	}
	if errors, worn := fileSystem(unix.Mkdev(1, 1), sys); errors != 0 || worn != 0 {
		t.Errorf("a disk that is not there: %d errors, %d %% worn", errors, worn)
	}
}

func TestDiskReport(t *testing.T) {
	now := time.Now()
	r := DiskReport{At: now.UTC().Truncate(time.Second), Disks: map[string]smart.Health{
		"sda": {Used: 12, UsedKnown: true, Unreadable: 3}, "sdb": {Failing: true, Unreadable: 1}, "sdc": {Used: 99, UsedKnown: true}}}
	path := filepath.Join(t.TempDir(), "disks.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
	back, err := ReadDiskReport(path)
	if err != nil {
		t.Fatal(err)
	}
	var d health.DiskFacts
	back.fill(&d, []string{"sda", "sdb"}, now)
	if !d.Asked || !d.Failing || d.Unreadable != 4 || d.Worn != 12 {
		t.Errorf("%+v", d)
	}
	for name, at := range map[string]time.Time{"old": now.Add(9 * 24 * time.Hour), "of the future": now.Add(-3 * time.Hour)} {
		var d health.DiskFacts
		if back.fill(&d, []string{"sda", "sdb"}, at); d.Asked || d.Failing {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", st.Mode(), err)
	}
	for name, text := range map[string]string{"nothing": "", "no report": "[1]", "another field": `{"owner":"x"}`,
		"negative": `{"disks":{"sda":{"unreadable":-1}}}`, "too large": `{"at":"2026-01-01T00:00:00Z","disks":{"a` + strings.Repeat("a", 70<<10) + `":{}}}`} {
		if r, err := parseReport(strings.NewReader(text)); err == nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
