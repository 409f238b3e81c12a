// Package attack looks for signs that an iris camera was shown something other
// than a live eye without disguise (ISO/IEC 30107-1, presentation attack): the
// dots of a printed picture, the pattern of a printed contact lens, a pupil that
// does not move.
//
// Every sign is a signal with a score; the package never refuses a capture,
// never decides anything about a person, keeps no image and knows no camera. The
// limits at which a signal is called strong were set on generated eyes, and the
// errors (APCER and BPCER, ISO/IEC 30107-3) measured on generated attacks and,
// for live eyes only, on research images; docs/IRIS.md has them. Attacks that
// nobody drew for the tests, such as prosthetic eyes, screens with more pixels
// than the camera, or a print whose dots the camera cannot resolve, are not
// detected.
package attack

import (
	"image"
	"math"

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// Limits beyond which a signal is strong. Scores are explained at each check.
const (
	PrintLimit = 1.2
	LensLimit  = 0.7
	StillLimit = 2.0
)

// Examine looks at one image for printing dots and a patterned lens. A sign that
// cannot be judged, because the iris is too small or out of the picture, is
// left out.
func Examine(img *image.Gray, seg *iris.Segmentation) []kiosk.AttackSignal {
	var out []kiosk.AttackSignal
	if img == nil || seg == nil || img.Rect.Dx() > iris.MaxPixels/max(img.Rect.Dy(), 1) {
		return nil
	}
	if s, ok := printed(img, seg); ok {
		out = append(out, signal(kiosk.AttackPrint, s, PrintLimit))
	}
	if s, ok := patterned(img, seg); ok {
		out = append(out, signal(kiosk.AttackLens, s, LensLimit))
	}
	return out
}

func signal(k kiosk.AttackKind, score, limit float64) kiosk.AttackSignal {
	return kiosk.AttackSignal{Kind: k, Score: math.Round(score*100) / 100, Strong: score > limit}
}

// tile is the side of the squares whose spectra are averaged, in pixels.
const tile = 64

// printed scores printing dots. A printer's screen is a lattice of dots: in the
// spectrum, averaged over overlapping tiles of the eye, it stands as isolated
// peaks in pairs of directions, while lashes, lids and the iris itself spread
// over neighbouring frequencies. The score is the decimal logarithm of the
// second strongest such peak against the median of the frequencies as high;
// peaks on the axes are left out, where cameras with interlaced or unevenly
// amplified rows have peaks of their own.
func printed(img *image.Gray, seg *iris.Segmentation) (float64, bool) {
	c, r := seg.Limbus.Center, seg.Limbus.Radius()
	area := image.Rect(int(c.X-1.4*r), int(c.Y-1.2*r), int(c.X+1.4*r)+1, int(c.Y+1.2*r)+1).Intersect(img.Rect)
	if area.Dx() < 2*tile || area.Dy() < 2*tile {
		return 0, false
	}
	var sum [tile * tile]float64
	f := newFFT(tile)
	n := 0
	for y := area.Min.Y; y+tile <= area.Max.Y; y += tile / 2 {
		for x := area.Min.X; x+tile <= area.Max.X; x += tile / 2 {
			var block [tile * tile]complex128
			if !cut(&block, img, x, y) {
				continue
			}
			f.plane(block[:])
			add(&sum, &block)
			n++
		}
	}
	if n < 4 {
		return 0, false
	}
	return peaks(&sum), true
}

// cut takes a tile, its mean removed and its edges faded (Hann). Saturated
// tiles, and those without contrast, say nothing.
func cut(block *[tile * tile]complex128, img *image.Gray, x0, y0 int) bool {
	var mean, square float64
	bright := 0
	for y := range tile {
		row := img.Pix[img.PixOffset(x0, y0+y):]
		for x := range tile {
			v := float64(row[x])
			mean += v
			square += v * v
			if row[x] >= 250 {
				bright++
			}
		}
	}
	mean /= tile * tile
	if v := square/(tile*tile) - mean*mean; v < 4 || bright > tile*tile/8 {
		return false
	}
	for y := range tile {
		row := img.Pix[img.PixOffset(x0, y0+y):]
		for x := range tile {
			block[y*tile+x] = complex((float64(row[x])-mean)*hann[x]*hann[y], 0)
		}
	}
	return true
}

var hann = func() (w [tile]float64) {
	for i := range w {
		w[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/tile)
	}
	return w
}()

// add adds a tile's spectrum, each tile of equal weight: its power is divided by
// the power of the frequencies that are looked at.
func add(sum *[tile * tile]float64, block *[tile * tile]complex128) {
	var total float64
	for k, z := range block {
		if p := real(z)*real(z) + imag(z)*imag(z); looked(k%tile, k/tile) {
			total += p
		}
	}
	if total <= 0 {
		return
	}
	for k, z := range block {
		sum[k] += (real(z)*real(z) + imag(z)*imag(z)) / total
	}
}

// signed is a frequency as a number of waves over the tile.
func signed(k int) int {
	if k > tile/2 {
		return k - tile
	}
	return k
}

// looked reports whether a frequency may hold a screen's peak: waves of 2.1 to
// 9 pixels, off the axes.
func looked(u, v int) bool {
	x, y := signed(u), signed(v)
	r := math.Hypot(float64(x), float64(y))
	return r >= tile/9.0 && r <= tile/2.1 && (x < -2 || x > 2) && (y < -2 || y > 2)
}

// peaks returns the score of an averaged spectrum.
func peaks(sum *[tile * tile]float64) float64 {
	// the median of each ring of frequencies is the ground on which peaks stand
	var rings [tile][]float64
	for k, p := range sum {
		if x, y := k%tile, k/tile; looked(x, y) {
			r := ring(x, y)
			rings[r] = append(rings[r], p)
		}
	}
	var ground [tile]float64
	for r := range rings {
		ground[r] = median(rings[r])
	}
	type peak struct {
		x, y int
		s    float64
	}
	var first, second peak
	for y := range tile / 2 { // the other half mirrors it
		for x := range tile {
			if !looked(x, y) || !summit(sum, x, y) {
				continue
			}
			g := ground[ring(x, y)]
			if g <= 0 {
				continue
			}
			p := peak{signed(x), y, math.Log10(sum[y*tile+x] / g)}
			switch {
			case p.s > first.s:
				// of two neighbours one is the other's skirt
				if apart(p.x-first.x, p.y-first.y) && apart(p.x+first.x, p.y+first.y) {
					second = first
				}
				first = p
			case p.s > second.s && apart(p.x-first.x, p.y-first.y) && apart(p.x+first.x, p.y+first.y):
				second = p
			}
		}
	}
	return second.s
}

func apart(dx, dy int) bool { return dx*dx+dy*dy > 16 }

func ring(x, y int) int {
	return int(math.Hypot(float64(signed(x)), float64(signed(y))) + 0.5)
}

// summit reports whether a frequency stands above its eight neighbours and well
// above those two away: narrow.
func summit(sum *[tile * tile]float64, x, y int) bool {
	at := func(dx, dy int) float64 { return sum[(y+dy+tile)%tile*tile+(x+dx+tile)%tile] }
	p := at(0, 0)
	var around float64
	for dy := -3; dy <= 3; dy++ {
		for dx := -3; dx <= 3; dx++ {
			if far := max(dx, -dx, dy, -dy); far == 1 && at(dx, dy) > p {
				return false
			} else if far == 3 {
				around += at(dx, dy) / 24
			}
		}
	}
	return p > 4*around
}
