package iris

import (
	"encoding/binary"
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

// near is the value of the pixel next to (x, y), clamped to the border.
func (p *plane) near(x, y float32) float32 {
	return float32(p.pix[min(max(int(y+0.5), 0), p.h-1)*p.w+min(max(int(x+0.5), 0), p.w-1)])
}

// ray fills out with bilinear values at (cx, cy) + (r0+k·dr)·(cos, sin), and -1
// where that lies outside the image.
func (p *plane) ray(out []float32, cx, cy, cos, sin, r0, dr float32) {
	w, pix := p.w, p.pix
	mx, my := float32(p.w-1), float32(p.h-1)
	lx, ly := p.w-2, p.h-2
	for k := range out {
		r := r0 + float32(k)*dr
		x, y := cx+r*cos, cy+r*sin
		if !(x >= 0 && y >= 0 && x <= mx && y <= my) {
			out[k] = -1
			continue
		}
		ix, iy := min(int(x), lx), min(int(y), ly)
		fx, fy := x-float32(ix), y-float32(iy)
		o := iy*w + ix
		a, b := (*[2]uint8)(pix[o:]), (*[2]uint8)(pix[o+w:])
		t := float32(a[0]) + fx*(float32(a[1])-float32(a[0]))
		u := float32(b[0]) + fx*(float32(b[1])-float32(b[0]))
		out[k] = t + fy*(u-t)
	}
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

// windows replaces each byte of rows of width w by the extreme of the square of
// 2r+1 that begins at it, rightwards and downwards. What reaches beyond the end
// of a row or of the last row is undefined.
func windows(b []uint8, w, r int, extreme func(b []uint8, off int)) {
	for _, unit := range [2]int{1, w} {
		// the extreme of k bytes and that of k more, until all are in
		k := 1
		for ; 2*k <= 2*r+1; k *= 2 {
			extreme(b, k*unit)
		}
		if k < 2*r+1 {
			extreme(b, (2*r+1-k)*unit)
		}
	}
}

// least replaces each byte of b by the lesser of it and of that off bytes on,
// eight at a time. The last off bytes stay.
func least(b []uint8, off int) {
	n := len(b) - off
	i := 0
	for ; i+8 <= n; i += 8 {
		p := b[i : i+8 : i+8]
		x, y := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(b[i+off:])
		binary.LittleEndian.PutUint64(p, x^(x^y)&less(y, x))
	}
	for ; i < n; i++ {
		b[i] = min(b[i], b[i+off])
	}
}

// greatest is least for the greater.
func greatest(b []uint8, off int) {
	n := len(b) - off
	i := 0
	for ; i+8 <= n; i += 8 {
		p := b[i : i+8 : i+8]
		x, y := binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(b[i+off:])
		binary.LittleEndian.PutUint64(p, x^(x^y)&less(x, y))
	}
	for ; i < n; i++ {
		b[i] = max(b[i], b[i+off])
	}
}

// less has 255 in each byte in which x is less than y.
func less(x, y uint64) uint64 {
	const high = 0x8080808080808080
	d := (x | high) - (y &^ high) // no byte borrows from the next
	m := (^x&y | ^(x^y)&^d) & high
	return m<<1 - m>>7
}
