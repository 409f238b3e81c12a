package eye

import (
	"image"
	"math"
	"math/rand/v2"

	"tambo/kiosk"
)

// Attacks are drawn to test what looks for them. They are drawn after what is
// known of printers and lenses, not after the detector: a screen of clustered
// dots at some angle, seen by a camera with its own blur and noise; rows of
// pigment dots on a lens that sits a little beside the iris.

// Screen is how a picture was printed and shown to the camera.
type Screen struct {
	Pitch    float64 // distance of dots in pixels of the camera, 2 to 12
	Angle    float64 // of the screen, degrees
	Contrast float64 // of ink on paper, 0 to 1
	Blur     float64 // of the camera, standard deviation in pixels
	Noise    float64 // standard deviation, grey levels
	Seed     uint64
}

// RandomScreen returns a print as somebody would show one: dots of 3 to 7
// pixels, which is what 60 to 150 lines an inch become where an iris is 240
// pixels wide, and a camera that is about in focus.
func RandomScreen(rng *rand.Rand) Screen {
	return Screen{
		Pitch: between(rng, 3, 7), Angle: between(rng, 0, 90), Contrast: between(rng, 0.5, 1),
		Blur: between(rng, 0.6, 1.4), Noise: between(rng, 2, 5), Seed: rng.Uint64(),
	}
}

// Print returns a printed picture of img as the camera sees it. Nothing on it
// shines: reflections are as white as paper.
func Print(img *image.Gray, s Screen) *image.Gray {
	const sub = 3
	wave := func(t float64) float64 { return wavesOf[int((t-math.Floor(t))*float64(len(wavesOf)))&(len(wavesOf)-1)] }
	b := img.Rect
	w, h := b.Dx(), b.Dy()
	pitch := min(max(s.Pitch, 2), 12)
	sin, cos := math.Sincos(s.Angle * math.Pi / 180)
	const paper = 205.0
	ink := paper * (1 - 0.85*min(max(s.Contrast, 0), 1))
	plane := make([]float32, w*h)
	for y := range h {
		for x := range w {
			tone := float64(img.Pix[img.PixOffset(b.Min.X+x, b.Min.Y+y)]) / 230
			covered := 0
			for k := range sub * sub {
				fx, fy := float64(x)+float64(k%sub)/sub, float64(y)+float64(k/sub)/sub
				// the classic spot function: 0 at a dot's middle, 1 between dots
				spot := 0.5 - 0.25*(wave((fx*cos+fy*sin)/pitch)+wave((fy*cos-fx*sin)/pitch))
				if spot > tone {
					covered++
				}
			}
			c := float64(covered) / (sub * sub)
			plane[y*w+x] = float32(paper + (ink-paper)*c)
		}
	}
	smear(plane, w, h, s.Blur)
	r := newRNG(s.Seed, 0xd075)
	out := image.NewGray(image.Rect(0, 0, w, h))
	for i, v := range plane {
		v += float32(s.Noise) * r.normal()
		out.Pix[i] = uint8(min(max(v, 0), 255))
	}
	return out
}

// wavesOf is one wave of the cosine.
var wavesOf = func() (w [1024]float64) {
	for i := range w {
		w[i] = math.Cos(2 * math.Pi * float64(i) / 1024)
	}
	return w
}()

// smear blurs a plane with a Gaussian.
func smear(p []float32, w, h int, sigma float64) {
	n := int(3*sigma + 1)
	kernel, total := make([]float32, 2*n+1), float32(0)
	for i := range kernel {
		d := float64(i - n)
		kernel[i] = float32(math.Exp(-d * d / (2 * max(sigma, 0.1) * max(sigma, 0.1))))
		total += kernel[i]
	}
	pass := func(from, to []float32, length, step, lines, next int) {
		for l := range lines {
			for i := range length {
				var v float32
				for k, g := range kernel {
					j := min(max(i+k-n, 0), length-1)
					v += g * from[l*next+j*step]
				}
				to[l*next+i*step] = v / total
			}
		}
	}
	other := make([]float32, len(p))
	pass(p, other, w, 1, h, w)
	pass(other, p, h, w, w, 1)
}

// Lens is a contact lens with a printed pattern.
type Lens struct {
	Rows   int     // of dots, from the clear middle outwards, 3 to 14
	Dots   int     // in a row, 30 to 140
	Size   float64 // of a dot against the distance to its neighbour, 0.3 to 1
	Dark   float64 // how much darker a dot is than what lies under it; negative: brighter. −0.6 to 0.6
	Jitter float64 // how irregular the pattern is, of the distance between dots, 0 to 0.5
	Clear  float64 // radius of the clear middle in iris radii, 0.4 to 0.7
	OffX   float64 // how far the lens sits beside the iris, in iris radii, ±0.1
	OffY   float64
	Seed   uint64
}

// RandomLens returns a lens like those that are sold: 50 to 110 dots in 5 to 11
// rows, a little irregular, a little off centre.
func RandomLens(rng *rand.Rand) Lens {
	l := Lens{
		Rows: 5 + rng.IntN(7), Dots: 50 + rng.IntN(61), Size: between(rng, 0.45, 0.8), Dark: between(rng, 0.2, 0.5),
		Jitter: between(rng, 0, 0.2), Clear: between(rng, 0.45, 0.62),
		OffX: between(rng, -0.04, 0.04), OffY: between(rng, -0.04, 0.04), Seed: rng.Uint64(),
	}
	if rng.Float64() < 0.4 { // light pigment
		l.Dark = -l.Dark
	}
	return l
}

// DrawLens draws an eye that wears l.
func DrawLens(p Person, e kiosk.Eye, c Conditions, l Lens, width, height int) *image.Gray {
	img := Draw(p, e, c, width, height)
	truth := TruthOf(p, e, c, width, height)
	r := truth.Iris.Radius()
	cx, cy := truth.Iris.X+l.OffX*r, truth.Iris.Y+l.OffY*r
	rows, dots := min(max(l.Rows, 3), 14), min(max(l.Dots, 30), 140)
	inner, outer := min(max(l.Clear, 0.4), 0.7)*r, 0.97*r
	step := (outer - inner) / float64(rows)
	jitter := newRNG(l.Seed, 0x1e75)
	shift := make([][2]float64, rows*dots)
	for i := range shift {
		shift[i] = [2]float64{l.Jitter * float64(jitter.signed()), l.Jitter * float64(jitter.signed())}
	}
	soft := max(c.Defocus, 0.7)
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			i := y*img.Stride + x
			if truth.Mask.Pix[y*truth.Mask.Stride+x] == 0 {
				continue
			}
			d, a := math.Hypot(float64(x)-cx, float64(y)-cy), math.Atan2(float64(y)-cy, float64(x)-cx)
			row := int((d - inner) / step)
			if d < inner || row >= rows {
				continue
			}
			turn := (a/(2*math.Pi) + 1) * float64(dots)
			if row%2 == 1 {
				turn += 0.5
			}
			k := int(turn)
			s := shift[row*dots+k%dots]
			arc := 2 * math.Pi * d / float64(dots) // distance of neighbours here
			du := (turn - float64(k) - 0.5 - s[0]) * arc
			dv := d - inner - (float64(row)+0.5+s[1])*step
			size := l.Size * min(arc, step) / 2
			edge := (size - math.Hypot(du, dv)) / soft
			cover := min(max(0.5+edge/2, 0), 1)
			img.Pix[i] = uint8(min(max(float64(img.Pix[i])*(1-l.Dark*cover), 0), 255))
		}
	}
	return img
}
