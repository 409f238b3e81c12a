package app

import (
	"cmp"
	"fmt"
	"os"
	"regexp"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
)

// memory is how much a process has, in bytes, and whose it is.
type memory struct {
	Resident uint64 // all of it
	Go       uint64 // what the Go runtime took and has not given back
	Live     uint64 // of Go: objects on the heap
	Drawing  uint64 // neither Go's nor a file's: the graphics library's own, and C's
	Files    uint64 // pages of files: this program, libraries, the vault
	Software uint64 // of Files: libraries that only a renderer without a graphics card needs
}

// memoryNow asks this process.
func memoryNow() memory {
	names := []string{"/memory/classes/total:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/heap/objects:bytes"}
	samples := make([]metrics.Sample, len(names))
	for i := range samples {
		samples[i].Name = names[i]
	}
	metrics.Read(samples)
	total, released, live := samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64()
	m := memory{Go: total - released, Live: live}
	b, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return m
	}
	file, software := false, false
	var own uint64
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) >= 5 && strings.Contains(f[0], "-") && !strings.HasSuffix(f[0], ":") {
			file = len(f) > 5 && strings.HasPrefix(f[5], "/")
			software = file && rendererFile.MatchString(f[5])
			continue
		}
		if len(f) < 2 || f[0] != "Rss:" {
			continue
		}
		var kb uint64
		fmt.Sscan(f[1], &kb)
		m.Resident += kb << 10
		switch {
		case !file:
			own += kb << 10
		case software:
			m.Software += kb << 10
			fallthrough
		default:
			m.Files += kb << 10
		}
	}
	m.Drawing = own - min(own, m.Go)
	return m
}

// rendererFile are the libraries of Mesa's software renderer, which draws with
// code that it compiles at run time.
var rendererFile = regexp.MustCompile(`/(libLLVM|swrast_dri|libgallium|kms_swrast|libz3|libicudata|libicuuc|libxml2|libedit)`)

func (m memory) String() string {
	mb := func(n uint64) string { return fmt.Sprintf("%d MB", (n+1<<19)>>20) }
	return fmt.Sprintf("resident %s: Go %s (%s in use), the graphics library's own and C %s, files %s (of these a software renderer's %s)",
		mb(m.Resident), mb(m.Go), mb(m.Live), mb(m.Drawing), mb(m.Files), mb(m.Software))
}

func (o *officer) memory(when string) memory {
	o.t.Helper()
	var m memory
	o.check(o.ask("memory", &m))
	o.t.Logf("%s: %s", when, m)
	return m
}

// intake takes a person who is nobody yet from home to home.
func (o *officer) intake(wristband string, first bool) {
	o.t.Helper()
	o.arrive(wristband, first)
	o.document(false)
	o.touch(o.say.Say("decision.enrol"))
	o.touch(o.say.Say("review.seal"))
	o.sees(o.say.Say("slip.sealed"))
	o.touch(o.say.Say("act.done"))
	o.sees(o.say.Say("home.unfinished"))
}

// TestTheWindowsMemory: the real window is smaller than was promised, also with
// a renderer that needs no graphics card, and stays as large as it was, intake
// after intake. (200 intakes of the controller alone are in package ui's tests.)
func TestTheWindowsMemory(t *testing.T) {
	const promised = 300 << 20
	o := newOfficer(t)
	o.shots = ""
	o.sees(o.say.Say("signin.title"))
	o.memory("nobody signed in")
	o.signIn("of-1", "training officer")
	all := []memory{o.memory("signed in")}
	const n = 12
	for i := range n {
		o.seat(10 + i)
		o.intake(fmt.Sprintf("%04d", 500+i), i == 0)
		all = append(all, o.memory(fmt.Sprintf("%d intakes", i+1)))
	}
	worst := slices.MaxFunc(all, func(a, b memory) int { return cmp.Compare(a.Resident, b.Resident) })
	if worst.Resident > promised {
		t.Errorf("the window took %s", worst)
	}
	mean := func(part []memory) (sum float64) {
		for _, m := range part {
			sum += float64(m.Resident) / float64(len(part))
		}
		return sum
	}
	before, after := mean(all[n/3:2*n/3]), mean(all[n-n/3:])
	t.Logf("the last %d intakes against %d before: %.2f", n/3, n/3, after/before)
	if after > 1.2*before {
		t.Errorf("it grows: from %.0f to %.0f MB", before/(1<<20), after/(1<<20))
	}
	if path := os.Getenv("TAMBO_HEAP_PROFILE"); path != "" {
		var b []byte
		o.check(o.ask("heap", &b))
		o.check(os.WriteFile(path, b, 0o600))
	}
}
