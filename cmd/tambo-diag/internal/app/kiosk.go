package app

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tambo/devices/tesseract"
	"tambo/kiosk"
	"tambo/store"
	"tambo/store/keyring"
	"tambo/sync/courier"
)

// Kiosk sets a kiosk up and tends it: what the keeper and the technician do
// before there is a window. Nothing it prints is about a person.
func Kiosk(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	verbs := map[string]func(context.Context, *keeper, []string) error{
		"setup": kioskSetup, "operator": kioskOperator, "status": kioskStatus, "deliver": kioskDeliver,
	}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(stderr, `usage:
  tambo-diag kiosk setup    --dir DIR --hub URL --supervisor LABEL [--officer LABEL]
  tambo-diag kiosk operator --dir DIR --by LABEL --add LABEL --role ROLE
  tambo-diag kiosk operator --dir DIR --password LABEL
  tambo-diag kiosk status   --dir DIR
  tambo-diag kiosk deliver  --dir DIR [--watch]
Codes and passwords are asked for, a line each; they are never arguments.`)
		return wrongUse("which verb?")
	}
	return verbs[args[0]](ctx, &keeper{in: bufio.NewReader(os.Stdin), out: stdout, err: stderr}, args[1:])
}

// keeper is the person at the keyboard.
type keeper struct {
	in       *bufio.Reader
	out, err io.Writer
}

// secret asks for a line that is not shown while it is typed.
func (k *keeper) secret(what string) (string, error) {
	fmt.Fprintf(k.err, "%s: ", what)
	fd := int(os.Stdin.Fd())
	if old, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		quiet := *old
		quiet.Lflag &^= unix.ECHO
		if unix.IoctlSetTermios(fd, unix.TCSETS, &quiet) == nil {
			defer func() { unix.IoctlSetTermios(fd, unix.TCSETS, old); fmt.Fprintln(k.err) }()
		}
	}
	line, err := k.in.ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", fmt.Errorf("%s: nothing was given (%v)", what, err)
	}
	return line, nil
}

func (k *keeper) flags(verb string, args []string, define func(*flag.FlagSet)) (dir string, err error) {
	fs := flag.NewFlagSet("kiosk "+verb, flag.ContinueOnError)
	fs.SetOutput(k.err)
	fs.StringVar(&dir, "dir", "", "the kiosk's folder")
	define(fs)
	if err := parse(fs, args); err != nil {
		return "", err
	}
	if dir == "" {
		return "", wrongUse("--dir is missing: where does the kiosk keep its vault?")
	}
	if fs.NArg() > 0 {
		return "", wrongUse("%q is not a flag; codes and passwords are asked for, never arguments", fs.Arg(0))
	}
	return dir, nil
}

// kioskSetup makes the vault, provisions it at the hub, and makes the first
// operators. Cut short, it goes on when it is run again with the same code. A
// code that was mistyped is refused before anything is made or asked.
func kioskSetup(ctx context.Context, k *keeper, args []string) error {
	var hub, supervisor, officer string
	dir, err := k.flags("setup", args, func(fs *flag.FlagSet) {
		fs.StringVar(&hub, "hub", "", "the hub's address, https://HOST:PORT")
		fs.StringVar(&supervisor, "supervisor", "", "label of the first supervisor, as in the hub's roster")
		fs.StringVar(&officer, "officer", "", "label of a first officer (optional)")
	})
	if err != nil {
		return err
	}
	if hub == "" || supervisor == "" {
		return wrongUse("--hub and --supervisor are needed")
	}
	code, err := k.secret("one-time code (tambo-hub kiosk add)")
	if err != nil {
		return err
	}
	if code, err = typedCode(code); err != nil {
		return err
	}
	v, err := setupVault(ctx, dir, code)
	if err != nil {
		return err
	}
	defer v.Close()
	if id, err := v.Identity(); err == nil && v.Begun() {
		fmt.Fprintf(k.out, "kiosk %s at %s belongs to %s already; the code was not used\n", id.Kiosk, id.Site, id.Hub)
		return nil
	}
	id, err := courier.New(courier.Config{Vault: v}).Provision(ctx, code, hub, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(k.out, "kiosk %s at %s belongs to %s\n", id.Kiosk, id.Site, id.Hub)
	if v.Begun() {
		return nil
	}
	first := []keyring.NewOperator{{Operator: kiosk.Operator{Label: supervisor, Role: kiosk.RoleSupervisor}}}
	if officer != "" {
		first = append(first, keyring.NewOperator{Operator: kiosk.Operator{Label: officer, Role: kiosk.RoleOfficer}})
	}
	for i := range first {
		if first[i].Password, err = k.secret("password for " + first[i].Label); err != nil {
			return err
		}
	}
	if err := v.Begin(ctx, code, first...); err != nil {
		return codeError(err)
	}
	for _, o := range first {
		fmt.Fprintf(k.out, "%s may sign in as %s\n", o.Label, o.Role)
	}
	return nil
}

// kioskOperator adds an operator by a supervisor, or changes a password.
func kioskOperator(ctx context.Context, k *keeper, args []string) error {
	var by, add, role, change string
	dir, err := k.flags("operator", args, func(fs *flag.FlagSet) {
		fs.StringVar(&by, "by", "", "label of the supervisor who adds")
		fs.StringVar(&add, "add", "", "label of the new operator, as in the hub's roster")
		fs.StringVar(&role, "role", string(kiosk.RoleOfficer), "officer, supervisor, technician or keeper")
		fs.StringVar(&change, "password", "", "label of the operator whose password changes")
	})
	if err != nil {
		return err
	}
	v, err := store.Open(dir, store.Options{})
	if err != nil {
		return err
	}
	defer v.Close()
	if change != "" {
		old, err := k.secret("old password of " + change)
		if err != nil {
			return err
		}
		fresh, err := k.secret("new password of " + change)
		if err != nil {
			return err
		}
		return v.ChangePassword(ctx, change, []byte(old), []byte(fresh))
	}
	if by == "" || add == "" {
		return wrongUse("--by and --add are needed, or --password")
	}
	password, err := k.secret("password of " + by)
	if err != nil {
		return err
	}
	op, err := v.SignIn(ctx, by, []byte(password))
	if err != nil {
		return err
	}
	defer op.SignOut()
	fresh, err := k.secret("password for " + add)
	if err != nil {
		return err
	}
	n := keyring.NewOperator{Operator: kiosk.Operator{Label: add, Role: kiosk.Role(role)}, Password: fresh}
	if err := v.AddOperator(ctx, op, n); err != nil {
		return err
	}
	fmt.Fprintf(k.out, "%s may sign in as %s\n", add, role)
	return nil
}

// kioskStatus says how the kiosk is, with nobody signed in.
func kioskStatus(_ context.Context, k *keeper, args []string) error {
	dir, err := k.flags("status", args, func(*flag.FlagSet) {})
	if err != nil {
		return err
	}
	v, err := store.Open(dir, store.Options{})
	if err != nil {
		return err
	}
	defer v.Close()
	s, err := v.Status()
	if err != nil {
		return err
	}
	id, site := v.Kiosk()
	fmt.Fprintf(k.out, "kiosk      %s at %s\n", id, site)
	if a, _, err := v.Agreement(); err == nil {
		fmt.Fprintf(k.out, "agreement  %s, until %s\n", a.Title, a.Expires.Format(time.DateOnly))
	} else {
		fmt.Fprintf(k.out, "agreement  %v\n", err)
	}
	now := v.Now(time.Now())
	fmt.Fprintf(k.out, "clock      %s, %s\n", now.Time.Format("2006-01-02 15:04:05 MST"), map[bool]string{true: "trusted", false: "not certain"}[now.Trusted])
	fmt.Fprintf(k.out, "vault      %d drafts, %d index cards, %d lists, %d sealed documents wait for sign-in\n", s.Drafts, s.Cards, s.Lists, s.Inbox)
	fmt.Fprintf(k.out, "outbox     %d wait, %d delivered, %d refused\n", s.Waiting, s.Delivered, s.Refused)
	fmt.Fprintf(k.out, "disk       %d MB free of %d MB\n", s.Free>>20, s.Total>>20)
	fmt.Fprintf(k.out, "audit      %d entries\n", s.Audit)
	if tesseract.Reader() != nil {
		fmt.Fprintln(k.out, "print      a page's zone is compared with its print")
	} else {
		fmt.Fprintln(k.out, "print      a page's zone is compared with nothing: tesseract-ocr is not installed")
	}
	for _, d := range s.Damage {
		fmt.Fprintf(k.out, "DAMAGED    %s\n", d)
	}
	return nil
}

// kioskDeliver carries what waits, with nobody signed in: once, or until it is
// stopped.
func kioskDeliver(ctx context.Context, k *keeper, args []string) error {
	var watch bool
	dir, err := k.flags("deliver", args, func(fs *flag.FlagSet) { fs.BoolVar(&watch, "watch", false, "go on until stopped") })
	if err != nil {
		return err
	}
	v, err := store.Open(dir, store.Options{})
	if err != nil {
		return err
	}
	defer v.Close()
	c := courier.New(courier.Config{Vault: v})
	for {
		r, err := c.Round(ctx)
		if err == nil {
			fmt.Fprintf(k.out, "%d thin receipts, %d receipts, %d purged, %d documents, %d wait\n", r.Thin, r.Delivered, r.Purged, r.Documents, r.Waiting)
			for _, i := range r.Items {
				fmt.Fprintf(k.out, "package %s stays: %v\n", i.ID[:8], i.Err)
			}
		}
		if !watch {
			return err
		}
		if err != nil {
			fmt.Fprintln(k.err, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(30 * time.Second):
		}
	}
}
