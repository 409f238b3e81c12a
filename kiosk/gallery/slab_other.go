//go:build !linux

package gallery

import "time"

// newSlab returns a zero slab and what gives it back.
func newSlab() (*slab, func()) { return alignedSlab(), func() {} }

// processorTime is not known here.
func processorTime() time.Duration { return 0 }
