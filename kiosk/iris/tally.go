package iris

import (
	"fmt"
	"math/bits"
)

// tally counts the differing and the common bits of each block of the ring; see
// compare.go for what a block is. Block zone·sectors+sector.
type tally struct{ diff, n [blocks]int32 }

// sum is the tally of the whole ring.
func (c *tally) sum() (diff, n int) {
	for k := range blocks {
		diff += int(c.diff[k])
		n += int(c.n[k])
	}
	return diff, n
}

// evidence is roughly what the blocks say together, in hundredths of a bit,
// independent or not, none of them less than limit: enough to tell which rotations
// are worth a closer look.
func (c *tally) evidence(limit int32) (sum int32) {
	for k := range blocks {
		sum += max(int32(100*doubt)*c.n[k]-100*c.diff[k], limit)
	}
	return sum
}

// turning says how a row is turned: word w of the turned row is word lo[w] moved
// right by right bits, filled up with word hi[w] moved left by left bits. Its
// layout is known to the assembly.
type turning struct {
	lo, hi      [2 * codeWords]uint64 // of two rows, one after the other
	half, other [2 * codeWords]uint32 // lo and hi of one row in 32-bit words
	right, left uint64
}

// turnings holds a turning for each rotation that is compared, from
// -maxShift-maxElastic columns on.
var turnings = func() (out [tableSpan]turning) {
	for i := range out {
		sh := i - maxShift - maxElastic
		t := &out[i]
		t.right = uint64(sh) & 63
		t.left = 64 - t.right
		q := (sh - int(t.right)) / 64
		for w := range 2 * codeWords {
			row := w / codeWords * codeWords
			t.lo[w] = uint64(row + (w+q+2*codeWords)%codeWords)
			t.hi[w] = uint64(row + (w+q+1+2*codeWords)%codeWords)
		}
		for w := range codeWords {
			t.half[2*w], t.half[2*w+1] = uint32(2*t.lo[w]), uint32(2*t.lo[w]+1)
			t.other[2*w], t.other[2*w+1] = uint32(2*t.hi[w]), uint32(2*t.hi[w]+1)
		}
	}
	return out
}()

// way is one way of making a tally. All give the same counts.
type way uint8

const (
	portable way = iota
	avx2
	avx512
)

// fastest is the way that comparisons take.
var fastest = ways()[0]

func (w way) String() string {
	switch w {
	case portable:
		return "portable"
	case avx2:
		return "avx2"
	case avx512:
		return "avx512"
	}
	return fmt.Sprintf("way(%d)", uint8(w))
}

// count makes the tally of a with b turned by t; what out held is lost.
func (w way) count(out *tally, a, b *code, t *turning) {
	if w == portable {
		countGo(out, a, b, t)
		return
	}
	w.countFast(out, a, b, t)
}

func countGo(out *tally, a, b *code, t *turning) {
	*out = tally{}
	for row := range codeRows {
		zone := row / 2 % bands * zones / bands * sectors
		o := row * codeWords
		br, mr := (*[codeWords]uint64)(b.bits[o:]), (*[codeWords]uint64)(b.mask[o:])
		for w := range codeWords {
			lo, hi := t.lo[w]%codeWords, t.hi[w]%codeWords
			m := a.mask[o+w] & (mr[lo]>>t.right | mr[hi]<<t.left)
			x := (a.bits[o+w] ^ (br[lo]>>t.right | br[hi]<<t.left)) & m
			k := zone + 2*w
			out.n[k] += int32(bits.OnesCount32(uint32(m)))
			out.n[k+1] += int32(bits.OnesCount32(uint32(m >> 32)))
			out.diff[k] += int32(bits.OnesCount32(uint32(x)))
			out.diff[k+1] += int32(bits.OnesCount32(uint32(x >> 32)))
		}
	}
}

// moveBands writes c with each band moved inwards by rad, so that band i holds
// what was in band i+rad; bands that nothing came to are masked.
func moveBands(out, c *code, rad int) {
	const words = 2 * codeWords // of a band
	for sc := range scales {
		for band := range bands {
			o := (sc*bands + band) * words
			if from := band + rad; from < 0 || from >= bands {
				clear(out.bits[o : o+words])
				clear(out.mask[o : o+words])
				continue
			}
			copy(out.bits[o:o+words], c.bits[o+rad*words:])
			copy(out.mask[o:o+words], c.mask[o+rad*words:])
		}
	}
}
