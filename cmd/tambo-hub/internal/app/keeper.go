package app

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"tambo/kiosk"
	"tambo/sync/hub"
)

// when formats a time for a list; the zero time is a dash.
func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.DateTime)
}

func printJSON(e *env, v any) error {
	enc := json.NewEncoder(e.out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func status(ctx context.Context, e *env, args []string) error {
	dir, _, err := e.flags("status", args, nil)
	if err != nil {
		return err
	}
	s, err := ask[hub.Status](ctx, dir, "status", nil)
	if err != nil {
		return err
	}
	return printJSON(e, s)
}

func kioskAdd(ctx context.Context, e *env, args []string) error {
	var id, site string
	dir, _, err := e.flags("kiosk add", args, func(fs *flag.FlagSet) {
		fs.StringVar(&id, "id", "", "kiosk id: a-z 0-9 '-'")
		fs.StringVar(&site, "site", "", "where it stands")
	})
	if err != nil {
		return err
	}
	if err := need(map[string]string{"id": id, "site": site}); err != nil {
		return err
	}
	c, err := ask[hub.Code](ctx, dir, "kiosk add", hub.AddKiosk{ID: kiosk.KioskID(id), Site: site})
	if err != nil {
		return err
	}
	fmt.Fprintln(e.out, c.Code)
	fmt.Fprintf(e.err, "for kiosk %s, once, until %s UTC\n", id, when(c.Expires))
	return nil
}

func kioskList(ctx context.Context, e *env, args []string) error {
	dir, _, err := e.flags("kiosk list", args, nil)
	if err != nil {
		return err
	}
	ks, err := ask[[]hub.Kiosk](ctx, dir, "kiosk list", nil)
	if err != nil {
		return err
	}
	for _, k := range ks {
		state := ""
		if k.Revoked {
			state = "  revoked"
		}
		fmt.Fprintf(e.out, "%-20s  %-30s  seen %s%s\n", k.ID, k.Site, when(k.Seen), state)
	}
	return nil
}

// byID runs an order that takes one id and gives nothing back.
func byID(ctx context.Context, e *env, args []string, order, name string) error {
	var id string
	dir, _, err := e.flags(order, args, func(fs *flag.FlagSet) { fs.StringVar(&id, name, "", "which") })
	if err != nil {
		return err
	}
	if err := need(map[string]string{name: id}); err != nil {
		return err
	}
	_, err = ask[hub.None](ctx, dir, order, hub.ByID{ID: id})
	return err
}

func kioskRevoke(ctx context.Context, e *env, args []string) error {
	return byID(ctx, e, args, "kiosk revoke", "id")
}

func watchlistWithdraw(ctx context.Context, e *env, args []string) error {
	return byID(ctx, e, args, "watchlist withdraw", "id")
}

func operatorRevoke(ctx context.Context, e *env, args []string) error {
	return byID(ctx, e, args, "operator revoke", "label")
}

func packages(ctx context.Context, e *env, args []string) error {
	var asJSON bool
	dir, _, err := e.flags("packages", args, func(fs *flag.FlagSet) { fs.BoolVar(&asJSON, "json", false, "everything, as JSON") })
	if err != nil {
		return err
	}
	ps, err := ask[[]hub.PackageInfo](ctx, dir, "packages", nil)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(e, ps)
	}
	for _, p := range ps {
		fmt.Fprintf(e.out, "%s  %-12s  %s  %-9s  %-8s  %2d parts  %8d bytes%s\n",
			when(p.Received), p.Kiosk, p.Encounter, p.Kind, p.State, p.Parts, p.Bytes, matchWords(p.Match))
		for _, r := range p.Remarks {
			fmt.Fprintf(e.out, "    note: %s\n", r)
		}
	}
	return nil
}

func matchWords(m *hub.Match) string {
	if m == nil {
		return ""
	}
	s := fmt.Sprintf("  compared %d of %d", m.Search.Compared+m.Lists.Compared, m.Search.Total+m.Lists.Total)
	if !m.Search.Complete || !m.Lists.Complete {
		s += ", incomplete"
	}
	return s + fmt.Sprintf(", %d alerts", len(m.Alerts))
}

func alerts(ctx context.Context, e *env, args []string) error {
	var asJSON bool
	dir, _, err := e.flags("alerts", args, func(fs *flag.FlagSet) { fs.BoolVar(&asJSON, "json", false, "everything, as JSON") })
	if err != nil {
		return err
	}
	rows, err := ask[[]hub.AlertRow](ctx, dir, "alerts", nil)
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(e, rows)
	}
	for _, r := range rows {
		a := r.Alert
		who := string(a.Candidate.Encounter)
		if a.Candidate.Kind == kiosk.CandidateWatch {
			who = a.Candidate.List + " " + a.Candidate.Entry
		}
		confirmed := "not confirmed by a person"
		if a.Confirmed {
			confirmed = "confirmed by " + r.By
		}
		held := "not yet at the kiosk"
		if r.Delivered >= a.Version {
			held = "at the kiosk"
		}
		fmt.Fprintf(e.out, "%s  %s  %-10s  %s: encounter %s may be %s (%s), %s, %s\n",
			when(a.Raised), a.ID, a.State, r.Kiosk, a.Encounter, who, a.Instruction.Code, confirmed, held)
	}
	return nil
}

func alertAnswer(ctx context.Context, e *env, args []string) error {
	var id, state, by string
	dir, _, err := e.flags("alert answer", args, func(fs *flag.FlagSet) {
		fs.StringVar(&id, "id", "", "which alert")
		fs.StringVar(&state, "state", "", "what the person saw")
		fs.StringVar(&by, "by", "", "label of who looked")
	})
	if err != nil {
		return err
	}
	if err := need(map[string]string{"id": id, "state": state, "by": by}); err != nil {
		return err
	}
	_, err = ask[hub.None](ctx, dir, "alert answer", hub.Answer{ID: id, State: kiosk.AlertState(state), By: by})
	return err
}

func agreementShow(ctx context.Context, e *env, args []string) error {
	order := "agreement show"
	dir, _, err := e.flags(order, args, func(fs *flag.FlagSet) {
		fs.BoolFunc("template", "a whole agreement to edit, in place of the one in force", func(string) error {
			order = "agreement template"
			return nil
		})
	})
	if err != nil {
		return err
	}
	a, err := ask[kiosk.Agreement](ctx, dir, order, nil)
	if err != nil {
		return err
	}
	return printJSON(e, a)
}

func agreementPut(ctx context.Context, e *env, args []string) error {
	dir, rest, err := e.flags("agreement put", args, nil)
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: want one file", errUsage)
	}
	f, err := os.Open(rest[0])
	if err != nil {
		return err
	}
	defer f.Close()
	d := json.NewDecoder(f)
	d.DisallowUnknownFields()
	var a kiosk.Agreement
	if err := d.Decode(&a); err != nil {
		return fmt.Errorf("%s: %w", rest[0], err)
	}
	_, err = ask[hub.None](ctx, dir, "agreement put", a)
	return err
}

func operatorAdd(ctx context.Context, e *env, args []string) error {
	var label, role string
	dir, _, err := e.flags("operator add", args, func(fs *flag.FlagSet) {
		fs.StringVar(&label, "label", "", "never a name, for instance of-17")
		fs.StringVar(&role, "role", "", "officer, supervisor, technician or keeper")
	})
	if err != nil {
		return err
	}
	_, err = ask[hub.None](ctx, dir, "operator add", kiosk.Operator{Label: label, Role: kiosk.Role(role)})
	return err
}

func operatorList(ctx context.Context, e *env, args []string) error {
	dir, _, err := e.flags("operator list", args, nil)
	if err != nil {
		return err
	}
	r, err := ask[kiosk.Roster](ctx, dir, "operator list", nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "roster version %d\n", r.Version)
	for _, o := range r.Operators {
		fmt.Fprintf(e.out, "%-20s  %s\n", o.Label, o.Role)
	}
	for _, l := range r.Revoked {
		fmt.Fprintf(e.out, "%-20s  revoked\n", l)
	}
	return nil
}
