package gallery

import (
	"encoding/csv"
	"image"
	"image/color"
	"image/draw"
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

// sieveLoss measures each capture as the probe against its mates, in a
// gallery of n strangers. The strangers are drawn from the captures of other
// classes where there are enough, else they are synthetic.
func sieveLoss(captures []capture, strangers []iris.SearchCode, n int, fmr float64) (l loss) {
	slabs := codesSide(strangers)
	for i, p := range captures {
		pe := probeEye{turned: []*table{newTable(iris.NewSearchProbe(&p.eye.SearchCodes()[0]))}}
		dist := make([]float32, 0, len(strangers))
		for b := range slabs {
			var d [lanes]float32
			kernels[0].distances(&slabs[b], pe.turned[0], &d)
			dist = append(dist, d[:]...)
		}
		sorted := slices.Sorted(slices.Values(dist))
		expect := float64(verifyLimit) * float64(len(dist)) / float64(n)
		last := sorted[int(expect)] // of the best verifyLimit
		r, on := ruleFor(sorted, expect)
		for k := i % 8; k < len(strangers); k += 64 {
			l.of++
			if !on || laneSieve(&slabs[k/lanes], k%lanes, pe.turned[0], r) {
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
			var b block
			var d [lanes]float32
			b.put(0, &m.eye.SearchCodes()[0])
			kernels[0].distances(&b, pe.turned[0], &d)
			if d[0] > last {
				l.notAmong++
			} else if on && !laneSieve(&b, 0, pe.turned[0], r) {
				l.sieved++
			}
		}
	}
	return l
}

func codesSide(codes []iris.SearchCode) []block {
	out := make([]block, len(codes)/lanes)
	for i := range len(out) * lanes {
		out[i/lanes].put(i%lanes, &codes[i])
	}
	return out
}

func synthetics(n int) []iris.SearchCode {
	s := synthetic.New(9)
	out := make([]iris.SearchCode, n)
	for i := range out {
		out[i] = s.Code(uint64(i))
	}
	return out
}

// What a search of a large gallery loses, on generated eyes; and, for
// measurement only, on the images of the CSV file that TAMBO_IRIS_INDEX names.
func TestSieveLosesFewMates(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of extractions")
	}
	var captures []capture
	if name := os.Getenv("TAMBO_IRIS_INDEX"); name != "" {
		captures = fromIndex(t, name)
	} else {
		captures = generated(t, 40, 6)
	}
	strangers := synthetics(16384)
	for _, n := range []int{2_000, 10_000, 100_000, 1_000_000} {
		for _, fmr := range []float64{5, 8} {
			l := sieveLoss(captures, strangers, n, fmr)
			t.Logf("among %7d strangers: of %d mates at FMR 1e-%g the search code leaves %d out, the sieve %d more; it lets %.2f %% of strangers through",
				n, l.mates, fmr, l.notAmong, l.sieved, 100*float64(l.pass)/float64(l.of))
			if l.mates < 100 || l.sieved*100 > l.mates {
				t.Errorf("%d of %d mates", l.sieved, l.mates)
			}
		}
	}
}
