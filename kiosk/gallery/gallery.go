// Package gallery finds who an eye belongs to among many: a 1:N search over
// iris templates kept in memory.
//
// A search scans short search codes of all entries, compares the best of them
// in full, and fuses two eyes on the calibrated −log10 false match rate. The
// answer says how many entries it compared and how many it could not, so that
// "no match" and "not finished" are never the same thing. The package does no
// I/O, keeps no names, and decides nothing about people: it lists candidates.
package gallery

import (
	"errors"
	"fmt"
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
)

const chunkSize = 4096 // search codes in a chunk: 2 MiB, page aligned

// slot is what belongs to one search code. entry is nil while the slot is free.
type slot struct{ entry *entry }

// chunk is a piece of the slab. Chunks never move, so that a search may let go
// of the lock between them.
type chunk struct {
	codes [chunkSize]iris.SearchCode
	slots [chunkSize]slot
}

type entry struct {
	id       ID
	eye      kiosk.Eye
	template kiosk.Template
	where    []int // slots of its readings; none if the version differs
}

// Gallery is a set of entries. All methods may be called concurrently. The
// zero Gallery is not usable; see [New].
type Gallery struct {
	mu     sync.RWMutex
	chunks []*chunk
	used   int   // slots handed out so far
	free   []int // slots given back
	byID   map[ID][]*entry
	count  int
	alien  int // entries of another engine version
}

// New returns an empty gallery.
func New() *Gallery { return &Gallery{byID: make(map[ID][]*entry)} }

// Len returns the number of entries.
func (g *Gallery) Len() int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.count
}

// Add puts e into the gallery. Several entries may have the same ID, and the
// same eye: each is compared. A template of another engine version is kept and
// counted by every search as not compared. Add returns [ErrNoID], [ErrEye],
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
	n := &entry{id: e.ID, eye: e.Eye, template: e.Template}
	d, err := iris.Decode(e.Template)
	var codes []iris.SearchCode
	switch {
	case errors.Is(err, iris.ErrVersion):
	case err != nil:
		return fmt.Errorf("gallery: %w", err)
	default:
		codes = d.SearchCodes()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for i := range codes {
		k := g.take()
		c := g.chunks[k/chunkSize]
		c.codes[k%chunkSize] = codes[i]
		c.slots[k%chunkSize] = slot{n}
		n.where = append(n.where, k)
	}
	g.byID[e.ID] = append(g.byID[e.ID], n)
	g.count++
	if len(codes) == 0 {
		g.alien++
	}
	return nil
}

// take returns a free slot; the lock is held.
func (g *Gallery) take() int {
	if n := len(g.free); n > 0 {
		k := g.free[n-1]
		g.free = g.free[:n-1]
		return k
	}
	if g.used == len(g.chunks)*chunkSize {
		g.chunks = append(g.chunks, new(chunk))
	}
	g.used++
	return g.used - 1
}

// Remove takes all entries of id out and returns how many there were. A search
// that is under way may still have seen them.
func (g *Gallery) Remove(id ID) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	es := g.byID[id]
	for _, e := range es {
		for _, k := range e.where {
			c := g.chunks[k/chunkSize]
			c.codes[k%chunkSize] = iris.SearchCode{}
			c.slots[k%chunkSize] = slot{}
			g.free = append(g.free, k)
		}
		if len(e.where) == 0 {
			g.alien--
		}
	}
	g.count -= len(es)
	delete(g.byID, id)
	return len(es)
}
