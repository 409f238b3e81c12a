package gallery

import (
	"math/bits"
	"time"

	"tambo/kiosk/iris"
)

// MeasureCompare measures how many search codes a second one goroutine
// compares with a probe at all rotations: "reference" is a plain loop with
// bits.OnesCount64, code after code; "portable" and, where the processor has
// them, "avx2" and "avx512" are the ways a gallery compares, without early
// rejection. It takes about d for each and needs eight codes or more.
func MeasureCompare(probe *iris.SearchCode, codes []iris.SearchCode, d time.Duration) map[string]float64 {
	p := iris.NewSearchProbe(probe)
	n := min(len(codes), chunkSize) / lanes * lanes
	s, giveBack := newSlab()
	defer giveBack()
	for i := range n {
		s[i/lanes].put(i%lanes, &codes[i])
	}
	out := map[string]float64{"reference": rate(n, d, func() { plainLoop(p, codes[:n]) })}
	t := newTable(p)
	for _, k := range kernels {
		var best [lanes]float32
		out[k.name] = rate(n, d, func() {
			for b := range n / lanes {
				k.distances(&s[b], t, &best)
			}
		})
	}
	return out
}

// rate returns how many of n a second f does; it repeats f for about d.
func rate(n int, d time.Duration, f func()) float64 {
	f()
	start, times := time.Now(), 0
	for time.Since(start) < d {
		f()
		times++
	}
	return float64(n*times) / time.Since(start).Seconds()
}

// plainLoop is what the kernels are measured against: all rotations of all
// words with bits.OnesCount64, codes one after the other, no early end.
func plainLoop(p *iris.SearchProbe, codes []iris.SearchCode) float32 {
	best := float32(1)
	for i := range codes {
		c := &codes[i]
		for r := range rotations {
			t := p.Turned(r)
			diff, n := 0, 0
			for w := range codeWords {
				m := t[codeWords+w] & c[codeWords+w]
				n += bits.OnesCount64(m)
				diff += bits.OnesCount64((t[w] ^ c[w]) & m)
			}
			if n >= iris.MinSearchBits {
				best = min(best, float32(diff)/float32(n))
			}
		}
	}
	return best
}
