package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tambo/kiosk/ui/uitest"
	"tambo/kiosk/ui/words"
)

// The display without a screen.
const screenWidth, screenHeight = 1280, 800

// officer is a person before the real window.
type officer struct {
	t       *testing.T
	say     *words.Book
	dir     string
	shots   string
	eyes    string
	display string
	people  io.Writer // seats people at the camera
	touches int
	fresh   bool        // signed in, and nobody has arrived since
	killed  atomic.Bool // the window was killed meanwhile: what was begun is given up
	seen    func()      // after every step
	hard    int         // of these, for what is not ordinary: an expired document, a row that wants a look
}

func newOfficer(t *testing.T) *officer {
	t.Helper()
	if os.Getenv(windowMark) == "" {
		t.Skip("the real window is tested by `make test-window`")
	}
	for _, p := range []string{"Xvfb", "xdotool", "import"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
	o := &officer{t: t, say: words.New(words.Spanish), dir: t.TempDir()}
	if out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output(); err == nil {
		o.shots = filepath.Join(strings.TrimSpace(string(out)), "docs", "screens")
		o.check(os.MkdirAll(o.shots, 0o755))
	}
	o.eyes = filepath.Join(o.dir, "eyes")
	bin := filepath.Join(o.dir, "bin")
	o.check(os.MkdirAll(bin, 0o755))
	for _, p := range []string{"tambo-hub", "tambo-devsim", "tambo-diag"} {
		if out, err := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, p), "tambo/cmd/"+p).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", p, err, out)
		}
	}
	self, err := os.Executable()
	o.check(err)
	o.check(os.Symlink(self, filepath.Join(bin, "tambo")))

	o.display = startDisplay(t)
	cmd := exec.Command(filepath.Join(bin, "tambo-diag"), "walk", "--window", "--verbose", "--dir", filepath.Join(o.dir, "run"))
	cmd.Env = append(os.Environ(), "DISPLAY="+o.display, "WAYLAND_DISPLAY=", "HOME="+o.dir, "LANG=C.UTF-8", eyesMark+"="+o.eyes)
	in, err := cmd.StdinPipe()
	o.check(err)
	o.people = in
	log := &lineLog{t: t}
	cmd.Stdout, cmd.Stderr = log, log
	o.check(bound(cmd, syscall.SIGTERM))
	t.Cleanup(func() {
		defer o.leaveNone()
		cmd.Process.Signal(syscall.SIGTERM)
		done := make(chan struct{})
		go func() { cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			t.Error("the kiosk does not end when it is asked to")
			cmd.Process.Kill()
		}
	})
	return o
}

// bound starts a program that gets a signal when this test ends, also when it
// ends by a timeout or is killed.
func bound(cmd *exec.Cmd, sig syscall.Signal) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: sig}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // the signal comes when the thread ends that started it
		started <- cmd.Start()
		select {}
	}()
	return <-started
}

// running are the processes that have this test's folder in their command line.
func (o *officer) running() map[int]string {
	found := map[int]string{}
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range all {
		b, _ := os.ReadFile(p)
		if c := strings.ReplaceAll(string(b), "\x00", " "); strings.Contains(c, o.dir) {
			var pid int
			fmt.Sscanf(p, "/proc/%d/", &pid)
			found[pid] = c
		}
	}
	return found
}

// leaveNone ends what was left behind, and says so.
func (o *officer) leaveNone() {
	for end := time.Now().Add(10 * time.Second); len(o.running()) > 0 && time.Now().Before(end); {
		time.Sleep(100 * time.Millisecond)
	}
	for pid, what := range o.running() {
		o.t.Errorf("left behind: %d %s", pid, what)
		syscall.Kill(pid, syscall.SIGKILL)
	}
}

// startDisplay starts a display without a screen, on a number that is free.
func startDisplay(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	// It stays as it is when its last client, a window that is killed, goes.
	x := exec.Command("Xvfb", "-displayfd", "3", "-noreset", "-screen", "0", fmt.Sprintf("%dx%dx24", screenWidth, screenHeight), "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	err = bound(x, syscall.SIGKILL)
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Process.Kill(); x.Wait() })
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb does not start: %v", err)
	}
	return ":" + strings.TrimSpace(number)
}

type lineLog struct{ t *testing.T }

func (l *lineLog) Write(p []byte) (int, error) {
	for s := bufio.NewScanner(strings.NewReader(string(p))); s.Scan(); {
		l.t.Log(s.Text())
	}
	return len(p), nil
}

func (o *officer) check(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// killed ends what an officer was at when the window went away.
type killed struct{}

const patience = 90 * time.Second // of somebody before a busy machine

// until waits for something, as long as the patience lasts.
func (o *officer) until(what string, ok func() bool) {
	o.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(50 * time.Millisecond) {
		if o.killed.Load() {
			panic(killed{})
		}
		if time.Now().After(end) {
			o.shot("failed")
			s, _ := o.see()
			o.t.Fatalf("%s: waited in vain; the screen shows %q", what, s.words())
		}
	}
}

// ask asks the window.
func (o *officer) ask(what string, answer any) error {
	c, err := net.DialTimeout("unix", o.eyes, time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if err := json.NewEncoder(c).Encode(what); err != nil {
		return err
	}
	if raw, ok := answer.(*[]byte); ok {
		*raw, err = io.ReadAll(c)
		return err
	}
	return json.NewDecoder(c).Decode(answer)
}

func (o *officer) see() (sight, error) {
	var s sight
	err := o.ask("look", &s)
	return s, err
}

// shielded: a page that has just come takes no touch yet. What lies over
// everything and says nothing is the shield.
func (s sight) shielded() bool {
	for _, x := range s.Things {
		if x.Touch && x.Text == "" && x.W >= screenWidth && x.H >= screenHeight {
			return true
		}
	}
	return false
}

func (s sight) words() string {
	var all []string
	for _, x := range s.Things {
		if !x.Touch && x.Text != "" {
			all = append(all, x.Text)
		}
	}
	return strings.Join(all, " ")
}

// plain takes out what only breaks or holds lines together.
func plain(s string) string {
	return strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(s, "\u00a0", " ")), " "))
}

// sees waits until the screen says something.
func (o *officer) sees(text string) {
	o.t.Helper()
	o.until(fmt.Sprintf("%q", text), func() bool {
		s, err := o.see()
		return err == nil && strings.Contains(plain(s.words()), plain(text))
	})
}

// touch waits for something that can be touched, and touches it with the mouse.
func (o *officer) touch(text string) {
	o.t.Helper()
	var at thing
	o.until("to touch "+text, func() bool {
		s, err := o.see()
		if err != nil {
			return false
		}
		found := false
		for _, x := range s.Things {
			if x.Touch && x.W > 1000 && x.H > 600 {
				return false // a page that has just come takes no touch; nor is a person faster
			}
			if !found && x.Touch && !x.Off && strings.HasPrefix(plain(x.Text), plain(text)) && x.W > 0 {
				at, found = x, true
			}
		}
		return found
	})
	o.touches++
	o.tap(at)
}

// tap clicks in the middle of something.
func (o *officer) tap(at thing) {
	o.t.Helper()
	o.tool("mousemove", fmt.Sprint(int(at.X+at.W/2)), fmt.Sprint(int(at.Y+at.H/2)), "click", "1")
	time.Sleep(150 * time.Millisecond)
}

func (o *officer) tool(args ...string) {
	o.t.Helper()
	cmd := exec.Command("xdotool", args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+o.display)
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Fatalf("xdotool %v: %v %s", args, err, out)
	}
}

func (o *officer) types(text string) { o.tool("type", "--delay", "30", text) }
func (o *officer) key(name string)   { o.tool("key", name); time.Sleep(100 * time.Millisecond) }

// shot keeps a picture of the screen.
func (o *officer) shot(name string) {
	if o.shots == "" {
		return
	}
	time.Sleep(400 * time.Millisecond)
	cmd := exec.Command("import", "-window", "root", "png:-")
	cmd.Env = append(os.Environ(), "DISPLAY="+o.display)
	out, err := cmd.Output()
	if err != nil {
		o.t.Logf("picture %s: %v", name, err)
		return
	}
	img, err := png.Decode(bytes.NewReader(out))
	o.check(err)
	o.check(uitest.Write(filepath.Join(o.shots, name+".png"), img))
}

func (o *officer) signIn(label, password string) {
	o.t.Helper()
	o.fresh = true
	o.sees(o.say.Say("signin.title"))
	o.until("the vault to open", func() bool {
		s, err := o.see()
		return err == nil && !strings.Contains(plain(s.words()), plain(o.say.Say("signin.working")))
	})
	o.types(label)
	o.key("Tab")
	o.types(password)
	o.key("Return")
	o.sees(o.say.Say("home.report"))
}

// van makes an arrival list.
func (o *officer) van(origin string, people int) {
	o.t.Helper()
	o.touch(o.say.Say("home.newList"))
	o.touch(o.say.Say("arrivals.origin"))
	o.types(origin)
	o.key("Return")
	o.key("Return") // no first number
	o.touch(o.say.Say("arrivals.authority"))
	o.touch("Specimen Prison Act")
	for range people {
		o.touch("+")
	}
	o.touch(o.say.Say("arrivals.begin"))
	o.sees(o.say.Say("row.notBegun"))
}

// arrive begins a person and confirms the arrival.
//
// first: what repeats for a shift is chosen now, as after every lock.
func (o *officer) arrive(wristband string, first bool) {
	o.t.Helper()
	o.touch(o.say.Say("home.new"))
	o.sees(o.say.Say("arrival.wristband"))
	o.types(wristband)
	o.key("Return")
	if o.fresh = false; first { // what repeats for the shift
		o.touch(o.say.Say("arrival.why"))
		o.touch("Specimen Prison Act")
		o.touch(o.say.Say("arrival.category"))
		o.touch(o.say.Say("category.remand"))
	}
	o.touch(o.say.Say("band.adult"))
	o.told(wristband)
}

// told confirms the arrival of somebody whose age band was chosen.
func (o *officer) told(wristband string) {
	o.t.Helper()
	o.touch(o.say.Say("basis.stated"))
	o.touch(o.say.Say("notice.read"))
	if wristband == "0417" {
		o.shot("3-arrival")
	}
	o.touch(o.say.Say("act.goOn"))
}

// document reads the page and confirms who it says it is.
func (o *officer) document(first bool) {
	o.t.Helper()
	o.touch(o.say.Say("document.scan"))
	for range 9 { // rows that want a look or an answer
		next, expired := o.pageAsks()
		if next {
			break
		}
		if o.hard == 0 {
			o.shot("5-document-asks")
		}
		if expired {
			o.touch(o.say.Say("answer.expired"))
			o.hard++
		} else {
			o.touch(o.say.Say("answer.looked"))
			o.hard++
		}
	}
	if first {
		o.shot("5-document")
	}
	o.touch(o.say.Say("next.identity"))
	o.sees(o.say.Say("step.identity"))
	if first {
		o.shot("6-identity")
	}
	o.touch(o.say.Say("identity.confirm"))
}

// pageAsks waits for the page and says whether the way on is open, and if not,
// whether an expired document wants an answer; else a row wants a look.
func (o *officer) pageAsks() (next, expired bool) {
	o.t.Helper()
	o.until("the page", func() bool {
		s, err := o.see()
		if err != nil || s.shielded() || !strings.Contains(plain(s.words()), plain(o.say.Say("field.surname"))) {
			return false
		}
		looked := false
		for _, x := range s.Things {
			ready := x.Touch && !x.Off
			next = next || ready && strings.HasPrefix(plain(x.Text), plain(o.say.Say("next.identity")))
			looked = looked || ready && plain(x.Text) == plain(o.say.Say("answer.looked"))
			expired = expired || ready && strings.HasPrefix(plain(x.Text), plain(o.say.Say("answer.expired")))
		}
		return next || looked || expired
	})
	return next, expired
}

// scene tells the simulator what its devices see: see package control.
func (o *officer) scene(request string) {
	o.t.Helper()
	c, err := net.Dial("unix", filepath.Join(o.dir, "run", "devsim.sock"))
	o.check(err)
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintln(c, request)
	answer, err := bufio.NewReader(c).ReadString('\n')
	o.check(err)
	if strings.TrimSpace(answer) != "ok" {
		o.t.Fatalf("%s: the simulator says %s", request, answer)
	}
}

func (o *officer) seat(n int) {
	o.t.Helper()
	fmt.Fprintln(o.people, n)
	time.Sleep(500 * time.Millisecond)
}
