package gallery

import (
	"math/bits"
	"runtime"
	"time"

	"tambo/kiosk/iris"
)

// MeasureCompare measures how many search codes a second of processor time one
// goroutine compares with a probe at all rotations: "reference" is a plain loop
// with bits.OnesCount64, code after code; "portable" and, where the processor
// has them, "avx2" and "avx512" are the ways a gallery compares, without early
// rejection. It takes about d for each and needs eight codes or more.
func MeasureCompare(probe *iris.SearchCode, codes []iris.SearchCode, d time.Duration) map[string]float64 {
	p := iris.NewSearchProbe(probe)
	n := min(len(codes), chunkSize) / lanes * lanes
	out := map[string]float64{"reference": rate(n, d, func() { plainLoop(p, codes[:n]) })}
	s, giveBack := slabOf(codes[:n])
	defer giveBack()
	all := make([]block, n/lanes)
	for i := range n {
		all[i/lanes].take(i%lanes, s, i)
	}
	t := newTable(p)
	for _, k := range kernels {
		var best [lanes]float32
		out[k.name] = rate(n, d, func() {
			for b := range all {
				k.distances(&all[b], t, &best)
			}
		})
	}
	return out
}

// MeasureSieve measures how many search codes a second of processor time the
// sieve of each kernel passes over, as MeasureCompare.
func MeasureSieve(probe *iris.SearchCode, codes []iris.SearchCode, d time.Duration) map[string]float64 {
	n := min(len(codes), chunkSize) / lanes * lanes
	s, giveBack := slabOf(codes[:n])
	defer giveBack()
	t := newTable(iris.NewSearchProbe(probe))
	out := map[string]float64{}
	for _, k := range kernels {
		var pass [blocks]uint8
		out[k.name] = rate(n, d, func() { k.sieve(&s.heads[0], n/lanes, t, rule{1500}, &pass[0]) })
	}
	return out
}

func slabOf(codes []iris.SearchCode) (*slab, func()) {
	s, giveBack := newSlab()
	for i := range codes {
		s.put(i, &codes[i])
	}
	return s, giveBack
}

// rate returns how many of n a second f does; it repeats f for about d.
func rate(n int, d time.Duration, f func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
	start, spent, times := time.Now(), processorTime(), 0
	for time.Since(start) < d {
		f()
		times++
	}
	used := processorTime() - spent
	if used <= 0 { // the system does not say
		used = time.Since(start)
	}
	return float64(n*times) / used.Seconds()
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
			best = min(best, share(diff, n))
		}
	}
	return best
}
