package kerneltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Variables of the two sides. The first asks for the machine, the second is set
// in it.
const (
	envRun   = "TAMBO_TEST_USB"
	envGuest = "TAMBO_USB_GUEST"
	envOnly  = "TAMBO_USB_ONLY" // a regular expression: only these checks, while one works on them
)

// TestMain is three programs: the tests of this machine, the guest's first
// process, and the tests in the guest.
func TestMain(m *testing.M) {
	if os.Getpid() == 1 {
		run := "^TestGuest"
		if only := os.Getenv(envOnly); only != "" {
			run = only
		}
		Init([]string{"/init", "-test.run", run, "-test.v", "-test.parallel", "4", "-test.timeout", "14m"})
	}
	os.Exit(m.Run())
}

// checks is what must have run and passed in the guests: one that was left out is
// a failure. There are two guests, which run at the same time.
var checks = []struct {
	guest      int
	test, what string
}{
	{0, "TestGuestBus", "usb.Bus on the real libusb and vhci_hcd: the whole conformance suite"},
	{0, "TestGuestIrisCamera", "iris camera, bulk and isochronous, taken from the kernel's own driver: the whole conformance suite"},
	{0, "TestGuestFaceCamera", "face camera, YUY2 bulk and MJPEG isochronous: the whole conformance suite"},
	{1, "TestGuestV4L2", "cameras that the kernel keeps, by /dev/video: the whole conformance suites of iris and face camera"},
	{0, "TestGuestFallback", "discovery opens a camera through the kernel where raw USB is refused"},
	{1, "TestGuestScanner", "scanner: the whole conformance suite, with every fault but one that USB/IP cannot carry"},
	{1, "TestGuestTwoFunctions", "a device with two video functions: one by raw USB while the kernel keeps the other, and both by raw USB at once"},
	{0, "TestGuestKilled", "kill -9 in mid-transfer: the device opens again"},
	{0, "TestGuestUVCVideo", "judge: the kernel's uvcvideo and v4l2-ctl list the camera's formats and stream its scene"},
	{1, "TestGuestIPPUSB", "judge: ipp-usb and sane-airscan's scanimage scan the scanner's page"},
	{1, "TestGuestHubReset", "a hub resets under two cameras of one kind: both gone, both back at their ports"},
	{0, "TestGuestHotplug", "discovery follows plugs, tells twins apart, refuses virtual devices on a real bus"},
}

// guests is how many there are.
const guests = 2

// programs are the packages whose programs judge in the guest.
var programs = []string{"libusb-1.0-0", "v4l-utils", "ipp-usb", "sane-utils", "sane-airscan"}

// modules of the guest's kernel. uvcvideo and usblp are there to be in the way:
// drivers must take their device from them.
var modules = []string{"vhci-hcd", "uvcvideo", "usblp"}

// limit ends a guest that hangs. An idle machine needs a few minutes.
const limit = 15 * time.Minute

// report is what one guest said.
type report struct {
	asked    int
	verdicts map[string]string // by check: PASS, FAIL or SKIP
	logs     map[string]*strings.Builder
	console  string
	status   int
	err      error
}

// TestOnRealKernel boots the guests and reports what their checks said.
func TestOnRealKernel(t *testing.T) {
	if os.Getenv(envRun) == "" {
		t.Skip("an emulated machine, minutes: make test-usb")
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	m := machine(t, ctx)
	t.Logf("image made in %.1f s", time.Since(began).Seconds())
	only, err := regexp.Compile(os.Getenv(envOnly))
	if err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	reports := make([]*report, guests)
	var all sync.WaitGroup
	for g := range guests {
		all.Go(func() { reports[g] = runGuest(ctx, m, g, only) })
	}
	all.Wait()
	t.Logf("%d guests ran %.1f s", guests, time.Since(began).Seconds())
	for g, r := range reports {
		if r.asked > 0 && (r.err != nil || r.status != 0) {
			t.Errorf("guest %d ended with status %d, %v; its kernel says:\n%s", g, r.status, r.err, r.console)
		}
	}
	for _, c := range checks {
		if only.MatchString(c.test) {
			t.Run(strings.TrimPrefix(c.test, "TestGuest"), func(t *testing.T) { reports[c.guest].tell(t, c.test, c.what) })
		}
	}
}

// runGuest boots one guest for its share of the checks.
func runGuest(ctx context.Context, m Machine, g int, only *regexp.Regexp) *report {
	r := &report{verdicts: map[string]string{}, logs: map[string]*strings.Builder{}}
	var names []string
	for _, c := range checks {
		if c.guest == g && only.MatchString(c.test) {
			names = append(names, c.test)
		}
	}
	if r.asked = len(names); r.asked == 0 {
		return r
	}
	m.Console += strconv.Itoa(g)
	m.Env = append(slices.Clone(m.Env), envOnly+"=^("+strings.Join(names, "|")+")$")
	ctx, stop := context.WithTimeout(ctx, limit)
	defer stop()
	current := "guest"
	r.status, r.err = Boot(ctx, m, func(line string) {
		if name, ok := strings.CutPrefix(line, "=== RUN   "); ok {
			current, _, _ = strings.Cut(name, "/")
		}
		if v := verdict.FindStringSubmatch(line); v != nil {
			r.verdicts[v[2]] = v[1]
			fmt.Println("test-usb:", line) // minutes pass: say that it goes on
		}
		if r.logs[current] == nil {
			r.logs[current] = &strings.Builder{}
		}
		fmt.Fprintln(r.logs[current], line)
	})
	if console, err := os.ReadFile(m.Console); err == nil {
		for line := range strings.Lines(string(console)) {
			if !chatter.MatchString(line) {
				r.console += line
			}
		}
		r.console = tail(r.console, 6000)
	}
	return r
}

// chatter is what vhci_hcd says of what is no fault: frame numbers that it does not
// count, and unlinks of a device that hung up.
var chatter = regexp.MustCompile(`Not yet implemented|not connected|callbacks suppressed`)

// tell reports one check.
func (r *report) tell(t *testing.T, test, what string) {
	text := ""
	if l := r.logs[test]; l != nil {
		text = l.String()
	}
	if r.verdicts[test] != "PASS" {
		t.Fatalf("%s: %s\n%s", what, or(r.verdicts[test], "did not run"), text)
	}
	t.Logf("%s: %d checks passed", what, strings.Count(text, "--- PASS"))
	for line := range strings.Lines(text) {
		if _, said, ok := strings.Cut(line, "_test.go:"); ok {
			_, said, _ = strings.Cut(said, ": ")
			t.Log(strings.TrimSpace(said))
		}
	}
}

var verdict = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (TestGuest\w+)`)

func or(s, def string) string {
	if s == "" {
		return def
	}
	return s
}

// machine makes the guest out of this test program.
func machine(t *testing.T, ctx context.Context) Machine {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	kit, err := Fetch(ctx, filepath.Join(cache, "tambo", "kerneltest"), programs, func(s string) { fmt.Println("test-usb:", s) })
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	i := NewImage(kit)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(i.Program("/init", self))
	must(i.Modules(ctx, modules...))
	judges(t, i)
	dir := t.TempDir()
	m := Machine{Kernel: kit.Kernel, Image: filepath.Join(dir, "initrd"), Console: filepath.Join(dir, "console"), Memory: 1536,
		Env: []string{envGuest + "=1"}}
	must(i.WriteFile(m.Image))
	if fi, err := os.Stat(m.Image); err == nil {
		t.Logf("kernel %s, %d modules, image of %d MiB", kit.Release, len(i.order), fi.Size()>>20)
	}
	return m
}

// guest skips what can only run in the guest.
func guest(t *testing.T) {
	t.Helper()
	if os.Getenv(envGuest) == "" {
		t.Skip("runs in the virtual machine: TestOnRealKernel")
	}
}
