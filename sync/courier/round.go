package courier

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"tambo/kiosk"
	"tambo/store"
	"tambo/sync/wire"
)

// Report is what one round did.
type Report struct {
	At        time.Time
	Thin      int   // packages that the hub can match now
	Delivered int   // packages with a complete receipt
	Purged    int   // packages destroyed here, on a complete receipt
	Refused   int   // packages that the hub will not take
	Bytes     int64 // of sealed parts, acknowledged as durable
	Documents int   // documents that came down
	Waiting   int   // packages that wait for a complete receipt after the round
	// HubTime is the time that the hub signed in this round, zero if none; Skew
	// is how far this kiosk's clock was ahead of it.
	HubTime time.Time
	Skew    time.Duration
	// Items are the packages that could not be carried though the road was open.
	Items []ItemError
}

// ItemError says why a package stays.
type ItemError struct {
	ID        string
	Encounter kiosk.EncounterID
	Err       error
}

// Progress reports whether the round moved any package.
func (r Report) Progress() bool { return r.Thin+r.Delivered+r.Refused > 0 }

// rounder is one round.
type rounder struct {
	c *Courier
	link
	id  Identity
	key note.Verifier
	pub ed25519.PublicKey
	rep Report
}

// Round carries once: the thin parts of every waiting package, hits first; then
// what the hub has for this kiosk; then all other parts. It returns what was
// done even with an error. An error that is an *[Error] with Road true stopped
// the round; others are about single packages, and the rest went on.
func (c *Courier) Round(ctx context.Context) (Report, error) {
	c.round.Lock()
	defer c.round.Unlock()
	r, err := c.prepare(ctx)
	if err == nil {
		err = r.all(ctx)
	}
	var rep Report
	if r != nil {
		rep = r.rep
	}
	rep.At = c.c.Now()
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrNoIdentity) {
		err = c.explain(ctx, &rep, err)
		c.c.Log.Warn("round", "waiting", rep.Waiting, "error", err)
	}
	c.mu.Lock()
	c.last, c.err = rep, err
	c.mu.Unlock()
	return rep, err
}

// prepare reads who the kiosk is and makes its client.
func (c *Courier) prepare(ctx context.Context) (*rounder, error) {
	id, err := c.c.Vault.Identity()
	if err != nil {
		return nil, err
	}
	u, err := checkURL(id.Hub)
	if err != nil {
		return nil, inVault(err)
	}
	v, pub, err := wire.ParseVerifierKey(id.HubKey)
	if err != nil {
		return nil, inVault(err)
	}
	if c.http == nil || !same(c.used, id) {
		t, err := mutual(id, c.c.Now)
		if err != nil {
			return nil, inVault(err)
		}
		c.http, c.used = client(t, c.c.Stall), id
	}
	return &rounder{c: c, link: link{c.http, u}, id: id, key: v, pub: pub}, nil
}

func same(a, b Identity) bool {
	return a.Hub == b.Hub && a.HubKey == b.HubKey && string(a.CA) == string(b.CA) && string(a.Certificate) == string(b.Certificate)
}

// explain wraps an error for a person.
func (c *Courier) explain(ctx context.Context, rep *Report, err error) *Error {
	var done *Error
	if errors.As(err, &done) {
		return done
	}
	if items, ierr := c.c.Vault.Outbox(ctx); ierr == nil {
		rep.Waiting = waiting(items)
	}
	host := ""
	if u, uerr := url.Parse(c.used.Hub); uerr == nil {
		host = u.Host
	}
	return &Error{Cause: causeOf(err), Hub: host, Waiting: rep.Waiting, Err: err}
}

func waiting(items []Item) (n int) {
	for _, it := range items {
		if it.State == kiosk.StateSealed || it.State == kiosk.StateThin {
			n++
		}
	}
	return n
}

// all is the round itself.
func (r *rounder) all(ctx context.Context) error {
	items, err := r.c.c.Vault.Outbox(ctx)
	if err != nil {
		return inVault(err)
	}
	slices.SortStableFunc(items, func(a, b Item) int {
		if a.Hit != b.Hit {
			if a.Hit {
				return -1
			}
			return 1
		}
		return a.Sealed.Compare(b.Sealed)
	})
	if err := r.each(ctx, items, thinOnly); err != nil {
		return err
	}
	// What comes down comes before the images, so that a late hit is early; a
	// document that cannot be used stops no record.
	var late error
	if err := r.down(ctx); err != nil {
		e := r.c.explain(ctx, &r.rep, err)
		if e.Road() {
			return e
		}
		late = e
	}
	if err := r.renew(ctx); err != nil {
		return err
	}
	if err := r.each(ctx, items, everything); err != nil {
		return err
	}
	if items, err = r.c.c.Vault.Outbox(ctx); err != nil {
		return inVault(err)
	}
	r.rep.Waiting = waiting(items)
	if len(r.rep.Items) > 0 {
		return r.rep.Items[0].Err
	}
	return late
}

// extent is how much of a package is to be carried.
type extent bool

const (
	thinOnly   extent = false
	everything extent = true
)

// each carries every package to an extent. An error of one package does not stop
// the others; an error of the road does.
func (r *rounder) each(ctx context.Context, items []Item, to extent) error {
	for i := range items {
		it := &items[i]
		if r.failed(it) {
			continue
		}
		err := r.carry(ctx, it, to)
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		e := r.c.explain(ctx, &r.rep, err)
		if e.Road() {
			return e
		}
		r.rep.Items = append(r.rep.Items, ItemError{it.ID, it.Encounter, e})
	}
	return nil
}

func (r *rounder) failed(it *Item) bool {
	return slices.ContainsFunc(r.rep.Items, func(x ItemError) bool { return x.ID == it.ID })
}

// maxStuck is how often the hub is asked about one package without any of it
// moving before the round goes on to the next.
const maxStuck = 3

// carry brings one package to an extent: ask where it stands, keep the
// receipts, send what is missing, ask again.
func (r *rounder) carry(ctx context.Context, it *Item, to extent) error {
	switch {
	case it.State == kiosk.StateDelivered: // the receipt was kept, the purge did not happen
		return r.purge(ctx, it)
	case it.State == kiosk.StateRefused, it.State == kiosk.StatePurged:
		return nil
	case it.State == kiosk.StateThin && to == thinOnly:
		return nil
	}
	manifest, err := r.c.c.Vault.Manifest(it.ID)
	if err != nil {
		return inVault(err)
	}
	for stuck := 0; ; stuck++ {
		var a wire.PackageAnswer
		if err := r.call(ctx, "POST", wire.RoutePackages, "", wire.TypeManifest, manifest, &a); err != nil {
			return err
		}
		before := it.State
		if err := r.receipts(ctx, it, a.Receipts); err != nil {
			return err
		}
		switch {
		case it.State == kiosk.StateDelivered:
			return r.purge(ctx, it)
		case it.State == kiosk.StateRefused, it.State == kiosk.StateThin && to == thinOnly:
			return nil
		case it.State != before:
			stuck = 0
		}
		sent, err := r.send(ctx, it, a.Missing, to)
		if err != nil {
			return err
		}
		if sent > 0 {
			stuck = 0
		}
		if stuck >= maxStuck {
			return fmt.Errorf("%w: package %s does not move: it is %s there", ErrAnswer, it.ID, a.State)
		}
	}
}

// send uploads the missing parts that belong to the extent: templates and
// evidence first, in the order of the manifest.
func (r *rounder) send(ctx context.Context, it *Item, missing []wire.Missing, to extent) (sent int64, err error) {
	for _, thin := range []bool{true, false} {
		if !thin && to == thinOnly {
			break
		}
		for _, m := range missing {
			part, ok := partOf(it, m.Part)
			if !ok || m.Offset > part.Size || m.Upload != wire.UploadID(r.id.Kiosk, part.Digest) {
				return sent, fmt.Errorf("%w: it asks for a part %q that is not in the manifest", ErrAnswer, m.Part)
			}
			if part.Kind.Thin() != thin {
				continue
			}
			n, err := r.upload(ctx, it, part, m)
			sent += n
			if err = r.mend(it, part, err); err != nil {
				return sent, err
			}
		}
	}
	return sent, nil
}

// mend turns problems of an upload that asking again puts right into none.
func (r *rounder) mend(it *Item, part kiosk.Part, err error) error {
	var p *wire.Problem
	switch {
	case errors.Is(err, errAskAgain):
		return nil
	case !errors.As(err, &p):
		return err
	case p.Code == wire.CodeOffset, p.Code == wire.CodeNotYours: // moved, or dropped meanwhile
		return nil
	case p.Code == wire.CodeDigest: // what arrived was not the part: is what we hold?
		return r.whole(it, part)
	}
	return err
}

func partOf(it *Item, name string) (kiosk.Part, bool) {
	for _, p := range it.Parts {
		if p.Name == name {
			return p, true
		}
	}
	return kiosk.Part{}, false
}

// receipts verifies the receipts of a package and keeps those that move it on.
func (r *rounder) receipts(ctx context.Context, it *Item, notes []string) error {
	for _, n := range notes {
		x, err := wire.ReceiptFor([]byte(n), r.key, r.id.Kiosk, it.Encounter, it.ID)
		if err != nil {
			return err
		}
		var next kiosk.State
		switch {
		case x.Kind == kiosk.ReceiptThin && it.State == kiosk.StateSealed:
			next = kiosk.StateThin
			r.rep.Thin++
		case x.Kind == kiosk.ReceiptComplete && it.State != kiosk.StateDelivered:
			next = kiosk.StateDelivered
			r.rep.Delivered++
		case x.Kind == kiosk.ReceiptRefused && it.State == kiosk.StateSealed:
			next = kiosk.StateRefused
			r.rep.Refused++
		default:
			continue
		}
		if err := r.c.c.Vault.ApplyReceipt(it.ID, x.Kind, []byte(n)); err != nil {
			return inVault(err)
		}
		it.State = next
		r.c.c.Log.Info("receipt", "kind", x.Kind, "manifest", it.ID, "log", x.LogIndex)
	}
	return nil
}

func (r *rounder) purge(ctx context.Context, it *Item) error {
	if it.State == kiosk.StatePurged {
		return nil
	}
	if err := r.c.c.Vault.Purge(it.ID); err != nil {
		return inVault(err)
	}
	it.State = kiosk.StatePurged
	r.rep.Purged++
	return nil
}
