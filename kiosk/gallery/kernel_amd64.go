package gallery

import "golang.org/x/sys/cpu"

func fastKernels() (k []kernel) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VL && x.HasAVX512DQ && x.HasAVX512VPOPCNTDQ {
		k = append(k, kernel{"avx512", sieve512, distances512})
	}
	if x.HasAVX2 {
		k = append(k, kernel{"avx2", sieve256, distances256})
	}
	return k
}

//go:noescape
func sieveAVX512(h *head, n int, t *table, weights uint32, pass *uint8)

//go:noescape
func distancesAVX512(b *block, t *table, out *[lanes]float32)

//go:noescape
func sieveAVX2(h *head, n int, t *table, weights uint32, pass *uint8)

//go:noescape
func distancesAVX2(b *block, t *table, out *[lanes]float32)

// weights packs a rule for VPMADDWD: the number compared stands in the low
// half of a lane, the number differing in the high one.
func (r rule) weights() uint32 { return ruleScale<<16 | uint32(uint16(-r.share)) }

func sieve512(h *head, n int, t *table, r rule, pass *uint8) {
	if n > 0 {
		sieveAVX512(h, n, t, r.weights(), pass)
	}
}

func distances512(b *block, t *table, out *[lanes]float32) { distancesAVX512(b, t, out) }

func sieve256(h *head, n int, t *table, r rule, pass *uint8) {
	if n > 0 {
		sieveAVX2(h, n, t, r.weights(), pass)
	}
}

func distances256(b *block, t *table, out *[lanes]float32) { distancesAVX2(b, t, out) }
