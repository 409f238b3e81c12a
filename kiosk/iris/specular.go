package iris

// highlights finds bright spots narrower than the opening window (reflections
// of the illuminators, wet lid rims) and replaces them by what surrounds them.
//
// The white top-hat (image minus its opening) is compared with a share of the
// image's own grey range, so that no absolute level is needed. mask holds 1
// where a pixel was replaced.
type highlights struct {
	half, open, tmp plane // at half the resolution, which is enough for a background
	filled          plane
	mask            plane
	buf             []uint8
}

// run fills filled and mask from src. radius is half the window of the
// opening in pixels of src; lo and hi are its 1st and 99th percentiles.
func (s *highlights) run(src *plane, radius, lo, hi int) {
	w, h := src.w, src.h
	s.opening(src, max(radius/2, 2))
	s.filled.reset(w, h)
	s.mask.reset(w, h)
	thr := max(25, (hi-lo)/5)
	// Iris seen between lashes is a narrow bright thing too, but not as bright.
	level := lo + (hi-lo)*3/4
	copy(s.filled.pix, src.pix)
	clear(s.mask.pix)
	for y := 2; y < h-2; y++ {
		bg := s.open.pix[min(y/2, s.open.h-1)*s.open.w:][:s.open.w]
		for x := 2; x < w-2; x++ {
			o := y*w + x
			if v := int(src.pix[o]); v < level || v-int(bg[min(x/2, s.open.w-1)]) <= thr {
				continue
			}
			for dy := -2; dy <= 2; dy++ {
				for dx := -2; dx <= 2; dx++ {
					s.mask.pix[o+dy*w+dx] = 1
				}
			}
		}
	}
	for y := range h {
		bg := s.open.pix[min(y/2, s.open.h-1)*s.open.w:][:s.open.w]
		for x := range w {
			if o := y*w + x; s.mask.pix[o] != 0 {
				s.filled.pix[o] = min(src.pix[o], satAdd(bg[min(x/2, s.open.w-1)], 4))
			}
		}
	}
}

// opening leaves in open what remains of src, at half its resolution, when
// everything narrower than 2r+1 of those pixels is taken off.
func (s *highlights) opening(src *plane, r int) {
	s.half.halve(src)
	w, h := s.half.w, s.half.h
	s.open.reset(w, h)
	s.tmp.reset(w, h)
	n := max(w, h) + 2*r + 2
	if cap(s.buf) < 2*n {
		s.buf = make([]uint8, 2*n)
	}
	buf := s.buf[:2*n]
	colMinMax(&s.tmp, &s.half, r, false)
	for y := range h {
		row := s.tmp.pix[y*w : (y+1)*w]
		rankFilter(row, row, 1, w, r, false, buf)
		rankFilter(row, row, 1, w, r, true, buf)
	}
	colMinMax(&s.open, &s.tmp, r, true)
}

func satAdd(a, b uint8) uint8 {
	if a > 255-b {
		return 255
	}
	return a + b
}

// colMinMax runs a vertical minimum or maximum over 2r+1 rows, row by row,
// which keeps the memory access sequential.
func colMinMax(dst, src *plane, r int, most bool) {
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
			if most {
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
