package page

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
)

// Wear says what use and a scanner did to a page. The zero Wear leaves the
// page as printed. Lengths are in millimetres on the page, whose width tells
// the resolution.
type Wear struct {
	Ink       float64 // -1 thin to +1 thick strokes
	Fade      float64 // 0 to 1: contrast lost towards the paper
	Dirt      int     // specks up to half a millimetre
	Scratches int     // light hairlines across the page
	Quarter   int     // quarter turns clockwise of the page on the glass
	Rotation  float64 // degrees beyond that
	Skew      float64 // perspective: how far, as a part of the width, corners are drawn in
	Margin    float64 // scanner bed shown around the page
	Bed       uint8   // its grey
	Glare     float64 // 0 to 1: strength of one bright patch
	Shadow    float64 // 0 to 1: darkening towards one side, as at a book's fold
	Gain      float64 // exposure, 1 (or 0) is as it is
	Blur      float64 // standard deviation
	Noise     float64 // standard deviation in grey levels of 255
	JPEG      int     // quality, 0 for none
	Seed      uint64  // where specks, patch, shadow, skew and noise fall
}

// RandomWear draws the wear of a page that was used for years and scanned in a
// hurry: most parts mild, some bad.
func RandomWear(r *rand.Rand) Wear {
	chance := func(p float64) bool { return r.Float64() < p }
	w := Wear{
		Ink: max(-0.8, min(0.8, 0.4*r.NormFloat64())), Rotation: max(-6, min(6, 1.8*r.NormFloat64())),
		Blur: 0.02 + 0.08*r.Float64(), Noise: 1 + 9*r.Float64(), Gain: 0.75 + 0.4*r.Float64(), Bed: uint8(r.IntN(256)), Seed: r.Uint64(),
	}
	if chance(0.5) {
		w.Fade = 0.55 * r.Float64()
	}
	if chance(0.4) {
		w.Dirt = r.IntN(60)
	}
	if chance(0.3) {
		w.Scratches = r.IntN(6)
	}
	if chance(0.3) {
		w.Quarter = 1 + r.IntN(3)
	}
	if chance(0.4) {
		w.Skew = 0.03 * r.Float64()
	}
	if chance(0.7) {
		w.Margin = 25 * r.Float64()
	}
	if chance(0.3) {
		w.Glare = 0.7 * r.Float64()
	}
	if chance(0.4) {
		w.Shadow = 0.6 * r.Float64()
	}
	if chance(0.6) {
		w.JPEG = 40 + r.IntN(56)
	}
	return w
}

// Age returns img as it looks after w. img is not changed.
func Age(img image.Image, w Wear) image.Image {
	r := rand.New(rand.NewPCG(w.Seed, 0xa9e))
	page := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(page, page.Bounds(), img, img.Bounds().Min, draw.Src)
	if page.Bounds().Empty() {
		return page
	}
	k := float64(page.Bounds().Dx()) / Width
	if w.Ink != 0 {
		page = stroke(page, w.Ink, k)
	}
	if w.Fade > 0 {
		fade(page, w.Fade)
	}
	specks(page, w, k, r)
	out := lay(page, w, k, r)
	light(out, w, r)
	if w.Blur > 0 {
		blur(out, w.Blur*k)
	}
	if w.Noise > 0 {
		noise(out, w.Noise, r)
	}
	if w.JPEG > 0 {
		var buf bytes.Buffer
		if jpeg.Encode(&buf, out, &jpeg.Options{Quality: min(w.JPEG, 100)}) == nil {
			if dec, err := jpeg.Decode(&buf); err == nil {
				return dec
			}
		}
	}
	return out
}

// stroke thickens (amount > 0) or thins dark strokes by up to 0.09 mm a side:
// it mixes each pixel with the darkest, or lightest, of its neighbourhood.
func stroke(src *image.RGBA, amount, k float64) *image.RGBA {
	b := src.Bounds()
	dst := image.NewRGBA(b)
	copy(dst.Pix, src.Pix)
	part := int(256 * min(1, math.Abs(amount)*0.09*k))
	for y := 1; y < b.Dy()-1; y++ {
		row := src.Pix[y*src.Stride:]
		up, down := src.Pix[(y-1)*src.Stride:], src.Pix[(y+1)*src.Stride:]
		out := dst.Pix[y*dst.Stride:]
		for i := 4; i < 4*(b.Dx()-1); i++ {
			v := row[i]
			var m uint8
			if amount > 0 {
				m = min(v, row[i-4], row[i+4], up[i], down[i])
			} else {
				m = max(v, row[i-4], row[i+4], up[i], down[i])
			}
			out[i] = uint8(int(v) + (int(m)-int(v))*part/256)
		}
	}
	return dst
}

// fade draws every value towards the paper's.
func fade(img *image.RGBA, part float64) {
	var lut [256]uint8
	for v := range lut {
		lut[v] = uint8(float64(v) + max(0, 232-float64(v))*part)
	}
	for i, v := range img.Pix {
		if i%4 != 3 {
			img.Pix[i] = lut[v]
		}
	}
}

// specks lays dirt and scratches.
func specks(img *image.RGBA, w Wear, k float64, r *rand.Rand) {
	b := img.Bounds()
	for range w.Dirt {
		cx, cy := r.Float64()*float64(b.Dx()), r.Float64()*float64(b.Dy())
		rad := (0.04 + 0.21*r.Float64()*r.Float64()) * k
		dark := 1 - (0.3 + 0.6*r.Float64())
		for y := int(cy - rad); y <= int(cy+rad)+1; y++ {
			for x := int(cx - rad); x <= int(cx+rad)+1; x++ {
				if !(image.Point{X: x, Y: y}).In(b) || math.Hypot(float64(x)-cx, float64(y)-cy) > rad {
					continue
				}
				scale(img, x, y, dark)
			}
		}
	}
	for range w.Scratches {
		x0, y0 := r.Float64()*float64(b.Dx()), r.Float64()*float64(b.Dy())
		a, n := r.Float64()*math.Pi, int((5+25*r.Float64())*k)
		for i := range n {
			x, y := int(x0+float64(i)*math.Cos(a)), int(y0+float64(i)*math.Sin(a))
			if (image.Point{X: x, Y: y}).In(b) {
				c := img.RGBAAt(x, y)
				mix := func(v uint8) uint8 { return uint8((int(v) + 238) / 2) }
				img.SetRGBA(x, y, color.RGBA{mix(c.R), mix(c.G), mix(c.B), 255})
			}
		}
	}
}

func scale(img *image.RGBA, x, y int, by float64) {
	i := img.PixOffset(x, y)
	for c := range 3 {
		img.Pix[i+c] = uint8(min(255, float64(img.Pix[i+c])*by))
	}
}

// light lays shadow, glare and exposure over the scanned picture.
func light(img *image.RGBA, w Wear, r *rand.Rand) {
	gx, gy, gr := r.Float64(), r.Float64(), 0.08+0.25*r.Float64()
	dir := r.Float64() * 2 * math.Pi
	dx, dy := math.Cos(dir), math.Sin(dir)
	gain := w.Gain
	if gain <= 0 {
		gain = 1
	}
	if w.Shadow == 0 && w.Glare == 0 && gain == 1 {
		return
	}
	b := img.Bounds()
	bell := func(n int, centre float64) []float32 { // the patch is the product of two
		out := make([]float32, n)
		for i := range out {
			d := (float64(i)/float64(n) - centre) / gr
			out[i] = float32(math.Exp(-d * d))
		}
		return out
	}
	across, down := bell(b.Dx(), gx), bell(b.Dy(), gy)
	for y := range b.Dy() {
		v := float64(y)/float64(b.Dy()) - 0.5
		row := img.Pix[y*img.Stride:]
		for x := range b.Dx() {
			side := max(0, (float64(x)/float64(b.Dx())-0.5)*dx+v*dy) * 2
			mul := float32(gain * (1 - w.Shadow*min(1, side*side)))
			add := float32(200*w.Glare) * across[x] * down[y]
			q := row[4*x : 4*x+3]
			for c := range q {
				q[c] = uint8(max(0, min(255, float32(q[c])*mul+add)))
			}
		}
	}
}

// noise adds grey noise.
func noise(img *image.RGBA, sigma float64, r *rand.Rand) {
	var table [4096]int
	for i := range table {
		table[i] = int(math.Round(sigma * r.NormFloat64()))
	}
	seed := r.Uint32()
	for i := 0; i+3 < len(img.Pix); i += 4 {
		seed = seed*1664525 + 1013904223
		n := table[seed>>20]
		for c := range 3 {
			img.Pix[i+c] = uint8(min(255, max(0, int(img.Pix[i+c])+n)))
		}
	}
}
