package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetest "fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/words"
)

// The window is tested whole: this test binary takes the place of bin/tambo
// (only to tell where things lie on the screen), tambo-diag starts it with a hub
// and virtual devices as `make run` does, and xdotool is the person.
const (
	eyesMark   = "TAMBO_TEST_EYES"   // socket on which the window tells what it shows
	windowMark = "TAMBO_TEST_WINDOW" // set by make test-window
)

func TestMain(m *testing.M) {
	if path := os.Getenv(eyesMark); path != "" {
		if os.Getenv(childMark) != "" {
			os.Remove(path)
			l, err := net.Listen("unix", path)
			if err != nil {
				panic(err)
			}
			go tellEyes(l)
		}
		os.Exit(Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// thing is something on the screen.
type thing struct {
	Text       string
	X, Y, W, H float32
	Touch      bool // one can touch it
	Off        bool // it is grey
}

type sight struct {
	Pid    int
	Things []thing
}

// tellEyes answers every connection with what the window shows.
func tellEyes(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s := sight{Pid: os.Getpid()}
		if a := fyne.CurrentApp(); a != nil {
			fyne.DoAndWait(func() {
				for _, w := range a.Driver().AllWindows() {
					look(w.Canvas().Content(), fyne.Position{}, &s.Things)
				}
			})
		}
		json.NewEncoder(conn).Encode(s)
		conn.Close()
	}
}

func look(o fyne.CanvasObject, at fyne.Position, out *[]thing) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	t := thing{X: at.X, Y: at.Y, W: o.Size().Width, H: o.Size().Height}
	_, t.Touch = o.(fyne.Tappable)
	if d, ok := o.(fyne.Disableable); ok {
		t.Off = d.Disabled()
	}
	i := len(*out)
	*out = append(*out, t)
	switch o := o.(type) {
	case *fyne.Container:
		for _, x := range o.Objects {
			look(x, at, out)
		}
	case *canvas.Text:
		(*out)[i].Text = o.Text
		return
	case fyne.Widget:
		for _, x := range fynetest.WidgetRenderer(o).Objects() {
			look(x, at, out)
		}
	}
	var text []string
	for _, x := range (*out)[i+1:] {
		if x.Text != "" && !x.Touch {
			text = append(text, x.Text)
		}
	}
	if t.Touch {
		(*out)[i].Text = strings.Join(text, " ")
	}
}

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
	hard    int // of these, for what is not ordinary: an expired document, a row that wants a look
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
	o := &officer{t: t, say: words.New(words.Spanish), dir: t.TempDir(), display: ":83"}
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

	x := exec.Command("Xvfb", o.display, "-screen", "0", "1280x800x24", "-nolisten", "tcp")
	o.check(x.Start())
	t.Cleanup(func() { x.Process.Kill(); x.Wait() })
	o.until("the display", func() bool {
		c, err := net.Dial("unix", "/tmp/.X11-unix/X83")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	cmd := exec.Command(filepath.Join(bin, "tambo-diag"), "walk", "--window", "--verbose", "--dir", filepath.Join(o.dir, "run"))
	cmd.Env = append(os.Environ(), "DISPLAY="+o.display, "WAYLAND_DISPLAY=", "HOME="+o.dir, "LANG=C.UTF-8", eyesMark+"="+o.eyes)
	in, err := cmd.StdinPipe()
	o.check(err)
	o.people = in
	log := &lineLog{t: t}
	cmd.Stdout, cmd.Stderr = log, log
	o.check(cmd.Start())
	t.Cleanup(func() {
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

// until waits for something, at most half a minute.
func (o *officer) until(what string, ok func() bool) {
	o.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			o.shot("failed")
			s, _ := o.see()
			o.t.Fatalf("%s: waited in vain; the screen shows %q", what, s.words())
		}
	}
}

func (o *officer) see() (sight, error) {
	c, err := net.DialTimeout("unix", o.eyes, time.Second)
	if err != nil {
		return sight{}, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	var s sight
	return s, json.NewDecoder(c).Decode(&s)
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
		for _, x := range s.Things {
			if x.Touch && !x.Off && strings.HasPrefix(plain(x.Text), plain(text)) && x.W > 0 {
				at = x
				return true
			}
		}
		return false
	})
	o.touches++
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
	cmd := exec.Command("import", "-window", "root", "-colors", "200", "-depth", "8", "-define", "png:compression-level=9", filepath.Join(o.shots, name+".png"))
	cmd.Env = append(os.Environ(), "DISPLAY="+o.display)
	if out, err := cmd.CombinedOutput(); err != nil {
		o.t.Logf("picture %s: %v %s", name, err, out)
	}
}

func (o *officer) signIn(label, password string) {
	o.t.Helper()
	o.sees(o.say.Say("signin.title"))
	o.until("the vault to open", func() bool {
		s, err := o.see()
		return err == nil && !strings.Contains(plain(s.words()), plain(o.say.Say("signin.working")))
	})
	o.types(label)
	o.key("Tab")
	o.types(password)
	o.key("Return")
	o.sees(o.say.Say("home.unfinished"))
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
	if first { // what repeats for the shift
		o.touch(o.say.Say("arrival.why"))
		o.touch("Specimen Prison Act")
		o.touch(o.say.Say("arrival.category"))
		o.touch(o.say.Say("category.remand"))
	}
	o.touch(o.say.Say("band.adult"))
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
		var next, looked, expired bool
		o.until("the page", func() bool {
			s, err := o.see()
			if err != nil || !strings.Contains(plain(s.words()), plain(o.say.Say("field.surname"))) {
				return false
			}
			for _, x := range s.Things {
				ready := x.Touch && !x.Off
				next = next || ready && strings.HasPrefix(plain(x.Text), plain(o.say.Say("next.identity")))
				looked = looked || ready && plain(x.Text) == plain(o.say.Say("answer.looked"))
				expired = expired || ready && plain(x.Text) == plain(o.say.Say("answer.expired"))
			}
			return next || looked || expired
		})
		if next {
			break
		}
		if o.hard == 0 {
			o.shot("5-document-asks")
		}
		if expired {
			o.touch(o.say.Say("answer.expired"))
			o.touch(o.say.Say("expired.only"))
			o.hard += 2
		} else {
			o.touch(o.say.Say("answer.looked"))
			o.hard++
		}
	}
	if first {
		o.shot("5-document")
	}
	o.touch(o.say.Say("next.identity"))
	o.sees(o.say.Say("identity.title"))
	if first {
		o.shot("6-identity")
	}
	o.touch(o.say.Say("identity.confirm"))
}

func (o *officer) seat(n int) {
	o.t.Helper()
	fmt.Fprintln(o.people, n)
	time.Sleep(500 * time.Millisecond)
}

func TestTheWholeWindow(t *testing.T) {
	o := newOfficer(t)
	say := o.say.Say
	o.sees(say("signin.title"))
	o.shot("1-sign-in")
	o.signIn("of-1", "training officer")
	o.shot("2-home")

	t.Log("a newcomer; what is chosen once for the shift is chosen here")
	o.arrive("0417", true)
	o.sees(say("eye.right"))
	time.Sleep(700 * time.Millisecond)
	o.shot("4-irises")
	o.document(true)
	o.sees(say("decision.title"))
	o.shot("7-decision")
	o.touch(say("decision.enrol"))
	o.sees(say("review.title"))
	o.shot("8-review")
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.shot("9-slip")
	o.touch(say("act.done"))
	o.sees(say("home.unfinished"))

	t.Log("a stranger, counted")
	o.seat(3)
	o.touches, o.hard = 0, 0
	o.arrive("0418", false)
	o.document(false)
	o.touch(say("decision.enrol"))
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))
	t.Logf("an intake took %d touches besides typing, %d of them because the document had expired or was doubtful", o.touches, o.hard)
	if o.touches-o.hard > 12 {
		t.Errorf("an ordinary intake took %d touches, promised are 12", o.touches-o.hard)
	}

	t.Log("somebody on a list, in two languages, held, and the second person")
	o.seat(2)
	o.arrive("0419", false)
	o.sees(say("found.seeDecision"))
	o.shot("10-irises-hit")
	o.touch(say("next.document"))
	o.document(false)
	o.sees("No lo deje salir")
	o.shot("11-decision-hit")
	o.touch("ES")
	o.sees("Do not let the person leave")
	o.shot("12-decision-hit-english")
	o.touch("EN")
	o.touch(say("verdict.same person"))
	o.touch(say("decision.refer"))
	o.touch(say("review.hold"))
	o.sees("segunda persona")
	o.touch(say("act.done"))
	o.shot("13-home-held")
	o.touch("0419")
	o.sees(say("held.title"))
	o.shot("14-held")
	o.touch(say("held.sign"))
	o.types("su-1")
	o.key("Tab")
	o.types("training supervisor")
	o.key("Return")
	o.sees("No lo deje salir")
	o.shot("15-second-person")
	o.touch(say("verdict.same person"))
	o.touch(say("held.approve"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))

	t.Log("one eye only")
	o.seat(5)
	o.arrive("0420", false)
	o.touch(say("irises.oneEye"))
	o.touch(say("eye.left"))
	o.touch(say("except.bandaged"))
	o.shot("16-exception")
	o.touch(say("except.record"))
	o.document(false)
	o.sees(say("decision.title"))

	t.Log("the power is cut in the middle")
	s, err := o.see()
	o.check(err)
	o.check(syscall.Kill(s.Pid, syscall.SIGKILL))
	o.until("the window to come back", func() bool {
		again, err := o.see()
		return err == nil && again.Pid != s.Pid
	})
	o.signIn("of-1", "training officer")
	o.shot("17-home-after-a-cut")
	o.touch("0420")
	o.types("0420")
	o.key("Return")
	o.sees(say("resume.title"))
	o.touch(say("resume.go"))
	o.sees(say("decision.title"))
	o.touch(say("act.park"))
	o.sees(say("home.unfinished"))

	t.Log("health, from the sign-in screen")
	o.touch(say("act.lock"))
	o.sees(say("locked.title"))
	o.shot("18-locked")
	o.touch(say("locked.other"))
	o.touch(say("signin.fault"))
	o.sees(say("health.note"))
	time.Sleep(time.Second)
	o.shot("19-health")
	o.key("Escape")
	o.sees(say("signin.title"))

	t.Log("the hub is away")
	o.check(killHub(o.dir))
	o.signIn("of-1", "training officer")
	o.seat(7)
	o.arrive("0421", true)
	o.document(false)
	o.touch(say("decision.enrol"))
	o.touch(say("review.seal"))
	o.sees(say("slip.sealed"))
	o.touch(say("act.done"))
	o.sees(say("home.unfinished"))
	o.touch(say("home.hub"))
	o.sees(say("queue.waiting"))
	o.sees("0421")
	o.shot("20-queue")
	o.key("Escape")
	o.sees(say("home.unfinished"))

	s, err = o.see()
	o.check(err)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid))
	o.check(err)
	for _, line := range strings.Split(string(status), "\n") {
		if strings.HasPrefix(line, "VmRSS") || strings.HasPrefix(line, "VmHWM") {
			t.Log("the window's memory, software renderer included:", line)
		}
	}
	t.Log("random touches and keys")
	o.monkey(300)
}

// monkey touches and types at random. The window must live, answer, and be the
// same process.
func (o *officer) monkey(n int) {
	o.t.Helper()
	before, err := o.see()
	o.check(err)
	r := rand.New(rand.NewPCG(1, 2))
	keys := []string{"Tab", "Return", "space", "Escape", "a", "7", "BackSpace", "shift+Tab"}
	worst := time.Duration(0)
	for i := range n {
		if r.IntN(3) == 0 {
			o.tool("key", keys[r.IntN(len(keys))])
		} else {
			o.tool("mousemove", fmt.Sprint(r.IntN(1280)), fmt.Sprint(r.IntN(800)), "click", "1")
		}
		if i%10 == 0 {
			start := time.Now()
			s, err := o.see()
			if err != nil {
				o.t.Fatalf("after %d touches: %v", i, err)
			}
			if s.Pid != before.Pid {
				o.t.Fatalf("after %d touches the window is another one", i)
			}
			worst = max(worst, time.Since(start))
		}
	}
	o.t.Logf("%d random touches and keys; the slowest answer took %s", n, worst.Round(time.Millisecond))
}

// killHub ends the hub of this test's folder, by its process id.
func killHub(dir string) error {
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range all {
		b, _ := os.ReadFile(p)
		if c := string(b); strings.Contains(c, "tambo-hub\x00serve") && strings.Contains(c, dir) {
			var pid int
			fmt.Sscanf(p, "/proc/%d/", &pid)
			return syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	return errors.New("no hub runs here")
}
