package document

import (
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"time"

	"tambo/kiosk/document/internal/glyph"
)

// Sizes at which a picture is looked at.
const (
	findSide  = 1800 // the longer side, when looking for lines, pixels at most
	readPitch = 22   // a character's pitch when it is read, pixels at the least, if the picture has them
	leastSure = 0.45 // mean certainty below which lines are no zone
)

// inkParts are the parts of the neighbourhood's mean below which a pixel is
// ink: the usual one first, then for faint print, then for dark patterns.
var inkParts = []float64{0.88, 0.94, 0.75}

// Read finds the machine-readable zone on the picture of a page, in any
// quarter turn and up to 15 degrees askew, and reads it. now decides the
// centuries of dates, as in Parse.
//
// Errors: ErrTooLarge, ErrBlank, ErrNoMRZ, ErrTwoDocuments, ErrUnreadable, or
// the context's. With ErrUnreadable the MRZ holds what could be made out, for
// a person to see; it is never accepted.
func Read(ctx context.Context, page image.Image, now time.Time) (MRZ, error) {
	if page == nil {
		return MRZ{}, ErrTooLarge
	}
	full, err := toPlane(page)
	if err != nil {
		return MRZ{}, err
	}
	factor := (max(full.W, full.H) + findSide - 1) / findSide
	small := shrink(full, factor)
	if blank(small) {
		return MRZ{}, ErrBlank
	}
	rec := &recogniser{net: glyph.Default()}
	for _, part := range inkParts {
		found, err := findZones(ctx, small, part)
		if err != nil {
			return MRZ{}, err
		}
		var readings []reading
		for _, z := range found {
			if err := ctx.Err(); err != nil {
				return MRZ{}, fmt.Errorf("document: read: %w", err)
			}
			if g, ok := rec.zone(full, z, float64(factor)); ok {
				readings = append(readings, g)
			}
		}
		switch len(readings) {
		case 0:
			continue
		case 1:
			return readings[0].result(now)
		}
		return MRZ{}, ErrTwoDocuments
	}
	return MRZ{}, ErrNoMRZ
}

// findZones looks for zones along and down the picture.
func findZones(ctx context.Context, p glyph.Plane, part float64) ([]zone, error) {
	bs := blobs(darker(p, part), p.W, p.H)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("document: read: %w", err)
	}
	turned := make([]blob, len(bs))
	for i, b := range bs {
		turned[i] = b.turned()
	}
	lines := findLines(bs, false)
	lines = append(lines, findLines(turned, true)...)
	return zones(lines), nil
}

// reading is a zone that was read: the characters from k on.
type reading struct {
	zone  zone
	chars [][]char
	from  int
	count int     // characters a line
	scale float64 // pixels of the page in one of the plane that was read
}

// zone reads one zone of the page. z is in pixels of factor by factor of the
// page's. ok is false where the cells do not look like characters.
func (r *recogniser) zone(full glyph.Plane, z zone, factor float64) (g reading, ok bool) {
	n := max(1, int(z.lines[0].pitch()*factor/readPitch))
	r.plane = shrink(full, n)
	for i := range z.lines {
		z.lines[i] = z.lines[i].scaled(factor / float64(n))
	}
	z = z.upright()
	turned := z.flipped()
	a, b := r.sure(&z), r.sure(&turned)
	if b > a {
		z, a = turned, b
	}
	if a < leastSure {
		return g, false
	}
	count := z.format()
	from, to := z.span()
	lo, hi := min(from, to-count+1)-1, max(to, from+count-1)+1
	if hi-lo+1 > count+16 {
		lo, hi = from-1, to+1
	}
	chars := r.read(&z, lo, hi, false)
	r.refine(&z, chars, lo)
	start := window(chars, count)
	chars = r.read(&z, lo+start, lo+start+count-1, true)
	return reading{zone: z, chars: chars, from: lo + start, count: count, scale: float64(n)}, true
}

// window is where, among the characters read, the count that make the lines
// begin: they are present, what stands outside is not, and the first is a
// letter that a document code begins with.
func window(chars [][]char, count int) int {
	best, at := math.Inf(-1), 0
	for s := 0; s+count <= len(chars[0]); s++ {
		score := 0.0
		for _, line := range chars {
			for k := range line {
				if p := line[k].present(); k >= s && k < s+count {
					score += p
				} else {
					score -= p
				}
			}
		}
		if c := chars[0][s].best; c != glyph.None && slices.Contains([]byte("PVACI"), glyph.Alphabet[c]) {
			score += 1.5
		}
		if score > best {
			best, at = score, s
		}
	}
	return at
}

// result turns a reading into fields.
func (g reading) result(now time.Time) (MRZ, error) {
	t := g.typ()
	lines, confidence := g.decide(t)
	m := parseAs(t, lines, confidence, now)
	for i, p := range g.zone.box(g.from, g.count) {
		m.Box[i] = Point{p.X * g.scale, p.Y * g.scale}
	}
	doubtful, total := 0, 0
	for _, line := range confidence {
		for _, c := range line {
			total++
			if c < Certain {
				doubtful++
			}
		}
	}
	if doubtful*2 > total {
		m.Accepted = false
		return m, ErrUnreadable
	}
	return m, nil
}

// typ is the format that the lines are of. Where the code's letter does not
// say, the commonest of the size.
func (g reading) typ() Type {
	visa := g.chars[0][0].best == classOf('V')
	switch {
	case len(g.chars) == 3:
		return TD1
	case g.count == 36 && visa:
		return MRVB
	case g.count == 36:
		return TD2
	case visa:
		return MRVA
	}
	return TD3
}
