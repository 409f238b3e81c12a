package synthetic

import (
	"math/bits"
	"slices"
	"testing"

	"tambo/kiosk/iris"
)

// Strangers' distances must spread as those of iris codes do: independent bits
// would make every search look faster than it is.
func TestStrangersSpreadLikeIrises(t *testing.T) {
	s := New(1)
	var d []float64
	usable := 0
	for n := range uint64(20) {
		c := s.Code(n)
		for _, w := range c[words:] {
			usable += bits.OnesCount64(w)
		}
		p := iris.NewSearchProbe(&c)
		for k := range uint64(400) {
			o := s.Code(1000 + k)
			d = append(d, float64(p.Distance(&o))/65535)
		}
	}
	slices.Sort(d)
	q := func(f float64) float64 { return d[int(f*float64(len(d)))] }
	t.Logf("strangers' distances: .1 %% %.3f, 1 %% %.3f, 5 %% %.3f, median %.3f; %.0f of 2,048 bits usable",
		q(.001), q(.01), q(.05), q(.5), float64(usable)/20)
	if m, l := q(.5), q(.01); m < 0.42 || m > 0.45 || l < 0.34 || l > 0.39 {
		t.Error("median or 1 % quantile is not like that of irises (.43 and .36)")
	}
	if a, b := s.Code(5), New(1).Code(5); a != b {
		t.Error("the same code differs")
	}
}
