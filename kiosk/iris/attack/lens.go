package attack

import (
	"image"
	"math"
	"slices"

	"tambo/kiosk/iris"
)

// The ring between pupil and limbus, unrolled: columns are angles, rows radii.
const (
	ringW = 512
	ringH = 32
)

// patterned scores a printed contact lens. Its pattern repeats around the eye:
// rows of dots or strokes at equal angles. In the spectrum along the ring,
// averaged over radii, a natural iris falls off smoothly; a pattern stands out
// as a narrow peak at its number of dots. The score is the decimal logarithm of
// the strongest peak's power against the median of the frequencies around it,
// for 24 to 160 repetitions.
func patterned(img *image.Gray, seg *iris.Segmentation) (float64, bool) {
	if seg.Limbus.Radius()-seg.Pupil.Radius() < 16 || seg.Limbus.Radius() < 45 {
		return 0, false
	}
	var power [ringW / 2]float64
	f := newFFT(ringW)
	rows := 0
	for j := range ringH {
		var row [ringW]complex128
		if !unrollRow(&row, img, seg, (float64(j)+0.5)/ringH) {
			continue
		}
		f.run(row[:])
		var total float64
		for k := 8; k < len(power); k++ {
			total += abs2(row[k])
		}
		if total <= 0 {
			continue
		}
		for k := range power {
			power[k] += abs2(row[k]) / total
		}
		rows++
	}
	if rows < ringH/3 {
		return 0, false
	}
	var best float64
	for k := 24; k <= 160; k++ {
		ground := make([]float64, 0, 32)
		for d := 4; d <= 16; d++ {
			for _, i := range []int{k - d, k + d} {
				if i > 8 && i < len(power) {
					ground = append(ground, power[i])
				}
			}
		}
		if g := median(ground); g > 0 {
			best = max(best, math.Log10((power[k-1]+2*power[k]+power[k+1])/(4*g)))
		}
	}
	return best, true
}

// unrollRow samples the ring at depth t (0 pupil, 1 limbus), its slow part taken
// off. It reports false where less than three quarters are free of lids. What is
// covered is left at 0.
func unrollRow(row *[ringW]complex128, img *image.Gray, seg *iris.Segmentation, t float64) bool {
	var raw [ringW]float64
	var ok [ringW]bool
	free := 0
	for i := range ringW {
		k := i * iris.ContourPoints / ringW
		if t > float64(seg.Open[k]) {
			continue
		}
		p, l := ray(&seg.Pupil, i), ray(&seg.Limbus, i)
		v, in := sample(img, p.X+t*(l.X-p.X), p.Y+t*(l.Y-p.Y))
		if raw[i], ok[i] = v, in && v < 245; ok[i] {
			free++
		}
	}
	if free < ringW*3/4 {
		return false
	}
	const half = 10 // the slow part: a mean over 15 degrees
	for i := range ringW {
		if !ok[i] {
			continue
		}
		var sum, n float64
		for d := -half; d <= half; d++ {
			if j := (i + d + ringW) % ringW; ok[j] {
				sum += raw[j]
				n++
			}
		}
		row[i] = complex(raw[i]-sum/n, 0)
	}
	return true
}

// ray is the point of a contour at column i, between its points.
func ray(c *iris.Contour, i int) iris.Point {
	f := float64(i) * iris.ContourPoints / ringW
	k := int(f)
	g := f - float64(k)
	r := float64(c.Radii[k])*(1-g) + float64(c.Radii[(k+1)%iris.ContourPoints])*g
	sin, cos := math.Sincos(2 * math.Pi * float64(i) / ringW)
	return iris.Point{X: c.Center.X + r*cos, Y: c.Center.Y + r*sin}
}

func sample(img *image.Gray, x, y float64) (float64, bool) {
	fx, fy := math.Floor(x), math.Floor(y)
	ix, iy := int(fx), int(fy)
	if ix < img.Rect.Min.X || iy < img.Rect.Min.Y || ix+1 >= img.Rect.Max.X || iy+1 >= img.Rect.Max.Y {
		return 0, false
	}
	o := img.PixOffset(ix, iy)
	a, b := x-fx, y-fy
	p := img.Pix
	return (float64(p[o])*(1-a)+float64(p[o+1])*a)*(1-b) +
		(float64(p[o+img.Stride])*(1-a)+float64(p[o+img.Stride+1])*a)*b, true
}

func abs2(z complex128) float64 { return real(z)*real(z) + imag(z)*imag(z) }

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}
