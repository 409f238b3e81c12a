package face

import (
	"math"
	"slices"
)

// The patch that a pair of eyes is judged by: eyes 13 pixels apart, 12 below its
// top.
const (
	patchW, patchH = 32, 38
	patchD         = 13.0
	patchEyeY      = 12.0
	patchMidX      = 16.0
)

type patch [patchW * patchH]float64

// blob is a soft spot of the model: place and half sides in eye distances from
// the middle between the eyes, and how much of the channel is there.
type blob struct{ x, y, rx, ry, v float64 }

// What every face has in common, seen from the front. Places follow mean
// proportions of adult heads: the mouth about 1.07 eye distances below the eyes,
// the base of the nose 0.68, the chin 1.8.
var (
	// How light it is.
	lightBlobs = []blob{
		{0, -0.70, 0.75, 0.22, 0.45},
		{-0.5, -0.32, 0.30, 0.07, -0.45}, {0.5, -0.32, 0.30, 0.07, -0.45}, // brows
		{-0.5, 0, 0.22, 0.11, -1.15}, {0.5, 0, 0.22, 0.11, -1.15}, // eyes
		{0, 0.10, 0.11, 0.35, 0.60},                                     // ridge of the nose
		{-0.56, 0.52, 0.26, 0.24, 0.70}, {0.56, 0.52, 0.26, 0.24, 0.70}, // cheeks
		{0, 0.70, 0.22, 0.06, -0.45}, // nostrils
		{0, 1.07, 0.34, 0.07, -0.60}, // mouth
		{0, 1.42, 0.28, 0.12, 0.35},  // chin
	}
	// How much it changes from row to row: lids, brows, nostrils, mouth. This
	// holds for the darkest skin, whose eyes are not darker than the cheeks.
	edgeBlobs = []blob{
		{-0.5, 0, 0.27, 0.13, 1.2}, {0.5, 0, 0.27, 0.13, 1.2},
		{-0.5, -0.30, 0.32, 0.13, 0.6}, {0.5, -0.30, 0.32, 0.13, 0.6},
		{0, 0.70, 0.24, 0.11, 0.7},
		{0, 1.07, 0.40, 0.16, 1.0},
		{-0.56, 0.48, 0.22, 0.20, -0.3}, {0.56, 0.48, 0.22, 0.20, -0.3},
	}
)

// stretches are how long the lower face is against the mean: child to long.
var stretches = [...]float64{0.88, 1.0, 1.13}

// model is both channels for each stretch.
type model struct{ light, edge [len(stretches)]patch }

var (
	faceModel model
	weight    = buildModel(&faceModel) // which pixels count, and how much
)

func buildModel(m *model) (w patch) {
	for i := range w {
		// What lies within the face counts, the mouth and below less: beards.
		// So does the forehead: fringes.
		x, y := patchPlace(i)
		dx, dy := x/1.0, (y-0.36)/1.22
		if r := dx*dx + dy*dy; r < 1 {
			w[i] = 1 - r*r*0.6
			if y > 0.9 {
				w[i] *= 0.6
			}
			if y < -0.45 {
				w[i] *= 0.5
			}
		}
	}
	for s, k := range stretches {
		for i := range w {
			x, y := patchPlace(i)
			if y > 0 {
				y /= k
			}
			m.light[s][i] = sum(lightBlobs, x, y)
			m.edge[s][i] = sum(edgeBlobs, x, y)
		}
		flatten(&m.light[s], &w, true)
		flatten(&m.edge[s], &w, false)
	}
	return w
}

func sum(blobs []blob, x, y float64) (v float64) {
	for _, b := range blobs {
		dx, dy := (x-b.x)/b.rx, (y-b.y)/b.ry
		v += b.v * math.Exp(-(dx*dx + dy*dy))
	}
	return v
}

// patchPlace is where a pixel of the patch lies, in eye distances.
func patchPlace(i int) (x, y float64) {
	return (float64(i%patchW) + 0.5 - patchMidX) / patchD, (float64(i/patchW) + 0.5 - patchEyeY) / patchD
}

// flatten takes away the mean, and with slope also an even change over the
// patch (light from a side), and brings to a weighted length of 1. It returns how
// strong the patch was before: the weighted standard deviation.
func flatten(g, w *patch, slope bool) float64 {
	var sw, sx, sy, sg, sxx, syy, sxg, syg float64
	for i, k := range w {
		if k == 0 {
			continue
		}
		x, y := patchPlace(i)
		sw += k
		sx += k * x
		sy += k * y
		sg += k * g[i]
		sxx += k * x * x
		syy += k * y * y
		sxg += k * x * g[i]
		syg += k * y * g[i]
	}
	mx, my, mg := sx/sw, sy/sw, sg/sw
	var ax, ay float64
	if slope {
		ax, ay = (sxg-mx*sg)/(sxx-mx*sx), (syg-my*sg)/(syy-my*sy)
	}
	var e float64
	for i, k := range w {
		if k == 0 {
			g[i] = 0
			continue
		}
		x, y := patchPlace(i)
		g[i] -= mg + ax*(x-mx) + ay*(y-my)
		e += k * g[i] * g[i]
	}
	e = math.Sqrt(e)
	if e > 0 {
		for i := range g {
			g[i] /= e
		}
	}
	return e / math.Sqrt(sw)
}

// alike is the weighted correlation of two flattened patches.
func alike(a, b *patch) (v float64) {
	for i, k := range weight {
		v += k * a[i] * b[i]
	}
	return v
}

// mirrored is the correlation of a flattened patch with its mirror image.
func mirrored(a *patch) (v float64) {
	for i, k := range weight {
		v += k * a[i] * a[i/patchW*patchW+patchW-1-i%patchW]
	}
	return v
}

// frameOf is the system of coordinates of a pair of eyes: origin between them,
// x to the picture's right along their line, unit their distance.
type frameOf struct{ mx, my, d, cs, sn float64 }

func (p *pair) frame() frameOf {
	dx, dy := p.left.X-p.right.X, p.left.Y-p.right.Y
	d := math.Hypot(dx, dy)
	return frameOf{(p.left.X + p.right.X) / 2, (p.left.Y + p.right.Y) / 2, d, dx / d, dy / d}
}

func (f *frameOf) at(x, y float64) (px, py float64) {
	return f.mx + f.d*(x*f.cs-y*f.sn), f.my + f.d*(x*f.sn+y*f.cs)
}

// Shares of what makes the likeness. Without colour the first three make the
// whole.
const (
	shareLight, shareEdge, shareMirror, shareSkin = 0.35, 0.31, 0.12, 0.22

	// lightLeast is what edges say for light where light says less: on the darkest
	// skin the whites of the eyes, grey brows and a grey beard are lighter than the
	// cheeks, and the model of light is upside down.
	lightLeast = 0.4

	leastContrast = 0.03 // of the logarithm of light: below, there is nothing
	leastAlike    = 0.22 // of light and edges together
	leastSkin     = 0.2
)

// likeness is how much the place round a pair is like a face, 0 to 1.
func (s *search) likeness(p *pair) float64 {
	f := p.frame()
	if f.d < 5 {
		return 0
	}
	skin := 0.0
	if s.colour {
		if skin = s.skin(&f); skin < leastSkin {
			return 0
		}
	}
	var light, edge patch
	lay(&light, &f, &s.light)
	edges(&light, &edge)
	if flatten(&light, &weight, true) < leastContrast {
		return 0
	}
	flatten(&edge, &weight, false)
	best := 0.0
	for i := range stretches {
		e := math.Max(alike(&edge, &faceModel.edge[i]), 0)
		l := math.Max(alike(&light, &faceModel.light[i]), lightLeast*e)
		best = math.Max(best, shareLight*l+shareEdge*e)
	}
	if best < leastAlike*(shareLight+shareEdge) {
		return 0
	}
	best += shareMirror / 2 * (math.Max(mirrored(&light), 0) + math.Max(mirrored(&edge), 0))
	if !s.colour {
		return best / (1 - shareSkin)
	}
	return best + shareSkin*skin
}

// skinPlaces are where a face is skin, whoever's: beside the nose, on the cheeks,
// between and above the eyes.
var skinPlaces = [...][2]float64{{-0.55, 0.42}, {0.55, 0.42}, {-0.36, 0.60}, {0.36, 0.60}, {0, 0.30}, {0, -0.05}, {0, -0.42}}

// skinRed is whether red outweighs green as it does in skin.
func skinRed(v float64) bool { return v > 0.04 && v < 1.1 }

// skin is whether these places have the colour of skin, 0 to 1: red outweighs
// green, as it does in every skin and by much the same share, and it is one colour
// on both sides.
func (s *search) skin(f *frameOf) float64 {
	var v [len(skinPlaces)]float64
	for i, q := range skinPlaces {
		px, py := f.at(q[0], q[1])
		v[i] = s.red.mean(px, py, 0.07*f.d, 0.07*f.d)
	}
	slices.Sort(v[:])
	mid, spread := v[len(v)/2], v[len(v)-2]-v[1]
	red := math.Min((mid-0.04)/0.08, (1.1-mid)/0.3)
	even := 1.7 - spread/0.14
	return math.Min(math.Max(math.Min(red, even), 0), 1)
}

// lay reads a channel into a patch.
func lay(g *patch, f *frameOf, channel *plane) {
	r := f.d / patchD / 2
	for i := range g {
		if needed[i] {
			x, y := patchPlace(i)
			px, py := f.at(x, y)
			g[i] = channel.mean(px, py, r, r)
		}
	}
}

// needed are the pixels that count, and those above and below them.
var needed = func() (n [patchW * patchH]bool) {
	for i := range n {
		n[i] = weight[i] > 0 || weight[min(i+patchW, len(n)-1)] > 0 || weight[max(i-patchW, 0)] > 0
	}
	return n
}()

// edges is how much light changes from row to row, no place counting more than
// thrice the mean.
func edges(light, out *patch) {
	mean, n := 0.0, 0.0
	for i := patchW; i < len(out)-patchW; i++ {
		if weight[i] > 0 {
			out[i] = math.Abs(light[i+patchW] - light[i-patchW])
			mean += out[i]
			n++
		}
	}
	most := 3 * mean / n
	for i := range out {
		out[i] = math.Min(out[i], most)
	}
}
