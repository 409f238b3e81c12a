package target

import (
	"image"
	"math"
)

// How alike a picture must be to the pattern before anybody is shown it, as
// correlations: over the whole, and in the worst quarter of the ring where an
// iris would be. Half an iris behind a hole passes the first alone, so the
// second is what keeps it out.
const (
	alikeWhole   = 0.65
	alikeQuarter = 0.5
)

// Measure is what a picture of a pattern says of the camera or the scanner.
type Measure struct {
	// Sharp is the modulation that is left at 2 line pairs a millimetre, in the
	// worse direction, 0 to 1.
	Sharp float64
	// White and Black are the levels of paper and ink, 0 to 255; Even the
	// darkest corner's white over the brightest, 0 to 1.
	White, Black, Even float64
	// PerMM is the pixels a millimetre; Skew how far it is turned, in degrees
	// clockwise.
	PerMM, Skew float64
}

// Eye is an eye model that was found.
type Eye struct {
	Side Side
	Measure
	// Picture is the model alone, straightened, cut at its marks.
	Picture *image.Gray
}

// Page is a calibration page that was found.
type Page struct {
	Measure
	Picture *image.Gray
}

// FindEye finds an eye model in a camera's picture of one eye. It returns false
// unless all of it is there.
func FindEye(img *image.Gray) (Eye, bool) {
	best, found := Eye{}, false
	top := 0.0
	marks, k := marksOf(img)
	for _, side := range []Side{Left, Right} {
		p := eye(side)
		if s, like, ok := locate(img, marks, k, p); ok && like > top {
			top, found = like, true
			best = Eye{Side: side, Measure: s.measure(p), Picture: s.cut(p, 12)}
		}
	}
	return best, found
}

// FindPage finds the calibration page in a scan.
func FindPage(img *image.Gray) (Page, bool) {
	p := page()
	marks, k := marksOf(img)
	s, _, ok := locate(img, marks, k, p)
	if !ok {
		return Page{}, false
	}
	return Page{Measure: s.measure(p), Picture: s.cut(p, 4)}, true
}

func marksOf(img *image.Gray) ([]mark, int) {
	b := img.Bounds()
	if b.Dx() < 64 || b.Dy() < 48 || b.Dx()*b.Dy() > maxPixels || b.Min != (image.Point{}) {
		return nil, 1
	}
	p, k := newPlane(img)
	return p.finders(), k
}

// locate finds the marks that are the pattern's, upright or upside down.
func locate(img *image.Gray, marks []mark, k int, p *pattern) (best *seen, top float64, ok bool) {
	quads(marks, p, func(q [4]mark) {
		var to [4][2]float64
		for i, m := range q {
			to[i] = [2]float64{m.x * float64(k), m.y * float64(k)}
		}
		for _, turn := range []float64{1, -1} {
			x, y := turn*p.markX, turn*p.markY
			h, can := project([4][2]float64{{-x, -y}, {x, -y}, {x, y}, {-x, y}}, to)
			if !can {
				continue
			}
			s := &seen{img, h}
			if !s.inside(p) {
				continue
			}
			if whole, worst := s.alike(p); whole >= alikeWhole && worst >= alikeQuarter && whole > top {
				best, top, ok = s, whole, true
			}
		}
	})
	return best, top, ok
}

// measure reads the pattern.
func (s *seen) measure(p *pattern) Measure {
	patch := func(c [2]float64, r float64) float64 {
		sum, n := 0.0, 0.0
		for i := -4; i <= 4; i++ {
			for j := -4; j <= 4; j++ {
				sum, n = sum+s.level(c[0]+float64(i)*r/4, c[1]+float64(j)*r/4), n+1
			}
		}
		return sum / n
	}
	r := 1.5 * p.module * 0.5
	m := Measure{Black: patch(p.black, r), Even: 1}
	low, high := 256.0, 0.0
	for _, c := range p.whites {
		v := patch(c, r)
		m.White += v / 4
		low, high = min(low, v), max(high, v)
	}
	if high > 0 {
		m.Even = low / high
	}
	m.Sharp = 1
	for _, g := range p.gratings {
		m.Sharp = min(m.Sharp, s.modulation(g, m.White-m.Black))
	}
	x0, y0 := s.h.at(-p.markX, 0)
	x1, y1 := s.h.at(p.markX, 0)
	m.PerMM = math.Hypot(x1-x0, y1-y0) / (2 * p.markX)
	m.Skew = math.Atan2(y1-y0, x1-x0) * 180 / math.Pi
	if m.Skew > 90 {
		m.Skew -= 180
	} else if m.Skew < -90 {
		m.Skew += 180
	}
	return m
}

// modulation is the amplitude of a grating's first harmonic over that of perfect
// bars between white and black, 4/π of half their difference: the modulation
// transfer at its frequency.
func (s *seen) modulation(g grating, contrast float64) float64 {
	if contrast <= 1 {
		return 0
	}
	const rows = 9
	periods := math.Floor((g.half - 0.25) * 2 * linePairs)
	length := periods / linePairs
	n := int(length * linePairs * 24)
	total := 0.0
	for r := range rows {
		across := (float64(r)/(rows-1) - 0.5) * 1.4 * g.half
		var re, im float64
		for i := range n {
			along := (float64(i)/float64(n) - 0.5) * length
			x, y := g.x+across, g.y+along
			if g.upright {
				x, y = g.x+along, g.y+across
			}
			v, w := s.level(x, y), 2*math.Pi*linePairs*along
			re, im = re+v*math.Cos(w), im+v*math.Sin(w)
		}
		total += 2 * math.Hypot(re, im) / float64(n)
	}
	return min(1, total/rows/(contrast*2/math.Pi))
}
