package gallery

import (
	"encoding/csv"
	"image"
	"image/color"
	"image/draw"
	_ "image/jpeg" // decoder for the images of an index
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	_ "golang.org/x/image/bmp" // decoder for the images of an index

	"tambo/kiosk"
	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// capture is one image as the engine saw it.
type capture struct {
	class string
	eye   *iris.Decoded
}

// extract runs the engine over n images on all processors.
func extract(t *testing.T, n int, at func(i int) (string, *image.Gray)) []capture {
	t.Helper()
	all := make([]capture, n)
	var wg sync.WaitGroup
	const workers = 2
	for w := range workers {
		wg.Go(func() {
			engine := iris.New()
			for i := w; i < n; i += workers {
				class, img := at(i)
				r, err := engine.Process(img, kiosk.EyeUnknown)
				if err != nil {
					continue
				}
				if d, err := iris.Decode(r.Template); err == nil {
					all[i] = capture{class, d}
				}
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(all, func(c capture) bool { return c.eye == nil })
}

func generated(t *testing.T, eyes, each int) []capture {
	return extract(t, eyes*each, func(i int) (string, *image.Gray) {
		n := i / each
		c := eye.RandomConditions(rand.New(rand.NewPCG(41, uint64(i))))
		return string(person(n)), eye.Draw(eye.NewPerson(uint64(52000+n/2)), kiosk.BothEyes[n%2], c, 0, 0)
	})
}

// fromIndex reads the images of a CSV file with the columns path and class.
func fromIndex(t *testing.T, name string) []capture {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	pc, cc := slices.Index(rows[0], "path"), slices.Index(rows[0], "class")
	rows = rows[1:]
	return extract(t, len(rows), func(i int) (string, *image.Gray) {
		p := rows[i][pc]
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(name), p)
		}
		f, err := os.Open(p)
		if err != nil {
			return "", nil
		}
		defer f.Close()
		m, _, err := image.Decode(f)
		if err != nil {
			return "", nil
		}
		g := image.NewGray(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
		draw.Draw(g, g.Bounds(), &image.Uniform{color.Black}, image.Point{}, draw.Src)
		draw.Draw(g, g.Bounds(), m, m.Bounds().Min, draw.Src)
		return rows[i][cc], g
	})
}

// loss is what a search among n strangers does to mates.
type loss struct {
	mates    int // pairs whose full comparison passes
	notAmong int // of them not among the best verifyLimit by search code
	sieved   int // of those among the best, left out by the sieve
	pass     int // strangers that the sieve lets through
	of       int
}

// crowd is many strangers, as a gallery holds them.
type crowd []block

func newCrowd(n int) crowd {
	s, c := synthetic.New(9), make(crowd, n/lanes)
	for i := range n / lanes * lanes {
		code := s.Code(uint64(i))
		c[i/lanes].put(i%lanes, &code)
	}
	return c
}

// put writes a code into lane l.
func (b *block) put(l int, c *iris.SearchCode) {
	scratch.put(0, c)
	b.take(l, scratch, 0)
}

var scratch = alignedSlab()

// cut returns the distance of the last of the best verifyLimit, if n strangers
// are like these, and the sieve's rule.
func (c crowd) cut(n int, t *table) (float32, rule, bool) {
	dist := make([]float32, 0, len(c)*lanes)
	var sample []head
	for b := range c {
		var d [lanes]float32
		kernels[0].distances(&c[b], t, &d)
		dist = append(dist, d[:]...)
		if b < sampleCodes/lanes {
			sample = append(sample, c[b].head)
		}
	}
	slices.Sort(dist)
	r, on := kernels[0].ruleFor(sample, sampleCodes, passFor(n), []*table{t})
	return dist[verifyLimit*len(dist)/n], r, on
}

// fate says where a mate of the probe stands.
func fate(t *table, mate *iris.SearchCode, r rule) (float32, bool) {
	var b block
	var d [lanes]float32
	b.put(0, mate)
	kernels[0].distances(&b, t, &d)
	return d[0], laneSieve(&b.head, 0, t, r)
}

// sieveLoss measures each capture as the probe against its mates, in a
// gallery of n strangers.
func sieveLoss(captures []capture, strangers crowd, n int, fmr float64) (l loss) {
	for i, p := range captures {
		t := newTable(iris.NewSearchProbe(&p.eye.SearchCodes()[0]))
		last, r, on := strangers.cut(n, t)
		for k := i % 8; k < len(strangers)*lanes; k += 64 {
			l.of++
			if !on || laneSieve(&strangers[k/lanes].head, k%lanes, t, r) {
				l.pass++
			}
		}
		for _, m := range captures[:i] {
			if m.class != p.class {
				continue
			}
			c, err := p.eye.Compare(m.eye)
			if err != nil || c.LogFMR < fmr {
				continue
			}
			l.mates++
			if d, pass := fate(t, &m.eye.SearchCodes()[0], r); d > last {
				l.notAmong++
			} else if on && !pass {
				l.sieved++
			}
		}
	}
	return l
}

// What a search of a large gallery loses, on generated eyes; and, for
// measurement only, on the images of the CSV file that TAMBO_IRIS_INDEX names.
func TestSieveLosesNoMates(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of extractions")
	}
	var captures []capture
	if name := os.Getenv("TAMBO_IRIS_INDEX"); name != "" {
		captures = fromIndex(t, name)
	} else {
		captures = generated(t, 40, 6)
	}
	strangers := newCrowd(16384)
	for _, n := range []int{30_000, 100_000, 1_000_000} {
		for _, fmr := range []float64{5, 8} {
			l := sieveLoss(captures, strangers, n, fmr)
			t.Logf("among %7d strangers: of %d mates at FMR 1e-%g the search code leaves %d out, the sieve %d more; it lets %.2f %% of strangers through",
				n, l.mates, fmr, l.notAmong, l.sieved, 100*float64(l.pass)/float64(l.of))
			if l.mates < 100 || l.sieved*1000 > l.mates {
				t.Errorf("%d of %d mates", l.sieved, l.mates)
			}
		}
	}
}

// A hundred thousand mates and more, at every distance up to that of the last
// code that is compared in full: how many the sieve leaves out.
//
// The bound logged beside is Hoeffding's for as many independent bits as the
// sieve compares, which asks nothing of how a code is made: a mate that differs
// in a share h of its bits exceeds the rule's share s on m of them with
// probability at most exp(−2m(s−h)²). Bits of a code that are left out of the
// sieve lie between bits that are in it, so that the truth is far below.
func TestSieveOnAHundredThousandMates(t *testing.T) {
	probes, each := uint64(256), uint64(520)
	if testing.Short() {
		probes, each = 8, 100
	}
	const n, bins = 1_000_000, 8
	source, strangers := synthetic.New(31), newCrowd(16384)
	type bin struct {
		mates, lost int
		bound       float64
	}
	var all [bins]bin
	var among, lost, far int
	var cuts, shares float64
	for p := range probes {
		code := source.Code(p)
		tab := newTable(iris.NewSearchProbe(&code))
		last, r, on := strangers.cut(n, tab)
		if !on {
			t.Fatal("the sieve is off")
		}
		cuts += float64(last) / float64(probes)
		shares += float64(r.share) / ruleScale / float64(probes)
		for k := range each {
			mate := source.Mate(p, k, 0.05+0.85*float64(k)/float64(each))
			d, pass := fate(tab, &mate, r)
			if d > last {
				far++
				continue
			}
			b := &all[min(int(float64(d)/0.05), bins-1)]
			among++
			b.mates++
			b.bound += hoeffding(tab, &mate, float64(r.share)/ruleScale)
			if !pass {
				b.lost++
				lost++
			}
		}
	}
	t.Logf("the last of the best %d of %d is at %.3f, the sieve at %.3f of its bits (means)", verifyLimit, n, cuts, shares)
	for k, b := range all {
		if b.mates > 0 {
			t.Logf("search distance %.2f to %.2f: %6d mates, %d left out by the sieve, at most %.2g expected by the bound", float64(k)*0.05, float64(k+1)*0.05, b.mates, b.lost, b.bound)
		}
	}
	t.Logf("of %d mates among the best the sieve leaves out %d, %.2g; %d more were not among them by their whole code", among, lost, float64(lost)/float64(among), far)
	if !testing.Short() && among < 100_000 || float64(lost) > 1e-3*float64(among) {
		t.Error("too few mates, or too many lost")
	}
}

// hoeffding bounds the probability that the sieve leaves out a mate, at the
// rotation at which their whole codes agree best.
func hoeffding(t *table, mate *iris.SearchCode, share float64) float64 {
	code, mask := combed(mate[:codeWords]), combed(mate[codeWords:])
	h, m := 1.0, 0
	for k := range rotations {
		diff, n, sieved := 0, 0, 0
		for w := range codeWords {
			p := t.words[w][k]
			both := p[1] & mask[w]
			n += bits.OnesCount64(both)
			diff += bits.OnesCount64((p[0] ^ code[w]) & both)
			if w < sieveWords {
				sieved += bits.OnesCount64(both)
			}
		}
		if q := float64(diff) / float64(max(n, 1)); q < h {
			h, m = q, sieved
		}
	}
	if h >= share {
		return 1
	}
	return math.Exp(-2 * float64(m) * (share - h) * (share - h))
}
