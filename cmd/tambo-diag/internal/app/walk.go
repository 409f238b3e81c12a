package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"tambo/kiosk"
)

// walkOptions are the walk's flags.
type walkOptions struct {
	eyes, pages, dir string
	size             string // of the window
	keep, verbose    bool
	seed             uint64
	limit            time.Duration
}

// Walk is the main job without a window: it starts a training hub and virtual
// devices, then enrols through the same session service as the window, and says
// what happened, a line a step. It fails unless everything that it promises was
// seen: documents read with certainty (or, of a folder's pages, a reason why not),
// a receipt and a purge, a duplicate, a watchlist hit with its instruction, the
// hub's own alert about each, and a record that waited while the hub was down.
func Walk(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o walkOptions
	fs := flag.NewFlagSet("walk", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.eyes, "eyes", "", "folder of real eye images, PERSON_L_*.png|bmp|jpg and PERSON_R_* (default: generated eyes)")
	fs.StringVar(&o.pages, "pages", "", "folder of document pages, PERSON*.png|jpg (default: generated pages)")
	fs.StringVar(&o.dir, "dir", "", "folder for the hub's and the kiosk's files (default: a temporary one, removed at the end)")
	fs.BoolVar(&o.keep, "keep", false, "keep the temporary folder")
	fs.Uint64Var(&o.seed, "seed", 1, "which generated people come")
	fs.DurationVar(&o.limit, "limit", 5*time.Minute, "how long the whole walk may take")
	window := fs.Bool("window", false, "show the kiosk's window in place of walking")
	fs.StringVar(&o.size, "size", "1280x800", "size of the window")
	fs.BoolVar(&o.verbose, "verbose", false, "say here what the window logs")
	if err := parse(fs, args); err != nil {
		return err
	}
	if !*window {
		limited, cancel := context.WithTimeout(ctx, o.limit)
		defer cancel()
		ctx = limited
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "tambo-walk-")
		if err != nil {
			return err
		}
		o.dir = dir
		if !o.keep {
			defer os.RemoveAll(dir)
		}
	}
	if *window {
		w, err := newWindow(ctx, o, stdout)
		if err != nil {
			return err
		}
		defer w.close()
		return w.window(ctx, os.Stdin)
	}
	w, err := newWalk(ctx, o, stdout)
	if err != nil {
		return err
	}
	defer w.close()
	return w.all(ctx)
}

// all is the walk: each chapter says what it saw, and the end says whether it
// was what was promised.
func (w *walk) all(ctx context.Context) error {
	first, err := w.newcomer(ctx)
	if err != nil {
		return err
	}
	if err := w.sameAgain(ctx, first); err != nil {
		return err
	}
	if err := w.watched(ctx); err != nil {
		return err
	}
	if err := w.hubAway(ctx); err != nil {
		return err
	}
	w.title("done")
	w.say("walk", "everything promised was seen: receipt, purged, duplicate, watchlist, and a record that waited for the hub")
	return nil
}

// newcomer enrols somebody who was never here, and delivers.
func (w *walk) newcomer(ctx context.Context) (kiosk.EncounterID, error) {
	w.title("a newcomer")
	got, err := w.enrol(ctx, w.cast.newcomer, 1, "0417", w.cast.pages[0])
	if err != nil {
		return "", err
	}
	if len(got.found) > 0 {
		return "", fmt.Errorf("a newcomer was taken for somebody: %v", got.found)
	}
	return got.encounter.ID, w.deliver(ctx, got)
}

// sameAgain brings the same person under another name.
func (w *walk) sameAgain(ctx context.Context, first kiosk.EncounterID) error {
	w.title("the same person again, other captures, another name")
	got, err := w.enrol(ctx, w.cast.newcomer, 2, "0418", w.cast.pages[1])
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(got.found, func(c kiosk.Candidate) bool { return c.Kind == kiosk.CandidateEncounter && c.Encounter == first }) {
		return errors.New("the same person was not found: no duplicate")
	}
	if len(got.found) > 1 {
		return fmt.Errorf("the same person was taken for somebody else too: %v", got.found)
	}
	return w.deliver(ctx, got)
}

// What the list's entry tells the officer to do.
const (
	listSpanish = "No lo deje salir. Llame al supervisor."
	listEnglish = "Do not let the person leave. Call the supervisor."
)

// enlist puts somebody on a list at the hub.
func (w *walk) enlist(ctx context.Context) error {
	left, right, err := w.listImages()
	if err != nil {
		return err
	}
	start := time.Now()
	out, err := run(ctx, "tambo-hub", "watchlist", "add", "--dir", w.hubDir, "--left", left, "--right", right,
		"--number", "X0000000X", "--code", "detain-call", "--text-es", listSpanish, "--text-en", listEnglish)
	if err != nil {
		return err
	}
	w.say("hub", "watchlist add: %s · %s", firstLine(out), ms(start))
	return nil
}

// watched lists somebody at the hub, pulls the list, and meets them.
func (w *walk) watched(ctx context.Context) error {
	w.title("somebody on a list")
	if err := w.enlist(ctx); err != nil {
		return err
	}
	if err := w.round(ctx); err != nil {
		return err
	}
	if _, err := w.svc.Receive(ctx); err != nil {
		return err
	}
	got, err := w.enrol(ctx, w.cast.watched, 2, "0419", w.cast.pages[2])
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(got.found, func(c kiosk.Candidate) bool {
		return c.Kind == kiosk.CandidateWatch && c.Instruction != nil && c.Instruction.Text["en"] == listEnglish
	}) {
		return errors.New("the person on the list was not found")
	}
	if len(got.found) > 1 {
		return fmt.Errorf("the person on the list was taken for somebody else too: %v", got.found)
	}
	return w.deliver(ctx, got)
}

// hubAway seals while the hub is down, and delivers when it is back.
func (w *walk) hubAway(ctx context.Context) error {
	w.title("the hub is away")
	w.hub.kill()
	w.say("hub", "killed")
	got, err := w.enrol(ctx, w.cast.stranger, 1, "0420", w.cast.pages[3])
	if err != nil {
		return err
	}
	if len(got.found) > 0 {
		return fmt.Errorf("a stranger was taken for somebody: %v", got.found)
	}
	err = w.round(ctx)
	if err == nil {
		return errors.New("a record was delivered to a hub that is not there")
	}
	w.say("road", "%s", err)
	waiting, err := w.waiting(ctx, got.encounter.ID)
	if err != nil {
		return err
	}
	if waiting != 1 {
		return fmt.Errorf("the record does not wait: %d packages", waiting)
	}
	if err := w.startHub(ctx); err != nil {
		return err
	}
	w.say("hub", "is back")
	return w.deliver(ctx, got)
}

// title prints a chapter's name, say one line of it.
func (w *walk) title(s string) { fmt.Fprintf(w.out, "\n%s\n", s) }

func (w *walk) say(step, format string, args ...any) {
	w.line++
	fmt.Fprintf(w.out, "%3d  %-10s %s\n", w.line, step, fmt.Sprintf(format, args...))
}

func ms(start time.Time) string { return fmt.Sprintf("%d ms", time.Since(start).Milliseconds()) }

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func (w *walk) path(names ...string) string {
	return filepath.Join(append([]string{w.dir}, names...)...)
}
