package eye

import "image"

// lensBlur is the blur of a good lens in focus, as a standard deviation in
// pixels of a 640 pixel wide frame.
const lensBlur = 0.75

// expose turns light into an image: motion, lens, gain, sensor noise.
func (s *studio) expose() *image.Gray {
	v := &s.view
	scale := float32(v.w) / DefaultWidth
	s.smear(float32(v.c.MotionX)*scale, float32(v.c.MotionY)*scale)
	blur := float32(v.c.Defocus)
	s.soften(sqrt(lensBlur*lensBlur+blur*blur) * max(scale, 0.6))
	return s.digitise()
}

// smear averages the light along the way that the image moved.
func (s *studio) smear(mx, my float32) {
	length := sqrt(mx*mx + my*my)
	n := int(length + 0.5)
	if n < 1 {
		return
	}
	v := &s.view
	out := s.spare
	clear(out)
	for k := 0; k <= n; k++ {
		f := float32(k)/float32(n) - 0.5
		dx, dy := int(floor(f*mx+0.5)), int(floor(f*my+0.5))
		for y := range v.h {
			from := s.light[min(max(y+dy, 0), v.h-1)*v.w:][:v.w]
			to := out[y*v.w:][:v.w]
			lo, hi := max(0, -dx), min(v.w, v.w-dx)
			for x := range lo {
				to[x] += from[0]
			}
			src := from[lo+dx : hi+dx]
			for x, l := range src {
				to[lo+x] += l
			}
			for x := hi; x < v.w; x++ {
				to[x] += from[v.w-1]
			}
		}
	}
	inv := 1 / float32(n+1)
	for i := range out {
		out[i] *= inv
	}
	s.light, s.spare = out, s.light
}

// soften blurs by a bell of the given standard deviation: two passes of a box
// of fractional width, whose cost does not depend on the width.
func (s *studio) soften(sigma float32) {
	if sigma < 0.2 {
		return
	}
	// a box of width 2r+1 has variance ((2r+1)²−1)/12; two of them make sigma²
	r := (sqrt(6*sigma*sigma+1) - 1) / 2
	whole := int(r)
	part := r - float32(whole)
	for range 2 {
		s.boxRows(whole, part)
		s.boxColumns(whole, part)
	}
}

func (s *studio) boxRows(n int, part float32) {
	v := &s.view
	inv := 1 / (2*float32(n) + 1 + 2*part)
	w := v.w
	pad := n + 1
	if cap(s.sums) < w+2*pad {
		s.sums = make([]float32, w+2*pad+64)
	}
	for y := range v.h {
		row, out := s.light[y*w:(y+1)*w], s.spare[y*w:(y+1)*w]
		line := s.sums[:w+2*pad]
		for i := range pad {
			line[i], line[w+pad+i] = row[0], row[w-1]
		}
		copy(line[pad:], row)
		sum := float32(0)
		for _, l := range line[1 : 2*n+2] {
			sum += l
		}
		for x := range out {
			out[x] = (sum + part*(line[x]+line[x+2*pad])) * inv
			sum += line[x+2*n+2] - line[x+1]
		}
	}
	s.light, s.spare = s.spare, s.light
}

func (s *studio) boxColumns(n int, part float32) {
	v := &s.view
	inv := 1 / (2*float32(n) + 1 + 2*part)
	w, h := v.w, v.h
	if cap(s.sums) < w {
		s.sums = make([]float32, w)
	}
	sum := s.sums[:w]
	line := func(y int) []float32 { return s.light[min(max(y, 0), h-1)*w:][:w] }
	clear(sum)
	for k := -n; k <= n; k++ {
		for x, l := range line(k) {
			sum[x] += l
		}
	}
	for y := range h {
		out := s.spare[y*w:][:w]
		before, after, last := line(y-n-1), line(y+n+1), line(y-n)
		for x := range out {
			t := sum[x]
			b := after[x]
			out[x] = (t + part*(before[x]+b)) * inv
			sum[x] = t + b - last[x]
		}
	}
	s.light, s.spare = s.spare, s.light
}

// digitise applies gain and noise and rounds.
func (s *studio) digitise() *image.Gray {
	v := &s.view
	img := image.NewGray(image.Rect(0, 0, v.w, v.h))
	gain := gainOf(float32(v.c.Illumination))
	// part of the noise is the sensor's own, part grows with the light
	var deviation [256]float32
	for i := range deviation {
		l := float32(i) / 128
		deviation[i] = float32(v.c.Noise) * sqrt(0.4+0.6*l)
	}
	noise := tiles().sensors
	r := newRNG(v.c.Seed^v.c.frame, 0x4015e)
	for y := range v.h {
		at := int(r.next() & 0xffff)
		row := s.light[y*v.w:][:v.w]
		out := img.Pix[y*img.Stride:][:v.w]
		for x, l := range row {
			l = min(max(l*gain, 0), 255)
			l += noise[(at+x)&0xffff]*deviation[int(l)] + 0.5
			out[x] = uint8(min(max(l, 0), 255))
		}
	}
	return img
}

// gainOf is what the exposure makes of the illumination: cameras even out most
// of a difference.
func gainOf(illumination float32) float32 {
	if illumination >= 1 {
		return 1 + 0.35*(illumination-1)
	}
	return sqrt(max(illumination, 0.0016))
}
