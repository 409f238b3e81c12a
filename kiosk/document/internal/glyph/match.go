package glyph

import "math"

// Reach is how far Match looks for a shape around the cell's middle, samples.
const Reach = 3

// Match compares a normalised cell with the printed shape of class k, moved
// by up to Reach samples each way. It returns the best correlation (-1 to 1)
// and where the shape lies, in pitches from the middle of the cell, to a part
// of a sample.
func (n *Net) Match(c *Cell, k int) (corr, dx, dy float64) {
	const side = 2*Reach + 1
	var r [side][side]float64
	bi, bj := 0, 0
	best := math.Inf(-1)
	for j := range side {
		for i := range side {
			r[j][i] = correlate(c, &n.Shape[k], i-Reach, j-Reach)
			if r[j][i] > best {
				best, bi, bj = r[j][i], i, j
			}
		}
	}
	peak := func(a, b, c float64) float64 { // of a parabola through three points
		d := a - 2*b + c
		if d >= 0 {
			return 0
		}
		return math.Max(-0.5, math.Min(0.5, 0.5*(a-c)/d))
	}
	fx, fy := float64(bi-Reach), float64(bj-Reach)
	if bi > 0 && bi < side-1 {
		fx += peak(r[bj][bi-1], r[bj][bi], r[bj][bi+1])
	}
	if bj > 0 && bj < side-1 {
		fy += peak(r[bj-1][bi], r[bj][bi], r[bj+1][bi])
	}
	return best, fx * Step, fy * Step
}

// correlate is the normalised correlation of the cell with the shape moved by
// (dx, dy) samples, over what they share.
func correlate(c, shape *Cell, dx, dy int) float64 {
	var sa, sb, saa, sbb, sab float32
	n := 0
	for y := max(0, dy); y < CellH+min(0, dy); y++ {
		lo, hi := max(0, dx), CellW+min(0, dx)
		a := c[y*CellW+lo : y*CellW+hi]
		b := shape[(y-dy)*CellW+lo-dx:][:len(a)]
		for i, u := range a {
			v := b[i]
			sa += u
			sb += v
			saa += u * u
			sbb += v * v
			sab += u * v
		}
		n += len(a)
	}
	m := float32(n)
	d := float64(saa-sa*sa/m) * float64(sbb-sb*sb/m)
	if d <= 0 {
		return 0
	}
	return float64(sab-sa*sb/m) / math.Sqrt(d)
}

// Agreement is the correlation of a normalised cell with the printed shape of
// class k where it stands.
func (n *Net) Agreement(c *Cell, k int) float64 { return correlate(c, &n.Shape[k], 0, 0) }
