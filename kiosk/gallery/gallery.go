// Package gallery finds who an eye belongs to among many: a 1:N search over
// iris templates.
//
// A search scans short search codes of all entries, compares the best of them
// in full, and fuses two eyes on the calibrated −log10 false match rate. The
// codes lie side by side in pages, eight entries to a register, and are compared
// by AVX-512 or AVX2 where the processor has them and by portable Go with the
// same answers elsewhere. Templates stay in memory or, see [NewFetching], where
// the caller keeps them. The
// answer says how many entries it compared and how many it could not, so that
// "no match" and "not finished" are never the same thing. The package does no
// I/O, keeps no names, and decides nothing about people: it lists candidates.
package gallery

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// ID names the person or encounter that an entry belongs to.
type ID string

// Entry is one template in the gallery. A person has one or more entries.
type Entry struct {
	ID       ID
	Eye      kiosk.Eye
	Template kiosk.Template
}

// Errors of Add.
var (
	// ErrNoID says that an entry has no ID.
	ErrNoID = errors.New("gallery: entry without an ID")
	// ErrEye says that the entry's eye and its template's eye contradict.
	ErrEye = errors.New("gallery: entry's eye and template's eye differ")
	// ErrCodes says that search codes alone cannot be added: the gallery
	// keeps templates, or a template does not have so many readings.
	ErrCodes = errors.New("gallery: search codes without a template")
)

// kind says what a slot holds.
type kind uint8

const (
	first kind = iota + 1 // an entry, with its first reading's code
	twin                  // the second reading of an entry
	alien                 // an entry of an engine that does not ship, without a code
)

// record is what belongs to one slot, beside its code; zero while the slot is
// free. Those of a million entries have to fit into few bytes: links are slot
// numbers plus one, 0 for none.
type record struct {
	id   ID
	next int32 // next entry with the same ID
	twin int32 // slot of the second reading
	side side
	kind kind
	head bool // the first entry with its ID, that the index knows
}

// engines are the versions whose templates are comparable, each with its own
// kind; at most four.
var engines = iris.Versions()

// side says which engine a code is of and which eye: the codes that may be
// compared with each other.
type side uint8

// sides is the number of sides.
const sides = 4 * (int(kiosk.EyeLeft) + 1)

func sideOf(engine int, eye kiosk.Eye) side { return side(engine*(int(kiosk.EyeLeft)+1) + int(eye)) }

func (s side) engine() int    { return int(s) / (int(kiosk.EyeLeft) + 1) }
func (s side) eye() kiosk.Eye { return kiosk.Eye(int(s) % (int(kiosk.EyeLeft) + 1)) }

// meets reports whether codes of these sides are of one engine and may be of
// the same eye.
func (s side) meets(o side) bool { return s.engine() == o.engine() && meets(s.eye(), o.eye()) }

// chunk is a piece of the gallery. Chunks never move, so that a search may let
// go of the lock between them.
type chunk struct {
	codes     *slab
	records   [chunkSize]record
	templates *[chunkSize]kiosk.Template // nil where they are fetched
	// sides says for each side which lanes of each block hold a code of it.
	sides [sides]*[blocks]uint8
	// entries counts those that begin in this chunk and have a code.
	entries [sides]int
}

// Gallery is a set of entries. All methods may be called concurrently. The
// zero Gallery is not usable; see [New].
type Gallery struct {
	fetch  Templates // nil if templates are kept
	kernel kernel

	mu      sync.RWMutex
	chunks  []*chunk
	used    int     // slots handed out so far
	free    []int32 // slots given back
	persons index
	count   int
	alien   int    // entries of engines that do not ship
	engines [4]int // entries of each that ships
}

// Templates hands out the templates of a gallery that keeps none.
type Templates interface {
	// Templates returns all templates of id as they were added, in any
	// order; their Eye is the side they are compared as. It is called from
	// several goroutines at once. An error ends the search unfinished.
	Templates(ctx context.Context, id ID) ([]kiosk.Template, error)
}

// New returns an empty gallery that keeps its templates in memory.
func New() *Gallery { return &Gallery{kernel: kernels[0]} }

// NewFetching returns an empty gallery that keeps search codes only, less than
// 600 bytes an entry, and asks t for the templates of at most 1,000 persons in
// a search.
func NewFetching(t Templates) *Gallery {
	g := New()
	g.fetch = t
	return g
}

// Len returns the number of entries.
func (g *Gallery) Len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.count
}

// Engines names the engine versions whose templates are in the gallery and can be
// compared, the current one first: a probe should have a template of each.
func (g *Gallery) Engines() (out []string) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for i, n := range engines {
		if g.engines[i] > 0 {
			out = append(out, n)
		}
	}
	return out
}

// Add puts e into the gallery. Several entries may have the same ID, and the
// same eye: each is compared with probes of its own engine version. A template of
// an engine that does not ship is kept and counted by every search as not
// compared. Add returns [ErrNoID], [ErrEye],
// or what [iris.Decode] returns for a damaged template.
func (g *Gallery) Add(e Entry) error {
	if e.ID == "" {
		return ErrNoID
	}
	if !e.Eye.Valid() || (e.Eye != e.Template.Eye && e.Eye != kiosk.EyeUnknown && e.Template.Eye != kiosk.EyeUnknown) {
		return fmt.Errorf("%w: %v and %v", ErrEye, e.Eye, e.Template.Eye)
	}
	if e.Eye == kiosk.EyeUnknown {
		e.Eye = e.Template.Eye
	}
	d, err := iris.Decode(e.Template)
	var codes []iris.SearchCode
	switch {
	case errors.Is(err, iris.ErrVersion):
	case err != nil:
		return fmt.Errorf("gallery: %w", err)
	default:
		codes = d.SearchCodes()
	}
	g.add(e, slices.Index(engines, e.Template.Engine), codes)
	return nil
}

// AddCodes is Add for a gallery of [NewFetching] that is filled with search
// codes worked out before, one for each reading of a template of the current
// engine version, see [iris.Decoded.SearchCodes]. It returns [ErrNoID], [ErrEye] or
// [ErrCodes].
func (g *Gallery) AddCodes(id ID, eye kiosk.Eye, codes []iris.SearchCode) error {
	switch {
	case id == "":
		return ErrNoID
	case !eye.Valid():
		return fmt.Errorf("%w: %v", ErrEye, eye)
	case g.fetch == nil || len(codes) < 1 || len(codes) > 2:
		return fmt.Errorf("%w: %d codes", ErrCodes, len(codes))
	}
	g.add(Entry{ID: id, Eye: eye}, 0, codes)
	return nil
}

// add puts in e, whose readings have these codes of an engine; none if it is
// alien.
func (g *Gallery) add(e Entry, engine int, codes []iris.SearchCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.take()
	r := record{id: e.ID, kind: alien}
	if len(codes) > 0 {
		r.kind, r.side = first, sideOf(engine, e.Eye)
		g.code(k, r.side, &codes[0])
		g.chunks[k/chunkSize].entries[r.side]++
		g.engines[engine]++
	} else {
		g.alien++
	}
	if len(codes) > 1 { // templates have one reading or two
		t := g.take()
		g.code(t, r.side, &codes[1])
		*g.record(t) = record{id: e.ID, side: r.side, kind: twin}
		r.twin = t + 1
	}
	if c := g.chunks[k/chunkSize]; c.templates != nil {
		c.templates[k%chunkSize] = e.Template
	}
	if head := g.persons.find(g, e.ID); head >= 0 {
		h := g.record(head)
		r.next, h.next = h.next, k+1
		*g.record(k) = r
	} else {
		r.head = true
		*g.record(k) = r
		g.persons.insert(g, k)
	}
	g.count++
}

func (g *Gallery) record(slot int32) *record {
	return &g.chunks[slot/chunkSize].records[slot%chunkSize]
}

// code writes a code into a slot.
func (g *Gallery) code(slot int32, s side, code *iris.SearchCode) {
	c, k := g.chunks[slot/chunkSize], slot%chunkSize
	c.codes.put(int(k), code)
	if c.sides[s] == nil {
		c.sides[s] = new([blocks]uint8)
	}
	c.sides[s][k/lanes] |= 1 << (k % lanes)
}

// release empties a slot.
func (g *Gallery) release(slot int32) {
	c, k := g.chunks[slot/chunkSize], slot%chunkSize
	c.codes.put(int(k), &iris.SearchCode{})
	for _, lane := range c.sides {
		if lane != nil {
			lane[k/lanes] &^= 1 << (k % lanes)
		}
	}
	c.records[k] = record{}
	if c.templates != nil {
		c.templates[k] = kiosk.Template{}
	}
	g.free = append(g.free, slot)
}

// take returns a free slot; the lock is held.
func (g *Gallery) take() int32 {
	if n := len(g.free); n > 0 {
		k := g.free[n-1]
		g.free = g.free[:n-1]
		return k
	}
	if g.used == len(g.chunks)*chunkSize {
		g.chunks = append(g.chunks, g.newChunk())
	}
	g.used++
	return int32(g.used - 1)
}

func (g *Gallery) newChunk() *chunk {
	c := &chunk{}
	var giveBack func()
	c.codes, giveBack = newSlab()
	runtime.AddCleanup(c, func(f func()) { f() }, giveBack)
	if g.fetch == nil {
		c.templates = new([chunkSize]kiosk.Template)
	}
	return c
}

// Remove takes all entries of id out and returns how many there were. A search
// that is under way may still have seen them.
func (g *Gallery) Remove(id ID) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	head := g.persons.find(g, id)
	if head < 0 {
		return 0
	}
	g.persons.remove(g, head)
	n := 0
	for k := head + 1; k != 0; n++ {
		r := *g.record(k - 1)
		if r.kind == alien {
			g.alien--
		} else {
			g.chunks[(k-1)/chunkSize].entries[r.side]--
			g.engines[r.side.engine()]--
		}
		if r.twin != 0 {
			g.release(r.twin - 1)
		}
		g.release(k - 1)
		k = r.next
	}
	g.count -= n
	return n
}
