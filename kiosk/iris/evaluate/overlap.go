package evaluate

import (
	"image"

	"tambo/kiosk/iris"
)

// Overlap is the intersection over union of what a segmentation takes for iris
// free of lids with a mask that is non-zero on visible iris, pixel for pixel.
// Lashes and reflections, which a [iris.Segmentation] does not speak of, count
// against it where the mask leaves them out.
func Overlap(s *iris.Segmentation, mask *image.Gray) float64 {
	both, either := 0, 0
	b := mask.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			is := mask.Pix[mask.PixOffset(x, y)] != 0
			says := s.Visible(float64(x-b.Min.X), float64(y-b.Min.Y))
			if is && says {
				both++
			}
			if is || says {
				either++
			}
		}
	}
	if either == 0 {
		return 0
	}
	return float64(both) / float64(either)
}
