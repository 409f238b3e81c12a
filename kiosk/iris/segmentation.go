package iris

import "math"

// Segmentation says where the iris is, in pixels of the image given.
type Segmentation struct {
	Pupil, Limbus Contour
	// Open[i] is how far from pupil (0) to limbus (1) the ray at angle
	// 2π·i/ContourPoints is free of lids.
	Open [ContourPoints]float32
	// Hidden has, for each of ContourPoints rays, a bit for each of 32 equal
	// steps from pupil (bit 0) to limbus: set where lid, lash or reflection
	// hides the iris or it lies outside the image, so that it is not coded.
	Hidden [ContourPoints]uint32
}

// Visible reports whether the pixel (x, y) lies between the contours and is
// coded: not under a lid, a lash or a reflection.
func (s *Segmentation) Visible(x, y float64) bool {
	dp, in := s.Pupil.beyond(x, y)
	dl, _ := s.Limbus.beyond(x, y)
	if dp < 0 || dl > 0 {
		return false
	}
	step := int(dp / (dp - dl) * 32)
	return s.Hidden[in]>>min(step, 31)&1 == 0
}

// mark fills Open and Hidden from the sheet.
func (s *Segmentation) mark(sh *sheet) {
	const across, down = sheetW / ContourPoints, sheetH / 32
	for i := range ContourPoints {
		s.Open[i] = float32(sh.lid[i*lidW/ContourPoints]) / lidH
		s.Hidden[i] = 0
		for k := range 32 {
			n := 0
			for dj := range down {
				for di := range across {
					// around the ray
					x := (i*across + di - across/2 + sheetW) & (sheetW - 1)
					n += int(sh.good[(k*down+dj)*sheetW+x])
				}
			}
			if 2*n < across*down {
				s.Hidden[i] |= 1 << k
			}
		}
	}
}

// LidPoint is the point at which ray i is covered by a lid: on the limbus
// where none reaches it.
func (s *Segmentation) LidPoint(i int) Point {
	i &= ContourPoints - 1
	p, l, f := s.Pupil.Point(i), s.Limbus.Point(i), float64(s.Open[i])
	return Point{p.X + f*(l.X-p.X), p.Y + f*(l.Y-p.Y)}
}

// beyond returns how far outside the curve (x, y) lies on the ray through it,
// negative inside, and the ray.
func (c *Contour) beyond(x, y float64) (float64, int) {
	dx, dy := x-c.Center.X, y-c.Center.Y
	ray := int(math.Round(math.Atan2(dy, dx)/(2*math.Pi)*ContourPoints)+ContourPoints) & (ContourPoints - 1)
	return math.Hypot(dx, dy) - float64(c.Radii[ray]), ray
}
