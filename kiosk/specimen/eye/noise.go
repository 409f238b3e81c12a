package eye

import "sync"

// rng is splitmix64: small, and the same on every machine and Go version, which
// a generator that must always draw the same person needs.
type rng uint64

// mix derives an unrelated seed for a labelled purpose.
func mix(seed, label uint64) uint64 {
	r := rng(seed*0x9e3779b97f4a7c15 ^ (label+1)*0xd1342543de82ef95)
	r.next()
	return r.next()
}

func newRNG(seed, label uint64) rng { return rng(mix(seed, label)) }

func (r *rng) next() uint64 {
	*r += 0x9e3779b97f4a7c15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// f returns a number in [0,1).
func (r *rng) f() float32 { return float32(r.next()>>40) * (1.0 / (1 << 24)) }

func (r *rng) between(lo, hi float32) float32 { return lo + (hi-lo)*r.f() }

// signed returns a number in [-1,1).
func (r *rng) signed() float32 { return 2*r.f() - 1 }

// normal returns an approximately normal number of mean 0 and deviation 1 (sum
// of six uniform ones: never beyond ±4.3).
func (r *rng) normal() float32 {
	s := float32(0)
	for range 6 {
		s += r.f()
	}
	return (s - 3) * 1.41421356
}

func (r *rng) intn(n int) int { return int(r.next() % uint64(n)) }

// lattice is smooth noise: random values on a grid, periodic in the first
// direction, smoothly interpolated. Arguments run over [0,1) in both.
type lattice struct {
	nx, ny int
	v      []float32
}

// newLattice makes noise with nx cells around and ny cells along, values of
// deviation about 1 at the nodes.
func newLattice(r *rng, nx, ny int) lattice {
	l := lattice{nx: nx, ny: ny, v: make([]float32, (nx+1)*(ny+2))}
	for y := range ny + 2 {
		row := l.v[y*(nx+1) : (y+1)*(nx+1)]
		for x := range nx {
			row[x] = r.normal()
		}
		row[nx] = row[0]
	}
	return l
}

func (l *lattice) at(u, v float32) float32 {
	u -= floor(u)
	x, y := u*float32(l.nx), v*float32(l.ny)
	ix, iy := int(x), int(y)
	if ix >= l.nx {
		ix = l.nx - 1
	}
	if iy > l.ny {
		iy = l.ny
	}
	fx, fy := ease(x-float32(ix)), ease(y-float32(iy))
	w := l.nx + 1
	a := l.v[iy*w+ix:]
	b := l.v[(iy+1)*w+ix:]
	top := a[0] + (a[1]-a[0])*fx
	return top + (b[0]+(b[1]-b[0])*fx-top)*fy
}

func floor(x float32) float32 {
	i := float32(int(x))
	if i > x {
		i--
	}
	return i
}

// ease is the cubic step on [0,1].
func ease(t float32) float32 { return t * t * (3 - 2*t) }

// step rises smoothly from 0 at lo to 1 at hi.
func step(lo, hi, x float32) float32 { return ease(clamp01((x - lo) / (hi - lo))) }

// bump is 1 at distance 0 and falls to 0 at distance 1 and beyond.
func bump(d2 float32) float32 {
	if d2 >= 1 {
		return 0
	}
	return (1 - d2) * (1 - d2)
}

func clamp01(x float32) float32 { return min(max(x, 0), 1) }

// tileSize is the side of the shared noise tiles, a power of two.
const tileSize = 512

// tiles are noise images that repeat without a seam. They are the same for
// every person; each person's skin reads them from other places.
var tiles = sync.OnceValue(func() *noiseTiles {
	r := newRNG(0x7a3b0, 1)
	t := &noiseTiles{
		fine:    newTile(&r, [3]int{3, 3, 10}, [3]int{256, 128, 64}, [3]int{256, 128, 64}),
		folds:   newTile(&r, [3]int{4, 6, 8}, [3]int{16, 40, 96}, [3]int{64, 128, 256}),
		clouds:  newTile(&r, [3]int{10, 6, 4}, [3]int{5, 10, 20}, [3]int{5, 10, 20}),
		sensors: make([]float32, 1<<16),
	}
	for i := range t.sensors {
		t.sensors[i] = r.normal()
	}
	return t
})

type noiseTiles struct {
	fine    []float32 // pores, a few pixels wide
	folds   []float32 // fine wrinkles, longer than high
	clouds  []float32 // broad changes of tone
	sensors []float32 // sensor noise, deviation 1
}

// newTile adds up three octaves with the given weights and cell counts.
func newTile(r *rng, weight, nx, ny [3]int) []float32 {
	out := make([]float32, tileSize*tileSize)
	total := float32(0)
	for o := range weight {
		total += float32(weight[o])
		l := newLattice(r, nx[o], ny[o])
		for x := range nx[o] + 1 { // close it in the other direction too
			l.v[ny[o]*(nx[o]+1)+x] = l.v[x]
		}
		for y := range tileSize {
			for x := range tileSize {
				out[y*tileSize+x] += float32(weight[o]) * l.at(float32(x)/tileSize, float32(y)/tileSize)
			}
		}
	}
	for i := range out {
		out[i] /= total
	}
	return out
}

// tileAt reads a tile at any integer place.
func tileAt(t []float32, x, y int) float32 {
	return t[(y&(tileSize-1))*tileSize+x&(tileSize-1)]
}
