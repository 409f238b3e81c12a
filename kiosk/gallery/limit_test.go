package gallery

import (
	"context"
	"math"
	"strings"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/gallery/synthetic"
	"tambo/kiosk/iris"
)

// Only those whom a limited search accepts are compared, counted and listed,
// however many others are more alike.
func TestOnlyIsAskedBeforeTheBestAreChosen(t *testing.T) {
	g := filled(t, 30)
	for k := range 70 { // the same eye as person 3, and better
		add(t, g, Entry{ID("other/" + string(person(k))), kiosk.EyeRight, template(kiosk.EyeRight, 2*3, 0, 0)})
	}
	old := template(kiosk.EyeRight, 2, 0, 0)
	old.Engine = "tambo-iris/unheard-of"
	add(t, g, Entry{"old", kiosk.EyeRight, old})
	add(t, g, Entry{"other/old", kiosk.EyeRight, old})
	o := strict
	o.TopK = 50
	o.Only = func(id ID) bool { return !strings.HasPrefix(string(id), "other/") }
	a, err := g.Search(context.Background(), both(3, 0.2), o)
	if err != nil || len(a.Candidates) != 1 || a.Candidates[0].ID != person(3) {
		t.Fatalf("%+v, %v", a, err)
	}
	if a.Total != 61 || a.Compared != 60 || a.NotCompared != 1 || !a.Complete {
		t.Errorf("%+v", a)
	}
	want, err := filled(t, 30).Search(context.Background(), both(3, 0.2), strict)
	if err != nil || math.Abs(a.Candidates[0].SearchFMR/want.Candidates[0].SearchFMR*30/31-1) > 1e-9 {
		t.Errorf("%g among 31, %g among 30", a.Candidates[0].SearchFMR, want.Candidates[0].SearchFMR)
	}
	o.Only = func(ID) bool { return false }
	if a, err = g.Search(context.Background(), both(3, 0.2), o); err != nil || a.Total != 0 || a.Compared != 0 || len(a.Candidates) != 0 || !a.Complete {
		t.Errorf("nobody accepted: %+v, %v", a, err)
	}
}

// Codes with hardly a usable bit have nothing in common with anybody. They must
// not stand before those who have.
func TestEmptyCodesDoNotCrowdOutAMate(t *testing.T) {
	c := &cupboard{}
	g := NewFetching(c)
	s := synthetic.New(3)
	for k := range 3 * verifyLimit {
		code := s.Code(uint64(k))
		for i := range codeWords {
			if code[codeWords+i] &= 0x0400000000000001; k%2 == 0 {
				code[codeWords+i] = 0
			}
		}
		if err := g.AddCodes(person(k+1), kiosk.EyeRight, []iris.SearchCode{code}); err != nil {
			t.Fatal(err)
		}
	}
	for i, e := range kiosk.BothEyes {
		add(t, g, Entry{person(0), e, template(e, uint64(i), 0, 0)})
	}
	a, err := g.Search(context.Background(), Probe{both(0, 0.25).Templates[:1]}, strict)
	if err != nil || len(a.Candidates) != 1 || a.Candidates[0].ID != person(0) {
		t.Errorf("%d candidates of %d compared, %v", len(a.Candidates), a.Compared, err)
	}
}
