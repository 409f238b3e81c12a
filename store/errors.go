package store

import (
	"errors"
	"fmt"
	"syscall"

	"tambo/store/keyring"
)

// Errors of the vault. Those of operators and passwords are package keyring's
// and stand here so that callers need only this package.
var (
	ErrInUse        = errors.New("vault is in use by another process")
	ErrNoVault      = errors.New("there is no vault here: provision the kiosk")
	ErrDiskFull     = errors.New("the kiosk's disk is full: deliver what waits, or free space; nothing that was confirmed is lost")
	ErrNoDraft      = errors.New("there is no such draft")
	ErrNoImage      = errors.New("there is no such image in the draft")
	ErrNoPackage    = errors.New("there is no such sealed package")
	ErrNoCard       = errors.New("there is no such index card, or it has ended")
	ErrNotReceipted = errors.New("no complete receipt: a sealed record is purged on nothing less")
	ErrPurged       = errors.New("package was purged")
	ErrRollback     = errors.New("document is older than the one held")
	ErrNotForUs     = errors.New("document is for another kiosk")
	ErrNoDocument   = errors.New("no such document has come from the hub")
	ErrNoIdentity   = errors.New("kiosk is not provisioned: it has no hub yet")
	ErrLocked       = errors.New("subject tier is locked: sign in")
	ErrNotRostered  = errors.New("the hub's roster does not list this operator")
	ErrListGap      = errors.New("list delta does not follow the version held")
	ErrUnknownOp    = keyring.ErrUnknownOperator
	ErrNoSubjects   = keyring.ErrNoSubjects
	ErrNotPermitted = keyring.ErrNotPermitted
	ErrCodeUsed     = keyring.ErrCodeUsed
	ErrWeakPassword = keyring.ErrWeakPassword
	ErrMachineKey   = keyring.ErrMachineKey
)

// Typed errors of sign-in.
type (
	// ErrPassword: wrong; Left tries remain before the operator is locked out.
	ErrPassword = keyring.ErrPassword
	// ErrLockedOut: too many wrong ones; locked until Until.
	ErrLockedOut = keyring.ErrLockedOut
)

// ErrDamaged says which file of the vault cannot be read and what to do.
type ErrDamaged struct {
	File string // name inside the vault
	Do   string // what to do next
	Err  error
}

func (e *ErrDamaged) Error() string {
	return fmt.Sprintf("%s is damaged (%v): %s", e.File, e.Err, e.Do)
}

func (e *ErrDamaged) Unwrap() error { return e.Err }

// full turns the operating system's "no space" into ErrDiskFull.
func full(err error) error {
	if err != nil && (errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)) && !errors.Is(err, ErrDiskFull) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}
