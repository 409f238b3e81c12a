package eye

import (
	"image"
	"math"

	"tambo/kiosk"
)

// Ellipse is an outline in pixels, pixel centres at integers. A is the longer
// half axis, B the shorter; Angle is that of A in radians from the x axis
// towards the y axis, in (−π/2, π/2].
type Ellipse struct {
	X, Y, A, B, Angle float64
}

// Radius returns the radius of the circle with the ellipse's area.
func (e Ellipse) Radius() float64 { return math.Sqrt(e.A * e.B) }

// Truth is where things really are in a drawn image, whatever blur and noise
// leave of them.
type Truth struct {
	Pupil Ellipse // mean outline of the pupil
	Iris  Ellipse // middle of the limbus
	// Mask is 255 where iris can be seen: between pupil and limbus, and not
	// under lid, lash or reflection; 0 elsewhere.
	Mask *image.Gray
	// Visible is the share of the ring between pupil and limbus that Mask
	// shows, 0 to 1.
	Visible float64
}

// TruthOf returns the truth about Draw(p, e, c, width, height).
func TruthOf(p Person, e kiosk.Eye, c Conditions, width, height int) Truth {
	width, height = frameSize(width, height)
	v := newView(p, e, c, width, height)
	t := Truth{Iris: v.outline(point{}, 1)}
	t.Pupil = v.outline(v.pupil, float32(v.c.Pupil))
	t.Mask, t.Visible = v.mask()
	return t
}

// outline returns the image of a circle in the plane of the iris.
func (v *view) outline(centre point, radius float32) Ellipse {
	at := func(x, y float32) point {
		x, y = x/(1+v.a.limbusWave[0]), y/(1-v.a.limbusWave[0])
		k := (v.cosGaze - 1) * (x*v.ux + y*v.uy)
		return v.toImage(point{v.gx + x + k*v.ux, v.gy + y + k*v.uy})
	}
	c := at(centre.x, centre.y)
	px, py := at(centre.x+radius, centre.y), at(centre.x, centre.y+radius)
	// the circle's image is M·(cos t, sin t); its axes are M's singular vectors
	m00, m10 := float64(px.x-c.x), float64(px.y-c.y)
	m01, m11 := float64(py.x-c.x), float64(py.y-c.y)
	e, f, g, h := (m00+m11)/2, (m00-m11)/2, (m10+m01)/2, (m10-m01)/2
	q, r := math.Hypot(e, h), math.Hypot(f, g)
	angle := (math.Atan2(g, f) + math.Atan2(h, e)) / 2
	for angle > math.Pi/2 {
		angle -= math.Pi
	}
	for angle <= -math.Pi/2 {
		angle += math.Pi
	}
	return Ellipse{X: float64(c.x), Y: float64(c.y), A: q + r, B: math.Abs(q - r), Angle: angle}
}

// mask marks the visible iris.
func (v *view) mask() (*image.Gray, float64) {
	img := image.NewGray(image.Rect(0, 0, v.w, v.h))
	var lashes coverage
	lashes.reset(v.w, v.h)
	v.drawLashes(&lashes)
	ring, seen := 0, 0
	for y := range v.h {
		for x := range v.w {
			p := v.toEye(point{float32(x), float32(y)})
			ix, iy := v.toIris(p)
			if ix*ix+iy*iy > 1 {
				continue
			}
			dx, dy := ix-v.pupil.x, iy-v.pupil.y
			if sqrt(dx*dx+dy*dy) < v.pupilAt[int(turn(dx, dy)*pupilSteps)] {
				continue
			}
			ring++
			if v.opening(p) < 0 || lashes.v[y*v.w+x] > 100 || v.underSpot(float32(x), float32(y)) {
				continue
			}
			seen++
			img.Pix[y*img.Stride+x] = 255
		}
	}
	if ring == 0 {
		return img, 0
	}
	return img, float64(seen) / float64(ring)
}

func (v *view) underSpot(x, y float32) bool {
	for i := range v.spots {
		if v.spots[i].weight(x, y) > 0.2 {
			return true
		}
	}
	return false
}
