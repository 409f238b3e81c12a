package document_test

import (
	"bytes"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tambo/kiosk/specimen/page"
)

// imageMagick finds ImageMagick's convert and the system's OCR-B, or skips.
func imageMagick(t *testing.T) (convert, fontFile string) {
	t.Helper()
	for _, name := range []string{"/usr/bin/convert-im6", "/usr/bin/convert", "convert-im6.q16", "convert", "magick"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if out, err := exec.Command(path, "-version").CombinedOutput(); err == nil && bytes.Contains(out, []byte("Version: ImageMagick")) {
			convert = path
			break
		}
	}
	if convert == "" {
		t.Skip("ImageMagick is not installed (Debian: imagemagick)")
	}
	for _, dir := range []string{"/usr/share/fonts/opentype/ocr-b", "/usr/share/fonts/truetype/ocr-b", "/usr/local/share/fonts"} {
		if path := filepath.Join(dir, "OCRB.otf"); fileExists(path) {
			return convert, path
		}
	}
	t.Skip("the system has no OCR-B (Debian: fonts-ocr-b)")
	return "", ""
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Pages that another renderer set, from the system's font, and spoilt with its
// own means.
func TestPagesOfImageMagick(t *testing.T) {
	convert, fontFile := imageMagick(t)
	dir := t.TempDir()
	eriksson := [2]string{"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L898902C36UTO7408122F1204159ZE184226B<<<<<10"}
	// Most are the foot of the page only: the other renderer takes its time.
	set := func(height string, y1, y2 string, l [2]string, ops []string) []string {
		return append([]string{
			"-size", "1476x" + height, "xc:#efece2", "-font", fontFile, "-fill", "#1c1c20", "-pointsize", "41.5",
			"-annotate", "+66+" + y1, l[0], "-annotate", "+66+" + y2, l[1],
		}, ops...)
	}
	with := func(l [2]string, ops ...string) []string { return set("280", "109", "184", l, ops) }
	label := func(size string) []string {
		return []string{"-font", fontFile, "-pointsize", size, "label:" + eriksson[0] + "\n" + eriksson[1]}
	}
	type job struct {
		name string
		args []string
		ext  string
		want [2]string
	}
	jobs := []job{
		{"whole page", set("1039", "868", "943", eriksson, nil), "png", eriksson},
		{"blur 1", with(eriksson, "-blur", "0x1"), "png", eriksson},
		{"blur 2", with(eriksson, "-blur", "0x2"), "png", eriksson},
		{"noise", with(eriksson, "-attenuate", "0.8", "+noise", "Gaussian"), "png", eriksson},
		{"low contrast", with(eriksson, "+level", "55%,90%"), "png", eriksson},
		{"quarter turn", with(eriksson, "-rotate", "90"), "png", eriksson},
		{"upside down", with(eriksson, "-rotate", "180"), "png", eriksson},
		{"other quarter", with(eriksson, "-rotate", "270"), "png", eriksson},
		{"slant 5", with(eriksson, "-background", "#444", "-rotate", "5"), "png", eriksson},
		{"slant -5", with(eriksson, "-background", "#ddd", "-rotate", "-5"), "png", eriksson},
		{"150 dots", with(eriksson, "-resize", "50%"), "png", eriksson},
		{"600 dots", with(eriksson, "-resize", "200%"), "png", eriksson},
		{"two colours", with(eriksson, "-threshold", "50%"), "png", eriksson},
		{"jpeg 15", with(eriksson, "-quality", "15"), "jpg", eriksson},
		{"thick", with(eriksson, "-morphology", "Erode", "Disk:1"), "png", eriksson},
		{"thin", with(eriksson, "-morphology", "Dilate", "Disk:1"), "png", eriksson},
		{"perspective", with(eriksson, "-distort", "Perspective", "0,0 20,0 1476,0 1466,8 0,280 0,280 1476,280 1476,274"), "png", eriksson},
		{"label 24", label("24"), "png", eriksson},
		{"label 60", label("60"), "png", eriksson},
	}
	for seed := range uint64(12) {
		l := page.NewHolder(seed + 400).MRZ()
		jobs = append(jobs, job{"holder", with(l, "-blur", "0x0.8", "-attenuate", "0.3", "+noise", "Gaussian", "-quality", "60"), "jpg", l})
	}
	for i, j := range jobs {
		path := filepath.Join(dir, strconv.Itoa(i)+"."+j.ext)
		if out, err := exec.Command(convert, append(j.args, path)...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s\n%s", j.name, err, out, strings.Join(j.args, " "))
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		img, _, err := image.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		mustRead(t, j.name, img, j.want)
	}
	t.Logf("%d pages by ImageMagick", len(jobs))
}
