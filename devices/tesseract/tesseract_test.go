package tesseract

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"tambo/devices"
)

// fake writes a program that behaves as the script says.
func fake(t *testing.T, script string) *Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tesseract")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &Program{path: path, language: "eng", Limit: 20 * time.Second}
}

func blank() *image.Gray { return image.NewGray(image.Rect(0, 0, 40, 30)) }

const table = header + "\n" +
	"1\t1\t0\t0\t0\t0\t0\t0\t40\t30\t-1\t\n" +
	"5\t1\t1\t1\t1\t1\t2\t3\t10\t8\t96.5\tANNA\n" +
	"5\t1\t1\t1\t1\t2\t14\t3\t10\t8\t90\t \n" +
	"5\t1\t1\t1\t2\t1\t2\t14\t10\t8\t48\tMARIA\n"

func TestReadText(t *testing.T) {
	// The picture comes through standard input, whole; nothing else is given.
	p := fake(t, `[ "$1" = stdin ] && [ "$2" = stdout ] || exit 3
[ "$OMP_THREAD_LIMIT" = 1 ] || exit 4
[ "$(wc -c)" = 1213 ] || exit 5
cat <<'END'
`+table+`END`)
	got, err := p.ReadText(t.Context(), blank())
	if err != nil || len(got) != 2 {
		t.Fatalf("%v %v", got, err)
	}
	if w := got[0]; w.Text != "ANNA" || w.Box != image.Rect(2, 3, 12, 11) || w.Confidence != 0.965 || w.Line == got[1].Line {
		t.Errorf("%+v", got)
	}
	sub := image.NewGray(image.Rect(0, 0, 100, 100)).SubImage(image.Rect(50, 60, 90, 90)).(*image.Gray)
	if got, err = p.ReadText(t.Context(), sub); err != nil || got[0].Box != image.Rect(52, 63, 62, 71) {
		t.Errorf("a part of a picture: %v %v", got, err)
	}
}

// Every way in which the program fails has its sentinel, and ends in time.
func TestFailures(t *testing.T) {
	for _, c := range []struct {
		name, script string
		limit        time.Duration
		want         error
	}{
		{"it fails", "cat >/dev/null; exit 1", 0, devices.ErrGone},
		{"it reads nothing", "exit 1", 0, devices.ErrGone},
		{"it says something else", "cat >/dev/null; echo hello", 0, devices.ErrBadData},
		{"it says nothing", "cat >/dev/null", 0, devices.ErrBadData},
		{"it never stops talking", "cat >/dev/null; cat /dev/zero", 0, devices.ErrBadData},
		{"it hangs", "sleep 600", 300 * time.Millisecond, devices.ErrStalled},
		{"its child hangs, and holds the pipe", "sleep 600 & wait", 300 * time.Millisecond, devices.ErrStalled},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := fake(t, c.script)
			if c.limit != 0 {
				p.Limit = c.limit
			}
			start := time.Now()
			words, err := p.ReadText(t.Context(), blank())
			var typed *devices.Error
			if !errors.Is(err, c.want) || !errors.As(err, &typed) || words != nil {
				t.Errorf("%v %v", words, err)
			}
			if c.limit != 0 && time.Since(start) > 15*time.Second {
				t.Errorf("took %v", time.Since(start))
			}
		})
	}
	for name, img := range map[string]*image.Gray{"none": nil, "empty": {}, "too large": {Rect: image.Rect(0, 0, 1<<15, 1<<15)}} {
		if _, err := fake(t, "exit 0").ReadText(t.Context(), img); !errors.Is(err, devices.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
	gone := &Program{path: filepath.Join(t.TempDir(), "none"), language: "eng", Limit: time.Second}
	if _, err := gone.ReadText(t.Context(), blank()); !errors.Is(err, devices.ErrGone) {
		t.Errorf("uninstalled meanwhile: %v", err)
	}
}

// What hangs dies with all it started when the context ends.
func TestKilledWithItsGroup(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "alive")
	p := fake(t, `(while :; do date >`+mark+`; sleep 0.05; done) & wait`)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(500*time.Millisecond, cancel)
	if _, err := p.ReadText(ctx, blank()); !errors.Is(err, devices.ErrStalled) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	time.Sleep(200 * time.Millisecond)
	if err := os.Remove(mark); err != nil {
		t.Skip("it never began")
	}
	time.Sleep(time.Second)
	if _, err := os.Stat(mark); err == nil {
		t.Error("the child goes on")
	}
}

func TestLanguages(t *testing.T) {
	for list, want := range map[string]string{
		"List of available languages (3):\neng\nosd\nspa\n": "spa",
		"List of available languages (2):\neng\nosd\n":      "eng",
		"List of available languages (1):\nosd\n":           "", "": "",
	} {
		if got := choose(list); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
	p := fake(t, "echo osd")
	p.language = ""
	if _, err := p.ReadText(t.Context(), blank()); !errors.Is(err, devices.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	size := image.Pt(40, 30)
	row := func(s string) string { return header + "\n" + strings.ReplaceAll(s, " ", "\t") + "\n" }
	for name, s := range map[string]string{
		"nothing": "", "no header": "5\t1\n", "few columns": row("5 1 1"), "a letter": row("5 1 1 1 1 1 a 3 10 8 96 X"),
		"a negative place": row("5 1 1 1 1 1 -2 3 10 8 96 X"), "outside": row("5 1 1 1 1 1 35 3 10 8 96 X"), "no room": row("5 1 1 1 1 1 3 3 0 8 96 X"),
		"overflow": row("5 1 1 1 1 1 2147483647 3 2147483647 8 96 X"), "certain beyond": row("5 1 1 1 1 1 2 3 10 8 101 X"), "NaN": row("5 1 1 1 1 1 2 3 10 8 NaN X"),
		"not UTF-8": row("5 1 1 1 1 1 2 3 10 8 96 \xff"), "control": row("5 1 1 1 1 1 2 3 10 8 96 a\x07b"), "a long word": row("5 1 1 1 1 1 2 3 10 8 96 " + strings.Repeat("x", 300)),
		"many words": header + "\n" + strings.Repeat("5\t1\t1\t1\t1\t1\t2\t3\t10\t8\t96\tX\n", maxWords+1),
	} {
		if w, err := decode([]byte(s), size); !errors.Is(err, errTSV) || w != nil {
			t.Errorf("%s: %v %v", name, w, err)
		}
	}
}

// FuzzDecode: any table ends in words that lie on the picture, or in an error.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(table))
	f.Add([]byte(header + "\n5\t1\t1\t1\t1\t1\t2\t3\t10\t8\t96\ta\tb\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		size := image.Pt(40, 30)
		words, err := decode(b, size)
		if err != nil && (!errors.Is(err, errTSV) || words != nil) {
			t.Fatal(words, err)
		}
		for _, w := range words {
			if !w.Box.In(image.Rectangle{Max: size}) || w.Box.Empty() || w.Confidence < 0 || w.Confidence > 1 || strings.TrimSpace(w.Text) == "" || w.Line < 0 {
				t.Fatalf("%+v", w)
			}
		}
	})
}

// The installed program reads plain print.
func TestInstalled(t *testing.T) {
	p, err := Find()
	if err != nil {
		t.Skip(err)
	}
	p.Limit = 5 * time.Minute // a machine that does other things too
	face, err := opentype.Parse(goregular.TTF)
	if err != nil {
		t.Fatal(err)
	}
	ff, err := opentype.NewFace(face, &opentype.FaceOptions{Size: 38, DPI: 72})
	if err != nil {
		t.Fatal(err)
	}
	img := image.NewGray(image.Rect(0, 0, 600, 120))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	(&font.Drawer{Dst: img, Src: image.NewUniform(color.Black), Face: ff, Dot: fixed.P(40, 75)}).DrawString("ERIKSSON L898902C3")
	words, err := p.ReadText(t.Context(), img)
	if err != nil || len(words) != 2 || words[0].Text != "ERIKSSON" || words[1].Text != "L898902C3" || words[0].Line != words[1].Line || words[0].Confidence < 0.5 {
		t.Errorf("%+v %v", words, err)
	}
}
