package keyring

import (
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"tambo/kiosk"
	"tambo/store/internal/box"
)

// NewOperator is an operator to be made, with their password.
type NewOperator struct {
	kiosk.Operator
	Password string
}

// Session is one signed-in operator. Its key is wiped by [Session.Lock].
// Methods of [Ring] guard its fields.
type Session struct {
	r         *Ring
	op        kiosk.Operator
	open      bool // holds the subject key
	epoch     uint32
	subject   Key
	keeper    bool // holds the provisioning key
	provision Key
}

// Operator is who is signed in.
func (s *Session) Operator() kiosk.Operator { return s.op }

// Subjects reports whether the session opens data about people, now.
func (s *Session) Subjects() bool {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.open && s.epoch == s.r.state.Epoch
}

// Lock wipes the session's keys. Locking again does nothing.
func (s *Session) Lock() {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	s.open, s.keeper = false, false
	s.subject.Wipe()
	s.provision.Wipe()
}

// Provisions reports whether the session may replace the hub's key or the
// kiosk's identity: whether it holds the provisioning key.
func (s *Session) Provisions() bool {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	return s.keeper && s.r.provisions(&s.provision)
}

func (r *Ring) provisions(k *Key) bool {
	sum := sha256.Sum256(k[:])
	return subtle.ConstantTimeCompare(sum[:], r.state.Provision) == 1
}

// newState makes the first state: a subject key and a provisioning key, both
// under the one-time code. It returns the subject key too.
func newState(code string, cost Argon2) (ringState, Key) {
	var keys [2 * box.KeySize]byte
	rand.Read(keys[:])
	defer clear(keys[:])
	s := ringState{Format: 1, Vault: rand.Text(), Epoch: 1}
	sum := sha256.Sum256(keys[box.KeySize:])
	s.Provision = sum[:]
	c := &codeSlot{}
	c.secret.wrap(code, cost, box.Place(s.Vault, "code"), keys[:])
	s.Code = c
	return s, Key(keys[:box.KeySize])
}

// Begin makes the first operators with the one-time provisioning code, which is
// then gone. One of them must be a supervisor. A keeper can only be made here,
// or by a keeper.
func (r *Ring) Begin(code string, first ...NewOperator) error {
	if !slices.ContainsFunc(first, func(n NewOperator) bool { return n.Role == kiosk.RoleSupervisor }) {
		return fmt.Errorf("first operators: %w: one must be a supervisor", ErrNotPermitted)
	}
	keys, err := r.tryCode(code)
	if err != nil {
		return err
	}
	defer clear(keys)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	if next.Code == nil {
		return ErrCodeUsed
	}
	for _, n := range first {
		if err := r.add(&next, n, keys[:box.KeySize], keys[box.KeySize:]); err != nil {
			return err
		}
	}
	next.Code = nil
	return r.save(next)
}

// TryCode reports whether Begin would accept the code, and begins nothing. A
// wrong code is counted like a wrong password: [ErrPassword], [ErrLockedOut],
// and [ErrCodeUsed] once the first operators exist.
func (r *Ring) TryCode(code string) error {
	keys, err := r.tryCode(code)
	clear(keys)
	return err
}

func (r *Ring) tryCode(code string) ([]byte, error) {
	return r.try(code, func(s *ringState) (*secret, []byte, error) {
		if s.Code == nil {
			return nil, nil, ErrCodeUsed
		}
		return &s.Code.secret, box.Place(s.Vault, "code"), nil
	})
}

// Operators lists who has a slot, in the order in which they were added.
func (r *Ring) Operators() []kiosk.Operator {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]kiosk.Operator, len(r.state.Operators))
	for i := range out {
		out[i] = r.state.Operators[i].Operator
	}
	return out
}

// Begun reports whether the first operators were made.
func (r *Ring) Begun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state.Code == nil
}

// Unlock signs an operator in. It fails with [ErrUnknownOperator],
// [ErrPassword] or [ErrLockedOut]. Every role signs in; only an officer's or
// supervisor's session opens subjects. The work is about 0.1 s and 64 MiB with
// [DefaultArgon2].
func (r *Ring) Unlock(label, password string) (*Session, error) {
	private, err := r.tryOperator(label, password)
	if err != nil {
		return nil, err
	}
	defer clear(private)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := r.state.find(label)
	if i < 0 {
		return nil, ErrUnknownOperator // removed in the meantime
	}
	op := &r.state.Operators[i]
	s := &Session{r: r, op: op.Operator}
	if len(op.Sealed) == 0 {
		return s, nil
	}
	key, err := openTo(private, r.sealInfo(op, r.state.Epoch), op.Sealed)
	if err != nil {
		return nil, fmt.Errorf("slot of %s: %w", label, err)
	}
	if op.Role == kiosk.RoleKeeper {
		s.keeper, s.provision = true, key
		return s, nil
	}
	s.open, s.epoch, s.subject = true, r.state.Epoch, key
	if len(r.state.Old) > 0 {
		if err := r.finishRotation(s); err != nil {
			return nil, fmt.Errorf("finish a rotation that was cut short: %w", err)
		}
	}
	return s, nil
}

// AddOperator makes a slot. A supervisor makes officers, supervisors and
// technicians; a keeper makes keepers and technicians.
func (r *Ring) AddOperator(by *Session, n NewOperator) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.mayManage(by, n.Role); err != nil {
		return err
	}
	next := r.state.clone()
	if err := r.add(&next, n, by.subject[:], by.provision[:]); err != nil {
		return err
	}
	return r.save(next)
}

// mayManage says whether a session may add or remove an operator of a role.
func (r *Ring) mayManage(by *Session, role kiosk.Role) error {
	switch {
	case by == nil:
		return ErrNotPermitted
	case by.op.Role == kiosk.RoleSupervisor && by.open && role != kiosk.RoleKeeper:
		if by.epoch != r.state.Epoch {
			return ErrStale
		}
		return nil
	case by.op.Role == kiosk.RoleKeeper && by.keeper && !role.OpensSubjects():
		return nil
	}
	return ErrNotPermitted
}

// ChangePassword wraps the operator's private half under a new password and
// overwrites the old wrapping in place. A wrong old password counts as a try.
func (r *Ring) ChangePassword(label, old, password string) error {
	if err := checkPassword(password); err != nil {
		return err
	}
	private, err := r.tryOperator(label, old)
	if err != nil {
		return err
	}
	defer clear(private)
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	i := next.find(label)
	if i < 0 {
		return ErrUnknownOperator
	}
	op := &next.Operators[i]
	op.secret.wrap(password, r.o.Argon2, r.wrapPlace(&next, op.Operator), private)
	return r.save(next)
}

// RemoveOperator takes an operator's slot away. If it opened subjects, the
// subject key is rotated: a new one is sealed to everybody who stays, and every
// subject slot of keys.tbl is wrapped anew in place. Other sessions must sign in
// again.
func (r *Ring) RemoveOperator(by *Session, label string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.state.clone()
	i := next.find(label)
	if i < 0 {
		return ErrUnknownOperator
	}
	gone := next.Operators[i].Operator
	if err := r.mayManage(by, gone.Role); err != nil {
		return err
	}
	next.Operators = slices.Delete(next.Operators, i, i+1)
	if !slices.ContainsFunc(next.Operators, func(o opSlot) bool { return o.Role == kiosk.RoleSupervisor }) {
		return ErrLastSupervisor
	}
	if !gone.Role.OpensSubjects() {
		return r.save(next)
	}
	if len(next.Old) > 0 {
		return errors.New("a rotation was cut short: sign in again to finish it")
	}
	var fresh Key
	rand.Read(fresh[:])
	defer fresh.Wipe()
	next.Epoch++
	next.Old = box.Seal(fresh[:], oldPlace(&next), by.subject[:])
	for i := range next.Operators {
		if op := &next.Operators[i]; op.Role.OpensSubjects() {
			var err error
			if op.Sealed, err = sealTo(op.Public, r.sealInfo(op, next.Epoch), fresh[:]); err != nil {
				return err
			}
		}
	}
	if err := r.save(next); err != nil {
		return err
	}
	by.subject, by.epoch = fresh, next.Epoch
	return r.finishRotation(by)
}

// finishRotation wraps anew what is still wrapped by the old subject key, then
// forgets that key. It may be cut at any moment and done again.
func (r *Ring) finishRotation(s *Session) error {
	b, err := box.Open(s.subject[:], oldPlace(&r.state), r.state.Old)
	if err != nil {
		return err
	}
	old := Key(b)
	clear(b)
	defer old.Wipe()
	changed := map[uint32]slot{}
	for i := range r.table.slots {
		sl := r.table.slots[i]
		if !sl.used || sl.tier != Subject || sl.epoch == s.epoch {
			continue
		}
		n := uint32(i)
		key, err := sl.unwrap(n, &old)
		if err != nil {
			continue // a slot that somebody changed: it must not keep everybody out
		}
		sl.epoch = s.epoch
		sl.rewrap(n, &s.subject, &key)
		key.Wipe()
		changed[n] = sl
	}
	if len(changed) > 0 {
		if err := r.table.put(changed); err != nil {
			return err
		}
	}
	next := r.state.clone()
	next.Old = nil
	return r.save(next)
}

// add puts a new operator's slot into a state.
func (r *Ring) add(s *ringState, n NewOperator, subject, provision []byte) error {
	if err := checkPassword(n.Password); err != nil {
		return err
	}
	if !n.Role.Valid() || !validLabel(n.Label) {
		return fmt.Errorf("operator %q, role %q: label is 1 to 40 of a-z 0-9 '-', role one of officer, supervisor, technician, keeper", n.Label, n.Role)
	}
	if s.find(n.Label) >= 0 {
		return fmt.Errorf("%s: %w", n.Label, ErrExists)
	}
	if len(s.Operators) >= maxOperators {
		return fmt.Errorf("this kiosk has %d operators, the most there can be: remove one", maxOperators)
	}
	pair, err := hpke.MLKEM768X25519().GenerateKey()
	if err != nil {
		return err
	}
	private, err := pair.Bytes()
	if err != nil {
		return err
	}
	defer clear(private)
	op := opSlot{Operator: n.Operator, Public: pair.PublicKey().Bytes()}
	op.secret.wrap(n.Password, r.o.Argon2, r.wrapPlace(s, op.Operator), private)
	switch {
	case op.Role.OpensSubjects():
		op.Sealed, err = sealTo(op.Public, r.sealInfo(&op, s.Epoch), subject)
	case op.Role == kiosk.RoleKeeper:
		op.Sealed, err = sealTo(op.Public, r.sealInfo(&op, s.Epoch), provision)
	}
	s.Operators = append(s.Operators, op)
	return err
}

func (r *Ring) wrapPlace(s *ringState, op kiosk.Operator) []byte {
	return box.Place(s.Vault, "operator", op.Label, string(op.Role))
}

func (r *Ring) sealInfo(op *opSlot, epoch uint32) []byte {
	if op.Role == kiosk.RoleKeeper {
		epoch = 0 // the provisioning key does not rotate
	}
	return box.Place("tambo operator key 1", op.Label, string(op.Role), strconv.Itoa(int(epoch)))
}

func oldPlace(s *ringState) []byte {
	return box.Place(s.Vault, "old subject key", strconv.Itoa(int(s.Epoch)))
}

func sealTo(public, info, key []byte) ([]byte, error) {
	pk, err := hpke.MLKEM768X25519().NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	return hpke.Seal(pk, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, key)
}

func openTo(private, info, sealed []byte) (k Key, err error) {
	sk, err := hpke.MLKEM768X25519().NewPrivateKey(private)
	if err != nil {
		return k, err
	}
	b, err := hpke.Open(sk, hpke.HKDFSHA256(), hpke.ChaCha20Poly1305(), info, sealed)
	if err != nil || len(b) != len(k) {
		return k, box.ErrOpen
	}
	copy(k[:], b)
	clear(b)
	return k, nil
}

func validLabel(l string) bool {
	if len(l) == 0 || len(l) > 40 {
		return false
	}
	for _, c := range l {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}
