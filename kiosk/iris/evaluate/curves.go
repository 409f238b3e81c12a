package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Pair is a comparison of images I and J, I < J; its score is NaN where there
// is none.
type Pair struct {
	I, J  int
	Score float64
}

// Pairs returns the genuine pairs, the most unlike first (those without a
// score before all others), and the limit most alike impostor pairs, the most
// alike first.
func Pairs(scores []float32, class []string, limit int) (genuine, impostor []Pair) {
	n := len(class)
	for i := range n {
		for j := i + 1; j < n; j++ {
			p := Pair{i, j, float64(scores[i*n+j])}
			if class[i] == class[j] {
				genuine = append(genuine, p)
			} else if !math.IsNaN(p.Score) {
				impostor = append(impostor, p)
			}
		}
	}
	slices.SortStableFunc(genuine, func(a, b Pair) int {
		if x, y := math.IsNaN(a.Score), math.IsNaN(b.Score); x || y {
			return cmp.Compare(bit(y), bit(x))
		}
		return cmp.Compare(b.Score, a.Score)
	})
	slices.SortStableFunc(impostor, func(a, b Pair) int { return cmp.Compare(a.Score, b.Score) })
	return genuine, impostor[:min(limit, len(impostor))]
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// FMRAt is the share of impostor pairs that score less than threshold: what a
// threshold taken from another set does on this one.
func FMRAt(scores []float32, class []string, threshold float64) float64 {
	n, in, all := len(class), 0, 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			if class[i] == class[j] {
				continue
			}
			all++
			if float64(scores[i*n+j]) < threshold { // NaN is never less
				in++
			}
		}
	}
	return float64(in) / float64(max(all, 1))
}

// Point is one point of a DET curve.
type Point struct{ FMR, FNMR float64 }

// DET returns the curve of a set: for steps rates spaced evenly on the
// logarithmic scale from 1 down to one false match in all impostor pairs, the
// false non-match rate at the most permissive threshold.
func DET(scores []float32, class []string, steps int) ([]Point, error) {
	gen, imp, nGen, nImp, err := split(scores, class)
	if err != nil {
		return nil, err
	}
	out := make([]Point, 0, steps)
	last := math.Log10(1 / float64(nImp))
	for k := range steps {
		fmr := math.Pow(10, last*float64(k)/float64(max(steps-1, 1)))
		rate, _, _ := fnmrAt(gen, imp, nGen, nImp, fmr)
		out = append(out, Point{fmr, rate})
	}
	return out, nil
}

// Rejection is one point of an error-versus-reject curve.
type Rejection struct {
	Share   float64 // of the images rejected
	Misses  int     // genuine pairs left that are missed
	Genuine int     // genuine pairs left
}

// FNMR is the false non-match rate among the pairs left, 0 if none is.
func (r Rejection) FNMR() float64 { return float64(r.Misses) / float64(max(r.Genuine, 1)) }

// Reject returns the misses that remain at a fixed threshold when the worst
// images by quality are rejected: for each share, that share of all images,
// lowest quality first, ties in the order given.
func Reject(scores []float32, class []string, quality []float64, threshold float64, shares []float64) ([]Rejection, error) {
	n := len(class)
	if len(scores) != n*n || len(quality) != n {
		return nil, fmt.Errorf("%w: %d scores and %d qualities for %d images", ErrShape, len(scores), len(quality), n)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(quality[a], quality[b]) })
	rank := make([]int, n)
	for k, i := range order {
		rank[i] = k
	}
	out := make([]Rejection, len(shares))
	for k, share := range shares {
		cut := int(share * float64(n))
		r := Rejection{Share: share}
		for i := range n {
			for j := i + 1; j < n && rank[i] >= cut; j++ {
				if class[i] != class[j] || rank[j] < cut {
					continue
				}
				r.Genuine++
				if !(float64(scores[i*n+j]) < threshold) {
					r.Misses++
				}
			}
		}
		out[k] = r
	}
	return out, nil
}
