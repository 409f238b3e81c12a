package gallery

import (
	"encoding/binary"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
)

// patterns fill a search code; the adversarial ones sit at the kernels' edges:
// no bits, all bits, single bits, masks just at the limit.
var patterns = map[string]func(r *rand.Rand, c *iris.SearchCode){
	"random": func(r *rand.Rand, c *iris.SearchCode) {
		for i := range c {
			c[i] = r.Uint64()
		}
	},
	"full mask": func(r *rand.Rand, c *iris.SearchCode) {
		for i := range c {
			c[i] = r.Uint64()
			if i >= codeWords {
				c[i] = math.MaxUint64
			}
		}
	},
	"no mask": func(r *rand.Rand, c *iris.SearchCode) {
		for i := range codeWords {
			c[i] = r.Uint64()
		}
	},
	"zeros": func(*rand.Rand, *iris.SearchCode) {},
	"ones": func(_ *rand.Rand, c *iris.SearchCode) {
		for i := range c {
			c[i] = math.MaxUint64
		}
	},
	"zero bits, full mask": func(_ *rand.Rand, c *iris.SearchCode) {
		for i := codeWords; i < len(c); i++ {
			c[i] = math.MaxUint64
		}
	},
	"one bit": func(r *rand.Rand, c *iris.SearchCode) {
		k := r.IntN(codeWords * 64)
		c[k/64] = 1 << (k % 64)
		c[codeWords+k/64] = 1 << (k % 64)
	},
	"about the least number of bits": func(r *rand.Rand, c *iris.SearchCode) {
		for i := range codeWords {
			c[i] = r.Uint64()
		}
		for range iris.MinSearchBits - 3 + r.IntN(12) {
			k := r.IntN(codeWords * 64)
			c[codeWords+k/64] |= 1 << (k % 64)
		}
	},
	"sparse mask": func(r *rand.Rand, c *iris.SearchCode) {
		for i := range codeWords {
			c[i], c[codeWords+i] = r.Uint64(), r.Uint64()&r.Uint64()&r.Uint64()
		}
	},
}

// checkKernels holds every kernel against the portable one and the portable
// one against the definition in package iris and a sieve written out.
func checkKernels(t *testing.T, probe *iris.SearchProbe, codes []iris.SearchCode, r rule) {
	t.Helper()
	n := (len(codes) + lanes - 1) / lanes
	s, free := newSlab()
	defer free()
	for i := range codes {
		s.put(i, &codes[i])
	}
	tab := newTable(probe)
	want := make([]uint8, n)
	if n > 0 {
		portable.sieve(&s.heads[0], n, tab, r, &want[0])
	}
	for i := range codes {
		if got := want[i/lanes]>>(i%lanes)&1 == 1; got != plainSieve(probe, &codes[i], r) {
			t.Fatalf("code %d: the portable sieve says %v", i, got)
		}
	}
	dist, all := make([][lanes]float32, n), make([]block, n)
	for i := range dist {
		for l := range lanes {
			all[i].take(l, s, i*lanes+l)
		}
		portable.distances(&all[i], tab, &dist[i])
	}
	for i := range codes {
		if d := uint32(float64(dist[i/lanes][i%lanes]) * 65535); d != probe.Distance(&codes[i]) {
			t.Fatalf("code %d: portable distance %d, defined %d", i, d, probe.Distance(&codes[i]))
		}
	}
	for _, k := range kernels {
		got := make([]uint8, n+1)
		got[n] = 0xa5
		if n > 0 {
			k.sieve(&s.heads[0], n, tab, r, &got[0])
		}
		if got[n] != 0xa5 {
			t.Fatalf("%s: writes behind its %d results", k.name, n)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("%s: sieve of block %d of %d gives %08b, portable %08b, rule %+v", k.name, i, n, got[i], want[i], r)
			}
			var d [lanes]float32
			k.distances(&all[i], tab, &d)
			if d != dist[i] {
				t.Fatalf("%s: distances %v, portable %v", k.name, d, dist[i])
			}
		}
	}
}

// plainSieve is the definition: every fourth column of every row.
func plainSieve(p *iris.SearchProbe, c *iris.SearchCode, r rule) bool {
	const columns = 0x1111111111111111
	for k := range rotations {
		t := p.Turned(k)
		diff, n := 0, 0
		for w := range codeWords {
			m := t[codeWords+w] & c[codeWords+w] & columns
			n += bits.OnesCount64(m)
			diff += bits.OnesCount64((t[w] ^ c[w]) & m)
		}
		if ruleScale*diff <= int(r.share)*n {
			return true
		}
	}
	return false
}

func TestKernelsAgreeToTheBit(t *testing.T) {
	for _, k := range kernels {
		t.Log("kernel", k.name)
	}
	r := rand.New(rand.NewPCG(7, 8))
	for pn, pf := range patterns {
		for en, ef := range patterns {
			t.Run(pn+" against "+en, func(t *testing.T) {
				var p iris.SearchCode
				pf(r, &p)
				probe := iris.NewSearchProbe(&p)
				for _, n := range []int{0, 1, 7, 8, 9, 23, 64} { // odd tails
					codes := make([]iris.SearchCode, n)
					for i := range codes {
						ef(r, &codes[i])
						if i%3 == 1 { // a few that are alike
							near := *probe.Turned(r.IntN(rotations))
							for range r.IntN(900) {
								k := r.IntN(codeWords * 64)
								near[k/64] ^= 1 << (k % 64)
							}
							copy(codes[i][:codeWords], near[:codeWords])
						}
					}
					shares := []int32{0, 1, 1200, 1600, 1900, ruleScale}
					if testing.Short() {
						shares = shares[3:4]
					}
					for _, share := range shares {
						checkKernels(t, probe, codes, rule{share})
					}
				}
			})
		}
	}
}

// Every place of a block counts: a single differing bit is seen wherever it is.
func TestEveryBitCounts(t *testing.T) {
	var p iris.SearchCode
	for i := range codeWords {
		p[codeWords+i] = math.MaxUint64
	}
	tab := newTable(iris.NewSearchProbe(&p))
	s, free := newSlab()
	defer free()
	for k := range codeWords * 64 {
		var b block
		c := p
		c[k/64] ^= 1 << (k % 64)
		s.put(k%chunkSize, &c)
		b.take(k%lanes, s, k%chunkSize)
		for _, kr := range kernels {
			var d [lanes]float32
			kr.distances(&b, tab, &d)
			if d[k%lanes] != float32(1)/2048 {
				t.Fatalf("%s: bit %d: %v", kr.name, k, d)
			}
		}
	}
}

func FuzzKernels(f *testing.F) {
	f.Add([]byte{}, []byte{1}, int32(1500), uint8(3))
	f.Add([]byte{0xff}, []byte{0xff, 0}, int32(4096), uint8(17))
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}, []byte{0x80, 0x7f}, int32(0), uint8(8))
	f.Fuzz(func(t *testing.T, probe, entries []byte, share int32, n uint8) {
		var p iris.SearchCode
		fill(&p, probe, 0)
		codes := make([]iris.SearchCode, int(n)%40)
		for i := range codes {
			fill(&codes[i], entries, i)
		}
		share = min(max(share, 0), ruleScale)
		checkKernels(t, iris.NewSearchProbe(&p), codes, rule{share})
	})
}

// fill repeats data, begun at byte at, over c.
func fill(c *iris.SearchCode, data []byte, at int) {
	if len(data) == 0 {
		return
	}
	var buf [8]byte
	for i := range c {
		for k := range buf {
			buf[k] = data[(at+8*i+k)%len(data)]
		}
		c[i] = binary.LittleEndian.Uint64(buf[:])
	}
}

// TestKernelRates logs how many codes a second each kernel compares with the
// time of this thread alone, which a busy machine disturbs less than a clock on
// the wall. Only ratios are held, and loosely: the sieve reads a quarter of a code
// and must be twice as fast as the comparison of it all, or something beside the
// counting takes the time. It did once: a single instruction without its V, which
// made an AMD processor merge half registers at each of ten turns.
func TestKernelRates(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	s := synthetic.New(1)
	codes := make([]iris.SearchCode, chunkSize)
	for i := range codes {
		codes[i] = s.Code(uint64(i))
	}
	probe := s.Code(1 << 40)
	rates := MeasureCompare(&probe, codes, 200*time.Millisecond)
	sieves := MeasureSieve(&probe, codes, 200*time.Millisecond)
	for _, k := range kernels {
		t.Logf("%-8s whole %6.2f M/s, %5.2f × the plain loop; sieve %6.2f M/s, %5.2f ×", k.name,
			rates[k.name]/1e6, rates[k.name]/rates["reference"], sieves[k.name]/1e6, sieves[k.name]/rates["reference"])
		if k.name != portable.name && sieves[k.name] < 3*rates["reference"] {
			t.Errorf("the sieve of %s is not worth its name", k.name)
		}
		if sieves[k.name] < 2*rates[k.name] {
			t.Errorf("the sieve of %s reads a quarter of what a comparison reads and has only %.1f × its rate", k.name, sieves[k.name]/rates[k.name])
		}
	}
}

// TestAssemblyIsOfOneEncoding: where vector registers are used as halves of wider
// ones, an instruction of the older encoding (no V before its name) keeps the upper
// half, which some processors pay for dearly. TestKernelRates sees that only on
// such a processor.
func TestAssemblyIsOfOneEncoding(t *testing.T) {
	vector := regexp.MustCompile(`\b[XYZ][0-9]+\b`)
	files, err := filepath.Glob("../*/*_amd64.s")
	if err != nil || len(files) < 2 {
		t.Fatalf("assembly not found: %v %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(text), "\n") {
			line, _, _ = strings.Cut(line, "//")
			op, operands, _ := strings.Cut(strings.TrimSpace(line), " ")
			macro := op == "#define" || strings.Contains(op, "(")
			if !macro && !strings.HasPrefix(op, "V") && vector.MatchString(operands) {
				t.Errorf("%s:%d: %s is not of the VEX encoding", name, n+1, op)
			}
		}
	}
}
