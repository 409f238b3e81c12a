package main

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"

	"golang.org/x/image/vector"

	"tambo/assets/cff"
	"tambo/kiosk/document/internal/glyph"
)

// printer draws single cells of OCR-B print with wear, blur and noise of its
// own. It shares nothing with the generator of whole pages but the font, so
// that pages test what it teaches.
type printer struct {
	outlines map[rune]cff.Outline
	z        *vector.Rasterizer
	alpha    *image.Alpha
	ink, tmp []float32
	w, h     int
}

// others are shapes of the font that no zone holds.
const others = ">+-./*=()@#&%$?!abdefghijklmnqrty"

// turned are characters that are none of the alphabet when upside down.
const turned = "ABCDEFGJKLPQRTUVY12347<<<<"

func newPrinter(f *cff.Font) (*printer, error) {
	p := &printer{outlines: map[rune]cff.Outline{}, z: vector.NewRasterizer(1, 1)}
	for _, r := range glyph.Alphabet + others {
		o, err := f.Outline(r)
		if err != nil {
			return nil, err
		}
		p.outlines[r] = o
	}
	return p, nil
}

// look is how a sample is printed and scanned; lengths in pitches.
type look struct {
	pitch              float64 // pixels
	rot, shear, sx, sy float64
	inkBlur, gain, off float64 // spread of ink: blur, then a steeper curve about a moved middle
	blur, noise        float64
	paper, contrast    float64
	jx, jy             float64 // where the cell is cut, off the middle
	dirty              bool
	jpeg               int
}

// pure is print at its best, for the shapes.
var pure = look{pitch: 30, sx: 1, sy: 1, inkBlur: 0.02, gain: 1.2, blur: 0.03, noise: 1, paper: 235, contrast: 200}

func randomLook(r *rand.Rand) look {
	norm := func(sd, most float64) float64 { return math.Max(-most, math.Min(most, sd*r.NormFloat64())) }
	l := look{
		pitch: 9 * math.Pow(4, r.Float64()), rot: norm(0.02, 0.06), shear: norm(0.02, 0.06),
		sx: 1 + norm(0.02, 0.06), sy: 1 + norm(0.018, 0.05),
		inkBlur: 0.01 + 0.04*r.Float64(), gain: 1 + 1.5*r.Float64(), off: norm(0.12, 0.3),
		blur: 0.13 * r.Float64() * r.Float64(), noise: 12 * r.Float64() * r.Float64(),
		paper: 120 + 130*r.Float64(), jx: norm(0.03, 0.09), jy: norm(0.03, 0.09), dirty: r.Float64() < 0.5,
	}
	if r.IntN(4) == 0 {
		l.blur = 0.13 * r.Float64()
	}
	l.contrast = l.paper * (0.25 + 0.7*r.Float64())
	if r.IntN(3) == 0 {
		l.jpeg = 30 + r.IntN(65)
	}
	return l
}

// sample makes training sample number i: a normalised cell and its class.
func (p *printer) sample(seed uint64, c *glyph.Cell) int {
	r := rand.New(rand.NewPCG(seed, 0x0c4b))
	any := func() rune {
		if r.IntN(4) == 0 {
			return '<'
		}
		return rune(glyph.Alphabet[r.IntN(len(glyph.Alphabet))])
	}
	l := randomLook(r)
	text := [3]rune{any(), rune(glyph.Alphabet[r.IntN(len(glyph.Alphabet))]), any()}
	if r.IntN(6) == 0 {
		text[r.IntN(2)*2] = ' '
	}
	class := indexOf(text[1])
	upside := false
	if r.IntN(7) == 0 {
		class = glyph.None
		switch r.IntN(6) {
		case 0: // between two cells
			l.jx = (0.28 + 0.44*r.Float64()) * float64(1-2*r.IntN(2))
		case 1: // between two lines
			l.jy = (0.3 + 0.6*r.Float64()) * float64(1-2*r.IntN(2))
		case 2, 3:
			text[1] = rune(others[r.IntN(len(others))])
		case 4:
			text[1] = ' '
			l.dirty = r.IntN(3) == 0
		case 5:
			text[1] = rune(turned[r.IntN(len(turned))])
			upside = true
		}
	}
	p.print(text, l, upside, r)
	p.cut(l, c)
	return class
}

func indexOf(r rune) int {
	for i, a := range glyph.Alphabet {
		if a == r {
			return i
		}
	}
	return glyph.None
}

// print draws three cells in a row into p.ink: 0 paper to 1 ink.
func (p *printer) print(text [3]rune, l look, upside bool, r *rand.Rand) {
	p.w, p.h = int(2.8*l.pitch), int(2.6*l.pitch)
	p.z.Reset(p.w, p.h)
	cx, cy := 1.4*l.pitch+r.Float64()-0.5, 1.3*l.pitch+r.Float64()-0.5
	co, si := math.Cos(l.rot), math.Sin(l.rot)
	for i, ch := range text {
		o, ok := p.outlines[ch]
		if !ok {
			continue
		}
		p.add(o, func(q cff.Point) (float32, float32) {
			x := (float64(q.X)/723 - 0.5) * l.sx
			y := (0.3565 - float64(q.Y)/1000) * 1000 / 723 * l.sy
			if upside {
				x, y = -x, -y
			}
			x += float64(i-1) + l.shear*y
			return float32(cx + l.pitch*(x*co-y*si)), float32(cy + l.pitch*(x*si+y*co))
		})
	}
	if p.alpha == nil || p.alpha.Rect.Dx() != p.w || p.alpha.Rect.Dy() != p.h {
		p.alpha = image.NewAlpha(image.Rect(0, 0, p.w, p.h))
	} else {
		clear(p.alpha.Pix)
	}
	p.z.Draw(p.alpha, p.alpha.Rect, image.Opaque, image.Point{})
	p.ink, p.tmp = resize(p.ink, p.w*p.h), resize(p.tmp, p.w*p.h)
	for i, a := range p.alpha.Pix {
		p.ink[i] = float32(a) / 255
	}
	p.blur(l.inkBlur * l.pitch)
	for i, v := range p.ink {
		p.ink[i] = min(1, max(0, (v-0.5)*float32(l.gain)+0.5+float32(l.off)*4*v*(1-v)))
	}
	p.spoil(l, r)
	p.blur(l.blur * l.pitch)
	p.scan(l, r)
}

func (p *printer) add(o cff.Outline, at func(cff.Point) (float32, float32)) {
	open := false
	for _, s := range o.Segments {
		ax, ay := at(s.P[0])
		switch s.Op {
		case cff.MoveTo:
			if open {
				p.z.ClosePath()
			}
			p.z.MoveTo(ax, ay)
			open = true
		case cff.LineTo:
			p.z.LineTo(ax, ay)
		case cff.CubeTo:
			bx, by := at(s.P[1])
			x, y := at(s.P[2])
			p.z.CubeTo(ax, ay, bx, by, x, y)
		}
	}
	if open {
		p.z.ClosePath()
	}
}

func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// blur is a Gaussian in place.
func (p *printer) blur(sigma float64) {
	n := int(math.Ceil(2.5 * sigma))
	if sigma < 0.2 {
		return
	}
	kern := make([]float32, 2*n+1)
	sum := float32(0)
	for i := range kern {
		d := float64(i - n)
		kern[i] = float32(math.Exp(-d * d / (2 * sigma * sigma)))
		sum += kern[i]
	}
	for i := range kern {
		kern[i] /= sum
	}
	pass := func(src, dst []float32, rows, cols, rowStep, step int) {
		for y := range rows {
			for x := range cols {
				acc := float32(0)
				for i, k := range kern {
					j := min(max(x+i-n, 0), cols-1)
					acc += k * src[y*rowStep+j*step]
				}
				dst[y*rowStep+x*step] = acc
			}
		}
	}
	pass(p.ink, p.tmp, p.h, p.w, p.w, 1)
	pass(p.tmp, p.ink, p.w, p.h, 1, p.w)
}

// spoil lays background lines, specks and scratches.
func (p *printer) spoil(l look, r *rand.Rand) {
	for range r.IntN(4) { // guilloche: faint lines
		x0, y0 := r.Float64()*float64(p.w), r.Float64()*float64(p.h)
		a, bend := r.Float64()*math.Pi, 0.03*(r.Float64()-0.5)
		dark := float32(0.3 * r.Float64() * r.Float64())
		for range 4 * p.h {
			x0 += 0.7 * math.Cos(a)
			y0 += 0.7 * math.Sin(a)
			a += bend
			p.dab(x0, y0, 0.03*l.pitch, dark)
		}
	}
	if !l.dirty {
		return
	}
	for range 1 + r.IntN(4) {
		v := float32(0.3 + 0.7*r.Float64())
		if r.IntN(3) == 0 {
			v = -v // ink chipped off
		}
		p.dab(r.Float64()*float64(p.w), r.Float64()*float64(p.h), (0.02+0.10*r.Float64())*l.pitch, v)
	}
}

// dab darkens (or, v < 0, lightens) a disc.
func (p *printer) dab(cx, cy, rad float64, v float32) {
	rad = max(rad, 0.5)
	for y := int(cy - rad); y <= int(cy+rad); y++ {
		for x := int(cx - rad); x <= int(cx+rad); x++ {
			if x < 0 || y < 0 || x >= p.w || y >= p.h || math.Hypot(float64(x)+0.5-cx, float64(y)+0.5-cy) > rad {
				continue
			}
			q := &p.ink[y*p.w+x]
			if v > 0 {
				*q = max(*q, v)
			} else {
				*q = min(*q, 1+v)
			}
		}
	}
}

// scan turns ink into grey values in p.ink, with uneven light and noise.
func (p *printer) scan(l look, r *rand.Rand) {
	gx, gy := 0.15*(r.Float64()-0.5), 0.15*(r.Float64()-0.5)
	grey := &image.Gray{Pix: p.alpha.Pix, Stride: p.alpha.Stride, Rect: p.alpha.Rect}
	for y := range p.h {
		for x := range p.w {
			light := 1 + gx*(2*float64(x)/float64(p.w)-1) + gy*(2*float64(y)/float64(p.h)-1)
			v := light*(l.paper-l.contrast*float64(p.ink[y*p.w+x])) + l.noise*r.NormFloat64()
			grey.SetGray(x, y, color.Gray{Y: uint8(max(0, min(255, v)))})
		}
	}
	if l.jpeg > 0 {
		var buf bytes.Buffer
		if jpeg.Encode(&buf, grey, &jpeg.Options{Quality: l.jpeg}) == nil {
			if img, err := jpeg.Decode(&buf); err == nil {
				if g, ok := img.(*image.Gray); ok {
					for y := range p.h {
						copy(grey.Pix[y*grey.Stride:][:p.w], g.Pix[y*g.Stride:])
					}
				}
			}
		}
	}
}

// cut takes the middle cell out of what scan left and normalises it.
func (p *printer) cut(l look, c *glyph.Cell) {
	pl := glyph.Plane{W: p.w, H: p.h, Pix: p.alpha.Pix}
	pl.Cut(glyph.Frame{
		X: (1.4 + l.jx) * l.pitch, Y: (1.3 + l.jy) * l.pitch, UX: l.pitch, VY: l.pitch,
	}, c)
	c.Normalise(float32(0.35 * l.contrast))
}
