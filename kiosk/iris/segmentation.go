package iris

import "math"

// Segmentation says where the iris is, in pixels of the image given.
type Segmentation struct {
	Pupil, Limbus Contour
	// Open[i] is how far from pupil (0) to limbus (1) the ray at angle
	// 2π·i/ContourPoints is free of lids.
	Open [ContourPoints]float32
}

// Visible reports whether the pixel (x, y) lies between the contours and is
// not under a lid.
func (s *Segmentation) Visible(x, y float64) bool {
	dp, in := s.Pupil.beyond(x, y)
	dl, _ := s.Limbus.beyond(x, y)
	if dp < 0 || dl > 0 {
		return false
	}
	return dp <= float64(s.Open[in])*(dp-dl)
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
