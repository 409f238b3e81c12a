package document_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/kiosk/document"
	"tambo/kiosk/specimen/page"
)

func read(t testing.TB, img image.Image) (document.MRZ, error) {
	t.Helper()
	return document.Read(context.Background(), img, now)
}

// mustRead reads a page and demands the lines and their acceptance.
func mustRead(t testing.TB, name string, img image.Image, want [2]string) document.MRZ {
	t.Helper()
	m, err := read(t, img)
	if err != nil || !m.Accepted || m.Lines[0] != want[0] || m.Lines[1] != want[1] {
		t.Errorf("%s: accepted %v, %v\nread %q\nwant %q", name, m.Accepted, err, m.Lines, want)
	}
	return m
}

// degraded makes page number i of the test set.
func degraded(i int) (image.Image, page.Wear, [2]string) {
	seed := uint64(i) + 1000
	r := rand.New(rand.NewPCG(seed, 5))
	h := page.NewHolder(seed)
	dpi := []int{150, 150, 150, 200, 200, 300}[r.IntN(6)]
	w := page.RandomWear(r)
	return page.Age(page.Draw(h, dpi), w), w, h.MRZ()
}

// 500 pages worn and scanned in a hurry (100 with -short, 20 with -race): at least nine in
// ten are accepted and none of those is wrong.
func TestDegradedPages(t *testing.T) {
	n := 500
	switch {
	case raceDetector:
		n = 20
	case testing.Short():
		n = 100
	}
	var mu sync.Mutex
	accepted, right, wrong := 0, 0, 0
	var spent time.Duration
	t.Run("pages", func(t *testing.T) {
		for shard := range 4 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for i := shard; i < n; i += 4 {
					img, w, want := degraded(i)
					start := time.Now()
					m, err := read(t, img)
					took := time.Since(start)
					same := len(m.Lines) == 2 && m.Lines[0] == want[0] && m.Lines[1] == want[1]
					mu.Lock()
					spent += took
					if same {
						right++
					}
					switch {
					case m.Accepted && same:
						accepted++
					case m.Accepted:
						accepted++
						wrong++
						t.Errorf("page %d accepted wrong:\nread %q\nwant %q\n%+v", i, m.Lines, want, w)
					default:
						t.Logf("page %d not accepted (right %v): %v %+v", i, same, err, w)
					}
					mu.Unlock()
				}
			})
		}
	})
	t.Logf("%d degraded pages: %d accepted (%.1f %%), %d read right, %d accepted wrong; %v a page", n, accepted,
		100*float64(accepted)/float64(n), right, wrong, (spent / time.Duration(n)).Round(time.Millisecond))
	if accepted*10 < n*9 {
		t.Errorf("%d of %d accepted, want nine in ten", accepted, n)
	}
}

// Wear far beyond use: hardly half can be read, and what is accepted is right.
// Without the demand of certainty one in eight of the zones here whose digits
// all agree would be wrong; the test counts them to show that it bites.
func TestRuinedPagesAreNotAccepted(t *testing.T) {
	n := 240
	switch {
	case raceDetector:
		n = 30
	case testing.Short():
		n = 80
	}
	accepted, wrong, agreeing, agreeingWrong := 0, 0, 0, 0
	for i := range n {
		r := rand.New(rand.NewPCG(uint64(i), 78))
		h := page.NewHolder(uint64(i) + 5000)
		full := page.Draw(h, 90+r.IntN(60))
		b := full.Bounds()
		img := page.Age(full.SubImage(image.Rect(0, b.Dy()*70/100, b.Dx(), b.Dy())), page.Wear{
			Ink: 2*r.Float64() - 1, Fade: 0.85 * r.Float64(), Dirt: r.IntN(500), Scratches: r.IntN(60),
			Rotation: 4 * r.NormFloat64(), Skew: 0.01 * r.Float64(), Margin: 5 * r.Float64(), Bed: 200,
			Glare: r.Float64(), Shadow: r.Float64(), Gain: 0.6 + 0.6*r.Float64(),
			Blur: 0.2 * r.Float64(), Noise: 22 * r.Float64(), JPEG: 15 + r.IntN(80), Seed: r.Uint64(),
		})
		m, _ := read(t, img)
		want := h.MRZ()
		same := len(m.Lines) == 2 && m.Lines[0] == want[0] && m.Lines[1] == want[1]
		if p, err := document.Parse(m.Lines, now); err == nil && p.Accepted {
			agreeing++
			if !same {
				agreeingWrong++
			}
		}
		if m.Accepted {
			accepted++
			if !same {
				wrong++
				t.Errorf("page %d accepted wrong:\nread %q\nwant %q", i, m.Lines, want)
			}
		}
	}
	t.Logf("%d ruined pages: digits agree in %d, %d of them wrong; accepted %d, %d of them wrong", n, agreeing, agreeingWrong, accepted, wrong)
	if agreeingWrong == 0 || accepted > n/2 || accepted < n/8 {
		t.Error("the pages are not ruined in a way that tests anything")
	}
}

// Quarter turns, an upside-down page, slant, resolutions and a page lost on a
// large glass; the box lies where the zone was drawn.
func TestPlacesOnTheGlass(t *testing.T) {
	h := page.NewHolder(12)
	want := h.MRZ()
	for _, dpi := range []int{100, 150, 240, 300, 600} {
		m := mustRead(t, "resolution", page.Draw(h, dpi), want)
		k := float64(dpi) / 25.4
		for i, p := range [4]document.Point{{X: 6, Y: 70.5}, {X: 117.8, Y: 70.5}, {X: 117.8, Y: 80.4}, {X: 6, Y: 80.4}} {
			if d := math.Hypot(m.Box[i].X-p.X*k, m.Box[i].Y-p.Y*k) / k; d > 1 {
				t.Errorf("%d dots: corner %d lies %.1f mm off", dpi, i, d)
			}
		}
	}
	img := page.Draw(h, 200)
	for quarter := range 4 {
		for _, slant := range []float64{0, -5, 5, 10} {
			mustRead(t, "turned", page.Age(img, page.Wear{Quarter: quarter, Rotation: slant, Margin: 5, Bed: 128}), want)
		}
	}
	glass := image.NewRGBA(image.Rect(0, 0, 2480, 3508))
	draw.Draw(glass, glass.Rect, image.NewUniform(color.Gray{Y: 40}), image.Point{}, draw.Src)
	draw.Draw(glass, image.Rect(700, 1900, 2480, 3508), page.Draw(h, 300), image.Point{}, draw.Src)
	mustRead(t, "large glass", glass, want)
	top := page.Draw(page.NewHolder(13), 300)
	draw.Draw(glass, image.Rect(100, 100, 2480, 1500), top, image.Point{}, draw.Src)
	if m, err := read(t, glass); !errors.Is(err, document.ErrTwoDocuments) || m.Accepted {
		t.Errorf("two documents: %v", err)
	}
}

// The other formats of two lines, in the words of their parts of Doc 9303.
func TestOtherFormats(t *testing.T) {
	h := page.NewHolder(1)
	for want, l := range map[document.Type][2]string{
		document.TD2:  {"I<UTOSTEVENSON<<PETER<JOHN<<<<<<<<<<", "D23145890<UTO3407127M95071227349<<<8"},
		document.MRVA: {"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", "L8988901C4XXX4009078F96121096ZE184226B<<<<<<"},
		document.MRVB: {"V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<", "L8988901C4XXX4009078F9612109<<<<<<<<"},
	} {
		img := page.Age(page.DrawZone(h, l, 200), page.Wear{Quarter: 1, Rotation: 2, Blur: 0.05, Noise: 5})
		if m := mustRead(t, string(want), img, l); m.Type != want {
			t.Errorf("%s read as %s", want, m.Type)
		}
	}
}

// The kinds of picture that any decoder may hand over read alike.
func TestPictureKinds(t *testing.T) {
	h := page.NewHolder(21)
	src := page.Draw(h, 200)
	b := src.Bounds()
	for name, dst := range map[string]draw.Image{
		"grey": image.NewGray(b), "nrgba": image.NewNRGBA(b), "rgba64": image.NewRGBA64(b),
		"off origin": image.NewRGBA(b.Add(image.Pt(-31, 17))),
	} {
		draw.Draw(dst, dst.Bounds(), src, b.Min, draw.Src)
		mustRead(t, name, dst, h.MRZ())
	}
	mustRead(t, "jpeg", page.Age(src, page.Wear{JPEG: 80}), h.MRZ())
	clear := image.NewNRGBA(b) // ink on nothing at all
	for y := range b.Dy() {
		for x := range b.Dx() {
			if src.RGBAAt(x, y).G < 90 {
				clear.SetNRGBA(x, y, color.NRGBA{A: 255})
			}
		}
	}
	mustRead(t, "transparent", clear, h.MRZ())
}

func TestNothingToRead(t *testing.T) {
	full := page.Draw(page.NewHolder(1), 300)
	white := image.NewGray(image.Rect(0, 0, 1476, 1039))
	draw.Draw(white, white.Rect, image.White, image.Point{}, draw.Src)
	grain := image.NewGray(white.Rect)
	noise := image.NewGray(white.Rect)
	r := rand.New(rand.NewPCG(1, 1))
	for i := range noise.Pix {
		noise.Pix[i] = uint8(r.IntN(256))
		grain.Pix[i] = uint8(200 + 2*r.NormFloat64())
	}
	for _, v := range []struct {
		name string
		img  image.Image
		want error
	}{
		{"white", white, document.ErrBlank},
		{"black", image.NewGray(white.Rect), document.ErrBlank},
		{"white with a sensor's grain", grain, document.ErrBlank},
		{"one pixel", image.NewGray(image.Rect(0, 0, 1, 1)), document.ErrBlank},
		{"noise", noise, document.ErrNoMRZ},
		{"page without its zone", full.SubImage(image.Rect(0, 0, 1476, 765)), document.ErrNoMRZ},
		{"one line of the zone", full.SubImage(image.Rect(0, 0, 1476, 890)), document.ErrNoMRZ},
		{"no pixels", image.NewGray(image.Rect(0, 0, 0, 9)), document.ErrTooLarge},
		{"no picture", nil, document.ErrTooLarge},
		{"beyond all measure", image.NewUniform(color.White), document.ErrTooLarge},
	} {
		if m, err := read(t, v.img); !errors.Is(err, v.want) || m.Accepted {
			t.Errorf("%s: %v, want %v", v.name, err, v.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := document.Read(ctx, full, now); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// A zone of which a part is hidden is shown as far as it goes, and no further.
func TestHiddenParts(t *testing.T) {
	h := page.NewHolder(3)
	want := h.MRZ()
	for _, x := range []int{90, 300, 700, 1000, 1340} {
		img := page.Draw(h, 300)
		draw.Draw(img, image.Rect(x, 800, x+36, 1000), image.White, image.Point{}, draw.Src)
		m, err := read(t, img)
		if err == nil && m.Accepted {
			t.Errorf("a stripe at %d was read through: %q", x, m.Lines)
		}
		for i, l := range m.Lines {
			for j := range l {
				if l[j] != want[i][j] && m.Confidence[i][j] >= document.Certain {
					t.Errorf("stripe at %d: line %d, %d is %c and certain, not %c", x, i+1, j+1, l[j], want[i][j])
				}
			}
		}
	}
	img := page.Draw(h, 300) // all but a few characters
	draw.Draw(img, image.Rect(500, 820, 1476, 1000), image.White, image.Point{}, draw.Src)
	if m, err := read(t, img); err == nil || m.Accepted {
		t.Errorf("most of it hidden: %v %q", err, m.Lines)
	}
}

// What is printed wrong is read as printed and not accepted: neither grammar
// nor check digits put it right.
func TestMisprintsAreNotRepaired(t *testing.T) {
	h := page.NewHolder(8)
	good := h.MRZ()
	put := func(line, i int, c string) [2]string {
		l := good
		l[line] = l[line][:i] + c + l[line][i+1:]
		return l
	}
	for _, v := range []struct {
		name   string
		lines  [2]string
		field  string
		status []kiosk.FieldStatus
	}{
		{"0 in a name", put(0, strings.IndexByte(good[0][5:], 'U')+5, "0"), "primaryIdentifier", []kiosk.FieldStatus{kiosk.FieldDoubtful, kiosk.FieldMalformed}},
		{"O in a date", put(1, 14, "O"), "birthDate", []kiosk.FieldStatus{kiosk.FieldDoubtful, kiosk.FieldMalformed}},
		{"a wrong digit", put(1, 9, string('0'+(good[1][9]-'0'+1)%10)), "documentNumber", []kiosk.FieldStatus{kiosk.FieldMismatch}},
		{"another number", put(1, 2, string('0'+(good[1][2]-'0'+1)%10)), "documentNumber", []kiosk.FieldStatus{kiosk.FieldMismatch}},
		{"another expiry", put(1, 21, string('0'+(good[1][21]-'0'+1)%10)), "expiryDate", []kiosk.FieldStatus{kiosk.FieldMismatch}},
		{"no such state", put(0, 2, "Z"), "issuer", []kiosk.FieldStatus{kiosk.FieldMalformed}},
		{"no such sex", put(1, 20, "K"), "sex", []kiosk.FieldStatus{kiosk.FieldDoubtful, kiosk.FieldMalformed}},
	} {
		m, err := read(t, page.DrawZone(h, v.lines, 300))
		if err != nil || m.Accepted {
			t.Errorf("%s: accepted %v, %v", v.name, m.Accepted, err)
			continue
		}
		for _, f := range m.List() {
			if f.Name != v.field {
				continue
			}
			ok := false
			for _, s := range v.status {
				ok = ok || f.Status == s
			}
			if !ok {
				t.Errorf("%s: %+v", v.name, f)
			}
		}
	}
}

// Whatever the pixels, Read answers, and never accepts what was not drawn.
func FuzzRead(f *testing.F) {
	h := page.NewHolder(2)
	small := page.Draw(h, 72)
	want := h.MRZ()
	f.Add([]byte{}, 40, 30, false)
	f.Add([]byte{0, 255, 10, 200}, 300, 200, false)
	f.Add([]byte{3, 1, 250, 9, 100}, 0, 0, true)
	f.Fuzz(func(t *testing.T, pix []byte, w, ht int, onPage bool) {
		var img *image.RGBA
		if onPage { // flip bytes of a real page
			img = image.NewRGBA(small.Rect)
			copy(img.Pix, small.Pix)
			for i := 0; i+1 < len(pix); i += 2 {
				img.Pix[(i*7919+int(pix[i])*len(img.Pix)/256)%len(img.Pix)] ^= pix[i+1]
			}
		} else {
			w, ht = 1+(w&0x7fff)%400, 1+(ht&0x7fff)%300
			img = image.NewRGBA(image.Rect(0, 0, w, ht))
			for i := range img.Pix {
				if len(pix) > 0 {
					img.Pix[i] = pix[(i/4)%len(pix)]
				}
			}
		}
		m, _ := read(t, img)
		if m.Accepted && (!onPage || m.Lines[0] != want[0] || m.Lines[1] != want[1]) {
			t.Errorf("accepted %q", m.Lines)
		}
	})
}
