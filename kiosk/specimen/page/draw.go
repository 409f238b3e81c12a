package page

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"tambo/assets"
	"tambo/assets/cff"
)

// Size of a TD3 data page and place of its zone in millimetres (Doc 9303-4,
// section 3 and appendix A): 10 characters an inch, lines a quarter inch apart.
const (
	Width, Height = 125.0, 88.0
	pitch         = 25.4 / 10
	lineSpacing   = 25.4 / 4
	zoneLeft      = 6.0
	zoneTop       = Height - 23.2
	line2Centre   = Height - 9.4
	capHeight     = 0.713 / 0.723 * pitch // of the font, advance 723 of 1000
)

// fonts are parsed once; the data is embedded, so a failure is a broken build.
var fonts = sync.OnceValue(func() (f struct {
	ocrb          *cff.Font
	regular, bold *opentype.Font
},
) {
	var err error
	if f.ocrb, err = cff.Parse(assets.OCRB); err != nil {
		panic(err)
	}
	if f.regular, err = opentype.Parse(goregular.TTF); err != nil {
		panic(err)
	}
	if f.bold, err = opentype.Parse(gobold.TTF); err != nil {
		panic(err)
	}
	return f
})

// canvas draws in millimetres. Paths are added between begin and fill.
type canvas struct {
	img *image.RGBA
	k   float64 // pixels a millimetre
	z   *vector.Rasterizer
	box image.Rectangle // what z covers, pixels

	mask []uint8 // used again from path to path
}

// begin starts a path that stays within the given millimetres.
func (c *canvas) begin(x, y, w, h float64) {
	c.box = image.Rect(int(x*c.k)-1, int(y*c.k)-1, int((x+w)*c.k)+2, int((y+h)*c.k)+2).Intersect(c.img.Bounds())
	c.z.Reset(c.box.Dx(), c.box.Dy())
}

// px places millimetres in the path's own pixels.
func (c *canvas) px(x, y float64) (float32, float32) {
	return float32(x*c.k - float64(c.box.Min.X)), float32(y*c.k - float64(c.box.Min.Y))
}

// fill paints the path. Most of a box stays bare, so that passing over it
// quickly is what counts.
func (c *canvas) fill(col color.RGBA) {
	n := c.box.Dx() * c.box.Dy()
	if cap(c.mask) < n {
		c.mask = make([]uint8, n)
	}
	m := &image.Alpha{Pix: c.mask[:n], Stride: c.box.Dx(), Rect: image.Rect(0, 0, c.box.Dx(), c.box.Dy())}
	c.z.DrawOp = draw.Src
	c.z.Draw(m, m.Rect, image.Opaque, image.Point{})
	over := func(below, above uint8, a int) uint8 { return uint8((int(below)*(255-a) + int(above)*a + 127) / 255) }
	for y := range c.box.Dy() {
		row := c.img.Pix[c.img.PixOffset(c.box.Min.X, c.box.Min.Y+y):]
		for x, a := range m.Pix[y*m.Stride:][:m.Stride] {
			if a != 0 {
				q := row[4*x : 4*x+3]
				q[0], q[1], q[2] = over(q[0], col.R, int(a)), over(q[1], col.G, int(a)), over(q[2], col.B, int(a))
			}
		}
	}
}

// Draw draws the data page of h at the given resolution, 60 to 1200 dots an
// inch (values outside are brought inside): 1476×1039 pixels at 300.
func Draw(h Holder, dpi int) *image.RGBA { return DrawZone(h, h.MRZ(), dpi) }

// DrawZone draws the page of h with a zone that says lines, whatever h's own
// would be: misprints and tampering, for tests of what must not be accepted.
func DrawZone(h Holder, lines [2]string, dpi int) *image.RGBA {
	k := float64(min(max(dpi, 60), 1200)) / 25.4
	w, ht := int(math.Round(Width*k)), int(math.Round(Height*k))
	c := &canvas{img: image.NewRGBA(image.Rect(0, 0, w, ht)), k: k, z: vector.NewRasterizer(w, ht)}
	r := rand.New(rand.NewPCG(h.Seed, 0xba5e))
	c.background(r)
	c.visualZone(h, r)
	c.ocrb(lines[0], zoneLeft, line2Centre-lineSpacing+capHeight/2)
	c.ocrb(lines[1], zoneLeft, line2Centre+capHeight/2)
	return c.img
}

// ocrb writes s in OCR-B size 1 with its first cell at x and its baseline at y.
func (c *canvas) ocrb(s string, x, y float64) {
	scale := pitch / 723 * c.k
	c.begin(x, y-pitch*1.2, float64(len(s))*pitch, pitch*1.5)
	for i, ch := range s {
		o, err := fonts().ocrb.Outline(ch)
		if err != nil {
			continue // the zone's alphabet is all there; others stay empty
		}
		px, py := c.px(x+float64(i)*pitch, y)
		o.AddTo(c.z, px, py, float32(scale))
	}
	c.fill(color.RGBA{24, 24, 28, 255})
}

// text writes s with its baseline at y, size in millimetres.
func (c *canvas) text(s string, x, y, size float64, bold bool, col color.Color) {
	f := fonts().regular
	if bold {
		f = fonts().bold
	}
	face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size * c.k, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return
	}
	d := font.Drawer{Dst: c.img, Src: image.NewUniform(col), Face: face}
	d.Dot = fixed.Point26_6{X: fixed.Int26_6(x * c.k * 64), Y: fixed.Int26_6(y * c.k * 64)}
	d.DrawString(s)
	_ = face.Close()
}

// ribbon adds a stroke of the given width along points.
func (c *canvas) ribbon(pts [][2]float64, width float64) {
	n := len(pts)
	side := func(i int, sign float64) (float32, float32) {
		a, b := pts[max(i-1, 0)], pts[min(i+1, n-1)]
		dx, dy := b[0]-a[0], b[1]-a[1]
		l := math.Hypot(dx, dy) + 1e-9
		return c.px(pts[i][0]-sign*dy/l*width/2, pts[i][1]+sign*dx/l*width/2)
	}
	c.z.MoveTo(side(0, 1))
	for i := 1; i < n; i++ {
		c.z.LineTo(side(i, 1))
	}
	for i := n - 1; i >= 0; i-- {
		c.z.LineTo(side(i, -1))
	}
	c.z.ClosePath()
}

// background lays tinted paper and a guilloche; the zone's is fainter.
func (c *canvas) background(r *rand.Rand) {
	hue := r.Float64()
	b := c.img.Bounds()
	for y := range b.Dy() {
		t := float64(y) / float64(b.Dy())
		row := tint(hue+0.15*t, 0.07, 0.93)
		draw.Draw(c.img, image.Rect(0, y, b.Dx(), y+1), image.NewUniform(row), image.Point{}, draw.Src)
	}
	for g := range 3 {
		c.begin(0, 0, Width, Height)
		a, f, ph := 5+6*r.Float64(), 1+3*r.Float64(), 6.28*r.Float64()
		for i := range 9 {
			var pts [][2]float64
			off := float64(i)*Height/10 + 6
			for s := range 301 {
				x := float64(s) * Width / 300
				y := off + a*math.Sin(f*x/Width*6.28+ph+float64(i)*0.35) + 2*math.Sin(5*f*x/Width*6.28+ph)
				pts = append(pts, [2]float64{x, min(y, Height+2)})
			}
			c.ribbon(pts, 0.16)
		}
		c.fill(tint(hue+0.2*float64(g), 0.22, 0.80))
	}
	// The zone itself is printed on plainer ground.
	zone := image.Rect(0, int(zoneTop*c.k), b.Dx(), b.Dy())
	draw.Draw(c.img, zone, image.NewUniform(color.NRGBA{244, 244, 240, 150}), image.Point{}, draw.Over)
}

// tint is a colour of the given hue (turns), saturation and value, 0 to 1.
func tint(hue, sat, val float64) color.RGBA {
	part := func(shift float64) uint8 {
		m := 0.5 + 0.5*math.Cos(2*math.Pi*(hue+shift))
		return uint8(255 * val * (1 - sat*m))
	}
	return color.RGBA{part(0), part(1. / 3), part(2. / 3), 255}
}

// visualZone writes the printed part of the page (Doc 9303-4, 4.1).
func (c *canvas) visualZone(h Holder, r *rand.Rand) {
	ink, label := color.RGBA{26, 28, 40, 255}, color.RGBA{70, 80, 110, 255}
	c.text("UTOPIA", 6, 8.5, 5, true, label)
	c.text("PASAPORTE / PASSPORT", 42, 8, 3.2, true, label)
	c.text("SPECIMEN", 96, 8, 4.2, true, color.RGBA{176, 32, 40, 255})
	c.portrait(6, 14, 32, 42, r)
	item := func(x, y float64, title, val string) {
		c.text(title, x, y, 1.9, false, label)
		c.text(val, x, y+3.8, 3.2, false, ink)
	}
	sex := h.Sex
	up := strings.ToUpper
	item(44, 13, "Tipo / Type", "P")
	item(58, 13, "Código / Code", h.Issuer)
	item(86, 13, "N.º de pasaporte / Passport No.", h.Number)
	item(44, 21.5, "Apellidos / Surname", up(h.Surname))
	item(44, 30, "Nombres / Given names", up(h.Given))
	item(44, 38.5, "Nacionalidad / Nationality", h.Nationality)
	item(86, 38.5, "N.º personal / Personal No.", h.Personal)
	item(44, 47, "Fecha de nacimiento / Date of birth", h.Birth)
	item(86, 47, "Sexo / Sex", sex)
	item(44, 55.5, "Caducidad / Date of expiry", h.Expiry)
	item(86, 55.5, "Autoridad / Authority", "TAMBO")
}

// portrait draws a head of our own making: a placeholder, not a face.
func (c *canvas) portrait(x, y, w, h float64, r *rand.Rand) {
	box := image.Rect(int(x*c.k), int(y*c.k), int((x+w)*c.k), int((y+h)*c.k))
	draw.Draw(c.img, box, image.NewUniform(color.RGBA{206, 214, 222, 255}), image.Point{}, draw.Src)
	ellipse := func(cx, cy, rx, ry float64, col color.RGBA) {
		c.begin(x, y, w, h)
		for i := range 73 {
			a := float64(i) / 72 * 2 * math.Pi
			px := min(max(x+w*(cx+rx*math.Cos(a)), x), x+w)
			py := min(max(y+h*(cy+ry*math.Sin(a)), y), y+h)
			if i == 0 {
				c.z.MoveTo(c.px(px, py))
			} else {
				c.z.LineTo(c.px(px, py))
			}
		}
		c.z.ClosePath()
		c.fill(col)
	}
	skin := 90 + uint8(r.IntN(120))
	face := color.RGBA{skin + 25, skin, skin - 30, 255}
	hair := color.RGBA{uint8(20 + r.IntN(90)), uint8(16 + r.IntN(60)), uint8(12 + r.IntN(40)), 255}
	coat := tint(r.Float64(), 0.5, 0.5)
	ellipse(0.5, 1.05, 0.46, 0.28, coat)
	ellipse(0.5, 0.42, 0.31, 0.31, hair)
	ellipse(0.5, 0.74, 0.11, 0.14, face)
	ellipse(0.5, 0.48, 0.24, 0.28, face)
	for _, ex := range []float64{0.4, 0.6} {
		ellipse(ex, 0.44, 0.035, 0.014, color.RGBA{40, 34, 30, 255})
		ellipse(ex, 0.405, 0.05, 0.008, hair)
	}
	ellipse(0.5, 0.54, 0.02, 0.035, color.RGBA{skin + 5, skin - 22, skin - 50, 255})
	ellipse(0.5, 0.63, 0.07, 0.012, color.RGBA{140, 70, 70, 255})
}
