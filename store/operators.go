package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tambo/kiosk"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// Operator is somebody signed in, of any role. Subjects come from
// [Vault.Unlock].
type Operator struct {
	kiosk.Operator
	s *keyring.Session
}

// SignOut wipes the operator's keys.
func (o *Operator) SignOut() { o.s.Lock() }

// Begin makes the first operators with the one-time provisioning code, one of
// them a supervisor; the code is then gone. If a roster is held it must list
// them.
func (v *Vault) Begin(ctx context.Context, code string, first ...keyring.NewOperator) error {
	for _, n := range first {
		if err := v.rostered(n.Operator); err != nil {
			return err
		}
	}
	if err := v.ring.Begin(code, first...); err != nil {
		return full(err)
	}
	for _, n := range first {
		if err := v.Audit("operator added", "", "", n.Label+" "+string(n.Role)); err != nil {
			return err
		}
	}
	return nil
}

// TryCode reports whether [Vault.Begin] would accept the one-time code, and
// begins nothing. A wrong code is counted: [ErrPassword], [ErrLockedOut].
func (v *Vault) TryCode(ctx context.Context, code string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return full(v.ring.TryCode(code))
}

// Begun reports whether the first operators were made.
func (v *Vault) Begun() bool { return v.ring.Begun() }

// Operators lists who may sign in here.
func (v *Vault) Operators() []kiosk.Operator { return v.ring.Operators() }

// SignIn proves who somebody is, of any role. A wrong password is counted
// before it is tried; failures are [ErrUnknownOp], [ErrPassword],
// [ErrLockedOut] and [ErrNotRostered].
func (v *Vault) SignIn(ctx context.Context, label string, password []byte) (*Operator, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := v.ring.Unlock(label, string(password))
	if err != nil {
		if !errors.Is(err, ErrUnknownOp) {
			err = errors.Join(err, v.Audit("sign-in refused", "", label, ""))
		}
		return nil, full(err)
	}
	if err := v.rostered(s.Operator()); err != nil {
		s.Lock()
		return nil, errors.Join(err, v.Audit("sign-in refused", "", label, "not on the roster"))
	}
	if err := v.Audit("signed in", "", label, ""); err != nil {
		s.Lock()
		return nil, err
	}
	return &Operator{s.Operator(), s}, nil
}

// Check proves who somebody is and opens nothing: the second person.
func (v *Vault) Check(ctx context.Context, label string, password []byte) (kiosk.Operator, error) {
	op, err := v.SignIn(ctx, label, password)
	if err != nil {
		return kiosk.Operator{}, err
	}
	op.SignOut()
	return op.Operator, nil
}

// rostered holds an operator against the hub's roster, if one is held.
func (v *Vault) rostered(op kiosk.Operator) error {
	r, err := v.Roster()
	if errors.Is(err, ErrNoDocument) || errors.Is(err, ErrNoIdentity) {
		return nil
	}
	if err != nil {
		return err
	}
	// A roster without operators is one that the hub has not filled yet.
	if slices.Contains(r.Revoked, op.Label) || len(r.Operators) > 0 && !slices.Contains(r.Operators, op) {
		return fmt.Errorf("%s: %w", op.Label, ErrNotRostered)
	}
	return nil
}

// Roster returns the hub's roster; [ErrNoDocument] if none came yet.
func (v *Vault) Roster() (kiosk.Roster, error) {
	var r kiosk.Roster
	d, _, err := v.Document(seal.KindRoster)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(d.Body, &r); err != nil {
		return r, fmt.Errorf("roster: %w", err)
	}
	return r, nil
}

// AddOperator makes a slot: a supervisor makes officers, supervisors and
// technicians, a keeper keepers and technicians.
func (v *Vault) AddOperator(ctx context.Context, by *Operator, n keyring.NewOperator) error {
	if err := v.rostered(n.Operator); err != nil {
		return err
	}
	if err := v.ring.AddOperator(by.session(), n); err != nil {
		return full(err)
	}
	return v.Audit("operator added", "", by.Label, n.Label+" "+string(n.Role))
}

// RemoveOperator takes a slot away and, if it opened subjects, rotates the
// subject key. Other people who are signed in must sign in again.
func (v *Vault) RemoveOperator(ctx context.Context, by *Operator, label string) error {
	if err := v.ring.RemoveOperator(by.session(), label); err != nil {
		return full(err)
	}
	return v.Audit("operator removed", "", by.Label, label)
}

// ChangePassword gives an operator a new password.
func (v *Vault) ChangePassword(ctx context.Context, label string, old, password []byte) error {
	if err := v.ring.ChangePassword(label, string(old), string(password)); err != nil {
		return full(err)
	}
	return v.Audit("password changed", "", label, "")
}

func (o *Operator) session() *keyring.Session {
	if o == nil {
		return nil
	}
	return o.s
}
