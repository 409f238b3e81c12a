package iris

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// The assembly counts on these places.
const (
	_ = -(unsafe.Offsetof(code{}.bits))
	_ = -(unsafe.Offsetof(code{}.mask) ^ 2048)
	_ = -(unsafe.Offsetof(tally{}.n) ^ 128)
	_ = -(unsafe.Offsetof(turning{}.half) ^ 128)
	_ = -(unsafe.Offsetof(turning{}.right) ^ 192)
)

// ways lists what this processor can do, the fastest first.
func ways() (w []way) {
	x := &cpu.X86
	if x.HasAVX512F && x.HasAVX512VPOPCNTDQ && x.HasAVX512VBMI2 {
		w = append(w, avx512)
	}
	if x.HasAVX2 {
		w = append(w, avx2)
	}
	return append(w, portable)
}

func (w way) countFast(out *tally, a, b *code, t *turning) {
	if w == avx512 {
		countAVX512(out, a, b, t)
		return
	}
	countAVX2(out, a, b, t)
}

//go:noescape
func countAVX512(out *tally, a, b *code, t *turning)

//go:noescape
func countAVX2(out *tally, a, b *code, t *turning)
