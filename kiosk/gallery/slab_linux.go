package gallery

import (
	"syscall"
	"unsafe"
)

// newSlab returns a zero slab and what gives it back.
func newSlab() (*slab, func()) {
	m, err := syscall.Mmap(-1, 0, int(unsafe.Sizeof(slab{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return alignedSlab(), func() {}
	}
	// Large pages spare a scan its look-ups; without them it is only slower.
	_ = syscall.Madvise(m, syscall.MADV_HUGEPAGE)
	return (*slab)(unsafe.Pointer(unsafe.SliceData(m))), func() { _ = syscall.Munmap(m) }
}
