package evaluate_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"tambo/kiosk/iris"
	"tambo/kiosk/iris/evaluate"
)

// set fills a symmetric matrix from a function.
func set(n int, f func(i, j int) float64) []float32 {
	m := make([]float32, n*n)
	for i := range n {
		for j := range i + 1 {
			v := float32(f(j, i))
			m[i*n+j], m[j*n+i] = v, v
		}
	}
	return m
}

func TestROCByHand(t *testing.T) {
	// Two classes of two; scores: genuine .1 and .4, impostor .3 .5 .6 .7.
	class := []string{"a", "a", "b", "b"}
	v := map[[2]int]float64{{0, 1}: .1, {2, 3}: .4, {0, 2}: .3, {0, 3}: .5, {1, 2}: .6, {1, 3}: .7}
	f, err := evaluate.ROC(set(4, func(i, j int) float64 { return v[[2]int{i, j}] }), class)
	if err != nil {
		t.Fatal(err)
	}
	// With four impostor pairs, FMR 1e-4 allows none: the threshold is .3.
	if f.Genuine != 2 || f.Impostor != 4 || f.Misses1e4 != 1 || f.FNMR1e4 != 0.5 || math.Abs(f.Threshold1e4-.3) > 1e-6 {
		t.Errorf("%+v", f)
	}
	// at .4: half of the genuine pairs missed, a quarter of the impostors in
	if math.Abs(f.EER-0.375) > 1e-9 {
		t.Errorf("EER %g", f.EER)
	}
}

func TestNaNIsAMissAndNeverAMatch(t *testing.T) {
	class := []string{"a", "a", "a", "b", "b", "b"}
	m := set(6, func(i, j int) float64 {
		switch {
		case i == 0 || j == 0:
			return math.NaN()
		case class[i] == class[j]:
			return 0.1
		}
		return 0.5
	})
	f, err := evaluate.ROC(m, class)
	if err != nil {
		t.Fatal(err)
	}
	if f.Genuine != 6 || f.Impostor != 9 || f.Misses1e4 != 2 {
		t.Errorf("%+v", f)
	}
}

// On many scores the figures have to meet the definition, counted plainly.
func TestROCAgainstCounting(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 240
	class := make([]string, n)
	for i := range class {
		class[i] = string(rune('A' + i/6))
	}
	m := set(n, func(i, j int) float64 {
		if class[i] == class[j] {
			return 0.2 + 0.1*r.NormFloat64()
		}
		return 0.45 + 0.04*r.NormFloat64()
	})
	f, err := evaluate.ROC(m, class)
	if err != nil {
		t.Fatal(err)
	}
	count := func(threshold float64) (misses, matches int) {
		for i := range n {
			for j := i + 1; j < n; j++ {
				hit := float64(m[i*n+j]) < threshold
				if class[i] == class[j] && !hit {
					misses++
				}
				if class[i] != class[j] && hit {
					matches++
				}
			}
		}
		return
	}
	misses, matches := count(f.Threshold1e3)
	if misses != f.Misses1e3 || matches != int(1e-3*float64(f.Impostor)) {
		t.Errorf("at 1e-3: %d misses and %d false matches of %d, reported %d", misses, matches, f.Impostor, f.Misses1e3)
	}
	if misses, matches = count(f.Threshold1e4); misses != f.Misses1e4 || matches != int(1e-4*float64(f.Impostor)) {
		t.Errorf("at 1e-4: %d misses and %d false matches of %d, reported %d", misses, matches, f.Impostor, f.Misses1e4)
	}
}

func TestShapesThatAreNoSet(t *testing.T) {
	for name, c := range map[string]struct {
		m     []float32
		class []string
	}{
		"empty":        {nil, nil},
		"not square":   {make([]float32, 3), []string{"a", "a"}},
		"one class":    {make([]float32, 4), []string{"a", "a"}},
		"all distinct": {make([]float32, 4), []string{"a", "b"}},
	} {
		if _, err := evaluate.ROC(c.m, c.class); !errors.Is(err, evaluate.ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatrixOfFailedImages(t *testing.T) {
	m, err := evaluate.Matrix(context.Background(), make([]*iris.Decoded, 3), 2, nil)
	if err != nil || len(m) != 9 {
		t.Fatal(len(m), err)
	}
	for _, v := range m {
		if !math.IsNaN(float64(v)) {
			t.Fatalf("score %g without a template", v)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := evaluate.Matrix(ctx, make([]*iris.Decoded, 3), 1, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
