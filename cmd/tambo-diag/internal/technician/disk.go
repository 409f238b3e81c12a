package technician

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"tambo/cmd/internal/tend"
	"tambo/cmd/internal/tend/smart"
)

// disk asks the disk that holds the vault what it says of itself. With --out it
// keeps the answer for programs that may not ask, and a disk that says nothing is
// no failure: a timer runs it.
func disk(_ context.Context, o *options, rest []string, f *deviceFlags) error {
	if len(rest) > 0 {
		return wrongUse("what is %q?", rest[0])
	}
	dir := o.dir
	if dir == "" {
		dir = "/var/lib/tambo/vault"
	}
	r, err := tend.AskDisks(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return errors.New("only root may ask a disk: sudo tambo-diag devices disk")
	case f.out != "":
		if werr := r.Write(f.out); werr != nil {
			return werr
		}
		if errors.Is(err, smart.ErrUnsupported) {
			err = nil
		}
	}
	if o.json {
		if perr := o.print(r); perr != nil {
			return perr
		}
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(r.Disks)) {
		h := r.Disks[name]
		state, used := "well", ""
		if h.Failing {
			state = "it says that it fails: deliver what waits, then change it"
		}
		if h.UsedKnown {
			used = o.say.Say("figure.worn") + " " + o.say.Decimal(float64(h.Used)) + "; "
		}
		o.line("%s: %s; %sunreadable pieces of data %d", name, state, used, h.Unreadable)
	}
	if len(r.Disks) == 0 && err == nil {
		o.line("no disk below %s says anything of itself", dir)
	}
	return err
}
