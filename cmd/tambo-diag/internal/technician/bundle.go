package technician

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"tambo/cmd/internal/tend"
)

// Bundle is `tambo-diag bundle`: a support archive.
func Bundle(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var out, log string
	o, rest, err := parse("bundle", args, stdout, stderr, func(fs *flag.FlagSet) {
		fs.StringVar(&out, "out", "", "`folder` in which the archive is made; else the present one")
		fs.StringVar(&log, "log", "", "a `file` with what the programs said; else the system's journal of tambo's units")
	})
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return wrongUse("what is %q?", rest[0])
	}
	if o.dir == "" {
		return wrongUse("--dir is missing: where does the kiosk keep its vault?")
	}
	if out == "" {
		out = "."
	}
	k, end := o.kioskOf()
	defer end()
	if errors.Is(k.BusErr, ErrUsage) {
		return k.BusErr
	}
	b := tend.Bundle{Kiosk: k, Config: o.config, Crash: tend.CrashLogOf(o.dir)}
	if log != "" {
		f, err := os.Open(log)
		if err != nil {
			return err
		}
		defer f.Close()
		b.Logs = append(b.Logs, f)
	} else if said := systemJournal(ctx); len(said) > 0 {
		b.Logs = append(b.Logs, bytes.NewReader(said))
	}
	name, err := b.Save(ctx, out)
	if err != nil {
		return err
	}
	if o.json {
		return o.print(map[string]string{"file": name})
	}
	o.line("%s", o.say.Say("diag.bundled", "Name", filepath.Base(name)))
	o.line("%s", name)
	return nil
}

// systemJournal is what the units said in the last two days, where there is a
// journal that this person may read.
func systemJournal(ctx context.Context) []byte {
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "journalctl", "--quiet", "--no-pager", "--output=cat", "--since=-2d", "--unit=tambo", "--unit=tambo-courier").Output()
	if err != nil {
		return nil // no journal, or not for this person: the archive says so by having no lines
	}
	return out
}
