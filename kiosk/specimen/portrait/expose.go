package portrait

import (
	"image"
	"math"
	"math/rand/v2"
)

// expose does what lens and sensor do: blur, smear, light, noise.
func expose(img *image.RGBA, c Conditions) {
	k := float64(img.Rect.Dy()) / 1000
	if r := int(c.Blur*k + 0.5); r > 0 {
		for range 2 { // two boxes are nearly round
			box(img, r, 0)
			box(img, 0, r)
		}
	}
	if r := int(c.Motion*k/2 + 0.5); r > 0 {
		box(img, r, 0)
	}
	var curve [256]uint8
	for i := range curve {
		curve[i] = uint8(math.Min(float64(i)*c.Light, 255))
	}
	amp := int(c.Noise*8 + 0.5)
	r := rand.New(rand.NewPCG(c.Seed, 0x7015e))
	var grain [1024]int8
	for i := range grain {
		grain[i] = int8(min(max(int(r.NormFloat64()*24), -120), 120))
	}
	at := r.IntN(1024)
	for i := 0; i+4 <= len(img.Pix); i += 4 {
		if i&0x7ff == 0 { // the tile of grain begins elsewhere, so that it is not seen
			at = r.IntN(1024)
		}
		n := (int(grain[(at+i/4)&1023]) * amp) / (24 * 8)
		for j := range 3 {
			img.Pix[i+j] = uint8(min(max(int(curve[img.Pix[i+j]])+n, 0), 255))
		}
	}
}

// box is a mean over 2r+1 pixels along x (rx) or y (ry).
func box(img *image.RGBA, rx, ry int) {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	n, lines, step, jump, r := w, h, 4, img.Stride, rx
	if ry > 0 {
		n, lines, step, jump, r = h, w, img.Stride, 4, ry
	}
	line := make([]uint8, n)
	for l := range lines {
		for k := range 3 {
			base := l*jump + k
			for i := range line {
				line[i] = img.Pix[base+i*step]
			}
			sum := int(line[0]) * r
			for i := range r {
				sum += int(line[min(i, n-1)])
			}
			for i := range line {
				sum += int(line[min(i+r, n-1)])
				img.Pix[base+i*step] = uint8(sum / (2*r + 1))
				sum -= int(line[max(i-r, 0)])
			}
		}
	}
}
