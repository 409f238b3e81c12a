package target

import (
	"image"
	"math"
)

// projection takes places on the pattern, in millimetres, to pixels: a plane
// seen from anywhere.
type projection [8]float64

// project finds the projection that takes four places to four others.
func project(from, to [4][2]float64) (projection, bool) {
	var a [8][9]float64
	for i := range 4 {
		x, y, u, v := from[i][0], from[i][1], to[i][0], to[i][1]
		a[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		a[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 { // Gauss, with the largest as pivot
		best := c
		for r := c + 1; r < 8; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[best][c]) {
				best = r
			}
		}
		if math.Abs(a[best][c]) < 1e-9 {
			return projection{}, false
		}
		a[c], a[best] = a[best], a[c]
		for r := range 8 {
			if r == c {
				continue
			}
			k := a[r][c] / a[c][c]
			for j := c; j < 9; j++ {
				a[r][j] -= k * a[c][j]
			}
		}
	}
	var h projection
	for i := range 8 {
		h[i] = a[i][8] / a[i][i]
	}
	return h, true
}

func (h *projection) at(x, y float64) (u, v float64) {
	w := h[6]*x + h[7]*y + 1
	return (h[0]*x + h[1]*y + h[2]) / w, (h[3]*x + h[4]*y + h[5]) / w
}

// seen is a picture through a projection.
type seen struct {
	img *image.Gray
	h   projection
}

// level is the picture's level at a place of the pattern, between pixels; the
// nearest pixel's outside of the picture.
func (s *seen) level(x, y float64) float64 {
	u, v := s.h.at(x, y)
	u, v = u-0.5, v-0.5
	w, h := s.img.Rect.Dx(), s.img.Rect.Dy()
	u, v = min(max(u, 0), float64(w-1)), min(max(v, 0), float64(h-1))
	if math.IsNaN(u) || math.IsNaN(v) {
		return 0
	}
	i, j := min(int(u), w-2), min(int(v), h-2)
	fu, fv := u-float64(i), v-float64(j)
	p, q := s.img.Pix[j*s.img.Stride+i:], s.img.Pix[(j+1)*s.img.Stride+i:]
	return (float64(p[0])*(1-fu)+float64(p[1])*fu)*(1-fv) + (float64(q[0])*(1-fu)+float64(q[1])*fu)*fv
}

// inside reports whether the whole pattern lies in the picture.
func (s *seen) inside(p *pattern) bool {
	for _, c := range [4][2]float64{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}} {
		u, v := s.h.at(c[0]*(p.markX+3.5*p.module), c[1]*(p.markY+3.5*p.module))
		if !(u >= 0 && v >= 0 && u < float64(s.img.Rect.Dx()) && v < float64(s.img.Rect.Dy())) {
			return false
		}
	}
	return true
}

// alike is how well the picture is the pattern where tell says that it must be,
// as a correlation, -1 to 1; and the worst quarter of where prove says so.
func (s *seen) alike(p *pattern) (whole, worst float64) {
	var c [5]correlation
	step := p.module / 2
	for y := -p.markY; y <= p.markY; y += step {
		for x := -p.markX; x <= p.markX; x += step {
			if !p.tell(x, y) {
				continue
			}
			q := 0
			if x > 0 {
				q++
			}
			if y > 0 {
				q += 2
			}
			a, b := -mean(p.ink, x, y, step/2), s.level(x, y)
			c[4].add(a, b)
			if p.prove(x, y) {
				c[q].add(a, b)
			}
		}
	}
	worst = 1
	for i := range 4 {
		worst = min(worst, c[i].value())
	}
	return c[4].value(), worst
}

// mean is a function's mean round a place.
func mean(f func(x, y float64) float64, x, y, r float64) float64 {
	return (f(x, y)*2 + f(x-r, y) + f(x+r, y) + f(x, y-r) + f(x, y+r)) / 6
}

type correlation struct{ n, a, b, aa, bb, ab float64 }

func (c *correlation) add(a, b float64) {
	c.n, c.a, c.b, c.aa, c.bb, c.ab = c.n+1, c.a+a, c.b+b, c.aa+a*a, c.bb+b*b, c.ab+a*b
}

func (c *correlation) value() float64 {
	d := (c.aa*c.n - c.a*c.a) * (c.bb*c.n - c.b*c.b)
	if d <= 0 {
		return 0
	}
	return (c.ab*c.n - c.a*c.b) / math.Sqrt(d)
}

// cut is the pattern alone, straight, at so many pixels a millimetre.
func (s *seen) cut(p *pattern, perMM float64) *image.Gray {
	w, h := 2*(p.markX+4*p.module), 2*(p.markY+4*p.module)
	img := image.NewGray(image.Rect(0, 0, int(w*perMM), int(h*perMM)))
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			img.Pix[y*img.Stride+x] = uint8(s.level((float64(x)+0.5)/perMM-w/2, (float64(y)+0.5)/perMM-h/2) + 0.5)
		}
	}
	return img
}
