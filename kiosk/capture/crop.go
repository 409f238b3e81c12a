package capture

import (
	"image"
	"math"

	"tambo/kiosk/iris"
)

// Margins and greys of a cropped and masked iris image (ISO/IEC 19794-6:2011,
// kind 7): 0.6 radii to the sides, 0.2 above and below.
const (
	cropMarginX = 0.6
	cropMarginY = 0.2
	greySclera  = 200
	greyLid     = 128
)

// MaskedCrop cuts the iris out of an image and paints over what is not iris:
// the sclera, the lids. It is what an adjudicator sees, and nothing of the face
// is in it. The pupil stays.
func MaskedCrop(img *image.Gray, seg *iris.Segmentation) *image.Gray {
	c, r := seg.Limbus.Center, seg.Limbus.Radius()
	want := image.Rect(
		int(c.X-r*(1+cropMarginX)), int(c.Y-r*(1+cropMarginY)),
		int(c.X+r*(1+cropMarginX))+1, int(c.Y+r*(1+cropMarginY))+1)
	area := want.Intersect(img.Rect)
	out := image.NewGray(image.Rect(0, 0, area.Dx(), area.Dy()))
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			out.Pix[(y-area.Min.Y)*out.Stride+x-area.Min.X] = masked(img, seg, x, y)
		}
	}
	return out
}

func masked(img *image.Gray, seg *iris.Segmentation, x, y int) uint8 {
	v := img.Pix[img.PixOffset(x, y)]
	if inside(&seg.Pupil, x, y) >= 0 {
		return v
	}
	if inside(&seg.Limbus, x, y) < 0 {
		return greySclera
	}
	// How far along the ray from pupil to limbus, against where the lid begins.
	i, d := polar(seg.Pupil.Center, x, y)
	lx := seg.Limbus.Point(i)
	full := math.Hypot(lx.X-seg.Pupil.Center.X, lx.Y-seg.Pupil.Center.Y)
	rp := float64(seg.Pupil.Radii[i])
	if full > rp && (d-rp)/(full-rp) > float64(seg.Open[i]) {
		return greyLid
	}
	return v
}

// inside returns how far a pixel lies inside a contour, in pixels; negative
// outside.
func inside(c *iris.Contour, x, y int) float64 {
	i, d := polar(c.Center, x, y)
	return float64(c.Radii[i]) - d
}

// polar returns the contour index of the direction from c to (x, y), and the
// distance.
func polar(c iris.Point, x, y int) (int, float64) {
	dx, dy := float64(x)-c.X, float64(y)-c.Y
	i := int(math.Round(math.Atan2(dy, dx) / (2 * math.Pi) * iris.ContourPoints))
	return (i + iris.ContourPoints) % iris.ContourPoints, math.Hypot(dx, dy)
}

// vector names the metrics of a quality by their standard terms (ISO/IEC
// 29794-6:2015, 6.2).
func vector(q *iris.Quality) map[string]float64 {
	m := map[string]float64{
		"usable iris area": q.UsableIrisArea, "iris-sclera contrast": q.IrisScleraContrast,
		"iris-pupil contrast": q.IrisPupilContrast, "pupil circularity": q.PupilCircularity,
		"grey utilisation": q.GreyUtilisation, "iris radius": q.IrisRadius,
		"pupil-iris ratio": q.PupilIrisRatio, "concentricity": q.Concentricity,
		"margin adequacy": q.MarginAdequacy, "sharpness": q.Sharpness,
	}
	for k, v := range m {
		m[k] = math.Round(v*10) / 10
	}
	return m
}
