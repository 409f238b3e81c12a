package iris

import "slices"

// The normalised iris (Daugman's rubber sheet): sheetW angles clockwise on the
// screen from the image's x axis, sheetH radii from pupil to limbus.
const (
	sheetW = 512
	sheetH = 64
)

var sheetCos, sheetSin = unitCircle(sheetW)

// sheet is a rubber sheet with its mask.
type sheet struct {
	val  [sheetH * sheetW]float32
	good [sheetH * sheetW]uint8 // 1 usable
	// lid[i] is the row from which on ray i (of lidW) is covered; lidH if free.
	lid [lidW]int
	// shiny counts the cells not under a lid that are lost to reflections.
	shiny int
}

// unroll samples tex (scale tk pixels of tex for one of the segmentation
// plane) and the highlight mask between the boundaries.
func (s *sheet) unroll(tex *plane, pupil, limbus *Contour, spec *plane, specScale float32) {
	var from, by [sheetW][2]float32
	for i := range sheetW {
		t := float32(i) * ContourPoints / sheetW
		px, py := pupil.at(t, sheetCos[i], sheetSin[i])
		lx, ly := limbus.at(t, sheetCos[i], sheetSin[i])
		from[i], by[i] = [2]float32{px, py}, [2]float32{lx - px, ly - py}
	}
	w, pix := tex.w, tex.pix
	mx, my := float32(tex.w-1), float32(tex.h-1)
	cx, cy := tex.w-2, tex.h-2
	for j := range sheetH {
		f := (float32(j) + 0.5) / sheetH
		val, good := s.val[j*sheetW:(j+1)*sheetW], s.good[j*sheetW:(j+1)*sheetW]
		for i := range val {
			x, y := from[i][0]+f*by[i][0], from[i][1]+f*by[i][1]
			if !(x >= 0 && y >= 0 && x <= mx && y <= my) {
				val[i], good[i] = 0, 0
				continue
			}
			ix, iy := min(int(x), cx), min(int(y), cy)
			fx, fy := x-float32(ix), y-float32(iy)
			o := iy*w + ix
			a, b := (*[2]uint8)(pix[o:]), (*[2]uint8)(pix[o+w:])
			t := float32(a[0]) + fx*(float32(a[1])-float32(a[0]))
			u := float32(b[0]) + fx*(float32(b[1])-float32(b[0]))
			val[i] = t + fy*(u-t)
			good[i] = 1
			if sx, sy := int((x+0.5)*specScale), int((y+0.5)*specScale); sx < spec.w && sy < spec.h {
				good[i] ^= spec.pix[sy*spec.w+sx]
			}
		}
	}
}

// highlightShare is the share of the sheet lost to reflections.
func (s *sheet) highlightShare() float64 { return float64(s.shiny) / (sheetW * sheetH) }

// shadowLevel is the brightness, in that of the middle one of all usable cells,
// below which a cell counts as in a shadow.
const shadowLevel = 0.7

// shadow is the share of the usable cells that are in a shadow: under the lid or
// the lashes, or away from the lamp. What a shadow's edge looks like is of that
// moment, and the code is full of it.
func (s *sheet) shadow() float64 {
	var count [256]int
	n := 0
	for i, g := range s.good {
		if g != 0 {
			count[uint8(min(max(s.val[i], 0), 255))]++
			n++
		}
	}
	middle, below := 0, 0
	for ; middle < 255 && 2*(below+count[middle]) < n; middle++ {
		below += count[middle]
	}
	dark := 0
	for v := 0; float64(v) < shadowLevel*float64(middle); v++ {
		dark += count[v]
	}
	return float64(dark) / float64(max(n, 1))
}

// The lid search runs on the sheet reduced to lidW×lidH.
const (
	lidW = 128
	lidH = 32
)

// lidFinder decides from which radius on each ray is covered by a lid or by
// lashes: the pixel values of the clean lateral sectors say what this iris
// looks like, and a path is found between "looks like it" and "does not".
type lidFinder struct {
	small [lidH * lidW]float32
	ok    [lidH * lidW]bool
	odd   [lidH * lidW]float32
	sum   [lidW * (lidH + 1)]float32
	total [2 * lidW * (lidH + 1)]float32
	from  [2 * lidW * (lidH + 1)]int8
	buf   []float32
	mean  [lidH]float32
	tilt  [3]float32 // of the shading: to the right, down, everywhere
	sigma float32
}

func (f *lidFinder) run(s *sheet) {
	f.reduce(s)
	f.tilt = [3]float32{}
	f.model()
	f.shading()
	f.oddness()
	f.path(s)
	f.apply(s)
}

func (f *lidFinder) reduce(s *sheet) {
	for j := range lidH {
		for i := range lidW {
			var v float32
			n := 0
			for dj := range sheetH / lidH {
				for di := range sheetW / lidW {
					o := (j*sheetH/lidH+dj)*sheetW + i*sheetW/lidW + di
					if s.good[o] != 0 {
						v += s.val[o]
						n++
					}
				}
			}
			f.ok[j*lidW+i] = n >= 3
			if n > 0 {
				f.small[j*lidW+i] = v / float32(n)
			}
		}
	}
}

// model learns the iris's own grey values, a median for each radius, from the
// rays near the horizontal.
func (f *lidFinder) model() {
	f.sigma = 0
	n := float32(0)
	for j := range lidH {
		f.buf = f.buf[:0]
		for i := range lidW {
			if f.ok[j*lidW+i] && contourSin[i*ContourPoints/lidW] > -0.36 && contourSin[i*ContourPoints/lidW] < 0.5 {
				f.buf = append(f.buf, f.small[j*lidW+i]-f.shade(i, j))
			}
		}
		if len(f.buf) < 8 {
			if j > 0 {
				f.mean[j] = f.mean[j-1]
			}
			continue
		}
		slices.Sort(f.buf)
		m := f.buf[len(f.buf)/2]
		f.mean[j] = m
		for k, v := range f.buf {
			f.buf[k] = abs32(v - m)
		}
		slices.Sort(f.buf)
		f.sigma += 1.4826 * f.buf[len(f.buf)/2]
		n++
	}
	if n > 0 {
		f.sigma /= n
	}
	f.sigma = max(f.sigma, 8)
}

// shading learns how the illumination changes across the iris: a plane in the
// picture, fitted so that what is not iris (lids, lashes, reflections) has
// little say in it. It may not explain away a lid.
func (f *lidFinder) shading() {
	for pass, reach := range shadingReach {
		var a [11][12]float64
		for j := 1; j < lidH-1; j += 2 {
			rho := shadingInner + (1-shadingInner)*(float32(j)+0.5)/lidH
			for i := 0; i < lidW; i += 2 {
				o := j*lidW + i
				if !f.ok[o] {
					continue
				}
				k := i * ContourPoints / lidW
				x, y := rho*contourCos[k], rho*contourSin[k]
				v := f.small[o] - f.mean[j]
				e := (v - f.tilt[0]*x - f.tilt[1]*y - f.tilt[2]) / (reach * f.sigma)
				w := 1 / (1 + e*e)
				w *= w
				if pass == 0 {
					w *= shadingStart[k]
				}
				row := [3]float64{float64(x), float64(y), 1}
				for r := range 3 {
					for c := r; c < 3; c++ {
						a[r][c] += float64(w) * row[r] * row[c]
					}
					a[r][3] += float64(w) * row[r] * float64(v)
				}
			}
		}
		for r := range 3 {
			a[r][r] += shadingRidge
			for c := range r {
				a[r][c] = a[c][r]
			}
		}
		var x [11]float64
		if !solve(&a, &x, 3) {
			return
		}
		limit := 4 * f.sigma
		for r := range 3 {
			f.tilt[r] = min(max(float32(x[r]), -limit), limit)
		}
	}
}

// shade is the shading at row j of ray i.
func (f *lidFinder) shade(i, j int) float32 {
	k := i * ContourPoints / lidW
	rho := shadingInner + (1-shadingInner)*(float32(j)+0.5)/lidH
	return rho*(f.tilt[0]*contourCos[k]+f.tilt[1]*contourSin[k]) + f.tilt[2]
}

// The plane of the shading.
const (
	shadingInner = 0.4 // radius of the pupil in radii of the limbus, nearly enough
	shadingRidge = 20
)

// shadingReach is, for each fit, how many deviations of the iris count half as
// much and less: widely first, so that the fit does not settle on a part.
var shadingReach = [...]float32{8, 6, 4, 3, 2, 2}

// shadingStart is where the first fit looks: beside and below the pupil.
var shadingStart = func() (t [ContourPoints]float32) {
	for i, s := range contourSin {
		t[i] = 1
		if s < -0.3 {
			t[i] = max(0.05, 1+(s+0.3)*2)
		}
		if s > 0.6 {
			t[i] = max(0.3, 1-(s-0.6)*2)
		}
	}
	return t
}()

// oddness fills odd with a clipped log likelihood ratio "not this iris".
func (f *lidFinder) oddness() {
	for j := range lidH {
		for i := range lidW {
			o := j*lidW + i
			if !f.ok[o] {
				f.odd[o] = 0
				continue
			}
			d := (f.small[o] - f.mean[j] - f.shade(i, j)) / f.sigma
			f.odd[o] = min(d*d/2-oddBase, 4)
		}
	}
}

// path finds, around the circle, the row from which on everything is covered.
func (f *lidFinder) path(s *sheet) {
	const n = lidH + 1
	for i := range lidW {
		f.sum[i*n+lidH] = 0
		sn := contourSin[i*ContourPoints/lidW]
		// Lids come from above and below; at the sides they are unlikely.
		prior := float32(0.15)
		if sn > -0.25 && sn < 0.4 {
			prior = 1.5
		}
		for j := lidH - 1; j >= 0; j-- {
			f.sum[i*n+j] = f.sum[i*n+j+1] + f.odd[j*lidW+i] - prior
		}
	}
	copy(f.total[:n], f.sum[:n])
	const bend = 1.2
	for t := 1; t < 2*lidW; t++ {
		prev, cur := f.total[(t-1)*n:t*n], f.total[t*n:(t+1)*n]
		g := f.sum[(t&(lidW-1))*n:][:n]
		for k := range n {
			best, arg := prev[k], int8(0)
			for d := 1; d <= 4; d++ {
				c := bend * float32(d)
				if k-d >= 0 && prev[k-d]-c > best {
					best, arg = prev[k-d]-c, int8(-d)
				}
				if k+d < n && prev[k+d]-c > best {
					best, arg = prev[k+d]-c, int8(d)
				}
			}
			cur[k] = best + g[k]
			f.from[t*n+k] = arg
		}
	}
	last := f.total[(2*lidW-1)*n:]
	k := 0
	for j := range n {
		if last[j] > last[k] {
			k = j
		}
	}
	for t := 2*lidW - 1; t >= lidW/2; t-- {
		if t < lidW*3/2 {
			s.lid[t&(lidW-1)] = k
		}
		k += int(f.from[t*n+k])
	}
}

// Limits of the grey-value model, in standard deviations of the iris.
const (
	lashCut = 2.6 // darker than this: a lash
	glowCut = 6   // brighter than this: a reflection
	oddBase = 2.2 // half the square of the deviation that speaks for neither
)

// apply masks what is covered, single lashes (much darker than this iris at
// that radius) and bright remains.
func (f *lidFinder) apply(s *sheet) {
	s.shiny = 0
	for i := range sheetW {
		t := i * lidW / sheetW
		edge := min(s.lid[t], s.lid[(t+1)&(lidW-1)], s.lid[(t+lidW-1)&(lidW-1)])
		for j := range sheetH {
			o := j*sheetW + i
			k := j * lidH / sheetH
			if k >= edge {
				s.good[o] = 0
				continue
			}
			if s.good[o] == 0 {
				s.shiny++
			}
			d := (s.val[o] - f.mean[k] - f.shade(t, k)) / f.sigma
			if d < -lashCut || d > glowCut {
				s.good[o] = 0
			}
		}
	}
}
