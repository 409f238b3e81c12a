package document

import (
	"image"

	"tambo/kiosk/document/internal/glyph"
)

// maxPixels bounds the memory that one picture may take.
const maxPixels = 120_000_000

// toPlane makes a grey picture (Rec. 601 luma) of img; what is transparent
// counts as white.
func toPlane(img image.Image) (glyph.Plane, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if w <= 0 || h <= 0 || w > maxPixels/h {
		return glyph.Plane{}, ErrTooLarge
	}
	p := glyph.Plane{W: w, H: h, Pix: make([]uint8, w*h)}
	switch src := img.(type) {
	case *image.Gray:
		for y := range h {
			copy(p.Pix[y*w:][:w], src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.YCbCr:
		for y := range h {
			copy(p.Pix[y*w:][:w], src.Y[src.YOffset(b.Min.X, b.Min.Y+y):])
		}
	case *image.RGBA:
		for y := range h {
			luma(p.Pix[y*w:][:w], src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y):], false)
		}
	case *image.NRGBA:
		for y := range h {
			luma(p.Pix[y*w:][:w], src.Pix[src.PixOffset(b.Min.X, b.Min.Y+y):], true)
		}
	default:
		for y := range h {
			for x := range w {
				r, g, bl, a := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
				v := (19595*r + 38470*g + 7471*bl) >> 16
				p.Pix[y*w+x] = uint8(min((v+0xffff-a)>>8, 255))
			}
		}
	}
	return p, nil
}

// luma turns rows of four bytes a pixel into grey. straight: colour is not
// multiplied by alpha.
func luma(dst, src []uint8, straight bool) {
	for x := range dst {
		q := src[4*x : 4*x+4 : 4*x+4]
		v := (19595*uint32(q[0]) + 38470*uint32(q[1]) + 7471*uint32(q[2]) + 32768) >> 16
		if a := uint32(q[3]); a != 255 {
			if straight {
				v = v * a / 255
			}
			v = min(v+255-a, 255)
		}
		dst[x] = uint8(v)
	}
}

// shrink averages n by n pixels; what is left over at the edges goes.
func shrink(p glyph.Plane, n int) glyph.Plane {
	n = min(n, p.W, p.H)
	if n <= 1 {
		return p
	}
	q := glyph.Plane{W: p.W / n, H: p.H / n}
	q.Pix = make([]uint8, q.W*q.H)
	sums := make([]uint32, q.W)
	for y := range q.H {
		clear(sums)
		for j := range n {
			row := p.Pix[(y*n+j)*p.W:][:q.W*n]
			for x := range sums {
				s := uint32(0)
				for _, v := range row[x*n : x*n+n] {
					s += uint32(v)
				}
				sums[x] += s
			}
		}
		for x, s := range sums {
			q.Pix[y*q.W+x] = uint8(s / uint32(n*n))
		}
	}
	return q
}

// blank reports whether nothing at all can be seen: from the darkest to the
// lightest hundredth of the picture there are fewer than 24 grey levels.
func blank(p glyph.Plane) bool {
	var hist [256]int
	n := 0
	for i := 0; i < len(p.Pix); i += 7 {
		hist[p.Pix[i]]++
		n++
	}
	level := func(rank int) int {
		for v, c := range hist {
			if rank -= c; rank < 0 {
				return v
			}
		}
		return 255
	}
	return level(n-1-n/500)-level(n/500) < 24
}
