package gallery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Probe is what is searched for: the templates of one person's eyes, one each of
// every engine version that the gallery holds (see [Gallery.Engines]). Each is
// compared with entries of its own version. A template of an unknown eye is
// compared with both sides.
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
	// Aslant looks a second time where nobody is found: for eyes that are turned
	// by 22° to 40° or so against the probe, the one head upright and the other
	// held aslant. It takes as long again.
	Aslant bool
	// TopK is the greatest number of candidates returned; 0 means 10.
	TopK int
	// Only, if set, limits the search to the persons it accepts; the others are
	// neither compared nor counted, as if they were not in the gallery. It is
	// called for every entry before anything is compared, from one goroutine.
	Only func(ID) bool
	// Progress, if set, is called now and then from the searching goroutines
	// with the search codes scanned so far and in all; in all is twice as much
	// with Aslant, and a search that finds somebody ends in the middle of it.
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
	NotCompared int         // entries of an engine version that the probe lacks, or of the other side only
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
	probes, err := parse(p, iris.NewSearchProbe)
	if err != nil {
		return Answer{}, err
	}
	v := g.view(o.Only)
	if !o.Aslant {
		return g.look(ctx, v, probes, o, map[ID]bool{}, verifyLimit)
	}
	first, second := o, o
	if o.Progress != nil {
		first.Progress = func(done, total int) { o.Progress(done, 2*total) }
		second.Progress = func(done, total int) { o.Progress(total+done, 2*total) }
	}
	compared := make(map[ID]bool) // in full: a comparison covers all rotations, once is enough
	limit := verifyUpright
	if v.persons <= verifyLimit {
		limit = verifyLimit // everybody
	}
	a, err := g.look(ctx, v, probes, first, compared, limit)
	if err != nil || len(a.Candidates) > 0 {
		return a, err
	}
	if probes, err = parse(p, iris.NewAslantProbe); err != nil {
		return Answer{}, err
	}
	// What was compared is what the first look says: entries may go meanwhile.
	b, err := g.look(ctx, v, probes, second, compared, verifyLimit-len(compared))
	a.Candidates, a.Complete = b.Candidates, b.Complete
	return a, err
}

// look passes over the gallery once. Persons who were compared in full before are
// not again; those that now are join them: where templates are fetched, no more
// than limit.
func (g *Gallery) look(ctx context.Context, v view, probes []probeEye, o Options, compared map[ID]bool, limit int) (Answer, error) {
	a := Answer{Total: v.total, NotCompared: v.alien}
	nearest, seen, skipped, scanErr := g.scan(ctx, v, probes, o.Progress)
	a.Compared = seen
	a.NotCompared += skipped
	found, verifyErr := g.verify(ctx, probes, g.choose(nearest, compared, limit), o.Only)
	a.Candidates = rank(found, probes, v.persons, o)
	if err := cmp.Or(scanErr, verifyErr); err != nil {
		return a, err
	}
	a.Complete = true
	return a, nil
}

// parse reads the templates and turns their codes to the rotations of a look.
func parse(p Probe, turn func(*iris.SearchCode) *iris.SearchProbe) ([]probeEye, error) {
	var out []probeEye
	if len(p.Templates) == 0 || len(p.Templates) > 16 {
		return nil, fmt.Errorf("%w: %d templates", ErrProbe, len(p.Templates))
	}
	for _, t := range p.Templates {
		d, err := iris.Decode(t)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrProbe, err)
		}
		e := probeEye{side: sideOf(slices.Index(engines, d.Version()), t.Eye), decoded: d}
		for _, c := range d.SearchCodes() {
			e.turned = append(e.turned, newTable(turn(&c)))
		}
		out = append(out, e)
	}
	return out, nil
}

// meets reports whether eyes of these sides may be the same eye.
func meets(a, b kiosk.Eye) bool {
	return a == b || a == kiosk.EyeUnknown || b == kiosk.EyeUnknown
}

// rank fuses each person's comparisons and keeps who passes.
func rank(found map[ID][]PerEye, probes []probeEye, persons int, o Options) []Candidate {
	var out []Candidate
	for id, list := range found {
		used, s := fuse(list, probes)
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
// pair was picked counts against it. Templates of two engine versions that may
// be of one eye are one witness, not two; so are two of one version that are.
func fuse(list []PerEye, probes []probeEye) ([]PerEye, float64) {
	slices.SortFunc(list, func(a, b PerEye) int {
		return cmp.Or(cmp.Compare(b.Comparison.LogFMR, a.Comparison.LogFMR),
			cmp.Compare(a.Probe, b.Probe), cmp.Compare(a.Eye, b.Eye))
	})
	same := func(a, b int) bool {
		x, y := probes[a].side, probes[b].side
		if x.engine() != y.engine() {
			return meets(x.eye(), y.eye())
		}
		return a == b || x.eye() == y.eye() && x.eye() != kiosk.EyeUnknown
	}
	var used []PerEye
	var sum float64
	for _, c := range list {
		taken, choices := false, 0
		for _, u := range used {
			taken = taken || same(u.Probe, c.Probe) || (u.Eye == c.Eye && c.Eye != kiosk.EyeUnknown)
		}
		if taken {
			continue
		}
		for _, d := range list {
			if same(d.Probe, c.Probe) {
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
