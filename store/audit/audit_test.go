package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"tambo/kiosk"
)

var testKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{5}, 32))

const origin = "tambo/vault-1"

func open(t testing.TB, dir string) *Log {
	t.Helper()
	l, err := Open(dir, origin, testKey)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func entry(i int) Entry {
	return Entry{At: kiosk.Instant{Time: time.Date(2026, 3, 1, 6, 30, i, 0, time.UTC), Trusted: i%2 == 0}, Act: "act", By: "of-1", Note: fmt.Sprint(i)}
}

func fill(t testing.TB, l *Log, n int) {
	t.Helper()
	for range n {
		i := l.Size()
		if got, err := l.Append(entry(int(i))); err != nil || got != i {
			t.Fatalf("append %d: %d, %v", i, got, err)
		}
	}
}

// TestTreeIsRFC6962 computes the root in another way: the plain recursion of
// RFC 6962, section 2.1, over the bytes of the entries file.
func TestTreeIsRFC6962(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	fill(t, l, 13)
	text, _ := os.ReadFile(filepath.Join(dir, entriesFile))
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	var mth func([]string) tlog.Hash
	mth = func(d []string) tlog.Hash {
		if len(d) == 1 {
			return tlog.RecordHash([]byte(d[0]))
		}
		k := 1
		for 2*k < len(d) {
			k *= 2
		}
		return tlog.NodeHash(mth(d[:k]), mth(d[k:]))
	}
	b, err := l.Checkpoint()
	if err != nil {
		t.Fatal(err)
	}
	root := mth(lines)
	if want := origin + "\n13\n" + base64.StdEncoding.EncodeToString(root[:]) + "\n\n— " + origin + " "; !strings.HasPrefix(string(b), want) {
		t.Errorf("checkpoint is\n%s\nwant\n%s", b, want)
	}
	v, _ := note.NewVerifier(l.VerifierKey())
	tree, err := OpenCheckpoint(b, v)
	if err != nil || tree.N != 13 || tree.Hash != root {
		t.Errorf("%v %v", tree, err)
	}
}

func TestProofs(t *testing.T) {
	l := open(t, t.TempDir())
	fill(t, l, 5)
	v, _ := note.NewVerifier(l.VerifierKey())
	b, _ := l.Checkpoint()
	old, _ := OpenCheckpoint(b, v)
	fill(t, l, 9)
	req, err := l.Witness(5)
	if err != nil {
		t.Fatal(err)
	}
	// What a witness does with it (C2SP tlog-witness).
	head, checkpoint, _ := bytes.Cut(req, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if lines[0] != "old 5" {
		t.Fatalf("%q", lines[0])
	}
	var proof tlog.TreeProof
	for _, s := range lines[1:] {
		h, err := tlog.ParseHash(s)
		if err != nil {
			t.Fatal(err)
		}
		proof = append(proof, h)
	}
	now, err := OpenCheckpoint(checkpoint, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckTree(proof, now.N, now.Hash, old.N, old.Hash); err != nil {
		t.Error(err)
	}
	for i := range now.N {
		p, err := l.ProveEntry(now.N, i)
		if err != nil {
			t.Fatal(err)
		}
		e, line, err := l.Entry(i)
		if err != nil || e != entry(int(i)) {
			t.Fatalf("entry %d: %v %v", i, e, err)
		}
		if err := tlog.CheckRecord(p, now.N, now.Hash, i, tlog.RecordHash(line)); err != nil {
			t.Error(err)
		}
	}
	if _, err := l.ProveTree(100, 5); err == nil {
		t.Error("proved what is not there")
	}
	if _, err := l.Witness(99); err == nil {
		t.Error("a witness that saw more than there is was answered")
	}
}

// TestTornTail cuts the entries file at every byte of its last two lines, with
// the hashes as far as they may then have come.
func TestTornTail(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	fill(t, l, 6)
	l.Close()
	text, _ := os.ReadFile(filepath.Join(dir, entriesFile))
	hashes, _ := os.ReadFile(filepath.Join(dir, hashesFile))
	five := bytes.LastIndexByte(text[:len(text)-1], '\n') + 1
	durable := int(tlog.StoredHashCount(5)) * tlog.HashSize
	for _, tail := range []func([]byte) []byte{
		func(b []byte) []byte { return b },
		func(b []byte) []byte { return append(b, make([]byte, 50)...) },
		func(b []byte) []byte { return append(b, '\n') },
	} {
		for cut := len(text) - 1; cut >= five; cut -= 9 {
			for _, h := range []int{0, 7, durable - 10, durable} {
				d := t.TempDir()
				os.WriteFile(filepath.Join(d, entriesFile), tail(bytes.Clone(text[:cut])), 0o600)
				os.WriteFile(filepath.Join(d, hashesFile), hashes[:h], 0o600)
				l, err := Open(d, origin, testKey)
				if err != nil {
					t.Fatalf("cut at %d: %v", cut, err)
				}
				if n := l.Size(); n != 5 && !(n == 6 && cut == len(text)-1) || l.Problem() != nil {
					t.Fatalf("cut at %d, hashes %d: %d entries, %v", cut, h, n, l.Problem())
				}
				if h == 0 {
					fill(t, l, 1)
				}
				l.Close()
			}
		}
	}
}

func TestTampering(t *testing.T) {
	for name, change := range map[string]func(dir string){
		"an entry changed": func(d string) {
			edit(d, entriesFile, func(b []byte) []byte { return bytes.Replace(b, []byte(`"note":"2"`), []byte(`"note":"9"`), 1) })
		},
		"an entry dropped": func(d string) {
			edit(d, entriesFile, func(b []byte) []byte { return b[bytes.IndexByte(b, '\n')+1:] })
		},
		"entries cut off": func(d string) {
			edit(d, entriesFile, func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] })
		},
		"an entry unreadable": func(d string) {
			edit(d, entriesFile, func(b []byte) []byte { b[5] = 0; return b })
		},
		"entry and hashes changed": func(d string) {
			edit(d, entriesFile, func(b []byte) []byte { return bytes.Replace(b, []byte(`"note":"2"`), []byte(`"note":"9"`), 1) })
			os.Remove(filepath.Join(d, hashesFile))
		},
		"checkpoint forged": func(d string) {
			edit(d, checkpointFile, func(b []byte) []byte { return bytes.Replace(b, []byte("\n6\n"), []byte("\n5\n"), 1) })
		},
	} {
		dir := t.TempDir()
		l := open(t, dir)
		fill(t, l, 6)
		if _, err := l.Checkpoint(); err != nil {
			t.Fatal(err)
		}
		l.Close()
		change(dir)
		l, err := Open(dir, origin, testKey)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !errors.Is(l.Problem(), ErrTampered) {
			t.Errorf("%s: not noticed", name)
		}
		fill(t, l, 1) // the kiosk goes on; the witness will not be deceived
		l.Close()
	}
}

func edit(dir, name string, f func([]byte) []byte) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(path, f(b), 0o600); err != nil {
		panic(err)
	}
}

func TestRefused(t *testing.T) {
	l := open(t, t.TempDir())
	for _, e := range []Entry{{}, {Act: "x", Note: strings.Repeat("x", MaxEntry)}} {
		if _, err := l.Append(e); !errors.Is(err, ErrEntry) {
			t.Errorf("%v", err)
		}
	}
	if _, ok := l.Last(); ok {
		t.Error("an empty log has a last entry")
	}
	fill(t, l, 3)
	if e, ok := l.Last(); !ok || e != entry(2) {
		t.Errorf("last is %v", e)
	}
	if _, err := Open(t.TempDir(), "not a name+", testKey); err == nil {
		t.Error("origin that notes cannot carry")
	}
}

func FuzzOpen(f *testing.F) {
	dir := f.TempDir()
	l := open(f, dir)
	fill(f, l, 3)
	l.Close()
	text, _ := os.ReadFile(filepath.Join(dir, entriesFile))
	hashes, _ := os.ReadFile(filepath.Join(dir, hashesFile))
	f.Add(text, hashes, []byte{})
	f.Add([]byte("\n\n{}\n"), []byte{1}, []byte(origin+"\n1\nAAAA\n"))
	f.Fuzz(func(t *testing.T, text, hashes, checkpoint []byte) {
		d := t.TempDir()
		os.WriteFile(filepath.Join(d, entriesFile), text, 0o600)
		os.WriteFile(filepath.Join(d, hashesFile), hashes, 0o600)
		os.WriteFile(filepath.Join(d, checkpointFile), checkpoint, 0o600)
		parseCheckpoint(origin, string(checkpoint))
		l, err := Open(d, origin, testKey)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		fill(t, l, 1)
		if _, err := l.Checkpoint(); err != nil {
			t.Fatal(err)
		}
	})
}
