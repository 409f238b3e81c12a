package portrait

import (
	"image"
	"math"
	"math/rand/v2"
)

// Conditions of one picture. The zero value is not usable: begin with [Good].
type Conditions struct {
	// Head is the height of the head, crown to chin, as a share of the
	// picture's height; X and Y are where the middle between the eyes of a
	// straight head is, as shares of width and height.
	Head, X, Y float64
	Roll       float64 // degrees, positive: the head leans to the picture's right
	Yaw, Pitch float64 // degrees: turned to the picture's right, nodding
	Shut       bool    // the eyes are
	Light      float64 // 1 is right
	Side       float64 // light from the picture's right (1) or left (−1)
	Blur       float64 // out of focus, in thousandths of the picture's height
	Motion     float64 // smear along x, likewise
	Noise      float64 // of the sensor, in grey levels at right light
	Second     bool    // somebody else looks over the shoulder
	Nobody     bool    // an empty wall
	Seed       uint64  // of noise, wall and the second person
}

// Good is a picture as it should be.
func Good() Conditions {
	return Conditions{Head: 0.56, X: 0.5, Y: 0.42, Light: 1, Noise: 1.5}
}

// Eyes are where the centres of the person's eyes really are, in pixels: Right
// is the person's own right eye, at the left of the picture.
type Eyes struct{ Right, Left struct{ X, Y float64 } }

// Where says where the eyes are in the picture that Draw makes.
func Where(p Person, w, h int, c Conditions) Eyes {
	a := p.anatomy()
	v := newView(&a, 0, 0, c.Head*float64(h), c.Yaw, c.Pitch)
	var e Eyes
	put := func(s float64) (x, y float64) {
		q := v.on(s*a.eyeX, a.eyeY, 0)
		sn, cs := math.Sincos(c.Roll * math.Pi / 180)
		return c.X*float64(w) + q.x*cs - q.y*sn, c.Y*float64(h) + q.x*sn + q.y*cs
	}
	e.Right.X, e.Right.Y = put(-1)
	e.Left.X, e.Left.Y = put(1)
	return e
}

// Draw makes a picture, opaque.
func Draw(p Person, w, h int, c Conditions) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	wall(img, c.Seed)
	if !c.Nobody {
		if c.Second {
			o := c
			o.Head, o.X, o.Y, o.Roll, o.Yaw = c.Head*0.85, c.X+0.30*c.Head/0.56, c.Y-0.03, 4, 0
			place(img, newPlate(NewPerson(c.Seed+77).Aged(35), h, o), o)
		}
		place(img, newPlate(p, h, c), c)
	}
	expose(img, c)
	return img
}

// wall paints the background.
func wall(img *image.RGBA, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 0x3a11))
	base := rgb{0.70, 0.72, 0.74}.times(0.9 + 0.2*r.Float64())
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for y := range h {
		for x := range w {
			k := 1.04 - 0.12*float64(y)/float64(h) - 0.05*math.Abs(float64(x)/float64(w)-0.5)
			q := base.times(k).rgba()
			i := img.PixOffset(x, y)
			img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = q.R, q.G, q.B, 255
		}
	}
}

// plate is head and shoulders, drawn once.
type plate struct {
	img    *image.RGBA // premultiplied
	cx, cy float64     // the middle between the eyes in it
}

// newPlate draws a person for pictures of a height: turned, not yet rolled.
func newPlate(p Person, h int, c Conditions) *plate {
	a := p.anatomy()
	size := c.Head * float64(h)
	up, down := 0.72*size, math.Max(1.3*size, math.Min(3.2*size, 1.25*float64(h)))
	pl := &plate{img: image.NewRGBA(image.Rect(0, 0, int(2.3*size), int(up+down))), cx: 1.15 * size, cy: up}
	drawHead(pl.img, newView(&a, pl.cx, pl.cy, size, c.Yaw, c.Pitch), c.Shut, c.Side)
	return pl
}

// place puts a plate into a picture, rolled, by bilinear interpolation.
func place(img *image.RGBA, pl *plate, c Conditions) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	sn, cs := math.Sincos(-c.Roll * math.Pi / 180)
	const one = 1 << 16
	ax, ay := int(cs*one), int(sn*one)
	for y := range h {
		ox, oy := -c.X*float64(w), float64(y)-c.Y*float64(h)
		u, v := int((ox*cs-oy*sn+pl.cx)*one), int((ox*sn+oy*cs+pl.cy)*one)
		row := img.Pix[y*img.Stride:]
		for x := range w {
			sx, sy := u>>16, v>>16
			if sx >= 0 && sy >= 0 && sx+1 < pl.img.Rect.Dx() && sy+1 < pl.img.Rect.Dy() {
				i := sy*pl.img.Stride + 4*sx
				a, b := pl.img.Pix[i:i+8:i+8], pl.img.Pix[i+pl.img.Stride:i+pl.img.Stride+8]
				if a[3]|a[7]|b[3]|b[7] != 0 {
					fx, fy := (u>>8)&255, (v>>8)&255
					mix := func(k int) int {
						return ((int(a[k])*(256-fx)+int(a[k+4])*fx)*(256-fy) + (int(b[k])*(256-fx)+int(b[k+4])*fx)*fy) >> 16
					}
					clear := 255 - mix(3)
					for k := range 3 {
						row[4*x+k] = uint8(min(mix(k)+int(row[4*x+k])*clear/255, 255))
					}
				}
			}
			u += ax
			v += ay
		}
	}
}
