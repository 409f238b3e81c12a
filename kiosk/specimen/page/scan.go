package page

import (
	"image"
	"math"
	"math/rand/v2"
)

// lay puts the page on the scanner's glass: quarter turns, rotation, drawn-in
// corners and a margin of bed, in one resampling.
func lay(src *image.RGBA, w Wear, k float64, r *rand.Rand) *image.RGBA {
	sw, sh := float64(src.Bounds().Dx()), float64(src.Bounds().Dy())
	q := ((w.Quarter % 4) + 4) % 4
	turn := w.Rotation*math.Pi/180 + float64(q)*math.Pi/2
	co, si := math.Cos(turn), math.Sin(turn)
	var to [4][2]float64
	lo, hi := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, c := range [4][2]float64{{0, 0}, {sw, 0}, {sw, sh}, {0, sh}} {
		in := w.Skew * sw
		x := c[0] - sw/2 - math.Copysign(in*r.Float64(), c[0]-sw/2)
		y := c[1] - sh/2 - math.Copysign(in*r.Float64(), c[1]-sh/2)
		to[i] = [2]float64{x*co - y*si, x*si + y*co}
		for d := range 2 {
			lo[d], hi[d] = min(lo[d], to[i][d]), max(hi[d], to[i][d])
		}
	}
	m := w.Margin * k
	for i := range to {
		to[i][0] += m - lo[0]
		to[i][1] += m - lo[1]
	}
	dw, dh := int(math.Ceil(hi[0]-lo[0]+2*m)), int(math.Ceil(hi[1]-lo[1]+2*m))
	if q == 0 && w.Rotation == 0 && w.Skew == 0 && m == 0 {
		return src
	}
	inv := homography(to, [4][2]float64{{0, 0}, {sw, 0}, {sw, sh}, {0, sh}})
	dst := image.NewRGBA(image.Rect(0, 0, dw, dh))
	for y := range dh {
		for x := range dw {
			fx, fy := float64(x)+0.5, float64(y)+0.5
			d := inv[6]*fx + inv[7]*fy + 1
			u := (inv[0]*fx+inv[1]*fy+inv[2])/d - 0.5
			v := (inv[3]*fx+inv[4]*fy+inv[5])/d - 0.5
			o := dst.Pix[y*dst.Stride+4*x:]
			sample(src, u, v, w.Bed, o)
			o[3] = 255
		}
	}
	return dst
}

// sample reads src at (u, v) between pixels; outside is the bed.
func sample(src *image.RGBA, u, v float64, bed uint8, out []uint8) {
	b := src.Bounds()
	x, y := int(math.Floor(u)), int(math.Floor(v))
	if x < 0 || y < 0 || x >= b.Dx()-1 || y >= b.Dy()-1 {
		out[0], out[1], out[2] = bed, bed, bed
		return
	}
	fx, fy := int(256*(u-float64(x))), int(256*(v-float64(y)))
	i := y*src.Stride + 4*x
	j := i + src.Stride
	for c := range 3 {
		top := int(src.Pix[i+c])*(256-fx) + int(src.Pix[i+4+c])*fx
		bot := int(src.Pix[j+c])*(256-fx) + int(src.Pix[j+4+c])*fx
		out[c] = uint8((top*(256-fy) + bot*fy) >> 16)
	}
}

// homography is the perspective map that takes the four corners from to to:
// x' = (a x + b y + c) / (g x + h y + 1), y' likewise with d, e, f.
func homography(from, to [4][2]float64) [8]float64 {
	var m [8][9]float64
	for i := range 4 {
		x, y, u, v := from[i][0], from[i][1], to[i][0], to[i][1]
		m[2*i] = [9]float64{x, y, 1, 0, 0, 0, -u * x, -u * y, u}
		m[2*i+1] = [9]float64{0, 0, 0, x, y, 1, -v * x, -v * y, v}
	}
	for c := range 8 { // Gauss with pivots
		p := c
		for r := c; r < 8; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		m[c], m[p] = m[p], m[c]
		if m[c][c] == 0 {
			continue
		}
		for r := range 8 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for j := c; j < 9; j++ {
				m[r][j] -= f * m[c][j]
			}
		}
	}
	var h [8]float64
	for i := range h {
		if m[i][i] != 0 {
			h[i] = m[i][8] / m[i][i]
		}
	}
	return h
}

// blur is a Gaussian of the given standard deviation in pixels, in place.
func blur(img *image.RGBA, sigma float64) {
	n := int(math.Ceil(2.5 * sigma))
	if n < 1 {
		return
	}
	kern := make([]int32, n+1) // half of it, parts of 65536
	sum := 0.0
	for i := -n; i <= n; i++ {
		sum += math.Exp(-float64(i*i) / (2 * sigma * sigma))
	}
	for i := range kern {
		kern[i] = int32(65536 * math.Exp(-float64(i*i)/(2*sigma*sigma)) / sum)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	acc := make([]int32, 4*w)
	tmp := make([]uint8, 4*w*h)
	for y := range h { // across
		src, dst := img.Pix[y*img.Stride:][:4*w], tmp[y*4*w:][:4*w]
		for i := range acc {
			acc[i] = 32768 + kern[0]*int32(src[i])
		}
		for d := 1; d <= n; d++ {
			for x := range w {
				lo, hi := max(x-d, 0)*4, min(x+d, w-1)*4
				for c := range 4 {
					acc[4*x+c] += kern[d] * (int32(src[lo+c]) + int32(src[hi+c]))
				}
			}
		}
		for i, v := range acc {
			dst[i] = uint8(min(v>>16, 255))
		}
	}
	for y := range h { // down
		for i, v := range tmp[y*4*w:][:4*w] {
			acc[i] = 32768 + kern[0]*int32(v)
		}
		for d := 1; d <= n; d++ {
			up, down := tmp[max(y-d, 0)*4*w:][:4*w], tmp[min(y+d, h-1)*4*w:][:4*w]
			for i := range acc {
				acc[i] += kern[d] * (int32(up[i]) + int32(down[i]))
			}
		}
		dst := img.Pix[y*img.Stride:][:4*w]
		for i, v := range acc {
			if i%4 != 3 {
				dst[i] = uint8(min(v>>16, 255))
			}
		}
	}
}
