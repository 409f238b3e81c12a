package target

import (
	"cmp"
	"image"
	"math"
	"slices"
)

// Marks are looked for in a picture of at most so many pixels on its longer side.
const findSide = 1280

// maxPixels bounds what is looked at.
const maxPixels = 64 << 20

// mark is a finder pattern that was found.
type mark struct {
	x, y   float64 // centre
	module float64
	hits   int
}

// plane is a grey picture with its local mean.
type plane struct {
	w, h int
	pix  []uint8
	dark []bool
}

// newPlane copies a picture, smaller by a whole factor where it is large.
func newPlane(img *image.Gray) (*plane, int) {
	b := img.Bounds()
	k := max(1, (max(b.Dx(), b.Dy())+findSide-1)/findSide)
	p := &plane{w: b.Dx() / k, h: b.Dy() / k}
	p.pix = make([]uint8, p.w*p.h)
	for y := range p.h {
		for x := range p.w {
			sum := 0
			for j := range k {
				row := img.Pix[(y*k+j)*img.Stride+x*k:]
				for i := range k {
					sum += int(row[i])
				}
			}
			p.pix[y*p.w+x] = uint8(sum / (k * k))
		}
	}
	p.threshold()
	return p, k
}

// threshold marks what is darker than its surroundings: the light is not even.
func (p *plane) threshold() {
	sums := make([]uint32, (p.w+1)*(p.h+1))
	for y := range p.h {
		row := uint32(0)
		for x := range p.w {
			row += uint32(p.pix[y*p.w+x])
			sums[(y+1)*(p.w+1)+x+1] = sums[y*(p.w+1)+x+1] + row
		}
	}
	r := max(8, max(p.w, p.h)/14)
	p.dark = make([]bool, len(p.pix))
	for y := range p.h {
		y0, y1 := max(0, y-r), min(p.h, y+r+1)
		for x := range p.w {
			x0, x1 := max(0, x-r), min(p.w, x+r+1)
			s := sums[y1*(p.w+1)+x1] - sums[y0*(p.w+1)+x1] - sums[y1*(p.w+1)+x0] + sums[y0*(p.w+1)+x0]
			p.dark[y*p.w+x] = int(p.pix[y*p.w+x])*100 < 88*int(s)/((x1-x0)*(y1-y0))
		}
	}
}

// finders finds marks: rows that cross one, then columns, then rows again.
func (p *plane) finders() []mark {
	var found []mark
	var runs [5]int
	for y := 0; y < p.h; y += 2 {
		n, run, was := 0, 0, false
		for x := 0; x <= p.w; x++ {
			if x < p.w && p.dark[y*p.w+x] == was {
				run++
				continue
			}
			copy(runs[:], runs[1:])
			runs[4] = run
			if n++; was && n >= 6 && ratio(runs) {
				mid := float64(x) - float64(runs[4]) - float64(runs[3]) - float64(runs[2])/2
				if m, ok := p.cross(mid, y, float64(x-sum(runs))); ok {
					found = merge(found, m)
				}
			}
			run, was = 1, !was
		}
	}
	found = slices.DeleteFunc(found, func(m mark) bool { return m.hits < 2 })
	slices.SortFunc(found, func(a, b mark) int { return cmp.Compare(b.hits, a.hits) })
	return found[:min(len(found), 10)]
}

func sum(r [5]int) (n int) {
	for _, v := range r {
		n += v
	}
	return n
}

// ratio reports runs of 1:1:3:1:1.
func ratio(r [5]int) bool {
	m := float64(sum(r)) / 7
	if m < 1.5 {
		return false
	}
	for i, want := range [5]float64{1, 1, 3, 1, 1} {
		if math.Abs(float64(r[i])-want*m) > max(0.75*m, 1) {
			return false
		}
	}
	return math.Abs(float64(r[2])-3*m) < m
}

// cross checks a mark the other way, and gives its centre.
func (p *plane) cross(x float64, y int, _ float64) (mark, bool) {
	cy, m1, ok := p.through(int(x), y, 0, 1)
	if !ok {
		return mark{}, false
	}
	cx, m2, ok := p.through(int(x), int(cy), 1, 0)
	if !ok || m1 > 1.5*m2 || m2 > 1.5*m1 {
		return mark{}, false
	}
	return mark{cx, cy, (m1 + m2) / 2, 1}, true
}

// through measures the five runs on a line through a dark place; it returns the
// middle of the third and the module.
func (p *plane) through(x, y, dx, dy int) (mid, module float64, ok bool) {
	at := func(i int) (dark, inside bool) {
		px, py := x+i*dx, y+i*dy
		if px < 0 || py < 0 || px >= p.w || py >= p.h {
			return false, false
		}
		return p.dark[py*p.w+px], true
	}
	if d, in := at(0); !d || !in {
		return 0, 0, false
	}
	var runs [5]int
	var ends [2]int
	for side, step := range [2]int{-1, 1} {
		i := 0
		for k := range 3 {
			want, start := k != 1, i
			for {
				d, in := at(i)
				if !in && k < 2 {
					return 0, 0, false
				}
				if !in || d != want {
					break
				}
				i += step
			}
			n := (i - start) * step
			if k == 0 {
				ends[side] = i
				if side == 1 {
					n-- // the middle was counted twice
				}
			}
			runs[2+step*k] += n
		}
	}
	if !ratio(runs) {
		return 0, 0, false
	}
	origin := x
	if dy != 0 {
		origin = y
	}
	return float64(origin) + float64(ends[0]+ends[1])/2 + 0.5, float64(sum(runs)) / 7, true
}

func merge(all []mark, m mark) []mark {
	for i := range all {
		o := &all[i]
		if math.Hypot(o.x-m.x, o.y-m.y) < 2*o.module {
			n := float64(o.hits)
			o.x, o.y, o.module = (o.x*n+m.x)/(n+1), (o.y*n+m.y)/(n+1), (o.module*n+m.module)/(n+1)
			o.hits++
			return all
		}
	}
	return append(all, m)
}

// quads calls f with every four marks that could be a pattern's: left top, right
// top, right bottom, left bottom.
func quads(marks []mark, p *pattern, f func([4]mark)) {
	want := p.markX / p.markY
	for a := range marks {
		for b := a + 1; b < len(marks); b++ {
			for c := b + 1; c < len(marks); c++ {
				for d := c + 1; d < len(marks); d++ {
					q := [4]mark{marks[a], marks[b], marks[c], marks[d]}
					if order(&q) && shape(q, want, 2*p.markX/p.module) {
						f(q)
					}
				}
			}
		}
	}
}

// order sorts four marks round their middle, from the left top one.
func order(q *[4]mark) bool {
	var cx, cy float64
	for _, m := range q {
		cx, cy = cx+m.x/4, cy+m.y/4
	}
	slices.SortFunc(q[:], func(a, b mark) int {
		return cmp.Compare(math.Atan2(a.y-cy, a.x-cx), math.Atan2(b.y-cy, b.x-cx))
	})
	return q[0].x < cx && q[0].y < cy && q[2].x > cx && q[2].y > cy
}

// shape reports four marks of one size in a rectangle of the right form.
func shape(q [4]mark, aspect, modules float64) bool {
	side := func(i, j int) float64 { return math.Hypot(q[i].x-q[j].x, q[i].y-q[j].y) }
	top, right, bottom, left := side(0, 1), side(1, 2), side(2, 3), side(3, 0)
	near := func(a, b, by float64) bool { return a < b*by && b < a*by }
	for _, m := range q {
		if !near(m.module, q[0].module, 1.35) || !near(top/modules, m.module, 1.35) {
			return false
		}
	}
	return near(top, bottom, 1.2) && near(left, right, 1.2) && near((top+bottom)/(left+right), aspect, 1.2)
}
