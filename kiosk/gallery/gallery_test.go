package gallery

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// The template's layout, as package iris documents it.
const (
	searchBytes = 256
	verifyBytes = 2048
)

// template draws an eye's template from a seed: independent bits, all usable,
// with a share of the bits flipped by noise.
func template(eye kiosk.Eye, seed uint64, share float64, noise uint64) kiosk.Template {
	r := rand.New(rand.NewPCG(seed, 1))
	n := rand.New(rand.NewPCG(noise, 2))
	d := []byte("TIR1\x01\x00\x00\x00")
	for _, k := range []int{searchBytes, verifyBytes} {
		for range k / 8 {
			w := r.Uint64()
			if share > 0 {
				for b := range 64 {
					if n.Float64() < share {
						w ^= 1 << b
					}
				}
			}
			d = binary.LittleEndian.AppendUint64(d, w)
		}
		for range k {
			d = append(d, 0xff)
		}
	}
	return kiosk.Template{Engine: iris.EngineVersion, Eye: eye, Data: d}
}

func person(n int) ID { return ID(fmt.Sprintf("p%05d", n)) }

// filled has n persons with both eyes; person k's eyes are seeds 2k and 2k+1.
func filled(t testing.TB, n int) *Gallery {
	t.Helper()
	g := New()
	for k := range n {
		add(t, g, Entry{person(k), kiosk.EyeRight, template(kiosk.EyeRight, uint64(2*k), 0, 0)})
		add(t, g, Entry{person(k), kiosk.EyeLeft, template(kiosk.EyeLeft, uint64(2*k+1), 0, 0)})
	}
	return g
}

func add(t testing.TB, g *Gallery, e Entry) {
	t.Helper()
	if err := g.Add(e); err != nil {
		t.Fatal(err)
	}
}

func both(k int, share float64) Probe {
	return Probe{[]kiosk.Template{
		template(kiosk.EyeRight, uint64(2*k), share, 91),
		template(kiosk.EyeLeft, uint64(2*k+1), share, 92),
	}}
}

var strict = Options{MaxFMR: 1e-4}

func TestFindsTheRightPersonAmongMany(t *testing.T) {
	const n = 1500 // more entries than are compared in full
	g := filled(t, n)
	for _, k := range []int{0, 7, n / 2, n - 1} {
		a, err := g.Search(context.Background(), both(k, 0.2), strict)
		if err != nil {
			t.Fatal(err)
		}
		if !a.Complete || a.Total != 2*n || a.Compared != 2*n || a.NotCompared != 0 {
			t.Errorf("answer %+v", a)
		}
		if len(a.Candidates) != 1 || a.Candidates[0].ID != person(k) || len(a.Candidates[0].PerEye) != 2 {
			t.Fatalf("candidates %+v", a.Candidates)
		}
	}
	a, err := g.Search(context.Background(), both(n+5, 0), strict)
	if err != nil || !a.Complete || len(a.Candidates) != 0 {
		t.Errorf("a stranger: %+v, %v", a, err)
	}
}

func TestTwoEyesSayMoreThanOne(t *testing.T) {
	g := filled(t, 20)
	one, err := g.Search(context.Background(), Probe{both(3, 0.3).Templates[:1]}, Options{MaxFMR: 1})
	if err != nil {
		t.Fatal(err)
	}
	two, err := g.Search(context.Background(), both(3, 0.3), Options{MaxFMR: 1})
	if err != nil {
		t.Fatal(err)
	}
	if one.Candidates[0].ID != person(3) || two.Candidates[0].ID != person(3) || two.Candidates[0].LogFMR <= one.Candidates[0].LogFMR {
		t.Errorf("one eye %+v, two %+v", one.Candidates[0], two.Candidates[0])
	}
	if one.Compared != 20 || one.NotCompared != 20 {
		t.Errorf("one right eye: compared %d, not %d", one.Compared, one.NotCompared)
	}
}

func TestUnknownSideMeetsBoth(t *testing.T) {
	g := filled(t, 10)
	left := template(kiosk.EyeUnknown, 2*4+1, 0.1, 5)
	a, err := g.Search(context.Background(), Probe{[]kiosk.Template{left}}, strict)
	if err != nil || len(a.Candidates) != 1 || a.Candidates[0].ID != person(4) || a.Candidates[0].PerEye[0].Eye != kiosk.EyeLeft || a.Compared != 20 {
		t.Errorf("%+v, %v", a, err)
	}
	// the same eye claimed to be the right one is not compared with left eyes
	wrong := template(kiosk.EyeRight, 2*4+1, 0.1, 5)
	if a, err = g.Search(context.Background(), Probe{[]kiosk.Template{wrong}}, strict); err != nil || len(a.Candidates) != 0 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestThresholdCountsTheGallery(t *testing.T) {
	small, large := filled(t, 2), filled(t, 400)
	p := both(1, 0.2)
	a, _ := small.Search(context.Background(), p, Options{MaxFMR: 1})
	b, _ := large.Search(context.Background(), p, Options{MaxFMR: 1})
	x, y := a.Candidates[0], b.Candidates[0]
	if x.LogFMR != y.LogFMR || math.Abs(y.SearchFMR/x.SearchFMR-200) > 1e-6 {
		t.Errorf("in 2: %+v; in 400: %+v", x, y)
	}
	between := Options{MaxFMR: x.SearchFMR * 10}
	a, _ = small.Search(context.Background(), p, between)
	b, _ = large.Search(context.Background(), p, between)
	if len(a.Candidates) != 1 || len(b.Candidates) != 0 {
		t.Errorf("%d and %d candidates at the same rate", len(a.Candidates), len(b.Candidates))
	}
}

func TestOtherVersionsAreCountedNotCompared(t *testing.T) {
	g := filled(t, 3)
	old := template(kiosk.EyeRight, 2, 0, 0)
	old.Engine = "tambo-iris/unheard-of"
	add(t, g, Entry{"old", kiosk.EyeRight, old})
	a, err := g.Search(context.Background(), both(1, 0), strict)
	if err != nil || a.Total != 7 || a.Compared != 6 || a.NotCompared != 1 || len(a.Candidates) != 1 || a.Candidates[0].ID == "old" {
		t.Errorf("%+v, %v", a, err)
	}
	if n := g.Remove("old"); n != 1 || g.Len() != 6 {
		t.Errorf("removed %d, %d left", n, g.Len())
	}
	if a, _ = g.Search(context.Background(), both(1, 0), strict); a.NotCompared != 0 {
		t.Errorf("%+v", a)
	}
}

func TestRemovedIsGoneAndRoomIsUsedAgain(t *testing.T) {
	g := filled(t, 50)
	if n := g.Remove(person(9)); n != 2 {
		t.Fatalf("removed %d", n)
	}
	if n := g.Remove(person(9)); n != 0 {
		t.Errorf("removed %d again", n)
	}
	if a, err := g.Search(context.Background(), both(9, 0), strict); err != nil || len(a.Candidates) != 0 || a.Compared != 98 {
		t.Errorf("%+v, %v", a, err)
	}
	used := g.used
	add(t, g, Entry{"new", kiosk.EyeRight, template(kiosk.EyeRight, 9999, 0, 0)})
	if g.used != used {
		t.Error("the free slot was not used")
	}
	a, err := g.Search(context.Background(), Probe{[]kiosk.Template{template(kiosk.EyeRight, 9999, 0.1, 3)}}, strict)
	if err != nil || len(a.Candidates) != 1 || a.Candidates[0].ID != "new" {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestAnUnfinishedSearchIsNotComplete(t *testing.T) {
	g := filled(t, 30)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a, err := g.Search(ctx, both(50, 0), strict)
	if !errors.Is(err, context.Canceled) || a.Complete || a.Compared != 0 || a.Total != 60 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestRefusals(t *testing.T) {
	g := New()
	good := template(kiosk.EyeLeft, 1, 0, 0)
	broken := good
	broken.Data = good.Data[:40]
	for name, c := range map[string]struct {
		e    Entry
		want error
	}{
		"no ID":     {Entry{"", kiosk.EyeLeft, good}, ErrNoID},
		"other eye": {Entry{"x", kiosk.EyeRight, good}, ErrEye},
		"eye 7":     {Entry{"x", 7, good}, ErrEye},
		"broken":    {Entry{"x", kiosk.EyeLeft, broken}, iris.ErrMalformed},
	} {
		if err := g.Add(c.e); !errors.Is(err, c.want) || g.Len() != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, o := range map[string]Options{"zero": {}, "two": {MaxFMR: 2}, "NaN": {MaxFMR: math.NaN()}, "top": {MaxFMR: 1, TopK: -1}} {
		if _, err := g.Search(context.Background(), Probe{[]kiosk.Template{good}}, o); !errors.Is(err, ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, p := range map[string]Probe{"none": {}, "broken": {[]kiosk.Template{broken}}} {
		if _, err := g.Search(context.Background(), p, strict); !errors.Is(err, ErrProbe) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, err := g.Search(context.Background(), Probe{[]kiosk.Template{good}}, strict); err != nil || !a.Complete || a.Total != 0 {
		t.Errorf("empty gallery: %+v, %v", a, err)
	}
}

// Somebody who is in the gallery throughout is found by every search, whatever
// comes and goes meanwhile.
func TestSearchWhileAddingAndRemoving(t *testing.T) {
	g := filled(t, 200)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 5))
			for k := 0; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				id := ID(fmt.Sprintf("guest%d-%d", w, r.IntN(20)))
				if r.IntN(2) == 0 {
					g.Remove(id)
				} else if err := g.Add(Entry{id, kiosk.EyeRight, template(kiosk.EyeRight, 1_000_000+r.Uint64N(1000), 0, 0)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for k := range 25 {
		a, err := g.Search(context.Background(), both(k*7, 0.15), strict)
		if err != nil || !a.Complete || len(a.Candidates) != 1 || a.Candidates[0].ID != person(k*7) {
			t.Errorf("search %d: %+v, %v", k, a, err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestFusion(t *testing.T) {
	pe := func(probe int, eye kiosk.Eye, s float64) PerEye {
		return PerEye{probe, eye, iris.Comparison{LogFMR: s}}
	}
	ps := []probeEye{{side: sideOf(0, kiosk.EyeRight)}, {side: sideOf(0, kiosk.EyeLeft)}, {side: sideOf(1, kiosk.EyeRight)}, {side: sideOf(1, kiosk.EyeUnknown)}}
	// Fisher: the chance that two uniform p-values multiply to at most x is
	// x(1-ln x).
	x := 1e-7
	if _, s := fuse([]PerEye{pe(0, kiosk.EyeRight, 4), pe(1, kiosk.EyeLeft, 3)}, ps); math.Abs(s+math.Log10(x*(1-math.Log(x)))) > 1e-9 {
		t.Errorf("fused %g", s)
	}
	// several entries of one eye: the best counts, less for having been picked
	used, s := fuse([]PerEye{pe(0, kiosk.EyeRight, 2), pe(0, kiosk.EyeRight, 6)}, ps)
	if len(used) != 1 || math.Abs(s-(6-math.Log10(2))) > 1e-9 {
		t.Errorf("%+v, %g", used, s)
	}
	// two versions of one eye are one witness; of two eyes, two
	if used, _ = fuse([]PerEye{pe(0, kiosk.EyeRight, 5), pe(2, kiosk.EyeRight, 5)}, ps); len(used) != 1 {
		t.Errorf("%+v", used)
	}
	if used, _ = fuse([]PerEye{pe(1, kiosk.EyeLeft, 5), pe(3, kiosk.EyeRight, 5)}, ps); len(used) != 1 {
		t.Errorf("%+v", used)
	}
	if used, _ = fuse([]PerEye{pe(1, kiosk.EyeLeft, 5), pe(2, kiosk.EyeRight, 5)}, ps); len(used) != 2 {
		t.Errorf("%+v", used)
	}
	// the same template given twice, against an entry that may be either eye, is no
	// second witness: it would make a stranger's likeness a certainty
	twice := append(ps[:len(ps):len(ps)], probeEye{side: sideOf(1, kiosk.EyeRight)})
	if used, s = fuse([]PerEye{pe(2, kiosk.EyeUnknown, 4), pe(4, kiosk.EyeUnknown, 4)}, twice); len(used) != 1 || s > 4 {
		t.Errorf("%+v, %g", used, s)
	}
	// one probe is not spent twice
	if used, _ = fuse([]PerEye{pe(0, kiosk.EyeRight, 5), pe(0, kiosk.EyeLeft, 5)}, ps); len(used) != 1 {
		t.Errorf("%+v", used)
	}
}

func TestCodesAreAlignedToCacheLines(t *testing.T) {
	g := filled(t, 1)
	if p := uintptr(unsafe.Pointer(g.chunks[0].codes)); p%64 != 0 {
		t.Errorf("codes begin at %#x", p)
	}
}

// Time grows linearly with the gallery: four times the entries, at most six
// times the time (the rest is measurement).
func TestScanIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	once := func(g *Gallery) time.Duration {
		probes, err := parse(Probe{both(1, 0.2).Templates[:1]}, iris.NewSearchProbe)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, _, _, err := g.scan(context.Background(), g.view(nil), probes, nil); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	// The least of each, by turns: a busy machine disturbs the longer one more
	// often, so it is given more turns there.
	small, large := filled(t, 2048), filled(t, 8192)
	a, b := time.Hour, time.Hour
	for n := 0; n < 7 || n < 200 && b > 8*a; n++ {
		a, b = min(a, once(small)), min(b, once(large))
	}
	t.Logf("scan of 4,096 entries %v, of 16,384 %v, half of them on the probe's side", a, b)
	if b > 8*a {
		t.Errorf("%v for four times what took %v", b, a)
	}
}

// Who a hit is of is asked late: a slot may have been emptied or given away since.
func TestTrimNamesPersonsOnceAndNobodyWhoLeft(t *testing.T) {
	g := filled(t, 4) // two entries each
	var s shortlist
	for slot := int32(7); slot >= 0; slot-- {
		s.hits = append(s.hits, newHit(0.1+float32(slot)/100, slot))
	}
	if h := s.hits[0]; h.slot() != 7 || h.dist() != 0.1+float32(7)/100 {
		t.Errorf("hit of slot %d, %v", h.slot(), h.dist())
	}
	g.Remove(person(1))
	g.Remove(person(2))
	add(t, g, Entry{person(9), kiosk.EyeLeft, template(kiosk.EyeLeft, 99, 0, 0)}) // in a slot of one of them
	ids := s.trim(g)
	if len(ids) != 3 || ids[0] != person(0) || ids[1] != person(9) || ids[2] != person(3) {
		t.Errorf("%v", ids)
	}
	if len(s.hits) != 3 || !slices.IsSorted(s.hits) {
		t.Errorf("%d hits left", len(s.hits))
	}
}
