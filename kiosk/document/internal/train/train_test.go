package main

import (
	"testing"

	"tambo/assets"
	"tambo/assets/cff"
	"tambo/kiosk/document/internal/glyph"
)

func printers(t *testing.T) (p [shards]*printer) {
	t.Helper()
	f, err := cff.Parse(assets.OCRB)
	if err != nil {
		t.Fatal(err)
	}
	for i := range p {
		if p[i], err = newPrinter(f); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// A sample depends on its number only, and every class comes up.
func TestSamples(t *testing.T) {
	p := printers(t)
	seen := map[int]int{}
	for i := range uint64(1500) {
		var a, b glyph.Cell
		k := p[0].sample(i, &a)
		if i%50 == 0 && (p[1].sample(i, &b) != k || a != b) {
			t.Fatalf("sample %d differs from one printer to the other", i)
		}
		seen[k]++
	}
	if len(seen) != glyph.Classes || seen[glyph.None] < 100 {
		t.Errorf("%d classes, %d of none", len(seen), seen[glyph.None])
	}
}

// The gradient is that of the loss, by finite differences.
func TestGradient(t *testing.T) {
	p := printers(t)
	tr := newTrainer(3)
	for i := range tr.net.ConvB { // off the rectifier's corner, on which empty paper lies
		tr.net.ConvB[i] = 0.1
	}
	var c glyph.Cell
	class := p[0].sample(11, &c)
	w := &tr.work[0]
	loss := func() float64 {
		w.grad, w.loss = glyph.Net{}, 0
		w.backward(&tr.net, tr.net.Run(&c, &w.act), class)
		return w.loss
	}
	loss()
	grad := w.grad
	rows, grads := tr.net.Rows(), grad.Rows()
	const h = 3e-3
	for _, at := range [][2]int{{0, 3}, {4, 12}, {8, 2}, {10, 500}, {50, 77}, {89, 4}, {90, 10}, {100, 30}, {128, 5}} {
		v := &rows[at[0]][at[1]]
		keep := *v
		*v = keep + h
		up := loss()
		*v = keep - h
		down := loss()
		*v = keep
		got, want := float64(grads[at[0]][at[1]]), (up-down)/(2*h)
		if d := got - want; d > 0.02+0.1*max(want, -want) || d < -0.02-0.1*max(want, -want) {
			t.Errorf("weight %v: gradient %.4f, differences say %.4f", at, got, want)
		}
	}
}

// A hundred steps already teach something.
func TestLearns(t *testing.T) {
	p := printers(t)
	tr := newTrainer(1)
	first, last := 0.0, 0.0
	for step := range 100 {
		l, _ := tr.step(p, uint64(step)*batch, rate(step, 24000))
		if step < 10 {
			first += l / 10
		} else if step >= 90 {
			last += l / 10
		}
	}
	t.Logf("loss %.2f, after 100 steps %.2f", first, last)
	if last > 0.75*first {
		t.Error("nothing was learnt")
	}
}
