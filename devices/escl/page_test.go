package escl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"tambo/devices"
)

// asked is a page of 200 x 300 pixels.
var asked = settings{width: 200, height: 300, resolution: 300, format: "image/jpeg"}

func picture(colour bool) image.Image {
	dice := rand.New(rand.NewPCG(1, 2))
	r := image.Rect(0, 0, 200, 300)
	if !colour {
		m := image.NewGray(r)
		for i := range m.Pix {
			m.Pix[i] = uint8(dice.IntN(256))
		}
		return m
	}
	m := image.NewRGBA(r)
	for i := range m.Pix {
		m.Pix[i] = uint8(dice.IntN(256)) | uint8(i%4/3*255)
	}
	return m
}

func encoded(t testing.TB, mime string, colour bool) []byte {
	var b bytes.Buffer
	var err error
	if mime == "image/png" {
		err = png.Encode(&b, picture(colour))
	} else {
		err = jpeg.Encode(&b, picture(colour), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every page that lacks a byte at its end is refused, and the whole one is not.
func TestPartialPage(t *testing.T) {
	for _, mime := range []string{"image/jpeg", "image/png"} {
		for _, colour := range []bool{false, true} {
			data := encoded(t, mime, colour)
			p, err := decodePage(data, asked)
			if err != nil || p.MIME != mime || p.Resolution != 300 || p.Image.Bounds().Dx() != 200 {
				t.Fatal(mime, colour, p.MIME, p.Resolution, err)
			}
			for n := len(data) - 1; n >= 0; n -= 1 + (len(data)-n)/8 {
				if p, err := decodePage(data[:n], asked); !errors.Is(err, errImage) || p.Image != nil {
					t.Errorf("%s cut from %d to %d bytes: %v", mime, len(data), n, err)
				}
			}
		}
	}
}

// withSize changes the size in the header of an image.
func withSize(data []byte, w, h uint32) []byte {
	data = bytes.Clone(data)
	if sniff(data) == "image/png" {
		binary.BigEndian.PutUint32(data[16:], w)
		binary.BigEndian.PutUint32(data[20:], h)
		binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
		return data
	}
	i := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[i+5:], uint16(h))
	binary.BigEndian.PutUint16(data[i+7:], uint16(w))
	return data
}

// A header of 100 megapixels must be refused before memory is taken for it.
func TestHugeHeader(t *testing.T) {
	for _, mime := range []string{"image/jpeg", "image/png"} {
		data := withSize(encoded(t, mime, true), 10000, 10000)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := decodePage(data, asked)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, errImage) {
			t.Errorf("%s: %v", mime, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", mime, n)
		}
	}
	// Within what was asked for, the absolute bound holds.
	large := settings{width: 6000, height: 6000, resolution: 300}
	if _, err := decodePage(withSize(encoded(t, "image/png", true), 12000, 12000), large); !errors.Is(err, errImage) {
		t.Error(err)
	}
}

// progressive is a JPEG of one grey level and so many scans: what follows the first
// says in two bytes that nothing changes.
func progressive(w, h, scans int) []byte {
	blocks := ((w + 7) / 8) * ((h + 7) / 8)
	b := append([]byte("\xff\xd8\xff\xdb\x00\x43\x00"), bytes.Repeat([]byte{1}, 64)...)
	b = append(b, 0xff, 0xc2, 0, 11, 8, byte(h>>8), byte(h), byte(w>>8), byte(w), 1, 1, 0x11, 0)
	for _, t := range [][2]byte{{0x00, 0x00}, {0x10, 0xe0}} { // one code of one bit: no difference; no more for 16,384 blocks
		b = append(b, 0xff, 0xc4, 0, 20, t[0], 1)
		b = append(append(b, make([]byte, 15)...), t[1])
	}
	b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0)
	b = append(b, make([]byte, (blocks+7)/8)...)
	for range scans - 1 {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0)
		b = append(b, make([]byte, 2*(blocks/16384+1))...)
	}
	return append(b, 0xff, 0xd9)
}

// TestBombs: a page that is small work to send and would be large work to read is
// refused, with little memory and in the time of ten honest pages of ten scans at
// most, and the officer is told what to do.
func TestBombs(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	spent := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	page := settings{width: 2480, height: 3508, resolution: 300, format: "image/jpeg"} // A4
	good := encoded(t, "image/jpeg", true)
	many := func(unit []byte, n int) []byte {
		return append(append(bytes.Clone(good[:2]), bytes.Repeat(unit, n)...), good[2:]...)
	}
	table := append([]byte{0xff, 0xc4, 0, 20, 0, 1}, make([]byte, 16)...)
	began := spent()
	if _, err := decodePage(progressive(2480, 3508, 10), page); err != nil {
		t.Fatal(err)
	}
	honest := spent() - began
	sos := bytes.Index(good, []byte{0xff, 0xda})
	scan := good[sos : len(good)-2]
	for name, b := range map[string][]byte{
		"65500 by 65500":          withSize(good, 65500, 65500),
		"data without an end":     append(bytes.Clone(good[:len(good)-2]), bytes.Repeat([]byte{0x5a}, int(page.encodedLimit())-len(good))...),
		"Huffman tables":          many(table, 1_000_000),
		"many to a segment":       many(append([]byte{0xff, 0xc4, 0xff, 0xfe}, bytes.Repeat(table[4:], 0xfffc/18)...), 300),
		"quantisation tables":     many(append([]byte{0xff, 0xdb, 0, 67, 0}, bytes.Repeat([]byte{1}, 64)...), 300_000),
		"empty segments":          many([]byte{0xff, 0xe1, 0, 2}, 5_000_000),
		"scans that say nothing":  progressive(2480, 3508, 100_000),
		"the same scan once more": append(append(bytes.Clone(good[:sos]), bytes.Repeat(scan, 200)...), 0xff, 0xd9),
		"cut within its scans":    append(progressive(2480, 3508, 2)[:1000], 0xff, 0xd9),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began = spent()
		p, err := decodePage(b, page)
		took := spent() - began
		runtime.ReadMemStats(&after)
		if !errors.Is(err, errImage) || p.Image != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if said := fail("scanner (port 1-1)", "scan", err); !errors.Is(said, devices.ErrBadData) || !strings.Contains(said.Error(), "capture again") {
			t.Errorf("%s: the officer is told %v", name, said)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > maxImage || took > 10*honest {
			t.Errorf("%s: %d bytes and %v for a page of %d bytes, an honest one takes %v", name, n, took, len(b), honest)
		}
		t.Logf("%s: %d bytes: %d bytes taken, %v: %v", name, len(b), after.TotalAlloc-before.TotalAlloc, took, err)
	}
	t.Logf("an honest page of ten scans: %v", honest)
	for name, b := range map[string][]byte{
		"progressive, ten scans":     progressive(2480, 3508, 10),
		"previews and a profile":     many(append([]byte{0xff, 0xe2, 0xff, 0xff}, make([]byte, 0xfffd)...), 60),
		"its tables three times":     many(good[bytes.Index(good, []byte{0xff, 0xc4}):sos], 3),
		"restart markers and escape": append(append(bytes.Clone(good[:len(good)-2]), 0xff, 0x00, 0xff, 0xd0), 0xff, 0xd9),
	} {
		if _, err := decodePage(b, page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPageKinds(t *testing.T) {
	if _, err := decodePage([]byte("%PDF-1.7\n"), asked); !errors.Is(err, errImage) {
		t.Error(err)
	}
	for _, s := range []string{"", "GIF89a", "<html>", "\xff\xd8", "\xff\xd8\xff", "\x89PNG\r\n\x1a\n"} {
		if _, err := decodePage([]byte(s), asked); !errors.Is(err, errImage) {
			t.Errorf("%q: %v", s, err)
		}
	}
	var b bytes.Buffer
	cmyk := image.NewPaletted(image.Rect(0, 0, 200, 300), color.Palette{color.Black, color.White})
	if err := png.Encode(&b, cmyk); err != nil {
		t.Fatal(err)
	}
	if _, err := decodePage(b.Bytes(), asked); err != nil {
		t.Error("one bit a pixel:", err)
	}
}

// The density of the file counts only where the pixels agree with it.
func TestResolution(t *testing.T) {
	for _, c := range []struct{ width, density, want int }{
		{200, 0, 300}, {200, 300, 300}, {200, 72, 300}, // as asked, whatever is written
		{400, 600, 600},               // the device took another resolution and says so
		{400, 72, 300}, {400, 0, 300}, // it did not say so
	} {
		if got := resolution(asked, c.width, c.density); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	jfif := append([]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x01\x02\x58\x02\x58\x00\x00"), encoded(t, "image/jpeg", false)[2:]...)
	if _, d, err := jpegHeader(jfif); d != 600 || err != nil {
		t.Error(d, err)
	}
	data := encoded(t, "image/png", false)
	phys := append([]byte("\x00\x00\x00\x09pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01"), 0, 0, 0, 0)
	if d := pngDensity(append(append(bytes.Clone(data[:33]), phys...), data[33:]...)); d != 300 {
		t.Error(d)
	}
}

func FuzzPage(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, 16, 16))
	var j, p bytes.Buffer
	_ = jpeg.Encode(&j, small, nil)
	_ = png.Encode(&p, small)
	f.Add(j.Bytes())
	f.Add(p.Bytes())
	f.Add(withSize(j.Bytes(), 60000, 60000))
	f.Add([]byte("%PDF-1.4"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := decodePage(data, asked)
		if err != nil {
			if p.Image != nil {
				t.Error("an image with an error")
			}
			return
		}
		b := p.Image.Bounds()
		if b.Dx() > 2*200+1000 || b.Dy() > 2*300+1000 || b.Empty() || p.Resolution <= 0 || p.MIME == "application/pdf" {
			t.Errorf("%v at %d dpi, %s", b, p.Resolution, p.MIME)
		}
	})
}
