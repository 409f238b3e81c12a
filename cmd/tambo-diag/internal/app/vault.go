package app

import (
	"context"
	"flag"
	"fmt"
	"io"

	"tambo/store"
)

// Vault mends a damaged vault, with nobody signed in. It says how many of each
// thing were saved and names what was not; it never shows what is in them.
func Vault(_ context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 || args[0] != "salvage" {
		fmt.Fprintln(stderr, "usage: tambo-diag vault salvage --dir DIR")
		return wrongUse("which verb?")
	}
	fs := flag.NewFlagSet("vault salvage", flag.ContinueOnError)
	fs.SetOutput(stderr)
	dir := fs.String("dir", "", "the kiosk's folder")
	if err := parse(fs, args[1:]); err != nil {
		return err
	}
	if *dir == "" {
		return wrongUse("--dir is missing: where does the kiosk keep its vault?")
	}
	r, err := store.Salvage(*dir, store.Options{})
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "found again: %d drafts, %d sealed packages; the damaged index is kept as %s\n", r.Drafts, r.Packages, r.Kept)
	for _, l := range r.Lost {
		fmt.Fprintf(stdout, "lost: %s\n", l)
	}
	fmt.Fprintln(stdout, "lists are not searchable until the hub has sent them again: tambo-diag kiosk deliver")
	fmt.Fprintln(stdout, "index cards are lost: people enrolled here before are no longer found by the search at this kiosk; the hub still finds them (no site gallery comes down yet)")
	return nil
}
