package gallery

import (
	"math"
	"math/bits"
)

// verifyLimit is the number of persons that are compared in full for each
// probe template, the best by search code; where templates are fetched, in a
// search. Of these verifyUpright are for its first look when there may be a
// second.
const (
	verifyLimit   = 1000
	verifyUpright = 800
)

// The sieve. Of a gallery of more than verifyLimit codes only the best
// verifyLimit are compared in full, so that most of a large gallery need not be
// looked at whole. The sieve lets through the share of strangers that is best
// by a quarter of their columns: passShare of them, or passTimes as many as are
// compared in full, whichever is more. A code that belongs among the best
// verifyLimit by all its columns is hardly ever so far down by a quarter of
// them: the tests measure how often, and docs/PERFORMANCE.md says it. The
// rule is found on a sample of sampleCodes codes spread over the gallery, three
// standard deviations on the lenient side. Where more than passUseless would
// pass, nothing is left out.
const (
	passShare   = 0.03
	passTimes   = 5
	passUseless = 0.25
	sampleCodes = 4096
	sampleLeast = 1024
)

// setRule sets p's rule from a sample of the gallery: the same gallery and
// probe give the same rule.
func (g *Gallery) setRule(chunks []*chunk, used int, p *probeEye) {
	all := (used + lanes - 1) / lanes
	sample := make([]head, 0, sampleCodes/lanes)
	n := 0
	for i := range min(all, sampleCodes/lanes) {
		k := int(int64(i) * int64(all) / int64(min(all, sampleCodes/lanes)))
		c := chunks[k/blocks]
		g.mu.RLock()
		for set := c.meeting(p.side, k%blocks); set != 0; set &= set - 1 {
			if n%lanes == 0 {
				sample = append(sample, head{})
			}
			from, to := &c.codes.heads[k%blocks], &sample[n/lanes]
			for w := range to {
				to[w][0][n%lanes] = from[w][0][bits.TrailingZeros8(set)]
				to[w][1][n%lanes] = from[w][1][bits.TrailingZeros8(set)]
			}
			n++
		}
		g.mu.RUnlock()
	}
	p.rule, p.sieve = g.kernel.ruleFor(sample, n, passFor(used), p.turned)
}

// passFor is the share of a gallery of so many codes that the sieve lets
// through.
func passFor(used int) float64 { return max(passShare, passTimes*float64(verifyLimit)/float64(used)) }

// ruleFor returns the strictest rule that lets pass of the n sampled codes
// through, and whether it is worth applying. The sample is used up; lanes beyond
// n are empty.
func (k kernel) ruleFor(sample []head, n int, pass float64, probe []*table) (rule, bool) {
	if n < sampleLeast || pass > passUseless {
		return rule{}, false
	}
	expect := pass * float64(n)
	want := int(math.Ceil(expect + 3*math.Sqrt(expect)))
	empty := lanes*len(sample) - n // pass every rule
	low, high := 0, ruleScale      // below low too few pass, from high on enough
	for low < high {
		share := (low + high) / 2
		pass, through := k.through(sample, probe, rule{int32(share)}), -empty
		for _, set := range pass {
			through += bits.OnesCount8(set)
		}
		if through < want {
			low = share + 1
			continue
		}
		high = share
		sample = passing(sample, pass) // the others do not pass a stricter rule
	}
	return rule{int32(high)}, high < ruleScale
}

// passing returns the heads of which any lane passes, in place.
func passing(hs []head, pass []uint8) []head {
	n := 0
	for b, set := range pass {
		if set != 0 {
			hs[n] = hs[b]
			n++
		}
	}
	return hs[:n]
}

// through returns, for each head, the lanes that pass r with any of the
// probe's readings.
func (k kernel) through(hs []head, probe []*table, r rule) []uint8 {
	pass := make([]uint8, len(hs))
	for i, t := range probe {
		if i == 0 {
			k.sieve(&hs[0], len(hs), t, r, &pass[0])
			continue
		}
		more := make([]uint8, len(hs))
		k.sieve(&hs[0], len(hs), t, r, &more[0])
		for b, m := range more {
			pass[b] |= m
		}
	}
	return pass
}
