package cff_test

import (
	"errors"
	"image"
	"math"
	"testing"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"tambo/assets"
	"tambo/assets/cff"
)

// The other reader of the same font agrees on every glyph that it can read.
func TestOutlinesAgreeWithSfnt(t *testing.T) {
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	sf, err := sfnt.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	compared, refused := 0, 0
	for r := '!'; r <= '~'; r++ {
		gid, err := sf.GlyphIndex(&buf, r)
		if err != nil || gid == 0 {
			continue
		}
		got, err := f.Outline(r)
		if err != nil {
			t.Fatalf("%q: %v", r, err)
		}
		want, err := sf.LoadGlyph(&buf, gid, fixed.I(1000), nil)
		if err != nil {
			refused++
			continue
		}
		compared++
		comparePaths(t, r, got, want)
	}
	t.Logf("%d glyphs agree, %d that sfnt refuses", compared, refused)
	if compared < 60 {
		t.Errorf("only %d glyphs compared", compared)
	}
}

func comparePaths(t *testing.T, r rune, got cff.Outline, want sfnt.Segments) {
	t.Helper()
	// sfnt closes contours with an explicit line; compare end points of the
	// segments that are not such lines.
	var a, b [][2]float64
	for _, s := range got.Segments {
		n := 0
		if s.Op == cff.CubeTo {
			n = 2
		}
		a = append(a, [2]float64{float64(s.P[n].X), float64(s.P[n].Y)})
	}
	var start [2]float64
	for i, s := range want {
		n := 0
		switch s.Op {
		case sfnt.SegmentOpCubeTo:
			n = 2
		case sfnt.SegmentOpQuadTo:
			t.Fatalf("%q: quadratic in a CFF font", r)
		}
		p := [2]float64{float64(s.Args[n].X) / 64, -float64(s.Args[n].Y) / 64}
		if s.Op == sfnt.SegmentOpMoveTo {
			start = p
		}
		last := i+1 == len(want) || want[i+1].Op == sfnt.SegmentOpMoveTo
		if s.Op == sfnt.SegmentOpLineTo && last && p == start && len(b) >= len(a)-0 {
			continue
		}
		b = append(b, p)
	}
	if len(a) != len(b) {
		a, b = dropRepeats(a), dropRepeats(b)
	}
	if len(a) != len(b) {
		t.Errorf("%q: %d points, sfnt has %d", r, len(a), len(b))
		return
	}
	for i := range a {
		if math.Hypot(a[i][0]-b[i][0], a[i][1]-b[i][1]) > 0.6 {
			t.Errorf("%q: point %d at %v, sfnt has %v", r, i, a[i], b[i])
			return
		}
	}
}

// dropRepeats removes points equal to an earlier one.
func dropRepeats(p [][2]float64) [][2]float64 {
	seen := map[[2]float64]bool{}
	var out [][2]float64
	for _, q := range p {
		k := [2]float64{math.Round(q[0]), math.Round(q[1])}
		if !seen[k] {
			seen[k] = true
			out = append(out, q)
		}
	}
	return out
}

// The glyphs that sfnt refuses have the shapes they must have: '8' has two
// holes on the centre line, '<' opens to the right.
func TestFlexGlyphs(t *testing.T) {
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	draw := func(r rune) *image.Alpha {
		o, err := f.Outline(r)
		if err != nil {
			t.Fatal(err)
		}
		z := vector.NewRasterizer(80, 100)
		o.AddTo(z, 4, 90, 0.1)
		dst := image.NewAlpha(image.Rect(0, 0, 80, 100))
		z.Draw(dst, dst.Bounds(), image.Opaque, image.Point{})
		return dst
	}
	eight := draw('8')
	runs, in := 0, false
	for y := range 100 {
		ink := eight.AlphaAt(4+36, y).A > 127
		if ink && !in {
			runs++
		}
		in = ink
	}
	if runs != 3 {
		t.Errorf("'8' has %d strokes on its centre line, want 3", runs)
	}
	less := draw('<')
	left, right := 0, 0
	for y := range 100 {
		for x := range 80 {
			if less.AlphaAt(x, y).A > 127 {
				if x < 22 {
					left++
				}
				if x > 58 {
					right++
				}
			}
		}
	}
	if left == 0 || right == 0 {
		t.Errorf("'<' has %d pixels at its point and %d at its ends", left, right)
	}
}

func TestErrors(t *testing.T) {
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Outline('語'); !errors.Is(err, cff.ErrGlyph) {
		t.Errorf("missing glyph: %v", err)
	}
	for _, cut := range []int{0, 11, 200, len(assets.OCRB) / 2} {
		if _, err := cff.Parse(assets.OCRB[:cut]); err == nil {
			t.Errorf("a font cut at %d was accepted", cut)
		}
	}
}

// A damaged font is an error or another shape, never a panic.
func FuzzParse(fz *testing.F) {
	fz.Add(1000, byte(0xff))
	fz.Add(12000, byte(10))
	fz.Fuzz(func(_ *testing.T, at int, v byte) {
		b := append([]byte(nil), assets.OCRB...)
		if at < 0 {
			at = -(at + 1)
		}
		b[at%len(b)] ^= v
		f, err := cff.Parse(b)
		if err != nil {
			return
		}
		for _, r := range "08<ABK" {
			_, _ = f.Outline(r)
		}
	})
}
