package app

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"os"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

var (
	inkBlack = color.RGBA{20, 20, 20, 255}
	inkGrid  = color.RGBA{222, 222, 222, 255}
	inkBlue  = color.RGBA{31, 92, 166, 255}
	inkRed   = color.RGBA{196, 54, 40, 255}
	inkGreen = color.RGBA{30, 190, 90, 255}
	inkGold  = color.RGBA{250, 200, 40, 255}
	paper    = color.RGBA{255, 255, 255, 255}
)

// canvas is a picture to draw figures on.
type canvas struct{ *image.RGBA }

func newCanvas(w, h int) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, w, h))}
	draw.Draw(c, c.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	return c
}

func (c canvas) save(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := png.Encode(f, c); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// text writes s with its baseline's left end at (x, y), 7 × 13 pixels a letter.
func (c canvas) text(x, y int, s string, ink color.Color) {
	d := font.Drawer{Dst: c, Src: image.NewUniform(ink), Face: basicfont.Face7x13, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// line draws a line of about that width.
func (c canvas) line(x0, y0, x1, y1 float64, width int, ink color.Color) {
	n := int(math.Max(math.Abs(x1-x0), math.Abs(y1-y0))) + 1
	for k := range n + 1 {
		f := float64(k) / float64(n)
		x, y := int(math.Round(x0+f*(x1-x0))), int(math.Round(y0+f*(y1-y0)))
		for d := range width * width {
			c.Set(x+d%width-width/2, y+d/width-width/2, ink)
		}
	}
}

// axis is a scale of a plot: linear, or logarithmic where log is set.
type axis struct {
	lo, hi float64
	log    bool
	ticks  []float64
	labels []string
	name   string
}

func (a *axis) at(v float64) float64 {
	if a.log {
		return math.Log(math.Max(v, a.lo)/a.lo) / math.Log(a.hi/a.lo)
	}
	return (v - a.lo) / (a.hi - a.lo)
}

type series struct {
	name string
	ink  color.Color
	x, y []float64
}

// plot draws lines in a frame with a grid.
func plot(title string, x, y axis, lines []series) canvas {
	const w, h, left, right, top, bottom = 720, 480, 80, 24, 40, 56
	c := newCanvas(w, h)
	px := func(v float64) float64 { return left + x.at(v)*(w-left-right) }
	py := func(v float64) float64 { return h - bottom - y.at(v)*(h-top-bottom) }
	for i, t := range x.ticks {
		c.line(px(t), top, px(t), h-bottom, 1, inkGrid)
		c.text(int(px(t))-len(x.labels[i])*7/2, h-bottom+18, x.labels[i], inkBlack)
	}
	for i, t := range y.ticks {
		c.line(left, py(t), w-right, py(t), 1, inkGrid)
		c.text(left-8-7*len(y.labels[i]), int(py(t))+4, y.labels[i], inkBlack)
	}
	c.line(left, top, left, h-bottom, 1, inkBlack)
	c.line(left, h-bottom, w-right, h-bottom, 1, inkBlack)
	c.text(left, 22, title, inkBlack)
	c.text((w-7*len(x.name))/2, h-14, x.name, inkBlack)
	c.text(left+8, top+14, y.name, inkBlack)
	for k, s := range lines {
		for i := 1; i < len(s.x); i++ {
			c.line(px(s.x[i-1]), py(s.y[i-1]), px(s.x[i]), py(s.y[i]), 2, s.ink)
		}
		c.line(w-230, float64(top+22+18*k), w-205, float64(top+22+18*k), 2, s.ink)
		c.text(w-198, top+26+18*k, s.name, inkBlack)
	}
	return c
}
