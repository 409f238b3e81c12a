package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var limit = image.Pt(200, 200)

func fixtures(t testing.TB, pattern string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("no %s: %v", pattern, err)
	}
	out := map[string][]byte{}
	for _, f := range files {
		if out[filepath.Base(f)], err = os.ReadFile(f); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func picture(t testing.TB, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// apart is how far two pictures differ: at most in any colour, and on average in
// brightness.
func apart(a, b image.Image) (most int, mean float64) {
	sum := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			sum += abs(int(color.GrayModel.Convert(a.At(x, y)).(color.Gray).Y) - int(color.GrayModel.Convert(b.At(x, y)).(color.Gray).Y))
			p, q := color.RGBAModel.Convert(a.At(x, y)).(color.RGBA), color.RGBAModel.Convert(b.At(x, y)).(color.RGBA)
			most = max(most, abs(int(p.R)-int(q.R)), abs(int(p.G)-int(q.G)), abs(int(p.B)-int(q.B)))
		}
	}
	return most, float64(sum) / float64(a.Bounds().Dx()*a.Bounds().Dy())
}

// What scanners' kind of writers make is read: exactly where they kept the
// pixels, closely where they compressed them.
func TestPictures(t *testing.T) {
	all := fixtures(t, "*2pdf-*.pdf")
	for name, b := range fixtures(t, "qpdf-*.pdf") {
		all[name] = b
	}
	for name, data := range all {
		p, err := Read(data, limit, 1<<20)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		colours := strings.Split(name, "-")[1]
		if colours == "linear.pdf" {
			colours = "rgb"
		}
		want, img := picture(t, colours+".png"), p.Image
		if p.JPEG != nil {
			if img, err = jpeg.Decode(bytes.NewReader(p.JPEG)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			file, _ := os.ReadFile(filepath.Join("testdata", colours+".jpg"))
			if !strings.HasPrefix(name, "tiff2pdf") && !bytes.Equal(p.JPEG, file) {
				t.Errorf("%s: not the JPEG that was put in", name)
			}
		}
		if img.Bounds() != want.Bounds() || p.Width != 60 || p.Height != 80 || p.DPI != 150 {
			t.Errorf("%s: %v, %d × %d at %d dpi", name, img.Bounds(), p.Width, p.Height, p.DPI)
			continue
		}
		if most, mean := apart(img, want); p.JPEG == nil && most > 0 || mean > 3 {
			t.Errorf("%s: pixels differ by up to %d, %.1f on average", name, most, mean)
		}
		if _, err := Read(data, limit, 4*60*80-1); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: more memory than allowed: %v", name, err)
		}
		if _, err := Read(data, image.Pt(59, 80), 1<<20); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: larger than the limit: %v", name, err)
		}
	}
}

func TestGeneralDocuments(t *testing.T) {
	for name, data := range fixtures(t, "general-*.pdf") {
		_, err := Read(data, limit, 1<<20)
		if !errors.Is(err, ErrGeneral) {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%s: %v", name, err)
	}
	for text, want := range map[string]error{
		"q 60 0 0 80 0 0 cm /Im0 Do Q":             nil,
		"q 2 0 0 2 0 0 cm 30 0 0 40 0 0 cm/Im0 Do": nil,
		"/Im0 Do /Im0 Do":                          ErrGeneral,
		"60 0 0 -80 0 0 cm /Im0 Do":                ErrGeneral,
		"0 60 80 0 0 0 cm /Im0 Do":                 ErrGeneral,
		"BT (x) Tj ET":                             ErrGeneral,
		"0 0 10 10 re f /Im0 Do":                   ErrGeneral,
		"":                                         ErrGeneral,
		"1e300 0 0 1e300 0 0 cm /Im0 Do":           ErrGeneral,
		"60 0 0 80 0 cm /Im0 Do":                   ErrGeneral,
		"(never ends":                              ErrDamaged,
	} {
		id, box, err := instructions([]byte(text))
		if !errors.Is(err, want) || want == nil && (id != "Im0" || box != 60) {
			t.Errorf("%q: %q, %g, %v", text, id, box, err)
		}
	}
}

// A document that is cut off anywhere is refused: no part of a page is a page.
func TestCutOff(t *testing.T) {
	for name, data := range fixtures(t, "*2pdf-*.pdf") {
		whole := bytes.LastIndex(data, []byte("%%EOF")) + len("%%EOF")
		for n := range whole {
			if _, err := Read(data[:n], limit, 1<<20); err == nil {
				t.Fatalf("%s: %d of %d bytes are taken", name, n, whole)
			}
		}
	}
}

// A changed byte inside a compressed picture, where only its checksum knows.
func TestChangedPixels(t *testing.T) {
	data := fixtures(t, "img2pdf-rgb-png.pdf")["img2pdf-rgb-png.pdf"]
	at := bytes.LastIndex(data[:bytes.LastIndex(data, []byte("endstream"))], []byte("stream\n")) + 7
	n := 0
	for i := at + 2; i < bytes.LastIndex(data, []byte("endstream"))-1; i++ {
		b := bytes.Clone(data)
		b[i] ^= 0x10
		if _, err := Read(b, limit, 1<<20); err == nil {
			t.Fatalf("byte %d changed, and the picture is taken", i)
		}
		n++
	}
	t.Logf("%d changed documents refused", n)
}

// bomb is a document whose picture claims or inflates to more than is allowed.
func TestBombs(t *testing.T) {
	data := string(fixtures(t, "img2pdf-grey-png.pdf")["img2pdf-grey-png.pdf"])
	huge := strings.Replace(data, "/Width 60", "/Width 60000000", 1)
	if _, err := Read([]byte(huge), limit, 1<<20); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	short := strings.Replace(data, "/Height 80", "/Height 70", 1)
	if _, err := Read([]byte(short), limit, 1<<20); !errors.Is(err, ErrDamaged) {
		t.Errorf("more lines than it says: %v", err)
	}
	deep := "%PDF-1.4\n1 0 obj " + strings.Repeat("[", 100000) + "\nstartxref\n%%EOF"
	if _, err := Read([]byte(deep), limit, 1<<20); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
	many := "%PDF-1.4\n1 0 obj [" + strings.Repeat("1 ", 1<<20) + "] endobj\nstartxref\n%%EOF"
	if _, err := Read([]byte(many), limit, 1<<20); !errors.Is(err, ErrGeneral) {
		t.Error(err)
	}
	loop := "%PDF-1.4\n1 0 obj 1 0 R endobj 2 0 obj <</Pages 1 0 R>> endobj 3 0 obj <</Kids [3 0 R]>> endobj\n" +
		"trailer <</Root 2 0 R>>\nstartxref\n0\n%%EOF"
	for _, doc := range []string{loop, strings.Replace(loop, "/Pages 1", "/Pages 3", 1)} {
		if _, err := Read([]byte(doc), limit, 1<<20); !errors.Is(err, ErrDamaged) {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, data := range fixtures(f, "*.pdf") {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(data, limit, 1<<20)
		switch {
		case err != nil:
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrGeneral) {
				t.Errorf("error of no kind: %v", err)
			}
		case (p.JPEG == nil) == (p.Image == nil) || p.Width > limit.X || p.Height > limit.Y:
			t.Errorf("%+v", p)
		case p.Image != nil && p.Image.Bounds() != image.Rect(0, 0, p.Width, p.Height):
			t.Error(fmt.Errorf("%v for %d × %d", p.Image.Bounds(), p.Width, p.Height))
		case len(p.JPEG) > len(data)+3*limit.X*limit.Y+1<<20:
			t.Error("more bytes than allowed")
		}
	})
}
