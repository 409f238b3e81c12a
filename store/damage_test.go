package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tambo/kiosk"
)

// spoil changes n bytes of a file at random places.
func spoil(t testing.TB, path string, r *rand.Rand, n int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		at := r.IntN(len(b))
		for i := at; i < min(at+64, len(b)); i++ {
			b[i] ^= byte(1 + r.IntN(255))
		}
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedDraft: one draft's file is spoilt; it is named, and everything else
// is there.
func TestDamagedDraft(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	var es []*kiosk.Encounter
	for i := range 3 {
		e, images := w.encounter(i, 5000)
		w.must(s.SaveDraft(bg, e, images))
		es = append(es, e)
	}
	r, err := w.v.findDraft(es[1].ID)
	w.must(err)
	w.v.Close()
	b, _ := os.ReadFile(filepath.Join(w.dir, encDir, r.File))
	os.WriteFile(filepath.Join(w.dir, encDir, r.File), append(make([]byte, 8192), b[8192:]...), 0o600)
	w.open()
	s = w.unlock("of-1", pwO)
	ds, err := s.Drafts(bg)
	if err != nil || len(ds) != 3 {
		t.Fatalf("%v %v", ds, err)
	}
	for _, d := range ds {
		var damaged *ErrDamaged
		if bad := d.ID == es[1].ID; bad != errors.As(d.Err, &damaged) || bad && !strings.Contains(damaged.File, r.File) {
			t.Errorf("%s: %v", d.ID, d.Err)
		}
	}
	if st, _ := w.v.Status(); len(st.Damage) != 1 || !strings.Contains(st.Damage[0], r.File) {
		t.Errorf("damage: %v", st.Damage)
	}
}

// TestMissingFile: a file that the index names is gone.
func TestMissingFile(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 1000)
	w.must(s.SaveDraft(bg, e, images))
	i, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil)
	w.must(err)
	w.v.Close()
	files, _ := os.ReadDir(filepath.Join(w.dir, encDir))
	os.Remove(filepath.Join(w.dir, encDir, files[0].Name()))
	w.open()
	if st, _ := w.v.Status(); len(st.Damage) != 1 {
		t.Errorf("damage: %v", st.Damage)
	}
	if _, _, err := w.v.SealedPart(i.ID, "record"); err == nil {
		t.Error("a part of a missing file")
	}
}

// TestDamagedIndex: the index is spoilt. Open names it; Salvage finds drafts and
// packages again from their files.
func TestDamagedIndex(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	draft, di := w.encounter(1, 3000)
	w.must(s.SaveDraft(bg, draft, di))
	e, images := w.encounter(2, 3000)
	w.must(s.SaveDraft(bg, e, images))
	item, err := s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), card(e, w.now.AddDate(1, 0, 0)))
	w.must(err)
	w.v.Close()
	if _, err := Salvage(w.dir, w.options()); err == nil {
		t.Error("a sound vault was salvaged")
	}
	index := filepath.Join(w.dir, indexFile)
	good, _ := os.ReadFile(index)
	os.WriteFile(index, good[:len(good)/2], 0o600)
	var damaged *ErrDamaged
	if _, err := Open(w.dir, w.options()); !errors.As(err, &damaged) || damaged.File != indexFile || !strings.Contains(damaged.Do, "salvage") {
		t.Fatalf("open: %v", err)
	}
	os.WriteFile(filepath.Join(w.dir, encDir, "feed.enc"), []byte("junk"), 0o600)
	got, err := Salvage(w.dir, w.options())
	if err != nil || got.Drafts != 1 || got.Packages != 1 || len(got.Lost) != 1 {
		t.Fatalf("salvaged %+v, %v", got, err)
	}
	w.open()
	w.checkPackage(item.ID, e, images)
	s = w.unlock("su-1", pwS)
	if b, err := s.Image(bg, draft.ID, "image-2"); err != nil || !bytes.Equal(b, di["image-2"]) {
		t.Errorf("the draft's image: %v", err)
	}
	if kept, err := os.ReadFile(filepath.Join(w.dir, got.Kept)); err != nil || len(kept) != len(good)/2 {
		t.Errorf("the damaged index was not kept: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "lost", "feed.enc")); err != nil {
		t.Error("the unreadable file was not kept")
	}
}

// TestAnyDamage spoils every file of a vault in turn, at random. Whatever opens,
// nothing may panic, and what is returned must be what was kept.
func TestAnyDamage(t *testing.T) {
	w := newWorld(t)
	s := w.unlock("of-1", pwO)
	e, images := w.encounter(1, 20_000)
	w.must(s.SaveDraft(bg, e, images))
	x, xi := w.encounter(2, 5000)
	w.must(s.SaveDraft(bg, x, xi))
	item, err := s.Seal(bg, x, kiosk.PackageEncounter, parts(x, xi), card(x, w.now.AddDate(1, 0, 0)))
	w.must(err)
	w.v.Close()
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	r := rand.New(rand.NewPCG(5, 6))
	opened, named := 0, 0
	for i := range rounds {
		dir := filepath.Join(t.TempDir(), "v")
		if err := os.CopyFS(dir, os.DirFS(w.dir)); err != nil {
			t.Fatal(err)
		}
		var all []string
		filepath.WalkDir(dir, func(p string, d os.DirEntry, _ error) error {
			if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
				os.Chmod(p, 0o600)
				if info.Size() > 0 {
					all = append(all, p)
				}
			}
			return nil
		})
		victim := all[i%len(all)]
		spoil(t, victim, r, 1+r.IntN(20))
		v, err := Open(dir, w.options())
		if err != nil {
			named++
			continue
		}
		opened++
		v.Status()
		if sub, _, err := v.Unlock(bg, "of-1", []byte(pwO)); err == nil {
			for name, want := range images {
				if b, err := sub.Image(bg, e.ID, name); err == nil && !bytes.Equal(b, want) {
					t.Errorf("%s spoilt: another image came back", filepath.Base(victim))
				}
			}
			sub.Cards(bg, func(kiosk.IndexCard) error { return nil })
			sub.Lists(bg)
			sub.SaveDraft(bg, e, nil)
		}
		for _, p := range item.Parts {
			if part, _, err := v.SealedPart(item.ID, p.Name); err == nil {
				part.Read(make([]byte, 1<<20))
				part.Close()
			}
		}
		v.Close()
	}
	t.Logf("%d vaults spoilt: %d opened, %d named what is damaged", rounds, opened, named)
}

// TestDiskFull fills a small file system of its own. Enrolment stops with
// ErrDiskFull, nothing confirmed is lost, and purge still works.
func TestDiskFull(t *testing.T) {
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=6m,mode=0700"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(mount, syscall.MNT_DETACH) })
	w := &world{t: t, dir: filepath.Join(mount, "vault"), now: start, private: map[kiosk.RecipientRole][]byte{}}
	w.make()
	t.Cleanup(func() { w.v.Close() })
	s := w.unlock("of-1", pwO)
	var saved []*kiosk.Encounter
	content := map[kiosk.EncounterID]map[string][]byte{}
	var item OutboxItem
	var err error
	for i := 0; ; i++ {
		e, images := w.encounter(i, 60_000)
		if err = s.SaveDraft(bg, e, images); err != nil {
			break
		}
		saved, content[e.ID] = append(saved, e), images
		if i == 0 {
			item, err = s.Seal(bg, e, kiosk.PackageEncounter, parts(e, images), nil)
			w.must(err)
			saved = saved[:0]
		}
		if i > 200 {
			t.Fatal("the disk does not fill")
		}
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Errorf("full disk: %v", err)
	}
	// A draft that there is cannot grow either, and is not harmed by trying.
	last := saved[len(saved)-1]
	for i := range 50 {
		if err = s.SaveDraft(bg, last, map[string][]byte{fmt.Sprint("more-", i): noise(i, 200_000)}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Errorf("full disk: %v", err)
	}
	if _, err := s.Seal(bg, last, kiosk.PackageEncounter, parts(last, content[last.ID]), nil); err == nil {
		t.Log("sealing still found room")
	} else if !errors.Is(err, ErrDiskFull) {
		t.Errorf("sealing on a full disk: %v", err)
	} else {
		w.check(s, last, content[last.ID])
	}
	for _, e := range saved[:len(saved)-1] {
		w.check(s, e, content[e.ID])
	}
	// Delivery needs next to no room.
	w.must(w.v.ApplyReceipt(item.ID, kiosk.ReceiptComplete, []byte("note")))
	w.must(w.v.Purge(item.ID))
	w.reopen()
	s = w.unlock("of-1", pwO)
	for _, e := range saved[:len(saved)-1] {
		w.check(s, e, content[e.ID])
	}
	if st, _ := w.v.Status(); len(st.Damage) > 0 {
		t.Errorf("damage: %v", st.Damage)
	}
	t.Logf("full after %d drafts; all of them are there", len(saved))
	w.v.o.Reserve = 1 << 30
	e, images := w.encounter(999, 10)
	if err := s.SaveDraft(bg, e, images); !errors.Is(err, ErrDiskFull) {
		t.Errorf("a draft was begun within the reserve: %v", err)
	}
}

func (w *world) check(s *Subjects, e *kiosk.Encounter, images map[string][]byte) {
	w.t.Helper()
	if _, err := s.Draft(bg, e.ID); err != nil {
		w.t.Errorf("%s: %v", e.ID, err)
	}
	for name, want := range images {
		if b, err := s.Image(bg, e.ID, name); err != nil || !bytes.Equal(b, want) {
			w.t.Errorf("%s, %s: %v", e.ID, name, err)
		}
	}
}
