package eye

import (
	"image"
	"math"
	"math/bits"
	"math/cmplx"

	"tambo/kiosk"
)

// A small iris code of the tests' own, on the true outlines: one log-Gabor
// scale around the iris, two phase bits a place. It knows nothing of the engine
// and checks only that the eyes carry identity the way irises do.
const (
	codeAround = 256
	codeAcross = 16
)

type irisCode struct {
	bits, mask [2 * codeAround * codeAcross / 64]uint64
}

func encode(p Person, e kiosk.Eye, c Conditions) (irisCode, float64) {
	img := Draw(p, e, c, 0, 0)
	truth := TruthOf(p, e, c, 0, 0)
	var code irisCode
	row := make([]complex128, codeAround)
	for y := range codeAcross {
		seen := make([]bool, codeAround)
		mean, n := 0.0, 0
		for x := range codeAround {
			g, ok := sample(img, &truth, 2*math.Pi*float64(x)/codeAround, (float64(y)+0.7)/(codeAcross+1))
			row[x], seen[x] = complex(g, 0), ok
			if ok {
				mean += g
				n++
			}
		}
		mean /= math.Max(1, float64(n))
		for x := range row {
			if !seen[x] {
				row[x] = complex(mean, 0)
			}
		}
		fft(row, false)
		for k := range row {
			gain := 0.0
			if k > 0 && k < codeAround/2 {
				l := math.Log(float64(k) / 16)
				gain = math.Exp(-l * l / (2 * 0.5 * 0.5 * 0.5))
			}
			row[k] *= complex(gain, 0)
		}
		fft(row, true)
		for x := range row {
			i := 2 * (y*codeAround + x)
			if real(row[x]) > 0 {
				code.bits[i/64] |= 1 << (i % 64)
			}
			if imag(row[x]) > 0 {
				code.bits[i/64] |= 2 << (i % 64)
			}
			if seen[x] {
				code.mask[i/64] |= 3 << (i % 64)
			}
		}
	}
	return code, truth.Visible
}

// sample reads the image in the rubber sheet between the true outlines.
func sample(img *image.Gray, t *Truth, angle, r float64) (float64, bool) {
	on := func(e Ellipse) (x, y float64) {
		a, b := math.Cos(angle-e.Angle)*e.A, math.Sin(angle-e.Angle)*e.B
		return e.X + a*math.Cos(e.Angle) - b*math.Sin(e.Angle), e.Y + a*math.Sin(e.Angle) + b*math.Cos(e.Angle)
	}
	x0, y0 := on(t.Pupil)
	x1, y1 := on(t.Iris)
	x, y := x0+(x1-x0)*r, y0+(y1-y0)*r
	ix, iy := int(math.Floor(x)), int(math.Floor(y))
	if ix < 0 || iy < 0 || ix+1 >= img.Rect.Dx() || iy+1 >= img.Rect.Dy() {
		return 0, false
	}
	fx, fy := x-float64(ix), y-float64(iy)
	at := func(x, y int) float64 { return float64(img.Pix[y*img.Stride+x]) }
	g := (at(ix, iy)*(1-fx)+at(ix+1, iy)*fx)*(1-fy) + (at(ix, iy+1)*(1-fx)+at(ix+1, iy+1)*fx)*fy
	return g, t.Mask.Pix[int(y+0.5)*t.Mask.Stride+int(x+0.5)] != 0
}

// fft is the radix-2 transform of a power-of-two row, in place.
func fft(a []complex128, inverse bool) {
	n := len(a)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			a[i], a[j] = a[j], a[i]
		}
	}
	for size := 2; size <= n; size <<= 1 {
		angle := -2 * math.Pi / float64(size)
		if inverse {
			angle = -angle
		}
		root := cmplx.Rect(1, angle)
		for i := 0; i < n; i += size {
			w := complex(1, 0)
			for k := range size / 2 {
				u, v := a[i+k], a[i+k+size/2]*w
				a[i+k], a[i+k+size/2] = u+v, u-v
				w *= root
			}
		}
	}
	if inverse {
		for i := range a {
			a[i] /= complex(float64(n), 0)
		}
	}
}

// distance is the smallest fractional Hamming distance over rotations of up to
// 11 degrees either way, or NaN where too little can be compared.
func distance(a, b *irisCode) float64 {
	d, _ := align(a, b)
	return d
}

// align also returns how many degrees clockwise b lies from a.
func align(a, b *irisCode) (best, degrees float64) {
	best = math.NaN()
	const words = 2 * codeAround / 64
	for shift := -8; shift <= 8; shift++ {
		diff, n := 0, 0
		for y := range codeAcross {
			rowA, maskA := a.bits[y*words:(y+1)*words], a.mask[y*words:(y+1)*words]
			rowB, maskB := rotate(b.bits[y*words:(y+1)*words], 2*shift), rotate(b.mask[y*words:(y+1)*words], 2*shift)
			for i := range words {
				m := maskA[i] & maskB[i]
				n += bits.OnesCount64(m)
				diff += bits.OnesCount64((rowA[i] ^ rowB[i]) & m)
			}
		}
		if n < 1500 {
			continue
		}
		if d := float64(diff) / float64(n); !(d >= best) {
			best, degrees = d, float64(shift)*360/codeAround
		}
	}
	return best, degrees
}

// rotate turns a row of bits by n places.
func rotate(row []uint64, n int) []uint64 {
	out := make([]uint64, len(row))
	total := 64 * len(row)
	n = (n%total + total) % total
	word, bit := n/64, n%64
	for i := range row {
		lo := row[(i+word)%len(row)]
		hi := row[(i+word+1)%len(row)]
		out[i] = lo >> bit
		if bit > 0 {
			out[i] |= hi << (64 - bit)
		}
	}
	return out
}
