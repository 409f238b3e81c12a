package eye

// castShadow fills dim: lashes and the rim of the upper lid throw their shadow
// on the eye a little below themselves, softly, since lamps are not points.
func (s *studio) castShadow() {
	v := &s.view
	s.dim = s.dim[:0]
	if v.c.Shadow <= 0 || v.a.study == nil {
		return
	}
	n := v.w * v.h
	if cap(s.dim) < n {
		s.dim, s.dimSpare = make([]float32, n), make([]float32, n)
	}
	s.dim, s.dimSpare = s.dim[:n], s.dimSpare[:n]
	r := newRNG(v.c.Seed, 0x5ad0)
	dx, dy := int(0.06*v.r*r.normal()), int(v.r*r.between(0.02, 0.16))
	deep := float32(v.c.Shadow) * v.a.study.bunch
	for y := range v.h {
		row := s.dim[y*v.w : (y+1)*v.w]
		from := s.lashes.v[min(max(y-dy, 0), v.h-1)*v.w:][:v.w]
		for x := range row {
			row[x] = float32(from[min(max(x-dx, 0), v.w-1)]) * (1.0 / 255)
		}
	}
	soft := int(v.r * r.between(0.02, 0.07))
	for range 2 {
		s.boxAround(soft)
	}
	lid := 0.3 * deep
	reach := r.between(0.12, 0.45)
	for y := range v.h {
		row := s.dim[y*v.w : (y+1)*v.w]
		p := v.toEye(point{0, float32(y)})
		stepX, stepY := v.flip*v.cosR/v.r, -v.sinR/v.r
		for x, c := range row {
			ex, ey := p.x+float32(x)*stepX, p.y+float32(x)*stepY
			up, _ := v.lids.marginsAt(ex)
			under := 1 - step(0, reach, ey-up)
			row[x] = max(1-deep*c, 0.15) * (1 - min(lid*under, 0.7))
		}
	}
}

// boxAround averages dim over squares of 2n+1 pixels.
func (s *studio) boxAround(n int) {
	v := &s.view
	boxLines(s.dim, s.dimSpare, v.w, 1, v.h, v.w, n)
	boxLines(s.dimSpare, s.dim, v.h, v.w, v.w, 1, n)
}

// boxLines averages lines of length values that lie step apart, over 2n+1 values.
func boxLines(from, to []float32, length, step, lines, next, n int) {
	inv := 1 / float32(2*n+1)
	for l := range lines {
		at := func(i int) float32 { return from[l*next+min(max(i, 0), length-1)*step] }
		sum := float32(0)
		for i := -n; i <= n; i++ {
			sum += at(i)
		}
		for i := range length {
			to[l*next+i*step] = sum * inv
			sum += at(i+n+1) - at(i-n)
		}
	}
}
