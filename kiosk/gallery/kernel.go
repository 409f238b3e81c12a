package gallery

import (
	"math/bits"

	"tambo/kiosk/iris"
)

// ruleScale is the unit of a rule's shares.
const ruleScale = 4096

// rule says which entries the sieve lets through: those with a rotation at
// which ruleScale·differing − share·compared ≤ slack, counted on the words the
// sieve looks at.
type rule struct {
	share int32 // 0..ruleScale
	slack int32
}

// kernel is one way of comparing a probe with blocks. All give the same
// answers to the bit.
type kernel struct {
	name string
	// sieve writes, for each of the n blocks from b on, the set of lanes that
	// pass r into pass[i], bit l for lane l.
	sieve func(b *block, n int, t *table, r rule, pass *uint8)
	// distances writes for each lane the smallest share of differing bits
	// over all rotations, 0 where fewer than iris.MinSearchBits were common
	// at any of them.
	distances func(b *block, t *table, out *[lanes]float32)
}

// portable is the kernel that runs everywhere.
var portable = kernel{"portable", sieveGo, distancesGo}

// kernels holds what this processor can run, best first; the last one is
// portable.
var kernels = append(fastKernels(), portable)

func sieveGo(b *block, n int, t *table, r rule, pass *uint8) {
	bs, out := blocksFrom(b, n), bytesFrom(pass, n)
	for i := range bs {
		out[i] = 0
		for l := range lanes {
			if laneSieve(&bs[i], l, t, r) {
				out[i] |= 1 << l
			}
		}
	}
}

func laneSieve(b *block, l int, t *table, r rule) bool {
	var code, mask [sieveWords]uint64
	for w := range sieveWords {
		code[w], mask[w] = b[w][0][l], b[w][1][l]
	}
	for k := range rotations {
		diff, n := 0, 0
		for w := range sieveWords {
			m := t[w][k][1] & mask[w]
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((t[w][k][0] ^ code[w]) & m)
		}
		if ruleScale*int32(diff)-r.share*int32(n) <= r.slack {
			return true
		}
	}
	return false
}

func distancesGo(b *block, t *table, out *[lanes]float32) {
	for l := range lanes {
		var code, mask [codeWords]uint64
		for w := range codeWords {
			code[w], mask[w] = b[w][0][l], b[w][1][l]
		}
		best := float32(1)
		for k := range rotations {
			diff, n := 0, 0
			for w := range codeWords {
				m := t[w][k][1] & mask[w]
				n += bits.OnesCount64(m)
				diff += bits.OnesCount64((t[w][k][0] ^ code[w]) & m)
			}
			d := float32(0)
			if n >= iris.MinSearchBits {
				d = float32(diff) / float32(n)
			}
			best = min(best, d)
		}
		out[l] = best
	}
}
