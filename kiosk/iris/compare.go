package iris

import (
	"fmt"
	"math"
	"math/bits"

	"tambo/kiosk"
)

// maxShift is the largest rotation compared, in columns of codeW: ±22.5°.
const maxShift = 16

// Comparison is the outcome of comparing two templates of one eye.
type Comparison struct {
	// HD is the score: the Hamming distance with each block of the ring free
	// to move a little, normalised by the independent bits compared; smaller
	// is more alike. Strangers lie near 0.42, and it can be below 0.
	HD       float64
	RawHD    float64 // plain share of differing bits at the best common rotation, 0..1
	Bits     int     // bits compared
	AngleDeg float64 // rotation between the two, degrees, clockwise on the screen
	LogFMR   float64 // −log10 of the false match rate at this score, 0 or more
}

// minCompared is the least number of verify bits that must be usable in both.
const minCompared = codeBits / 14

// Compare compares two templates over all rotations within ±22.5°. It is
// symmetric but for the sign of the angle. It returns [ErrVersion],
// [ErrMalformed] or [ErrTooFewBits], wrapped. Sides of the eyes are not looked
// at: comparing a left with a right eye is the caller's question.
func Compare(a, b kiosk.Template) (Comparison, error) {
	da, err := Decode(a)
	if err != nil {
		return Comparison{}, err
	}
	db, err := Decode(b)
	if err != nil {
		return Comparison{}, err
	}
	return da.Compare(db)
}

// Compare is [Compare] for parsed templates.
func (d *Decoded) Compare(o *Decoded) (Comparison, error) {
	if d.version != o.version {
		return Comparison{}, fmt.Errorf("%w: %q and %q", ErrVersion, d.version.name, o.version.name)
	}
	best := Comparison{HD: math.Inf(1)}
	for i := range d.readings {
		for j := range o.readings {
			c, ok := d.version.compare(&d.readings[i], &o.readings[j])
			if ok && c.HD < best.HD {
				best = c
			}
		}
	}
	if math.IsInf(best.HD, 1) {
		return Comparison{}, fmt.Errorf("%w: fewer than %d of %d in common", ErrTooFewBits, minCompared, codeBits)
	}
	best.LogFMR = d.version.logFMR(best.HD)
	return best, nil
}

// normBits is the number of independent bits at which normalisation changes
// nothing.
const normBits = 6000

// Elastic comparison: the ring is cut into sectors and radial zones, and each
// block may lie a little off the common rotation.
const (
	sectors    = 8 // of 32 columns, half a word
	zones      = 4 // of bands/zones bands
	blocks     = sectors * zones
	maxElastic = 2
	tableSpan  = 2*(maxShift+maxElastic) + 1
)

// A block that moves by one column or one band has to be better by this share
// of its bits; radial movement is tried at the topShift best rotations.
const (
	elasticCost = 0.04
	radialCost  = 0.04
	topShift    = 3
)

type tally struct{ diff, n int32 }

// matcher holds, for a pair of codes, each block's share of differing bits at
// each rotation, with the radial displacement that suits it best.
type matcher struct {
	rate [tableSpan][blocks]float32
	n    [tableSpan][blocks]float32
	wide [tableSpan]bool // radial displacements are in
	info float64
	// shift brings the mean of strangers to impostorMean.
	shift float64
}

// compareCodes compares two readings. The blocks are cut on one of the two, so
// the pair is put into an order of its own first: the score is symmetric to
// the bit.
func compareCodes(a, b *code) (Comparison, bool) {
	if after(a, b) {
		c, ok := compareOrdered(b, a)
		c.AngleDeg = 0 - c.AngleDeg
		return c, ok
	}
	return compareOrdered(a, b)
}

// after is a total order of codes.
func after(a, b *code) bool {
	for i := range a.bits {
		if a.bits[i] != b.bits[i] {
			return a.bits[i] > b.bits[i]
		}
	}
	for i := range a.mask {
		if a.mask[i] != b.mask[i] {
			return a.mask[i] > b.mask[i]
		}
	}
	return false
}

func compareOrdered(a, b *code) (Comparison, bool) {
	var m matcher
	m.info = math.Sqrt(a.info * b.info)
	m.shift = (0.5 - impostorMean) * (math.Cbrt(m.info) - 1)
	for t := range tableSpan {
		m.level(t, a, b)
	}
	out := Comparison{HD: math.Inf(1), RawHD: math.Inf(1)}
	var top [topShift]turn
	nt := 0
	for sh := -maxShift; sh <= maxShift; sh++ {
		diff, n := m.rigid(sh)
		if n < minCompared {
			continue
		}
		out.RawHD = min(out.RawHD, diff/n)
		h := m.normalise(m.elastic(sh))
		i := nt
		if nt < topShift {
			nt++
		} else if i--; h >= top[i].h {
			continue
		}
		for ; i > 0 && top[i-1].h > h; i-- {
			top[i] = top[i-1]
		}
		top[i] = turn{sh, h}
	}
	for _, c := range top[:nt] {
		for t := c.sh + maxShift; t <= c.sh+maxShift+2*maxElastic; t++ {
			m.radial(t, a, b)
		}
		diff, n := m.elastic(c.sh)
		if h := m.normalise(diff, n); h < out.HD {
			out.HD, out.Bits, out.AngleDeg = h, int(n), float64(c.sh)*360/codeW
		}
	}
	return out, nt > 0
}

// turn is a common rotation and the distance found at it.
type turn struct {
	sh int
	h  float64
}

// normalise stretches the distance from chance by the root of the independent
// bits compared, so that strangers spread alike however much was compared, and
// takes off what they gain by moving: less, the more alike neighbouring bits
// are anyway.
func (m *matcher) normalise(diff, n float64) float64 {
	return 0.5 - (0.5-diff/n)*math.Sqrt(n*m.info/normBits) + m.shift
}

// level fills the table at rotation t without radial displacement.
func (m *matcher) level(t int, a, b *code) {
	var c [blocks]tally
	blockTallies(&c, a, b, t-maxShift-maxElastic, 0)
	for k := range c {
		m.n[t][k] = float32(c[k].n)
		if c[k].n > 0 {
			m.rate[t][k] = float32(c[k].diff) / float32(c[k].n)
		}
	}
}

// radial lets each block at rotation t move a band in or out.
func (m *matcher) radial(t int, a, b *code) {
	if m.wide[t] {
		return
	}
	m.wide[t] = true
	for r := -1; r <= 1; r += 2 {
		var c [blocks]tally
		blockTallies(&c, a, b, t-maxShift-maxElastic, r)
		for k := range c {
			if c[k].n == 0 {
				continue
			}
			if q := float32(c[k].diff)/float32(c[k].n) + radialCost; q < m.rate[t][k] {
				m.rate[t][k], m.n[t][k] = q, float32(c[k].n)
			}
		}
	}
}

// rigid sums the blocks at common rotation sh.
func (m *matcher) rigid(sh int) (diff, n float64) {
	t := sh + maxShift + maxElastic
	var sd, sn float32
	for k := range blocks {
		sd += m.rate[t][k] * m.n[t][k]
		sn += m.n[t][k]
	}
	return float64(sd), float64(sn)
}

// elastic sums the blocks at common rotation sh, each free to turn a little.
func (m *matcher) elastic(sh int) (diff, n float64) {
	var sd, sn float32
	for k := range blocks {
		rate, bn := float32(1), float32(0)
		for d := -maxElastic; d <= maxElastic; d++ {
			t := sh + d + maxShift + maxElastic
			q := m.rate[t][k] + elasticCost*abs32(float32(d))
			if m.n[t][k] > 0 && q < rate {
				rate, bn = q, m.n[t][k]
			}
		}
		sd += rate * bn
		sn += bn
	}
	return float64(sd), float64(sn)
}

// blockTallies counts differing and common bits of each block of a with b
// turned by sh columns and moved outwards by rad bands.
func blockTallies(out *[blocks]tally, a, b *code, sh, rad int) {
	k := uint(sh) & 63
	q := (sh - int(k)) / 64
	for sc := range scales {
		for band := range bands {
			ob := band + rad
			if ob < 0 || ob >= bands {
				continue
			}
			zone := band * zones / bands * sectors
			for part := range 2 {
				row := ((sc*bands+band)*2 + part) * codeWords
				orow := ((sc*bands+ob)*2 + part) * codeWords
				for w := range codeWords {
					i0 := orow + (w+q+2*codeWords)%codeWords
					i1 := orow + (w+q+1+2*codeWords)%codeWords
					bb := b.bits[i0]>>k | b.bits[i1]<<(64-k)
					bm := b.mask[i0]>>k | b.mask[i1]<<(64-k)
					m := a.mask[row+w] & bm
					x := (a.bits[row+w] ^ bb) & m
					lo := &out[zone+2*w]
					hi := &out[zone+2*w+1]
					lo.n += int32(bits.OnesCount32(uint32(m)))
					hi.n += int32(bits.OnesCount32(uint32(m >> 32)))
					lo.diff += int32(bits.OnesCount32(uint32(x)))
					hi.diff += int32(bits.OnesCount32(uint32(x >> 32)))
				}
			}
		}
	}
}
