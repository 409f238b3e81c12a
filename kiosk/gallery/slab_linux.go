package gallery

import (
	"syscall"
	"time"
	"unsafe"
)

// processorTime is the time that this thread has had of a processor.
func processorTime() time.Duration {
	const thread = 1 // RUSAGE_THREAD of getrusage(2)
	var u syscall.Rusage
	if syscall.Getrusage(thread, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// newSlab returns a zero slab and what gives it back.
func newSlab() (*slab, func()) {
	// A large page spares a scan its look-ups; it has to begin at a multiple of
	// its size, so twice as much is asked for and what is not used never becomes
	// memory. Without large pages a scan is only slower.
	const size = int(unsafe.Sizeof(slab{}))
	m, err := syscall.Mmap(-1, 0, 2*size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return alignedSlab(), func() {}
	}
	at := -int(uintptr(unsafe.Pointer(unsafe.SliceData(m)))) & (size - 1)
	_ = syscall.Madvise(m[at:at+size], syscall.MADV_HUGEPAGE)
	return (*slab)(unsafe.Pointer(unsafe.SliceData(m[at:]))), func() { _ = syscall.Munmap(m) }
}
