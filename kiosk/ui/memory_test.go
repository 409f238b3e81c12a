package ui_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"tambo/kiosk/session/sessiontest"
)

// live is what is in use on the heap after a collection, and what the process
// has of the machine's memory, in bytes.
func live() (heap, resident uint64) {
	runtime.GC()
	runtime.GC() // what the first one freed for others
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	b, _ := os.ReadFile("/proc/self/statm")
	var pages uint64
	if f := strings.Fields(string(b)); len(f) > 1 {
		fmt.Sscan(f[1], &pages)
	}
	return s[0].Value.Uint64(), pages * uint64(os.Getpagesize())
}

// memoryMark is set where this test runs as a program of its own, with a toolkit
// that keeps what it drew for a moment only: it reads that before anything else.
const memoryMark = "TAMBO_TEST_MEMORY"

// settled clears the place of whoever sat there, because the virtual devices hold
// pictures of them of every size, lets the toolkit forget what is not seen any
// more, as it does by itself while a window is painted, and returns what is in
// use then.
func (b *bench) settled() (heap, resident uint64) {
	b.Devices.Empty()
	b.Devices.Lay(nil)
	for range 2 {
		b.w.Canvas().Capture()
		end := time.Now().Add(10500 * time.Millisecond) // it looks every ten seconds
		b.run("the toolkit to forget", func() bool { return time.Now().After(end) })
		b.w.Canvas().Capture()
	}
	return live()
}

// TestMemoryIsFlat takes people in, one after another, through the window's
// controller on a real session, vault and drivers, and what is in use does not
// grow with them: an intake leaves an index card and a few lines. 200 intakes
// with TAMBO_LONG.
func TestMemoryIsFlat(t *testing.T) {
	if os.Getenv(memoryMark) == "" {
		if testing.Short() {
			t.Skip("a measure of memory, not of races")
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemoryIsFlat$", "-test.v", "-test.timeout=60m")
		cmd.Env = append(os.Environ(), memoryMark+"=1", "FYNE_CACHE=1s")
		out, err := cmd.CombinedOutput()
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "_test.go") {
				t.Log(strings.TrimSpace(line))
			}
		}
		if err != nil {
			t.Errorf("%v", err)
		}
		return
	}
	const each = 100 << 10 // bytes that an intake may leave at most
	n, every := 9, 3
	if os.Getenv("TAMBO_LONG") != "" {
		n, every = 200, 20
	}
	b := newBenchSettling(t, time.Millisecond, nil)
	b.signIn(sessiontest.Officer)
	var first, last, resident uint64
	for i := range n {
		b.Devices.SeatStill(uint64(1000+i), 1)
		b.adult(uint64(11 + i))
		b.arrive(fmt.Sprintf("%04d", 1000+i), i == 0)
		for try := uint64(1); ; try++ { // some sit with their eyes half shut
			next, end := b.say.Say("document.put"), time.Now().Add(15*time.Second)
			b.run(next, func() bool { return strings.Contains(b.text(), next) || time.Now().After(end) })
			if strings.Contains(b.text(), next) {
				break
			}
			b.Devices.SeatStill(uint64(5000+i)+1000*try, 1)
		}
		b.document()
		b.touch(b.say.Say("decision.enrol"))
		b.touch(b.say.Say("review.seal"))
		b.touch(b.say.Say("act.done"))
		b.sees(b.say.Say("home.unfinished"))
		if (i+1)%every != 0 || n == 9 && i+1 == 6 {
			continue
		}
		if last, resident = b.settled(); first == 0 {
			first = last
		}
		t.Logf("%d intakes: %.1f MB in use, %d MB resident", i+1, float64(last)/1e6, resident>>20)
	}
	grows := (float64(last) - float64(first)) / float64(n-every)
	t.Logf("each intake left %.0f kB in use", grows/1e3)
	if grows > each {
		t.Errorf("it grows with the people: at most %d kB for each are allowed", each/1000)
	}
}
