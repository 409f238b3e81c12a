package evaluate

import (
	"math"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Presentation is both eyes of one person at one visit: the numbers of two
// images.
type Presentation struct {
	Subject     string
	Right, Left int
}

// Presentations joins, for each subject, the first right with the first left
// image in the order given, the second with the second, and so on; an image
// without a partner is left out.
func Presentations(subject []string, eye []kiosk.Eye) []Presentation {
	var out []Presentation
	waiting := map[string]*[2][]int{}
	for i, s := range subject {
		w := waiting[s]
		if w == nil {
			w = new([2][]int)
			waiting[s] = w
		}
		switch eye[i] {
		case kiosk.EyeRight:
			w[0] = append(w[0], i)
		case kiosk.EyeLeft:
			w[1] = append(w[1], i)
		}
		if len(w[0]) > 0 && len(w[1]) > 0 {
			out = append(out, Presentation{s, w[0][0], w[1][0]})
			w[0], w[1] = w[0][1:], w[1][1:]
		}
	}
	return out
}

// TwoEyes fuses the scores of n images (as [Matrix] returns them) into those of
// presentations: right is compared with right, left with left, and the two
// calibrated rates are fused as [iris.Fuse] does. The result is the negative
// −log10 false match rate, so that lower is more alike; with one eye's score
// missing the other's stands alone, without both it is NaN.
func TwoEyes(scores []float32, n int, of []Presentation) ([]float32, []string) {
	m := make([]float32, len(of)*len(of))
	class := make([]string, len(of))
	for i, a := range of {
		class[i] = a.Subject
		for j, b := range of {
			var log []float64
			for _, s := range [...]float32{scores[a.Right*n+b.Right], scores[a.Left*n+b.Left]} {
				if s == s {
					log = append(log, iris.LogFMR(float64(s)))
				}
			}
			v := math.NaN()
			if len(log) > 0 {
				v = -iris.Fuse(log...)
			}
			m[i*len(of)+j] = float32(v)
		}
	}
	return m, class
}
