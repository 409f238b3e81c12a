package face

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// workHigh is the height of the picture that is searched. A face of 10 pixels
// between the eyes there, with a head of a fifth of the frame's height, is still
// found.
const workHigh = 192

// plane is one channel of a small picture, with the sums that make means cheap.
type plane struct {
	w, h int
	sum  []float32 // (w+1)×(h+1): sum of what is above and left, less the offset
	off  float32
}

// search is a frame made small.
type search struct {
	scale  float64 // frame pixels a work pixel
	w, h   int
	y      plane // luma
	light  plane // its logarithm
	red    plane // the logarithm of red over green
	edge   plane // how much luma changes from row to row
	colour bool  // the frame has any
}

func newSearch(img *image.YCbCr) *search {
	fw, fh := img.Rect.Dx(), img.Rect.Dy()
	s := &search{scale: math.Max(float64(fh)/workHigh, 1)}
	s.w, s.h = int(float64(fw)/s.scale), int(float64(fh)/s.scale)
	luma, light, red := make([]float32, s.w*s.h), make([]float32, s.w*s.h), make([]float32, s.w*s.h)
	var chroma float64
	for y := range s.h {
		y0, y1 := int(float64(y)*s.scale), max(int(float64(y+1)*s.scale), int(float64(y)*s.scale)+1)
		for x := range s.w {
			x0, x1 := int(float64(x)*s.scale), max(int(float64(x+1)*s.scale), int(float64(x)*s.scale)+1)
			n := 0
			for yy := y0; yy < y1; yy++ {
				for _, v := range img.Y[yy*img.YStride+x0 : yy*img.YStride+x1] {
					n += int(v)
				}
			}
			i := y*s.w + x
			luma[i] = float32(n) / float32((y1-y0)*(x1-x0))
			c := img.COffset(img.Rect.Min.X+(x0+x1)/2, img.Rect.Min.Y+(y0+y1)/2)
			cb, cr := float64(img.Cb[c])-128, float64(img.Cr[c])-128
			chroma += math.Abs(cb) + math.Abs(cr)
			v := float64(luma[i])
			light[i] = float32(math.Log(v + 8))
			red[i] = float32(math.Log((math.Max(v+1.402*cr, 0) + 10) / (math.Max(v-0.344*cb-0.714*cr, 0) + 10)))
		}
	}
	s.colour = chroma > 2*float64(s.w*s.h)
	s.y, s.light, s.red = newPlane(s.w, s.h, luma), newPlane(s.w, s.h, light), newPlane(s.w, s.h, red)
	steep := make([]float32, s.w*s.h)
	for i := s.w; i < len(luma)-s.w; i++ {
		d := luma[i+s.w] - luma[i-s.w]
		steep[i] = max(d, -d) / (luma[i] + 12)
	}
	s.edge = newPlane(s.w, s.h, steep)
	return s
}

func newPlane(w, h int, v []float32) plane {
	p := plane{w: w, h: h, sum: make([]float32, (w+1)*(h+1))}
	var all float64
	for _, x := range v {
		all += float64(x)
	}
	p.off = float32(all / float64(len(v))) // keeps the sums small, and exact enough
	for y := range h {
		var row float32
		for x := range w {
			row += v[y*w+x] - p.off
			p.sum[(y+1)*(w+1)+x+1] = p.sum[y*(w+1)+x+1] + row
		}
	}
	return p
}

// mean is the mean of a box round a place, with half sides rx, ry.
func (p *plane) mean(x, y, rx, ry float64) float64 {
	x0, x1 := clamp(int(x-rx+0.5), 0, p.w-1), clamp(int(x+rx+0.5), 0, p.w-1)
	y0, y1 := clamp(int(y-ry+0.5), 0, p.h-1), clamp(int(y+ry+0.5), 0, p.h-1)
	x1, y1 = x1+1, y1+1
	st := p.w + 1
	return float64(p.off + (p.sum[y1*st+x1]-p.sum[y0*st+x1]-p.sum[y1*st+x0]+p.sum[y0*st+x0])/float32((x1-x0)*(y1-y0)))
}

func clamp(v, low, high int) int { return min(max(v, low), high) }

// toFrame is a place of the small picture in the frame.
func (s *search) toFrame(p Point) Point {
	return Point{(p.X + 0.5) * s.scale, (p.Y + 0.5) * s.scale}
}

// pair is two places that may be eyes.
type pair struct {
	right, left Point // of the person; right is at the left of the picture
	likeness    float64
}

func (p *pair) distance() float64 { return math.Hypot(p.left.X-p.right.X, p.left.Y-p.right.Y) }

// spot is a place of an eye's size that may be one.
type spot struct {
	x, y int
	v    float64
}

const (
	nearest  = 9.5  // smallest distance of eyes that is looked for, work pixels
	ladder   = 1.22 // from one distance to the next
	maxSpots = 48   // a distance, of each kind
	lean     = 0.46 // steepest line between eyes: tan 25°
	// likely is the likeness from which it is a face. Set on drawn portraits
	// against pages, irises, walls and noise.
	likely = 0.54
	// hopeful is what is worth refining; likelyOther what counts as one more.
	likelyGrey  = 0.62 // where the frame has no colour
	hopeful     = 0.38
	likelyOther = 0.64
)

// find returns the faces, the most likely first; those that overlap are one.
func (s *search) find() []pair {
	var all []pair
	for d := nearest; d < 0.5*float64(s.h); d *= ladder {
		all = append(all, s.pairs(d)...)
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(b.likeness, a.likeness) })
	all = distinct(all)
	for i := range all {
		s.refine(&all[i])
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(b.likeness, a.likeness) })
	var out []pair
	for _, p := range all {
		want := likely
		if !s.colour {
			want = likelyGrey
		}
		if len(out) > 0 {
			want = likelyOther
		}
		if p.likeness < want || slices.ContainsFunc(out, func(q pair) bool { return overlap(&p, &q) }) {
			continue
		}
		if len(out) == 0 || beside(&p, &out[0]) {
			out = append(out, p)
		}
	}
	return out
}

// distinct keeps the first few of each place, of those that come first.
func distinct(all []pair) []pair {
	const each, most = 4, 20
	var out []pair
	for _, p := range all {
		same := 0
		for i := range out {
			if overlap(&p, &out[i]) {
				same++
			}
		}
		if same < each {
			out = append(out, p)
		}
		if len(out) == most {
			break
		}
	}
	return out
}

// beside: it is of a like size and not above or below the first, where only
// clothes are.
func beside(p, first *pair) bool {
	dx := math.Abs(p.left.X + p.right.X - first.left.X - first.right.X)
	return p.distance() > 0.55*first.distance() && dx/2 > 1.5*first.distance()
}

// overlap: the faces share room.
func overlap(p, q *pair) bool {
	px, py := (p.left.X+p.right.X)/2, (p.left.Y+p.right.Y)/2
	qx, qy := (q.left.X+q.right.X)/2, (q.left.Y+q.right.Y)/2
	return math.Hypot(px-qx, (py-qy)*0.7) < 1.5*math.Max(p.distance(), q.distance())
}

// pairs finds pairs of spots about d apart that are like a face.
func (s *search) pairs(d float64) []pair {
	spots := s.spots(d)
	var out []pair
	for i, a := range spots {
		for _, b := range spots[i+1:] {
			if a.x > b.x {
				a, b = b, a
			}
			dx, dy := float64(b.x-a.x), float64(b.y-a.y)
			if dx < 0.88*d || dx > 1.13*d || math.Abs(dy) > lean*dx {
				continue
			}
			p := pair{right: Point{float64(a.x), float64(a.y)}, left: Point{float64(b.x), float64(b.y)}}
			if p.likeness = s.likeness(&p); p.likeness > hopeful {
				out = append(out, p)
			}
		}
	}
	return out
}

// spots finds places that may be an eye where the eyes are d apart: darker than
// what surrounds them, or with much change from row to row over smooth cheeks.
func (s *search) spots(d float64) []spot {
	step := max(int(d/14), 1)
	cw, ch := 0.14*d, 0.07*d // half sides of an eye
	gw, gh := s.w/step, s.h/step
	dark, busy := make([]float64, gw*gh), make([]float64, gw*gh)
	for gy := range gh {
		for gx := range gw {
			x, y := float64(gx*step), float64(gy*step)
			if x < 0.25*d || y < 0.25*d || x > float64(s.w)-0.25*d || y > float64(s.h)-0.25*d {
				continue
			}
			// Above may be the brow: what is below counts more.
			if s.colour && !skinRed(s.red.mean(x, y+0.42*d, 0.12*d, 0.1*d)) { // the cheek
				continue
			}
			in, low := s.y.mean(x, y, cw, ch), s.y.mean(x, y+0.25*d, cw, 0.08*d)
			dark[gy*gw+gx] = (0.65*low + 0.35*s.y.mean(x, y, 0.5*d, 0.4*d) - in) / (low + 12)
			busy[gy*gw+gx] = s.edge.mean(x, y, cw, ch*1.4) - 0.6*s.edge.mean(x, y+0.36*d, cw, 0.1*d) - 0.4*s.edge.mean(x, y, 0.6*d, 0.3*d)
		}
	}
	r := max(int(0.16*d)/step, 1)
	return append(peaks(dark, gw, gh, step, r, 0.03), peaks(busy, gw, gh, step, r, 0.015)...)
}

// peaks are the highest places of a grid that stand above all round them.
func peaks(grid []float64, gw, gh, step, r int, least float64) []spot {
	var out []spot
	for gy := 1; gy < gh-1; gy++ {
		for gx := 1; gx < gw-1; gx++ {
			if v := grid[gy*gw+gx]; v > least && peak(grid, gw, gh, gx, gy, r) {
				out = append(out, spot{gx * step, gy * step, v})
			}
		}
	}
	slices.SortFunc(out, func(a, b spot) int { return cmp.Compare(b.v, a.v) })
	return out[:min(len(out), maxSpots)]
}

// peak: nothing within r is more.
func peak(grid []float64, w, h, x, y, r int) bool {
	v := grid[y*w+x]
	for yy := max(y-r, 0); yy <= min(y+r, h-1); yy++ {
		for xx := max(x-r, 0); xx <= min(x+r, w-1); xx++ {
			if o := grid[yy*w+xx]; o > v || o == v && (yy < y || yy == y && xx < x) {
				return false
			}
		}
	}
	return true
}

// moves of a pair: both along x and y, apart and together, turned.
var moves = [...][4]float64{{1, 0, 1, 0}, {-1, 0, -1, 0}, {0, 1, 0, 1}, {0, -1, 0, -1}, {-1, 0, 1, 0}, {1, 0, -1, 0}, {0, 1, 0, -1}, {0, -1, 0, 1}}

// refine moves, turns and stretches a pair until it is most like a face.
func (s *search) refine(p *pair) {
	first := p.distance()
	for step := 0.08 * first; step > 0.2; step /= 2 {
		for range 3 {
			best := *p
			for _, m := range moves {
				q := pair{right: Point{p.right.X + m[0]*step, p.right.Y + m[1]*step}, left: Point{p.left.X + m[2]*step, p.left.Y + m[3]*step}}
				if d := q.distance(); d < 0.9*first || d > 1.1*first { // its size is known from the spots
					continue
				}
				if q.likeness = s.likeness(&q); q.likeness > best.likeness {
					best = q
				}
			}
			if best == *p {
				break
			}
			*p = best
		}
	}
}
