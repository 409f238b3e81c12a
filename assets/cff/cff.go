// Package cff reads glyph outlines from an OpenType font with CFF outlines
// (Adobe Technical Notes 5176, the Compact Font Format, and 5177, Type 2
// charstrings). It exists because golang.org/x/image/font/sfnt refuses the
// flex operators that the OCR-B font uses for '<' and '8'.
//
// It reads outlines and advances only: no hinting, kerning, shaping or
// CID-keyed fonts. It is meant for fonts that the programs carry inside them;
// a damaged font gives an error, never a panic.
package cff

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// Errors of this package.
var (
	ErrFont  = errors.New("cff: not a usable OpenType CFF font")
	ErrGlyph = errors.New("cff: the font has no such glyph")
)

// Op is the kind of a path segment.
type Op uint8

// Kinds of segments, with the number of points each takes.
const (
	MoveTo Op = iota // 1 point; closes the contour before it
	LineTo           // 1 point
	CubeTo           // 3 points: two controls, then the end
)

// Point is a point of an outline in font units, y upwards from the baseline.
type Point struct{ X, Y float32 }

// Segment is one step of an outline.
type Segment struct {
	Op Op
	P  [3]Point
}

// Outline is the closed path of one glyph in font units.
type Outline struct {
	Segments []Segment
	Advance  float32 // horizontal advance, font units
}

// Font is a parsed font. It may be used from several goroutines once made.
type Font struct {
	UnitsPerEm float32

	sf          *sfnt.Font
	charStrings [][]byte
	globalSubrs [][]byte
	localSubrs  [][]byte
}

// Parse reads an OpenType font with one 'CFF ' table. It keeps references
// into otf, which must not change afterwards.
func Parse(otf []byte) (*Font, error) {
	sf, err := sfnt.Parse(otf)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFont, err)
	}
	table, err := findTable(otf, "CFF ")
	if err != nil {
		return nil, err
	}
	f := &Font{UnitsPerEm: float32(sf.UnitsPerEm()), sf: sf}
	if err := f.parseCFF(table); err != nil {
		return nil, err
	}
	return f, nil
}

// Outline returns the outline of r. ErrGlyph: the font does not map r.
func (f *Font) Outline(r rune) (Outline, error) {
	var buf sfnt.Buffer
	gid, err := f.sf.GlyphIndex(&buf, r)
	if err != nil {
		return Outline{}, fmt.Errorf("cff: map %q: %w", r, err)
	}
	if gid == 0 || int(gid) >= len(f.charStrings) {
		return Outline{}, fmt.Errorf("%w: %q", ErrGlyph, r)
	}
	upem := fixed.I(int(f.UnitsPerEm))
	adv, err := f.sf.GlyphAdvance(&buf, gid, upem, font.HintingNone)
	if err != nil {
		return Outline{}, fmt.Errorf("cff: advance of %q: %w", r, err)
	}
	m := machine{global: f.globalSubrs, local: f.localSubrs}
	if err := m.run(f.charStrings[gid], 0); err != nil {
		return Outline{}, fmt.Errorf("cff: outline of %q: %w", r, err)
	}
	return Outline{Segments: m.path, Advance: float32(adv) / 64}, nil
}

// AddTo adds the outline to a rasteriser: font units times scale, with the
// glyph's origin (baseline, left) at pixel (x, y), y downwards.
func (o Outline) AddTo(z *vector.Rasterizer, x, y, scale float32) {
	open := false
	at := func(p Point) (float32, float32) { return x + p.X*scale, y - p.Y*scale }
	for _, s := range o.Segments {
		ax, ay := at(s.P[0])
		switch s.Op {
		case MoveTo:
			if open {
				z.ClosePath()
			}
			z.MoveTo(ax, ay)
			open = true
		case LineTo:
			z.LineTo(ax, ay)
		case CubeTo:
			bx, by := at(s.P[1])
			cx, cy := at(s.P[2])
			z.CubeTo(ax, ay, bx, by, cx, cy)
		}
	}
	if open {
		z.ClosePath()
	}
}

// findTable returns the bytes of a table of an sfnt-housed font.
func findTable(otf []byte, tag string) ([]byte, error) {
	if len(otf) < 12 {
		return nil, ErrFont
	}
	n := int(binary.BigEndian.Uint16(otf[4:]))
	for i := range n {
		at := 12 + 16*i
		if at+16 > len(otf) {
			return nil, ErrFont
		}
		rec := otf[at : at+16]
		if string(rec[:4]) != tag {
			continue
		}
		off, size := uint64(binary.BigEndian.Uint32(rec[8:])), uint64(binary.BigEndian.Uint32(rec[12:]))
		if off+size > uint64(len(otf)) {
			return nil, ErrFont
		}
		return otf[off : off+size], nil
	}
	return nil, fmt.Errorf("%w: no table %q", ErrFont, tag)
}

// parseCFF reads the indexes that outlines need (Technical Note 5176,
// clauses 5 to 16).
func (f *Font) parseCFF(t []byte) error {
	if len(t) < 4 || t[0] != 1 {
		return fmt.Errorf("%w: not CFF version 1", ErrFont)
	}
	pos := int(t[2]) // header size
	var top [][]byte
	for i := range 4 { // Name, Top DICT, String, Global Subr
		idx, next, err := readIndex(t, pos)
		if err != nil {
			return err
		}
		pos = next
		switch i {
		case 1:
			top = idx
		case 3:
			f.globalSubrs = idx
		}
	}
	if len(top) != 1 {
		return fmt.Errorf("%w: want one font, have %d", ErrFont, len(top))
	}
	dict := readDict(top[0])
	cs, ok := dict[17]
	if !ok || len(cs) != 1 {
		return fmt.Errorf("%w: no CharStrings", ErrFont)
	}
	var err error
	if f.charStrings, _, err = readIndex(t, cs[0]); err != nil {
		return err
	}
	priv := dict[18]
	if len(priv) != 2 {
		return nil // no Private DICT, so no local subroutines
	}
	size, off := priv[0], priv[1]
	if size < 0 || off < 0 || off > len(t) || size > len(t)-off {
		return fmt.Errorf("%w: Private DICT outside the table", ErrFont)
	}
	if subrs := readDict(t[off : off+size])[19]; len(subrs) == 1 {
		f.localSubrs, _, err = readIndex(t, off+subrs[0])
	}
	return err
}

// readIndex reads an INDEX at pos (clause 5) and returns the offset after it.
func readIndex(t []byte, pos int) ([][]byte, int, error) {
	bad := fmt.Errorf("%w: damaged INDEX", ErrFont)
	if pos < 0 || pos+2 > len(t) {
		return nil, 0, bad
	}
	count := int(binary.BigEndian.Uint16(t[pos:]))
	if count == 0 {
		return nil, pos + 2, nil
	}
	if pos+3 > len(t) {
		return nil, 0, bad
	}
	offSize := int(t[pos+2])
	offs := pos + 3
	base := offs + (count+1)*offSize - 1
	if offSize < 1 || offSize > 4 || base >= len(t) {
		return nil, 0, bad
	}
	at := func(i int) int {
		v := 0
		for _, b := range t[offs+i*offSize : offs+(i+1)*offSize] {
			v = v<<8 | int(b)
		}
		return v
	}
	out := make([][]byte, count)
	for i := range out {
		lo, hi := base+at(i), base+at(i+1)
		if lo < 0 || hi < lo || hi > len(t) {
			return nil, 0, bad
		}
		out[i] = t[lo:hi]
	}
	return out, base + at(count), nil
}

// readDict reads the integer operands of a DICT by operator (clause 4); two-
// byte operators and real numbers are passed over.
func readDict(d []byte) map[int][]int {
	out := map[int][]int{}
	var args []int
	for i := 0; i < len(d); {
		b := d[i]
		switch {
		case b <= 21:
			if b == 12 { // two-byte operator
				i++
			} else {
				out[int(b)] = args
			}
			args = nil
			i++
		case b == 28 && i+2 < len(d):
			args = append(args, int(int16(binary.BigEndian.Uint16(d[i+1:]))))
			i += 3
		case b == 29 && i+4 < len(d):
			args = append(args, int(int32(binary.BigEndian.Uint32(d[i+1:]))))
			i += 5
		case b == 30: // real: nibbles until 0xf
			for i++; i < len(d) && d[i]&0x0f != 0x0f && d[i]>>4 != 0x0f; i++ {
			}
			args = append(args, 0)
			i++
		case b >= 32 && b <= 246:
			args = append(args, int(b)-139)
			i++
		case b >= 247 && b <= 250 && i+1 < len(d):
			args = append(args, (int(b)-247)*256+int(d[i+1])+108)
			i += 2
		case b >= 251 && b <= 254 && i+1 < len(d):
			args = append(args, -(int(b)-251)*256-int(d[i+1])-108)
			i += 2
		default:
			return out
		}
	}
	return out
}
