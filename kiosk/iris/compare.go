package iris

import (
	"fmt"
	"math"
	"math/bits"

	"tambo/kiosk"
)

// maxShift is the largest rotation compared, in columns of codeW: ±17°.
const maxShift = 12

// Comparison is the outcome of comparing two templates of one eye.
type Comparison struct {
	HD       float64 // Hamming distance normalised by the bits compared, smaller is more alike
	RawHD    float64 // differing bits over bits compared, 0..1
	Bits     int     // bits compared
	AngleDeg float64 // rotation of b against a, degrees, clockwise on the screen
	LogFMR   float64 // −log10 of the false match rate at this score, 0 or more
}

// minCompared is the least number of verify bits that must be usable in both.
const minCompared = codeBits / 14

// Compare compares two templates over all rotations within ±17°. It is
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
	best := Comparison{HD: math.Inf(1)}
	for i := range d.readings {
		for j := range o.readings {
			c, ok := compareCodes(&d.readings[i], &o.readings[j])
			if ok && c.HD < best.HD {
				best = c
			}
		}
	}
	if math.IsInf(best.HD, 1) {
		return Comparison{}, fmt.Errorf("%w: fewer than %d of %d in common", ErrTooFewBits, minCompared, codeBits)
	}
	best.LogFMR = logFMR(best.HD)
	return best, nil
}

// normBits is the number of compared bits at which normalisation changes
// nothing: the mean over captures that pass the quality floor.
const normBits = 6000

func normalise(diff, n int) float64 {
	raw := float64(diff) / float64(n)
	return 0.5 - (0.5-raw)*math.Sqrt(float64(n)/normBits)
}

func compareCodes(a, b *code) (Comparison, bool) {
	best := Comparison{HD: math.Inf(1)}
	for sh := -maxShift; sh <= maxShift; sh++ {
		diff, n := shifted(a, b, sh)
		if n < minCompared {
			continue
		}
		if h := normalise(diff, n); h < best.HD {
			best = Comparison{HD: h, RawHD: float64(diff) / float64(n), Bits: n, AngleDeg: float64(sh) * 360 / codeW}
		}
	}
	return best, !math.IsInf(best.HD, 1)
}

// shifted counts differing and common bits of a and b turned by sh columns:
// column i of a meets column i+sh of b.
func shifted(a, b *code, sh int) (diff, n int) {
	k := uint(sh) & 63
	q := (sh - int(k)) / 64 // whole words, floor
	for row := 0; row < codeLen; row += codeWords {
		for w := range codeWords {
			i0 := row + (w+q+2*codeWords)%codeWords
			i1 := row + (w+q+1+2*codeWords)%codeWords
			bb := b.bits[i0]>>k | b.bits[i1]<<(64-k)
			bm := b.mask[i0]>>k | b.mask[i1]<<(64-k)
			m := a.mask[row+w] & bm
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((a.bits[row+w] ^ bb) & m)
		}
	}
	return diff, n
}
