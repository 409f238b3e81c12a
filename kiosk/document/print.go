package document

import (
	"image"
	"math"
	"slices"
)

// The printed part of a page, as it is cut out for a reader of print.
const (
	printDPI = 300
	// zonePitch is a character of the zone (Doc 9303-3, 4.3: ten an inch).
	zonePitch = 25.4 / 10 // mm
	// sideways is how much of the page lies beside the zone's first and last
	// character, and a little more (Doc 9303-4 to 9303-7, appendices).
	sideways = 8.0 // mm
)

// above is how much of the page lies above the zone, by its format: the rest of
// the side that bears it (ISO/IEC 7810 ID-3, ID-2, ID-1), in mm.
func (t Type) above() float64 {
	switch t {
	case TD3, MRVA:
		return 72
	case TD2, MRVB:
		return 58
	case TD1:
		return 32
	}
	return 0
}

// Print cuts what is printed above the zone out of the picture that m was read
// from: upright, 300 pixels to the inch of the document, however it lay on the
// glass. The zone itself is not in it, so that the zone is never compared with
// itself. Nil where m was not read from a picture.
func Print(page image.Image, m MRZ) *image.Gray {
	out := cutPrint(page, m)
	if out != nil {
		plain(out)
	}
	return out
}

func cutPrint(page image.Image, m MRZ) *image.Gray {
	_, chars := m.Type.size()
	if page == nil || chars == 0 {
		return nil
	}
	ux, uy := m.Box[1].X-m.Box[0].X, m.Box[1].Y-m.Box[0].Y
	run := math.Hypot(ux, uy)
	if !(run > 100) || math.IsInf(run, 0) { // NaN too
		return nil
	}
	full, err := toPlane(page)
	if err != nil {
		return nil
	}
	// Pixels of the picture for one of the cutting, along the text and down.
	k := run / (float64(chars) * zonePitch) * 25.4 / printDPI
	n := max(1, int(k+0.25)) // what is finer than wanted is averaged
	full = shrink(full, n)
	ux, uy = ux/run*k/float64(n), uy/run*k/float64(n)
	x0, y0 := m.Box[0].X/float64(n), m.Box[0].Y/float64(n)

	mm := printDPI / 25.4
	left, up := sideways*mm, m.Type.above()*mm
	out := image.NewGray(image.Rect(0, 0, int((float64(chars)*zonePitch+2*sideways)*mm), int(up-0.6*mm)))
	for y := range out.Rect.Max.Y {
		row := out.Pix[y*out.Stride:][:out.Rect.Max.X]
		for x := range row {
			a, b := float64(x)-left, float64(y)-up
			fx, fy := x0+a*ux-b*uy, y0+a*uy+b*ux
			ix, iy := int(math.Floor(fx)), int(math.Floor(fy))
			if ix < 0 || iy < 0 || ix >= full.W-1 || iy >= full.H-1 {
				row[x] = 255
				continue
			}
			i := iy*full.W + ix
			tx, ty := fx-float64(ix), fy-float64(iy)
			top := float64(full.Pix[i])*(1-tx) + float64(full.Pix[i+1])*tx
			bottom := float64(full.Pix[i+full.W])*(1-tx) + float64(full.Pix[i+full.W+1])*tx
			row[x] = uint8(top*(1-ty) + bottom*ty + 0.5)
		}
	}
	return out
}

// plain takes shadow, the rim of glare and the scanner's bed away, and makes faint
// print dark, so that one threshold does for the whole picture.
func plain(g *image.Gray) {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	light, bed := paper(g)
	share := func(x, y int) float64 { // of the paper's shade, 0 to 1
		return min(float64(g.Pix[y*g.Stride+x])/light.at(x, y), 1)
	}
	// The darkest of a hundred pixels are print, or the picture has none.
	var hist [256]int
	n := 0
	for y := 0; y < h; y += 2 {
		for x := 0; x < w; x += 2 {
			if !bed.dark(x, y) {
				hist[int(255*share(x, y))]++
				n++
			}
		}
	}
	ink := 0.0
	for v, rest := 0, n/100; v < len(hist); v++ {
		if rest -= hist[v]; rest < 0 {
			ink = min(float64(v)/255, 0.6)
			break
		}
	}
	for y := range h {
		row := g.Pix[y*g.Stride:][:w]
		for x := range row {
			if bed.dark(x, y) {
				row[x] = 255
			} else {
				row[x] = uint8(255 * max((share(x, y)-ink)/(1-ink), 0))
			}
		}
	}
}

// cells are a coarse picture: one value for every 24 pixels each way, which is
// two millimetres and wider than a stroke.
type cells struct {
	w, h int
	v    []float64
}

const patch = 24

// paper is how light the paper is in each cell, and which cells hold none: the
// scanner's bed around the page, or a portrait.
func paper(g *image.Gray) (light, bed cells) {
	w, h := (g.Rect.Dx()+patch-1)/patch, (g.Rect.Dy()+patch-1)/patch
	p := cells{w, h, make([]float64, w*h)}
	for i := range p.v {
		var hist [256]int
		n, x0, y0 := 0, i%w*patch, i/w*patch
		for y := y0; y < min(y0+patch, g.Rect.Dy()); y++ {
			for _, v := range g.Pix[y*g.Stride+x0 : y*g.Stride+min(x0+patch, g.Rect.Dx())] {
				hist[v]++
				n++
			}
		}
		v := 255 // a quarter of a cell is paper, whatever is printed on it
		for rest := n/4 - hist[255]; v > 0 && rest >= 0; rest -= hist[v] {
			v--
		}
		p.v[i] = float64(v)
	}
	sorted := slices.Sorted(slices.Values(p.v))
	usual := sorted[len(sorted)/2]
	light = cells{w, h, make([]float64, w*h)}
	bed = cells{w, h, make([]float64, w*h)}
	for i := range p.v {
		most := 0.0
		around := func(f func(v float64)) {
			for y := max(i/w-1, 0); y <= min(i/w+1, h-1); y++ {
				for x := max(i%w-1, 0); x <= min(i%w+1, w-1); x++ {
					f(p.v[y*w+x])
				}
			}
		}
		around(func(v float64) { most = max(most, v) })
		sum, n := 0.0, 0.0
		around(func(v float64) {
			if v > 0.8*most { // the others are ink from edge to edge
				sum, n = sum+v, n+1
			}
		})
		light.v[i] = max(sum/max(n, 1), 16)
		if p.v[i] < 0.45*usual {
			bed.v[i] = 1
		}
	}
	return light, bed
}

// at is the value at a pixel, between the cells' centres.
func (c *cells) at(x, y int) float64 {
	fx := min(max(float64(x)/patch-0.5, 0), float64(c.w-1))
	fy := min(max(float64(y)/patch-0.5, 0), float64(c.h-1))
	x0, y0 := int(fx), int(fy)
	x1, y1 := min(x0+1, c.w-1), min(y0+1, c.h-1)
	tx, ty := fx-float64(x0), fy-float64(y0)
	return (c.v[y0*c.w+x0]*(1-tx)+c.v[y0*c.w+x1]*tx)*(1-ty) + (c.v[y1*c.w+x0]*(1-tx)+c.v[y1*c.w+x1]*tx)*ty
}

// dark reports whether a pixel's own cell was marked.
func (c *cells) dark(x, y int) bool { return c.v[y/patch*c.w+x/patch] != 0 }

// Enlarge cuts a place out of a picture and makes it twice as large, with some
// paper around it, so that what stands there is read once more. Nil where the
// place is not on the picture.
func Enlarge(g *image.Gray, box image.Rectangle) *image.Gray {
	if g == nil {
		return nil
	}
	const margin = 10
	box = box.Inset(-margin).Intersect(g.Rect)
	if box.Empty() {
		return nil
	}
	const by, rim = 2, 2 * margin
	out := image.NewGray(image.Rect(0, 0, by*box.Dx()+2*rim, by*box.Dy()+2*rim))
	for i := range out.Pix {
		out.Pix[i] = 255
	}
	for y := range by * box.Dy() {
		y0 := box.Min.Y + y/by
		y1 := min(y0+y%by, box.Max.Y-1)
		row := out.Pix[(y+rim)*out.Stride+rim:]
		for x := range by * box.Dx() {
			x0 := box.Min.X + x/by
			x1 := min(x0+x%by, box.Max.X-1)
			at := func(x, y int) int { return int(g.Pix[g.PixOffset(x, y)]) }
			row[x] = uint8((at(x0, y0) + at(x1, y0) + at(x0, y1) + at(x1, y1)) / 4)
		}
	}
	return out
}
