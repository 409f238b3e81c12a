package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Probe is what is searched for: the templates of one person's eyes, one each.
// A template of an unknown eye is compared with both sides.
type Probe struct {
	Templates []kiosk.Template
}

// Options of a search.
type Options struct {
	// MaxFMR is the greatest acceptable probability, 0 < MaxFMR ≤ 1, that a
	// person who is not in the gallery draws any candidate at all. The size of
	// the gallery is taken into account: each comparison has to be better by
	// the number of persons compared.
	MaxFMR float64
	// TopK is the greatest number of candidates returned; 0 means 10.
	TopK int
	// Progress, if set, is called now and then from the searching goroutines
	// with the search codes scanned so far and in all.
	Progress func(done, total int)
}

// PerEye is the comparison of one probe template with one entry.
type PerEye struct {
	Probe      int       // index into Probe.Templates
	Eye        kiosk.Eye // of the entry
	Comparison iris.Comparison
}

// Candidate is a person whose entries are more alike than MaxFMR allows
// strangers to be.
type Candidate struct {
	ID ID
	// LogFMR is −log10 of the rate at which a stranger would score so well in
	// one comparison of persons, both eyes fused.
	LogFMR float64
	// SearchFMR is the same for the whole search: about how often a search of
	// this size would draw such a candidate for somebody who is not in it.
	SearchFMR float64
	PerEye    []PerEye // the comparisons fused, best first
}

// Answer of a search.
type Answer struct {
	Candidates  []Candidate // best first
	Compared    int         // entries compared
	NotCompared int         // entries of another engine version, or of the other side only
	Total       int         // entries in the gallery when the search began
	// Complete is true when every entry that can be compared was. Only a
	// complete answer without candidates means "no match".
	Complete bool
}

// Errors of Search.
var (
	// ErrProbe says that the probe has no template that can be searched with.
	ErrProbe = errors.New("gallery: nothing to search with")
	// ErrOptions says that MaxFMR or TopK is out of range.
	ErrOptions = errors.New("gallery: search options out of range")
)

// verifyLimit is the number of entries that are compared in full for each
// probe template, the best by search code.
const verifyLimit = 1000

type probeEye struct {
	eye     kiosk.Eye
	decoded *iris.Decoded
	turned  []*iris.SearchProbe
}

// hit is a search code worth comparing in full.
type hit struct {
	dist  uint32
	entry *entry
}

// Search looks for p. Entries added while it runs may be missed, entries
// present throughout never are. When ctx ends first, the answer holds what was
// found so far with Complete false, and the error is ctx's.
func (g *Gallery) Search(ctx context.Context, p Probe, o Options) (Answer, error) {
	if !(o.MaxFMR > 0 && o.MaxFMR <= 1) || o.TopK < 0 {
		return Answer{}, fmt.Errorf("%w: MaxFMR %g, TopK %d", ErrOptions, o.MaxFMR, o.TopK)
	}
	if o.TopK == 0 {
		o.TopK = 10
	}
	probes, err := parse(p)
	if err != nil {
		return Answer{}, err
	}
	g.mu.RLock()
	chunks, used := g.chunks[:len(g.chunks):len(g.chunks)], g.used
	a := Answer{Total: g.count, NotCompared: g.alien}
	persons := len(g.byID)
	g.mu.RUnlock()

	hits, seen, skipped, scanErr := g.scan(ctx, chunks, used, probes, o.Progress)
	a.Compared = seen
	a.NotCompared += skipped
	found, verifyErr := g.verify(ctx, probes, hits)
	a.Candidates = rank(found, persons, o)
	if err := cmp.Or(scanErr, verifyErr); err != nil {
		return a, err
	}
	a.Complete = true
	return a, nil
}

func parse(p Probe) ([]probeEye, error) {
	var out []probeEye
	if len(p.Templates) == 0 || len(p.Templates) > 8 {
		return nil, fmt.Errorf("%w: %d templates", ErrProbe, len(p.Templates))
	}
	for _, t := range p.Templates {
		d, err := iris.Decode(t)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProbe, err)
		}
		e := probeEye{eye: t.Eye, decoded: d}
		for _, c := range d.SearchCodes() {
			e.turned = append(e.turned, iris.NewSearchProbe(&c))
		}
		out = append(out, e)
	}
	return out, nil
}

// meets reports whether eyes of these sides may be the same eye.
func meets(a, b kiosk.Eye) bool {
	return a == b || a == kiosk.EyeUnknown || b == kiosk.EyeUnknown
}

// scan passes over all search codes and returns, for each probe, the best
// verifyLimit entries, and how many entries were compared and skipped.
func (g *Gallery) scan(ctx context.Context, chunks []*chunk, used int, probes []probeEye, progress func(int, int)) ([][]hit, int, int, error) {
	workers := min(runtime.GOMAXPROCS(0), max(len(chunks), 1))
	best := make([][]shortlist, workers)
	var next, done, compared, skipped atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		best[w] = make([]shortlist, len(probes))
		wg.Go(func() {
			for ctx.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(chunks) {
					return
				}
				n := min(chunkSize, used-k*chunkSize)
				c, s := g.scanChunk(chunks[k], k*chunkSize, n, probes, best[w])
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

func (g *Gallery) scanChunk(c *chunk, base, n int, probes []probeEye, best []shortlist) (compared, skipped int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for i := range n {
		e := c.slots[i].entry
		if e == nil {
			continue
		}
		any := false
		for k := range probes {
			p := &probes[k]
			if !meets(p.eye, e.eye) {
				continue
			}
			any = true
			d := uint32(math.MaxUint32)
			for _, t := range p.turned {
				d = min(d, t.Distance(&c.codes[i]))
			}
			best[k].add(hit{d, e})
		}
		if e.where[0] == base+i { // count an entry at its first reading
			if any {
				compared++
			} else {
				skipped++
			}
		}
	}
	return compared, skipped
}

// shortlist gathers the best hits of one goroutine.
type shortlist struct {
	hits  []hit
	worst uint32 // hits above it cannot be among the best; 0 while unknown
}

func (s *shortlist) add(h hit) {
	if s.worst != 0 && h.dist > s.worst {
		return
	}
	s.hits = append(s.hits, h)
	if len(s.hits) >= 4*verifyLimit {
		s.hits = trim(s.hits)
		if len(s.hits) == verifyLimit {
			s.worst = max(1, s.hits[verifyLimit-1].dist)
		}
	}
}

// trim keeps the best verifyLimit hits, one for an entry.
func trim(h []hit) []hit {
	slices.SortStableFunc(h, func(a, b hit) int { return cmp.Compare(a.dist, b.dist) })
	seen := make(map[*entry]bool, len(h))
	out := h[:0]
	for _, x := range h {
		if !seen[x.entry] && len(out) < verifyLimit {
			seen[x.entry] = true
			out = append(out, x)
		}
	}
	return out
}

// verify compares in full: every entry of every person of whom any entry was
// among the hits, with every probe it meets.
func (g *Gallery) verify(ctx context.Context, probes []probeEye, hits [][]hit) (map[ID][]PerEye, error) {
	type pair struct {
		probe int
		entry *entry
	}
	want := make(map[pair]bool)
	g.mu.RLock()
	for k := range hits {
		for _, h := range hits[k] {
			for _, e := range g.byID[h.entry.id] {
				for i := range probes {
					if len(e.where) > 0 && meets(probes[i].eye, e.eye) {
						want[pair{i, e}] = true
					}
				}
			}
		}
	}
	g.mu.RUnlock()
	out := make(map[ID][]PerEye)
	parsed := make(map[*entry]*iris.Decoded)
	for w := range want {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		d := parsed[w.entry]
		if d == nil {
			var err error
			if d, err = iris.Decode(w.entry.template); err != nil {
				return out, fmt.Errorf("gallery: %w", err)
			}
			parsed[w.entry] = d
		}
		c, err := probes[w.probe].decoded.Compare(d)
		if err != nil {
			continue // too few bits in common: no evidence either way
		}
		out[w.entry.id] = append(out[w.entry.id], PerEye{w.probe, w.entry.eye, c})
	}
	return out, nil
}

// rank fuses each person's comparisons and keeps who passes.
func rank(found map[ID][]PerEye, persons int, o Options) []Candidate {
	var out []Candidate
	for id, list := range found {
		used, s := fuse(list)
		c := Candidate{ID: id, LogFMR: s, PerEye: used}
		c.SearchFMR = min(1, float64(max(persons, 1))*math.Pow(10, -s))
		if c.SearchFMR <= o.MaxFMR {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(a, b Candidate) int {
		return cmp.Or(cmp.Compare(b.LogFMR, a.LogFMR), cmp.Compare(a.ID, b.ID))
	})
	return out[:min(len(out), o.TopK)]
}

// fuse pairs probe templates with eyes, best first, each used once, and
// combines their false match rates. The number of comparisons from which a
// pair was picked counts against it.
func fuse(list []PerEye) ([]PerEye, float64) {
	slices.SortFunc(list, func(a, b PerEye) int {
		return cmp.Or(cmp.Compare(b.Comparison.LogFMR, a.Comparison.LogFMR),
			cmp.Compare(a.Probe, b.Probe), cmp.Compare(a.Eye, b.Eye))
	})
	var used []PerEye
	var sum float64
	for _, c := range list {
		taken, choices := false, 0
		for _, u := range used {
			taken = taken || u.Probe == c.Probe || (u.Eye == c.Eye && c.Eye != kiosk.EyeUnknown)
		}
		if taken {
			continue
		}
		for _, d := range list {
			if d.Probe == c.Probe {
				choices++
			}
		}
		used = append(used, c)
		sum += max(0, c.Comparison.LogFMR-math.Log10(float64(choices)))
	}
	return used, fisher(sum, len(used))
}

// fisher turns a sum of k independent −log10 p-values into the −log10 p-value
// of the sum (Fisher's method): P = e^-x · Σ_{i<k} x^i/i! with x the sum in
// natural logarithms.
func fisher(sum float64, k int) float64 {
	if k <= 1 {
		return sum
	}
	x := sum * math.Ln10
	term, total := 1.0, 1.0
	for i := 1; i < k; i++ {
		term *= x / float64(i)
		total += term
	}
	return max(0, sum-math.Log10(total))
}
