package document

import "tambo/kiosk/document/internal/glyph"

// blob is a connected run of dark pixels: its box, centre and pixel count.
type blob struct {
	x0, y0, x1, y1 int // x1, y1 just outside
	n              int
}

func (b blob) w() float64  { return float64(b.x1 - b.x0) }
func (b blob) h() float64  { return float64(b.y1 - b.y0) }
func (b blob) cx() float64 { return float64(b.x0+b.x1) / 2 }
func (b blob) cy() float64 { return float64(b.y0+b.y1) / 2 }

// turned is the blob on the picture mirrored at its diagonal, on which lines
// that ran down run across.
func (b blob) turned() blob { return blob{b.y0, b.x0, b.y1, b.x1, b.n} }

const (
	meanRadius = 20   // of the neighbourhood that ink is darker than, pixels
	leastInk   = 9    // grey levels that ink is darker by at the least
	maxBlobs   = 9000 // more than any page of text has; noise has no end
)

// darker marks the pixels that are darker than part of the mean of their
// neighbourhood.
func darker(p glyph.Plane, part float64) []bool {
	w, h := p.W, p.H
	sum := make([]uint32, (w+1)*(h+1)) // integral image
	for y := range h {
		acc := uint32(0)
		row, above, out := p.Pix[y*w:][:w], sum[y*(w+1):][:w+1], sum[(y+1)*(w+1):][:w+1]
		for x, v := range row {
			acc += uint32(v)
			out[x+1] = above[x+1] + acc
		}
	}
	dark := make([]bool, w*h)
	scaled := uint32(part * 1024)
	for y := range h {
		t, b := max(y-meanRadius, 0), min(y+meanRadius+1, h)
		top, bot := sum[t*(w+1):][:w+1], sum[b*(w+1):][:w+1]
		row := p.Pix[y*w:][:w]
		for x := range w {
			l, r := max(x-meanRadius, 0), min(x+meanRadius+1, w)
			area := uint32((b - t) * (r - l)) // at most 41 by 41: no product overflows
			around := bot[r] - bot[l] - top[r] + top[l]
			v := uint32(row[x]) * area
			dark[y*w+x] = v*1024 < around*scaled && v+leastInk*area < around
		}
	}
	return dark
}

// blobs joins dark pixels, also across corners, and returns those of a size
// that a character may have at 60 to 600 pixels an inch after shrinking.
func blobs(dark []bool, w, h int) []blob {
	type run struct{ x0, x1, set int }
	parent := []int{}
	var all []blob
	find := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	join := func(a, b int) int {
		a, b = find(a), find(b)
		if a == b {
			return a
		}
		if b < a {
			a, b = b, a
		}
		parent[b] = a
		q := all[b]
		all[a] = blob{min(all[a].x0, q.x0), min(all[a].y0, q.y0), max(all[a].x1, q.x1), max(all[a].y1, q.y1), all[a].n + q.n}
		return a
	}
	var above, here []run
	for y := range h {
		here = here[:0]
		row := dark[y*w:][:w]
		next := 0
		for x := 0; x < w; x++ {
			if !row[x] {
				continue
			}
			x0 := x
			for x < w && row[x] {
				x++
			}
			set := len(all)
			parent = append(parent, set)
			all = append(all, blob{x0, y, x, y + 1, x - x0})
			for next < len(above) && above[next].x1 < x0 {
				next++
			}
			for i := next; i < len(above) && above[i].x0 <= x; i++ {
				set = join(set, above[i].set)
			}
			here = append(here, run{x0, x, set})
		}
		above, here = here, above
	}
	var out []blob
	for i, b := range all {
		long, short := max(b.w(), b.h()), min(b.w(), b.h())
		if parent[i] == i && long >= 6 && long <= 75 && short >= 2 && b.n >= 8 {
			if out = append(out, b); len(out) == maxBlobs {
				break
			}
		}
	}
	return out
}
