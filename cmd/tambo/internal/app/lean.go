package app

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The window stays small: a kiosk has little memory, and runs for months.
const (
	// goMemory is what Go may take on a kiosk of a small site. What is in use at
	// one time is a third of it; proving a password takes 64 MB more for a moment
	// (RFC 9106).
	goMemory  = 120 << 20
	goGarbage = 60 // percent of what is in use, before it is collected
	// drawn is how long the toolkit keeps what it drew and nobody sees any more.
	drawn = 20 * time.Second
)

// lean has the Go runtime give back what it does not need, unless somebody who
// looks for a fault says otherwise in the environment.
func lean() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(goMemory)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(goGarbage)
	}
}

// breathe sets what Go may take by what is in use: the index of a million irises
// alone takes 70 MB, and a limit that is near to that has Go collect without end,
// with half of the processors.
func breathe() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() == metrics.KindUint64 {
		debug.SetMemoryLimit(max(goMemory, 2*int64(live[0].Value.Uint64())))
	}
}
