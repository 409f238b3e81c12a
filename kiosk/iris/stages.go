package iris

import "image"

// Stages are pictures of what [Engine.Process] saw on its way to the last
// template, for a reader who wants to look: documentation and engineering.
type Stages struct {
	Spread *image.Gray // the plane on which pupils are looked for: reflections filled, dark tones spread
	Sheet  *image.Gray // the unrolled iris, 512 angles × 64 radii
	Usable *image.Gray // 255 where a cell of Sheet is coded, else 0
	Code   *image.Gray // 256 angles × 64 rows of bits: 0 and 255, masked bits 128
}

// Stages returns pictures of the last image processed. They are copies.
func (e *Engine) Stages() Stages {
	d := &e.seg.dark
	s := Stages{
		Spread: image.NewGray(image.Rect(0, 0, d.w, d.h)),
		Sheet:  image.NewGray(image.Rect(0, 0, sheetW, sheetH)),
		Usable: image.NewGray(image.Rect(0, 0, sheetW, sheetH)),
		Code:   image.NewGray(image.Rect(0, 0, codeW, codeRows)),
	}
	copy(s.Spread.Pix, d.pix)
	sh, c := &e.sheets[0], &e.codes[0]
	for i := range sh.val {
		s.Sheet.Pix[i] = uint8(min(max(sh.val[i], 0), 255))
		s.Usable.Pix[i] = 255 * sh.good[i]
	}
	for row := range codeRows {
		for x := range codeW {
			w, bit := row*codeWords+x/64, uint(x%64)
			v := uint8(128)
			if c.mask[w]>>bit&1 != 0 {
				v = uint8(c.bits[w]>>bit&1) * 255
			}
			s.Code.Pix[row*codeW+x] = v
		}
	}
	return s
}
