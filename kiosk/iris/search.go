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
// ±19.7° in 15 rotations.
const (
	searchShift     = 7
	searchRotations = 2*searchShift + 1
)

// SearchProbe is a search code turned to all rotations beforehand. It does not
// change and may be shared between goroutines.
type SearchProbe struct {
	turned [searchRotations]SearchCode
}

// NewSearchProbe turns c to all rotations.
func NewSearchProbe(c *SearchCode) *SearchProbe {
	p := &SearchProbe{}
	for r := range searchRotations {
		turnSearch(&p.turned[r], c, r-searchShift)
	}
	return p
}

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

// minSearchBits is the least number of common bits of a search comparison;
// below it the entry goes on to the full comparison, which decides.
const minSearchBits = 160

// Distance returns the smallest share of differing bits, in parts of 65536,
// over all rotations; 0 where too few bits are common to tell. Rotations that
// differ too much on the first quarter of the code are left early, and where
// all do, the result is 65535.
func (p *SearchProbe) Distance(c *SearchCode) uint32 {
	best := uint32(65535)
	const quarter = searchLen / 4
	for r := range p.turned {
		t := &p.turned[r]
		diff, n := 0, 0
		for i := range quarter {
			m := t[searchLen+i] & c[searchLen+i]
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((t[i] ^ c[i]) & m)
		}
		// Early rejection: of strangers half the rotations end here.
		if n > 64 && diff*100 > n*49 {
			continue
		}
		for i := quarter; i < searchLen; i++ {
			m := t[searchLen+i] & c[searchLen+i]
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((t[i] ^ c[i]) & m)
		}
		if n < minSearchBits {
			return 0
		}
		best = min(best, uint32(diff)*65535/uint32(n))
	}
	return best
}
