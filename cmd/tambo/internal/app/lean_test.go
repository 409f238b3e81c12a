package app

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// A large site has room: Go is not left to collect without end below a limit that
// what is in use has reached.
func TestALargeSiteHasRoom(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	t.Setenv("GOMEMLIMIT", "")
	site := make([][]byte, 200)
	for i := range site {
		site[i] = make([]byte, 1<<20)
	}
	runtime.GC()
	breathe()
	if got := debug.SetMemoryLimit(-1); got < 400<<20 {
		t.Errorf("200 MB are in use and Go may take %d MB", got>>20)
	}
	runtime.KeepAlive(site)
	site = nil
	runtime.GC()
	breathe()
	if got := debug.SetMemoryLimit(-1); got > 300<<20 {
		t.Errorf("nothing is in use any more and Go may take %d MB", got>>20)
	}
	t.Setenv("GOMEMLIMIT", "64MiB")
	debug.SetMemoryLimit(64 << 20)
	if breathe(); debug.SetMemoryLimit(-1) != 64<<20 {
		t.Error("what somebody set is not left")
	}
}
