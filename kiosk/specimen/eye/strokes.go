package eye

// coverage is an 8-bit image of how much of each pixel a set of strokes hides.
type coverage struct {
	w, h int
	v    []uint8
	// rows that were touched
	top, bottom int
}

func (c *coverage) reset(w, h int) {
	if cap(c.v) < w*h {
		c.v = make([]uint8, w*h)
	}
	c.v = c.v[:w*h]
	clear(c.v)
	c.w, c.h, c.top, c.bottom = w, h, h, 0
}

type point struct{ x, y float32 }

func (p point) to(q point, f float32) point { return point{p.x + (q.x-p.x)*f, p.y + (q.y-p.y)*f} }

// curve draws a quadratic Bézier stroke that tapers from width w0 to w1 pixels,
// with the given darkness. Where strokes cross, the darker one counts.
func (c *coverage) curve(p0, p1, p2 point, w0, w1, alpha float32) {
	length := abs(p1.x-p0.x) + abs(p1.y-p0.y) + abs(p2.x-p1.x) + abs(p2.y-p1.y)
	n := min(max(int(length/7), 3), 40)
	prev := p0
	for i := 1; i <= n; i++ {
		f := float32(i) / float32(n)
		q := p0.to(p1, f).to(p1.to(p2, f), f)
		g := f - 0.5/float32(n)
		c.segment(prev, q, w0+(w1-w0)*g, alpha)
		prev = q
	}
}

func (c *coverage) segment(a, b point, width, alpha float32) {
	half := width / 2
	reach := half + 0.6
	x0, x1 := int(min(a.x, b.x)-reach), int(max(a.x, b.x)+reach)+1
	y0, y1 := int(min(a.y, b.y)-reach), int(max(a.y, b.y)+reach)+1
	x0, x1 = max(x0, 0), min(x1, c.w-1)
	y0, y1 = max(y0, 0), min(y1, c.h-1)
	if x0 > x1 || y0 > y1 {
		return
	}
	c.top, c.bottom = min(c.top, y0), max(c.bottom, y1+1)
	dx, dy := b.x-a.x, b.y-a.y
	inv := 1 / max(dx*dx+dy*dy, 1e-6)
	// a stroke thinner than a pixel covers part of it
	peak := 255 * alpha * min(1, width)
	for y := y0; y <= y1; y++ {
		py := float32(y) - a.y
		row := c.v[y*c.w : (y+1)*c.w]
		for x := x0; x <= x1; x++ {
			px := float32(x) - a.x
			f := clamp01((px*dx + py*dy) * inv)
			ex, ey := px-f*dx, py-f*dy
			d2 := ex*ex + ey*ey
			if d2 >= reach*reach {
				continue
			}
			v := uint8(peak * clamp01(reach-sqrt(d2)))
			if v > row[x] {
				row[x] = v
			}
		}
	}
}
