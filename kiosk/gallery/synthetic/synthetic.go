// Package synthetic draws search codes of people who do not exist, as many as
// a measurement of large galleries needs: a million in seconds.
//
// The codes are signs of band-limited Gaussian noise on the ring, correlated
// between neighbouring bands as a filter bank's answers are, with lids and weak
// answers masked. They resemble iris codes in what decides how long a search
// takes, the spread of strangers' distances; they say nothing about accuracy
// and never stand in for templates.
package synthetic

import (
	"math"
	"math/rand/v2"

	"tambo/kiosk/iris"
)

const (
	words  = iris.SearchWords / 2
	bands  = 8
	width  = 128
	fields = 512
)

// field is one draw of the noise: the two parts of the answer of each band.
type field [bands][2][width]float32

// Source draws codes. It does not change and may be shared.
type Source struct{ fields []field }

// Of the noise: the middle of the pass band in cycles around the ring, its
// width in natural logarithms of them, and how alike neighbouring bands are.
const (
	cycles   = 16.0
	spread   = 0.5
	likeness = 0.66
)

// New returns a source; equal seeds give equal codes.
func New(seed uint64) *Source {
	r := rand.New(rand.NewPCG(seed, 0x5eed))
	s := &Source{make([]field, fields)}
	var wave [width][2]float32
	for i := range wave {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / width)
		wave[i] = [2]float32{float32(cos), float32(sin)}
	}
	for f := range s.fields {
		var last [width]complex128
		for b := range bands {
			for k := range last {
				own := complex(r.NormFloat64(), r.NormFloat64())
				if b == 0 {
					last[k] = own
				} else {
					last[k] = likeness*last[k] + complex(math.Sqrt(1-likeness*likeness), 0)*own
				}
			}
			for k := 1; k < width/2; k++ {
				z := math.Log(float64(k)/cycles) / spread
				g := math.Exp(-z * z / 2)
				if g < 0.02 {
					continue
				}
				re, im := float32(g*real(last[k])), float32(g*imag(last[k]))
				for i := range width {
					w := wave[i*k%width]
					s.fields[f][b][0][i] += re*w[0] - im*w[1]
					s.fields[f][b][1][i] += re*w[1] + im*w[0]
				}
			}
		}
	}
	return s
}

// Code returns the n-th code.
func (s *Source) Code(n uint64) iris.SearchCode {
	e := s.eye(rand.New(rand.NewPCG(n, 0xc0de)))
	return e.sign(rand.New(rand.NewPCG(n, 0x11d)), 0, nil)
}

// Mate returns another capture of the n-th code's eye: turned by up to seven
// columns, with lids of its own, and with as much noise added as noise says, 0
// none to 1 nothing but noise. The noise is of the same kind as the signal,
// more of it in some bands and to one side, as badly found edges and lashes
// make it. Equal arguments give equal codes.
func (s *Source) Mate(n, capture uint64, noise float64) iris.SearchCode {
	r := rand.New(rand.NewPCG(n, 0x3a7e^capture<<20))
	e := s.eye(rand.New(rand.NewPCG(n, 0xc0de)))
	d := &disturbance{by: s.eye(r), side: r.IntN(width)}
	local := r.Float64()
	for b := range d.band {
		own := 1 + local*(2*r.Float64()-1)
		d.band[b] = float32(min(1, max(0, noise*own)))
	}
	d.lean = float32(local * r.Float64())
	return e.sign(r, r.IntN(15)-7, d)
}

// eye is the sum of two fields, each turned.
type eye struct {
	x, y   *field
	dx, dy int
}

func (s *Source) eye(r *rand.Rand) eye {
	return eye{&s.fields[r.IntN(fields)], &s.fields[r.IntN(fields)], r.IntN(width), r.IntN(width)}
}

// at is the answer of a band at column i, any i ≥ 0.
func (e *eye) at(b, part, i int) float32 {
	return e.x[b][part][(i+e.dx)%width] + e.y[b][part][(i+e.dy)%width]
}

// disturbance is what noise a capture has: how much in each band, leaning to
// one side.
type disturbance struct {
	by   eye
	band [bands]float32
	lean float32
	side int
}

func (d *disturbance) add(v float32, b, part, i int) float32 {
	far := (i - d.side + width) % width
	k := d.band[b] * (1 + d.lean*(float32(min(far, width-far))/(width/4)-1))
	k = min(max(k, 0), 1)
	return float32(math.Sqrt(float64(1-k*k)))*v + k*d.by.at(b, part, i)
}

// sign makes the code of a capture of e turned by so many columns.
func (e *eye) sign(r *rand.Rand, turn int, d *disturbance) (c iris.SearchCode) {
	lid, reach := r.IntN(width), 10+r.IntN(30) // where the upper lid is, how far it covers the outermost band
	for b := range bands {
		hidden := reach * b / bands
		for part := range 2 {
			for i := range width {
				v := e.at(b, part, i+turn+width)
				if d != nil {
					v = d.add(v, b, part, i)
				}
				w, bit := (b*2+part)*2+i/64, uint64(1)<<(i%64)
				if v > 0 {
					c[w] |= bit
				}
				far := (i - lid + width) % width
				if min(far, width-far) >= hidden && (v > weak || v < -weak) {
					c[words+w] |= bit
				}
			}
		}
	}
	return c
}

// weak is the size below which an answer is masked.
const weak = 1.0
