package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tambo/store"
	"tambo/sync/wire"
)

// errCode says that the code typed is not the one that a vault was made with.
var errCode = errors.New("this is not the one-time code with which this kiosk's set-up was begun")

// setupVault opens the vault in dir, or makes one that is keyed to the code. A
// vault of an earlier attempt is kept when the code opens it, and when it has a
// hub; one that never had a hub nor held anything is made anew, since its code
// was another one. The hub is told nothing before the vault here accepts the
// code: a code that was used up there for a vault that will not take it is lost.
func setupVault(ctx context.Context, dir, code string) (*store.Vault, error) {
	v, err := store.Open(dir, store.Options{})
	if errors.Is(err, store.ErrNoVault) {
		return store.Create(dir, store.CreateOptions{Code: code})
	}
	if err != nil || v.Begun() {
		return v, err
	}
	err = codeError(v.TryCode(ctx, code))
	if err == nil {
		return v, nil
	}
	unused := false
	if errors.Is(err, errCode) {
		var look error
		if unused, look = neverUsed(ctx, v); look != nil {
			err = look
		}
	}
	if closed := v.Close(); closed != nil || !unused {
		return nil, errors.Join(err, closed)
	}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("remove the vault of an attempt with another code: %w", err)
	}
	return store.Create(dir, store.CreateOptions{Code: code})
}

// codeError says of a code what the vault says of any secret.
func codeError(err error) error {
	var wrong store.ErrPassword
	var locked store.ErrLockedOut
	switch {
	case errors.As(err, &wrong):
		return fmt.Errorf("%w: type that code, or ask the hub's keeper (%d tries left)", errCode, wrong.Left)
	case errors.As(err, &locked):
		return fmt.Errorf("too many wrong one-time codes: try again after %s", locked.Until.Local().Format("15:04:05"))
	}
	return err
}

// neverUsed reports whether a vault has no hub, no operator, no draft and no
// package: nothing that would be lost with it.
func neverUsed(ctx context.Context, v *store.Vault) (bool, error) {
	if _, err := v.Identity(); !errors.Is(err, store.ErrNoIdentity) {
		return false, err
	}
	drafts, err := v.DraftIDs()
	if err != nil {
		return false, err
	}
	packages, err := v.Outbox(ctx)
	return len(drafts)+len(packages)+len(v.Operators()) == 0, err
}

// typedCode reads a one-time code in its one spelling, so that it is the same
// secret however it was typed.
func typedCode(s string) (string, error) {
	c, err := wire.ParseCode(s)
	if err != nil {
		return "", fmt.Errorf("the one-time code cannot be right; nothing was begun and the hub was not asked: %w", err)
	}
	return c.String(), nil
}
