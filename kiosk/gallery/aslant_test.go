package gallery

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// withOne hands out one person's own template beside those of a cupboard.
type withOne struct {
	cupboard
	id ID
	t  kiosk.Template
}

func (w *withOne) Templates(ctx context.Context, id ID) ([]kiosk.Template, error) {
	if id == w.id {
		return []kiosk.Template{w.t}, nil
	}
	return w.cupboard.Templates(ctx, id)
}

// Who was enrolled upright is found among many with the head held aslant, by a
// second look; who holds it upright is found without one, and a stranger by
// neither.
func TestHeadsHeldAslantAreFound(t *testing.T) {
	strangers := 40_000
	if testing.Short() {
		strangers = 20_000
	}
	engine := iris.New()
	read := func(person uint64, roll float64) kiosk.Template {
		c := eye.Ordinary()
		c.Pupil, c.UpperLid, c.Roll = 0.4, 1.1, roll
		r, err := engine.Process(eye.Draw(eye.NewPerson(person), kiosk.EyeRight, c, 0, 0), kiosk.EyeRight)
		if err != nil {
			t.Fatal(err)
		}
		return r.Template
	}
	enrolled := read(77001, 0)
	d, err := iris.Decode(enrolled)
	if err != nil {
		t.Fatal(err)
	}
	w := &withOne{id: "mate", t: enrolled}
	g := NewFetching(w)
	source := synthetic.New(5)
	for k := range strangers {
		if k == strangers/2 {
			if err := g.AddCodes(w.id, kiosk.EyeRight, d.SearchCodes()); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.AddCodes(ID(fmt.Sprintf("p%05d", k)), kiosk.EyeRight, []iris.SearchCode{source.Code(uint64(k))}); err != nil {
			t.Fatal(err)
		}
	}
	search := func(p kiosk.Template, o Options) (found bool, share float64) {
		var mu sync.Mutex
		o.Progress = func(done, total int) {
			mu.Lock()
			defer mu.Unlock()
			share = max(share, float64(done)/float64(total))
		}
		a, err := g.Search(t.Context(), Probe{[]kiosk.Template{p}}, o)
		if err != nil || !a.Complete || a.Compared != strangers+1 || a.Total != strangers+1 {
			t.Fatalf("%+v, %v", a, err)
		}
		if n := len(a.Candidates); n > 1 || n == 1 && a.Candidates[0].ID != w.id {
			t.Fatalf("%+v", a.Candidates)
		}
		return len(a.Candidates) == 1, share
	}
	once, twice := Options{MaxFMR: 1e-3}, Options{MaxFMR: 1e-3, Aslant: true}
	// the engine's own error of the angle is below 1.5°
	for _, c := range []struct {
		roll  float64
		first bool
	}{{0, true}, {15, true}, {-15, true}, {26, false}, {-26, false}, {32, false}, {-32, false}, {38, false}, {-38, false}} {
		p := read(77001, c.roll)
		found, _ := search(p, once)
		if found != c.first {
			t.Errorf("turned by %g°: one look finds: %v", c.roll, found)
		}
		found, share := search(p, twice)
		want := 1.0
		if c.first {
			want = 0.5
		}
		if !found || share != want {
			t.Errorf("turned by %g°: with a second look: %v, %g of the way", c.roll, found, share)
		}
	}
	if found, share := search(read(77002, 26), twice); found || share != 1 {
		t.Errorf("a stranger: %v, %g of the way", found, share)
	}
}
