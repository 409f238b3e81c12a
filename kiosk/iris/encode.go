package iris

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// The verify code: for each of two wavelengths and bands radii, the signs of
// the real and the imaginary part of a log-Gabor response at codeW angles.
const (
	bands     = 16
	codeW     = 256
	codeWords = codeW / 64
	scales    = 2
	codeRows  = scales * bands * 2
	codeLen   = codeRows * codeWords // in 64-bit words
	codeBits  = codeLen * 64

	// The search code: the coarse scale, bands joined in pairs.
	searchBands = 8
	searchW     = 128
	searchRows  = searchBands * 2
	searchRowW  = searchW / 64
	searchLen   = searchRows * searchRowW
	searchBits  = searchLen * 64
)

// wavelengths of the two scales in sheet columns.
var wavelengths = [scales]float64{16, 32}

// encoder turns a sheet into code bits.
type encoder struct {
	fft  fft
	gain [scales][codeW]float64
	band [bands][sheetW]float32
	ok   [bands][sheetW]bool
	spec [codeW]complex128 // of one band
	resp [codeW]complex128 // at the angles of the code
	sup  [codeW]bool       // see support
	mag  []float64
	soft [bands][searchW]complex128
	sok  [bands][searchW]bool
	// fragile is the share of the bits of each row, those with the smallest
	// response, that are masked.
	fragile float64
}

func newEncoder() *encoder {
	e := &encoder{fragile: fragileShare}
	e.fft.init()
	for s, wl := range wavelengths {
		f0 := float64(sheetW) / wl
		const sigma = 0.5
		d := 2 * math.Log(sigma) * math.Log(sigma)
		for k := 1; k < codeW; k++ {
			l := math.Log(float64(k) / f0)
			e.gain[s][k] = 2 * math.Exp(-l*l/d) / sheetW
		}
	}
	return e
}

// code is a decoded template body.
type code struct {
	bits, mask   [codeLen]uint64
	sbits, smask [searchLen]uint64
	// info is the share of the usable bits that are independent of their
	// neighbours, 1 for the research sets' middle; see inform.
	info float64
}

// typicalInfo is the product of transition rates at which info is 1.
const (
	typicalInfo = 0.036
	leastInfo   = 0.2
)

// inform sets info. A soft or small iris gives codes in which neighbouring
// bits agree more often, so that as many bits say less: the product of the
// rates at which neighbours along the circle and along the radius differ
// measures it, and the spread of strangers' distances follows it. A mask that
// leaves few neighbours, as none that the engine makes does, says nothing of that:
// such bits count as little as may be.
func (c *code) inform() {
	var dr, nr, da, na int
	for row := 0; row < codeRows; row++ {
		for w := range codeWords {
			i := row*codeWords + w
			b, m := c.bits[i], c.mask[i]
			if row/2%bands != bands-1 { // the next band's row of the same part
				o := i + 2*codeWords
				both := m & c.mask[o]
				nr += bits.OnesCount64(both)
				dr += bits.OnesCount64((b ^ c.bits[o]) & both)
			}
			pair := m & (m >> 1) &^ (1 << 63)
			na += bits.OnesCount64(pair)
			da += bits.OnesCount64((b ^ b>>1) & pair)
		}
	}
	c.info = leastInfo
	if 3*min(nr, na) > ones(c.mask[:]) {
		q := float64(dr) / float64(nr) * float64(da) / float64(na)
		c.info = min(max(q/typicalInfo, leastInfo), 1.5)
	}
}

// fragileShare of the bits of each row, those with the smallest response, are
// masked: they flip from capture to capture.
const fragileShare = 0.15

func (e *encoder) run(s *sheet, c *code) {
	*c = code{}
	e.reduce(s)
	for b := range bands {
		e.fft.real(&e.band[b], &e.spec)
		for sc := range scales {
			half := int(wavelengths[sc] / 4)
			// The answer has no negative frequencies, so half of the columns hold it
			// all: those that become code.
			for k := range e.resp {
				g := e.gain[sc][k]
				e.resp[k] = complex(real(e.spec[k])*g, imag(e.spec[k])*g)
			}
			e.fft.inverse(&e.resp)
			e.support(b, half)
			e.emit(c, sc, b)
			if sc == scales-1 {
				for i := range searchW {
					e.soft[b][i] = e.resp[i*codeW/searchW]
					e.sok[b][i] = e.sup[i*codeW/searchW]
				}
			}
		}
	}
	e.search(c)
	c.inform()
}

// reduce averages the sheet's rows into bands and fills what is masked by
// interpolation along the band, so that no artificial edge is filtered.
func (e *encoder) reduce(s *sheet) {
	const per = sheetH / bands
	for b := range bands {
		var mean float32
		n := 0
		for i := range sheetW {
			var v float32
			m := 0
			for j := b * per; j < (b+1)*per; j++ {
				if s.good[j*sheetW+i] != 0 {
					v += s.val[j*sheetW+i]
					m++
				}
			}
			e.ok[b][i] = m >= per/2
			if m > 0 {
				v /= float32(m)
			}
			e.band[b][i] = v
			if e.ok[b][i] {
				mean += v
				n++
			}
		}
		if n == 0 {
			clear(e.band[b][:])
			continue
		}
		mean /= float32(n)
		e.bridge(b, mean)
	}
}

// bridge subtracts mean and interpolates across masked stretches of band b.
func (e *encoder) bridge(b int, mean float32) {
	row, ok := &e.band[b], &e.ok[b]
	first := 0
	for !ok[first] {
		first++
	}
	last := first
	for k := 1; k <= sheetW; k++ {
		i := (first + k) % sheetW
		if !ok[i] {
			continue
		}
		gap := (i - last + sheetW) % sheetW
		if gap == 0 {
			gap = sheetW
		}
		for g := 1; g < gap; g++ {
			f := float32(g) / float32(gap)
			row[(last+g)%sheetW] = row[last]*(1-f) + row[i]*f
		}
		last = i
	}
	for i := range row {
		row[i] -= mean
	}
}

// support fills sup: whether enough of the filter's main lobe, half columns to
// either side, saw real pixels at each angle of band b's code.
func (e *encoder) support(b, half int) {
	const step = sheetW / codeW
	ok := &e.ok[b]
	n := 0
	for d := -half; d < half; d += step {
		n += bit(ok[(d+sheetW)%sheetW])
	}
	for i := range e.sup {
		n += bit(ok[(i*step+half)%sheetW])
		e.sup[i] = 4*n >= 3*(half+1)
		n -= bit(ok[(i*step-half+sheetW)%sheetW])
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *encoder) emit(c *code, sc, b int) {
	row := (sc*bands + b) * 2 * codeWords
	re := c.bits[row : row+codeWords]
	im := c.bits[row+codeWords : row+2*codeWords]
	mre := c.mask[row : row+codeWords]
	mim := c.mask[row+codeWords : row+2*codeWords]
	e.mag = e.mag[:0]
	for i, v := range e.resp {
		if e.sup[i] {
			e.mag = append(e.mag, math.Abs(real(v)), math.Abs(imag(v)))
		}
	}
	if len(e.mag) == 0 {
		return
	}
	limit := quantile(e.mag, e.fragile)
	for i, v := range e.resp {
		bit := uint64(1) << (i & 63)
		if real(v) > 0 {
			re[i>>6] |= bit
		}
		if imag(v) > 0 {
			im[i>>6] |= bit
		}
		if !e.sup[i] {
			continue
		}
		if math.Abs(real(v)) > limit {
			mre[i>>6] |= bit
		}
		if math.Abs(imag(v)) > limit {
			mim[i>>6] |= bit
		}
	}
}

// search fills the search code from the coarse responses kept in soft.
func (e *encoder) search(c *code) {
	const per = bands / searchBands
	var sum [searchW]complex128
	var good [searchW]bool
	for b := range searchBands {
		e.mag = e.mag[:0]
		for i := range searchW {
			sum[i] = 0
			n := 0
			for k := b * per; k < (b+1)*per; k++ {
				if e.sok[k][i] {
					sum[i] += e.soft[k][i]
					n++
				}
			}
			good[i] = n == per
			if good[i] {
				e.mag = append(e.mag, cmplx.Abs(sum[i]))
			}
		}
		if len(e.mag) == 0 {
			continue
		}
		limit := 0.3 * quantile(e.mag, 0.5)
		row := b * 2 * searchRowW
		for i, v := range sum {
			bit := uint64(1) << (i & 63)
			w := i >> 6
			if real(v) > 0 {
				c.sbits[row+w] |= bit
			}
			if imag(v) > 0 {
				c.sbits[row+searchRowW+w] |= bit
			}
			if !good[i] {
				continue
			}
			if math.Abs(real(v)) > limit {
				c.smask[row+w] |= bit
			}
			if math.Abs(imag(v)) > limit {
				c.smask[row+searchRowW+w] |= bit
			}
		}
	}
}

// quantile returns the q-quantile of v, which it reorders.
func quantile(v []float64, q float64) float64 {
	k := min(int(q*float64(len(v))), len(v)-1)
	lo, hi := 0, len(v)-1
	for lo < hi {
		p := v[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < p {
				i++
			}
			for v[j] > p {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}

// fft is a radix-2 transform of codeW complex or of twice as many real values.
type fft struct {
	rev  [codeW]uint8
	tw   [codeW / 2]complex128
	half [codeW]complex128 // roots of unity of the real transform
	buf  [codeW]complex128
}

func (f *fft) init() {
	for i := range f.rev {
		f.rev[i] = bits.Reverse8(uint8(i)) // codeW is 2^8
	}
	for i := range f.tw {
		f.tw[i] = cmplx.Exp(complex(0, -2*math.Pi*float64(i)/codeW))
	}
	for i := range f.half {
		f.half[i] = cmplx.Exp(complex(0, -math.Pi*float64(i)/codeW))
	}
}

// run transforms v in place.
func (f *fft) run(v *[codeW]complex128) {
	for i, r := range f.rev {
		if i < int(r) {
			v[i], v[r] = v[r], v[i]
		}
	}
	// the first two stages, whose factors are 1 and -i
	for s := 0; s < codeW; s += 4 {
		q := (*[4]complex128)(v[s:])
		a, b, c, d := q[0]+q[1], q[0]-q[1], q[2]+q[3], q[2]-q[3]
		d = complex(imag(d), -real(d))
		q[0], q[1], q[2], q[3] = a+c, b+d, a-c, b-d
	}
	for half := 4; half < codeW; half *= 2 {
		step := codeW / 2 / half
		for s := 0; s < codeW; s += 2 * half {
			lo, hi := v[s:s+half], v[s+half:][:half]
			for k, u := range lo {
				w, x := f.tw[k*step&(codeW/2-1)], hi[k]
				t := complex(real(x)*real(w)-imag(x)*imag(w), real(x)*imag(w)+imag(x)*real(w))
				lo[k], hi[k] = u+t, u-t
			}
		}
	}
}

// real writes the lower half of the transform of src, frequencies 0 to codeW-1,
// into dst: neighbours are transformed as one complex value and taken apart.
func (f *fft) real(src *[sheetW]float32, dst *[codeW]complex128) {
	z := &f.buf
	for i := range z {
		z[i] = complex(float64(src[2*i]), float64(src[2*i+1]))
	}
	f.run(z)
	for k := range dst {
		a, b := z[k], cmplx.Conj(z[(codeW-k)&(codeW-1)])
		odd := a - b
		odd = complex(imag(odd), -real(odd)) // over i
		dst[k] = (a + b + odd*f.half[k]) / 2
	}
}

// inverse replaces v by codeW times its inverse transform.
func (f *fft) inverse(v *[codeW]complex128) {
	for i, j := 1, codeW-1; i < j; i, j = i+1, j-1 {
		v[i], v[j] = v[j], v[i]
	}
	f.run(v)
}
