package mjpeg

import (
	"bytes"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"testing"
)

// photo is a JPEG by image/jpeg, which encodes with the standard tables.
func photo(t testing.TB, w, h, quality int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		img.Pix[i] = byte(i/7) ^ byte(r.IntN(40))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bare takes the Huffman tables out, as cameras do.
func bare(t testing.TB, b []byte) []byte {
	at := bytes.Index(b, []byte{0xff, markDHT})
	n := 2 + int(b[at+2])<<8 + int(b[at+3])
	if !bytes.Equal(b[at:at+n], standardDHT) {
		t.Fatalf("image/jpeg writes other tables than T.81 annex K.3:\n% x\n% x", b[at:at+n], standardDHT)
	}
	return append(bytes.Clone(b[:at]), b[at+n:]...)
}

func TestFrameWithoutTables(t *testing.T) {
	whole := photo(t, 70, 50, 90, 1)
	frame := bare(t, whole)
	if _, err := jpeg.Decode(bytes.NewReader(frame)); err == nil {
		t.Fatal("image/jpeg decodes it by itself: this test shows nothing")
	}
	want, err := jpeg.Decode(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"whole": whole, "without tables": frame,
		"padded": append(bytes.Clone(frame), make([]byte, 33)...), "without end": frame[:len(frame)-2]} {
		got, err := Check(b, 70, 50)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img, file, err := Decode(got)
		if err != nil || !bytes.Equal(img.Y, want.(*image.YCbCr).Y) || !bytes.Equal(img.Cr, want.(*image.YCbCr).Cr) {
			t.Errorf("%s: another picture, or %v", name, err)
		}
		if again, err := jpeg.Decode(bytes.NewReader(file)); err != nil || !bytes.Equal(again.(*image.YCbCr).Y, img.Y) {
			t.Errorf("%s: the file: %v", name, err)
		}
	}
	for name, size := range map[string][2]int{"wider": {72, 50}, "lower": {70, 48}} {
		if _, err := Check(frame, size[0], size[1]); err == nil {
			t.Errorf("%s than it is: accepted", name)
		}
	}
}

// A frame that lost a packet's worth of its middle is not taken for whole. (Of
// holes of a few bytes, which USB does not make, half leave the right number of
// possible blocks: nothing in a JPEG tells them.)
func TestFrameWithAHole(t *testing.T) {
	decoded, accepted, tried := 0, 0, 0
	for seed := range uint64(40) {
		b := photo(t, 160, 120, 80, seed)
		h, err := parseJPEG(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(b, 160, 120); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 2))
		for range 50 {
			n := 100 + r.IntN(3000)
			at := h.scan + r.IntN(len(b)-h.scan-2)
			n = min(n, len(b)-2-at)
			cut := append(bytes.Clone(b[:at]), b[at+n:]...)
			tried++
			if _, err := jpeg.Decode(bytes.NewReader(cut)); err == nil {
				decoded++
			}
			if _, err := Check(cut, 160, 120); err == nil {
				accepted++
			}
		}
	}
	t.Logf("%d frames with a hole: image/jpeg decodes %d, the check accepts %d", tried, decoded, accepted)
	if accepted > tried/200 {
		t.Errorf("the check accepts %d of %d frames with a hole", accepted, tried)
	}
}

func BenchmarkCheck(b *testing.B) {
	f := photo(b, 640, 480, 85, 1)
	b.SetBytes(int64(len(f)))
	for b.Loop() {
		if _, err := Check(f, 640, 480); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeJPEG(b *testing.B) {
	f := photo(b, 640, 480, 85, 1)
	b.SetBytes(int64(len(f)))
	for b.Loop() {
		if _, _, err := Decode(f); err != nil {
			b.Fatal(err)
		}
	}
}
