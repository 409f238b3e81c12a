package gallery

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"tambo/kiosk/iris"
)

// verify compares in full: every entry of each of these persons, with every probe
// it meets. A slot may have been given to
// somebody else since only was asked, so it is asked again.
func (g *Gallery) verify(ctx context.Context, probes []probeEye, persons []ID, only func(ID) bool) (map[ID][]PerEye, error) {
	if only != nil {
		persons = slices.DeleteFunc(persons, func(id ID) bool { return !only(id) })
	}
	work, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	out := make(map[ID][]PerEye)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var next atomic.Int64
	for range min(runtime.GOMAXPROCS(0), len(persons)) {
		wg.Go(func() {
			for work.Err() == nil {
				k := int(next.Add(1)) - 1
				if k >= len(persons) {
					return
				}
				id := persons[k]
				list, err := g.person(work, id, probes)
				if err != nil {
					stop(err)
					return
				}
				if len(list) > 0 {
					mu.Lock()
					out[id] = list
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return out, context.Cause(work)
}

// choose returns the persons among the nearest of each probe, nearest first, who
// are not among those seen, and adds them there. Where templates
// are fetched they are at most limit, taken from the probes in turn.
func (g *Gallery) choose(nearest [][]ID, seen map[ID]bool, limit int) (out []ID) {
	for i := range verifyLimit {
		for _, h := range nearest {
			if i >= len(h) || seen[h[i]] {
				continue
			}
			if g.fetch != nil && len(out) >= limit {
				return out
			}
			seen[h[i]] = true
			out = append(out, h[i])
		}
	}
	return out
}

// person compares the entries of one person with all probes.
func (g *Gallery) person(ctx context.Context, id ID, probes []probeEye) (out []PerEye, err error) {
	templates, err := g.templates(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, e := range templates {
		d, err := iris.Decode(e.Template)
		if err != nil {
			return nil, fmt.Errorf("gallery: %w", err)
		}
		for i := range probes {
			if p := &probes[i]; p.decoded.Version() != d.Version() || !meets(p.side.eye(), e.Eye) {
				continue
			}
			c, err := probes[i].decoded.Compare(d)
			if err != nil {
				continue // too few bits in common: no evidence either way
			}
			out = append(out, PerEye{i, e.Eye, c})
		}
	}
	return out, nil
}

// templates returns the comparable entries of id, none if it was removed
// meanwhile.
func (g *Gallery) templates(ctx context.Context, id ID) (out []Entry, err error) {
	own, comparable := g.kept(id)
	if g.fetch == nil || comparable == 0 {
		return own, nil
	}
	ts, err := g.fetch.Templates(ctx, id)
	for _, t := range ts {
		if slices.Contains(engines, t.Engine) {
			out = append(out, Entry{id, t.Eye, t})
		}
	}
	if err == nil && len(out) < comparable {
		err = fmt.Errorf("%d templates where %d were added", len(out), comparable)
	}
	if err != nil {
		if _, still := g.kept(id); still < comparable {
			return nil, nil
		}
		return nil, fmt.Errorf("gallery: fetch templates to compare: %w", err)
	}
	return out, nil
}

// kept counts the comparable entries of id and returns them if the gallery
// has their templates.
func (g *Gallery) kept(id ID) (out []Entry, n int) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for k := g.persons.find(g, id) + 1; k != 0; {
		r := g.record(k - 1)
		if r.kind == first {
			n++
			if c := g.chunks[(k-1)/chunkSize]; c.templates != nil {
				out = append(out, Entry{id, r.side.eye(), c.templates[(k-1)%chunkSize]})
			}
		}
		k = r.next
	}
	return out, n
}
