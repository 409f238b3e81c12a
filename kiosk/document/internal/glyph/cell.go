// Package glyph recognises one OCR-B character in one cell of a grid: it cuts
// the cell out of a picture at a fixed size, evens out its contrast, and
// scores the 37 characters of the machine-readable zone and "none of them"
// with a small neural network, beside a comparison with the printed shapes.
//
// The network was trained on nothing but renderings of the OCR-B font
// (program internal/train). It knows one cell: no grammar, no neighbours, no
// check digits.
package glyph

import "math"

// A cell is CellW×CellH samples, Step of a pitch apart, around the middle of
// the capitals.
const (
	CellW = 20
	CellH = 26
	CellN = CellW * CellH
	Step  = 0.056
)

// Alphabet is what a cell may hold, in the order of scores; the score after
// the last is that of None.
const (
	Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ<"
	None     = len(Alphabet)
	Classes  = None + 1
)

// Plane is a grey picture, 0 black to 255 white, rows without gaps.
type Plane struct {
	W, H int
	Pix  []uint8
}

// Frame says where a cell lies on a plane, in pixels: its centre, and one
// pitch along the line (U) and one down the page (V).
type Frame struct{ X, Y, UX, UY, VX, VY float64 }

// Cell holds the samples of one cell row by row: grey values from Cut; after
// Normalise, 0 for paper to 1 for ink.
type Cell [CellN]float32

// Cut samples the cell. What lies outside the plane repeats its edge.
func (p *Plane) Cut(f Frame, c *Cell) {
	n := 1
	if math.Hypot(f.UX, f.UY)*Step > 1.3 { // two by two samples where they lie far apart
		n = 2
	}
	part := Step / float64(n)
	for j := range CellH {
		for i := range CellW {
			sum := float32(0)
			for s := range n * n {
				a := (float64(i)-(CellW-1)/2.0)*Step + (float64(s%n)-float64(n-1)/2)*part
				b := (float64(j)-(CellH-1)/2.0)*Step + (float64(s/n)-float64(n-1)/2)*part
				sum += p.at(f.X+a*f.UX+b*f.VX, f.Y+a*f.UY+b*f.VY)
			}
			c[j*CellW+i] = sum / float32(n*n)
		}
	}
}

// at is the grey value at (x, y), where pixel (0, 0) has its centre at
// (0.5, 0.5), interpolated.
func (p *Plane) at(x, y float64) float32 {
	x, y = x-0.5, y-0.5
	if x < 0 {
		x = 0
	}
	if y < 0 {
		y = 0
	}
	ix, iy := int(x), int(y)
	if ix > p.W-2 {
		ix = max(p.W-2, 0)
		x = float64(p.W - 1)
	}
	if iy > p.H-2 {
		iy = max(p.H-2, 0)
		y = float64(p.H - 1)
	}
	fx, fy := float32(x)-float32(ix), float32(y)-float32(iy)
	i := iy*p.W + ix
	dx, dy := 1, p.W
	if p.W < 2 {
		dx = 0
	}
	if p.H < 2 {
		dy = 0
	}
	top := float32(p.Pix[i])*(1-fx) + float32(p.Pix[i+dx])*fx
	bot := float32(p.Pix[i+dy])*(1-fx) + float32(p.Pix[i+dx+dy])*fx
	return top*(1-fy) + bot*fy
}

// Contrast is the difference between the cell's paper and ink, grey levels:
// its 85th and its 4th part of a hundred. depth is that between the paper and
// its darkest hundredth: a stain on faint print has more depth than contrast.
func (c *Cell) Contrast() (paper, contrast, depth float32) {
	var hist [256]int
	for _, v := range c {
		hist[uint8(v)]++
	}
	level := func(n int) float32 {
		for v, h := range hist {
			if n -= h; n < 0 {
				return float32(v)
			}
		}
		return 255
	}
	paper = level(CellN * 85 / 100)
	return paper, paper - level(CellN*4/100), paper - level(CellN/100)
}

// Normalise turns grey values into ink, 0 to 1. A contrast below least counts
// as least, so that empty paper stays empty.
func (c *Cell) Normalise(least float32) {
	paper, contrast, _ := c.Contrast()
	scale := 1 / max(contrast, least, 4)
	for i, v := range c {
		c[i] = min(max((paper-v)*scale, -0.25), 1.25)
	}
}
