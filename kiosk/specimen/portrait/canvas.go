package portrait

import (
	"image"
	"image/draw"
	"math"

	"golang.org/x/image/vector"
)

// point is a place in the picture, in pixels.
type point struct{ x, y float64 }

// canvas fills soft-edged shapes.
type canvas struct {
	img  *image.RGBA
	mask image.Alpha
	ras  vector.Rasterizer
}

// paint gives the colour of a pixel and how opaque it is, 0 to 1.
type paint func(x, y float64) (rgb, float64)

func flat(c rgb, alpha float64) paint {
	return func(float64, float64) (rgb, float64) { return c, alpha }
}

// smooth is the closed curve through the points (Catmull-Rom), as a polygon.
func smooth(p []point) []point {
	const steps = 10
	n := len(p)
	out := make([]point, 0, n*steps)
	for i := range p {
		a, b, c, d := p[(i+n-1)%n], p[i], p[(i+1)%n], p[(i+2)%n]
		for s := range steps {
			out = append(out, catmull(a, b, c, d, float64(s)/steps))
		}
	}
	return out
}

// open is the curve through the points from first to last.
func open(p []point) []point {
	const steps = 10
	var out []point
	at := func(i int) point { return p[min(max(i, 0), len(p)-1)] }
	for i := range len(p) - 1 {
		for s := range steps {
			out = append(out, catmull(at(i-1), at(i), at(i+1), at(i+2), float64(s)/steps))
		}
	}
	return append(out, p[len(p)-1])
}

func catmull(a, b, c, d point, t float64) point {
	f := func(a, b, c, d float64) float64 {
		return 0.5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
	}
	return point{f(a.x, b.x, c.x, d.x), f(a.y, b.y, c.y, d.y)}
}

// ellipse is a closed curve.
func ellipse(c point, rx, ry float64) []point {
	const n = 48
	out := make([]point, n)
	for i := range out {
		s, k := math.Sincos(2 * math.Pi * float64(i) / n)
		out[i] = point{c.x + rx*k, c.y + ry*s}
	}
	return out
}

// stroke is the outline of a line of changing width: width at the ends is
// taper times that in the middle.
func stroke(line []point, width, taper float64) []point {
	n := len(line)
	left, right := make([]point, n), make([]point, n)
	for i := range line {
		a, b := line[max(i-1, 0)], line[min(i+1, n-1)]
		dx, dy := b.x-a.x, b.y-a.y
		l := math.Hypot(dx, dy)
		if l == 0 {
			l = 1
		}
		t := math.Sin(math.Pi * float64(i) / float64(n-1))
		h := width / 2 * (taper + (1-taper)*t)
		left[i] = point{line[i].x - dy/l*h, line[i].y + dx/l*h}
		right[n-1-i] = point{line[i].x + dy/l*h, line[i].y - dx/l*h}
	}
	return append(left, right...)
}

// fill paints the inside of a polygon.
func (c *canvas) fill(poly []point, p paint) {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, q := range poly {
		x0, y0, x1, y1 = math.Min(x0, q.x), math.Min(y0, q.y), math.Max(x1, q.x), math.Max(y1, q.y)
	}
	box := image.Rect(int(math.Floor(x0)), int(math.Floor(y0)), int(math.Ceil(x1)), int(math.Ceil(y1))).Intersect(c.img.Rect)
	if box.Empty() {
		return
	}
	c.ras.Reset(box.Dx(), box.Dy())
	c.ras.DrawOp = draw.Src
	at := func(q point) (float32, float32) {
		return float32(q.x - float64(box.Min.X)), float32(q.y - float64(box.Min.Y))
	}
	c.ras.MoveTo(at(poly[0]))
	for _, q := range poly[1:] {
		c.ras.LineTo(at(q))
	}
	c.ras.ClosePath()
	if n := box.Dx() * box.Dy(); cap(c.mask.Pix) < n {
		c.mask.Pix = make([]uint8, n)
	} else {
		c.mask.Pix = c.mask.Pix[:n]
	}
	c.mask.Stride, c.mask.Rect = box.Dx(), image.Rect(0, 0, box.Dx(), box.Dy())
	c.ras.Draw(&c.mask, c.mask.Rect, image.Opaque, image.Point{})
	for y := range box.Dy() {
		for x := range box.Dx() {
			if m := c.mask.Pix[y*c.mask.Stride+x]; m > 0 {
				px, py := box.Min.X+x, box.Min.Y+y
				col, alpha := p(float64(px)+0.5, float64(py)+0.5)
				blend(c.img.Pix[c.img.PixOffset(px, py):], col, alpha*float64(m)/255)
			}
		}
	}
}

// blend puts a colour over a pixel.
func blend(pix []uint8, c rgb, alpha float64) {
	k := c.rgba()
	a := int(alpha*256 + 0.5)
	pix[0] += uint8(((int(k.R) - int(pix[0])) * a) >> 8)
	pix[1] += uint8(((int(k.G) - int(pix[1])) * a) >> 8)
	pix[2] += uint8(((int(k.B) - int(pix[2])) * a) >> 8)
	pix[3] += uint8(((255 - int(pix[3])) * a) >> 8)
}
