package gallery

import (
	"context"
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// A gallery of two engines: persons 0 to 2 are enrolled with the current one
// only, 3 to 5 with the first one only.
func TestAMixedGallery(t *testing.T) {
	engine := iris.New()
	engine.SetAlso(iris.FirstVersion)
	read := func(person, visit int) iris.Result {
		c := eye.Ordinary()
		c.Seed, c.Roll, c.Pupil = uint64(visit), float64(2*visit), 0.38+0.02*float64(visit)
		r, err := engine.Process(eye.Draw(eye.NewPerson(uint64(600+person)), kiosk.EyeRight, c, 0, 0), kiosk.EyeRight)
		if err != nil || len(r.Also) != 1 {
			t.Fatal(err, len(r.Also))
		}
		return r
	}
	g := New()
	for k := range 6 {
		r := read(k, 0)
		e := Entry{person(k), kiosk.EyeRight, r.Template}
		if k >= 3 {
			e.Template = r.Also[0]
		}
		add(t, g, e)
	}
	if got := g.Engines(); !slices.Equal(got, []string{iris.EngineVersion, iris.FirstVersion}) {
		t.Errorf("engines %q", got)
	}
	for k := range 6 {
		r := read(k, 1)
		both := Probe{append([]kiosk.Template{r.Template}, r.Also...)}
		a, err := g.Search(context.Background(), both, strict)
		if err != nil || len(a.Candidates) != 1 || a.Candidates[0].ID != person(k) || a.Compared != 6 || a.NotCompared != 0 || !a.Complete {
			t.Errorf("person %d with both versions: %+v, %v", k, a, err)
		}
		// One version alone sees its own half and says so.
		a, err = g.Search(context.Background(), Probe{[]kiosk.Template{r.Template}}, strict)
		if err != nil || a.Compared != 3 || a.NotCompared != 3 || a.Total != 6 || len(a.Candidates) != map[bool]int{true: 1}[k < 3] {
			t.Errorf("person %d with the current version: %+v, %v", k, a, err)
		}
		a, err = g.Search(context.Background(), Probe{r.Also}, strict)
		if err != nil || a.Compared != 3 || a.NotCompared != 3 || len(a.Candidates) != map[bool]int{true: 1}[k >= 3] {
			t.Errorf("person %d with the previous version: %+v, %v", k, a, err)
		}
	}
	for k := range 3 {
		g.Remove(person(k))
	}
	if got := g.Engines(); !slices.Equal(got, []string{iris.FirstVersion}) {
		t.Errorf("engines %q after the others left", got)
	}
}
