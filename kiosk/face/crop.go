package face

import (
	"image"
	"image/color"
	"math"
)

// The portrait that is cut out of a frame is 3 wide and 4 high; the head, crown
// to chin, is 72 % of its height, the eyes 44 % from its top (ISO/IEC 19794-5: 70
// to 80 %, and 30 to 50 %).
const (
	portraitHead = 0.72
	portraitEyes = 0.44
)

// portrait is the photo's place in the frame.
func (l *Look) portrait() (x, y, w, h float64) {
	m := l.Middle()
	h = headHigh * l.EyeDistance() / portraitHead
	w = h * 3 / 4
	return m.X - w/2, m.Y - portraitEyes*h, w, h
}

// Portrait is the rectangle of a frame that makes the photo, 3 wide and 4 high:
// round the head as far as the frame reaches, or the middle of the frame where
// there is no face.
func (l *Look) Portrait(frame image.Rectangle) image.Rectangle {
	fw, fh := float64(frame.Dx()), float64(frame.Dy())
	x, y, w, h := (fw-fh*3/4)/2, 0.0, fh*3/4, fh
	if l.Present {
		x, y, w, h = l.portrait()
	}
	if k := math.Min(fw/w, fh/h); k < 1 { // larger than the frame: as large as it can be
		x, y = x+w*(1-k)/2, y+h*(1-k)/2
		w, h = w*k, h*k
	}
	x, y = math.Min(math.Max(x, 0), fw-w), math.Min(math.Max(y, 0), fh-h)
	return image.Rect(int(x), int(y), int(x+w), int(y+h)).Add(frame.Min).Intersect(frame)
}

// Crop cuts a rectangle out of a frame, at most high pixels high, as an image of
// its own: means of the pixels that fall together.
func Crop(img *image.YCbCr, r image.Rectangle, high int) *image.RGBA {
	r = r.Intersect(img.Rect)
	if r.Empty() || high < 1 {
		return image.NewRGBA(image.Rectangle{})
	}
	k := math.Max(float64(r.Dy())/float64(high), 1)
	w, h := max(int(float64(r.Dx())/k), 1), max(int(float64(r.Dy())/k), 1)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0 := r.Min.Y + int(float64(y)*k)
		y1 := min(max(r.Min.Y+int(float64(y+1)*k), y0+1), r.Max.Y)
		for x := range w {
			x0 := r.Min.X + int(float64(x)*k)
			x1 := min(max(r.Min.X+int(float64(x+1)*k), x0+1), r.Max.X)
			var sy, sb, sr, n int
			for yy := y0; yy < y1; yy++ {
				for xx := x0; xx < x1; xx++ {
					c := img.COffset(xx, yy)
					sy += int(img.Y[img.YOffset(xx, yy)])
					sb += int(img.Cb[c])
					sr += int(img.Cr[c])
					n++
				}
			}
			q := out.Pix[out.PixOffset(x, y):]
			q[0], q[1], q[2] = color.YCbCrToRGB(uint8(sy/n), uint8(sb/n), uint8(sr/n))
			q[3] = 255
		}
	}
	return out
}
