package keyring

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/internal/twin"
)

// Errors of operators.
var (
	ErrUnknownOperator = errors.New("no such operator at this kiosk")
	ErrNoSubjects      = errors.New("this operator's role opens no data about people")
	ErrNotPermitted    = errors.New("this operator's role may not do that")
	ErrExists          = errors.New("operator is already at this kiosk")
	ErrWeakPassword    = errors.New("password is too short: use at least 8 characters")
	ErrCodeUsed        = errors.New("provisioning code was used already; a supervisor adds operators now")
	ErrLastSupervisor  = errors.New("the last supervisor cannot be removed: nobody could add operators")
)

// ErrPassword says that the password (or provisioning code) is wrong.
type ErrPassword struct{ Left int } // tries left before the slot is locked for a while

func (e ErrPassword) Error() string {
	if e.Left == 1 {
		return "wrong password: one try left"
	}
	return fmt.Sprintf("wrong password: %d tries left", e.Left)
}

// ErrLockedOut says that too many wrong passwords were given.
type ErrLockedOut struct{ Until time.Time }

func (e ErrLockedOut) Error() string {
	return "too many wrong passwords: locked until " + e.Until.UTC().Format("15:04:05 UTC")
}

// Argon2 are the costs of turning a password into a key (RFC 9106). They are
// stored with each slot.
type Argon2 struct {
	Time    uint32 `json:"time"`   // passes
	Memory  uint32 `json:"memory"` // KiB
	Threads uint8  `json:"threads"`
}

// DefaultArgon2 is the second recommended option of RFC 9106, section 4.
var DefaultArgon2 = Argon2{Time: 3, Memory: 64 << 10, Threads: 4}

// Options are how a ring is created or opened.
type Options struct {
	Machine MachineKeeper    // nil: FileKeeper
	Argon2  Argon2           // costs of new slots; zero: DefaultArgon2. Lower ones are for tests.
	Now     func() time.Time // nil: time.Now
}

func (o *Options) fill() {
	if o.Machine == nil {
		o.Machine = FileKeeper{}
	}
	if o.Argon2 == (Argon2{}) {
		o.Argon2 = DefaultArgon2
	}
	if o.Now == nil {
		o.Now = time.Now
	}
}

const (
	ringFile     = "ring.tbl"
	ringMagic    = "tambo ring 1\n"
	ringPage     = 256 << 10
	maxOperators = 48
	machineEpoch = 1
)

// Files lists the names of the files that the ring keeps in its folder.
func Files() []string { return []string{tableFile, ringFile, machineFile} }

// Ring is the open key ring. It is safe for concurrent use by one process; the
// vault's lock keeps others out.
type Ring struct {
	mu      sync.Mutex
	o       Options
	machine Key
	f       *twin.File
	table   *table
	state   ringState
}

// ringState is what ring.tbl holds, sealed by the machine key.
type ringState struct {
	Format    int       `json:"format"`
	Vault     string    `json:"vault"`          // random id of this vault, bound into every wrapping
	Epoch     uint32    `json:"epoch"`          // of the subject key
	Code      *codeSlot `json:"code,omitempty"` // until the first operator exists
	Operators []opSlot  `json:"operators"`
	// Old is the subject key of the epoch before, sealed by the present one,
	// while slots of keys.tbl may still be wrapped by it.
	Old       []byte `json:"old,omitempty"`
	Provision []byte `json:"provision"` // SHA-256 of the provisioning key
}

// secret is something wrapped under a password, with its tries.
type secret struct {
	Salt    []byte    `json:"salt"`
	Argon2  Argon2    `json:"argon2"`
	Wrapped []byte    `json:"wrapped"`
	Tries   int       `json:"tries"` // wrong ones since the last right one, counted before they are tried
	Until   time.Time `json:"until"` // locked until
}

type codeSlot struct{ secret }

// opSlot is an operator's slot.
type opSlot struct {
	kiosk.Operator
	secret        // wraps the private half of the key pair
	Public []byte `json:"public"`
	Sealed []byte `json:"sealed,omitempty"` // the subject key (or, of a keeper, the provisioning key), to Public
}

// Create makes a new ring in dir: machine key, key table, and the slot of the
// one-time provisioning code with which [Ring.Begin] makes the first operators.
// The session is nobody's: it opens both tiers so that the vault can be
// furnished, and is to be locked at once.
func Create(dir, code string, o Options) (*Ring, *Session, error) {
	o.fill()
	if len(code) < minPassword {
		return nil, nil, fmt.Errorf("create key ring: provisioning code: %w", ErrWeakPassword)
	}
	machine, err := o.Machine.Create(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("create machine key: %w", err)
	}
	r := &Ring{o: o, machine: Key(machine)}
	if r.table, err = createTable(filepath.Join(dir, tableFile)); err != nil {
		return nil, nil, fmt.Errorf("create key table: %w", err)
	}
	if r.f, err = twin.Create(filepath.Join(dir, ringFile), ringMagic, ringPage); err != nil {
		r.table.f.Close()
		return nil, nil, fmt.Errorf("create key ring: %w", err)
	}
	state, subject := newState(code, o.Argon2)
	if err := r.save(state); err != nil {
		r.Close()
		return nil, nil, fmt.Errorf("create key ring: %w", err)
	}
	return r, &Session{r: r, open: true, epoch: state.Epoch, subject: subject}, nil
}

// Open opens the ring in dir with the machine key. Nobody is signed in.
func Open(dir string, o Options) (*Ring, error) {
	o.fill()
	machine, err := o.Machine.Load(dir)
	if err != nil {
		return nil, err
	}
	if len(machine) != box.KeySize {
		return nil, ErrMachineKey
	}
	r := &Ring{o: o, machine: Key(machine)}
	if r.table, err = openTable(filepath.Join(dir, tableFile)); err != nil {
		return nil, fmt.Errorf("open key table: %w", err)
	}
	if r.f, err = twin.Open(filepath.Join(dir, ringFile), ringMagic, ringPage); err != nil {
		r.table.f.Close()
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	if err := r.load(); err != nil {
		r.Close()
		return nil, fmt.Errorf("open key ring: %w", err)
	}
	return r, nil
}

// Close closes the files and wipes the machine key.
func (r *Ring) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.machine.Wipe()
	return errors.Join(r.f.Close(), r.table.f.Close())
}

// VaultID is the vault's random id.
func (r *Ring) VaultID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Vault
}

// Damaged reports how many pages of keys.tbl read in neither copy; what their
// keys opened is lost.
func (r *Ring) Damaged() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.table.bad)
}

func (r *Ring) load() error {
	page, err := r.f.Page(1)
	if err != nil {
		return err
	}
	body, err := box.Open(r.machine[:], []byte(ringMagic), page)
	if err != nil {
		return fmt.Errorf("%s: %w: is it of another machine?", ringFile, ErrMachineKey)
	}
	var s ringState
	if err := json.Unmarshal(body, &s); err != nil || s.Format != 1 {
		return fmt.Errorf("%s: format %d is not known", ringFile, s.Format)
	}
	r.state = s
	return nil
}

// save makes a state durable and then current.
func (r *Ring) save(s ringState) error {
	body, err := json.Marshal(s)
	if err != nil {
		return err
	}
	if err := r.f.Write(map[int][]byte{1: box.Seal(r.machine[:], []byte(ringMagic), body)}); err != nil {
		return err
	}
	r.state = s
	return nil
}

// clone copies the state so that a failed save leaves the present one.
func (s ringState) clone() ringState {
	ops := make([]opSlot, len(s.Operators))
	copy(ops, s.Operators)
	s.Operators = ops
	if s.Code != nil {
		c := *s.Code
		s.Code = &c
	}
	return s
}

func (s *ringState) find(label string) int {
	for i := range s.Operators {
		if s.Operators[i].Label == label {
			return i
		}
	}
	return -1
}

// Want says what a new key is for.
type Want struct {
	Tier Tier
	Use  Use
	// Key is kept if it is not nil, such as a private seed made elsewhere; else
	// a random one is made.
	Key *Key
}

// NewKeys makes keys, all durable in the table in one write. If any is of the
// subject tier, s must be a session that opens subjects.
func (r *Ring) NewKeys(s *Session, wants ...Want) ([]Ref, []Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	places, err := r.table.free(len(wants))
	if err != nil {
		return nil, nil, err
	}
	changed := make(map[uint32]slot, len(wants))
	refs, keys := make([]Ref, len(wants)), make([]Key, len(wants))
	for i, w := range wants {
		tierKey, epoch, err := r.tierKey(w.Tier, s)
		if err != nil {
			return nil, nil, err
		}
		if w.Key != nil {
			keys[i] = *w.Key
		} else {
			rand.Read(keys[i][:])
		}
		n := places[i]
		sl := wrap(n, w.Tier, w.Use, epoch, tierKey, &keys[i])
		changed[n], refs[i] = sl, Ref{n, sl.id}
	}
	if err := r.table.put(changed); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", tableFile, err)
	}
	return refs, keys, nil
}

// NewKey makes one random key.
func (r *Ring) NewKey(s *Session, tier Tier, use Use) (Ref, Key, error) {
	refs, keys, err := r.NewKeys(s, Want{Tier: tier, Use: use})
	if err != nil {
		return Ref{}, Key{}, err
	}
	return refs[0], keys[0], nil
}

// Key unwraps the key that ref names. s may be nil for the machine tier.
func (r *Ring) Key(ref Ref, s *Session) (Key, error) {
	sl, tierKey, err := r.wrapped(ref, s)
	if err != nil {
		return Key{}, err
	}
	defer tierKey.Wipe()
	return sl.unwrap(ref.Slot, &tierKey) // with the ring unlocked: a million are unwrapped at sign-in
}

// wrapped returns copies of a slot and of the tier key that unwraps it.
func (r *Ring) wrapped(ref Ref, s *Session) (slot, Key, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sl, err := r.table.get(ref)
	if err != nil {
		return slot{}, Key{}, err
	}
	tierKey, epoch, err := r.tierKey(sl.tier, s)
	if err != nil {
		return slot{}, Key{}, err
	}
	if sl.epoch != epoch {
		return slot{}, Key{}, fmt.Errorf("slot %d: %w", ref.Slot, ErrStale)
	}
	return *sl, *tierKey, nil
}

// Erase overwrites the slots of refs in place and returns when that is durable.
// A ref whose key is gone already is passed over.
func (r *Ring) Erase(refs ...Ref) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := map[uint32]slot{}
	for _, ref := range refs {
		if _, err := r.table.get(ref); err == nil {
			changed[ref.Slot] = slot{}
		}
	}
	if len(changed) == 0 {
		return nil
	}
	if err := r.table.put(changed); err != nil {
		return fmt.Errorf("%s: %w", tableFile, err)
	}
	return nil
}

// Refs returns every ref of the table.
func (r *Ring) Refs() []Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Ref
	for i := range r.table.slots {
		if sl := &r.table.slots[i]; sl.used {
			out = append(out, Ref{uint32(i), sl.id})
		}
	}
	return out
}

// Find returns the refs of a tier and use.
func (r *Ring) Find(tier Tier, use Use) []Ref {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []Ref
	for i := range r.table.slots {
		if sl := &r.table.slots[i]; sl.used && sl.tier == tier && sl.use == use {
			out = append(out, Ref{uint32(i), sl.id})
		}
	}
	return out
}

// tierKey returns the key of a tier and its epoch.
func (r *Ring) tierKey(t Tier, s *Session) (*Key, uint32, error) {
	if t == Machine {
		return &r.machine, machineEpoch, nil
	}
	if s == nil || !s.open {
		return nil, 0, ErrNoSubjects
	}
	if s.epoch != r.state.Epoch {
		return nil, 0, ErrStale
	}
	return &s.subject, s.epoch, nil
}

// Exists reports whether dir holds a ring.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, ringFile))
	return err == nil
}
