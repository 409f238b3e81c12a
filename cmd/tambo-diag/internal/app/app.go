// Package app is what tambo-diag does, one file a command. It wires the rooms
// together and formats what they say; it decides nothing about a person and never
// prints personal data other than what the walk's specimens carry.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"tambo/cmd/tambo-diag/internal/technician"
)

// command is one command of the program.
type command struct {
	name, help string
	run        func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

var commands = []command{
	{"walk", "one enrolment end to end: training hub, virtual devices, kiosk", Walk},
	{"kiosk", "set a kiosk up, add operators, see how it is, deliver", Kiosk},
	{"vault", "vault salvage --dir DIR: make a damaged index again", Vault},
	{"health", "a verdict on the whole kiosk, with what to do next", technician.Health},
	{"devices", "devices list|probe|capture|watch|soak|quirks|target: what is plugged in, and how it does", technician.Devices},
	{"faults", "faults [CODE]: what officers reported", technician.Faults},
	{"bundle", "bundle --out FILE.tar.gz: a support archive without anything about a person", technician.Bundle},
	{"iris", "iris evaluate --index INDEX.csv --scores OUT.f32", Iris},
	{"mrz", "mrz read [--json] [--compare] FILE…", MRZ},
}

// errUsage says that a command was used wrongly: Run returns 2.
var errUsage = technician.ErrUsage

// wrongUse is a sentence about a wrong use.
func wrongUse(format string, args ...any) error {
	return fmt.Errorf("%w: %w", errUsage, fmt.Errorf(format, args...))
}

// parse parses flags. What it cannot parse is wrong use; -h is flag.ErrHelp.
func parse(fs *flag.FlagSet, args []string) error {
	if err := fs.Parse(args); err != nil && !errors.Is(err, flag.ErrHelp) {
		return fmt.Errorf("%w: %w", errUsage, err)
	} else if err != nil {
		return err
	}
	return nil
}

// Run runs a command and returns the exit status: 0 done, 1 failed, 2 used
// wrongly.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage(stdout)
		return 0
	}
	i := slices.IndexFunc(commands, func(c command) bool { return c.name == args[0] })
	if i < 0 {
		fmt.Fprintf(stderr, "tambo-diag: no command %q\n", args[0])
		usage(stderr)
		return 2
	}
	switch err := commands[i].run(ctx, args[1:], stdout, stderr); {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "tambo-diag %s: %s\n", args[0], strings.TrimSpace(err.Error()))
		return 2
	default:
		fmt.Fprintf(stderr, "tambo-diag %s: %s\n", args[0], strings.TrimSpace(err.Error()))
		return 1
	}
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: tambo-diag COMMAND [ARGUMENTS]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-8s %s\n", c.name, c.help)
	}
}
