//go:build !linux

package gallery

// newSlab returns a zero slab and what gives it back.
func newSlab() (*slab, func()) { return alignedSlab(), func() {} }
