package store

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"tambo/kiosk"
	"tambo/kiosk/policy"
	"tambo/store/audit"
	"tambo/store/boltcheck"
	"tambo/store/internal/box"
	"tambo/store/internal/twin"
	"tambo/store/keyring"
	"tambo/store/seal"
)

// schema is bound into every value: a later schema migrates, it does not guess.
const schema = "tambo vault 1"

const (
	indexFile   = "vault.db"
	idFile      = "identity.tbl"
	lockFile    = "lock"
	encDir      = "enc"
	auditDir    = "audit"
	defReserve  = 32 << 20
	openTimeout = 2 * time.Second
)

// buckets of vault.db. Names inside them are blinded.
const (
	bDocuments  = "documents"  // signed documents of the hub, newest of each kind
	bAgreements = "agreements" // agreements by digest, for drafts that were begun under them
	bDrafts     = "drafts"     // which file and key a draft has
	bOutbox     = "outbox"     // sealed packages and their receipts
	bPurged     = "purged"     // manifests and receipts of packages that were purged
	bPackages   = "packages"   // which packages an encounter has
	bCards      = "cards"      // index cards
	bLists      = "lists"      // list heads
	bEntries    = "entries"    // list entries, by list
	bInbox      = "inbox"      // what came down sealed
	bAlerts     = "alerts"     // alerts that stand
	bWords      = "words"      // what became of alerts, for the hub
	bFloors     = "floors"     // versions of what came down sealed and was applied
)

var buckets = []string{bDocuments, bAgreements, bDrafts, bOutbox, bPurged, bPackages, bCards, bLists, bEntries, bInbox, bAlerts, bWords, bFloors}

// Options are how a vault is opened.
type Options struct {
	Machine keyring.MachineKeeper // nil: a root-only file
	Argon2  keyring.Argon2        // costs of new password slots; zero: keyring.DefaultArgon2. Lower ones are for tests.
	Now     func() time.Time      // nil: time.Now
	Build   time.Time             // of the program; time before it is not trusted
	// Reserve is the free space, in bytes, below which no new draft is begun, so
	// that what is open can still be saved and sealed. 0: 32 MiB; negative: none.
	Reserve int64
}

// CreateOptions are how a vault is made.
type CreateOptions struct {
	Options
	Code string // the one-time provisioning code, with which the first operators are made
}

// Vault is an open vault: the machine tier. It is safe for concurrent use.
type Vault struct {
	dir     string
	o       Options
	lock    *os.File
	ring    *keyring.Ring
	db      *bolt.DB
	idTable *twin.File
	log     *audit.Log
	machine keyring.Key // of the index's machine-tier values
	names   keyring.Key // blinds names

	files sync.Mutex // one change of encounter files at a time; taken before the index's lock

	mu       sync.Mutex // guards what follows; taken last, never while waiting for another
	id       identity
	signed   time.Time // latest time that the hub signed
	signedAt time.Time // when we learned it (monotonic)
	before   time.Duration
	damage   []string
	unclean  bool
	live     map[*Subjects]bool // open subject tiers, which Close locks
	fault    fault
}

// fault breaks a promise on purpose, in tests that show that the crash tests
// would notice.
type fault struct{ eraseFirst, skipFileSync, keepKeys bool }

// Create makes a vault in dir, which must not exist or be empty, and opens it.
// Keys are made here and never leave: the kiosk's signing key, its receive key,
// the keys of both tiers.
func Create(dir string, o CreateOptions) (*Vault, error) {
	if err := create(dir, o); err != nil {
		return nil, fmt.Errorf("create vault: %w", full(err))
	}
	return Open(dir, o.Options)
}

func create(dir string, o CreateOptions) error {
	tmp := filepath.Clean(dir) + ".new"
	if err := os.RemoveAll(tmp); err != nil { // of a creation that was cut short
		return err
	}
	for _, d := range []string{tmp, filepath.Join(tmp, encDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	ring, s, err := keyring.Create(tmp, o.Code, o.ring())
	if err != nil {
		return err
	}
	defer ring.Close()
	defer s.Lock()
	id, err := newIdentity(ring, s)
	if err != nil {
		return err
	}
	t, err := twin.Create(filepath.Join(tmp, idFile), idMagic, idPage)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := writeIdentity(t, ring, id); err != nil {
		return err
	}
	db, err := newIndex(filepath.Join(tmp, indexFile))
	if err != nil {
		return err
	}
	if err := errors.Join(db.Close(), twin.SyncDir(tmp)); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // not empty
	}
	if err := os.Rename(tmp, dir); err != nil {
		return err
	}
	return twin.SyncDir(filepath.Dir(filepath.Clean(dir)))
}

func indexOptions() *bolt.Options {
	return &bolt.Options{Timeout: openTimeout, NoFreelistSync: true, FreelistType: bolt.FreelistMapType, NoStatistics: true}
}

func (o *Options) ring() keyring.Options {
	return keyring.Options{Machine: o.Machine, Argon2: o.Argon2, Now: o.Now}
}

// Open opens the vault in dir with nobody signed in, and finishes what a cut
// left over. It fails with [ErrNoVault], [ErrInUse], keyring's [ErrMachineKey] or
// an *[ErrDamaged] that names the file.
func Open(dir string, o Options) (_ *Vault, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Reserve == 0 {
		o.Reserve = defReserve
	}
	if !keyring.Exists(dir) {
		return nil, fmt.Errorf("open vault: %w", ErrNoVault)
	}
	v := &Vault{dir: dir, o: o, live: map[*Subjects]bool{}}
	defer func() {
		if err != nil {
			v.Close()
			err = fmt.Errorf("open vault: %w", full(err))
		}
	}()
	if v.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if v.ring, err = keyring.Open(dir, o.ring()); err != nil {
		if errors.Is(err, twin.ErrDamaged) {
			return nil, &ErrDamaged{"key ring", "its sealed packages cannot be opened without it; provision the kiosk again", err}
		}
		return nil, err
	}
	if err = v.openKeys(); err != nil {
		return nil, err
	}
	if err = v.openIdentity(); err != nil {
		return nil, err
	}
	if err = v.openIndex(); err != nil {
		return nil, err
	}
	origin := "tambo/" + strings.ToLower(v.ring.VaultID())
	if v.log, err = audit.Open(filepath.Join(dir, auditDir), origin, v.id.signing()); err != nil {
		return nil, err
	}
	if err := v.log.Problem(); err != nil {
		v.damage = append(v.damage, err.Error())
	}
	return v, v.recover()
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, ErrInUse
		}
		return nil, err
	}
	return f, nil
}

// openKeys finds the two keys of the machine tier's index.
func (v *Vault) openKeys() error {
	refs := v.ring.Find(keyring.Machine, keyring.UseIndex)
	if len(refs) != 1 {
		return &ErrDamaged{"keys.tbl", "the index key is gone; provision the kiosk again", errors.New("no index key")}
	}
	key, err := v.ring.Key(refs[0], nil)
	if err != nil {
		return &ErrDamaged{"keys.tbl", "the index key cannot be read; provision the kiosk again", err}
	}
	v.machine = key
	copy(v.names[:], box.Blind(key[:], "names", "1"))
	copy(v.names[16:], box.Blind(key[:], "names", "2"))
	return nil
}

func (v *Vault) openIndex() (err error) {
	const do = "keep the folder as it is and run `tambo-diag vault salvage`: drafts and sealed packages can be found again from their files"
	path := filepath.Join(v.dir, indexFile)
	if err := boltcheck.File(path); err != nil {
		return &ErrDamaged{indexFile, do, err}
	}
	if v.db, err = bolt.Open(path, 0o600, indexOptions()); err != nil {
		return err
	}
	if err := wholeIndex(v.db); err != nil {
		return &ErrDamaged{indexFile, do, err}
	}
	return nil
}

// wholeIndex reports what an index lacks.
func wholeIndex(db *bolt.DB) error {
	return db.View(func(tx *bolt.Tx) error {
		for _, b := range buckets {
			if tx.Bucket([]byte(b)) == nil {
				return fmt.Errorf("its %s are missing", b)
			}
		}
		return nil
	})
}

// Close locks every subject tier that is open and closes the files. Nothing that
// was confirmed waits for it.
func (v *Vault) Close() error {
	v.mu.Lock()
	live := slices.Collect(maps.Keys(v.live))
	v.mu.Unlock()
	for _, s := range live {
		s.Lock()
	}
	var errs []error
	if v.log != nil {
		errs = append(errs, v.log.Close())
	}
	if v.db != nil {
		errs = append(errs, v.db.Close())
	}
	if v.idTable != nil {
		errs = append(errs, v.idTable.Close())
	}
	if v.ring != nil {
		errs = append(errs, v.ring.Close())
	}
	if v.lock != nil {
		if v.log != nil {
			os.Remove(filepath.Join(v.dir, runningFile))
		}
		errs = append(errs, v.lock.Close())
	}
	v.machine.Wipe()
	v.names.Wipe()
	return errors.Join(errs...)
}

// Now judges a time of the system clock by the latest hub-signed time, the last
// audit entry and the program's build time (policy.Clock).
func (v *Vault) Now(t time.Time) kiosk.Instant {
	c := policy.Clock{Build: v.o.Build}
	if e, ok := v.log.Last(); ok {
		c.LastAudit = e.At.Time
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c.Signed = v.signed
	if !v.signed.IsZero() {
		c.SinceSign = v.before + time.Since(v.signedAt)
	}
	return c.Instant(t)
}

func (v *Vault) now() kiosk.Instant { return v.Now(v.o.Now()) }

// learnTime takes a time that the hub signed.
func (v *Vault) learnTime(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if t.After(v.signed) {
		v.signed, v.signedAt, v.before = t, time.Now(), 0
	}
}

// Audit appends an act to the log; it is durable when Audit returns. Act and
// note are codes, never personal data.
func (v *Vault) Audit(act string, e kiosk.EncounterID, by, note string) error {
	at := v.now()
	if last, ok := v.log.Last(); ok && !at.Trusted && last.At.Time.After(at.Time) {
		at.Time = last.At.Time // a clock that went back must not make the log go back
	}
	_, err := v.log.Append(audit.Entry{At: at, Act: act, Encounter: e, By: by, Note: note})
	return full(err)
}

// AuditLog is the log itself, for checkpoints and proofs.
func (v *Vault) AuditLog() *audit.Log { return v.log }

// PublicKey verifies what the kiosk signs: manifests, parts, checkpoints.
func (v *Vault) PublicKey() ed25519.PublicKey {
	return v.id.signing().Public().(ed25519.PublicKey)
}

// Sign signs a message with the kiosk's key. Messages must begin with a line
// that says what they are, and that no other use of the key begins with.
func (v *Vault) Sign(message []byte) []byte { return ed25519.Sign(v.id.signing(), message) }

// ReceiveKey is the public key to which the hub seals documents about people.
// Its private half is of the subject tier.
func (v *Vault) ReceiveKey() []byte { return v.id.Receive }

// ReceiveKeyID names the receive key.
func (v *Vault) ReceiveKeyID() string { return seal.KeyID(v.id.Receive) }

// sealValue and openValue put a value of the machine tier in its place.
func (v *Vault) sealValue(bucket string, name, plain []byte) []byte {
	return box.Seal(v.machine[:], box.Place(schema, indexFile, bucket, string(name)), plain)
}

func (v *Vault) openValue(bucket string, name, sealed []byte) ([]byte, error) {
	b, err := box.Open(v.machine[:], box.Place(schema, indexFile, bucket, string(name)), sealed)
	if err != nil {
		return nil, &ErrDamaged{indexFile, "one value of its " + bucket + " cannot be read", err}
	}
	return b, nil
}

func (v *Vault) blind(bucket string, parts ...string) []byte {
	return box.Blind(v.names[:], append([]string{bucket}, parts...)...)
}
