package tend

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"tambo/kiosk/health"
)

const (
	noteMemory  = 400       // notes that are looked at
	journalSize = 256 << 10 // bytes, then it begins anew and the last one is kept
	// JournalFile is its name, in the folder that holds the vault.
	JournalFile = "journal.jsonl"
)

// Journal keeps notes in a file, a JSON object a line. Lines that are not notes
// are passed over: whatever else somebody writes into the file is never read out
// again. Safe for concurrent use, and for several programs at the same file.
type Journal struct {
	path string
	mu   sync.Mutex
	now  func() time.Time
}

// OpenJournal opens the journal of the kiosk whose vault is in dir. It makes
// nothing until something is noted.
func OpenJournal(dir string) *Journal {
	return &Journal{path: filepath.Join(filepath.Dir(dir), JournalFile), now: time.Now}
}

// Note adds a note, with the time if it has none. It is durable for faults and
// tests only.
func (j *Journal) Note(n health.Note) error {
	if n.At.IsZero() {
		n.At = j.now().UTC().Truncate(time.Second)
	}
	if err := n.Check(); err != nil {
		return err
	}
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if st, err := os.Stat(j.path); err == nil && st.Size() > journalSize {
		if err := os.Rename(j.path, j.path+".1"); err != nil {
			return err
		}
	}
	f, err := j.open()
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	if err == nil && (n.Kind == health.NoteFault || n.Kind == health.NoteTest) {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// open opens the file to write at its end. What root makes belongs to whom the
// folder belongs to, so that the kiosk can go on with it; root follows no link in a
// folder that is not its own. A file that is somebody else's is put aside.
func (j *Journal) open() (*os.File, error) {
	const flags = os.O_APPEND | os.O_CREATE | os.O_WRONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK
	f, err := os.OpenFile(j.path, flags, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		if rerr := os.Rename(j.path, j.path+".1"); rerr != nil {
			return nil, errors.Join(err, rerr)
		}
		f, err = os.OpenFile(j.path, flags, 0o600)
	}
	if err != nil {
		return nil, err
	}
	if err := own(f, filepath.Dir(j.path)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// own gives a file of root's to whom the folder belongs to.
func own(f *os.File, dir string) error {
	var have, want unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &have); err != nil {
		return err
	}
	if have.Mode&unix.S_IFMT != unix.S_IFREG || have.Nlink != 1 {
		return fmt.Errorf("%s is no file of its own", f.Name())
	}
	if os.Geteuid() != 0 || unix.Stat(dir, &want) != nil || have.Uid == want.Uid {
		return nil
	}
	return f.Chown(int(want.Uid), int(want.Gid))
}

// Last returns the last n notes, oldest first.
func (j *Journal) Last(n int) []health.Note {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []health.Note
	for _, path := range []string{j.path + ".1", j.path} {
		b, err := tail(path, 2*journalSize)
		if err != nil {
			continue
		}
		for line := range bytes.Lines(b) {
			if note, err := health.ParseNote(line); err == nil {
				all = append(all, note)
			}
		}
	}
	return all[max(0, len(all)-n):]
}

// tail reads the end of a file, at most so many bytes: whoever else wrote into
// the file decides neither how much is read nor that nothing is.
func tail(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, st.Size()-most), most))
}

// Shown returns the last n sentences that officers were shown, the latest first.
func (j *Journal) Shown(n int) (out []health.Note) {
	return j.latest(n, health.NoteShown)
}

// Faults returns the last n faults that were reported, the latest first.
func (j *Journal) Faults(n int) []health.Note { return j.latest(n, health.NoteFault) }

func (j *Journal) latest(n int, kind health.NoteKind) (out []health.Note) {
	all := j.Last(1 << 20)
	for i := len(all) - 1; i >= 0 && len(out) < n; i-- {
		if all[i].Kind == kind {
			out = append(out, all[i])
		}
	}
	return out
}

// Fault finds a fault by the code that somebody said.
func (j *Journal) Fault(spoken string) (health.Note, bool) {
	code := health.SpokenCode(spoken)
	for _, n := range j.Faults(1 << 20) {
		if n.Code == code {
			return n, true
		}
	}
	return health.Note{}, false
}

// Report writes a fault down, with the verdict of that moment, and returns its
// code.
func (j *Journal) Report(r health.Report) (string, error) {
	for {
		code, err := health.NewCode(rand.Reader)
		if err != nil {
			return "", err
		}
		if _, used := j.Fault(code); !used {
			return code, j.Note(health.Note{Kind: health.NoteFault, Code: code, Findings: r.Findings})
		}
	}
}
