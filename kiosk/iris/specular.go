package iris

// highlights finds bright spots narrower than the opening window (reflections
// of the illuminators, wet lid rims) and replaces them by what surrounds them.
//
// The white top-hat (image minus its opening) is compared with a share of the
// image's own grey range, so that no absolute level is needed. mask holds 1
// where a pixel was replaced.
type highlights struct {
	half, open plane // at half the resolution, which is enough for a background
	filled     plane
	mask       plane
	buf        []uint8
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
	// Both steps run over a frame that adds nothing: white for the least, black
	// for the greatest of what is around.
	fw, fh := w+2*r, h+2*r
	if cap(s.buf) < fw*fh {
		s.buf = make([]uint8, fw*fh)
	}
	buf := s.buf[:fw*fh]
	fill(buf, 255)
	for y := range h {
		copy(buf[(y+r)*fw+r:], s.half.pix[y*w:(y+1)*w])
	}
	windows(buf, fw, r, least)
	// What was found about pixel (x, y) lies at (x, y); take it to (x+r, y+r).
	for y := h - 1; y >= 0; y-- {
		row := buf[(y+r)*fw:][:fw]
		copy(row[r:], buf[y*fw:y*fw+w])
		clear(row[:r])
		clear(row[r+w:])
	}
	clear(buf[:r*fw])
	clear(buf[(h+r)*fw:])
	windows(buf, fw, r, greatest)
	for y := range h {
		copy(s.open.pix[y*w:(y+1)*w], buf[y*fw:])
	}
}

func fill(b []uint8, v uint8) {
	for i := range b {
		b[i] = v
	}
}

func satAdd(a, b uint8) uint8 {
	if a > 255-b {
		return 255
	}
	return a + b
}
