package tend

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"tambo/kiosk/health"
)

// Whatever somebody else wrote into the journal, a line without an end or a
// hundred megabytes, the notes after it are read, and little else is.
func TestAForeignLineHidesNoNote(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vault")
	j := OpenJournal(dir)
	for i, foreign := range [][]byte{bytes.Repeat([]byte("x"), 100<<10), make([]byte, 8<<20), {0xff, '\n', '{'}} {
		f, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(append(foreign, '\n')); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := j.Note(health.Note{Kind: health.NoteLost, Part: health.PartCamera, Port: "1-1", Count: i + 1}); err != nil {
			t.Fatal(err)
		}
		if got := j.Last(10); len(got) == 0 || got[len(got)-1].Count != i+1 {
			t.Errorf("after %d foreign bytes the journal says %+v", len(foreign), got)
		}
	}
	if b, err := tail(j.path+".1", 1000); err != nil || len(b) != 1000 {
		t.Errorf("%d of the last 1000 bytes, %v", len(b), err)
	}
	if err := (health.Note{At: j.now(), Kind: health.NoteLost, Part: health.PartCamera, Count: -1}).Check(); err == nil {
		t.Error("less than nothing was lost")
	}
}

// kioskUser is whom the folder belongs to in these tests.
const kioskUser = 64321

// What root writes into the kiosk's journal, the kiosk's user can go on with; and
// a file that it cannot write to does not end the journal.
func TestJournalOfRoot(t *testing.T) {
	if at := os.Getenv("TAMBO_TEST_JOURNAL"); at != "" { // the kiosk's user
		if err := OpenJournal(at).Note(health.Note{Kind: health.NoteShown, Key: "health.allWell"}); err != nil {
			t.Fatal(err)
		}
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("not root")
	}
	root, err := os.MkdirTemp("/tmp", "tambo-journal-") // every folder above must let the user through
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(root)
	if err := os.Chown(root, kioskUser, kioskUser); err != nil {
		t.Fatal(err)
	}
	vault := filepath.Join(root, "vault")
	journal := filepath.Join(root, JournalFile)
	note := health.Note{Kind: health.NoteShown, Key: "health.allWell"}
	asUser := func() {
		t.Helper()
		self, err := os.ReadFile("/proc/self/exe") // where the user can reach it
		if err != nil {
			t.Fatal(err)
		}
		program := filepath.Join(root, "test")
		if err := os.WriteFile(program, self, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, "-test.run", "^TestJournalOfRoot$")
		cmd.Dir, cmd.Env = "/", []string{"TAMBO_TEST_JOURNAL=" + vault}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: kioskUser, Gid: kioskUser}}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("as the kiosk's user: %v\n%s", err, out)
		}
	}
	if err := OpenJournal(vault).Note(note); err != nil { // sudo tambo-diag devices watch
		t.Fatal(err)
	}
	var st syscall.Stat_t
	if err := syscall.Stat(journal, &st); err != nil || st.Uid != kioskUser || st.Gid != kioskUser || st.Mode&0o777 != 0o600 {
		t.Errorf("the journal belongs to %d:%d, mode %o, %v", st.Uid, st.Gid, st.Mode, err)
	}
	asUser()
	if n := len(OpenJournal(vault).Last(10)); n != 2 {
		t.Errorf("%d notes, want 2", n)
	}
	if err := os.Chown(journal, 0, 0); err != nil { // as earlier versions left it
		t.Fatal(err)
	}
	asUser()
	if n := len(OpenJournal(vault).Last(10)); n != 3 {
		t.Errorf("%d notes after a journal of root's, want 3", n)
	}
	// A link in the kiosk's folder does not lead root elsewhere.
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	for name, make := range map[string]func() error{
		"symbolic": func() error { return os.Symlink(elsewhere, journal) }, "hard": func() error { return os.Link(elsewhere, journal) },
	} {
		if err := errors.Join(os.WriteFile(elsewhere, nil, 0o644), os.RemoveAll(journal), make()); err != nil {
			t.Log(name, err) // another file system
			continue
		}
		if err := OpenJournal(vault).Note(note); err == nil {
			t.Errorf("%s link: followed", name)
		}
		if b, err := os.ReadFile(elsewhere); err != nil || len(b) > 0 {
			t.Errorf("%s link: %q was written elsewhere, %v", name, b, err)
		}
	}
}
