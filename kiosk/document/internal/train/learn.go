package main

import (
	"math"
	"math/rand/v2"

	"tambo/kiosk/document/internal/glyph"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x71a1)) }

// trainer holds the network, its gradients by shard, and Adam's moments.
type trainer struct {
	net  glyph.Net
	work [shards]worker
	m, v glyph.Net
	n    int
}

func newTrainer(seed uint64) *trainer {
	t := new(trainer)
	r := newRand(seed)
	he := func(row []float32, fan int) {
		for i := range row {
			row[i] = float32(r.NormFloat64() * math.Sqrt(2/float64(fan)))
		}
	}
	for i := range t.net.Conv {
		he(t.net.Conv[i][:], glyph.ConvK*glyph.ConvK)
	}
	for i := range t.net.Dense {
		he(t.net.Dense[i][:], glyph.ConvN)
	}
	for i := range t.net.Out {
		he(t.net.Out[i][:], glyph.Hidden)
	}
	return t
}

// worker computes the gradient over a part of a batch.
type worker struct {
	grad  glyph.Net
	act   glyph.Activations
	loss  float64
	wrong int
}

func (w *worker) run(n *glyph.Net, p *printer, first uint64, count int) {
	w.grad, w.loss, w.wrong = glyph.Net{}, 0, 0
	var c glyph.Cell
	for i := range count {
		class := p.sample(first+uint64(i), &c)
		w.backward(n, n.Run(&c, &w.act), class)
	}
}

// backward adds the gradient of the cross-entropy of one cell.
func (w *worker) backward(n *glyph.Net, s *glyph.Scores, class int) {
	best, _ := top(s)
	if best != class {
		w.wrong++
	}
	var prob glyph.Scores
	sum := 0.0
	for i, v := range s {
		prob[i] = float32(math.Exp(float64(v - s[best])))
		sum += float64(prob[i])
	}
	w.loss += math.Log(sum) - float64(s[class]-s[best])
	var dHid [glyph.Hidden]float32
	for i := range prob {
		d := prob[i] / float32(sum)
		if i == class {
			d--
		}
		if d > -1e-6 && d < 1e-6 {
			continue
		}
		w.grad.OutB[i] += d
		axpy(d, w.act.Hid[:], w.grad.Out[i][:])
		axpy(d, n.Out[i][:], dHid[:])
	}
	var dConv [glyph.ConvN]float32
	for i, d := range dHid {
		if w.act.Hid[i] <= 0 || d == 0 {
			continue
		}
		w.grad.DenseB[i] += d
		axpy(d, w.act.Conv[:], w.grad.Dense[i][:])
		axpy(d, n.Dense[i][:], dConv[:])
	}
	w.convolution(&dConv)
}

func (w *worker) convolution(dConv *[glyph.ConvN]float32) {
	const padW = glyph.CellW + glyph.ConvK - 1
	for k := range glyph.ConvC {
		g := &w.grad.Conv[k]
		for y := range glyph.ConvH {
			for x := range glyph.ConvW {
				at := (k*glyph.ConvH+y)*glyph.ConvW + x
				d := dConv[at]
				if w.act.Conv[at] <= 0 || d == 0 {
					continue
				}
				w.grad.ConvB[k] += d
				for j := range glyph.ConvK {
					axpy(d, w.act.Pad[(2*y+j)*padW+2*x:][:glyph.ConvK], g[j*glyph.ConvK:][:glyph.ConvK])
				}
			}
		}
	}
}

// axpy adds a times x to y.
func axpy(a float32, x, y []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] += a * v
	}
}

// adam moves every weight (Kingma and Ba 2015; 0.9, 0.999).
func (t *trainer) adam(lr float64) {
	t.n++
	c1, c2 := 1-math.Pow(0.9, float64(t.n)), 1-math.Pow(0.999, float64(t.n))
	rows, ms, vs := t.net.Rows(), t.m.Rows(), t.v.Rows()
	var grads [shards][][]float32
	for s := range shards {
		grads[s] = t.work[s].grad.Rows()
	}
	for r, row := range rows {
		for i := range row {
			g := float32(0)
			for s := range shards {
				g += grads[s][r][i]
			}
			g /= batch
			ms[r][i] = 0.9*ms[r][i] + 0.1*g
			vs[r][i] = 0.999*vs[r][i] + 0.001*g*g
			row[i] -= float32(lr * (float64(ms[r][i]) / c1) / (math.Sqrt(float64(vs[r][i])/c2) + 1e-8))
		}
	}
}
