package face

import (
	"image"
	"math"
	"slices"
)

// sampled is the inner face at one size: eyes sampleD pixels apart.
const (
	sampleD = 60.0 // the least that a full frontal image has (ISO/IEC 19794-5)
	sampleW = 96
	sampleH = 108
	sampleX = sampleW / 2
	sampleY = 26 // of the eyes
)

type sampled [sampleH][sampleW]float64

// measure fills in the quality of a look that has a face.
func (l *Look) measure(img *image.YCbCr) {
	q := &l.Quality
	w, h := float64(img.Rect.Dx()), float64(img.Rect.Dy())
	d := l.EyeDistance()
	q.SingleFace = 100
	if l.Others > 0 {
		q.SingleFace = 30
	}
	q.EyeDistance = ramp(d, 30, 60, 90)
	q.HeadSize = ramp(headHigh*d/h, 1.05, 0.88, 0.75)
	q.Margins = 100 - 400*l.outside(w, h)
	q.Roll = ramp(math.Abs(l.Roll), 20, 8, 5)
	q.Yaw = ramp(l.Yaw, 28, 14, 6)
	p := l.sample(img)
	q.Under, q.Over, q.Uniformity = exposure(p)
	q.Sharpness = sharpness(p)
	l.Opening = opening(p)
	for _, v := range []*float64{&q.Margins, &q.Under, &q.Over, &q.Uniformity, &q.Sharpness} {
		*v = math.Min(math.Max(*v, 0), 100)
	}
}

// ramp is 0 at zero, 60 at fair, 100 at full, straight between; full may lie on
// either side of zero.
func ramp(v, zero, fair, full float64) float64 {
	if zero > full {
		v, zero, fair, full = -v, -zero, -fair, -full
	}
	switch {
	case v <= zero:
		return 0
	case v < fair:
		return 60 * (v - zero) / (fair - zero)
	case v < full:
		return 60 + 40*(v-fair)/(full-fair)
	}
	return 100
}

// outside is the share of the photo, at its worst side, that the frame does not
// have.
func (l *Look) outside(w, h float64) float64 {
	x0, y0, cw, ch := l.portrait()
	worst := math.Max(math.Max(-x0, x0+cw-w)/cw, math.Max(-y0, y0+ch-h)/ch)
	return math.Max(worst, 0)
}

// sample reads the inner face, upright, at one size.
func (l *Look) sample(img *image.YCbCr) *sampled {
	p := new(sampled)
	k := l.EyeDistance() / sampleD // frame pixels a sample
	m := l.Middle()
	sn, cs := math.Sincos(l.Roll * math.Pi / 180)
	w, h := img.Rect.Dx(), img.Rect.Dy()
	n := max(int(k+0.5), 1) // samples a side, to take all pixels in
	for y := range p {
		for x := range p[y] {
			sum := 0.0
			for j := range n * n {
				u := (float64(x-sampleX) + (float64(j%n)+0.5)/float64(n)) * k
				v := (float64(y-sampleY) + (float64(j/n)+0.5)/float64(n)) * k
				sum += bilinear(img, w, h, m.X+u*cs-v*sn, m.Y+u*sn+v*cs)
			}
			p[y][x] = sum / float64(n*n)
		}
	}
	return p
}

func bilinear(img *image.YCbCr, w, h int, x, y float64) float64 {
	x, y = math.Min(math.Max(x-0.5, 0), float64(w-1)), math.Min(math.Max(y-0.5, 0), float64(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	fx, fy := x-float64(x0), y-float64(y0)
	a, b := img.Y[y0*img.YStride:], img.Y[y1*img.YStride:]
	return (float64(a[x0])*(1-fx)+float64(a[x1])*fx)*(1-fy) + (float64(b[x0])*(1-fx)+float64(b[x1])*fx)*fy
}

// exposure measures light: too little, too much, from one side. A dark skin in
// good light has highlights, and is not too dark.
func exposure(p *sampled) (under, over, uniform float64) {
	all := make([]float64, 0, sampleW*sampleH)
	low, high := 0, 0
	for y := range p {
		for _, v := range p[y] {
			all = append(all, v)
			if v <= 25 {
				low++
			}
			if v >= 247 {
				high++
			}
		}
	}
	slices.Sort(all)
	n := float64(len(all))
	bright := all[int(0.97*n)]
	under = math.Min(ramp(bright, 30, 62, 95), ramp(float64(low)/n, 0.8, 0.45, 0.2))
	over = ramp(float64(high)/n, 0.35, 0.12, 0.03)
	// Cheeks and forehead, side against side.
	side := func(x0, x1, y0, y1 int) float64 {
		s := 0.0
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				s += p[y][x]
			}
		}
		return s/float64((x1-x0)*(y1-y0)) + 2
	}
	right, left := side(6, 32, 40, 74), side(64, 90, 40, 74)
	uniform = ramp(math.Min(right, left)/math.Max(right, left), 0.30, 0.62, 0.80)
	return under, over, uniform
}

// sharpness compares the inner face with itself made softer: what loses nothing
// by that was soft already (after Crete and others, "The blur effect", 2007), along
// rows and along columns, the worse counting: movement smears one way. It is
// measured at the size that the photo needs, so a frame with few pixels is soft.
func sharpness(p *sampled) float64 {
	rows := lost(sampleH, sampleW, func(line, i int) float64 { return p[line][i] })
	columns := lost(sampleW, sampleH, func(line, i int) float64 { return p[i][line] })
	return ramp(math.Min(rows, columns), 0.14, 0.32, 0.46)
}

// lost is the share of change along lines that a mean over five loses.
func lost(lines, n int, at func(line, i int) float64) float64 {
	const r = 2
	const edges = 0.03 // share of places where something changes in any sharp face
	var keep, all float64
	steep, places := 0, 0
	for l := 6; l < lines-6; l++ {
		soft := func(i int) float64 {
			s := 0.0
			for j := -r; j <= r; j++ {
				s += at(l, i+j)
			}
			return s / (2*r + 1)
		}
		for i := r + 1; i < n-r-1; i++ {
			d := math.Abs(at(l, i) - at(l, i-1))
			places++
			if d < 5 { // noise and smooth skin say nothing
				continue
			}
			steep++
			all += d
			keep += math.Max(0, d-math.Abs(soft(i)-soft(i-1)))
		}
	}
	if all == 0 {
		return 0
	}
	return keep / all * math.Min(float64(steep)/float64(places)/edges, 1)
}

// opening is how high the dark of an open eye stands, against a shut one's line:
// 0 to 1, the lesser of the two.
func opening(p *sampled) float64 {
	out := 1.0
	for _, x := range []int{sampleX - sampleD/2, sampleX + sampleD/2} {
		var v [25]float64
		low, high := math.Inf(1), 0.0
		for i := range v {
			for dx := -3; dx <= 3; dx++ {
				v[i] += p[sampleY-10+i][x+dx] / 7
			}
			low, high = math.Min(low, v[i]), math.Max(high, v[i])
		}
		n := 0
		for i := range v[4:] {
			if v[4+i] < (low+high)/2 {
				n++
			}
		}
		out = math.Min(out, float64(n)/8)
	}
	return out
}
