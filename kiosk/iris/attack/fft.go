package attack

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fft is a radix-2 transform of fixed length.
type fft struct {
	n   int
	rev []int
	tw  []complex128
	col []complex128
}

func newFFT(n int) *fft {
	f := &fft{n: n, rev: make([]int, n), tw: make([]complex128, n/2), col: make([]complex128, n)}
	for i := range n {
		f.rev[i] = int(bits.Reverse32(uint32(i)) >> (32 - bits.TrailingZeros(uint(n))))
	}
	for i := range f.tw {
		f.tw[i] = cmplx.Exp(complex(0, -2*math.Pi*float64(i)/float64(n)))
	}
	return f
}

// run transforms v, of length n, in place.
func (f *fft) run(v []complex128) {
	for i, r := range f.rev {
		if i < r {
			v[i], v[r] = v[r], v[i]
		}
	}
	for size := 2; size <= f.n; size *= 2 {
		half, step := size/2, f.n/size
		for s := 0; s < f.n; s += size {
			for k := range half {
				t := v[s+half+k] * f.tw[k*step]
				v[s+k], v[s+half+k] = v[s+k]+t, v[s+k]-t
			}
		}
	}
}

// plane transforms a square of side n in place.
func (f *fft) plane(v []complex128) {
	for y := range f.n {
		f.run(v[y*f.n : (y+1)*f.n])
	}
	for x := range f.n {
		for y := range f.n {
			f.col[y] = v[y*f.n+x]
		}
		f.run(f.col)
		for y := range f.n {
			v[y*f.n+x] = f.col[y]
		}
	}
}
