package iris

import (
	"image"
	"math"
)

// plane is an 8-bit grey image without padding: pixel (x, y) is pix[y*w+x].
type plane struct {
	w, h int
	pix  []uint8
}

// reset gives p the size w×h, keeping its buffer where that is large enough.
// The contents are undefined afterwards.
func (p *plane) reset(w, h int) {
	p.w, p.h = w, h
	if cap(p.pix) < w*h {
		p.pix = make([]uint8, w*h)
	}
	p.pix = p.pix[:w*h]
}

// fromGray copies img into p, origin at (0, 0).
func (p *plane) fromGray(img *image.Gray) {
	b := img.Bounds()
	p.reset(b.Dx(), b.Dy())
	for y := range p.h {
		o := img.PixOffset(b.Min.X, b.Min.Y+y)
		copy(p.pix[y*p.w:(y+1)*p.w], img.Pix[o:o+p.w])
	}
}

// halve writes the 2×2 box average of src into p.
func (p *plane) halve(src *plane) {
	p.reset(src.w/2, src.h/2)
	for y := range p.h {
		a := src.pix[2*y*src.w : 2*y*src.w+2*p.w]
		b := src.pix[(2*y+1)*src.w : (2*y+1)*src.w+2*p.w]
		d := p.pix[y*p.w : (y+1)*p.w]
		for x := range d {
			d[x] = uint8((uint(a[2*x]) + uint(a[2*x+1]) + uint(b[2*x]) + uint(b[2*x+1]) + 2) >> 2)
		}
	}
}

// blur writes the 3×3 binomial average of src into p; the border is copied.
func (p *plane) blur(src *plane) {
	p.reset(src.w, src.h)
	w, h := src.w, src.h
	copy(p.pix, src.pix)
	for y := 1; y < h-1; y++ {
		a := src.pix[(y-1)*w : y*w]
		b := src.pix[y*w : (y+1)*w]
		c := src.pix[(y+1)*w : (y+2)*w]
		d := p.pix[y*w : (y+1)*w]
		s0 := uint(a[0]) + 2*uint(b[0]) + uint(c[0])
		s1 := uint(a[1]) + 2*uint(b[1]) + uint(c[1])
		for x := 1; x < w-1; x++ {
			s2 := uint(a[x+1]) + 2*uint(b[x+1]) + uint(c[x+1])
			d[x] = uint8((s0 + 2*s1 + s2 + 8) >> 4)
			s0, s1 = s1, s2
		}
	}
}

// at returns the bilinear value at (x, y), clamped to the border.
func (p *plane) at(x, y float32) float32 {
	if x < 0 {
		x = 0
	} else if m := float32(p.w - 1); x > m {
		x = m
	}
	if y < 0 {
		y = 0
	} else if m := float32(p.h - 1); y > m {
		y = m
	}
	ix, iy := int(x), int(y)
	if ix > p.w-2 {
		ix = p.w - 2
	}
	if iy > p.h-2 {
		iy = p.h - 2
	}
	fx, fy := x-float32(ix), y-float32(iy)
	o := iy*p.w + ix
	r0 := p.pix[o : o+2 : o+2]
	r1 := p.pix[o+p.w : o+p.w+2 : o+p.w+2]
	t := float32(r0[0]) + fx*(float32(r0[1])-float32(r0[0]))
	u := float32(r1[0]) + fx*(float32(r1[1])-float32(r1[0]))
	return t + fy*(u-t)
}

// inside reports whether (x, y) lies within the image.
func (p *plane) inside(x, y float32) bool {
	return x >= 0 && y >= 0 && x <= float32(p.w-1) && y <= float32(p.h-1)
}

// histogram counts the grey values of p.
func (p *plane) histogram() (h [256]int) {
	for _, v := range p.pix {
		h[v]++
	}
	return h
}

// texturedHistogram counts the grey values of p but for dark stretches of one
// and the same, which no sensor delivers: bars and blanked out backgrounds.
// Bright ones count: skin and sclera are often overexposed.
func (p *plane) texturedHistogram() (h [256]int) {
	const d = 6
	for y := range p.h {
		row := p.pix[y*p.w : (y+1)*p.w]
		for x := d; x < len(row)-d; x++ {
			if v := row[x]; v > 32 || v != row[x-d] || v != row[x+d] {
				h[v]++
			}
		}
	}
	return h
}

// percentile returns the smallest grey value at or below which at least the
// share q of the counted pixels lies.
func percentile(h *[256]int, q float64) int {
	n := 0
	for _, c := range h {
		n += c
	}
	limit := int(math.Ceil(q * float64(n)))
	s := 0
	for v, c := range h {
		s += c
		if s >= limit && s > 0 {
			return v
		}
	}
	return 255
}

// rankFilter writes into dst the running minimum (or maximum) of src over a
// window of 2r+1 elements, by van Herk's method; buf holds at least
// 2*(n+2r+1) bytes of scratch.
func rankFilter(dst, src []uint8, stride, n, r int, most bool, buf []uint8) {
	k := 2*r + 1
	m := n + 2*r
	fwd, bwd := buf[:m], buf[m:2*m]
	pad := uint8(255)
	if most {
		pad = 0
	}
	get := func(i int) uint8 {
		if i < r || i >= n+r {
			return pad
		}
		return src[(i-r)*stride]
	}
	for i := range m {
		v := get(i)
		if i%k != 0 && (fwd[i-1] < v) != most {
			v = fwd[i-1]
		}
		fwd[i] = v
	}
	for i := m - 1; i >= 0; i-- {
		v := get(i)
		if i != m-1 && (i+1)%k != 0 && (bwd[i+1] < v) != most {
			v = bwd[i+1]
		}
		bwd[i] = v
	}
	for i := range n {
		a, b := bwd[i], fwd[i+2*r]
		if (a < b) != most {
			dst[i*stride] = a
		} else {
			dst[i*stride] = b
		}
	}
}
