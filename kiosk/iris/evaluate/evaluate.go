// Package evaluate measures an iris engine: scores of all pairs of a labelled
// set in, error rates out. It reads no files and knows no image format.
//
// The terms are those of ISO/IEC 19795-1: a genuine pair is two images of one
// class (one eye), an impostor pair two images of two classes. Every unordered
// pair i<j counts once. A pair without a score (NaN: one image could not be
// extracted, or too few bits were in common) is a miss when genuine and a
// correct rejection when impostor.
package evaluate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"tambo/kiosk/iris"
)

// Figures are the error rates of one set.
type Figures struct {
	Genuine   int     // genuine pairs
	Impostor  int     // impostor pairs
	EER       float64 // equal error rate
	FNMR1e3   float64 // false non-match rate where the false match rate is at most 1e-3
	FNMR1e4   float64 // the same at 1e-4
	Misses1e3 int     // genuine pairs missed at 1e-3
	Misses1e4 int     // genuine pairs missed at 1e-4
	// Threshold1e3 and Threshold1e4: a pair matches when its score is smaller.
	Threshold1e3, Threshold1e4 float64
	// Decidability is d′, the distance between the means of genuine and impostor
	// scores in units of their spread; unlike a count of misses it moves with
	// every pair.
	Decidability float64
}

// ErrShape says that the matrix and the labels do not fit, or that the set has
// no genuine or no impostor pair.
var ErrShape = errors.New("evaluate: scores and classes do not make a set")

// ROC computes the figures of a symmetric n×n matrix of dissimilarities
// (row-major, lower is more alike, NaN for no score), class[i] the class of
// image i.
func ROC(scores []float32, class []string) (Figures, error) {
	var f Figures
	gen, imp, nGen, nImp, err := split(scores, class)
	if err != nil {
		return f, err
	}
	f.Genuine, f.Impostor = nGen, nImp
	f.FNMR1e3, f.Misses1e3, f.Threshold1e3 = fnmrAt(gen, imp, f.Genuine, f.Impostor, 1e-3)
	f.FNMR1e4, f.Misses1e4, f.Threshold1e4 = fnmrAt(gen, imp, f.Genuine, f.Impostor, 1e-4)
	f.Decidability = decidability(gen, imp)
	f.EER = eer(gen, imp, f.Genuine, f.Impostor)
	return f, nil
}

// split returns the scores of genuine and impostor pairs, sorted, and how many
// pairs there are with those that have no score.
func split(scores []float32, class []string) (gen, imp []float64, nGen, nImp int, err error) {
	n := len(class)
	if n == 0 || len(scores) != n*n {
		return nil, nil, 0, 0, fmt.Errorf("%w: %d scores for %d images", ErrShape, len(scores), n)
	}
	for i := range n {
		for j := i + 1; j < n; j++ {
			s := float64(scores[i*n+j])
			to, count := &imp, &nImp
			if class[i] == class[j] {
				to, count = &gen, &nGen
			}
			*count++
			if !math.IsNaN(s) {
				*to = append(*to, s)
			}
		}
	}
	if nGen == 0 || nImp == 0 {
		return nil, nil, 0, 0, fmt.Errorf("%w: %d genuine and %d impostor pairs", ErrShape, nGen, nImp)
	}
	slices.Sort(gen)
	slices.Sort(imp)
	return gen, imp, nGen, nImp, nil
}

// fnmrAt finds the most permissive threshold with at most fmr·nImp false
// matches and counts what it misses.
func fnmrAt(gen, imp []float64, nGen, nImp int, fmr float64) (rate float64, misses int, threshold float64) {
	allowed := int(fmr * float64(nImp))
	threshold = math.Inf(1)
	if allowed < len(imp) {
		threshold = imp[allowed]
	}
	hit, _ := slices.BinarySearch(gen, threshold)
	misses = nGen - hit
	return float64(misses) / float64(nGen), misses, threshold
}

func decidability(gen, imp []float64) float64 {
	mg, vg := moments(gen)
	mi, vi := moments(imp)
	if vg+vi == 0 {
		return 0
	}
	return math.Abs(mg-mi) / math.Sqrt((vg+vi)/2)
}

// moments returns mean and variance.
func moments(v []float64) (mean, variance float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		variance += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, variance
}

// eer is where the two error rates cross, the mean of both at the crossing.
func eer(gen, imp []float64, nGen, nImp int) float64 {
	best, out := math.Inf(1), 1.0
	for _, t := range gen {
		hit, _ := slices.BinarySearch(gen, t)
		fm, _ := slices.BinarySearch(imp, t)
		fnmr := 1 - float64(hit)/float64(nGen)
		fmr := float64(fm) / float64(nImp)
		if d := math.Abs(fnmr - fmr); d < best {
			best, out = d, (fnmr+fmr)/2
		}
	}
	return out
}

// Matrix compares all pairs of the templates (nil where extraction failed) on
// the given number of goroutines and returns the n×n dissimilarities, NaN on
// the diagonal of failed images and wherever there is no score. Scores are
// distances as [iris.Comparison] has them. done, if not nil, is called after each row from
// any of the goroutines. It stops with ctx's error.
func Matrix(ctx context.Context, t []*iris.Decoded, workers int, done func()) ([]float32, error) {
	n := len(t)
	m := make([]float32, n*n)
	nan := float32(math.NaN())
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				for j := i; j < n; j++ {
					v := nan
					if t[i] != nil && t[j] != nil {
						if c, err := t[i].Compare(t[j]); err == nil {
							v = float32(c.HD)
						}
					}
					m[i*n+j], m[j*n+i] = v, v
				}
				if done != nil {
					done()
				}
			}
		})
	}
	wg.Wait()
	return m, ctx.Err()
}
