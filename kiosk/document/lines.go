package document

import (
	"math"
	"slices"
)

// textLine is a line of characters at one pitch: character k has its centre at
// (x(k), y(k)), polynomials of the second degree, so that a page seen a little
// from the side still fits.
type textLine struct {
	x, y       [3]float64 // coefficients of 1, k, k²
	from, to   int        // first and last k that was seen
	seen       int        // how many were seen
	height     float64    // median height of what was seen
	transposed bool       // coordinates are of the picture mirrored at its diagonal
}

func poly(c [3]float64, k float64) float64 { return c[0] + k*(c[1]+k*c[2]) }

func (l *textLine) at(k float64) (x, y float64) { return poly(l.x, k), poly(l.y, k) }

// step is one pitch along the line at k.
func (l *textLine) step(k float64) (dx, dy float64) {
	return l.x[1] + 2*k*l.x[2], l.y[1] + 2*k*l.y[2]
}

// pitch is the distance between characters at the middle.
func (l *textLine) pitch() float64 {
	dx, dy := l.step(float64(l.from+l.to) / 2)
	return math.Hypot(dx, dy)
}

// What a line of a zone looks like.
const (
	maxSlope   = 0.36 // of a line against the picture's edge: 20 degrees
	leastChain = 5    // blobs that begin a line
	leastSeen  = 18   // blobs of a whole line
	mostSpan   = 60   // characters a line may seem to have, noise included
	mostTries  = 150  // chains that are tried, longest first; a full page of text has fewer
)

// findLines looks for lines of equally spaced blobs of equal height.
func findLines(bs []blob, transposed bool) []textLine {
	slices.SortFunc(bs, func(a, b blob) int { return a.x0 + a.x1 - b.x0 - b.x1 })
	grid := newBuckets(bs)
	used := make([]bool, len(bs))
	chains := chainsOf(bs, grid)
	slices.SortStableFunc(chains, func(a, b []int) int { return len(b) - len(a) })
	var lines []textLine
	for _, c := range chains[:min(len(chains), mostTries)] {
		fresh := c[:0:0]
		for _, i := range c {
			if !used[i] {
				fresh = append(fresh, i)
			}
		}
		if len(fresh) < leastChain {
			continue
		}
		l, members, ok := grow(bs, grid, fresh)
		if !ok {
			continue
		}
		for _, i := range members {
			used[i] = true
		}
		l.transposed = transposed
		lines = append(lines, l)
	}
	return lines
}

// buckets finds blobs by place.
type buckets struct {
	m map[[2]int32][]int
}

const bucketSize = 48

func bucketOf(x, y float64) [2]int32 {
	return [2]int32{int32(math.Floor(x / bucketSize)), int32(math.Floor(y / bucketSize))}
}

func newBuckets(bs []blob) buckets {
	g := buckets{m: map[[2]int32][]int{}}
	for i, b := range bs {
		k := bucketOf(b.cx(), b.cy())
		g.m[k] = append(g.m[k], i)
	}
	return g
}

// near calls f with every blob whose centre may lie in the box.
func (g buckets) near(x0, y0, x1, y1 float64, f func(i int)) {
	a, b := bucketOf(x0, y0), bucketOf(x1, y1)
	for y := a[1]; y <= b[1]; y++ {
		for x := a[0]; x <= b[0]; x++ {
			for _, i := range g.m[[2]int32{x, y}] {
				f(i)
			}
		}
	}
}

// chainsOf links each blob with its nearest like neighbour to the right, where
// that one's nearest to the left is it.
func chainsOf(bs []blob, grid buckets) [][]int {
	right, left := make([]int, len(bs)), make([]int, len(bs))
	for i := range bs {
		right[i], left[i] = neighbour(bs, grid, i, 1), neighbour(bs, grid, i, -1)
	}
	var out [][]int
	for i := range bs {
		if l := left[i]; l >= 0 && right[l] == i {
			continue // not the first of its chain
		}
		c := []int{i}
		for j := i; right[j] >= 0 && left[right[j]] == j; j = right[j] {
			c = append(c, right[j])
		}
		if len(c) >= leastChain {
			out = append(out, c)
		}
	}
	return out
}

func neighbour(bs []blob, grid buckets, i int, dir float64) int {
	b := bs[i]
	if b.w() > 1.5*b.h() || b.h() < 6 {
		return -1
	}
	best, at := math.Inf(1), -1
	reach := 2 * b.h()
	x0, x1 := b.cx(), b.cx()+dir*reach
	grid.near(min(x0, x1), b.cy()-maxSlope*reach, max(x0, x1), b.cy()+maxSlope*reach, func(j int) {
		q := bs[j]
		dx, dy := dir*(q.cx()-b.cx()), math.Abs(q.cy()-b.cy())
		hh := max(b.h(), q.h())
		if j == i || dx < 0.45*hh || dx > 1.9*hh || dy > maxSlope*dx || min(b.h(), q.h()) < 0.55*hh || q.w() > 1.5*hh {
			return
		}
		if d := dx + 2*dy; d < best {
			best, at = d, j
		}
	})
	return at
}

// grow fits a line to a chain and takes in, step by step, what lies where its
// next characters must be.
func grow(bs []blob, grid buckets, chain []int) (l textLine, members []int, ok bool) {
	p := medianOf(len(chain)-1, func(i int) float64 { return bs[chain[i+1]].cx() - bs[chain[i]].cx() })
	if p < 5 {
		return l, nil, false
	}
	height := medianOf(len(chain), func(i int) float64 { return bs[chain[i]].h() })
	at := map[int]int{} // character -> blob
	k := 0
	for i, b := range chain {
		if i > 0 {
			k += max(1, int(math.Round((bs[b].cx()-bs[chain[i-1]].cx())/p)))
		}
		at[k] = b
	}
	for round := range 14 {
		keys := sortedKeys(at)
		degree := 1
		if len(at) >= 14 && keys[len(keys)-1]-keys[0] >= 20 {
			degree = 2
		}
		l.x = fit(keys, degree, func(k int) float64 { return bs[at[k]].cx() })
		l.y = fit(keys, degree, func(k int) float64 { return bs[at[k]].cy() })
		l.from, l.to, l.seen = keys[0], keys[len(keys)-1], len(keys)
		next := collect(bs, grid, &l, height, 4+round)
		if round > 3 && sameMembers(at, next) {
			break
		}
		if at = next; len(at) < leastChain {
			return l, nil, false
		}
	}
	keys := sortedKeys(at)
	l.height = medianOf(len(keys), func(i int) float64 { return bs[at[keys[i]]].h() })
	for _, k := range keys {
		members = append(members, at[k])
	}
	ratio := l.pitch() / l.height
	ok = l.seen >= leastSeen && l.to-l.from < mostSpan && ratio > 0.75 && ratio < 1.7
	return l, members, ok
}

// collect finds the blobs at the characters of l, up to some beyond its ends.
func collect(bs []blob, grid buckets, l *textLine, height float64, beyond int) map[int]int {
	out := map[int]int{}
	for k := l.from - beyond; k <= l.to+beyond; k++ {
		x, y := l.at(float64(k))
		p, _ := l.step(float64(k))
		if p < 4 || p > 200 || math.IsNaN(x+y) {
			continue
		}
		best := 0.28 * p
		grid.near(x-best, y-best, x+best, y+best, func(i int) {
			b := bs[i]
			d := math.Hypot(b.cx()-x, b.cy()-y)
			if d < best && b.h() > 0.5*height && b.h() < 1.5*height && b.w() < 1.5*height {
				best = d
				out[k] = i
			}
		})
	}
	return out
}

func sameMembers(a, b map[int]int) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}

func sortedKeys(m map[int]int) []int {
	keys := make([]int, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func medianOf(n int, f func(i int) float64) float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = f(i)
	}
	slices.Sort(v)
	if n == 0 {
		return 0
	}
	return v[n/2]
}

// fit is the least-squares polynomial of degree 1 or 2 through (k, f(k)),
// leaving out, the second time, what lies far off the first.
func fit(keys []int, degree int, f func(k int) float64) [3]float64 {
	w := make([]float64, len(keys))
	for i := range w {
		w[i] = 1
	}
	var c [3]float64
	for range 2 {
		c = solve(keys, w, degree, f)
		dev := medianOf(len(keys), func(i int) float64 { return math.Abs(f(keys[i]) - poly(c, float64(keys[i]))) })
		for i, k := range keys {
			w[i] = 1
			if math.Abs(f(k)-poly(c, float64(k))) > 3*dev+0.5 {
				w[i] = 0
			}
		}
	}
	return c
}

// solve is the weighted least-squares fit itself, about the middle key.
func solve(keys []int, w []float64, degree int, f func(k int) float64) [3]float64 {
	mid := float64(keys[0]+keys[len(keys)-1]) / 2
	n := degree + 1
	var a [3][4]float64
	for i, key := range keys {
		k := float64(key) - mid
		pow := [3]float64{1, k, k * k}
		for r := range n {
			for c := range n {
				a[r][c] += w[i] * pow[r] * pow[c]
			}
			a[r][3] += w[i] * pow[r] * f(key)
		}
	}
	for c := range n {
		if math.Abs(a[c][c]) < 1e-9 {
			a[c][c] = 1e-9
		}
		for r := range n {
			if r == c {
				continue
			}
			m := a[r][c] / a[c][c]
			for j := range 4 {
				a[r][j] -= m * a[c][j]
			}
		}
	}
	var b [3]float64
	for r := range n {
		b[r] = a[r][3] / a[r][r]
	}
	// From powers of k - mid to powers of k.
	return [3]float64{b[0] - b[1]*mid + b[2]*mid*mid, b[1] - 2*b[2]*mid, b[2]}
}
