package iris

import (
	"encoding/csv"
	"errors"
	"image"
	"image/draw"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"

	_ "golang.org/x/image/bmp" // of measured sets

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
)

// previous extracts the first engine's templates of n images.
func previous(t *testing.T, n int, at func(i int) (class int, img *image.Gray)) (out []*Decoded, classes []int) {
	t.Helper()
	out, classes = make([]*Decoded, n), make([]int, n)
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			e := New()
			e.SetAlso(FirstVersion, "tambo-iris/unheard-of", EngineVersion)
			for i := w; i < n; i += 2 {
				class, img := at(i)
				r, err := e.Process(img, kiosk.EyeUnknown)
				if err != nil || len(r.Also) != 1 {
					continue
				}
				classes[i] = class
				out[i], _ = Decode(r.Also[0])
			}
		})
	}
	wg.Wait()
	return out, classes
}

func generatedEyes(i int) (int, *image.Gray) {
	c := eye.RandomConditions(rand.New(rand.NewPCG(77, uint64(i))))
	return i / 2, eye.Draw(eye.NewPerson(uint64(81000+i/2)), kiosk.EyeRight, c, 0, 0)
}

func indexed(t *testing.T, name string) (int, func(i int) (int, *image.Gray)) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 || rows[0][0] != "path" || rows[0][1] != "class" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return len(rows) - 1, func(i int) (int, *image.Gray) {
		f, err := os.Open(rows[i+1][0])
		if err != nil {
			return 0, nil
		}
		defer f.Close()
		m, _, err := image.Decode(f)
		if err != nil {
			return 0, nil
		}
		g := image.NewGray(m.Bounds())
		draw.Draw(g, g.Bounds(), m, m.Bounds().Min, draw.Src)
		return slices.IndexFunc(rows, func(r []string) bool { return r[1] == rows[i+1][1] }), g
	}
}

// The first engine's scores mean what they say on generated eyes; and, for
// measurement only, on the images of the CSV file that TAMBO_IRIS_INDEX names.
func TestFirstEngineIsCalibrated(t *testing.T) {
	if testing.Short() {
		t.Skip("hundreds of extractions")
	}
	n, at := 240, generatedEyes
	if name := os.Getenv("TAMBO_IRIS_INDEX"); name != "" {
		n, at = indexed(t, name)
	}
	all, classes := previous(t, n, at)
	var strangers []float64
	rates := map[int]int{}
	mates, missed := 0, 0
	for i, a := range all {
		for j, b := range all[:i] {
			if a == nil || b == nil {
				continue
			}
			c, err := a.Compare(b)
			if err != nil {
				continue
			}
			if classes[i] == classes[j] {
				if mates++; c.LogFMR < 4 {
					missed++
				}
				continue
			}
			strangers = append(strangers, c.HD)
			for d := 1; d <= 4; d++ {
				if c.LogFMR >= float64(d) {
					rates[d]++
				}
			}
		}
	}
	slices.Sort(strangers)
	q := func(p float64) float64 { return strangers[int(p*float64(len(strangers)))] }
	median := q(0.5)
	t.Logf("%d pairs of strangers: median %.4f, spread by the 16 %% quantile %.4f; below it by spreads of %.4f: 1 %% at %.2f, .1 %% at %.2f",
		len(strangers), median, median-q(0.1587), rigidSigma, (rigidMean-q(0.01))/rigidSigma, (rigidMean-q(0.001))/rigidSigma)
	t.Logf("said 1e-1: %.2g observed, 1e-2: %.2g, 1e-3: %.2g, 1e-4: %.2g; %d of %d mates missed at 1e-4",
		float64(rates[1])/float64(len(strangers)), float64(rates[2])/float64(len(strangers)), float64(rates[3])/float64(len(strangers)), float64(rates[4])/float64(len(strangers)), missed, mates)
	if d := math.Log10(float64(max(rates[2], 1))/float64(len(strangers))) + 2; math.Abs(d) > 0.7 {
		t.Errorf("at 1e-2 it is off by %.1f decades", d)
	}
	if missed*4 > mates {
		t.Errorf("%d of %d mates missed", missed, mates)
	}
}

// Versions never compare with each other, and each finds its own.
func TestVersionsNeverCompare(t *testing.T) {
	e := New()
	e.SetAlso(FirstVersion)
	var rs [2]Result
	for i := range rs {
		c := eye.Ordinary()
		c.Seed, c.Roll = uint64(i), float64(3*i)
		var err error
		if rs[i], err = e.Process(eye.Draw(eye.NewPerson(5), kiosk.EyeLeft, c, 0, 0), kiosk.EyeLeft); err != nil || len(rs[i].Also) != 1 {
			t.Fatal(err, len(rs[i].Also))
		}
	}
	if rs[0].Template.Engine != EngineVersion || rs[0].Also[0].Engine != FirstVersion || rs[0].Also[0].Eye != kiosk.EyeLeft {
		t.Errorf("%q and %q", rs[0].Template.Engine, rs[0].Also[0].Engine)
	}
	if _, err := Compare(rs[0].Template, rs[0].Also[0]); !errors.Is(err, ErrVersion) {
		t.Errorf("two versions: %v", err)
	}
	for name, pair := range map[string][2]kiosk.Template{"current": {rs[0].Template, rs[1].Template}, "previous": {rs[0].Also[0], rs[1].Also[0]}} {
		if c, err := Compare(pair[0], pair[1]); err != nil || c.LogFMR < 6 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	// The current template is the same whether or not others are made beside it.
	plain, err := New().Process(eye.Draw(eye.NewPerson(5), kiosk.EyeLeft, eye.Ordinary(), 0, 0), kiosk.EyeLeft)
	if err != nil || plain.Also != nil {
		t.Fatal(err)
	}
	beside, err := e.Process(eye.Draw(eye.NewPerson(5), kiosk.EyeLeft, eye.Ordinary(), 0, 0), kiosk.EyeLeft)
	if err != nil || string(beside.Template.Data) != string(plain.Template.Data) {
		t.Error("the current template differs", err)
	}
}

// Two galleries may name the same engine: an eye is one witness all the same.
func TestAlsoOnceEach(t *testing.T) {
	e := New()
	e.SetAlso(PreviousVersion, EngineVersion, FirstVersion, PreviousVersion, "somebody's", FirstVersion)
	if len(e.also) != 2 || e.also[0].name != PreviousVersion || e.also[1].name != FirstVersion {
		t.Errorf("%d earlier engines", len(e.also))
	}
}
