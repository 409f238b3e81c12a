package store

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"tambo/kiosk"
	"tambo/store/keyring"
)

// FuzzEncounterFile changes an encounter's file anywhere: what opens holds what
// was written, or is damaged, and never panics.
func FuzzEncounterFile(f *testing.F) {
	v := &Vault{dir: f.TempDir()}
	os.MkdirAll(v.path(""), 0o700)
	key := keyring.Key{1, 2, 3}
	want := map[string][]byte{"state": noise(1, 3000), "image/1": noise(2, 70_000), "image/2": noise(3, 100)}
	made, err := v.createEnc(kindDraft, "0123456789abcdefghjk", keyring.Ref{Slot: 3}, key, want)
	if err != nil {
		f.Fatal(err)
	}
	name := made.name
	if err := made.update(map[string][]byte{"image/2": noise(4, 5000), "state": noise(5, 200)}, nil); err != nil {
		f.Fatal(err)
	}
	want["image/2"], want["state"] = noise(4, 5000), noise(5, 200)
	made.close()
	good, err := os.ReadFile(v.path(name))
	if err != nil {
		f.Fatal(err)
	}
	for _, at := range []int{16, 40, 4096, 4096 + 60, 8192, 8192 + 9, 3 * 4096, 4*4096 + 20, 5 * 4096} {
		f.Add(uint32(at), []byte{0xff, 0, 1})
		f.Add(uint32(at), bytes.Repeat([]byte{0}, 64))
	}
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		b := bytes.Clone(good)
		copy(b[int(at)%len(b):], patch)
		x := &Vault{dir: t.TempDir()}
		os.MkdirAll(x.path(""), 0o700)
		os.WriteFile(x.path(name), b, 0o600)
		e, err := x.openEnc(name, key, true)
		if err != nil {
			return
		}
		defer e.close()
		e.list()
		for blob, w := range want {
			if got, err := e.get(blob); err == nil && !bytes.Equal(got, w) && !stale(got) {
				t.Fatalf("%s came back different", blob)
			}
		}
	})
}

// stale reports whether a blob is what stood in its place before the last
// update: a spoilt newest meta page brings back the state before.
func stale(b []byte) bool { return bytes.Equal(b, noise(1, 3000)) || bytes.Equal(b, noise(3, 100)) }

// FuzzIndex changes the index anywhere.
func FuzzIndex(f *testing.F) {
	w := newWorld(f)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 2000)
	w.must(s.SaveDraft(bg, e, images))
	_, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), card(e, w.now.AddDate(1, 0, 0)))
	w.must(err)
	w.must(s.ApplyList(bg, &kiosk.ListDelta{List: "stolen", To: 1, Put: []kiosk.WatchlistEntry{{ID: "a"}, {ID: "b"}}}))
	w.v.Close()
	good, err := os.ReadFile(filepath.Join(w.dir, indexFile))
	w.must(err)
	for _, at := range []int{0, 40, 4096, 2 * 4096, 3*4096 + 10, 4*4096 + 30, 5 * 4096, 7 * 4096} {
		f.Add(uint32(at), []byte{1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, at uint32, patch []byte) {
		dir := filepath.Join(t.TempDir(), "v")
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		filepath.WalkDir(dir, func(p string, d os.DirEntry, _ error) error {
			if !d.IsDir() {
				return os.Chmod(p, 0o600)
			}
			return nil
		})
		b := bytes.Clone(good)
		copy(b[int(at)%len(b):], patch)
		os.WriteFile(filepath.Join(dir, indexFile), b, 0o600)
		v, err := Open(dir, w.options())
		if err != nil {
			return
		}
		defer v.Close()
		v.Status()
		v.Outbox(bg)
		v.Have()
		v.EndCards(kiosk.Instant{Time: w.now.AddDate(9, 0, 0), Trusted: true})
	})
}
