package gallery

import (
	"math/bits"

	"tambo/kiosk/iris"
)

// ruleScale is the unit of a rule's shares.
const ruleScale = 4096

// rule says which entries the sieve lets through: those with a rotation at
// which ruleScale·differing − share·compared ≤ 0, counted on the words the
// sieve looks at. Where nothing is common at a rotation, it lets through.
type rule struct {
	share int32 // 0..ruleScale
}

// kernel is one way of comparing a probe with blocks. All give the same
// answers to the bit.
type kernel struct {
	name string
	// sieve writes, for each of the n blocks from h on, the set of lanes that
	// pass r into pass[i], bit l for lane l.
	sieve func(h *head, n int, t *table, r rule, pass *uint8)
	// distances writes for each lane the smallest distance over all rotations,
	// as [iris.SearchProbe.Distance] defines it, in single precision.
	distances func(b *block, t *table, out *[lanes]float32)
}

// portable is the kernel that runs everywhere.
var portable = kernel{"portable", sieveGo, distancesGo}

// kernels holds what this processor can run, best first; the last one is
// portable.
var kernels = append(fastKernels(), portable)

func sieveGo(h *head, n int, t *table, r rule, pass *uint8) {
	hs, out := headsFrom(h, n), bytesFrom(pass, n)
	for i := range hs {
		out[i] = 0
		for l := range lanes {
			if laneSieve(&hs[i], l, t, r) {
				out[i] |= 1 << l
			}
		}
	}
}

func laneSieve(h *head, l int, t *table, r rule) bool {
	var code, mask [sieveWords]uint64
	for w := range h {
		code[w], mask[w] = h[w][0][l], h[w][1][l]
	}
	for k := range t.sieve {
		diff, n := 0, 0
		for w, p := range t.sieve[k] {
			m := p[1] & mask[w]
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((p[0] ^ code[w]) & m)
		}
		if ruleScale*int32(diff) <= r.share*int32(n) {
			return true
		}
	}
	return false
}

func distancesGo(b *block, t *table, out *[lanes]float32) {
	for l := range lanes {
		var code, mask [codeWords]uint64
		for w := range b.head {
			code[w], mask[w] = b.head[w][0][l], b.head[w][1][l]
		}
		for w := range b.tail {
			code[sieveWords+w], mask[sieveWords+w] = b.tail[w][0][l], b.tail[w][1][l]
		}
		best := float32(1)
		for k := range rotations {
			diff, n := 0, 0
			for w := range codeWords {
				p := &t.words[w][k]
				m := p[1] & mask[w]
				n += bits.OnesCount64(m)
				diff += bits.OnesCount64((p[0] ^ code[w]) & m)
			}
			best = min(best, share(diff, n))
		}
		out[l] = best
	}
}

// share is the distance at one rotation; see [iris.SearchProbe.Distance].
func share(diff, n int) float32 {
	missing := max(iris.MinSearchBits-n, 0)
	return float32(2*diff+missing) / float32(2*(n+missing))
}
