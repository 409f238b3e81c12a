package evaluate_test

import (
	"errors"
	"fmt"
	"image"
	"math"
	"slices"
	"testing"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/iris/evaluate"
)

// people makes a set of n people with two images of one eye each; those for
// whom bad says so lie as far apart as strangers.
func people(n int, bad func(int) bool) (scores []float32, class []string) {
	for p := range n {
		class = append(class, fmt.Sprint(p), fmt.Sprint(p))
	}
	return set(2*n, func(i, j int) float64 {
		if class[i] == class[j] && !bad(i/2) {
			return 0.1
		}
		return 0.4 + float64((i*7+j*13)%89)/1000
	}), class
}

func TestBootstrapSpansTheRate(t *testing.T) {
	scores, class := people(40, func(p int) bool { return p < 4 })
	f, err := evaluate.ROC(scores, class)
	if err != nil || f.FNMR1e3 != 0.1 {
		t.Fatalf("%+v %v", f, err)
	}
	in, err := evaluate.Bootstrap(scores, class, class, 1e-3, 500, 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", in)
	// 4 of 40: the binomial interval is about 0.02 to 0.2
	if in.Low < 0 || in.Low > 0.06 || in.High < 0.14 || in.High > 0.3 {
		t.Errorf("%+v around .1", in)
	}
	if again, _ := evaluate.Bootstrap(scores, class, class, 1e-3, 500, 3); again != in {
		t.Error("the same seed gives another interval")
	}
	// the fewer people the captures are of, the less is known
	few := make([]string, len(class))
	for i := range few {
		few[i] = fmt.Sprint(i / 20)
	}
	if wide, _ := evaluate.Bootstrap(scores, class, few, 1e-3, 500, 3); wide.High-wide.Low <= in.High-in.Low {
		t.Errorf("%+v of 4 people, %+v of 40", wide, in)
	}
	if _, err := evaluate.Bootstrap(scores, class, few[1:], 1e-3, 500, 3); !errors.Is(err, evaluate.ErrShape) {
		t.Error(err)
	}
}

func TestRejectingTheWorstRemovesMisses(t *testing.T) {
	scores, class := people(50, func(p int) bool { return p == 7 })
	q := make([]float64, len(class))
	for i := range q {
		q[i] = 90
	}
	q[15] = 20 // an image of person 7
	got, err := evaluate.Reject(scores, class, q, 0.3, []float64{0, 0.01, 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Misses != 1 || got[0].Genuine != 50 || got[1].Misses != 0 || got[1].Genuine != 49 || got[2].Genuine != 25 {
		t.Errorf("%+v", got)
	}
}

func TestDETFallsWithTheRate(t *testing.T) {
	scores, class := people(30, func(p int) bool { return p%3 == 0 })
	points, err := evaluate.DET(scores, class, 20)
	if err != nil || len(points) != 20 || points[0].FMR != 1 {
		t.Fatalf("%v %v", points, err)
	}
	if !slices.IsSortedFunc(points, func(a, b evaluate.Point) int {
		if b.FMR < a.FMR && b.FNMR >= a.FNMR {
			return -1
		}
		return 1
	}) {
		t.Errorf("%v", points)
	}
	if last := points[19].FNMR; math.Abs(last-1.0/3) > 1e-9 {
		t.Errorf("ends at %g, a third cannot match", last)
	}
}

func TestThresholdElsewhere(t *testing.T) {
	scores, class := people(10, func(int) bool { return false })
	for _, x := range []struct{ at, want float64 }{{0.39, 0}, {0.5, 1}} {
		if got := evaluate.FMRAt(scores, class, x.at); got != x.want {
			t.Errorf("at %g: %g, want %g", x.at, got, x.want)
		}
	}
}

func TestTwoEyesStandInForEachOther(t *testing.T) {
	subject := []string{"a", "a", "a", "a", "b", "b", "c"}
	eye := []kiosk.Eye{kiosk.EyeLeft, kiosk.EyeLeft, kiosk.EyeRight, kiosk.EyeRight, kiosk.EyeRight, kiosk.EyeLeft, kiosk.EyeLeft}
	of := evaluate.Presentations(subject, eye)
	if want := []evaluate.Presentation{{"a", 2, 0}, {"a", 3, 1}, {"b", 4, 5}}; !slices.Equal(of, want) {
		t.Fatalf("%v", of)
	}
	nan := math.NaN()
	v := map[[2]int]float64{{2, 3}: 0.2, {0, 1}: 0.34, {2, 4}: 0.41, {0, 5}: 0.42, {3, 4}: nan, {1, 5}: nan}
	scores := set(7, func(i, j int) float64 {
		if s, ok := v[[2]int{i, j}]; ok {
			return s
		}
		return 0.42
	})
	m, class := evaluate.TwoEyes(scores, 7, of)
	same, other := float64(m[0*3+1]), float64(m[0*3+2])
	if class[0] != class[1] || class[0] == class[2] {
		t.Errorf("classes %v", class)
	}
	if -same <= iris.LogFMR(0.2) || same >= other {
		t.Errorf("same person %g (best eye alone %g), another %g", same, iris.LogFMR(0.2), other)
	}
	if !math.IsNaN(float64(m[1*3+2])) {
		t.Errorf("a score out of nothing: %g", m[1*3+2])
	}
	// one eye's score missing: the other's, as it is
	scores[0*7+1], scores[1*7+0] = float32(nan), float32(nan)
	m, _ = evaluate.TwoEyes(scores, 7, of)
	if got, want := -float64(m[1]), iris.LogFMR(float64(float32(0.2))); math.Abs(got-want) > 1e-4 {
		t.Errorf("%g, want %g", got, want)
	}
}

func TestOverlapOfARing(t *testing.T) {
	var s iris.Segmentation
	for _, c := range []*iris.Contour{&s.Pupil, &s.Limbus} {
		c.Center = iris.Point{X: 50, Y: 50}
	}
	for i := range iris.ContourPoints {
		s.Pupil.Radii[i], s.Limbus.Radii[i], s.Open[i] = 10, 30, 1
	}
	mask := image.NewGray(image.Rect(0, 0, 100, 100))
	for y := range 100 {
		for x := range 100 {
			if d := math.Hypot(float64(x)-50, float64(y)-50); d >= 10 && d <= 30 {
				mask.Pix[y*100+x] = 255
			}
		}
	}
	if v := evaluate.Overlap(&s, mask); v < 0.99 {
		t.Errorf("a ring over itself: %g", v)
	}
	for i := range s.Hidden { // the outer half hidden
		s.Hidden[i] = 0xffff0000
	}
	if v := evaluate.Overlap(&s, mask); math.Abs(v-(400-100)/(900.0-100)) > 0.03 {
		t.Errorf("half hidden: %g", v)
	}
}
