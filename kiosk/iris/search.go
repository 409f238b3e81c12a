package iris

import "math/bits"

// SearchWords is the length of a search code in 64-bit words: the code's bits,
// then as many words of mask. At 512 bytes it fills whole cache lines.
const SearchWords = 2 * searchLen

// SearchCode is the short form of a reading by which large galleries are
// scanned. It is a sieve, not a score: what it lets through is compared with
// [Decoded.Compare].
type SearchCode [SearchWords]uint64

// SearchCodes returns the search code of each reading of d.
func (d *Decoded) SearchCodes() []SearchCode {
	out := make([]SearchCode, len(d.readings))
	for i := range d.readings {
		copy(out[i][:searchLen], d.readings[i].sbits[:])
		copy(out[i][searchLen:], d.readings[i].smask[:])
	}
	return out
}

// searchShift is the largest rotation of a search, in columns of searchW:
// ±19.7° in SearchRotations rotations.
const searchShift = 7

// SearchRotations is the number of rotations of a search.
const SearchRotations = 2*searchShift + 1

// SearchProbe is a search code turned to all rotations beforehand. It does not
// change and may be shared between goroutines.
type SearchProbe struct {
	turned [SearchRotations]SearchCode
}

// NewSearchProbe turns c to all rotations.
func NewSearchProbe(c *SearchCode) *SearchProbe {
	p := &SearchProbe{}
	for r := range SearchRotations {
		turnSearch(&p.turned[r], c, r-searchShift)
	}
	return p
}

// NewAslantProbe turns c to the rotations that lie beyond those of
// [NewSearchProbe]: from 22.5° on, to 39.4° one way and 42.2° the other. A head
// that is held aslant is found by them.
func NewAslantProbe(c *SearchCode) *SearchProbe {
	p := &SearchProbe{}
	for r := range SearchRotations {
		sh := r - 2*searchShift // -14 to -8
		if sh >= -searchShift {
			sh += SearchRotations // 8 to 15
		}
		turnSearch(&p.turned[r], c, sh)
	}
	return p
}

// Turned returns the probe's code at rotation r, 0 ≤ r < [SearchRotations],
// for those who compare many codes at once. It must not be changed.
func (p *SearchProbe) Turned(r int) *SearchCode { return &p.turned[r] }

// turnSearch writes c turned by sh columns into dst; rows are two words.
func turnSearch(dst, c *SearchCode, sh int) {
	k := uint(sh) & 63
	swap := (sh-int(k))/64&1 != 0
	for row := 0; row < SearchWords; row += searchRowW {
		a, b := c[row], c[row+1]
		if swap {
			a, b = b, a
		}
		dst[row] = a>>k | b<<(64-k)
		dst[row+1] = b>>k | a<<(64-k)
	}
}

// MinSearchBits is the least number of common bits of a search comparison that
// speaks for itself; each that is missing counts as half a differing one.
const MinSearchBits = 160

// Distance returns the smallest share of differing bits, in parts of 65535,
// over all rotations: the quotient in single precision, rounded down. Where
// fewer than [MinSearchBits] are common, the missing ones count as half
// differing, so that two codes with nothing in common are as far apart as
// strangers and not first in line. It is the definition that faster ways of
// computing it are held against.
func (p *SearchProbe) Distance(c *SearchCode) uint32 {
	best := float32(1)
	for r := range p.turned {
		t := &p.turned[r]
		diff, n := 0, 0
		for i := range searchLen {
			m := t[searchLen+i] & c[searchLen+i]
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((t[i] ^ c[i]) & m)
		}
		missing := max(MinSearchBits-n, 0)
		best = min(best, float32(2*diff+missing)/float32(2*(n+missing)))
	}
	return uint32(float64(best) * 65535)
}
