// Package portrait draws colour pictures of people who do not exist, as a face
// camera sees them: for tests, the demonstration and training.
//
// A [Person] is a seed and an age: it has a shape of head, a skin tone, hair,
// perhaps a beard or glasses. [Conditions] say what varies from one picture to
// the next: where the head is and how large, how it is turned, light, blur,
// noise. [Draw] makes one picture, [Where] says where the eyes really are in it,
// and a [Scene] is the person sitting before a live camera.
//
// The pictures are drawings, flat and outlined, and say SPECIMEN on the chest.
// Nothing in them comes from a picture of a real person, so what is measured on
// them says how the software behaves and nothing about how it does on people.
// cmd/tambo never links it.
//
// Everything here is a pure function of its arguments, except that a Scene keeps
// what it drew last.
package portrait

import (
	"image/color"
	"math"
	"math/rand/v2"
)

// Person is somebody who does not exist.
type Person struct {
	seed uint64
	age  int
}

// NewPerson returns the adult with that seed, always the same one.
func NewPerson(seed uint64) Person {
	return Person{seed, 20 + rand.New(rand.NewPCG(seed, 0xa9e)).IntN(50)}
}

// Aged returns the person at another age, in years: under 18 the head is rounder,
// the eyes larger, and nobody has a beard; over 55 hair is grey.
func (p Person) Aged(years int) Person { return Person{p.seed, min(max(years, 8), 95)} }

// Age is in years.
func (p Person) Age() int { return p.age }

// rgb is a colour with components 0 to 1, not premultiplied.
type rgb struct{ r, g, b float64 }

func (c rgb) times(k float64) rgb { return rgb{c.r * k, c.g * k, c.b * k} }

func (c rgb) towards(d rgb, t float64) rgb {
	return rgb{c.r + (d.r-c.r)*t, c.g + (d.g-c.g)*t, c.b + (d.b-c.b)*t}
}

func hex(v uint32) rgb {
	return rgb{float64(v>>16&255) / 255, float64(v>>8&255) / 255, float64(v&255) / 255}
}

func (c rgb) rgba() color.RGBA {
	q := func(v float64) uint8 { return uint8(math.Min(math.Max(v, 0), 1)*255 + 0.5) }
	return color.RGBA{q(c.r), q(c.g), q(c.b), 255}
}

// Tones of skin from light to dark, of lips relative to them, of hair and eyes.
var (
	skins = []rgb{hex(0xf2d3bd), hex(0xe8bd9f), hex(0xd9a47f), hex(0xc68c65), hex(0xa8704c), hex(0x87563a), hex(0x6b432d), hex(0x523323)}
	hairs = []rgb{hex(0x1c1714), hex(0x241a14), hex(0x3a2719), hex(0x54371f), hex(0x7b5229), hex(0xa77c43), hex(0x5e2f1c)}
	irids = []rgb{hex(0x3a2415), hex(0x4d3019), hex(0x6b4423), hex(0x5c6b3c), hex(0x55708a)}
	cloth = []rgb{hex(0x3c5a73), hex(0x6d4a5b), hex(0x4c6350), hex(0x8a6a3f), hex(0x45464f), hex(0x9aa3a8)}
	grey  = hex(0xb9b6b0)
)

// hairCut is how somebody wears it.
type hairCut int

const (
	cutShort hairCut = iota
	cutParted
	cutLong
	cutCurly
	cutBald
)

// anatomy is what stays the same between pictures of one person. Lengths are in
// heights of the head, crown to chin; the origin is the middle of the head, on
// the line of the eyes; x to the right in the picture, y down, z to the viewer.
type anatomy struct {
	skin, lips, hair, iris, shirt rgb

	width, depth     float64 // half axes of the skull
	jaw, chin        float64 // half widths
	crown, foot      float64 // y of crown and chin
	eyeX, eyeY       float64 // of one eye
	eyeW, eyeH       float64 // half sizes
	irisR            float64
	browY, browThick float64
	noseY, noseW     float64
	mouthY, mouthW   float64
	lipTop, lipLow   float64
	smile            float64
	cut              hairCut
	fringe           float64 // y of the hair line
	beard, moustache float64 // 0 to 1
	glasses          int     // 0 none, 1 round, 2 square
	lines            float64 // of age
	freckles         bool
	strands          uint64
}

func (p Person) anatomy() anatomy {
	r := rand.New(rand.NewPCG(p.seed, 0xfacade))
	u := func(a, b float64) float64 { return a + (b-a)*r.Float64() }
	tone := r.IntN(len(skins))
	a := anatomy{
		skin: skins[tone].towards(skins[r.IntN(len(skins))], 0.15), hair: hairs[r.IntN(len(hairs))],
		iris: irids[r.IntN(len(irids))], shirt: cloth[r.IntN(len(cloth))],
		width: u(0.315, 0.35), depth: u(0.37, 0.40), jaw: u(0.235, 0.285), chin: u(0.09, 0.13), crown: -0.5, foot: 0.5,
		eyeX: u(0.128, 0.142), eyeY: 0, eyeW: u(0.054, 0.062), eyeH: u(0.020, 0.027), irisR: u(0.024, 0.0265),
		browY: u(-0.095, -0.075), browThick: u(0.010, 0.019),
		noseY: u(0.175, 0.20), noseW: u(0.052, 0.075), mouthY: u(0.285, 0.315), mouthW: u(0.095, 0.12),
		lipTop: u(0.012, 0.022), lipLow: u(0.018, 0.03), smile: u(-0.004, 0.006),
		fringe: u(-0.36, -0.27), strands: r.Uint64(),
	}
	if tone > 3 { // dark skin: dark hair and eyes
		a.hair, a.iris = hairs[r.IntN(3)], irids[r.IntN(2)]
	}
	man := r.Float64() < 0.5
	a.cut = []hairCut{cutShort, cutParted, cutShort, cutCurly, cutBald}[r.IntN(5)]
	if !man {
		a.cut = []hairCut{cutLong, cutLong, cutParted, cutCurly, cutLong}[r.IntN(5)]
	}
	if beard := u(0, 1); man && beard > 0.65 {
		a.beard, a.moustache = u(0.5, 1), 1
	} else if man && beard > 0.5 {
		a.moustache = 1
	}
	if r.Float64() < 0.25 {
		a.glasses = 1 + r.IntN(2)
	}
	a.freckles = tone < 2 && r.Float64() < 0.3
	a.aged(p.age)
	blush := rgb{a.skin.r * 0.86, a.skin.g * 0.60, a.skin.b * 0.60}
	a.lips = blush.towards(hex(0xa8404a), 0.25)
	return a
}

// aged makes a face younger or older.
func (a *anatomy) aged(years int) {
	if young := math.Min(float64(18-years)/10, 1); young > 0 {
		a.beard, a.moustache = 0, 0
		if a.cut == cutBald {
			a.cut = cutShort
		}
		a.width *= 1 + 0.04*young
		a.jaw *= 1 - 0.06*young
		a.foot -= 0.05 * young
		a.eyeH *= 1 + 0.22*young
		a.irisR *= 1 + 0.08*young
		a.noseY -= 0.03 * young
		a.noseW *= 1 - 0.15*young
		a.mouthY -= 0.04 * young
		a.mouthW *= 1 - 0.12*young
		a.browThick *= 1 - 0.25*young
	}
	if old := math.Min(math.Max(float64(years-40)/40, 0), 1); old > 0 {
		a.lines = old
		if years > 55 {
			a.hair = a.hair.towards(grey, math.Min(float64(years-55)/20, 0.9))
		}
	}
}
