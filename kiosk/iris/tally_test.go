package iris

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// plainTally is the definition that all ways are held against: bit by bit, with
// b turned by sh columns and its bands moved by rad.
func plainTally(a, b *code, sh, rad int) (out tally) {
	bit := func(w *[codeLen]uint64, row, col int) bool {
		return w[row*codeWords+col/64]>>(col%64)&1 != 0
	}
	for row := range codeRows {
		band := row / 2 % bands
		if band+rad < 0 || band+rad >= bands {
			continue
		}
		for col := range codeW {
			from := (col + sh + codeW) % codeW
			if !bit(&a.mask, row, col) || !bit(&b.mask, row+2*rad, from) {
				continue
			}
			k := band/(bands/zones)*sectors + col/(codeW/sectors)
			out.n[k]++
			if bit(&a.bits, row, col) != bit(&b.bits, row+2*rad, from) {
				out.diff[k]++
			}
		}
	}
	return out
}

// adversaries are pairs at the ends of what the counters hold and where words,
// rows and bands meet.
func adversaries() (out [][2]*code) {
	full := func(v uint64) *code {
		c := &code{}
		for i := range c.bits {
			c.bits[i], c.mask[i] = v, ^uint64(0)
		}
		return c
	}
	edge, comb := full(0), full(0)
	for i := range edge.bits {
		edge.bits[i] = 1<<63 | 1
		comb.mask[i] = 0x8000_0001_8000_0001
	}
	last := &code{}
	last.bits[codeLen-1], last.mask[codeLen-1] = 1<<63, 1<<63
	first := &code{}
	first.bits[0], first.mask[0] = 1, 1
	all := []*code{full(0), full(^uint64(0)), full(0xaaaaaaaaaaaaaaaa), edge, comb, last, first, {}}
	for _, a := range all {
		for _, b := range all {
			out = append(out, [2]*code{a, b})
		}
	}
	return out
}

func TestEveryWayTalliesTheSame(t *testing.T) {
	pairs := adversaries()
	r := rand.New(rand.NewPCG(3, 5))
	for s := range uint64(12) {
		a, b := randomCode(2*s), randomCode(2*s+1)
		for i := range b.mask {
			if s > 3 {
				a.mask[i] &= r.Uint64()
			}
			if s > 7 {
				b.mask[i] &= r.Uint64() & r.Uint64()
			}
		}
		pairs = append(pairs, [2]*code{a, b})
	}
	t.Logf("ways: %v", ways())
	for i, p := range pairs {
		for k := range turnings {
			for rad := -1; rad <= 1; rad++ {
				if i < 64 && (k+i)%5 != 0 { // the definition is slow
					continue
				}
				want := plainTally(p[0], p[1], k-maxShift-maxElastic, rad)
				var b code
				moveBands(&b, p[1], rad)
				for _, w := range ways() {
					got := tally{diff: [blocks]int32{7}, n: [blocks]int32{9}}
					w.count(&got, p[0], &b, &turnings[k])
					if got != want {
						t.Fatalf("pair %d, rotation %d, bands moved by %d, %v:\n%v\n%v", i, k, rad, w, got, want)
					}
				}
			}
		}
	}
}

// takeAll runs f once for each way that this processor has.
func takeAll(t testing.TB, f func(way)) {
	t.Helper()
	before := fastest
	defer func() { fastest = before }()
	for _, w := range ways() {
		fastest = w
		f(w)
	}
}

func TestEveryWayComparesTheSame(t *testing.T) {
	for s := range uint64(40) {
		a := randomCode(s)
		b := turned(flipped(a, 0.014*float64(s), s), int(s%33)-16)
		for i := range b.mask {
			b.mask[i] &= randomCode(s + 500).bits[i] | randomCode(s + 900).bits[i]
		}
		b.inform()
		for _, v := range versions {
			var want string
			takeAll(t, func(w way) {
				c, ok := v.compare(a, b)
				got := fmt.Sprintf("%v %b %v", ok, c.HD, c)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("seed %d, engine %s, %v: %s; %v: %s", s, v.name, w, got, ways()[0], want)
				}
			})
		}
	}
}

// Each block takes the least of five rotations, its movement paid for, and of
// equal ones the first, and says no more against the pair than it may; the sums
// are those of a loop that says so plainly.
func TestBlocksChooseAsDefined(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 1))
	rates := []float32{0, 0.04, 0.08, 0.25, 0.29, 0.46, 0.5, 0.96, 1}
	for round := range 400 {
		m := matcher{info: 0.2 + 1.3*r.Float32()}
		var rate [tableSpan][blocks]float32
		var n [tableSpan][blocks]int32
		for i := range tableSpan {
			for k := range blocks {
				rate[i][k], n[i][k] = rates[r.IntN(len(rates))], int32(1+r.IntN(512))
				if round%2 > 0 {
					rate[i][k] = r.Float32()
				}
				if r.IntN(8) > 0 {
					m.set(i, k, rate[i][k], n[i][k])
					continue
				}
				n[i][k] = 0
				for d := range m.blocks[i] {
					m.blocks[i][d][k] = noChoice
				}
			}
		}
		for sh := -maxShift; sh <= maxShift; sh++ {
			var evidence, all float32
			for k := range blocks {
				best, bn := float32(1), int32(0)
				for d := -maxElastic; d <= maxElastic; d++ {
					at := sh + d + maxShift + maxElastic
					q := rate[at][k] + float32(max(d, -d))*float32(elasticCost)
					if n[at][k] > 0 && q < best {
						best, bn = q, n[at][k]
					}
				}
				all += float32(bn)
				if bn == 0 {
					continue
				}
				x := farDoubt - thin/float32(math.Sqrt(float64(bn))) - best
				e := float32(float32(m.info*float32(bn)) * x)
				if x > 0 {
					e *= 1 + float32(conviction*x)
				}
				if e < -maxAgainst {
					e = -maxAgainst
				}
				evidence += e
			}
			if e, c := m.elastic(sh); e != evidence || c != all {
				t.Fatalf("round %d, rotation %d: %v of %v, want %v of %v", round, sh, e, c, evidence, all)
			}
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	x, y := randomCode(1), randomCode(2)
	for _, v := range versions[1:] {
		takeAll(b, func(w way) {
			b.Run(v.name[len("tambo-"):]+"/"+w.String(), func(b *testing.B) {
				for b.Loop() {
					v.compare(x, y)
				}
			})
		})
	}
}

func BenchmarkTally(b *testing.B) {
	x, y := randomCode(1), randomCode(2)
	for _, w := range ways() {
		b.Run(w.String(), func(b *testing.B) {
			var c tally
			for b.Loop() {
				w.count(&c, x, y, &turnings[5])
			}
			if bits.OnesCount32(uint32(c.n[0])) == 0 {
				b.Fatal("nothing counted")
			}
		})
	}
}
