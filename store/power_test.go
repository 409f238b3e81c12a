package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store/internal/powercut"
)

// record runs a worker for some encounters on a recording file system. The
// vault is made there beforehand.
func record(t *testing.T, encounters int) (*powercut.Recorder, map[kiosk.RecipientRole][]byte) {
	t.Helper()
	base := t.TempDir()
	w := &world{t: t, dir: filepath.Join(base, "vault"), now: start, private: map[kiosk.RecipientRole][]byte{}}
	w.make()
	w.v.Close()
	mount := t.TempDir()
	r, err := powercut.Mount(mount, base)
	if err != nil {
		t.Skipf("FUSE is not to be had here: %v", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	cmd := worker(ctx, filepath.Join(mount, "vault"), "", sayEnv+"="+filepath.Join(mount, powercut.SaidFile), fmt.Sprintf("TAMBO_CRASH_ROUNDS=%d", encounters))
	out, err := cmd.CombinedOutput()
	if e := r.Unmount(); e != nil {
		t.Fatal(e)
	}
	if err != nil {
		t.Fatalf("worker: %v\n%s", err, out)
	}
	return r, w.private
}

// cut replays one cut and holds the vault against what had been said.
func cut(t *testing.T, r *powercut.Recorder, private map[kiosk.RecipientRole][]byte, seed uint64, lax func(string) bool) error {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 11))
	at := rng.IntN(r.Len() + 1)
	dir, err := os.MkdirTemp(ramDir(), "powercut-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	lines, err := r.Replay(dir, at, rng, lax)
	if err != nil {
		t.Fatal(err)
	}
	s := newSaid()
	for _, l := range lines {
		s.hear(l)
	}
	if err := s.verify(filepath.Join(dir, "vault"), private); err != nil {
		return fmt.Errorf("cut %d before operation %d of %d: %w", seed, at, r.Len(), err)
	}
	return nil
}

// ramDir is a folder in memory, where syncing what is only looked at costs
// nothing.
func ramDir() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return ""
}

// TestPowerCut cuts the power at random moments of a worker's life: 150 times in
// the short form, 10,000 with TAMBO_LONG=1.
func TestPowerCut(t *testing.T) {
	cuts := 150
	if os.Getenv(longEnv) != "" {
		cuts = 10_000
	}
	if testing.Short() {
		cuts = 20
	}
	r, private := record(t, 7+cuts/500)
	begun := time.Now()
	for seed := range cuts {
		if err := cut(t, r, private, uint64(seed), nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d power cuts over %d operations in %v: nothing confirmed was lost", cuts, r.Len(), time.Since(begun).Round(time.Millisecond))
}

// TestPowerCutHasTeeth: were any one file or folder never synced, cuts would
// show it.
func TestPowerCutHasTeeth(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	r, private := record(t, 7)
	for what, lax := range map[string]func(string) bool{
		"keys.tbl":                      func(n string) bool { return n == "keys.tbl" },
		"vault.db":                      func(n string) bool { return n == "vault.db" },
		"encounter files":               func(n string) bool { return strings.HasSuffix(n, ".enc") },
		"the folder of encounter files": func(n string) bool { return n == encDir },
		"the audit log":                 func(n string) bool { return n == "entries" },
	} {
		caught := 0
		var first error
		const cuts = 60
		for seed := range cuts {
			if err := cut(t, r, private, uint64(seed), lax); err != nil {
				caught++
				if first == nil {
					first = err
				}
			}
		}
		t.Logf("without syncing %s: %d of %d cuts are bad, the first: %v", what, caught, cuts, first)
		if caught == 0 {
			t.Errorf("never syncing %s goes unnoticed", what)
		}
	}
}
