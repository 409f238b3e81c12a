package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is a range of a rate.
type Interval struct{ Low, High float64 }

// bootstrapTail is the share of the impostor pairs, the most alike ones, among
// which every resampled threshold is looked for.
const bootstrapTail = 0.02

// Bootstrap returns the 95 % interval of the false non-match rate at false
// match rate fmr, by drawing people with replacement (their captures depend on
// each other, so drawing pairs would claim too much). The threshold is found
// again in each of the rounds. person[i] is whose image i is; a pair of two
// people counts as often as both were drawn together.
func Bootstrap(scores []float32, class, person []string, fmr float64, rounds int, seed uint64) (Interval, error) {
	n := len(class)
	if len(scores) != n*n || len(person) != n || rounds < 1 {
		return Interval{}, fmt.Errorf("%w: %d scores and %d people for %d images", ErrShape, len(scores), len(person), n)
	}
	b := newBootstrap(scores, class, person)
	if len(b.genuine) == 0 || b.tail == nil {
		return Interval{}, fmt.Errorf("%w: no genuine or no impostor pair", ErrShape)
	}
	rng := rand.New(rand.NewPCG(seed, 0xb007))
	rates := make([]float64, rounds)
	for k := range rates {
		clear(b.drawn)
		for range b.drawn {
			b.drawn[rng.IntN(len(b.drawn))]++
		}
		rates[k] = b.fnmr(fmr)
	}
	slices.Sort(rates)
	at := func(q float64) float64 { return rates[int(math.Round(q*float64(rounds-1)))] }
	return Interval{at(0.025), at(0.975)}, nil
}

type personPair struct {
	a, b  int32 // people
	score float32
}

type bootstrap struct {
	drawn   []int // how often each person is in
	genuine []personPair
	tail    []personPair // the most alike impostor pairs, sorted
	// between[p*people+q] counts impostor pairs of people p ≤ q.
	between []int
}

func newBootstrap(scores []float32, class, person []string) *bootstrap {
	number := map[string]int{}
	who := make([]int, len(person))
	for i, p := range person {
		if _, ok := number[p]; !ok {
			number[p] = len(number)
		}
		who[i] = number[p]
	}
	b := &bootstrap{drawn: make([]int, len(number)), between: make([]int, len(number)*len(number))}
	n := len(class)
	all := 0
	for i := range n {
		for j := i + 1; j < n; j++ {
			p := personPair{int32(min(who[i], who[j])), int32(max(who[i], who[j])), scores[i*n+j]}
			if class[i] == class[j] {
				b.genuine = append(b.genuine, p)
				continue
			}
			all++
			b.between[int(p.a)*len(number)+int(p.b)]++
			if p.score == p.score {
				b.tail = append(b.tail, p)
			}
		}
	}
	slices.SortFunc(b.tail, func(x, y personPair) int { return cmp.Compare(x.score, y.score) })
	b.tail = slices.Clip(b.tail[:min(len(b.tail), int(bootstrapTail*float64(all))+1)])
	return b
}

// weight is how often a pair of people is in.
func (b *bootstrap) weight(p, q int32) int {
	if p == q {
		return b.drawn[p]
	}
	return b.drawn[p] * b.drawn[q]
}

func (b *bootstrap) fnmr(fmr float64) float64 {
	all := 0
	people := len(b.drawn)
	for p := range people {
		for q := p; q < people; q++ {
			all += b.weight(int32(p), int32(q)) * b.between[p*people+q]
		}
	}
	allowed := int(fmr * float64(all))
	threshold := float32(math.Inf(1))
	for _, p := range b.tail {
		if allowed -= b.weight(p.a, p.b); allowed < 0 {
			threshold = p.score
			break
		}
	}
	missed, genuine := 0, 0
	for _, p := range b.genuine {
		w := b.weight(p.a, p.b)
		genuine += w
		if !(p.score < threshold) {
			missed += w
		}
	}
	return float64(missed) / float64(max(genuine, 1))
}
