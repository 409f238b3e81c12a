package gallery

import "hash/maphash"

// index finds a person's first entry by ID. It holds slot numbers only, four
// bytes each: a map of a million strings would take half as much as the codes.
type index struct {
	seed  maphash.Seed
	table []int32 // slot plus one; 0 never used, -1 given back
	n     int     // persons
	full  int     // places of table that are not 0
}

// find returns the slot of the first entry of id, or -1.
func (x *index) find(g *Gallery, id ID) int32 {
	if p := x.place(g, id); p >= 0 {
		return x.table[p] - 1
	}
	return -1
}

func (x *index) place(g *Gallery, id ID) int {
	if len(x.table) == 0 {
		return -1
	}
	mask := len(x.table) - 1
	for p := x.hash(id) & mask; x.table[p] != 0; p = (p + 1) & mask {
		if k := x.table[p]; k > 0 && g.record(k-1).id == id {
			return p
		}
	}
	return -1
}

func (x *index) hash(id ID) int { return int(maphash.String(x.seed, string(id)) >> 1) }

// insert enters a slot whose record's ID is not in the index.
func (x *index) insert(g *Gallery, slot int32) {
	if 4*(x.full+1) > 3*len(x.table) {
		x.grow(g)
	}
	x.enter(g.record(slot).id, slot)
	x.n++
}

func (x *index) enter(id ID, slot int32) {
	mask := len(x.table) - 1
	p := x.hash(id) & mask
	for x.table[p] != 0 {
		p = (p + 1) & mask
	}
	x.table[p] = slot + 1
	x.full++
}

// grow makes a new table with room for as many again, without what was given
// back.
func (x *index) grow(g *Gallery) {
	size := 64
	for 2*(x.n+1) > size {
		size *= 2
	}
	old := x.table
	if old == nil {
		x.seed = maphash.MakeSeed()
	}
	x.table, x.full = make([]int32, size), 0
	for _, k := range old {
		if k > 0 {
			x.enter(g.record(k-1).id, k-1)
		}
	}
}

// remove takes out the person whose first entry is at slot.
func (x *index) remove(g *Gallery, slot int32) {
	if p := x.place(g, g.record(slot).id); p >= 0 {
		x.table[p] = -1
		x.n--
	}
}
