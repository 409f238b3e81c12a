// Package stored is the vault as a session sees it: it lets a store.Vault serve
// as a session.Vault. It only translates types; it never adds a rule, and it
// keeps nothing.
package stored

import (
	"context"
	"errors"
	"fmt"

	"tambo/kiosk"
	"tambo/kiosk/record"
	"tambo/kiosk/session"
	"tambo/store"
)

// Vault serves a vault to a session.
type Vault struct{ *store.Vault }

var (
	_ session.Vault    = Vault{}
	_ session.Subjects = subjects{}
)

// Agreement returns the agreement that the hub signed last.
func (v Vault) Agreement() (kiosk.Agreement, string, error) {
	a, digest, err := v.Vault.Agreement()
	if errors.Is(err, store.ErrNoDocument) {
		err = session.ErrNoAgreement
	}
	return a, digest, err
}

// Unlock opens the subject tier.
func (v Vault) Unlock(ctx context.Context, label string, password []byte) (session.Subjects, kiosk.Operator, error) {
	s, op, err := v.Vault.Unlock(ctx, label, password)
	if errors.Is(err, store.ErrNoSubjects) {
		err = session.ErrWrongRole
	}
	if err != nil {
		return nil, op, translate(err)
	}
	return subjects{s}, op, nil
}

// Check proves who somebody is.
func (v Vault) Check(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	op, err := v.Vault.Check(ctx, label, password)
	return op, translate(err)
}

// translate wraps an error of the store in the session's that says the same.
func translate(err error) error {
	var password store.ErrPassword
	var out store.ErrLockedOut
	var damaged *store.ErrDamaged
	switch {
	case err == nil:
		return nil
	case errors.As(err, &password):
		return fmt.Errorf("%w: %w", &session.PasswordError{Left: password.Left}, err)
	case errors.As(err, &out):
		return fmt.Errorf("%w: %w", &session.LockedOutError{Until: out.Until}, err)
	case errors.As(err, &damaged):
		return fmt.Errorf("%w: %w", session.ErrDamaged, err)
	case errors.Is(err, store.ErrDiskFull):
		return fmt.Errorf("%w: %w", session.ErrDiskFull, err)
	case errors.Is(err, store.ErrNoCard):
		return fmt.Errorf("%w: %w", session.ErrNoCard, err)
	case errors.Is(err, store.ErrUnknownOp):
		return fmt.Errorf("%w: %w", session.ErrUnknown, err)
	}
	return err
}

// Audit appends an act to the log.
func (v Vault) Audit(_ context.Context, act string, e kiosk.EncounterID, by string) error {
	return v.Vault.Audit(act, e, by, "")
}

// Outbox lists what is sealed and not purged.
func (v Vault) Outbox(ctx context.Context) ([]session.Waiting, error) {
	items, err := v.Vault.Outbox(ctx)
	out := make([]session.Waiting, len(items))
	for i := range items {
		out[i] = waiting(&items[i])
	}
	return out, err
}

func waiting(i *store.OutboxItem) session.Waiting {
	w := session.Waiting{ID: i.ID, Encounter: i.Encounter, Kind: i.Kind, Hit: i.Hit, State: i.State, Sealed: i.Sealed}
	for _, p := range i.Parts {
		w.Bytes += p.Size
	}
	return w
}

type subjects struct{ *store.Subjects }

func (s subjects) SaveDraft(ctx context.Context, e *kiosk.Encounter, images map[string][]byte) error {
	return translate(s.Subjects.SaveDraft(ctx, e, images))
}

func (s subjects) Card(ctx context.Context, id kiosk.EncounterID) (kiosk.IndexCard, error) {
	c, err := s.Subjects.Card(ctx, id)
	return c, translate(err)
}

func (s subjects) Draft(ctx context.Context, id kiosk.EncounterID) (*kiosk.Encounter, error) {
	e, err := s.Subjects.Draft(ctx, id)
	return e, translate(err)
}

// Drafts lists the encounters that are not sealed, also those that cannot be
// read: opening one says what is wrong with it.
func (s subjects) Drafts(ctx context.Context) ([]kiosk.EncounterID, error) {
	all, err := s.Subjects.Drafts(ctx)
	ids := make([]kiosk.EncounterID, len(all))
	for i := range all {
		ids[i] = all[i].ID
	}
	return ids, err
}

func (s subjects) Seal(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []record.Part, card *kiosk.IndexCard) (session.Waiting, error) {
	i, err := s.Subjects.Seal(ctx, e, kind, plain(parts), card)
	return waiting(&i), translate(err)
}

func (s subjects) Queue(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []record.Part) (session.Waiting, error) {
	i, err := s.Subjects.Queue(ctx, e, kind, plain(parts))
	return waiting(&i), translate(err)
}

func plain(parts []record.Part) []store.Part {
	out := make([]store.Part, len(parts))
	for i, p := range parts {
		out[i] = store.Part(p)
	}
	return out
}

func (s subjects) PutArrivals(ctx context.Context, list []byte) error {
	return translate(s.Subjects.PutArrivals(ctx, list))
}

func (s subjects) Arrivals(ctx context.Context) ([]byte, error) {
	list, err := s.Subjects.Arrivals(ctx)
	return list, translate(err)
}

func (s subjects) Lists(ctx context.Context) ([]session.List, error) {
	all, err := s.Subjects.Lists(ctx)
	out := make([]session.List, len(all))
	for i, l := range all {
		out[i] = session.List{Name: l.Name, Version: l.Version, Signed: l.Signed, HashKey: l.HashKey, Entries: l.Entries}
	}
	return out, err
}
