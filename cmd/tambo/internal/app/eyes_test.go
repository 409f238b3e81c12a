package app

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetest "fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/widgets"
)

// The window is tested whole: this test binary takes the place of bin/tambo
// (only to tell where things lie on the screen), tambo-diag starts it with a hub
// and virtual devices as `make run` does, and xdotool is the person.
const (
	eyesMark   = "TAMBO_TEST_EYES"   // socket on which the window tells what it shows
	windowMark = "TAMBO_TEST_WINDOW" // set by make test-window
)

// marker stands for what is about a person.
const marker = "OLLANTA-DABROWSKI-1987"

func TestMain(m *testing.M) {
	if path := os.Getenv(eyesMark); path != "" {
		within = 5 * time.Second // tests kill it more often than that
		if os.Getenv(childMark) != "" {
			os.Remove(path)
			l, err := net.Listen("unix", path)
			if err != nil {
				panic(err)
			}
			go tellEyes(l)
			go awaitWindow()
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
	Focus      bool // the keyboard goes to it
}

type sight struct {
	Pid    int
	Things []thing
}

// tellEyes answers every connection: one line that asks, one that answers.
func tellEyes(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		var ask string
		json.NewDecoder(conn).Decode(&ask)
		switch ask {
		case "memory":
			json.NewEncoder(conn).Encode(memoryNow())
		case "start":
			json.NewEncoder(conn).Encode(firstWindow.Load())
		case "frames":
			json.NewEncoder(conn).Encode(framesNow())
		case "panic": // with what nobody may read in the crash log
			fyne.Do(func() { panic("cannot draw " + marker) })
		case "heap": // a profile, for a person
			pprof.Lookup("heap").WriteTo(conn, 0)
		default:
			json.NewEncoder(conn).Encode(lookNow())
		}
		conn.Close()
	}
}

// framesNow is this process's number, and how many frames the live views that
// are shown have drawn.
func framesNow() (n [2]int64) {
	n[0] = int64(os.Getpid())
	fyne.DoAndWait(func() {
		for _, w := range fyne.CurrentApp().Driver().AllWindows() {
			views(w.Canvas().Content(), &n[1])
		}
	})
	return n
}

func views(o fyne.CanvasObject, n *int64) {
	switch o := o.(type) {
	case *widgets.EyeView:
		*n += o.Drawn()
	case *fyne.Container:
		for _, x := range o.Objects {
			views(x, n)
		}
	case fyne.Widget:
		for _, x := range fynetest.WidgetRenderer(o).Objects() {
			views(x, n)
		}
	}
}

func lookNow() sight {
	s := sight{Pid: os.Getpid()}
	if a := fyne.CurrentApp(); a != nil {
		fyne.DoAndWait(func() {
			for _, w := range a.Driver().AllWindows() {
				look(w.Canvas().Content(), fyne.Position{}, w.Canvas().Focused(), &s.Things)
			}
		})
	}
	return s
}

func look(o fyne.CanvasObject, at fyne.Position, focused fyne.Focusable, out *[]thing) {
	if o == nil || !o.Visible() {
		return
	}
	at = at.Add(o.Position())
	t := thing{X: at.X, Y: at.Y, W: o.Size().Width, H: o.Size().Height}
	_, t.Touch = o.(fyne.Tappable)
	if f, ok := o.(fyne.Focusable); ok {
		t.Focus = f == focused
	}
	if d, ok := o.(fyne.Disableable); ok {
		t.Off = d.Disabled()
	}
	i := len(*out)
	*out = append(*out, t)
	switch o := o.(type) {
	case *fyne.Container:
		for _, x := range o.Objects {
			look(x, at, focused, out)
		}
	case *canvas.Text:
		(*out)[i].Text = o.Text
		return
	case fyne.Widget:
		for _, x := range fynetest.WidgetRenderer(o).Objects() {
			look(x, at, focused, out)
		}
	}
	var text []string
	for _, x := range (*out)[i+1:] {
		if x.Text != "" && !x.Touch {
			text = append(text, x.Text)
		}
	}
	if t.Touch || t.Focus {
		(*out)[i].Text = strings.Join(text, " ")
	}
}
