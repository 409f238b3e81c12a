package iris

// highlights finds bright spots narrower than the opening window (reflections
// of the illuminators, wet lid rims) and replaces them by what surrounds them.
//
// The white top-hat (image minus its opening) is compared with a share of the
// image's own grey range, so that no absolute level is needed. mask holds 1
// where a pixel was replaced.
type highlights struct {
	open, tmp plane
	filled    plane
	mask      plane
	buf       []uint8
}

// run fills filled and mask from src. radius is half the window of the
// opening in pixels; lo and hi are the image's 1st and 99th percentiles.
func (s *highlights) run(src *plane, radius, lo, hi int) {
	w, h := src.w, src.h
	s.open.reset(w, h)
	s.tmp.reset(w, h)
	s.filled.reset(w, h)
	s.mask.reset(w, h)
	n := max(w, h) + 2*radius + 2
	if cap(s.buf) < 2*n {
		s.buf = make([]uint8, 2*n)
	}
	buf := s.buf[:2*n]
	colMinMax(&s.tmp, src, radius, false)
	for y := range h {
		row := s.tmp.pix[y*w : (y+1)*w]
		rankFilter(row, row, 1, w, radius, false, buf)
		rankFilter(row, row, 1, w, radius, true, buf)
	}
	colMinMax(&s.open, &s.tmp, radius, true)
	thr := max(25, (hi-lo)/5)
	// Iris seen between lashes is a narrow bright thing too, but not as bright.
	level := lo + (hi-lo)*6/10
	copy(s.filled.pix, src.pix)
	clear(s.mask.pix)
	for y := 2; y < h-2; y++ {
		for x := 2; x < w-2; x++ {
			o := y*w + x
			if v := int(src.pix[o]); v < level || v-int(s.open.pix[o]) <= thr {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					s.mask.pix[o+dy*w+dx] = 1
				}
			}
		}
	}
	for o, m := range s.mask.pix {
		if m != 0 {
			s.filled.pix[o] = min(src.pix[o], satAdd(s.open.pix[o], 4))
		}
	}
}

func satAdd(a, b uint8) uint8 {
	if a > 255-b {
		return 255
	}
	return a + b
}

// colMinMax runs a vertical running minimum or maximum row by row, which keeps
// the memory access sequential: windows grow by doubling.
func colMinMax(dst, src *plane, r int, max bool) {
	w, h := src.w, src.h
	for y := range h {
		lo, hi := y-r, y+r
		if lo < 0 {
			lo = 0
		}
		if hi > h-1 {
			hi = h - 1
		}
		d := dst.pix[y*w : (y+1)*w]
		copy(d, src.pix[lo*w:(lo+1)*w])
		for k := lo + 1; k <= hi; k++ {
			s := src.pix[k*w : (k+1)*w]
			if max {
				for x, v := range s {
					if v > d[x] {
						d[x] = v
					}
				}
			} else {
				for x, v := range s {
					if v < d[x] {
						d[x] = v
					}
				}
			}
		}
	}
}
