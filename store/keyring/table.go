package keyring

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tambo/store/internal/box"
	"tambo/store/internal/twin"
)

// Tier says which key wraps a slot.
type Tier uint8

// Tiers.
const (
	Machine Tier = 1 // there from boot
	Subject Tier = 2 // only while an officer or supervisor is signed in
)

// Key is one random key.
type Key [box.KeySize]byte

// Wipe overwrites the key.
func (k *Key) Wipe() { clear(k[:]) }

// Use says what a slot's key is for. It is bound into the wrapping.
type Use uint8

// Uses of a slot.
const (
	UseIndex   Use = 1 // the vault's own index, one of each tier
	UseReceive Use = 2 // the private half to which down-documents are sealed
	UseDraft   Use = 3
	UseSealed  Use = 4
	UseCard    Use = 5
	UseList    Use = 6
)

// Ref names a slot's key: where it is, and which of the keys that were ever
// there. The zero Ref names none.
type Ref struct {
	Slot uint32
	ID   [12]byte
}

// String returns the ref's stable text form.
func (r Ref) String() string {
	return strconv.FormatUint(uint64(r.Slot), 10) + "-" + hex.EncodeToString(r.ID[:])
}

// MarshalText implements [encoding.TextMarshaler].
func (r Ref) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (r *Ref) UnmarshalText(b []byte) error {
	slot, id, ok := strings.Cut(string(b), "-")
	n, err := strconv.ParseUint(slot, 10, 32)
	raw, err2 := hex.DecodeString(id)
	if !ok || err != nil || err2 != nil || len(raw) != len(r.ID) {
		return errors.New("malformed key reference")
	}
	r.Slot = uint32(n)
	copy(r.ID[:], raw)
	return nil
}

// Errors of keys.
var (
	// ErrErased says that the key is gone: erased, or its slot used anew.
	ErrErased = errors.New("key was erased")
	// ErrDamagedSlot says that the slot cannot be read in either copy.
	ErrDamagedSlot = errors.New("key slot is damaged in both copies")
	// ErrStale says that the subject key was rotated since this session was
	// unlocked.
	ErrStale = errors.New("subject key has changed, sign in again")
)

const (
	tableFile    = "keys.tbl"
	tableMagic   = "tambo keys 1\n"
	tablePage    = 4096
	slotSize     = 96
	slotsPerPage = (tablePage - twin.HeaderSize) / slotSize // 42
	wrappedSize  = box.KeySize + box.Overhead               // 72
	maxSlots     = 1 << 22
)

// slot is one slot in memory. On disk: used[1] tier[1] use[1] 0[1] epoch[4] id[12]
// wrapped[72], four bytes spare.
type slot struct {
	used    bool
	tier    Tier
	use     Use
	epoch   uint32
	id      [12]byte
	wrapped [wrappedSize]byte
}

func (s *slot) append(out []byte) []byte {
	if !s.used {
		return append(out, make([]byte, slotSize)...)
	}
	out = append(out, 1, byte(s.tier), byte(s.use), 0)
	out = binary.BigEndian.AppendUint32(out, s.epoch)
	out = append(out, s.id[:]...)
	out = append(out, s.wrapped[:]...)
	return append(out, 0, 0, 0, 0)
}

func (s *slot) parse(b []byte) {
	*s = slot{used: b[0] == 1, tier: Tier(b[1]), use: Use(b[2]), epoch: binary.BigEndian.Uint32(b[4:])}
	copy(s.id[:], b[8:20])
	copy(s.wrapped[:], b[20:20+wrappedSize])
}

func (s *slot) place(n uint32) []byte {
	return box.Place(tableMagic, strconv.Itoa(int(n)), string([]byte{byte(s.tier), byte(s.use)}), strconv.Itoa(int(s.epoch)), string(s.id[:]))
}

// table is the key table: a plain store of wrapped keys. It knows no tier key.
type table struct {
	f     *twin.File
	slots []slot
	bad   map[int]bool // pages that read in neither copy
}

func createTable(path string) (*table, error) {
	f, err := twin.Create(path, tableMagic, tablePage)
	if err != nil {
		return nil, err
	}
	return &table{f: f, bad: map[int]bool{}}, nil
}

func openTable(path string) (*table, error) {
	f, err := twin.Open(path, tableMagic, tablePage)
	if err != nil {
		return nil, err
	}
	t := &table{f: f, bad: map[int]bool{}, slots: make([]slot, f.Len()*slotsPerPage)}
	for p := 1; p <= f.Len(); p++ {
		b, err := f.Page(p)
		if err != nil || len(b) != slotsPerPage*slotSize {
			t.bad[p] = true
			continue
		}
		for i := range slotsPerPage {
			t.slots[(p-1)*slotsPerPage+i].parse(b[i*slotSize : (i+1)*slotSize])
		}
	}
	return t, nil
}

func pageOf(n uint32) int { return int(n)/slotsPerPage + 1 }

// get returns the slot of a ref.
func (t *table) get(r Ref) (*slot, error) {
	if int(r.Slot) >= len(t.slots) {
		return nil, ErrErased
	}
	if t.bad[pageOf(r.Slot)] {
		return nil, fmt.Errorf("slot %d: %w", r.Slot, ErrDamagedSlot)
	}
	s := &t.slots[r.Slot]
	if !s.used || s.id != r.ID {
		return nil, ErrErased
	}
	return s, nil
}

// free finds n free slots, growing the table by a page when it must.
func (t *table) free(n int) ([]uint32, error) {
	var out []uint32
	for i := range t.slots {
		if len(out) == n {
			return out, nil
		}
		if !t.slots[i].used && !t.bad[pageOf(uint32(i))] {
			out = append(out, uint32(i))
		}
	}
	for i := len(t.slots); len(out) < n; i++ {
		if i >= maxSlots {
			return nil, errors.New("key table is full")
		}
		out = append(out, uint32(i))
	}
	return out, nil
}

// put replaces slots durably, all pages in one write.
func (t *table) put(changed map[uint32]slot) error {
	last := len(t.slots)
	for n := range changed {
		last = max(last, (int(n)/slotsPerPage+1)*slotsPerPage)
	}
	fresh := append(slices.Clone(t.slots), make([]slot, last-len(t.slots))...)
	pages := map[int][]byte{}
	for n, s := range changed {
		fresh[n] = s
		pages[pageOf(n)] = nil
	}
	for p := len(t.slots)/slotsPerPage + 1; p <= last/slotsPerPage; p++ {
		pages[p] = nil
	}
	for p := range pages {
		b := make([]byte, 0, slotsPerPage*slotSize)
		for i := range slotsPerPage {
			b = fresh[(p-1)*slotsPerPage+i].append(b)
		}
		pages[p] = b
	}
	if err := t.f.Write(pages); err != nil {
		return err
	}
	t.slots = fresh
	return nil
}

// wrap makes a slot for a key under a tier key.
func wrap(n uint32, tier Tier, use Use, epoch uint32, tierKey *Key, key *Key) slot {
	s := slot{used: true, tier: tier, use: use, epoch: epoch}
	rand.Read(s.id[:])
	s.rewrap(n, tierKey, key)
	return s
}

func (s *slot) rewrap(n uint32, tierKey, key *Key) {
	copy(s.wrapped[:], box.Seal(tierKey[:], s.place(n), key[:]))
}

func (s *slot) unwrap(n uint32, tierKey *Key) (k Key, err error) {
	b, err := box.Open(tierKey[:], s.place(n), s.wrapped[:])
	if err != nil {
		return k, fmt.Errorf("slot %d: %w", n, err)
	}
	copy(k[:], b)
	clear(b)
	return k, nil
}
