package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// newWindow starts the hub and the simulator and makes a kiosk, as newWalk does,
// and leaves the kiosk to the window: its vault is closed again.
func newWindow(ctx context.Context, o walkOptions, out io.Writer) (w *walk, err error) {
	if w, err = begin(o, out); err != nil {
		return nil, err
	}
	begun := w
	defer func() {
		if err != nil {
			begun.close()
		}
	}()
	for _, step := range []func(context.Context) error{w.initHub, w.provision, w.startDevices, w.enlist} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	w.bus.Close()
	if err := w.vault.Close(); err != nil {
		return nil, err
	}
	w.bus, w.vault = nil, nil
	return w, w.bring(w.cast.newcomer, 1, w.cast.pages[0])
}

// window shows the kiosk's window on what newWindow made, until it is closed.
// On in, a line with a number seats another person; "2" is on a list.
func (w *walk) window(ctx context.Context, in io.Reader) error {
	config := w.path("kiosk.json")
	b, err := json.MarshalIndent(map[string]any{
		"vault": w.path("kiosk"), "devices": "usbip " + w.busAddr, "language": "es", "window": w.o.size, "idleLock": "10m", "slips": w.path("slips"),
	}, "", "  ")
	if err == nil {
		err = os.WriteFile(config, b, 0o600)
	}
	if err != nil {
		return err
	}
	path, err := programPath("tambo")
	if err != nil {
		return err
	}
	w.title("the window")
	w.say("sign in", "%s, password %q · or supervisor %s, password %q", officerLabel, officerPassword, supervisorLabel, supervisorPassword)
	w.say("people", "person 1 sits at the camera, their page lies on the scanner; type another number and Enter here to seat another one; person 2 is on a list")
	w.say("window", "%s --config %s", filepath.Base(path), config)
	go w.seat(in)
	cmd := exec.CommandContext(ctx, path, "--config", config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // it never outlives what it was started for
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdout, cmd.Stderr = w.out, w.log
	if w.o.verbose {
		cmd.Stderr = os.Stderr
	}
	err = cmd.Run()
	if ctx.Err() != nil {
		return nil
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("the window ended: %w: see %s", err, w.path("processes.log"))
	}
	return err
}

// seat seats whom the lines of in name, each time on another day.
func (w *walk) seat(in io.Reader) {
	day := 1
	for s := bufio.NewScanner(in); s.Scan(); {
		n, err := strconv.Atoi(strings.TrimSpace(s.Text()))
		if err != nil || n < 1 || n > 99 {
			fmt.Fprintln(w.out, "a number from 1 to 99, please")
			continue
		}
		day++
		person, page := strconv.FormatUint(w.o.seed*100+uint64(n), 10), w.cast.pages[(day-1)%len(w.cast.pages)]
		if w.o.eyes != "" {
			people, err := peopleOf(w.o.eyes)
			if err != nil || len(people) == 0 {
				fmt.Fprintln(w.out, err)
				continue
			}
			person = people[(n-1)%len(people)]
		}
		if err := w.bring(person, day, page); err != nil {
			fmt.Fprintln(w.out, err)
			continue
		}
		fmt.Fprintf(w.out, "person %d sits down\n", n)
	}
}
