package app

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/document"
	"tambo/kiosk/session/sessiontest"
	"tambo/kiosk/specimen/page"
)

func writePNG(t *testing.T, dir, name string, img image.Image) string {
	t.Helper()
	path := filepath.Join(dir, name)
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// One line a file, in the order given, whatever becomes of each; what cannot
// be read says so and makes the command fail at the end.
func TestMRZReadJSON(t *testing.T) {
	dir := t.TempDir()
	h := page.NewHolder(3)
	white := image.NewRGBA(image.Rect(0, 0, 600, 400))
	draw.Draw(white, white.Bounds(), image.White, image.Point{}, draw.Src)
	junk := filepath.Join(dir, "junk.png")
	if err := os.WriteFile(junk, []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := []string{
		writePNG(t, dir, "blank.png", white), junk, filepath.Join(dir, "absent.png"),
		writePNG(t, dir, "page.png", page.Draw(h, 200)),
	}
	var out, errs bytes.Buffer
	err := MRZ(context.Background(), append([]string{"read", "--json"}, files...), &out, &errs)
	if err == nil || !strings.Contains(err.Error(), "3 of 4") {
		t.Errorf("error %v", err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != len(files) {
		t.Fatalf("%d lines for %d files:\n%s", len(lines), len(files), out.String())
	}
	want := h.MRZ()
	for i, l := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(l), &m); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
		for _, key := range []string{"file", "type", "lines", "fields", "checks", "accepted", "ms"} {
			if _, ok := m[key]; !ok {
				t.Errorf("%s has no %q", l, key)
			}
		}
		if m["file"] != files[i] {
			t.Errorf("line %d is about %v", i, m["file"])
		}
		_, failed := m["error"]
		if ok := i == 3; failed == ok || m["accepted"] != ok {
			t.Errorf("%s", l)
		}
	}
	if !strings.Contains(lines[3], want[0]) || !strings.Contains(lines[3], want[1]) {
		t.Errorf("%s\nwant %v", lines[3], want)
	}
}

// With --compare a line says how the print stands to each field; without it
// nobody is asked.
func TestMRZCompare(t *testing.T) {
	h := page.NewHolder(3)
	file := writePNG(t, t.TempDir(), "page.png", page.Draw(h, 300))
	for _, r := range []devices.TextReader{nil, &sessiontest.Reader{}, told(h.Number)} {
		got, err := readPage(t.Context(), file, r)
		if err != nil {
			t.Fatal(err)
		}
		want := mrzCompare{}
		if r == told(h.Number) {
			want.Standing = kiosk.PrintAgrees
		}
		if got.Compare["documentNumber"] != want || len(got.Compare) != 0 != (want != mrzCompare{}) {
			t.Errorf("%T: %+v", r, got.Compare)
		}
		var out bytes.Buffer
		if err := got.print(&out, false); err != nil || strings.Contains(out.String(), "page: agrees") != (want != mrzCompare{}) {
			t.Errorf("%v\n%s", err, &out)
		}
	}
}

// told is a reader to whom every page prints one word.
type told string

func (w told) ReadText(context.Context, *image.Gray) ([]kiosk.Word, error) {
	return []kiosk.Word{{Text: string(w), Box: image.Rect(200, 200, 400, 236), Confidence: 1}}, nil
}

func TestMRZUse(t *testing.T) {
	for _, args := range [][]string{nil, {"write"}, {"read"}, {"read", "--json"}, {"read", "--no-such"}} {
		var out, errs bytes.Buffer
		if err := MRZ(context.Background(), args, &out, &errs); err == nil {
			t.Errorf("%q was accepted", args)
		}
	}
}

// A pipe that nobody writes must not be waited for, and 16 bits a channel count
// for what they take.
func TestMRZRefusesWithoutDecoding(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.png")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{pipe, dir, "/dev/zero"} {
		if _, err := decodePage(f); !errors.Is(err, errNoFile) {
			t.Errorf("%s: %v", f, err)
		}
	}
	// A PNG header of 10,000×8,000 alone: 80 megapixels.
	for depth, tooLarge := range map[byte]bool{8: false, 16: true} {
		head := []byte("IHDR\x00\x00\x27\x10\x00\x00\x1f\x40\x08\x06\x00\x00\x00")
		head[12] = depth
		b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(head))
		file := filepath.Join(dir, "head.png")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := decodePage(file); err == nil || errors.Is(err, document.ErrTooLarge) != tooLarge {
			t.Errorf("%d bits: %v", depth, err)
		}
	}
}

// Wrong use is 2, a failure 1, help 0.
func TestExitStatus(t *testing.T) {
	dir := t.TempDir()
	for _, x := range []struct {
		args string
		want int
	}{
		{"", 0}, {"help", 0}, {"mrz read -h", 0}, {"nothing", 2}, {"mrz", 2}, {"mrz read", 2}, {"mrz read --nothing", 2}, {"iris", 2}, {"iris train", 2},
		{"iris evaluate", 2}, {"vault", 2}, {"vault salvage", 2}, {"kiosk", 2}, {"kiosk status", 2}, {"kiosk status --nothing", 2},
		{"kiosk status --dir " + dir + " more", 2}, {"kiosk setup --dir " + dir, 2}, {"devices", 2}, {"walk --nothing", 2},
		{"kiosk status --dir " + dir, 1}, {"vault salvage --dir " + dir, 1}, {"mrz read " + dir, 1},
	} {
		var out, errs bytes.Buffer
		if got := Run(t.Context(), strings.Fields(x.args), &out, &errs); got != x.want {
			t.Errorf("%q: %d, want %d: %s", x.args, got, x.want, &errs)
		}
	}
}

func TestMRZReadForPeople(t *testing.T) {
	h := page.NewHolder(4)
	file := writePNG(t, t.TempDir(), "page.png", page.Draw(h, 200))
	var out, errs bytes.Buffer
	if err := MRZ(context.Background(), []string{"read", file}, &out, &errs); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"accepted", h.MRZ()[1], h.Number, h.Birth} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
