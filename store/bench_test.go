package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store/internal/twin"
)

// plainWrite is the reference: the same parts, each written to a file, synced,
// renamed, and its folder synced.
func plainWrite(dir string, parts []Part) error {
	for _, p := range parts {
		path := filepath.Join(dir, p.Name)
		f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(p.Body)
		if err := errors.Join(err, f.Sync(), f.Close(), os.Rename(path+".new", path), twin.SyncDir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// TestSealingSpeed compares sealing a whole encounter with writing its parts
// plainly, turn by turn in the same run, and logs the ratio. The promise is 60 %;
// the test fails only below 20 %, because a shared disk's syncs vary severalfold.
func TestSealingSpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	for _, size := range []int{100_000, 700_000} {
		var sealing, saving, plain time.Duration
		bytes := 0
		dir := t.TempDir()
		for i := range 8 {
			e, images := w.encounter(i+size, size)
			ps := parts(e, images)
			at := time.Now()
			w.must(plainWrite(dir, ps))
			plain += time.Since(at)
			at = time.Now()
			w.must(s.SaveDraft(bg, e, images))
			saving += time.Since(at)
			at = time.Now()
			_, err := s.Seal(bg, e, kiosk.PackageEncounter, ps, card(e, w.now.AddDate(1, 0, 0)))
			w.must(err)
			sealing += time.Since(at)
			for _, p := range ps {
				bytes += len(p.Body)
			}
		}
		ratio := plain.Seconds() / sealing.Seconds()
		t.Logf("%d encounters of %.1f MB: sealing %s each, plain write+fsync %s: %.0f %% of its speed; first save %s",
			8, float64(bytes)/8e6, ms(sealing/8), ms(plain/8), 100*ratio, ms(saving/8))
		if ratio < 0.2 {
			t.Errorf("sealing runs at %.0f %% of plain write+fsync", 100*ratio)
		}
	}
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
