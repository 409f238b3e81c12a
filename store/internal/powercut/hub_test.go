package powercut_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tambo/store/internal/powercut"
	"tambo/sync/hub"
	"tambo/sync/hub/embedded"
	"tambo/sync/wire"
)

// The hub's embedded store under the recorder: whatever it had acknowledged when
// the power went is there. A worker process takes parts as the hub does and says
// each acknowledgement; every cut is held against what had been said.

const hubWorker = "TAMBO_POWERCUT_HUB"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hubWorker); dir != "" {
		if err := takeParts(filepath.Join(dir, "hub"), filepath.Join(dir, powercut.SaidFile)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const hubParts = 12

// hubPart is what part i holds.
func hubPart(i int) (id, digest string, b []byte) {
	b = make([]byte, 3000+i*4000)
	rand.NewChaCha8([32]byte{byte(i + 1)}).Read(b)
	sum := sha256.Sum256(b)
	digest = hex.EncodeToString(sum[:])
	return wire.UploadID("lima-1", digest), digest, b
}

func takeParts(dir, said string) error {
	f, err := os.OpenFile(said, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	say := func(format string, args ...any) error {
		_, err := fmt.Fprintf(f, format+"\n", args...)
		return err
	}
	s, err := embedded.Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	for i := range hubParts {
		if err := takePart(s, i, say); err != nil {
			return err
		}
	}
	return nil
}

func takePart(s hub.Store, i int, say func(string, ...any) error) error {
	ctx := context.Background()
	id, digest, b := hubPart(i)
	if err := s.Begin(ctx, id); err != nil {
		return err
	}
	if err := say("size %d 0", i); err != nil {
		return err
	}
	for at := 0; at < len(b); {
		n := min(7001, len(b)-at)
		if _, err := s.Append(ctx, id, int64(at), bytes.NewReader(b[at:at+n])); err != nil {
			return err
		}
		at += n
		if err := say("size %d %d", i, at); err != nil {
			return err
		}
	}
	if i%5 == 4 {
		if err := say("dropping %d", i); err != nil {
			return err
		}
		if err := s.Drop(ctx, id); err != nil {
			return err
		}
		return say("dropped %d", i)
	}
	if err := s.Commit(ctx, id, digest); err != nil {
		return err
	}
	if err := say("whole %d", i); err != nil {
		return err
	}
	if err := s.Update(ctx, func(tx hub.Tx) error { return tx.Put(hub.TablePackages, digest, []byte(id)) }); err != nil {
		return err
	}
	return say("row %d", i)
}

// holdAgainst opens what a cut left and holds it against what had been said.
func holdAgainst(dir string, said []string) error {
	s, err := embedded.Open(dir)
	if err != nil {
		return err
	}
	defer s.Close()
	sizes, words := map[int]int{}, map[string]bool{}
	for _, line := range said {
		var i, n int
		if _, err := fmt.Sscanf(line, "size %d %d", &i, &n); err == nil {
			sizes[i] = n
		}
		words[line] = true
	}
	for i, n := range sizes {
		if err := holdPart(s, dir, i, n, words); err != nil {
			return fmt.Errorf("part %d, of which %d bytes were acknowledged: %w", i, n, err)
		}
	}
	return nil
}

func holdPart(s hub.Store, dir string, i, n int, words map[string]bool) error {
	ctx := context.Background()
	id, digest, want := hubPart(i)
	size, whole, err := s.Size(ctx, id)
	switch {
	case words[fmt.Sprintf("dropped %d", i)]:
		if !errors.Is(err, hub.ErrNotFound) {
			return fmt.Errorf("dropped, and still there: %v", err)
		}
		return nil
	case words[fmt.Sprintf("dropping %d", i)] && errors.Is(err, hub.ErrNotFound):
		return nil
	case err != nil:
		return err
	case size < int64(n):
		return fmt.Errorf("only %d are there", size)
	case words[fmt.Sprintf("whole %d", i)] && !whole:
		return errors.New("it was whole, and is not")
	}
	if whole {
		r, err := s.Open(ctx, id)
		if err != nil {
			return err
		}
		defer r.Close()
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
			return fmt.Errorf("it is whole and different: %w", err)
		}
	} else {
		got, err := os.ReadFile(filepath.Join(dir, "parts", "lima-1", digest[:2], digest+".part"))
		if err != nil || len(got) < n || !bytes.Equal(got[:n], want[:n]) {
			return fmt.Errorf("acknowledged bytes are different: %w", err)
		}
	}
	if words[fmt.Sprintf("row %d", i)] {
		return s.View(ctx, func(tx hub.Tx) error {
			_, err := tx.Get(hub.TablePackages, digest)
			return err
		})
	}
	return nil
}

func recordHub(t *testing.T) *powercut.Recorder {
	t.Helper()
	base, mount := t.TempDir(), t.TempDir()
	s, err := embedded.Open(filepath.Join(base, "hub"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := powercut.Mount(mount, base)
	if err != nil {
		t.Skipf("FUSE is not to be had here: %v", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), hubWorker+"="+mount)
	out, err := cmd.CombinedOutput()
	if e := r.Unmount(); e != nil {
		t.Fatal(e)
	}
	if err != nil {
		t.Fatalf("worker: %v\n%s", err, out)
	}
	return r
}

func cutHub(t *testing.T, r *powercut.Recorder, seed uint64, lax func(string) bool) error {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 21))
	at := rng.IntN(r.Len() + 1)
	top := ""
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		top = "/dev/shm" // syncing what is only looked at costs nothing there
	}
	dir, err := os.MkdirTemp(top, "powercut-hub-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	said, err := r.Replay(dir, at, rng, lax)
	if err != nil {
		t.Fatal(err)
	}
	if err := holdAgainst(filepath.Join(dir, "hub"), said); err != nil {
		return fmt.Errorf("cut %d before operation %d of %d: %w", seed, at, r.Len(), err)
	}
	return nil
}

func TestHubPowerCut(t *testing.T) {
	cuts := 150
	if os.Getenv("TAMBO_LONG") != "" {
		cuts = 10_000
	}
	if testing.Short() {
		cuts = 20
	}
	r := recordHub(t)
	begun := time.Now()
	for seed := range cuts {
		if err := cutHub(t, r, uint64(seed), nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d power cuts over %d operations in %v: nothing acknowledged was lost", cuts, r.Len(), time.Since(begun).Round(time.Millisecond))
}

// TestHubPowerCutHasTeeth: were parts, or their folders, never synced, cuts
// would show it.
func TestHubPowerCutHasTeeth(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	r := recordHub(t)
	for what, lax := range map[string]func(string) bool{
		"parts":                 func(n string) bool { return len(strings.TrimSuffix(n, ".part")) == 64 },
		"the folders of parts":  func(n string) bool { return len(n) == 2 },
		"the folders of kiosks": func(n string) bool { return n == "lima-1" },
	} {
		caught := 0
		var first error
		const cuts = 60
		for seed := range cuts {
			if err := cutHub(t, r, uint64(seed), lax); err != nil {
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
