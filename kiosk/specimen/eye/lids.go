package eye

// Extent of everything that is tabulated over the eye's coordinates, in iris
// radii either side of the iris.
const (
	spanX = 4
	spanY = 3
	// columns of the lid tables over [-spanX, spanX]
	lidColumns   = 1024
	columnsPerIR = lidColumns / (2 * spanX)
)

// knot is a point of an outline: place between the corners of the eye (-1
// temporal, +1 nasal) and height.
type knot struct{ t, h float32 }

// lidShape is how a person's eye opens.
type lidShape struct {
	centreX   float32 // middle between the corners
	halfWidth float32 // from there to either corner
	baseY     float32 // height of the line between the corners at x = centreX
	tilt      float32 // its slope: the nasal corner is the lower one
	upper     float32 // top of the opening above the line
	lower     float32 // bottom of it below the line
	upperArch []knot
	lowerArch []knot
	crease    float32 // distance of the fold above the upper margin; 0 for none
}

func newLidShape(face, own *rng) lidShape {
	s := lidShape{
		centreX:   face.between(-0.16, 0.12),
		halfWidth: face.between(2.35, 2.62),
		baseY:     face.between(0.10, 0.32),
		tilt:      face.between(0.00, 0.11),
	}
	s.upper = s.baseY + face.between(0.84, 1.06) + own.between(-0.04, 0.04)
	s.lower = face.between(0.98, 1.16) + own.between(-0.03, 0.03) - s.baseY
	peak := face.between(-0.10, 0.12)
	full := face.between(-0.05, 0.06)
	s.upperArch = []knot{{-1, 0}, {-0.95, 0.17}, {-0.78, 0.54 + full}, {-0.46, 0.87 + full/2}, {peak, 1}, {0.42, 0.91 + full/2}, {0.66, 0.69 + full}, {0.83, 0.42}, {0.94, 0.19}, {1, 0}}
	s.lowerArch = []knot{{-1, 0}, {-0.94, 0.22}, {-0.76, 0.60 + full}, {-0.45, 0.91}, {-peak / 2, 1}, {0.38, 0.92 + full/2}, {0.64, 0.70 + full}, {0.82, 0.38}, {0.93, 0.15}, {1, 0}}
	if face.f() < 0.75 {
		s.crease = face.between(0.30, 0.62)
	}
	return s
}

// arch evaluates an outline by monotone cubic interpolation (Fritsch and
// Carlson's condition through harmonic means), 0 beyond the corners.
func arch(k []knot, t float32) float32 {
	if t <= k[0].t || t >= k[len(k)-1].t {
		return 0
	}
	i := 0
	for t > k[i+1].t {
		i++
	}
	slope := func(i int) float32 {
		if i <= 0 {
			return (k[1].h - k[0].h) / (k[1].t - k[0].t)
		}
		if i >= len(k)-1 {
			return (k[i].h - k[i-1].h) / (k[i].t - k[i-1].t)
		}
		a := (k[i].h - k[i-1].h) / (k[i].t - k[i-1].t)
		b := (k[i+1].h - k[i].h) / (k[i+1].t - k[i].t)
		if a*b <= 0 {
			return 0
		}
		return 2 * a * b / (a + b)
	}
	w := k[i+1].t - k[i].t
	f := (t - k[i].t) / w
	f2, f3 := f*f, f*f*f
	return (2*f3-3*f2+1)*k[i].h + (f3-2*f2+f)*w*slope(i) + (3*f2-2*f3)*k[i+1].h + (f3-f2)*w*slope(i+1)
}

// place returns where x lies between the corners, and the line between them.
func (s *lidShape) place(x float32) (t, base float32) {
	return (x - s.centreX) / s.halfWidth, s.baseY + s.tilt*(x-s.centreX)
}

// margins returns the heights of the two lid margins at x for the given
// openings and downward gaze, which the upper lid follows. An upper lid at 0 lies
// on the lower one wherever that is. The margins never cross.
func (s *lidShape) margins(x, openUpper, openLower, down float32) (upper, lower float32) {
	t, base := s.place(x)
	u, l := arch(s.upperArch, t), arch(s.lowerArch, t)
	raised := base + 0.62*s.lower*l
	lower = raised + openLower*(base+s.lower*l-raised) + 0.25*down*l*min(openLower, 1)
	upper = lower + openUpper*(base-s.upper*u-lower) + 0.55*down*u*min(openUpper, 1)
	return upper, max(lower, upper)
}

// lidTable is the lids of one capture, per column of the eye's coordinates.
type lidTable struct {
	upper, lower [lidColumns + 1]float32 // margins
	upperSlant   [lidColumns + 1]float32 // cosine of the margin's slope: vertical distance → distance
	lowerSlant   [lidColumns + 1]float32
	fade         [lidColumns + 1]float32 // 1 between the corners, 0 beyond them
	upperSkin    [lidColumns + 1]float32 // how the skin plate is stretched above and below
	lowerSkin    [lidColumns + 1]float32
}

func (t *lidTable) fill(s *lidShape, openUpper, openLower, down float32) {
	for i := range t.upper {
		x := float32(i)/columnsPerIR - spanX
		restU, restL := s.margins(x, 1, 1, 0)
		u, l := s.margins(x, openUpper, openLower, down)
		t.upper[i], t.lower[i] = u, l
		at, _ := s.place(x)
		t.fade[i] = (1 - step(0.93, 1.03, abs(at)))
		t.upperSkin[i] = (restU + spanY) / (u + spanY)
		t.lowerSkin[i] = (spanY - restL) / (spanY - l)
	}
	slants(t.upper[:], t.upperSlant[:])
	slants(t.lower[:], t.lowerSlant[:])
}

func slants(y, out []float32) {
	for i := range y {
		a, b := max(i-1, 0), min(i+1, len(y)-1)
		d := (y[b] - y[a]) * columnsPerIR / float32(b-a)
		out[i] = 1 / sqrt(1+d*d)
	}
}
