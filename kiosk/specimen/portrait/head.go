package portrait

import (
	"image"
	"math"
	"math/rand/v2"
)

// view puts the head into the picture: H pixels a head's height, turned.
type view struct {
	a          *anatomy
	cx, cy, h  float64 // where the middle between the eyes of a straight head is
	sinY, cosY float64 // yaw: positive looks to the picture's right
	sinP, cosP float64 // pitch: positive looks down
}

func newView(a *anatomy, cx, cy, h, yaw, pitch float64) *view {
	v := &view{a: a, cx: cx, cy: cy, h: h}
	v.sinY, v.cosY = math.Sincos(yaw * math.Pi / 180)
	v.sinP, v.cosP = math.Sincos(pitch * math.Pi / 180)
	return v
}

// at is where a place of the head is seen.
func (v *view) at(x, y, z float64) point {
	px, pz := x*v.cosY+z*v.sinY, z*v.cosY-x*v.sinY
	py := y*v.cosP + pz*v.sinP
	return point{v.cx + px*v.h, v.cy + py*v.h}
}

// depth is how far the front of the head stands out at a place.
func (v *view) depth(x, y float64) float64 {
	a := v.a
	q := 1 - (x/a.width)*(x/a.width)*0.9 - (y/0.56)*(y/0.56)*0.8
	return a.depth * math.Sqrt(math.Max(q, 0.04))
}

// on is a place of the face's surface; out lifts it.
func (v *view) on(x, y, out float64) point { return v.at(x, y, v.depth(x, y)+out) }

// through is a curve of places on the face.
func (v *view) through(p ...[2]float64) []point {
	out := make([]point, len(p))
	for i, q := range p {
		out[i] = v.on(q[0], q[1], 0)
	}
	return out
}

// rim is a place of the head's outline: as seen, the outline of a skull that is
// about as deep as wide turns little, and its chin turns with the face.
func (v *view) rim(x, y float64) point {
	side := v.cosY + (1-v.cosY)*v.a.depth/v.a.width*0.9
	turn := v.sinY * 0.20 * math.Max(y+0.05, 0) / 0.5
	nod := v.sinP * 0.16
	return point{v.cx + (x*side+turn)*v.h, v.cy + (y*(1-0.12*math.Abs(v.sinP))+nod)*v.h}
}

// outline of the face, from the crown round.
func (v *view) outline() []point {
	a := v.a
	half := [][2]float64{{0.0, a.crown}, {0.19, a.crown + 0.045}, {0.29, -0.32}, {a.width, -0.10}, {a.width * 0.985, 0.06},
		{a.width * 0.93, 0.19}, {a.jaw, 0.33}, {(a.jaw + a.chin) / 2, a.foot - 0.075}, {a.chin, a.foot - 0.015}}
	var p []point
	for _, q := range half {
		p = append(p, v.rim(q[0], q[1]))
	}
	p = append(p, v.rim(0, a.foot))
	for i := len(half) - 1; i > 0; i-- {
		p = append(p, v.rim(-half[i][0], half[i][1]))
	}
	return smooth(p)
}

// drawHead draws head and shoulders with premultiplied alpha.
func drawHead(img *image.RGBA, v *view, shut bool, side float64) {
	c := &canvas{img: img}
	a := v.a
	ink := a.skin.times(0.33)
	if a.cut == cutLong {
		v.longHair(c)
	}
	v.bust(c)
	v.ears(c, ink)
	face := v.outline()
	c.fill(face, v.skinPaint(side))
	c.fill(stroke(append(face[len(face)/4:3*len(face)/4:3*len(face)/4], face[3*len(face)/4]), v.h*0.007, 0.6), flat(ink, 0.8))
	v.age(c, ink)
	v.beard(c)
	v.nose(c, ink)
	v.mouth(c, ink)
	for _, s := range []float64{-1, 1} {
		v.eye(c, s, shut, ink)
		v.brow(c, s)
	}
	v.hair(c)
	v.glasses(c)
}

// skinPaint shades the face: lit from the front and above, or from a side, with
// the hollows of the eyes, the sides of the nose and the cheeks.
func (v *view) skinPaint(side float64) paint {
	a := v.a
	type spot struct {
		p      point
		rx, ry float64
		k      float64 // darker (negative) or lighter
		red    float64
	}
	h := v.h
	s := []spot{}
	for _, e := range []float64{-1, 1} {
		s = append(s,
			spot{v.on(e*a.eyeX, a.eyeY-0.012, 0), 0.085 * h, 0.050 * h, -0.24, 0},  // hollow of the eye
			spot{v.on(e*0.05, a.eyeY+0.01, 0), 0.030 * h, 0.055 * h, -0.10, 0},     // inner corner
			spot{v.on(e*0.165, 0.17, 0), 0.085 * h, 0.070 * h, 0.08, 0.05},         // cheek
			spot{v.on(e*0.045, a.noseY-0.05, 0.02), 0.022 * h, 0.07 * h, -0.12, 0}, // side of the nose
			spot{v.on(e*0.20, 0.30, 0), 0.05 * h, 0.10 * h, -0.08, 0},              // under the cheekbone
			spot{v.on(e*(a.mouthW+0.012), a.mouthY, 0), 0.018 * h, 0.022 * h, -0.08, 0})
	}
	s = append(s,
		spot{v.on(0, -0.27, 0), 0.17 * h, 0.10 * h, 0.07, 0},                     // forehead
		spot{v.on(0, 0.06, 0.03), 0.020 * h, 0.09 * h, 0.10, 0},                  // ridge of the nose
		spot{v.on(0, a.noseY-0.005, 0.09), 0.026 * h, 0.022 * h, 0.10, 0.03},     // its tip
		spot{v.on(0, a.noseY+0.035, 0.02), 0.060 * h, 0.018 * h, -0.20, 0},       // under it
		spot{v.on(0, a.mouthY+a.lipLow+0.03, 0), 0.065 * h, 0.018 * h, -0.18, 0}, // under the lip
		spot{v.on(0, a.foot-0.07, 0), 0.06 * h, 0.04 * h, 0.06, 0})               // chin
	return func(x, y float64) (rgb, float64) {
		nx, ny := (x-v.cx)/h/a.width, (y-v.cy)/h/0.53
		k := 1.02 - 0.17*nx*nx - 0.10*ny*ny - 0.05*ny + side*0.42*nx
		red := 0.0
		for i := range s {
			dx, dy := (x-s[i].p.x)/s[i].rx, (y-s[i].p.y)/s[i].ry
			if d := dx*dx + dy*dy; d < 7 {
				g := math.Exp(-d)
				k += s[i].k * g
				red += s[i].red * g
			}
		}
		c := a.skin.times(math.Max(k, 0.12))
		c.r, c.g, c.b = c.r*(1+red), c.g*(1-red), c.b*(1-red)
		return c, 1
	}
}

func (v *view) bust(c *canvas) {
	a, h := v.a, v.h
	p := func(x, y float64) point { return point{v.cx + (x+0.05*v.sinY)*h, v.cy + y*h} }
	neck := a.jaw * 0.82
	shade := a.skin.times(0.74)
	c.fill(smooth([]point{p(-neck, 0.22), p(neck, 0.22), p(neck*1.02, 0.66), p(neck*1.3, 0.85), p(-neck*1.3, 0.85), p(-neck*1.02, 0.66)}), flat(shade, 1))
	bottom := float64(c.img.Rect.Max.Y)
	low := math.Max((bottom-v.cy)/h, 1.2)
	body := []point{p(-neck*0.98, 0.58), p(-0.42, 0.69), p(-0.76, 0.82), p(-0.90, 1.04), p(-0.94, low+0.3), p(0.94, low+0.3), p(0.90, 1.04), p(0.76, 0.82), p(0.42, 0.69), p(neck*0.98, 0.58), p(0, 0.77)}
	c.fill(smooth(body), func(x, y float64) (rgb, float64) {
		d := (x - v.cx) / h
		return a.shirt.times(1.02 - 0.22*d*d), 1
	})
	ink := a.shirt.times(0.45)
	c.fill(stroke(open([]point{p(-neck*0.98, 0.58), p(-neck*0.6, 0.71), p(0, 0.775), p(neck*0.6, 0.71), p(neck*0.98, 0.58)}), h*0.014, 0.7), flat(ink, 0.9))
	c.label("SPECIMEN", p(0, 0.95), 0.075*h, a.shirt.times(1.7))
}

func (v *view) ears(c *canvas, ink rgb) {
	a := v.a
	if a.cut == cutLong {
		return
	}
	for _, s := range []float64{-1, 1} {
		at := v.rim(s*a.width*1.0, 0.05)
		seen := 1 - s*v.sinY*1.6
		if seen < 0.25 {
			continue
		}
		w := 0.042 * v.h * math.Min(seen, 1.4)
		c.fill(ellipse(at, w, 0.088*v.h), flat(a.skin.times(0.90), 1))
		c.fill(ellipse(point{at.x - s*w*0.1, at.y}, w*0.45, 0.055*v.h), flat(a.skin.times(0.70), 0.8))
		c.fill(stroke(ellipse(at, w, 0.088*v.h), 0.006*v.h, 1), flat(ink, 0.5))
	}
}

func (v *view) eye(c *canvas, s float64, shut bool, ink rgb) {
	a, h := v.a, v.h
	x, y := s*a.eyeX, a.eyeY
	w, e := a.eyeW, a.eyeH
	upper := [][2]float64{{x - w, y + 0.004}, {x - w*0.55, y - e*0.80}, {x, y - e}, {x + w*0.55, y - e*0.80}, {x + w, y + 0.004}}
	lower := [][2]float64{{x + w*0.5, y + e*0.72}, {x, y + e*0.88}, {x - w*0.5, y + e*0.72}}
	if shut {
		c.fill(stroke(open(v.through([2]float64{x - w, y}, [2]float64{x - w*0.5, y + e*0.6}, [2]float64{x, y + e*0.8}, [2]float64{x + w*0.5, y + e*0.6}, [2]float64{x + w, y})), h*0.011, 0.4), flat(ink.times(0.6), 1))
		return
	}
	almond := smooth(v.through(append(append([][2]float64{}, upper...), lower...)...))
	c.fill(almond, func(px, py float64) (rgb, float64) {
		m := v.on(x, y, 0)
		d := math.Abs(px-m.x) / (w * h)
		shade := 1 - 0.25*math.Max(m.y-py, 0)/(e*h) // of the lid
		return rgb{0.90, 0.88, 0.86}.times((1 - 0.22*d*d) * shade), 1
	})
	m := v.on(x, y-e*0.06, 0.004)
	r := a.irisR * h
	inEye := func(p paint) paint { // the iris is behind the lids
		top, low := v.on(x, y-e, 0).y, v.on(x, y+e*0.88, 0).y
		return func(px, py float64) (rgb, float64) {
			if py < top || py > low {
				return rgb{}, 0
			}
			return p(px, py)
		}
	}
	c.fill(ellipse(m, r*v.cosY, r), inEye(flat(a.iris, 1)))
	c.fill(ellipse(m, r*0.45*v.cosY, r*0.45), inEye(flat(rgb{0.03, 0.03, 0.03}, 1)))
	c.fill(ellipse(point{m.x - r*0.3, m.y - r*0.35}, r*0.22, r*0.22), inEye(flat(rgb{1, 1, 1}, 0.95)))
	c.fill(stroke(open(v.through(upper...)), h*0.013, 0.35), flat(ink.times(0.45), 1))
	c.fill(stroke(open(v.through([2]float64{x - w*0.8, y + e*0.5}, lower[2], lower[1], lower[0], [2]float64{x + w*0.8, y + e*0.5})), h*0.004, 0.3), flat(ink, 0.6))
	c.fill(stroke(open(v.through([2]float64{x - w*0.9, y - e*0.9}, [2]float64{x, y - e*1.75}, [2]float64{x + w*0.9, y - e*0.8})), h*0.004, 0.2), flat(ink, 0.5))
}

func (v *view) brow(c *canvas, s float64) {
	a := v.a
	x := s * a.eyeX
	line := v.through([2]float64{x - s*0.065, a.browY + 0.012}, [2]float64{x - s*0.01, a.browY - 0.006}, [2]float64{x + s*0.045, a.browY - 0.006}, [2]float64{x + s*0.082, a.browY + 0.016})
	c.fill(stroke(open(line), a.browThick*v.h*1.5, 0.3), flat(a.hair.times(0.8), 0.92))
}

func (v *view) nose(c *canvas, ink rgb) {
	a, h := v.a, v.h
	y, w := a.noseY, a.noseW
	p := func(x, yy, out float64) point { return v.on(x, yy, out) }
	side := []point{p(0.030, 0.0, 0.005), p(0.026, 0.07, 0.03), p(0.030, y-0.05, 0.05), p(w*0.92, y-0.015, 0.025), p(w, y+0.005, 0.015), p(w*0.7, y+0.022, 0.02)}
	c.fill(stroke(open(side), h*0.006, 0.15), flat(ink, 0.5))
	other := []point{p(-w*0.92, y-0.015, 0.025), p(-w, y+0.005, 0.015), p(-w*0.7, y+0.022, 0.02)}
	c.fill(stroke(open(other), h*0.006, 0.2), flat(ink, 0.5))
	for _, s := range []float64{-1, 1} {
		c.fill(ellipse(p(s*w*0.48, y+0.016, 0.03), 0.016*h, 0.0075*h), flat(ink.times(0.55), 0.9))
	}
	c.fill(stroke(open([]point{p(-w*0.35, y+0.024, 0.04), p(0, y+0.031, 0.05), p(w*0.35, y+0.024, 0.04)}), h*0.005, 0.2), flat(ink, 0.6))
}

func (v *view) mouth(c *canvas, ink rgb) {
	a := v.a
	y, w := a.mouthY, a.mouthW
	corner := y - a.smile
	c.fill(smooth(v.through([2]float64{-w, corner}, [2]float64{-w * 0.45, y - a.lipTop}, [2]float64{-0.018, y - a.lipTop*1.25}, [2]float64{0, y - a.lipTop*0.95}, [2]float64{0.018, y - a.lipTop*1.25}, [2]float64{w * 0.45, y - a.lipTop}, [2]float64{w, corner}, [2]float64{w * 0.4, y + 0.003}, [2]float64{-w * 0.4, y + 0.003})), flat(a.lips.times(0.86), 1))
	c.fill(smooth(v.through([2]float64{-w, corner}, [2]float64{-w * 0.4, y + 0.002}, [2]float64{w * 0.4, y + 0.002}, [2]float64{w, corner}, [2]float64{w * 0.5, y + a.lipLow*0.95}, [2]float64{0, y + a.lipLow*1.25}, [2]float64{-w * 0.5, y + a.lipLow*0.95})), flat(a.lips, 1))
	c.fill(stroke(open(v.through([2]float64{-w * 1.03, corner}, [2]float64{-w * 0.4, y + 0.003}, [2]float64{0, y + 0.001}, [2]float64{w * 0.4, y + 0.003}, [2]float64{w * 1.03, corner})), v.h*0.008, 0.3), flat(ink.times(0.6), 0.95))
}

// age draws the lines of an older face, and freckles.
func (v *view) age(c *canvas, ink rgb) {
	a := v.a
	if a.lines > 0 {
		for _, s := range []float64{-1, 1} {
			c.fill(stroke(open(v.through([2]float64{s * (a.noseW + 0.012), a.noseY + 0.01}, [2]float64{s * (a.mouthW + 0.008), a.mouthY - 0.04}, [2]float64{s * (a.mouthW + 0.018), a.mouthY + 0.02})), v.h*0.006, 0.2), flat(ink, 0.45*a.lines))
			c.fill(stroke(open(v.through([2]float64{s * 0.085, a.eyeY + 0.05}, [2]float64{s * a.eyeX, a.eyeY + 0.065}, [2]float64{s * 0.18, a.eyeY + 0.05})), v.h*0.005, 0.2), flat(ink, 0.4*a.lines))
		}
		for i := range 2 {
			y := -0.20 - 0.05*float64(i)
			c.fill(stroke(open(v.through([2]float64{-0.14, y}, [2]float64{0, y - 0.008}, [2]float64{0.14, y})), v.h*0.004, 0.1), flat(ink, 0.35*a.lines))
		}
	}
	if a.freckles {
		r := rand.New(rand.NewPCG(a.strands, 2))
		for range 26 {
			p := v.on((r.Float64()*2-1)*0.2, 0.07+0.11*r.Float64(), 0.005)
			c.fill(ellipse(p, v.h*0.004, v.h*0.003), flat(a.skin.times(0.66), 0.7))
		}
	}
}
