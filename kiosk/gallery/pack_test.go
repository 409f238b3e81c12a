package gallery

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"tambo/kiosk"
)

// A gallery filled with packed templates answers as one that was given them.
func TestPackedGivesTheSameAnswer(t *testing.T) {
	kept, g := filled(t, 40), NewFetching(&cupboard{})
	foreign := template(kiosk.EyeRight, 2, 0, 0)
	foreign.Engine = "tambo-iris/unheard-of"
	add(t, kept, Entry{person(40), kiosk.EyeRight, foreign})
	for k := range 41 {
		ts := []kiosk.Template{template(kiosk.EyeRight, uint64(2*k), 0, 0), template(kiosk.EyeLeft, uint64(2*k+1), 0, 0)}
		if k == 40 {
			ts = []kiosk.Template{foreign}
		}
		b, err := Pack(ts)
		if err != nil {
			t.Fatal(err)
		}
		if err := g.AddPacked(person(k), b); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range []int{0, 17, 39, 50} {
		want, err := kept.Search(context.Background(), both(k, 0.15), strict)
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.Search(context.Background(), both(k, 0.15), strict)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) || got.NotCompared != 1 {
			t.Errorf("person %d: %+v, %v; kept: %+v", k, got, err, want)
		}
	}
	b, err := Pack([]kiosk.Template{template(kiosk.EyeRight, 1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if err := New().AddPacked("x", b); !errors.Is(err, ErrPacked) {
		t.Error(err)
	}
	broken := template(kiosk.EyeRight, 1, 0, 0)
	broken.Data = broken.Data[:100]
	if _, err := Pack([]kiosk.Template{broken}); err == nil {
		t.Error("a broken template was packed")
	}
}

func FuzzAddPacked(f *testing.F) {
	b, err := Pack([]kiosk.Template{template(kiosk.EyeRight, 1, 0, 0), template(kiosk.EyeLeft, 2, 0, 0)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)-1])
	f.Add([]byte{1, 1, 0, 255, 2})
	f.Add([]byte{1, 2, 9, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		g := NewFetching(&cupboard{})
		if err := g.AddPacked("x", b); err != nil && g.Len() != 0 {
			t.Errorf("%v, and %d entries were added", err, g.Len())
		}
		if n := g.Len(); g.Remove("x") != n || g.Len() != 0 {
			t.Errorf("%d entries are left", g.Len())
		}
	})
}
