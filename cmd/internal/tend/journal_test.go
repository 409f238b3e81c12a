package tend

import (
	"bytes"
	"os"
	"path/filepath"
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
