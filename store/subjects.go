package store

import (
	"context"
	"errors"
	"sync"
	"syscall"

	"tambo/kiosk"
	"tambo/store/internal/box"
	"tambo/store/keyring"
)

// Subjects is the tier of data about people, open while an officer or
// supervisor is signed in. Methods fail with [ErrLocked] after [Subjects.Lock].
// It is safe for concurrent use; what a method has returned is durable.
type Subjects struct {
	v  *Vault
	s  *keyring.Session
	op kiosk.Operator

	mu    sync.Mutex
	index keyring.Key // of the index's subject-tier values
	files map[kiosk.EncounterID]*encFile
	open  bool
}

// Unlock signs an officer or supervisor in and opens the subject tier. Other
// roles get [ErrNoSubjects]; use [Vault.SignIn] for them.
func (v *Vault) Unlock(ctx context.Context, label string, password []byte) (*Subjects, kiosk.Operator, error) {
	op, err := v.SignIn(ctx, label, password)
	if err != nil {
		return nil, kiosk.Operator{}, err
	}
	s, err := op.Subjects(v)
	if err != nil {
		op.SignOut()
		return nil, op.Operator, err
	}
	return s, op.Operator, nil
}

// Subjects opens the subject tier for an operator who is signed in. Locking it
// signs the operator out.
func (o *Operator) Subjects(v *Vault) (*Subjects, error) {
	if !o.s.Subjects() {
		return nil, ErrNoSubjects
	}
	refs := v.ring.Find(keyring.Subject, keyring.UseIndex)
	if len(refs) != 1 {
		return nil, v.damaged(&ErrDamaged{"keys.tbl", "the subject index key is gone; deliver what is sealed, then provision the kiosk again", errors.New("no key")})
	}
	key, err := v.ring.Key(refs[0], o.s)
	if err != nil {
		return nil, err
	}
	s := &Subjects{v: v, s: o.s, op: o.Operator, index: key, files: map[kiosk.EncounterID]*encFile{}, open: true}
	v.mu.Lock()
	v.live[s] = true
	v.mu.Unlock()
	return s, nil
}

// Operator is who opened the tier.
func (s *Subjects) Operator() kiosk.Operator { return s.op }

// SignedIn returns the operator for acts that need a role, such as adding
// operators.
func (s *Subjects) SignedIn() *Operator { return &Operator{s.op, s.s} }

// Lock wipes the subject key and closes every draft. What was saved stays.
func (s *Subjects) Lock() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.open {
		return
	}
	s.open = false
	s.v.mu.Lock()
	delete(s.v.live, s)
	s.v.mu.Unlock()
	for id, f := range s.files {
		f.close()
		delete(s.files, id)
	}
	s.index.Wipe()
	s.s.Lock()
	s.v.Audit("locked", "", s.op.Label, "")
}

// use takes the tier for one act.
func (s *Subjects) use(ctx context.Context) (release func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.v.files.Lock()
	s.mu.Lock()
	if !s.open {
		s.mu.Unlock()
		s.v.files.Unlock()
		return nil, ErrLocked
	}
	return func() { s.mu.Unlock(); s.v.files.Unlock() }, nil
}

// space is the free and total size of the vault's disk, in bytes.
func (v *Vault) space() (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(v.dir, &st); err != nil {
		return 0, 0, err
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// seal and open of the index's subject-tier values.
func (s *Subjects) sealValue(bucket string, name, plain []byte) []byte {
	return box.Seal(s.index[:], box.Place(schema, indexFile, bucket, string(name)), plain)
}

func (s *Subjects) openValue(bucket string, name, sealed []byte) ([]byte, error) {
	b, err := box.Open(s.index[:], box.Place(schema, indexFile, bucket, string(name)), sealed)
	if err != nil {
		return nil, &ErrDamaged{indexFile, "one value of its " + bucket + " cannot be read", err}
	}
	return b, nil
}
