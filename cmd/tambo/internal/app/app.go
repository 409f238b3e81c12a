// Package app is what the kiosk's program does: it reads one configuration file,
// opens the vault, the devices and the road, and shows the window on them.
//
// It decides nothing about a person and logs nothing about one. It never opens a
// bus of virtual devices unless the agreement says that it is training, and links
// neither software devices nor generated specimens.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"

	"tambo/kiosk/ui"
	"tambo/kiosk/ui/theme"
	"tambo/kiosk/ui/words"
)

// Run runs the program and returns the exit status: 0 the window was closed, 1
// it could not be shown, 2 it was called wrongly.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	fs := flag.NewFlagSet("tambo", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintln(stderr, "usage: tambo --config FILE [--window WIDTHxHEIGHT | --full-screen]")
		fs.PrintDefaults()
	}
	config := fs.String("config", "/etc/tambo/kiosk.json", "the kiosk's configuration `file`")
	window := fs.String("window", "", "size of the window, `WIDTHxHEIGHT`, in place of the configured one")
	full := fs.Bool("full-screen", false, "take the whole screen")
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return 0
	} else if err != nil {
		return 2
	}
	if fs.NArg() > 0 {
		fmt.Fprintf(stderr, "tambo: what is %q?\n", fs.Arg(0))
		return 2
	}
	c, err := load(*config)
	if err == nil && *window != "" {
		c.Window, c.FullScreen = *window, false
		err = c.check()
	}
	if err != nil {
		fmt.Fprintf(stderr, "tambo: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		return 1
	}
	c.FullScreen = c.FullScreen || *full
	if err := display(os.Getenv); err != nil {
		fmt.Fprintf(stderr, "tambo: %s\n", err)
		return 1
	}
	if os.Getenv(childMark) == "" {
		return supervise(ctx, args, c.CrashLog, stdout, stderr)
	}
	lean()
	show(ctx, c, slog.New(slog.NewTextHandler(stderr, nil)))
	return 0
}

// display reports that there is nothing to draw on, in a sentence.
func display(env func(string) string) error {
	if env("WAYLAND_DISPLAY") != "" {
		return nil
	}
	d := env("DISPLAY")
	if d == "" {
		return errors.New("there is no display: run it in a graphical session, or make the same walk without a window by `tambo-diag walk`")
	}
	host, screen, ok := strings.Cut(d, ":")
	if !ok || host != "" && host != "unix" {
		return nil // of another machine: the toolkit finds out
	}
	number, _, _ := strings.Cut(screen, ".")
	for _, at := range []string{"/tmp/.X11-unix/X" + number, "@/tmp/.X11-unix/X" + number} {
		if conn, err := net.Dial("unix", at); err == nil {
			conn.Close()
			return nil
		}
	}
	return fmt.Errorf("the display %s does not answer: start the graphical session first", d)
}

// show opens the window, and returns when it is closed or ctx ends.
func show(ctx context.Context, c Config, log *slog.Logger) {
	if os.Getenv("FYNE_SCALE") == "" {
		os.Setenv("FYNE_SCALE", "1") // how large things are follows from the panel's density
	}
	fyneapp.SetMetadata(fyne.AppMetadata{ID: "tambo.kiosk", Name: "Tambo", Migrations: map[string]bool{"fyneDo": true}})
	a := fyneapp.NewWithID("tambo.kiosk")
	a.Settings().SetTheme(theme.New(c.Night, theme.Metrics{PxPerMM: c.Density}))
	w := a.NewWindow("Tambo")
	w.SetPadded(false)
	w.SetMaster()
	w.Resize(fyne.NewSize(float32(c.width), float32(c.height)))
	w.SetFullScreen(c.FullScreen)

	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := newStation(ctx, c, log)
	defer s.close()
	book := words.New(words.Language(c.Language))
	var them fyne.Window
	if c.Traveller {
		them = a.NewWindow("Tambo: traveller")
		them.SetPadded(false)
		them.Resize(fyne.NewSize(float32(c.width), float32(c.height)))
		them.SetFullScreen(c.FullScreen)
		them.SetCloseIntercept(func() {}) // the officer's window is the one that ends
	}
	k := ui.New(ui.Options{Window: w, Traveller: them, Station: s, Technician: technician{s, book}, Book: book, Log: s.log, IdleLock: c.idle})
	defer k.Close()
	a.Lifecycle().SetOnStarted(func() {
		if them != nil {
			them.Show()
		}
		go k.Run()
	})
	go func() {
		<-ctx.Done()
		fyne.Do(a.Quit)
	}()
	w.ShowAndRun()
}
