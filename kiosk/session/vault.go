package session

import (
	"context"
	"time"

	"tambo/devices"
	"tambo/kiosk"
	"tambo/kiosk/record"
)

// Vault is what a session needs of the store with nobody signed in. Its
// implementation is wired in by the program; see store.Vault for the promises.
// Its errors, and those of Subjects, wrap the errors of this package where one
// says what they say: ErrDiskFull, ErrDamaged, ErrUnknown, *PasswordError,
// *LockedOutError.
type Vault interface {
	// Kiosk returns who this kiosk is.
	Kiosk() (id kiosk.KioskID, site string)
	// Agreement returns the agreement that the hub signed last, and its digest.
	// ErrNoAgreement if none came yet.
	Agreement() (kiosk.Agreement, string, error)
	// Now judges a time of the system clock.
	Now(time.Time) kiosk.Instant
	// Unlock opens the subject tier for an operator whose role allows it.
	Unlock(ctx context.Context, label string, password []byte) (Subjects, kiosk.Operator, error)
	// Check proves who somebody is without opening anything: the second person.
	Check(ctx context.Context, label string, password []byte) (kiosk.Operator, error)
	// Audit appends an act to the tamper-evident log.
	Audit(ctx context.Context, act string, e kiosk.EncounterID, by string) error
	// Outbox lists what is sealed and not purged.
	Outbox(ctx context.Context) ([]Waiting, error)
}

// Waiting is a sealed package and where it stands.
type Waiting struct {
	ID        string // digest of its manifest
	Encounter kiosk.EncounterID
	Kind      kiosk.PackageKind
	Hit       bool
	State     kiosk.State // sealed, thin-delivered, delivered, refused
	Sealed    time.Time
	Bytes     int64
}

// Subjects is the open subject tier. All of it is durable when it returns.
type Subjects interface {
	SaveDraft(ctx context.Context, e *kiosk.Encounter, images map[string][]byte) error
	Draft(ctx context.Context, id kiosk.EncounterID) (*kiosk.Encounter, error)
	Drafts(ctx context.Context) ([]kiosk.EncounterID, error)
	Image(ctx context.Context, id kiosk.EncounterID, part string) ([]byte, error)
	// DropImages destroys images: their keys are erased.
	DropImages(ctx context.Context, id kiosk.EncounterID, parts ...string) error
	Discard(ctx context.Context, id kiosk.EncounterID) error
	// Seal encrypts the parts to the agreement's recipients, signs the manifest,
	// makes the package and the card durable together, and erases the draft.
	Seal(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []record.Part, card *kiosk.IndexCard) (Waiting, error)
	// Queue seals a package of its own while the draft goes on.
	Queue(ctx context.Context, e *kiosk.Encounter, kind kiosk.PackageKind, parts []record.Part) (Waiting, error)
	// Searchable calls f, from several goroutines at once, for every index card
	// that has not ended, with what kiosk.IndexCard.Search was; nil if nothing
	// was, or it cannot be read. f must not call the vault nor keep search. progress
	// hears the cards done and in all. lost counts the cards that cannot be read.
	Searchable(ctx context.Context, progress func(done, total int), f func(id kiosk.EncounterID, search []byte) error) (lost int, err error)
	// Card returns one index card; ErrNoCard if there is none or it has ended.
	Card(ctx context.Context, id kiosk.EncounterID) (kiosk.IndexCard, error)
	// Receive opens what came down sealed while the kiosk was locked, and
	// applies list deltas. It returns the alerts that stand.
	Receive(ctx context.Context) ([]kiosk.Alert, error)
	// MarkAlert keeps that somebody has seen an alert, or is done with it, and
	// queues the word for the hub.
	MarkAlert(ctx context.Context, id string, state kiosk.AlertState) error
	// PutArrivals keeps the open arrival list as it is given; nil takes it away.
	PutArrivals(ctx context.Context, list []byte) error
	// Arrivals returns it, nil if there is none.
	Arrivals(ctx context.Context) ([]byte, error)
	// Lists returns the watchlists as they stand.
	Lists(ctx context.Context) ([]List, error)
	// Lock forgets the subject key.
	Lock()
}

// List is a watchlist as the kiosk holds it.
type List struct {
	Name    string
	Version uint64
	Signed  time.Time // when the hub signed this state
	HashKey []byte    // keys the document hashes
	Entries []kiosk.WatchlistEntry
}

// Devices opens what is plugged in.
type Devices interface {
	OpenIrisCamera(ctx context.Context) (devices.IrisCamera, error)
	OpenFaceCamera(ctx context.Context) (devices.FaceCamera, error)
	OpenScanner(ctx context.Context) (devices.DocumentScanner, error)
}
