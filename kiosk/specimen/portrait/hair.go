package portrait

import (
	"image"
	"math"
	"math/rand/v2"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// longHair falls behind the shoulders.
func (v *view) longHair(c *canvas) {
	a := v.a
	p := func(x, y float64) point { return v.rim(x, y) }
	w := a.width * 1.22
	back := smooth([]point{p(0, -0.56), p(w*0.75, -0.44), p(w, -0.1), p(w*1.05, 0.3), p(w*1.1, 0.75), p(w*0.7, 0.86), p(-w*0.7, 0.86), p(-w*1.1, 0.75), p(-w*1.05, 0.3), p(-w, -0.1), p(-w*0.75, -0.44)})
	c.fill(back, flat(a.hair.times(0.72), 1))
}

// hair covers the skull down to its line.
func (v *view) hair(c *canvas) {
	a := v.a
	p := v.rim
	f := a.fringe
	var cap []point
	switch a.cut {
	case cutBald:
		v.stubble(c)
		return
	case cutShort:
		w := a.width * 1.03
		cap = []point{p(0, -0.555), p(w*0.62, -0.50), p(w*0.95, -0.32), p(w*1.01, -0.10), p(w*0.97, -0.02), p(w*0.90, -0.16), p(w*0.78, f+0.03), p(w*0.3, f), p(-w*0.35, f-0.01), p(-w*0.78, f+0.04), p(-w*0.90, -0.16), p(-w*0.97, -0.02), p(-w*1.01, -0.10), p(-w*0.95, -0.32), p(-w*0.62, -0.50)}
	case cutParted, cutLong:
		w := a.width * 1.08
		low := 0.02
		if a.cut == cutLong {
			w, low = a.width*1.16, 0.42
		}
		cap = []point{p(0.02, -0.575), p(w*0.66, -0.51), p(w*0.98, -0.28), p(w*1.04, 0), p(w*1.02, low), p(w*0.90, low-0.02), p(w*0.88, -0.12), p(w*0.66, f+0.06), p(0.09, f-0.12), p(-w*0.40, f+0.01), p(-w*0.86, -0.12), p(-w*0.90, low-0.02), p(-w*1.02, low), p(-w*1.04, 0), p(-w*0.98, -0.28), p(-w*0.66, -0.51)}
	case cutCurly:
		r := rand.New(rand.NewPCG(a.strands, 1))
		w := a.width * 1.12
		for i := range 26 {
			t := math.Pi * (1.02 + 0.96*float64(i)/25)
			s, k := math.Sincos(t)
			q := 1.0
			if i%2 == 0 {
				q = 1.05 + 0.03*r.Float64()
			}
			cap = append(cap, p(k*w*q, -0.12+s*0.45*q))
		}
		cap = append(cap, p(w*0.92, -0.03), p(w*0.86, -0.15), p(w*0.62, f+0.03), p(w*0.3, f), p(0, f+0.015), p(-w*0.3, f), p(-w*0.62, f+0.03), p(-w*0.86, -0.15), p(-w*0.92, -0.03))
	}
	poly := smooth(cap)
	c.fill(poly, func(x, y float64) (rgb, float64) {
		t := (y - v.cy) / v.h
		return a.hair.times(0.92 + 0.22*math.Sin(23*t+4*math.Sin((x-v.cx)/v.h*9))*0.5), 1
	})
	c.fill(stroke(poly, v.h*0.006, 1), flat(a.hair.times(0.5), 0.8))
}

// stubble is what is left on a bald head: a shadow above the ears.
func (v *view) stubble(c *canvas) {
	for _, s := range []float64{-1, 1} {
		at := v.rim(s*v.a.width*0.96, -0.09)
		c.fill(ellipse(at, v.h*0.022, v.h*0.085), flat(v.a.hair, 0.75))
	}
}

// beard is drawn under mouth and nose, which stay clear of it.
func (v *view) beard(c *canvas) {
	a := v.a
	if a.moustache > 0 {
		w, y := a.mouthW*1.05, a.mouthY-a.lipTop
		c.fill(smooth(v.through([2]float64{-w, y + 0.020}, [2]float64{-w * 0.6, y - 0.028}, [2]float64{0, y - 0.030}, [2]float64{w * 0.6, y - 0.028}, [2]float64{w, y + 0.020}, [2]float64{w * 0.4, y + 0.002}, [2]float64{-w * 0.4, y + 0.002})), flat(a.hair.times(0.9), 0.88))
	}
	if a.beard > 0 {
		p := v.rim
		j, f := a.jaw, a.foot
		outer := smooth([]point{p(a.width*0.95, 0.12), p(j*1.02, 0.33), p((j+a.chin)/2+0.01, f-0.05), p(a.chin, f+0.02), p(0, f+0.035), p(-a.chin, f+0.02), p(-(j+a.chin)/2-0.01, f-0.05), p(-j*1.02, 0.33), p(-a.width*0.95, 0.12),
			p(-j*0.86, 0.27), p(-a.mouthW*1.25, a.mouthY-0.02), p(-a.mouthW*0.8, a.mouthY+a.lipLow+0.03), p(0, a.mouthY+a.lipLow+0.035), p(a.mouthW*0.8, a.mouthY+a.lipLow+0.03), p(a.mouthW*1.25, a.mouthY-0.02), p(j*0.86, 0.27)})
		c.fill(outer, flat(a.hair, 0.55+0.35*a.beard))
	}
}

func (v *view) glasses(c *canvas) {
	a, h := v.a, v.h
	if a.glasses == 0 {
		return
	}
	frame := rgb{0.12, 0.11, 0.13}
	for _, s := range []float64{-1, 1} {
		var ring []point
		m := [2]float64{s * (a.eyeX + 0.004), a.eyeY + 0.012}
		if a.glasses == 1 {
			ring = make([]point, 0, 40)
			for i := range 40 {
				sn, k := math.Sincos(2 * math.Pi * float64(i) / 40)
				ring = append(ring, v.on(m[0]+0.088*k, m[1]+0.075*sn, 0.05))
			}
		} else {
			ring = smooth([]point{v.on(m[0]-0.088, m[1]-0.05, 0.05), v.on(m[0], m[1]-0.058, 0.05), v.on(m[0]+0.088, m[1]-0.05, 0.05), v.on(m[0]+0.078, m[1]+0.05, 0.05), v.on(m[0], m[1]+0.062, 0.05), v.on(m[0]-0.078, m[1]+0.05, 0.05)})
		}
		c.fill(ring, flat(rgb{0.9, 0.95, 1}, 0.10))
		c.fill(stroke(append(ring, ring[0], ring[1]), h*0.004, 1), flat(frame, 0.4))
		// The upper rim is the stronger one.
		var upper []point
		for i := range len(ring) * 2 {
			if p := ring[i%len(ring)]; i >= len(ring)/2 && p.y < v.on(m[0], m[1]-0.02, 0.05).y {
				upper = append(upper, p)
			} else if len(upper) > 0 {
				break
			}
		}
		if len(upper) > 2 {
			c.fill(stroke(upper, h*0.008, 1), flat(frame, 0.85))
		}
	}
	c.fill(stroke(open([]point{v.on(-0.055, -0.002, 0.05), v.on(0, -0.014, 0.055), v.on(0.055, -0.002, 0.05)}), h*0.007, 1), flat(frame, 0.85))
}

var letters = sync.OnceValue(func() *opentype.Font {
	f, err := opentype.Parse(gobold.TTF)
	if err != nil {
		return nil
	}
	return f
})

// label writes words round a place, size pixels high.
func (c *canvas) label(words string, at point, size float64, col rgb) {
	f := letters()
	if f == nil || size < 4 {
		return
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72})
	if err != nil {
		return
	}
	defer face.Close()
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(col.rgba()), Face: face}
	w := d.MeasureString(words)
	d.Dot = fixed.Point26_6{X: fixed.Int26_6(at.x*64) - w/2, Y: fixed.Int26_6(at.y * 64)}
	d.DrawString(words)
}
