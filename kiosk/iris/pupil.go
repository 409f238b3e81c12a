package iris

import "math"

// circle is a circle in pixels of the plane it was found on.
type circle struct{ x, y, r float32 }

// pupilGuess is one hypothesis for the pupil.
type pupilGuess struct {
	circle
	score float32 // larger is better
}

const (
	probeAngles = 48 // rays of a circle test
	maxRadius   = 96 // largest pupil radius tried on the work plane
)

// smallPupil is the share of the plane's height below which a pupil has to be
// the better one, because lashes and their gaps make many small dark discs.
const smallPupil = 0.035

// probeTop leaves the rays out on which the upper lid may hang into the pupil.
const probeTop = -0.6

var probeCos, probeSin = unitCircle(probeAngles)

func unitCircle(n int) (c, s []float32) {
	c, s = make([]float32, n), make([]float32, n)
	for i := range n {
		a := 2 * math.Pi * float64(i) / float64(n)
		c[i], s[i] = float32(math.Cos(a)), float32(math.Sin(a))
	}
	return c, s
}

// pupilFinder proposes pupils: every edge votes along its gradient into the
// dark, the accumulator is weighted with darkness, and the best cells are
// grown into circles.
type pupilFinder struct {
	acc, sum []int32 // votes on a grid of half the plane's resolution
	aw, ah   int
	run      []int32 // scratch of boxSum
	dark     [256]float32
	cells    []pupilGuess
	seeds    []pupilGuess
	tmp      []int32
	integral []int32
	guesses  []pupilGuess
}

// find returns up to limit hypotheses on p (blurred, highlights filled), best
// first. hist is p's histogram.
func (f *pupilFinder) find(p *plane, hist *[256]int, limit int) []pupilGuess {
	f.darkness(hist)
	f.vote(p)
	f.peaks(p, 8)
	f.blobs(p)
	f.seeds = f.seeds[:0]
	for _, c := range f.cells {
		f.grow(p, c)
	}
	sortGuesses(f.seeds)
	f.thin()
	// Every seed moves to the edge that is near it before they are compared: one
	// that lies a little off a pupil looks no better than the gaps of lashes.
	f.guesses = f.guesses[:0]
	for _, s := range f.seeds {
		s = f.descend(p, s, 6, 2)
		if s = f.descend(p, s, 3, 2); s.score > 0 {
			f.guesses = append(f.guesses, s)
		}
	}
	sortGuesses(f.guesses)
	f.distinct(2 * limit)
	for i, g := range f.guesses {
		g = f.descend(p, g, 1.5, 1)
		g = f.descend(p, g, 0.75, 1)
		// A pupil is neither quite round nor quite sharp; measured too narrowly, it
		// is worth less than a small disc between reflections.
		g.score = f.ring(p, g.circle, 1.2+0.06*g.r, 1)
		f.guesses[i] = g
	}
	sortGuesses(f.guesses)
	f.distinct(limit)
	return f.guesses
}

// thin drops seeds that better ones nearly equal, so that one dark place does
// not crowd the others out.
func (f *pupilFinder) thin() {
	kept := f.seeds[:0]
	for _, g := range f.seeds {
		dup := false
		for _, k := range kept {
			if sq(k.x-g.x)+sq(k.y-g.y) < sq(0.4*k.r) && abs32(k.r-g.r) < 0.25*k.r {
				dup = true
				break
			}
		}
		if !dup {
			kept = append(kept, g)
		}
	}
	f.seeds = kept
}

// darkness fills the table of how unusual a dark value is: 1 for the darkest
// pixels of the image, 0 for anything brighter than its median.
func (f *pupilFinder) darkness(hist *[256]int) {
	cum, n := 0, 1
	for _, c := range hist {
		n += c
	}
	for v, c := range hist {
		q := (float32(cum) + float32(c)/2) / float32(n)
		cum += c
		f.dark[v] = max(0, 1-2*q)
	}
}

func (f *pupilFinder) vote(p *plane) {
	f.aw, f.ah = p.w/2+1, p.h/2+1
	n := f.aw * f.ah
	if cap(f.acc) < n {
		f.acc, f.sum, f.tmp = make([]int32, n), make([]int32, n), make([]int32, n)
	}
	if cap(f.run) < f.aw {
		f.run = make([]int32, f.aw)
	}
	f.acc, f.sum, f.tmp = f.acc[:n], f.sum[:n], f.tmp[:n]
	clear(f.acc)
	w := p.w
	steps := (min(maxRadius, min(p.w, p.h)*2/5) - 3) / 2 // radii from 4 pixels on
	for y := 1; y < p.h-1; y++ {
		for x := 1; x < w-1; x++ {
			o := y*w + x
			gx := int(p.pix[o+1]) - int(p.pix[o-1])
			gy := int(p.pix[o+w]) - int(p.pix[o-w])
			m2 := gx*gx + gy*gy
			if m2 < 12*12 {
				continue
			}
			m := float32(math.Sqrt(float64(m2)))
			dx, dy := -float32(gx)/m, -float32(gy)/m
			// two accumulator cells (pixels of the plane) a step
			f.cast((float32(x)+4*dx)/2, (float32(y)+4*dy)/2, dx, dy, steps, int32(voteUnits*min(m, 40)))
		}
	}
}

// voteUnits are the votes of an edge of one grey value.
const voteUnits = 16

// cast adds wt to each of n cells, a step of (dx, dy) apart from (x, y) on, as
// far as the accumulator reaches.
func (f *pupilFinder) cast(x, y, dx, dy float32, n int, wt int32) {
	// with 32 bits below the point, and half a cell up to round
	const one = 1 << 32
	cx, cy := int64((x+0.5)*one), int64((y+0.5)*one)
	sx, sy := int64(dx*one), int64(dy*one)
	// Where the last step lies inside, all do.
	ex, ey := cx+int64(n-1)*sx, cy+int64(n-1)*sy
	aw, ah := int64(f.aw), int64(f.ah)
	inside := func(v, size int64) bool { return v >= one/2 && v>>32 < size }
	for n > 0 && !(inside(ex, aw) && inside(ey, ah)) {
		ex, ey, n = ex-sx, ey-sy, n-1
	}
	if n == 0 || !inside(cx, aw) || !inside(cy, ah) {
		return
	}
	acc := f.acc
	for range n {
		acc[int(cy>>32)*f.aw+int(cx>>32)] += wt
		cx += sx
		cy += sy
	}
}

// peaks fills cells with the best local maxima of the smoothed, darkness
// weighted accumulator, in pixels of the plane.
func (f *pupilFinder) peaks(p *plane, limit int) {
	boxSum(f.sum, f.acc, f.tmp, f.run[:f.aw], f.ah, 2)
	for y := range f.ah {
		row := p.pix[min(2*y, p.h-1)*p.w:][:p.w]
		for x, v := range f.sum[y*f.aw : (y+1)*f.aw] {
			d := f.dark[row[min(2*x, p.w-1)]]
			f.sum[y*f.aw+x] = int32(float32(v) * (0.15 + d) / 4)
		}
	}
	boxSum(f.acc, f.sum, f.tmp, f.run[:f.aw], f.ah, 1)
	f.cells = f.cells[:0]
	for y := 3; y < f.ah-3; y++ {
		row := f.acc[y*f.aw : (y+1)*f.aw]
		for x := 3; x < f.aw-3; x++ {
			v := row[x]
			if v <= 0 || v < row[x-1] || v < row[x+1] || v < f.acc[(y-1)*f.aw+x] || v < f.acc[(y+1)*f.aw+x] {
				continue
			}
			f.insertCell(pupilGuess{circle{float32(2 * x), float32(2 * y), 0}, float32(v)}, limit)
		}
	}
}

// blobs adds, by an independent route, the places that are darker than their
// surroundings at one of several scales.
func (f *pupilFinder) blobs(p *plane) {
	// integral image of every second pixel
	w, h := p.w/2, p.h/2
	iw := w + 1
	if cap(f.integral) < iw*(h+1) {
		f.integral = make([]int32, iw*(h+1))
	}
	f.integral = f.integral[:iw*(h+1)]
	clear(f.integral[:iw])
	for y := range h {
		var row int32
		f.integral[(y+1)*iw] = 0
		for x := range w {
			row += int32(p.pix[2*y*p.w+2*x])
			f.integral[(y+1)*iw+x+1] = f.integral[y*iw+x+1] + row
		}
	}
	box := func(x, y, r int) (int32, int32) {
		x0, y0, x1, y1 := max(x-r, 0), max(y-r, 0), min(x+r+1, w), min(y+r+1, h)
		s := f.integral[y1*iw+x1] - f.integral[y0*iw+x1] - f.integral[y1*iw+x0] + f.integral[y0*iw+x0]
		return s, int32((x1 - x0) * (y1 - y0))
	}
	for _, r := range [...]int{3, 5, 7, 10, 14, 20, 28} {
		if 3*r > h {
			break
		}
		var best [2]pupilGuess
		step := max(1, r/3)
		n := int32((2*r + 1) * (2*r + 1))
		for y := r; y < h-r; y += step {
			top, bottom := f.integral[(y-r)*iw:][:iw], f.integral[(y+r+1)*iw:][:iw]
			for x := r; x < w-r; x += step {
				s := bottom[x+r+1] - top[x+r+1] - bottom[x-r] + top[x-r]
				in := s / n
				// Most places are too bright for any surroundings to make up for it.
				if float32(255-in)*f.dark[in] <= best[1].score {
					continue
				}
				t, m := box(x, y, 2*r)
				d := float32((t-s)/max(m-n, 1)-in) * f.dark[in]
				if d <= best[1].score {
					continue
				}
				g := pupilGuess{circle{float32(2 * x), float32(2 * y), 0}, d}
				if abs32(g.x-best[0].x)+abs32(g.y-best[0].y) < float32(3*r) {
					if d > best[0].score {
						best[0] = g
					}
				} else if d > best[0].score {
					best[0], best[1] = g, best[0]
				} else {
					best[1] = g
				}
			}
		}
		for _, b := range best {
			if b.score > 0 && f.newCell(b) {
				f.cells = append(f.cells, b)
			}
		}
	}
}

// newCell reports whether no cell lies within a few pixels of g.
func (f *pupilFinder) newCell(g pupilGuess) bool {
	for _, c := range f.cells {
		if sq(c.x-g.x)+sq(c.y-g.y) < 5*5 {
			return false
		}
	}
	return true
}

func (f *pupilFinder) insertCell(g pupilGuess, limit int) {
	for i, c := range f.cells {
		if sq(c.x-g.x)+sq(c.y-g.y) < 8*8 {
			if g.score > c.score {
				f.cells[i] = g
				sortGuesses(f.cells)
			}
			return
		}
	}
	if len(f.cells) < limit {
		f.cells = append(f.cells, g)
	} else if g.score > f.cells[limit-1].score {
		f.cells[limit-1] = g
	} else {
		return
	}
	sortGuesses(f.cells)
}

func sq(a float32) float32 { return a * a }

// sortGuesses orders by falling score; the lists are short.
func sortGuesses(g []pupilGuess) {
	for i := 1; i < len(g); i++ {
		for j := i; j > 0 && g[j].score > g[j-1].score; j-- {
			g[j], g[j-1] = g[j-1], g[j]
		}
	}
}

// boxSum writes the (2r+1)² box sum of src, h rows as long as col, into dst; tmp
// and col are scratch.
func boxSum(dst, src, tmp, col []int32, h, r int) {
	w := len(col)
	for y := range h {
		s := src[y*w : (y+1)*w]
		d := tmp[y*w : (y+1)*w]
		var v int32
		for _, x := range s[:min(r, w)] {
			v += x
		}
		for x := range d {
			if x+r < w {
				v += s[x+r]
			}
			if x > r {
				v -= s[x-r-1]
			}
			d[x] = v
		}
	}
	clear(col)
	for y := range min(r, h) {
		for x, v := range tmp[y*w : (y+1)*w] {
			col[x] += v
		}
	}
	for y := range h {
		if y+r < h {
			for x, v := range tmp[(y+r)*w : (y+r+1)*w] {
				col[x] += v
			}
		}
		if y > r {
			for x, v := range tmp[(y-r-1)*w : (y-r)*w] {
				col[x] -= v
			}
		}
		copy(dst[y*w:(y+1)*w], col)
	}
}

// growth is the ratio of neighbouring radii that grow tries: a ring sees edges a
// seventh of its radius away.
const growth = 1.1

// grow turns a cell into circles: the two radii whose ring is best.
func (f *pupilFinder) grow(p *plane, c pupilGuess) {
	rmax := float32(min(maxRadius, min(p.w, p.h)*2/5))
	var best [2]pupilGuess
	var before, here pupilGuess // the ring before, and that of which it is asked whether it is a peak
	for r := float32(4); r < rmax; r *= growth {
		next := pupilGuess{circle: circle{c.x, c.y, r}}
		next.score = f.ring(p, next.circle, maxRadius, 2)
		if here.score > 0 && here.score >= before.score && here.score > next.score {
			if here.score > best[0].score {
				best[0], best[1] = here, best[0]
			} else if here.score > best[1].score {
				best[1] = here
			}
		}
		before, here = here, next
	}
	for _, g := range best {
		if g.score > 0 {
			f.seeds = append(f.seeds, g)
		}
	}
}

// descend improves g in steps, by every n-th ray. A step sees nothing of an
// edge that the ring is too narrow to meet, so the ring is as wide as the step.
func (f *pupilFinder) descend(p *plane, g pupilGuess, step float32, n int) pupilGuess {
	wide := 1.5 * step
	g.score = f.ring(p, g.circle, wide, n)
	for range 8 {
		moved := false
		for k := range 6 {
			t := g.circle
			d := step
			if k&1 != 0 {
				d = -step
			}
			switch k / 2 {
			case 0:
				t.x += d
			case 1:
				t.y += d
			case 2:
				t.r += d
			}
			if t.r < 3 || t.r > maxRadius {
				continue
			}
			if s := f.ring(p, t, wide, n); s > g.score {
				g.circle, g.score = t, s
				moved = true
			}
		}
		if !moved {
			break
		}
	}
	return g
}

// ring scores a circle as a pupil boundary: mean clipped rise over the rays,
// the share of rays that rise at all, and how dark the inside is. The rise is
// taken over wide pixels to either side, or over less where the circle is small
// and over more where it is large, on every n-th of the rays.
func (f *pupilFinder) ring(p *plane, c circle, wide float32, nth int) float32 {
	var sum, dark, rim, half, core, ext float32
	rising := 0
	d := max(min(wide, 0.15*c.r), 1.5, 0.06*c.r)
	n := 0
	// Where the ring is wide, nobody sees the difference of half a pixel.
	at := func(r float32, i int) float32 {
		x, y := c.x+r*probeCos[i], c.y+r*probeSin[i]
		if nth > 1 {
			return p.near(x, y)
		}
		return p.at(x, y)
	}
	for i := 0; i < probeAngles; i += nth {
		if probeSin[i] < probeTop {
			continue
		}
		n++
		in, out := at(c.r-d, i), at(c.r+d, i)
		g := out - in
		if g > 4 {
			rising++
		}
		sum += min(max(g, -10), 40)
		h := at(c.r*0.5, i)
		dark += f.dark[uint8(in)] + f.dark[uint8(h)]
		rim += in
		half += h
		core += at(c.r*0.22, i)
		ext += out
	}
	rays := float32(n)
	cov := float32(rising) / rays
	// an iris taken for a pupil has the pupil inside
	uneven := max(sq(rim-half), sq(rim-core)) / sq(0.4*max(ext-rim, 1))
	size := min(1, c.r/(smallPupil*float32(p.h)))
	return (sum / rays) * cov * cov * (0.1 + dark/(2*rays)) / (1 + uneven) * size
}

// distinct keeps the best of nearly equal guesses, up to limit.
func (f *pupilFinder) distinct(limit int) {
	kept := f.guesses[:0]
	for _, g := range f.guesses {
		dup := false
		for _, k := range kept {
			if sq(k.x-g.x)+sq(k.y-g.y) < sq(0.25*k.r+1) && abs32(k.r-g.r) < 0.2*k.r+1 {
				dup = true
				break
			}
		}
		if !dup && len(kept) < limit {
			kept = append(kept, g)
		}
	}
	f.guesses = kept
}

func abs32(a float32) float32 {
	if a < 0 {
		return -a
	}
	return a
}
