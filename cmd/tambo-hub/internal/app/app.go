// Package app is what tambo-hub does, one file a group of commands. It wires the
// hub to its embedded store and formats what comes back; it decides nothing.
package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// command is one command: its words, its flags in short, and what it does.
type command struct {
	words, flags, help string
	run                func(ctx context.Context, e *env, args []string) error
}

// env is where a command speaks.
type env struct {
	out, err io.Writer
}

var commands = []command{
	{"init", "--dir D [--training]", "make a new hub: its keys, its authority, and in training its agreement", initHub},
	{"serve", "--dir D [--listen 127.0.0.1:8443] [--port-file F]", "take packages until stopped", serve},
	{"status", "--dir D", "the hub at a glance", status},
	{"kiosk add", "--dir D --id K --site S", "print a one-time code that makes a machine kiosk K", kioskAdd},
	{"kiosk list", "--dir D", "kiosks and when they were last seen", kioskList},
	{"kiosk revoke", "--dir D --id K", "refuse everything from kiosk K from now on", kioskRevoke},
	{"watchlist add", "--dir D [--list L] [--left F] [--right F] [--number N] [--name SURNAME,GIVEN [--birth D]] --code C --text-es T --text-en T", "put somebody on a list", watchlistAdd},
	{"watchlist list", "--dir D", "who is on the lists, without names", watchlistList},
	{"watchlist withdraw", "--dir D --id E", "take an entry off its list", watchlistWithdraw},
	{"packages", "--dir D [--json]", "what came, and where it stands", packages},
	{"alerts", "--dir D [--json]", "what the hub found", alerts},
	{"alert answer", "--dir D --id A --state confirmed|rejected|claimed|'cannot tell'|withdrawn --by LABEL", "say what a person saw", alertAnswer},
	{"agreement show", "--dir D [--template]", "the agreement in force, as JSON, or a whole one to edit", agreementShow},
	{"agreement put", "--dir D FILE", "sign an agreement (JSON) and put it in force", agreementPut},
	{"operator add", "--dir D --label L --role R", "let an operator exist at the kiosks", operatorAdd},
	{"operator list", "--dir D", "the roster", operatorList},
	{"operator revoke", "--dir D --label L", "take an operator off the roster", operatorRevoke},
}

// errUsage says that a command was used wrongly.
var errUsage = errors.New("wrong use")

// Run runs a command and returns the exit status: 0 done, 1 failed, 2 used
// wrongly.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		usage(stdout)
		return 0
	}
	c, rest := find(args)
	if c == nil {
		fmt.Fprintf(stderr, "tambo-hub: no command %q\n", strings.Join(args[:min(2, len(args))], " "))
		usage(stderr)
		return 2
	}
	err := c.run(ctx, &env{stdout, stderr}, rest)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "tambo-hub %s: %v\nusage: tambo-hub %s %s\n", c.words, err, c.words, c.flags)
		return 2
	}
	fmt.Fprintf(stderr, "tambo-hub %s: %v\n", c.words, err)
	return 1
}

// find returns the command that the first one or two words name.
func find(args []string) (*command, []string) {
	for n := min(2, len(args)); n > 0; n-- {
		words := strings.Join(args[:n], " ")
		for i := range commands {
			if commands[i].words == words {
				return &commands[i], args[n:]
			}
		}
	}
	return nil, nil
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage: tambo-hub COMMAND [FLAGS]")
	for _, c := range commands {
		fmt.Fprintf(w, "  %-18s %s\n", c.words, c.help)
	}
}

// flags parses a command's flags; every command has --dir.
func (e *env) flags(name string, args []string, define func(*flag.FlagSet)) (dir string, rest []string, err error) {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(e.err)
	fs.StringVar(&dir, "dir", "", "the hub's folder")
	if define != nil {
		define(fs)
	}
	if err := fs.Parse(args); errors.Is(err, flag.ErrHelp) {
		return "", nil, err
	} else if err != nil {
		return "", nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if dir == "" {
		return "", nil, fmt.Errorf("%w: --dir is missing", errUsage)
	}
	return dir, fs.Args(), nil
}

// need reports the flags that are empty.
func need(flags map[string]string) error {
	for name, value := range flags {
		if value == "" {
			return fmt.Errorf("%w: --%s is missing", errUsage, name)
		}
	}
	return nil
}
