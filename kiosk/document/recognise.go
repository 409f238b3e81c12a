package document

import (
	"math"

	"tambo/kiosk/document/internal/glyph"
)

// char is one cell as recognised.
type char struct {
	scores glyph.Scores
	best   int     // class with the highest score, glyph.None included
	second int     // the next
	corr   float64 // how well the cell agrees with the printed shape of best
	rival  float64 // and with that of second; 0 if that is glyph.None
	dx, dy float64 // where that shape lies, pitches from the middle
	stain  bool    // something darker than the ink around it lies on the cell
}

// closeMargin is the margin from which the rival's shape is not looked at.
const closeMargin = 12

func (c *char) margin() float64 { return float64(c.scores[c.best] - c.scores[c.second]) }

// present is the probability that the cell holds a character at all.
func (c *char) present() float64 {
	top := float64(c.scores[c.best])
	sum := 0.0
	for _, s := range c.scores {
		sum += math.Exp(float64(s) - top)
	}
	return 1 - math.Exp(float64(c.scores[glyph.None])-top)/sum
}

// recogniser reads cells of one zone from one picture.
type recogniser struct {
	plane glyph.Plane
	net   *glyph.Net
	act   glyph.Activations
}

// frame is the cell of character k of a line.
func (z *zone) frame(line int, k float64) glyph.Frame {
	l := &z.lines[line]
	x, y := l.at(k)
	ux, uy := l.step(k)
	return glyph.Frame{X: x, Y: y, UX: ux * z.scaleU, UY: uy * z.scaleU, VX: -uy * z.scaleV, VY: ux * z.scaleV}
}

// views are the ways in which a cell is looked at again: moved across and
// down (pitches) and scaled.
var views = []struct{ dx, dy, scale float64 }{
	{0.035, 0, 1}, {-0.035, 0, 1}, {0, 0.035, 1}, {0, -0.035, 1}, {0, 0, 0.97}, {0, 0, 1.03},
}

// again scores a cell whose margin is small as the mean over several views:
// what only one of them sees does not last.
func (r *recogniser) again(f glyph.Frame, least float32, q *char) {
	sum := q.scores
	var c glyph.Cell
	for _, v := range views {
		g := glyph.Frame{
			X: f.X + v.dx*f.UX + v.dy*f.VX, Y: f.Y + v.dx*f.UY + v.dy*f.VY,
			UX: f.UX * v.scale, UY: f.UY * v.scale, VX: f.VX * v.scale, VY: f.VY * v.scale,
		}
		r.plane.Cut(g, &c)
		c.Normalise(least)
		for i, s := range r.net.Run(&c, &r.act) {
			sum[i] += s
		}
	}
	for i := range sum {
		sum[i] /= float32(len(views) + 1)
	}
	q.scores = sum
}

// read recognises characters from to to of every line; carefully, it looks
// again at those whose margin is small.
func (r *recogniser) read(z *zone, from, to int, carefully bool) [][]char {
	out := make([][]char, len(z.lines))
	cells := make([]glyph.Cell, to-from+1)
	for i := range z.lines {
		contrast, depth := make([]float64, len(cells)), make([]float64, len(cells))
		for j := range cells {
			r.plane.Cut(z.frame(i, float64(from+j)), &cells[j])
			_, c, d := cells[j].Contrast()
			contrast[j], depth[j] = float64(c), float64(d)
		}
		least := float32(0.35 * medianOf(len(cells), func(j int) float64 { return contrast[j] }))
		out[i] = make([]char, len(cells))
		for j := range cells {
			cells[j].Normalise(least)
			out[i][j] = r.one(&cells[j])
			out[i][j].stain = stained(depth, j)
			if q := &out[i][j]; carefully && q.margin() < closeMargin {
				r.again(z.frame(i, float64(from+j)), least, q)
				r.rank(&cells[j], q)
			}
		}
	}
	return out
}

// stained reports whether cell j has much more depth than those around it:
// dirt on faint print, which can make one character look like another.
func stained(depth []float64, j int) bool {
	lo, hi := max(j-6, 0), min(j+7, len(depth))
	around := medianOf(hi-lo, func(i int) float64 { return depth[lo+i] })
	return depth[j] > 1.4*around+6
}

func (r *recogniser) one(c *glyph.Cell) char {
	q := char{scores: *r.net.Run(c, &r.act)}
	r.rank(c, &q)
	return q
}

// rank orders the scores and compares the cell with the shapes of the first.
func (r *recogniser) rank(c *glyph.Cell, q *char) {
	q.best, q.second, q.corr, q.rival = 0, -1, 0, 0
	for i, s := range q.scores {
		switch {
		case s > q.scores[q.best]:
			q.best, q.second = i, q.best
		case i != q.best && (q.second < 0 || s > q.scores[q.second]):
			q.second = i
		}
	}
	if q.best != glyph.None {
		q.corr, q.dx, q.dy = r.net.Match(c, q.best)
		if q.second != glyph.None && q.margin() < closeMargin {
			q.rival, _, _ = r.net.Match(c, q.second)
		}
	}
}

// sure is the mean, over the middle of the zone, of how much the cells look
// like characters that stand upright.
func (r *recogniser) sure(z *zone) float64 {
	from, to := z.span()
	mid := (from + to) / 2
	sum, n := 0.0, 0
	for _, part := range [2]int{mid - 8, mid + 4} { // two runs, so that one blemish does not decide
		for _, line := range r.read(z, part, part+4, false) {
			for i := range line {
				sum += line[i].present() * max(line[i].corr, 0)
				n++
			}
		}
	}
	return sum / float64(n)
}

// refine moves the lines to where the shapes lie and measures the size of the
// print. chars are what read gave for the characters from on.
func (r *recogniser) refine(z *zone, chars [][]char, from int) {
	for i := range z.lines {
		l := &z.lines[i]
		places := map[int]Point{}
		at := map[int]int{}
		for j := range chars[i] {
			c := &chars[i][j]
			if c.best == glyph.None || c.margin() < 2 || c.corr < 0.55 {
				continue
			}
			f := z.frame(i, float64(from+j))
			places[from+j] = Point{f.X + c.dx*f.UX + c.dy*f.VX, f.Y + c.dx*f.UY + c.dy*f.VY}
			at[from+j] = j
		}
		keys := sortedKeys(at)
		if len(keys) < 8 {
			continue
		}
		degree := 1
		if len(keys) > 12 && keys[len(keys)-1]-keys[0] > 15 {
			degree = 2
		}
		l.x = fit(keys, degree, func(k int) float64 { return places[k].X })
		l.y = fit(keys, degree, func(k int) float64 { return places[k].Y })
	}
	r.size(z, chars, from)
}

// size looks for the scale of the print at which the shapes agree best, first
// across, then down.
func (r *recogniser) size(z *zone, chars [][]char, from int) {
	type pick struct{ line, k, class int }
	var picks []pick
	const filler = glyph.None - 1
	for i := range chars {
		n := 0
		for j := 0; j < len(chars[i]) && n < 10; j += 1 + j%2 {
			if c := &chars[i][j]; c.best < filler && c.margin() > 3 && c.corr > 0.6 {
				picks = append(picks, pick{i, from + j, c.best})
				n++
			}
		}
	}
	if len(picks) < 6 {
		return
	}
	agreement := func() float64 {
		sum := 0.0
		var c glyph.Cell
		for _, p := range picks {
			r.plane.Cut(z.frame(p.line, float64(p.k)), &c)
			c.Normalise(4)
			sum += r.net.Agreement(&c, p.class)
		}
		return sum
	}
	// Thick or blurred strokes look like larger print, by little. Only a clear
	// gain says that the print is not of the size that belongs to its pitch.
	startU, startV, before := z.scaleU, z.scaleV, agreement()
	for range 3 {
		u := bestScale(&z.scaleU, agreement)
		v := bestScale(&z.scaleV, agreement)
		if u && v {
			break
		}
	}
	gain := (agreement() - before) / float64(len(picks))
	part := max(0, min(1, (gain-0.05)/0.05))
	z.scaleU = startU + part*(z.scaleU-startU)
	z.scaleV = startV + part*(z.scaleV-startV)
}

// bestScale moves *s to where f is greatest, by the parabola through three
// values; found is false where that lies beyond them.
func bestScale(s *float64, f func() float64) (found bool) {
	const width = 0.06
	start := *s
	var v [3]float64
	for i := range v {
		*s = start * (1 + width*float64(i-1))
		v[i] = f()
	}
	move := math.Copysign(1.5, v[2]-v[0])
	if d := v[0] - 2*v[1] + v[2]; d < 0 {
		move = max(-1.5, min(1.5, 0.5*(v[0]-v[2])/d))
	}
	*s = max(0.6, min(1.6, start*(1+width*move)))
	return math.Abs(move) < 1.5
}
