package gallery

import "math/bits"

// view is the gallery as a search found it: how far it goes and, where the
// search is limited to some persons, which codes are theirs.
type view struct {
	chunks                []*chunk
	used                  int // slots
	total, alien, persons int
	chosen                []selected // one for each chunk; nil if all are
}

// selected says which codes of a chunk a limited search looks at.
type selected struct {
	lanes   [blocks]uint8
	entries [sides]int
}

// only returns the selection of chunk k, or nil.
func (v *view) only(k int) *selected {
	if v.chosen == nil {
		return nil
	}
	return &v.chosen[k]
}

// view looks at the gallery, limited to the persons that accept takes.
func (g *Gallery) view(accept func(ID) bool) view {
	g.mu.RLock()
	v := view{
		chunks: g.chunks[:len(g.chunks):len(g.chunks)], used: g.used,
		total: g.count, alien: g.alien, persons: g.persons.n,
	}
	g.mu.RUnlock()
	if accept == nil {
		return v
	}
	v.total, v.alien, v.persons = 0, 0, 0
	v.chosen = make([]selected, len(v.chunks))
	for k, c := range v.chunks {
		g.selectFrom(c, min(chunkSize, v.used-k*chunkSize), accept, &v, &v.chosen[k])
	}
	return v
}

// selectFrom asks for each of the first n slots of c.
func (g *Gallery) selectFrom(c *chunk, n int, accept func(ID) bool, v *view, out *selected) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for i := range n {
		r := &c.records[i]
		if r.kind == 0 || !accept(r.id) {
			continue
		}
		if r.head {
			v.persons++
		}
		switch r.kind {
		case alien:
			v.total++
			v.alien++
			continue
		case first:
			v.total++
			out.entries[r.side]++
		}
		out.lanes[i/lanes] |= bits.RotateLeft8(1, i%lanes)
	}
}
