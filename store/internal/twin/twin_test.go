package twin

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

const (
	testMagic = "test pages 1\n"
	testSize  = 512
)

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path, testMagic, testSize)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func fill(b byte, n int) []byte { return bytes.Repeat([]byte{b}, n) }

func build(t testing.TB, pages ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.tbl")
	f, err := Create(path, testMagic, testSize)
	if err != nil {
		t.Fatal(err)
	}
	m := map[int][]byte{}
	for i, p := range pages {
		m[i+1] = p
	}
	if err := f.Write(m); err != nil {
		t.Fatal(err)
	}
	f.Close()
	return path
}

func TestOverwriteLeavesNothing(t *testing.T) {
	path := build(t, fill('A', 300), fill('B', 200))
	f := open(t, path)
	if err := f.Write(map[int][]byte{1: fill('c', 10)}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte("AAAA")) {
		t.Error("what was overwritten is still in the file")
	}
	if bytes.Count(raw, fill('B', 200)) != 2 {
		t.Error("the other page is not there twice")
	}
	g := open(t, path)
	p, err := g.Page(1)
	if err != nil || !bytes.Equal(p, fill('c', 10)) {
		t.Errorf("page 1 reads %q, %v", p, err)
	}
}

// TestCutAnywhere replays a write, cut after any number of its bytes, with what
// had been written since the last sync lost in any 128-byte piece. Every page
// must be old or new, and a page that was not written must be itself.
func TestCutAnywhere(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	old := [][]byte{fill('1', 400), fill('2', 400)}
	base := build(t, old...)
	before, _ := os.ReadFile(base)
	f := open(t, base)
	fresh := map[int][]byte{1: fill('n', 100), 3: fill('3', 50)}
	if err := f.Write(fresh); err != nil {
		t.Fatal(err)
	}
	after, _ := os.ReadFile(base)
	// Copies in the order in which they become durable: page 3 is added first.
	type span struct{ lo, hi int }
	copies := []span{}
	for _, c := range []int{6, 7, 2, 3} {
		copies = append(copies, span{c * testSize, (c + 1) * testSize})
	}
	states := 0
	for done := range copies {
		for range 200 {
			img := bytes.Clone(before)
			need := 0
			for _, c := range copies[:done+1] {
				need = max(need, c.hi)
			}
			if len(img) < need {
				img = append(img, make([]byte, need-len(img))...)
			}
			for i, c := range copies[:done+1] {
				for p := c.lo; p < c.hi; p += 128 {
					if i < done || r.IntN(2) == 0 {
						copy(img[p:p+128], after[p:p+128])
					} else if r.IntN(4) == 0 {
						copy(img[p:p+128], fill(byte(r.IntN(256)), 128))
					}
				}
			}
			if done == 0 && r.IntN(2) == 0 {
				img = img[:len(before)+r.IntN(len(img)-len(before)+1)]
			}
			path := filepath.Join(t.TempDir(), "cut")
			if err := os.WriteFile(path, img, 0o600); err != nil {
				t.Fatal(err)
			}
			g := open(t, path)
			states++
			if d := g.Damaged(); len(d) > 0 {
				t.Fatalf("cut in copy %d: damaged %v", done, d)
			}
			one, _ := g.Page(1)
			two, _ := g.Page(2)
			if !bytes.Equal(one, old[0]) && !bytes.Equal(one, fresh[1]) || !bytes.Equal(two, old[1]) {
				t.Fatalf("cut in copy %d: pages read %q %q", done, one, two)
			}
			if done >= 1 {
				three, err := g.Page(3)
				if err != nil || !bytes.Equal(three, fresh[3]) {
					t.Fatalf("cut in copy %d: the page that was durable reads %q, %v", done, three, err)
				}
			}
			// Repaired: both copies are the same now.
			raw, _ := os.ReadFile(path)
			for i := 1; i <= g.Len(); i++ {
				a, b := raw[2*i*testSize:(2*i+1)*testSize], raw[(2*i+1)*testSize:(2*i+2)*testSize]
				if !bytes.Equal(a, b) {
					t.Fatalf("page %d: copies differ after opening", i)
				}
			}
		}
	}
	t.Logf("%d cut states", states)
}

func TestDamageIsNamed(t *testing.T) {
	path := build(t, fill('1', 10), fill('2', 10), fill('3', 10))
	raw, _ := os.ReadFile(path)
	raw[4*testSize+46] ^= 1
	raw[5*testSize+46] ^= 1
	os.WriteFile(path, raw, 0o600)
	f := open(t, path)
	if fmt.Sprint(f.Damaged()) != "[2]" {
		t.Errorf("damaged: %v", f.Damaged())
	}
	if _, err := f.Page(2); !errors.Is(err, ErrDamaged) {
		t.Errorf("page 2: %v", err)
	}
	if p, err := f.Page(3); err != nil || p[0] != '3' {
		t.Errorf("page 3: %v", err)
	}
	if _, err := f.Page(4); err == nil {
		t.Error("page 4 of 3")
	}
	if err := f.Write(map[int][]byte{5: nil}); err == nil {
		t.Error("a gap was accepted")
	}
	if err := f.Write(map[int][]byte{1: make([]byte, testSize)}); err == nil {
		t.Error("too large a page was accepted")
	}
}

func FuzzOpen(f *testing.F) {
	raw, _ := os.ReadFile(build(f, fill('1', 100), fill('2', 400)))
	f.Add(raw)
	f.Add(raw[:3*testSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := Open(path, testMagic, testSize)
		if err != nil {
			return
		}
		defer g.Close()
		for i := 1; i <= g.Len(); i++ {
			g.Page(i)
		}
		if err := g.Write(map[int][]byte{1: {1}}); err != nil && g.Len() > 0 {
			t.Fatal(err)
		}
	})
}
