// Package target is the technician's test objects: the eye model, printed twice
// on a sheet that is held where a person's eyes would be, and the calibration
// page for a scanner. It draws them, finds them in a picture, and measures what
// the camera or the scanner made of them.
//
// It is also what keeps people out of a technician's sight. A picture goes to a
// technician only through [FindEye] or [FindPage]: they return nothing unless all
// four marks are there and everything between them is the printed pattern, and
// then they return that pattern alone, straightened and cut at its marks. An eye
// behind a hole in the sheet is not the pattern; nor is a page laid on the marks.
//
// The package never reads a file or a device, never recognises anybody, and knows
// no person. Marks are of the ratio 1:1:3:1:1 in black and white, as the finder
// patterns of ISO/IEC 18004; sharpness is the modulation left at 2 line pairs a
// millimetre, the measure of ISO/IEC 19794-6:2005, annex A.
package target

import (
	"image"
	"math"
)

// Side says which of the two eye models it is.
type Side int

// Sides, of the person who would sit there.
const (
	Left  Side = 1
	Right Side = 2
)

// Sizes of the eye model in millimetres, from its centre.
const (
	eyeMarkX, eyeMarkY = 11.5, 8.0 // of the marks
	eyeModule          = 0.6       // a mark is seven modules wide
	pupilRadius        = 2.0
	sectorsFrom        = 2.4
	sectorsTo          = 5.3
	limbusRadius       = 5.7
	sectors            = 16

	// EyeWidth and EyeHeight are the printed size of one eye model.
	EyeWidth, EyeHeight = 2*eyeMarkX + 9*eyeModule, 2*eyeMarkY + 9*eyeModule
	// EyesApart is how far apart the centres of the two models are on the sheet.
	EyesApart = 63.0
)

// Sizes of the calibration page in millimetres: that of a passport's page (Doc
// 9303, part 4: TD3).
const (
	PageWidth, PageHeight = 125.0, 88.0
	pageMarkX, pageMarkY  = 56.0, 37.5
	pageModule            = 1.0
)

// grating is a patch of black and white bars, 2 line pairs a millimetre.
type grating struct {
	x, y, half float64 // centre and half its side
	upright    bool    // bars go up and down: it measures across
}

const linePairs = 2.0 // a millimetre

// pattern is what is printed: its marks, and ink at every place.
type pattern struct {
	markX, markY, module float64
	gratings             []grating
	whites               [4][2]float64
	black                [2]float64
	// inner is how much ink there is between the marks, 0 to 1.
	inner func(x, y float64) float64
	// tell reports the places that must be the pattern, besides the marks; prove
	// those of them that must be it in every quarter: where an iris would be.
	tell, prove func(x, y float64) bool
}

// ink is how black the pattern is at a place in millimetres from its centre.
func (p *pattern) ink(x, y float64) float64 {
	for _, sx := range []float64{-1, 1} {
		for _, sy := range []float64{-1, 1} {
			dx, dy := math.Abs(x-sx*p.markX)/p.module, math.Abs(y-sy*p.markY)/p.module
			if d := max(dx, dy); d < 4.5 { // with the light border
				if d < 1.5 || d >= 2.5 && d < 3.5 {
					return 1
				}
				return 0
			}
		}
	}
	for _, g := range p.gratings {
		if math.Abs(x-g.x) < g.half && math.Abs(y-g.y) < g.half {
			v := y - g.y
			if g.upright {
				v = x - g.x
			}
			if math.Mod(v*linePairs+1000, 1) < 0.5 {
				return 1
			}
			return 0
		}
	}
	return p.inner(x, y)
}

// eye is the model of one side. A bar stands above, on the nose's side, so that
// exchanged cables are seen, and a sheet that is upside down is not taken for them.
func eye(s Side) *pattern {
	bar := -8.4 // as a camera sees the subject's left eye, the nose is on its left
	if s == Right {
		bar = 8.4
	}
	return &pattern{
		markX: eyeMarkX, markY: eyeMarkY, module: eyeModule,
		gratings: []grating{{0, -8, 1.75, true}, {0, 8, 1.75, false}},
		whites:   [4][2]float64{{-6.6, -5}, {6.6, -5}, {-6.6, 5}, {6.6, 5}},
		black:    [2]float64{0, 0},
		inner: func(x, y float64) float64 {
			r := math.Hypot(x, y)
			switch {
			case r < pupilRadius, r >= sectorsTo && r < limbusRadius:
				return 1
			case r >= sectorsFrom && r < sectorsTo:
				if int(math.Floor((math.Atan2(y, x)+math.Pi)/math.Pi*sectors/2*2))%2 == 0 {
					return 1
				}
			case math.Abs(x-bar) < 0.7 && y > -4.4 && y < -0.6:
				return 1
			}
			return 0
		},
		tell: func(x, y float64) bool {
			return math.Hypot(x, y) < limbusRadius+0.5 || math.Abs(math.Abs(x)-8.4) < 1.2 && math.Abs(y) < 4.8
		},
		prove: func(x, y float64) bool {
			r := math.Hypot(x, y)
			return r > sectorsFrom && r < sectorsTo
		},
	}
}

// wedge is the page's row of grey fields: how much ink each has.
var wedge = [...]float64{0, 0.15, 0.3, 0.5, 0.7, 0.85, 1}

func page() *pattern {
	p := &pattern{
		markX: pageMarkX, markY: pageMarkY, module: pageModule,
		gratings: []grating{{-30, 0, 5, true}, {30, 0, 5, false}},
		whites:   [4][2]float64{{-46, -26}, {46, -26}, {-46, 26}, {46, 26}},
		black:    [2]float64{0, 0},
		inner: func(x, y float64) float64 {
			switch {
			case math.Abs(x) < 6 && math.Abs(y) < 6:
				return 1
			case y >= 14 && y < 22 && math.Abs(x) < 35:
				return wedge[min(int((x+35)/10), len(wedge)-1)]
			case y >= -22 && y < -14 && math.Abs(x) < 35 && int(math.Floor((x+35)/5))%2 == 0:
				return 1
			}
			return 0
		},
		tell: func(x, y float64) bool {
			return math.Abs(x) < 40 && math.Abs(y) < 25 && (math.Abs(math.Abs(x)-30) > 5.5 || math.Abs(y) > 5.5)
		},
	}
	p.prove = p.tell
	return p
}

// DrawEye draws one eye model into the middle of a picture, as a camera with so
// many pixels a millimetre sees it under light that makes paper as bright as
// white, 0 to 255.
func DrawEye(s Side, width, height int, perMM float64, white uint8) *image.Gray {
	return render(eye(s), width, height, perMM, white)
}

// DrawPage draws the calibration page at so many dots an inch, whole.
func DrawPage(dpi int) *image.Gray {
	k := float64(dpi) / 25.4
	return render(page(), int(math.Round(PageWidth*k)), int(math.Round(PageHeight*k)), k, 250)
}

// render draws a pattern with smooth edges: each pixel is the mean of 16 places.
func render(p *pattern, width, height int, perMM float64, white uint8) *image.Gray {
	const n = 4
	img := image.NewGray(image.Rect(0, 0, width, height))
	black := float64(white) * 0.06 // ink is not quite black
	reachX, reachY := p.markX+4.5*p.module, p.markY+4.5*p.module
	for y := range height {
		for x := range width {
			cx, cy := (float64(x)+0.5-float64(width)/2)/perMM, (float64(y)+0.5-float64(height)/2)/perMM
			ink := 0.0
			if math.Abs(cx) < reachX+1 && math.Abs(cy) < reachY+1 {
				for i := range n * n {
					ink += p.ink(cx+(float64(i%n)+0.5-n/2)/n/perMM, cy+(float64(i/n)+0.5-n/2)/n/perMM)
				}
				ink /= n * n
			}
			img.Pix[y*img.Stride+x] = uint8(float64(white)*(1-ink) + black*ink + 0.5)
		}
	}
	return img
}
