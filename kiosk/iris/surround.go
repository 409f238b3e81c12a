package iris

import "math"

// The surroundings of the iris, from just outside the limbus to a little more
// than twice its radius, looked at so coarsely that single lashes are no lines:
// what is left are the edges of the lids, their fold, and the rows of lashes.
const (
	surroundRadius = 20  // the iris has at most this radius there, in pixels
	surroundInner  = 1.1 // radii of the limbus
	surroundOuter  = 2.2
	surroundFaint  = 4  // changes of brightness below which a pixel says nothing
	surroundStrong = 40 // and from which on it says no more
)

// surround says which way the lines around an iris run.
type surround struct {
	along, turned float64 // see lines
}

// lines measures how brightness changes around c, each pixel counting as much as
// it changes. along is how much more it changes up and down than in the mean of
// all directions, as of lids that lie level in the picture; turned is how much
// less: lines that stand upright or run down the picture. Both are 0 where no
// direction is preferred; together they are the anisotropy of the structure
// tensor, which is 1 where all lines are parallel, and turned is its share that
// goes with the square of the sine of the angle by which they are turned.
func (p *plane) lines(c *Contour) surround {
	r := c.Radius()
	inner, outer := surroundInner*surroundInner*r*r, surroundOuter*surroundOuter*r*r
	cx, cy, reach := c.Center.X, c.Center.Y, surroundOuter*r
	var xx, yy, xy float64
	for y := max(int(cy-reach), 1); y <= min(int(cy+reach), p.h-2); y++ {
		up, row, down := p.pix[(y-1)*p.w:][:p.w], p.pix[y*p.w:][:p.w], p.pix[(y+1)*p.w:][:p.w]
		dy := float64(y) - cy
		for x := max(int(cx-reach), 1); x <= min(int(cx+reach), p.w-2); x++ {
			dx := float64(x) - cx
			if d := dx*dx + dy*dy; d < inner || d > outer {
				continue
			}
			gx, gy := float64(row[x+1])-float64(row[x-1]), float64(down[x])-float64(up[x])
			m := gx*gx + gy*gy
			if m < surroundFaint*surroundFaint {
				continue
			}
			w := 1 / math.Sqrt(m)
			if m > surroundStrong*surroundStrong {
				w = surroundStrong / m
			}
			xx += w * gx * gx
			yy += w * gy * gy
			xy += w * gx * gy
		}
	}
	all := xx + yy
	if all < surroundStrong {
		return surround{}
	}
	parallel, level := math.Hypot(xx-yy, 2*xy)/all, (yy-xx)/all
	return surround{along: (parallel + level) / 2, turned: (parallel - level) / 2}
}
