package gallery

import (
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tambo/kiosk/iris"
)

type probeEye struct {
	side    side
	decoded *iris.Decoded
	turned  []*table // one for each reading
	rule    rule
	sieve   bool // the rule is in force
}

// hit is a search code worth comparing in full: its distance, a number that is
// not negative and so is ordered as its bits are, above its slot. Hits are sorted
// as numbers.
type hit uint64

func newHit(dist float32, slot int32) hit { return hit(math.Float32bits(dist))<<32 | hit(slot) }
func (h hit) dist() float32               { return math.Float32frombits(uint32(h >> 32)) }
func (h hit) slot() int32                 { return int32(uint32(h)) }

// scan passes over all search codes and returns, for each probe, the nearest
// verifyLimit persons, nearest first, and how many entries were compared and
// skipped.
func (g *Gallery) scan(ctx context.Context, v view, probes []probeEye, progress func(int, int)) ([][]ID, int, int, error) {
	if v.used > verifyLimit {
		for i := range probes {
			g.setRule(v.chunks, v.used, &probes[i])
		}
	}
	workers := min(runtime.GOMAXPROCS(0), max(len(v.chunks), 1))
	best := make([][]*shortlist, workers)
	var next, done, compared, skipped atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		for range probes {
			best[w] = append(best[w], &shortlist{})
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(v.chunks) {
					return
				}
				n := min(chunkSize, v.used-k*chunkSize)
				c, s := g.scanChunk(k, v.chunks[k], v.only(k), (n+lanes-1)/lanes, probes, best[w])
				compared.Add(int64(c))
				skipped.Add(int64(s))
				if d := done.Add(int64(n)); progress != nil {
					progress(int(d), v.used)
				}
			}
		})
	}
	wg.Wait()
	nearest := make([][]ID, len(probes))
	g.mu.RLock()
	defer g.mu.RUnlock()
	for i := range probes {
		var all shortlist
		for w := range workers {
			all.hits = append(all.hits, best[w][i].hits...)
		}
		nearest[i] = all.trim(g)
	}
	return nearest, int(compared.Load()), int(skipped.Load()), ctx.Err()
}

// meeting returns the lanes of a block that hold codes which p is compared
// with.
func (c *chunk) meeting(p side, b int) (set uint8) {
	for e, lane := range c.sides {
		if lane != nil && p.meets(side(e)) {
			set |= lane[b]
		}
	}
	return set
}

// nearest returns the distances of eight codes, the best over p's readings.
func (g *Gallery) nearest(b *block, p *probeEye) (best [lanes]float32) {
	g.kernel.distances(b, p.turned[0], &best)
	for _, t := range p.turned[1:] {
		var d [lanes]float32
		g.kernel.distances(b, t, &d)
		for l := range best {
			best[l] = min(best[l], d[l])
		}
	}
	return best
}

// scanChunk scans the first n blocks of c, the chunk of that number, of which
// only those codes count that only holds, if it is not nil.
func (g *Gallery) scanChunk(number int, c *chunk, only *selected, n int, probes []probeEye, best []*shortlist) (compared, skipped int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	entries := &c.entries
	if only != nil {
		entries = &only.entries
	}
	for e, count := range entries {
		if slices.ContainsFunc(probes, func(p probeEye) bool { return p.side.meets(side(e)) }) {
			compared += count
		} else {
			skipped += count
		}
	}
	for i := range probes {
		p, list := &probes[i], best[i]
		var pass []uint8
		if p.sieve {
			pass = g.kernel.through(c.codes.heads[:n], p.turned, p.rule)
		}
		list.slots = list.slots[:0]
		for b := range n {
			set := uint8(1<<lanes - 1)
			if p.sieve {
				set = pass[b]
			}
			if set == 0 {
				continue
			}
			set &= c.meeting(p.side, b)
			if only != nil {
				set &= only.lanes[b]
			}
			for ; set != 0; set &= set - 1 {
				list.slots = append(list.slots, int32(b*lanes+bits.TrailingZeros8(set)))
			}
		}
		list.compare(g, p, c, int32(number*chunkSize))
	}
	runtime.KeepAlive(c) // its codes are not the collector's
	return compared, skipped
}

// shortlist gathers the best hits of one goroutine.
type shortlist struct {
	hits  []hit
	worst float32 // hits above it cannot be among the best
	full  bool    // worst is known
	slots []int32 // of the chunk, still to be compared
	stage block
	sum   uint64 // of what is read early, so that it is read at all
}

// compare compares the codes of slots, eight at a time; they are counted from
// the first slot of c on.
func (s *shortlist) compare(g *Gallery, p *probeEye, c *chunk, first int32) {
	s.sum += c.codes.touch(s.slots)
	for i := 0; i < len(s.slots); i += lanes {
		eight := s.slots[i:min(i+lanes, len(s.slots))]
		for l, k := range eight {
			s.stage.take(l, c.codes, int(k))
		}
		d := g.nearest(&s.stage, p)
		for l, k := range eight {
			if !s.full || d[l] <= s.worst {
				s.add(g, newHit(d[l], first+k))
			}
		}
	}
}

func (s *shortlist) add(g *Gallery, h hit) {
	s.hits = append(s.hits, h)
	if len(s.hits) >= 4*verifyLimit {
		s.trim(g)
		if len(s.hits) == verifyLimit {
			s.worst, s.full = s.hits[verifyLimit-1].dist(), true
		}
	}
}

// trim keeps the best verifyLimit hits, one for a person, and says who these
// are. A slot may have changed hands since its code was compared; a hit in one
// that is empty now is dropped. The lock is held.
func (s *shortlist) trim(g *Gallery) []ID {
	h := s.hits
	slices.Sort(h)
	s.hits = h[:0]
	ids := make([]ID, 0, min(len(h), verifyLimit))
	seen := make(map[ID]bool, cap(ids))
	for len(h) > 0 && len(ids) < verifyLimit {
		// IDs lie all over memory: it is asked for many before one is looked at.
		var names [128]ID
		some := h[:min(len(h), len(names))]
		h = h[len(some):]
		for i, x := range some {
			names[i] = g.record(x.slot()).id
		}
		for _, id := range names[:len(some)] {
			if id != "" {
				s.sum += uint64(id[0])
			}
		}
		for i, id := range names[:len(some)] {
			if id == "" || seen[id] || len(ids) == verifyLimit {
				continue
			}
			seen[id] = true
			s.hits, ids = append(s.hits, some[i]), append(ids, id)
		}
	}
	return ids
}
