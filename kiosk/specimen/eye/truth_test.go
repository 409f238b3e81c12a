package eye

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"tambo/kiosk"
)

// The truth is checked against pixels: dark ones for the pupil, the steepest
// rise along rays for the limbus. Everything moves at once, so that a wrong
// sign or order of rolling, looking and mirroring shows.
func TestTruthIsWhereTheImageSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	worstCentre, worstSize, worstLimbus := 0.0, 0.0, 0.0
	for i := range 24 {
		c := Ordinary()
		c.Seed = rng.Uint64()
		c.Speculars, c.Lashes, c.Noise = 0, 0, 0.5
		c.UpperLid, c.LowerLid = 1.4, 1.4
		c.IrisDiameter = between(rng, 190, 240)
		c.OffsetX, c.OffsetY = between(rng, -25, 25), between(rng, -15, 15)
		c.GazeX, c.GazeY = between(rng, -22, 22), between(rng, -4, 4)
		c.Roll, c.Torsion = between(rng, -20, 20), between(rng, -5, 5)
		c.Pupil = between(rng, 0.25, 0.6)
		p, e := NewPerson(uint64(i)), kiosk.BothEyes[i%2]
		img, truth := Draw(p, e, c, 0, 0), TruthOf(p, e, c, 0, 0)
		r := truth.Iris.Radius()

		n, sx, sy := 0.0, 0.0, 0.0
		for y := range img.Rect.Dy() {
			for x := range img.Rect.Dx() {
				inside := math.Hypot(float64(x)-truth.Iris.X, float64(y)-truth.Iris.Y) < 0.85*r
				if inside && img.GrayAt(x, y).Y < 45 {
					n, sx, sy = n+1, sx+float64(x), sy+float64(y)
				}
			}
		}
		worstCentre = max(worstCentre, math.Hypot(sx/n-truth.Pupil.X, sy/n-truth.Pupil.Y)/r)
		worstSize = max(worstSize, math.Abs(math.Sqrt(n/math.Pi)-truth.Pupil.Radius())/r)
		worstLimbus = max(worstLimbus, limbusError(img, truth.Iris))
	}
	t.Logf("in iris radii: pupil centre off by at most %.4f, pupil radius by %.4f, limbus by %.4f on average along it", worstCentre, worstSize, worstLimbus)
	if worstCentre > 0.012 || worstSize > 0.015 || worstLimbus > 0.03 {
		t.Error("the truth is not where the image shows it")
	}
}

// limbusError is the mean distance, in radii, between the outline and the
// middle of the rise from iris to sclera on the sides of the iris.
func limbusError(img *image.Gray, e Ellipse) float64 {
	sum, n := 0.0, 0
	for deg := 0; deg < 360; deg += 3 {
		a := float64(deg) * math.Pi / 180
		if s := math.Abs(math.Sin(a)); s > 0.5 {
			continue
		}
		ca, cb := math.Cos(a-e.Angle)/e.A, math.Sin(a-e.Angle)/e.B
		edge := 1 / math.Hypot(ca, cb) // of the ellipse in this direction
		mean := func(from, to float64) float64 {
			s, k := 0.0, 0.0
			for d := from; d < to; d += 0.01 {
				x, y := int(e.X+edge*d*math.Cos(a)+0.5), int(e.Y+edge*d*math.Sin(a)+0.5)
				if !(image.Point{X: x, Y: y}).In(img.Rect) {
					return math.NaN()
				}
				s, k = s+float64(img.GrayAt(x, y).Y), k+1
			}
			return s / k
		}
		inner, outer := mean(0.85, 0.9), mean(1.1, 1.15)
		if math.IsNaN(inner) || math.IsNaN(outer) || outer < inner+20 {
			continue
		}
		for d := 0.85; d < 1.15; d += 0.005 {
			if mean(d, d+0.02) > (inner+outer)/2 {
				sum, n = sum+math.Abs(d+0.01-1), n+1
				break
			}
		}
	}
	if n < 20 {
		return 1
	}
	return sum / float64(n)
}

func TestMaskShrinksWithLidsLashesAndReflections(t *testing.T) {
	p := NewPerson(9)
	c := Ordinary()
	c.UpperLid, c.LowerLid, c.Lashes, c.Speculars = 1.4, 1.4, 0, 0
	visible := func() float64 { return TruthOf(p, kiosk.EyeRight, c, 0, 0).Visible }
	open := visible()
	c.UpperLid = 0.55
	half := visible()
	c.UpperLid = 0
	shut := visible()
	c.UpperLid, c.Lashes = 1, 0
	bare := visible()
	c.Lashes = 1.5
	lashed := visible()
	c.Speculars, c.SpecularSize, c.Pupil = 4, 20, 0.2
	lit := visible()
	c.Speculars = 0
	unlit := visible()
	t.Logf("visible iris: wide open %.2f, half %.2f, shut %.2f; lashes %.2f → %.2f; reflections %.2f → %.2f", open, half, shut, bare, lashed, unlit, lit)
	if open < 0.97 || half > 0.9*open || shut > 0.001 || lashed >= bare || lit >= unlit {
		t.Error("the mask does not follow what hides the iris")
	}
}

// The nose is to the right of a right eye, to the left of a left one, and the
// outer corner has the lashes.
func TestSidesAreNotMirrored(t *testing.T) {
	for i := range 10 {
		for _, e := range kiosk.BothEyes {
			c := Ordinary()
			v := newView(NewPerson(uint64(i)), e, c, DefaultWidth, DefaultHeight)
			var cov coverage
			cov.reset(v.w, v.h)
			v.drawLashes(&cov)
			outer := func(from, to int) (sum int) {
				for y := range v.h {
					for _, l := range cov.v[y*v.w+from : y*v.w+to] {
						sum += int(l)
					}
				}
				return sum
			}
			left, right := outer(0, 90), outer(v.w-90, v.w)
			nasal, temporal := right, left
			if e == kiosk.EyeLeft {
				nasal, temporal = left, right
			}
			if nasal >= temporal {
				t.Errorf("person %d, %v eye: lashes weigh %d at the nose and %d at the temple", i, e, nasal, temporal)
			}
		}
	}
}
