package mjpeg

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// FuzzCheck takes any bytes for a frame: an error, or a frame of the size that
// was agreed, which decodes to a picture and to a file that any reader takes.
func FuzzCheck(f *testing.F) {
	for _, b := range [][]byte{photo(f, 16, 16, 90, 1), photo(f, 16, 16, 30, 2)} {
		f.Add(b)
		f.Add(bare(f, b))
		f.Add(b[:len(b)-2])
		f.Add(append(bytes.Clone(b), 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		whole, err := Check(raw, 16, 16)
		if err != nil {
			return
		}
		if len(whole) > len(raw) {
			t.Fatalf("%d bytes of %d", len(whole), len(raw))
		}
		img, file, err := Decode(whole)
		if err != nil { // the check reads no coefficients but the first
			return
		}
		if img.Rect.Dx() != 16 || img.Rect.Dy() != 16 {
			t.Errorf("a picture of %v", img.Rect)
		}
		if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
			t.Errorf("the file: %v", err)
		}
	})
}
