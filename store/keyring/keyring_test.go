package keyring

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tambo/kiosk"
	"tambo/store/internal/box"
)

var cheap = Argon2{Time: 1, Memory: 16, Threads: 1}

const (
	code = "one-time-code"
	pwS  = "supervisor password"
	pwO  = "officer password"
	pwT  = "technician password"
	pwK  = "keeper password"
)

func op(label string, role kiosk.Role, pw string) NewOperator {
	return NewOperator{kiosk.Operator{Label: label, Role: role}, pw}
}

func cards(n int) []Want {
	w := make([]Want, n)
	for i := range w {
		w[i] = Want{Tier: Subject, Use: UseCard}
	}
	return w
}

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

// newRing makes a ring with one operator of each role.
func newRing(t testing.TB) (*Ring, string, Options) {
	t.Helper()
	dir := t.TempDir()
	c := &clock{time.Date(2026, 3, 1, 6, 30, 0, 0, time.UTC)}
	o := Options{Argon2: cheap, Now: c.now}
	r, first, err := Create(dir, code, o)
	if err != nil {
		t.Fatal(err)
	}
	first.Lock()
	if err := r.Begin(code, op("su-1", kiosk.RoleSupervisor, pwS), op("ke-1", kiosk.RoleKeeper, pwK)); err != nil {
		t.Fatal(err)
	}
	s := unlock(t, r, "su-1", pwS)
	for _, n := range []NewOperator{op("of-1", kiosk.RoleOfficer, pwO), op("te-1", kiosk.RoleTechnician, pwT)} {
		if err := r.AddOperator(s, n); err != nil {
			t.Fatal(err)
		}
	}
	s.Lock()
	t.Cleanup(func() { r.Close() })
	return r, dir, o
}

func unlock(t testing.TB, r *Ring, label, pw string) *Session {
	t.Helper()
	s, err := r.Unlock(label, pw)
	if err != nil {
		t.Fatalf("unlock %s: %v", label, err)
	}
	return s
}

func reopen(t testing.TB, r *Ring, dir string, o Options) *Ring {
	t.Helper()
	r.Close()
	r, err := Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRoles(t *testing.T) {
	r, _, _ := newRing(t)
	for _, c := range []struct {
		label, pw            string
		subjects, provisions bool
	}{{"su-1", pwS, true, false}, {"of-1", pwO, true, false}, {"te-1", pwT, false, false}, {"ke-1", pwK, false, true}} {
		s := unlock(t, r, c.label, c.pw)
		if s.Subjects() != c.subjects || s.Provisions() != c.provisions {
			t.Errorf("%s: subjects %v, provisions %v", c.label, s.Subjects(), s.Provisions())
		}
		_, _, err := r.NewKeys(s, cards(1)...)
		if c.subjects != (err == nil) || !c.subjects && !errors.Is(err, ErrNoSubjects) {
			t.Errorf("%s: new subject key: %v", c.label, err)
		}
		s.Lock()
		if _, _, err := r.NewKeys(s, cards(1)...); !errors.Is(err, ErrNoSubjects) {
			t.Errorf("%s: after locking: %v", c.label, err)
		}
	}
	if _, err := r.Unlock("nobody", pwS); !errors.Is(err, ErrUnknownOperator) {
		t.Error(err)
	}
}

func TestWhoMayManage(t *testing.T) {
	r, _, _ := newRing(t)
	su, of, te, ke := unlock(t, r, "su-1", pwS), unlock(t, r, "of-1", pwO), unlock(t, r, "te-1", pwT), unlock(t, r, "ke-1", pwK)
	for name, c := range map[string]struct {
		by   *Session
		role kiosk.Role
		ok   bool
	}{
		"nobody": {nil, kiosk.RoleOfficer, false}, "officer": {of, kiosk.RoleTechnician, false}, "technician": {te, kiosk.RoleTechnician, false},
		"supervisor makes keeper": {su, kiosk.RoleKeeper, false}, "keeper makes officer": {ke, kiosk.RoleOfficer, false},
		"keeper makes supervisor": {ke, kiosk.RoleSupervisor, false}, "keeper makes keeper": {ke, kiosk.RoleKeeper, true}, "supervisor makes supervisor": {su, kiosk.RoleSupervisor, true},
	} {
		label := "new-" + string(c.role)
		err := r.AddOperator(c.by, op(label, c.role, "password 9"))
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, ErrNotPermitted) {
			t.Errorf("%s: %v", name, err)
		}
		if c.ok {
			s := unlock(t, r, label, "password 9")
			if s.Subjects() != c.role.OpensSubjects() || s.Provisions() != (c.role == kiosk.RoleKeeper) {
				t.Errorf("%s: the new operator's slot opens the wrong key", name)
			}
		}
	}
	for _, n := range []NewOperator{op("of-1", kiosk.RoleOfficer, pwO), op("Juan Pérez", kiosk.RoleOfficer, pwO), op("of-9", "chief", pwO), op("of-9", kiosk.RoleOfficer, "short")} {
		if err := r.AddOperator(su, n); err == nil {
			t.Errorf("added %v", n.Operator)
		}
	}
	if err := r.RemoveOperator(su, "ke-1"); !errors.Is(err, ErrNotPermitted) {
		t.Errorf("supervisor removed a keeper: %v", err)
	}
}

func TestBeginOnce(t *testing.T) {
	dir := t.TempDir()
	r, _, err := Create(dir, code, Options{Argon2: cheap})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Begin(code, op("of-1", kiosk.RoleOfficer, pwO)); !errors.Is(err, ErrNotPermitted) {
		t.Errorf("first operator need not be a supervisor: %v", err)
	}
	var wrong ErrPassword
	if err := r.Begin("another code", op("su-1", kiosk.RoleSupervisor, pwS)); !errors.As(err, &wrong) || wrong.Left != 4 {
		t.Errorf("wrong code: %v", err)
	}
	if err := r.TryCode("another code"); !errors.As(err, &wrong) || wrong.Left != 3 {
		t.Errorf("a wrong code that is only tried: %v", err)
	}
	if err := r.TryCode(code); err != nil {
		t.Errorf("the code, only tried: %v", err)
	}
	if err := r.Begin("another code", op("su-1", kiosk.RoleSupervisor, pwS)); !errors.As(err, &wrong) || wrong.Left != 4 {
		t.Errorf("the right code did not take the tries back: %v", err)
	}
	if r.Begun() {
		t.Error("begun")
	}
	if err := r.Begin(code, op("su-1", kiosk.RoleSupervisor, pwS)); err != nil {
		t.Fatal(err)
	}
	if err := r.Begin(code, op("su-2", kiosk.RoleSupervisor, pwS)); !errors.Is(err, ErrCodeUsed) {
		t.Errorf("second use of the code: %v", err)
	}
	if err := r.TryCode(code); !errors.Is(err, ErrCodeUsed) {
		t.Errorf("a used code, only tried: %v", err)
	}
	s := unlock(t, r, "su-1", pwS)
	if err := r.RemoveOperator(s, "su-1"); !errors.Is(err, ErrLastSupervisor) {
		t.Errorf("removed the last supervisor: %v", err)
	}
}

// TestLockOut: tries are counted before they are made, survive closing without
// warning, and end with time.
func TestLockOut(t *testing.T) {
	r, dir, o := newRing(t)
	c := &clock{o.Now()}
	o.Now = c.now
	for left := 4; left >= 1; left-- {
		var wrong ErrPassword
		if _, err := r.Unlock("of-1", "wrong password"); !errors.As(err, &wrong) || wrong.Left != left {
			t.Fatalf("%d left: %v", left, err)
		}
		r = reopen(t, r, dir, o)
	}
	var locked ErrLockedOut
	if _, err := r.Unlock("of-1", "wrong password"); !errors.As(err, &locked) {
		t.Fatalf("fifth: %v", err)
	}
	r = reopen(t, r, dir, o)
	if _, err := r.Unlock("of-1", pwO); !errors.As(err, &locked) || !locked.Until.Equal(c.t.Add(time.Minute)) {
		t.Errorf("the right password within the lock: %v", err)
	}
	unlock(t, r, "su-1", pwS).Lock() // others are not locked
	c.t = c.t.Add(61 * time.Second)
	if _, err := r.Unlock("of-1", "wrong password"); !errors.As(err, &locked) || !locked.Until.Equal(c.t.Add(2*time.Minute)) {
		t.Errorf("sixth: %v", err)
	}
	c.t = c.t.Add(3 * time.Minute)
	unlock(t, r, "of-1", pwO)
	var wrong ErrPassword
	if _, err := r.Unlock("of-1", "wrong password"); !errors.As(err, &wrong) || wrong.Left != 4 {
		t.Errorf("the count did not begin again: %v", err)
	}
}

// TestKillGivesNoTryBack stops between the count and the check.
func TestKillGivesNoTryBack(t *testing.T) {
	r, dir, o := newRing(t)
	for range 4 {
		if _, _, err := r.count(func(s *ringState) (*secret, []byte, error) { return &s.Operators[s.find("of-1")].secret, nil, nil }); err != nil {
			t.Fatal(err)
		}
		r = reopen(t, r, dir, o)
	}
	var locked ErrLockedOut
	if _, err := r.Unlock("of-1", "wrong password"); !errors.As(err, &locked) {
		t.Errorf("four cut tries were given back: %v", err)
	}
}

func TestChangePassword(t *testing.T) {
	r, dir, o := newRing(t)
	before := slotOf(r, "of-1")
	if err := r.ChangePassword("of-1", "wrong password", "new password"); !errors.As(err, &ErrPassword{}) {
		t.Errorf("wrong old one: %v", err)
	}
	if err := r.ChangePassword("of-1", pwO, "short"); !errors.Is(err, ErrWeakPassword) {
		t.Error(err)
	}
	if err := r.ChangePassword("of-1", pwO, "Contrase\u00f1a 1"); err != nil {
		t.Fatal(err)
	}
	r = reopen(t, r, dir, o)
	if _, err := r.Unlock("of-1", pwO); !errors.As(err, &ErrPassword{}) {
		t.Errorf("old password: %v", err)
	}
	if s := unlock(t, r, "of-1", "Contrasen\u0303a 1"); !s.Subjects() { // decomposed, as another keyboard may type it
		t.Error("no subjects")
	}
	if bytes.Equal(before.Wrapped, slotOf(r, "of-1").Wrapped) {
		t.Error("not wrapped anew")
	}
}

func slotOf(r *Ring, label string) opSlot { return r.state.Operators[r.state.find(label)] }

func TestKeys(t *testing.T) {
	r, dir, o := newRing(t)
	s := unlock(t, r, "of-1", pwO)
	refs, keys, err := r.NewKeys(s, cards(100)...)
	if err != nil {
		t.Fatal(err)
	}
	mrefs, mkeys, err := r.NewKeys(nil, Want{Tier: Machine}, Want{Tier: Machine}, Want{Tier: Machine})
	if err != nil {
		t.Fatal(err)
	}
	r = reopen(t, r, dir, o)
	for i, ref := range mrefs {
		if k, err := r.Key(ref, nil); err != nil || k != mkeys[i] {
			t.Errorf("machine key %d: %v", i, err)
		}
	}
	if _, err := r.Key(refs[0], nil); !errors.Is(err, ErrNoSubjects) {
		t.Errorf("subject key with nobody signed in: %v", err)
	}
	s = unlock(t, r, "su-1", pwS)
	for i, ref := range refs {
		if k, err := r.Key(ref, s); err != nil || k != keys[i] {
			t.Fatalf("key %d: %v", i, err)
		}
	}
	wrapped := r.table.slots[refs[7].Slot].wrapped
	if err := r.Erase(refs[7], refs[7], Ref{Slot: 1 << 20}); err != nil {
		t.Fatal(err)
	}
	raw, _ := os.ReadFile(filepath.Join(dir, tableFile))
	if bytes.Contains(raw, wrapped[:16]) {
		t.Error("the erased slot is still in the file")
	}
	if _, err := r.Key(refs[7], s); !errors.Is(err, ErrErased) {
		t.Errorf("erased: %v", err)
	}
	again, _, err := r.NewKeys(s, cards(1)...)
	if err != nil || again[0].Slot != refs[7].Slot {
		t.Fatalf("slot was not used again: %v %v", again, err)
	}
	if _, err := r.Key(refs[7], s); !errors.Is(err, ErrErased) {
		t.Errorf("an old ref opened the slot's new key: %v", err)
	}
	if n := len(r.Find(Subject, UseCard)); n != 100 {
		t.Errorf("found %d", n)
	}
	text, _ := refs[3].MarshalText()
	var back Ref
	if err := back.UnmarshalText(text); err != nil || back != refs[3] {
		t.Errorf("ref text: %v", err)
	}
	for _, bad := range []string{"", "1", "x-00", "1-00", "-"} {
		if back.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("accepted ref %q", bad)
		}
	}
}

// TestRotation: removing an officer gives the others a new subject key, every
// subject key stays readable for them, and nothing that the removed officer had
// opens what is there now.
func TestRotation(t *testing.T) {
	r, dir, o := newRing(t)
	of := unlock(t, r, "of-1", pwO)
	refs, keys, err := r.NewKeys(of, cards(50)...)
	if err != nil {
		t.Fatal(err)
	}
	stolen := of.subject
	su := unlock(t, r, "su-1", pwS)
	if err := r.RemoveOperator(su, "of-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Key(refs[0], of); !errors.Is(err, ErrStale) {
		t.Errorf("removed officer's session: %v", err)
	}
	for i, ref := range refs {
		if k, err := r.Key(ref, su); err != nil || k != keys[i] {
			t.Fatalf("key %d after rotation: %v", i, err)
		}
		sl := r.table.slots[ref.Slot]
		if _, err := sl.unwrap(ref.Slot, &stolen); err == nil {
			t.Fatal("the old subject key opens a slot")
		}
	}
	if len(r.state.Old) > 0 {
		t.Error("the old key is still kept")
	}
	r = reopen(t, r, dir, o)
	if _, err := r.Unlock("of-1", pwO); !errors.Is(err, ErrUnknownOperator) {
		t.Errorf("removed: %v", err)
	}
	if k, err := r.Key(refs[1], unlock(t, r, "su-1", pwS)); err != nil || k != keys[1] {
		t.Errorf("after opening again: %v", err)
	}
}

// TestRotationCut stops a rotation after its first durable step, with the table
// wrapped anew in no, some and all pages.
func TestRotationCut(t *testing.T) {
	for _, pages := range []int{0, 1, 100} {
		r, dir, o := newRing(t)
		su := unlock(t, r, "su-1", pwS)
		refs, keys, err := r.NewKeys(su, cards(100)...)
		if err != nil {
			t.Fatal(err)
		}
		table := filepath.Join(dir, tableFile)
		before, _ := os.ReadFile(table)
		ringBefore := r.state.clone()
		if err := r.RemoveOperator(su, "of-1"); err != nil {
			t.Fatal(err)
		}
		// Put the ring back to its first step: new epoch, old key still kept.
		old := unlockEpoch(t, ringBefore, r, pwS)
		next := r.state.clone()
		fresh := su.subject
		next.Old = sealOld(&next, fresh, old)
		if err := r.save(next); err != nil {
			t.Fatal(err)
		}
		after, _ := os.ReadFile(table)
		for p := 2; p < len(before)/tablePage; p++ {
			if p-2 >= pages*2 {
				copy(after[p*tablePage:(p+1)*tablePage], before[p*tablePage:(p+1)*tablePage])
			}
		}
		r.Close()
		os.WriteFile(table, after, 0o600)
		r, err = Open(dir, o)
		if err != nil {
			t.Fatal(err)
		}
		su = unlock(t, r, "su-1", pwS)
		for i, ref := range refs {
			if k, err := r.Key(ref, su); err != nil || k != keys[i] {
				t.Fatalf("%d pages done: key %d: %v", pages, i, err)
			}
		}
		if len(r.state.Old) > 0 {
			t.Error("rotation was not finished")
		}
		r.Close()
	}
}

func TestMachineKey(t *testing.T) {
	r, dir, o := newRing(t)
	r.Close()
	path := filepath.Join(dir, machineFile)
	os.Chmod(path, 0o644)
	if _, err := Open(dir, o); !errors.Is(err, ErrMachineKey) {
		t.Errorf("readable by others: %v", err)
	}
	os.Chmod(path, 0o600)
	good, _ := os.ReadFile(path)
	os.WriteFile(path, bytes.Replace(good, good[len(good)-5:len(good)-1], []byte("0000"), 1), 0o600)
	if _, err := Open(dir, o); !errors.Is(err, ErrMachineKey) {
		t.Errorf("another machine's key: %v", err)
	}
	os.Remove(path)
	if _, err := Open(dir, o); !errors.Is(err, ErrMachineKey) {
		t.Errorf("no key: %v", err)
	}
}

// FuzzTable opens arbitrary key tables: an error or missing keys, never a panic.
func FuzzTable(f *testing.F) {
	r, dir, _ := newRing(f)
	refs, _, err := r.NewKeys(nil, Want{Tier: Machine}, Want{Tier: Machine})
	if err != nil {
		f.Fatal(err)
	}
	good, _ := os.ReadFile(filepath.Join(dir, tableFile))
	f.Add(uint16(4096), []byte{1, 2, 3})
	f.Add(uint16(8192), make([]byte, 4096))
	f.Add(uint16(0), []byte{})
	machine := r.machine
	f.Fuzz(func(t *testing.T, at uint16, patch []byte) {
		b := bytes.Clone(good)
		copy(b[min(int(at), len(b)):], patch)
		path := filepath.Join(t.TempDir(), tableFile)
		os.WriteFile(path, b, 0o600)
		tb, err := openTable(path)
		if err != nil {
			return
		}
		defer tb.f.Close()
		for _, ref := range refs {
			if s, err := tb.get(ref); err == nil {
				s.unwrap(ref.Slot, &machine)
			}
		}
	})
}

// unlockEpoch opens the subject key that a former state sealed to su-1.
func unlockEpoch(t *testing.T, s ringState, r *Ring, pw string) Key {
	t.Helper()
	op := s.Operators[s.find("su-1")]
	private, err := op.secret.unwrap(pw, r.wrapPlace(&s, op.Operator))
	if err != nil {
		t.Fatal(err)
	}
	k, err := openTo(private, r.sealInfo(&op, s.Epoch), op.Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealOld(s *ringState, fresh, old Key) []byte {
	return box.Seal(fresh[:], oldPlace(s), old[:])
}
