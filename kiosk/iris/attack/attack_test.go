package attack_test

import (
	"encoding/csv"
	"image"
	"image/draw"
	_ "image/jpeg" // decoder for the images of an index
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	_ "golang.org/x/image/bmp" // of measured sets

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/iris/attack"
	"tambo/kiosk/specimen/eye"
)

// scores are the signals of a number of presentations; nil where the engine saw
// no eye, which a capture would not keep.
func scores(t testing.TB, n int, at func(i int) *image.Gray) map[kiosk.AttackKind][]float64 {
	t.Helper()
	out := map[kiosk.AttackKind][]float64{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			e := iris.New()
			for i := w; i < n; i += 2 {
				img := at(i)
				r, err := e.Process(img, kiosk.EyeUnknown)
				if err != nil {
					continue
				}
				for _, s := range attack.Examine(img, &r.Segmentation) {
					mu.Lock()
					out[s.Kind] = append(out[s.Kind], s.Score)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	return out
}

func beyond(v []float64, limit float64) (n int) {
	for _, s := range v {
		if s > limit {
			n++
		}
	}
	return n
}

func quantiles(v []float64) [5]float64 {
	if len(v) == 0 {
		return [5]float64{}
	}
	slices.Sort(v)
	at := func(q float64) float64 { return v[min(int(q*float64(len(v))), len(v)-1)] }
	return [5]float64{at(0), at(0.05), at(0.5), at(0.95), at(1)}
}

func live(i int) *image.Gray {
	c := eye.RandomConditions(rand.New(rand.NewPCG(5, uint64(i))))
	return eye.Draw(eye.NewPerson(uint64(91000+i/2)), kiosk.BothEyes[i%2], c, 0, 0)
}

func printed(i int) *image.Gray {
	return eye.Print(live(i), eye.RandomScreen(rand.New(rand.NewPCG(6, uint64(i)))))
}

func lensed(i int) *image.Gray {
	c := eye.RandomConditions(rand.New(rand.NewPCG(7, uint64(i))))
	return eye.DrawLens(eye.NewPerson(uint64(91000+i/2)), kiosk.BothEyes[i%2], c, eye.RandomLens(rand.New(rand.NewPCG(8, uint64(i)))), 0, 0)
}

// The errors of the signals of single images on generated presentations (APCER,
// BPCER, ISO/IEC 30107-3); and, for live eyes only and for measurement only, on
// the images of the CSV file that TAMBO_IRIS_INDEX names.
func TestErrorsOfSingleImages(t *testing.T) {
	n := 120
	if testing.Short() {
		n = 30
	}
	bona := scores(t, n, live)
	for kind, c := range map[kiosk.AttackKind]struct {
		limit float64
		draw  func(int) *image.Gray
	}{kiosk.AttackPrint: {attack.PrintLimit, printed}, kiosk.AttackLens: {attack.LensLimit, lensed}} {
		got := scores(t, n, c.draw)[kind]
		fine := bona[kind]
		apcer := 1 - float64(beyond(got, c.limit))/float64(len(got))
		bpcer := float64(beyond(fine, c.limit)) / float64(len(fine))
		t.Logf("%s: APCER %.1f %% of %d generated attacks, BPCER %.1f %% of %d generated live eyes; scores of attacks %.2f, of live eyes %.2f (least, 5 %%, median, 95 %%, greatest)",
			kind, 100*apcer, len(got), 100*bpcer, len(fine), quantiles(got), quantiles(fine))
		if len(got) < n/3 || len(fine) < n/2 || apcer > 0.3 || bpcer > 0.02 {
			t.Errorf("%s: APCER %.3f of %d, BPCER %.3f of %d", kind, apcer, len(got), bpcer, len(fine))
		}
	}
	if dir := os.Getenv("TAMBO_ATTACK_PICTURES"); dir != "" {
		for name, f := range map[string]func(int) *image.Gray{"live": live, "print": printed, "lens": lensed} {
			for i := range 2 {
				w, err := os.Create(filepath.Join(dir, name+string(rune('0'+i))+".png"))
				if err != nil {
					t.Fatal(err)
				}
				png.Encode(w, f(2*i+1))
				w.Close()
			}
		}
	}
}

// For measurement only: the images of the CSV file that TAMBO_IRIS_INDEX names
// are live eyes.
func TestErrorsOnMeasuredSets(t *testing.T) {
	name := os.Getenv("TAMBO_IRIS_INDEX")
	if name == "" {
		t.Skip("TAMBO_IRIS_INDEX names no index")
	}
	live := indexed(t, name)
	for kind, limit := range map[kiosk.AttackKind]float64{kiosk.AttackPrint: attack.PrintLimit, kiosk.AttackLens: attack.LensLimit} {
		v := live[kind]
		if len(v) == 0 {
			t.Fatalf("no image of %s could be read", name)
		}
		t.Logf("%s: BPCER %.2f %%, %d of %d images of %s; scores %.2f", kind, 100*float64(beyond(v, limit))/float64(len(v)), beyond(v, limit), len(v), filepath.Base(name), quantiles(v))
	}
}

func indexed(t *testing.T, name string) map[kiosk.AttackKind][]float64 {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil || len(rows) < 2 || rows[0][0] != "path" {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	return scores(t, len(rows)-1, func(i int) *image.Gray {
		f, err := os.Open(rows[i+1][0])
		if err != nil {
			return nil
		}
		defer f.Close()
		m, _, err := image.Decode(f)
		if err != nil {
			return nil
		}
		g := image.NewGray(image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy()))
		draw.Draw(g, g.Bounds(), m, m.Bounds().Min, draw.Src)
		return g
	})
}
