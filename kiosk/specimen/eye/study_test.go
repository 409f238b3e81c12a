package eye

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"tambo/kiosk"
)

func TestVolunteersAreOthers(t *testing.T) {
	c := Ordinary()
	a, b := Draw(NewVolunteer(5), kiosk.EyeLeft, c, 320, 240), Draw(NewVolunteer(5), kiosk.EyeLeft, c, 320, 240)
	if !bytes.Equal(a.Pix, b.Pix) {
		t.Error("two drawings of one volunteer differ")
	}
	for i, p := range []Person{NewPerson(5), NewVolunteer(6)} {
		if bytes.Equal(a.Pix, Draw(p, kiosk.EyeLeft, c, 320, 240).Pix) {
			t.Errorf("person %d is the volunteer", i)
		}
	}
}

// What only volunteers' captures have hides or dims more of the iris the more
// of it there is, and moves no outline.
func TestShadowDimsTheIris(t *testing.T) {
	people, e := []Person{NewVolunteer(11), NewVolunteer(12), NewVolunteer(13)}, kiosk.EyeRight
	c := Ordinary()
	c.Film, c.UpperLid = 1, 0.8
	grey := func() (mean float64) {
		n := 0
		for _, p := range people {
			img, m := Draw(p, e, c, 320, 240), TruthOf(p, e, c, 320, 240).Mask
			for i, v := range m.Pix {
				if v != 0 {
					mean += float64(img.Pix[i])
					n++
				}
			}
		}
		return mean / float64(n)
	}
	bare := grey()
	c.Shadow = 0.6
	some := grey()
	c.Shadow = 1.2
	much := grey()
	c.Shadow = 0
	before := TruthOf(people[0], e, c, 320, 240)
	c.Shadow, c.Uneven, c.Film = 1, 1, 2
	after := TruthOf(people[0], e, c, 320, 240)
	t.Logf("mean grey of the visible iris: %.1f, in shadow %.1f, in deep shadow %.1f", bare, some, much)
	if some > bare-0.5 || much > some-0.5 {
		t.Error("shadow does not dim the iris")
	}
	if before.Iris != after.Iris || before.Pupil != after.Pupil || before.Visible != after.Visible {
		t.Error("light moved an outline")
	}
}

// Volunteers keep to what research sets show, as measured in docs/IRIS.md.
func TestVolunteersAreHard(t *testing.T) {
	const eyes, captures = 20, 6
	var visible, contrast stats
	covered := 0
	for n := range eyes {
		p, e := NewVolunteer(uint64(500+n/2)), kiosk.BothEyes[n%2]
		a := p.anatomy(e)
		contrast.add(float64(a.scleraGrey) - meanOf(a.iris))
		rng := rand.New(rand.NewPCG(9, uint64(n)))
		for range captures {
			c := StudyConditions(p, e, rng)
			if c != c.bounded() {
				t.Fatalf("conditions out of their own range: %+v", c)
			}
			v := TruthOf(p, e, c, 160, 120).Visible
			visible.add(v)
			if v < 0.7 {
				covered++
			}
		}
	}
	t.Logf("visible share of the iris %.2f ± %.2f, least %.2f, %d of %d below .7; sclera brighter than iris by %.0f (%.0f to %.0f)",
		visible.mean(), visible.deviation(), visible.low, covered, visible.n, contrast.mean(), contrast.low, contrast.high)
	if m := visible.mean(); m < 0.72 || m > 0.9 || covered < visible.n/12 {
		t.Errorf("%.2f of the iris is visible and %d captures show less than .7", m, covered)
	}
	if contrast.low < 15 || contrast.high > 85 {
		t.Errorf("contrast at the limbus from %.0f to %.0f", contrast.low, contrast.high)
	}
}

func meanOf(t irisTexture) float64 {
	s := 0.0
	for _, v := range t {
		s += float64(v)
	}
	return s / float64(len(t))
}
