package kerneltest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
		Init([]string{"/init", "-test.run", run, "-test.v", "-test.parallel", "4", "-test.timeout", "9m"})
	}
	os.Exit(m.Run())
}

// checks is what must have run and passed in the guest: one that was left out
// is a failure.
var checks = []struct{ test, what string }{
	{"TestGuestBus", "usb.Bus on the real libusb and vhci_hcd: the whole conformance suite"},
	{"TestGuestIrisCamera", "iris camera, bulk, taken from the kernel's own driver: the whole conformance suite"},
	{"TestGuestFaceCamera", "face camera, YUY2 and MJPEG: the whole conformance suite"},
	{"TestGuestV4L2", "cameras that the kernel keeps, by /dev/video: the whole conformance suites of iris and face camera"},
	{"TestGuestFallback", "discovery opens a camera through the kernel where raw USB is refused"},
	{"TestGuestScanner", "scanner: the whole conformance suite, with every fault but one that USB/IP cannot carry"},
	{"TestGuestKilled", "kill -9 in mid-transfer: the device opens again"},
	{"TestGuestUVCVideo", "judge: the kernel's uvcvideo and v4l2-ctl list the camera's formats and stream its scene"},
	{"TestGuestIPPUSB", "judge: ipp-usb and sane-airscan's scanimage scan the scanner's page"},
	{"TestGuestHotplug", "discovery follows plugs, tells twins apart, refuses virtual devices on a real bus"},
}

// programs are the packages whose programs judge in the guest.
var programs = []string{"libusb-1.0-0", "v4l-utils", "ipp-usb", "sane-utils", "sane-airscan"}

// modules of the guest's kernel. uvcvideo and usblp are there to be in the way:
// drivers must take their device from them.
var modules = []string{"vhci-hcd", "uvcvideo", "usblp"}

// limit ends a guest that hangs. An idle machine needs a third of it.
const limit = 9*time.Minute + 30*time.Second

// TestOnRealKernel boots the guest and reports what its checks said.
func TestOnRealKernel(t *testing.T) {
	if os.Getenv(envRun) == "" {
		t.Skip("an emulated machine, minutes: make test-usb")
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	m := machine(t, ctx)
	t.Logf("guest made in %.1f s", time.Since(began).Seconds())
	began = time.Now()
	run, stop := context.WithTimeout(ctx, limit)
	defer stop()
	verdicts, logs := map[string]string{}, map[string]*strings.Builder{}
	current := "guest"
	status, err := Boot(run, m, func(line string) {
		if name, ok := strings.CutPrefix(line, "=== RUN   "); ok {
			current, _, _ = strings.Cut(name, "/")
		}
		if v := verdict.FindStringSubmatch(line); v != nil {
			verdicts[v[2]] = v[1]
		}
		if logs[current] == nil {
			logs[current] = &strings.Builder{}
		}
		fmt.Fprintln(logs[current], line)
		if os.Getenv(envOnly) != "" {
			fmt.Println("guest|", line)
		}
	})
	t.Logf("guest ran %.1f s, status %d", time.Since(began).Seconds(), status)
	if err != nil {
		console, _ := os.ReadFile(m.Console)
		t.Errorf("%v\n%s", err, console)
	}
	only, _ := regexp.Compile(os.Getenv(envOnly))
	for _, c := range checks {
		if !only.MatchString(c.test) {
			continue
		}
		t.Run(strings.TrimPrefix(c.test, "TestGuest"), func(t *testing.T) {
			text := ""
			if l := logs[c.test]; l != nil {
				text = l.String()
			}
			if verdicts[c.test] != "PASS" {
				t.Fatalf("%s: %s\n%s", c.what, or(verdicts[c.test], "did not run"), text)
			}
			t.Logf("%s: %d checks passed", c.what, strings.Count(text, "--- PASS"))
			for line := range strings.Lines(text) {
				if _, said, ok := strings.Cut(line, "_test.go:"); ok {
					t.Log(strings.TrimSpace(said))
				}
			}
		})
	}
	if t.Failed() {
		console, _ := os.ReadFile(m.Console)
		t.Logf("the kernel says:\n%s", tail(string(console), 6000))
	}
	if status != 0 && !t.Failed() {
		t.Errorf("the guest ended with status %d:\n%s", status, logs[current])
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
	if only := os.Getenv(envOnly); only != "" {
		m.Env = append(m.Env, envOnly+"="+only)
	}
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
