package gallery

import (
	"cmp"
	"context"
	"math"
	"math/bits"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// verifyLimit is the number of persons that are compared in full for each
// probe template, the best by search code.
const verifyLimit = 1000

// The sieve. Of a gallery of more than verifyLimit codes only the best
// verifyLimit are compared in full, so that a code's distance matters only if
// it is below the distance of the last of those, the cut. The cut is estimated,
// too high rather than too low, from sampleBlocks blocks spread over the
// gallery. Half of the code (sieveWords) is then enough to leave out a code
// that differs at every rotation by more than the cut and sieveMargin: the
// halves of a code that belongs below the cut seldom differ so much; the tests
// measure how seldom. In a smaller gallery nothing is left out.
const (
	sampleBlocks = 2048
	sieveMargin  = 0.01
	sieveSlack   = 0    // differing bits forgiven, times ruleScale
	sieveUseless = 0.44 // a cut above it leaves out too little to be worth it
)

type probeEye struct {
	eye     kiosk.Eye
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
func (g *Gallery) scan(ctx context.Context, chunks []*chunk, used int, probes []probeEye, progress func(int, int)) ([][]hit, int, int, error) {
	if used > verifyLimit {
		for i := range probes {
			g.setRule(chunks, used, &probes[i])
		}
	}
	workers := min(runtime.GOMAXPROCS(0), max(len(chunks), 1))
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
				if k >= len(chunks) {
					return
				}
				n := min(chunkSize, used-k*chunkSize)
				c, s := g.scanChunk(chunks[k], (n+lanes-1)/lanes, probes, best[w])
				compared.Add(int64(c))
				skipped.Add(int64(s))
				if d := done.Add(int64(n)); progress != nil {
					progress(int(d), used)
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

// setRule sets p's rule from a sample of the gallery: the same gallery and
// probe give the same rule.
func (g *Gallery) setRule(chunks []*chunk, used int, p *probeEye) {
	all := (used + lanes - 1) / lanes
	n := min((all+7)/8, sampleBlocks)
	var sample []float32
	for i := range n {
		k := int(int64(i) * int64(all) / int64(n))
		c := chunks[k/blocks]
		g.mu.RLock()
		if set := c.meeting(p.eye, k%blocks); set != 0 {
			d := g.blockDistances(&c.codes[k%blocks], p)
			for ; set != 0; set &= set - 1 {
				sample = append(sample, d[bits.TrailingZeros8(set)])
			}
		}
		g.mu.RUnlock()
	}
	p.rule, p.sieve = ruleFor(sample, float64(verifyLimit)*float64(n)/float64(all))
}

// ruleFor returns the rule for a cut below which expect of the sample are
// expected, three standard deviations more to be careful, and whether it is
// worth applying. Codes of the other side are neither in the sample nor in the
// gallery that a probe sees.
func ruleFor(sample []float32, expect float64) (rule, bool) {
	slices.Sort(sample)
	k := int(math.Ceil(expect + 3*math.Sqrt(expect)))
	if k >= len(sample) {
		return rule{}, false
	}
	cut := sample[k] + sieveMargin
	return rule{int32(cut * ruleScale), sieveSlack}, cut < sieveUseless
}

// meeting returns the lanes of a block that hold codes an eye is compared
// with.
func (c *chunk) meeting(eye kiosk.Eye, b int) (set uint8) {
	for e := range c.sides {
		if meets(eye, kiosk.Eye(e)) {
			set |= c.sides[e][b]
		}
	}
	return set
}

// blockDistances returns the distances of all lanes of a block, the best over
// p's readings.
func (g *Gallery) blockDistances(b *block, p *probeEye) (best [lanes]float32) {
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

// scanChunk scans the first n blocks of c.
func (g *Gallery) scanChunk(c *chunk, n int, probes []probeEye, best []*shortlist) (compared, skipped int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for e, count := range c.entries {
		if slices.ContainsFunc(probes, func(p probeEye) bool { return meets(p.eye, kiosk.Eye(e)) }) {
			compared += count
		} else {
			skipped += count
		}
	}
	for i := range probes {
		p, list := &probes[i], best[i]
		var pass [blocks]uint8
		if p.sieve {
			for k, t := range p.turned {
				var more [blocks]uint8
				g.kernel.sieve(&c.codes[0], n, t, p.rule, &more[0])
				for b := range n {
					if k == 0 {
						pass[b] = 0
					}
					pass[b] |= more[b]
				}
			}
		}
		for b := range n {
			set := c.meeting(p.eye, b)
			if p.sieve {
				set &= pass[b]
			}
			if set == 0 {
				continue
			}
			list.put(g, p, c, b, set)
		}
		list.flush(g, p)
	}
	runtime.KeepAlive(c) // its codes are not the collector's
	return compared, skipped
}

// shortlist gathers the best hits of one goroutine.
type shortlist struct {
	hits  []hit
	worst float32 // hits above it cannot be among the best
	full  bool    // worst is known
	// stage holds single codes that passed the sieve until a block is full.
	stage  block
	staged int
	ids    [lanes]ID
}

// put takes in the lanes of a block that passed.
func (s *shortlist) put(g *Gallery, p *probeEye, c *chunk, b int, set uint8) {
	if bits.OnesCount8(set) >= lanes/2 {
		d := g.blockDistances(&c.codes[b], p)
		for ; set != 0; set &= set - 1 {
			l := bits.TrailingZeros8(set)
			s.add(hit{d[l], c.records[b*lanes+l].id})
		}
		return
	}
	for ; set != 0; set &= set - 1 {
		l := bits.TrailingZeros8(set)
		s.stage.copyLane(s.staged, &c.codes[b], l)
		s.ids[s.staged] = c.records[b*lanes+l].id
		if s.staged++; s.staged == lanes {
			s.flush(g, p)
		}
	}
}

// flush compares what is staged.
func (s *shortlist) flush(g *Gallery, p *probeEye) {
	if s.staged == 0 {
		return
	}
	d := g.blockDistances(&s.stage, p)
	for l := range s.staged {
		s.add(hit{d[l], s.ids[l]})
	}
	s.staged = 0
}

func (s *shortlist) add(h hit) {
	if s.full && h.dist > s.worst {
		return
	}
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
	slices.SortFunc(h, func(a, b hit) int { return cmp.Or(cmp.Compare(a.dist, b.dist), cmp.Compare(a.id, b.id)) })
	seen := make(map[ID]bool, len(h))
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
