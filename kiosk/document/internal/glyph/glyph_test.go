package glyph

import (
	"bytes"
	"errors"
	"image"
	"math"
	"testing"

	"golang.org/x/image/vector"

	"tambo/assets"
	"tambo/assets/cff"
)

// plain draws one character at the given pitch in pixels, white paper.
func plain(t *testing.T, r rune, pitch float64) (*Plane, Frame) {
	t.Helper()
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	o, err := f.Outline(r)
	if err != nil {
		t.Fatal(err)
	}
	w, h := int(1.6*pitch), int(2*pitch)
	z := vector.NewRasterizer(w, h)
	scale := pitch / 723
	o.AddTo(z, float32(0.3*pitch), float32(pitch+356.5*scale), float32(scale))
	a := image.NewAlpha(image.Rect(0, 0, w, h))
	z.Draw(a, a.Rect, image.Opaque, image.Point{})
	for i, v := range a.Pix {
		a.Pix[i] = 255 - v
	}
	return &Plane{W: w, H: h, Pix: a.Pix}, Frame{X: 0.8 * pitch, Y: pitch, UX: pitch, VY: pitch}
}

func run(p *Plane, f Frame) (best int, margin float64, c Cell) {
	p.Cut(f, &c)
	c.Normalise(60)
	s := Default().Run(&c, new(Activations))
	second := math.Inf(-1)
	for i, v := range s {
		if v > s[best] {
			best = i
		}
	}
	for i, v := range s {
		if i != best {
			second = max(second, float64(v))
		}
	}
	return best, float64(s[best]) - second, c
}

// Every character in clean print is read with room to spare at every size,
// and agrees best with its own shape.
func TestAlphabet(t *testing.T) {
	least := math.Inf(1)
	for _, pitch := range []float64{10, 15, 30, 60} {
		for k, r := range Alphabet {
			p, f := plain(t, r, pitch)
			best, margin, c := run(p, f)
			if best != k || margin < 5 {
				t.Errorf("%c at %v pixels: class %d, margin %.1f", r, pitch, best, margin)
			}
			least = min(least, margin)
			corr, dx, dy := Default().Match(&c, k)
			if corr < 0.85 || math.Hypot(dx, dy) > 0.06 {
				t.Errorf("%c at %v pixels: correlation %.2f at (%.2f, %.2f)", r, pitch, corr, dx, dy)
			}
		}
	}
	t.Logf("least margin in clean print %.1f", least)
}

// What is no character of the zone is none, or at least has no margin.
func TestStrangers(t *testing.T) {
	taken := 0
	const strangers = ">+-*/=@#&%?aefghmnrt"
	for _, r := range strangers {
		p, f := plain(t, r, 24)
		if best, margin, _ := run(p, f); best != None && margin > 5 {
			taken++
			t.Logf("%c taken for %c, margin %.1f", r, Alphabet[best], margin)
		}
	}
	if taken > 0 {
		t.Errorf("%d of %d strangers taken for characters", taken, len(strangers))
	}
	empty := &Plane{W: 40, H: 40, Pix: bytes.Repeat([]byte{200}, 1600)}
	if best, _, _ := run(empty, Frame{X: 20, Y: 20, UX: 20, VY: 20}); best != None {
		t.Errorf("empty paper taken for %c", Alphabet[best])
	}
}

// Match says where the shape lies.
func TestMatchFindsShifts(t *testing.T) {
	for _, d := range [][2]float64{{0, 0}, {0.08, 0}, {0, -0.1}, {-0.12, 0.06}} {
		p, f := plain(t, 'R', 30)
		f.X -= d[0] * 30
		f.Y -= d[1] * 30
		var c Cell
		p.Cut(f, &c)
		c.Normalise(60)
		_, dx, dy := Default().Match(&c, 27)
		if math.Hypot(dx-d[0], dy-d[1]) > 0.02 {
			t.Errorf("moved by %v, found (%.3f, %.3f)", d, dx, dy)
		}
	}
}

func TestWeightsFile(t *testing.T) {
	n, err := Decode(weights)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(n.Encode())
	if err != nil {
		t.Fatal(err)
	}
	a, b := n.Rows(), again.Rows()
	for i := range a {
		for j := range a[i] {
			if d := math.Abs(float64(a[i][j] - b[i][j])); d > 1e-5+1e-3*math.Abs(float64(a[i][j])) {
				t.Fatalf("row %d, %d: %v became %v", i, j, a[i][j], b[i][j])
			}
		}
	}
	for _, bad := range [][]byte{nil, []byte("tambo-ocrb/2\n"), weights[:len(weights)-1], append(bytes.Clone(weights), 0)} {
		if _, err := Decode(bad); !errors.Is(err, ErrWeights) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

// Cells at and beyond the edge, on planes of one pixel, are still cells.
func TestCutAtTheEdge(t *testing.T) {
	for _, p := range []*Plane{{1, 1, []byte{7}}, {1, 3, make([]byte, 3)}, {3, 1, make([]byte, 3)}, {5, 5, make([]byte, 25)}} {
		for _, f := range []Frame{{X: -9, Y: -9, UX: 3, VY: 3}, {X: 99, Y: 99, UX: 30, UY: 30, VX: -30, VY: 30}, {}} {
			var c Cell
			p.Cut(f, &c)
			c.Normalise(0)
		}
	}
}
