package gallery

import (
	"cmp"
	"context"
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

// hit is a search code worth comparing in full.
type hit struct {
	dist float32
	id   ID
}

// scan passes over all search codes and returns, for each probe, the best
// verifyLimit persons, and how many entries were compared and skipped.
func (g *Gallery) scan(ctx context.Context, v view, probes []probeEye, progress func(int, int)) ([][]hit, int, int, error) {
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
				c, s := g.scanChunk(v.chunks[k], v.only(k), (n+lanes-1)/lanes, probes, best[w])
				compared.Add(int64(c))
				skipped.Add(int64(s))
				if d := done.Add(int64(n)); progress != nil {
					progress(int(d), v.used)
				}
			}
		})
	}
	wg.Wait()
	merged := make([][]hit, len(probes))
	for i := range probes {
		for w := range workers {
			merged[i] = append(merged[i], best[w][i].hits...)
		}
		merged[i] = trim(merged[i])
	}
	return merged, int(compared.Load()), int(skipped.Load()), ctx.Err()
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

// scanChunk scans the first n blocks of c, of which only those codes count
// that only holds, if it is not nil.
func (g *Gallery) scanChunk(c *chunk, only *selected, n int, probes []probeEye, best []*shortlist) (compared, skipped int) {
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
			set := c.meeting(p.side, b)
			if p.sieve {
				set &= pass[b]
			}
			if only != nil {
				set &= only.lanes[b]
			}
			for ; set != 0; set &= set - 1 {
				list.slots = append(list.slots, int32(b*lanes+bits.TrailingZeros8(set)))
			}
		}
		list.compare(g, p, c)
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
	sum   uint64 // of what touch read, so that it is read at all
}

// compare compares the codes of slots, eight at a time.
func (s *shortlist) compare(g *Gallery, p *probeEye, c *chunk) {
	s.sum += c.codes.touch(s.slots)
	for i := 0; i < len(s.slots); i += lanes {
		eight := s.slots[i:min(i+lanes, len(s.slots))]
		for l, k := range eight {
			s.stage.take(l, c.codes, int(k))
		}
		d := g.nearest(&s.stage, p)
		for l, k := range eight {
			if !s.full || d[l] <= s.worst {
				s.add(hit{d[l], c.records[k].id})
			}
		}
	}
}

func (s *shortlist) add(h hit) {
	s.hits = append(s.hits, h)
	if len(s.hits) >= 4*verifyLimit {
		s.hits = trim(s.hits)
		if len(s.hits) == verifyLimit {
			s.worst, s.full = s.hits[verifyLimit-1].dist, true
		}
	}
}

// trim keeps the best verifyLimit hits, one for a person.
func trim(h []hit) []hit {
	slices.SortFunc(h, func(a, b hit) int {
		if a.dist != b.dist {
			return cmp.Compare(a.dist, b.dist)
		}
		return cmp.Compare(a.id, b.id)
	})
	seen := make(map[ID]bool, min(len(h), verifyLimit))
	out := h[:0]
	for _, x := range h {
		if len(out) == verifyLimit {
			break
		}
		if !seen[x.id] {
			seen[x.id] = true
			out = append(out, x)
		}
	}
	clear(h[len(out):])
	return out
}
