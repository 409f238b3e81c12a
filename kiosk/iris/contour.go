package iris

import "math"

// ContourPoints is the number of equally spaced angles of a Contour.
const ContourPoints = 128

// Point is a position in pixels; pixel centres are whole numbers, y grows
// downwards.
type Point struct{ X, Y float64 }

// Contour is a closed curve, star-shaped about its centre: Radii[i] is the
// distance from Center at the angle 2π·i/ContourPoints, measured clockwise on
// the screen from the image's x axis (y grows downwards).
type Contour struct {
	Center Point
	Radii  [ContourPoints]float32
}

var contourCos, contourSin = unitCircle(ContourPoints)

// Radius is the mean radius in pixels.
func (c *Contour) Radius() float64 {
	var s float64
	for _, r := range c.Radii {
		s += float64(r)
	}
	return s / ContourPoints
}

// Point returns the i-th point of the curve, i modulo ContourPoints.
func (c *Contour) Point(i int) Point {
	i &= ContourPoints - 1
	r := float64(c.Radii[i])
	return Point{c.Center.X + r*float64(contourCos[i]), c.Center.Y + r*float64(contourSin[i])}
}

// at returns the point at the fractional index t in [0, ContourPoints].
func (c *Contour) at(t, cos, sin float32) (x, y float32) {
	i := int(t)
	f := t - float32(i)
	r := c.Radii[i&(ContourPoints-1)]*(1-f) + c.Radii[(i+1)&(ContourPoints-1)]*f
	return float32(c.Center.X) + r*cos, float32(c.Center.Y) + r*sin
}

// scaled maps a contour from a plane to the plane that is k times larger
// (box halving: pixel centre p maps to k·p + (k-1)/2).
func (c Contour) scaled(k float64) Contour {
	if k == 1 {
		return c
	}
	c.Center = Point{c.Center.X*k + (k-1)/2, c.Center.Y*k + (k-1)/2}
	for i := range c.Radii {
		c.Radii[i] *= float32(k)
	}
	return c
}

// recentre moves the centre to the middle of the curve (its first harmonic)
// and resamples the radii.
func (c *Contour) recentre() {
	var dx, dy float64
	for i, r := range c.Radii {
		dx += float64(r) * float64(contourCos[i])
		dy += float64(r) * float64(contourSin[i])
	}
	dx, dy = dx*2/ContourPoints, dy*2/ContourPoints
	old := *c
	c.Center.X += dx
	c.Center.Y += dy
	// Each old point, seen from the new centre, gives a radius at its own
	// angle; the curve is smooth, so linear interpolation between neighbours
	// suffices.
	var ang, rad [ContourPoints]float64
	for i := range ContourPoints {
		p := old.Point(i)
		x, y := p.X-c.Center.X, p.Y-c.Center.Y
		rad[i] = math.Hypot(x, y)
		ang[i] = math.Mod(math.Atan2(y, x)*ContourPoints/(2*math.Pi)+2*ContourPoints, ContourPoints)
	}
	for i := range ContourPoints {
		j := (i + 1) & (ContourPoints - 1)
		a, b := ang[i], ang[j]
		if b < a {
			b += ContourPoints
		}
		if b-a > ContourPoints/2 { // folded curve: keep what is there
			continue
		}
		for k := int(math.Ceil(a)); float64(k) <= b; k++ {
			f := 0.0
			if b > a {
				f = (float64(k) - a) / (b - a)
			}
			c.Radii[k&(ContourPoints-1)] = float32(rad[i]*(1-f) + rad[j]*f)
		}
	}
}

// polarStep samples a plane on rays about a centre and traces closed paths on
// them by dynamic programming.
type polarStep struct {
	nr    int
	r0    float32
	dr    float32
	val   []float32 // ContourPoints × nr grey values; negative where outside the image
	gain  []float32 // ContourPoints × nr
	sum   []float64 // of the values of one ray up to a sample
	total [2][]int32
	from  []uint8
	path  [ContourPoints]int
}

// sample reads p on rays about (cx, cy) at radii r0 + k·dr, k < nr.
func (s *polarStep) sample(p *plane, cx, cy, r0, dr float32, nr int) {
	s.nr, s.r0, s.dr = nr, r0, dr
	n := ContourPoints * nr
	if cap(s.val) < n {
		s.val, s.gain = make([]float32, n), make([]float32, n)
		s.from, s.sum = make([]uint8, 2*n), make([]float64, nr+1)
		s.total = [2][]int32{make([]int32, nr+2*reach), make([]int32, nr+2*reach)}
	}
	s.val, s.gain, s.from, s.sum = s.val[:n], s.gain[:n], s.from[:2*n], s.sum[:nr+1]
	for i := range ContourPoints {
		p.ray(s.val[i*nr:(i+1)*nr], cx, cy, contourCos[i], contourSin[i], r0, dr)
	}
}

// rises fills gain with the rise v of brightness outwards over a step of half
// width b samples, 0 where it cannot be measured. A rise counts lim·v/(v+knee),
// so that many weak true edges outweigh a few strong false ones; a fall counts
// down to -lim/3.
func (s *polarStep) rises(b int, lim, knee float32) {
	clear(s.gain)
	s.addRises(b, lim, knee)
}

// addRises adds to gain what rises fills it with.
func (s *polarStep) addRises(b int, lim, knee float32) {
	inv := 1 / float64(b)
	sum := s.sum
	for i := range ContourPoints {
		row := s.val[i*s.nr : (i+1)*s.nr]
		g := s.gain[i*s.nr : (i+1)*s.nr]
		var t float64
		for k, v := range row {
			sum[k] = t
			t += float64(v)
		}
		sum[len(row)] = t
		for k := b; k+b <= s.nr; k++ {
			if row[k+b-1] < 0 || row[k-b] < 0 {
				continue
			}
			d := float32((sum[k+b] - 2*sum[k] + sum[k-b]) * inv)
			if d > 0 {
				g[k] += lim * d / (d + knee)
			} else {
				g[k] += max(d, -lim/3)
			}
		}
	}
}

// reach is by how many samples neighbours of a path may differ.
const reach = 2

// A path's gain so far is kept in whole numbers, gainUnits to the grey value,
// above three bits that say by which step it came: the greatest of several is
// then the best, with no branch that nothing predicts, and of equal ones the
// one that bends least.
const (
	gainUnits = 4096
	stepBits  = 3
	stepMask  = 1<<stepBits - 1
	noPath    = math.MinInt32 / 2
)

// steps are the moves by their number in the lowest bits.
var steps = [1 << stepBits]int{2, -2, 1, -1, 0}

// trace finds the closed path k(i) with the greatest summed gain; neighbours
// differ by at most two samples, each step costing bend·Δ². The result stays
// in s.path.
func (s *polarStep) trace(bend float32) {
	nr := s.nr
	one := int32(bend*gainUnits) << stepBits
	prev, cur := s.total[0][:nr+2*reach], s.total[1][:nr+2*reach]
	for k := range reach {
		prev[k], prev[nr+reach+k], cur[k], cur[nr+reach+k] = noPath, noPath, noPath, noPath
	}
	for k, v := range s.gain[:nr] {
		prev[k+reach] = int32(v*gainUnits) << stepBits
	}
	// Twice around: the second lap has forgotten the free start.
	for t := 1; t < 2*ContourPoints; t++ {
		from := s.from[t*nr : (t+1)*nr]
		g := s.gain[(t&(ContourPoints-1))*nr:][:len(from)]
		before, now := prev[:len(from)+2*reach], cur[reach:][:len(from)]
		for k, v := range g {
			p := (*[2*reach + 1]int32)(before[k:])
			best := max(p[2]|4, (p[1]-one)|3, (p[3]-one)|2, (p[0]-4*one)|1, p[4]-4*one)
			from[k] = uint8(best & stepMask)
			now[k] = best&^stepMask + int32(v*gainUnits)<<stepBits
		}
		prev, cur = cur, prev
	}
	last := prev[reach : nr+reach]
	k := 0
	for j := range last {
		if last[j] > last[k] {
			k = j
		}
	}
	for t := 2*ContourPoints - 1; t > ContourPoints/2; t-- {
		if t < ContourPoints*3/2 {
			s.path[t&(ContourPoints-1)] = k
		}
		k += steps[s.from[t*nr+k]]
	}
	s.path[ContourPoints/2] = k
}

// radius converts a (fractional) sample index to a radius: gain[k] measures
// the step between samples k-1 and k.
func (s *polarStep) radius(k float32) float32 { return s.r0 + (k-0.5)*s.dr }

// peakAt refines path[i] to a fraction by a parabola through the gains.
func (s *polarStep) peakAt(i int) float32 {
	k := s.path[i]
	g := s.gain[i*s.nr : (i+1)*s.nr]
	if k <= 0 || k >= s.nr-1 {
		return float32(k)
	}
	a, b, c := g[k-1], g[k], g[k+1]
	if d := a - 2*b + c; d < -1e-3 {
		return float32(k) + min(max(0.5*(a-c)/d, -0.5), 0.5)
	}
	return float32(k)
}

// fitHarmonics fits r(θ) = Σ_{m≤order} a_m cos mθ + b_m sin mθ to radii with
// weights w by ridge-regularised least squares (ridge grows with m² from the
// second harmonic on), reweighting robustly twice. It writes the curve into
// out and returns the weighted mean absolute residual.
func fitHarmonics(out, radii, w *[ContourPoints]float32, order int, ridge float64) float64 {
	n := 2*order + 1
	var ww [ContourPoints]float64
	var sw float64
	for i := range ww {
		ww[i] = float64(w[i])
		sw += ww[i]
	}
	var coef [11]float64
	var res float64
	for pass := range 3 {
		var a [11][12]float64
		for i := range ContourPoints {
			if ww[i] == 0 {
				continue
			}
			var b [11]float64
			basis(&b, i, order)
			for j := range n {
				wj := ww[i] * b[j]
				for k := j; k < n; k++ {
					a[j][k] += wj * b[k]
				}
				a[j][n] += wj * float64(radii[i])
			}
		}
		for j := range n {
			m := float64((j + 1) / 2)
			if m >= 2 {
				a[j][j] += ridge * m * m * sw
			}
			a[j][j] += 1e-9
			for k := range j {
				a[j][k] = a[k][j]
			}
		}
		if !solve(&a, &coef, n) {
			break
		}
		var num, den float64
		for i := range ContourPoints {
			out[i] = float32(harmonicAt(&coef, i, order))
			num += float64(w[i]) * math.Abs(float64(radii[i]-out[i]))
			den += float64(w[i])
		}
		if den == 0 {
			break
		}
		res = num / den
		if pass == 2 {
			break
		}
		scale := max(1.5*res, 0.5)
		for i := range ww {
			d := math.Abs(float64(radii[i]-out[i])) / scale
			ww[i] = float64(w[i]) / (1 + d*d*d*d)
		}
	}
	return res
}

func basis(b *[11]float64, i, order int) {
	b[0] = 1
	for m := 1; m <= order; m++ {
		b[2*m-1] = float64(contourCos[(i*m)&(ContourPoints-1)])
		b[2*m] = float64(contourSin[(i*m)&(ContourPoints-1)])
	}
}

func harmonicAt(c *[11]float64, i, order int) float64 {
	var b [11]float64
	basis(&b, i, order)
	var s float64
	for j := range 2*order + 1 {
		s += c[j] * b[j]
	}
	return s
}

// solve runs Gaussian elimination with partial pivoting on the n×n system in
// a, right-hand side in column n.
func solve(a *[11][12]float64, x *[11]float64, n int) bool {
	for c := range n {
		p := c
		for r := c + 1; r < n; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		if math.Abs(a[p][c]) < 1e-12 {
			return false
		}
		a[c], a[p] = a[p], a[c]
		for r := c + 1; r < n; r++ {
			f := a[r][c] / a[c][c]
			for k := c; k <= n; k++ {
				a[r][k] -= f * a[c][k]
			}
		}
	}
	for c := n - 1; c >= 0; c-- {
		s := a[c][n]
		for k := c + 1; k < n; k++ {
			s -= a[c][k] * x[k]
		}
		x[c] = s / a[c][c]
	}
	return true
}
