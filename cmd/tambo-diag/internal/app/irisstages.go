package app

import (
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	"io"
	"os"
	"path/filepath"

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/kiosk/specimen/eye"
)

// irisStages runs "iris stages": pictures of each stage of the chain, made of
// one generated eye.
func irisStages(args []string, stderr io.Writer) error {
	fs := flag.NewFlagSet("iris stages", flag.ContinueOnError)
	fs.SetOutput(stderr)
	out := fs.String("out", "", "folder for the pictures")
	seed := fs.Uint64("seed", 7, "which person")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *out == "" || fs.NArg() != 0 {
		return wrongUse("give --out DIR and, if wanted, --seed N")
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	cond := eye.Ordinary()
	cond.UpperLid, cond.Lashes, cond.GazeX, cond.Defocus, cond.SpecularSize = 0.85, 1.3, 4, 0.8, 12
	img := eye.Draw(eye.NewPerson(*seed), kiosk.EyeRight, cond, 0, 0)
	engine := iris.New()
	r, err := engine.Process(img, kiosk.EyeRight)
	if err != nil {
		return fmt.Errorf("iris stages: %w", err)
	}
	s := engine.Stages()
	usable := newCanvas(s.Sheet.Rect.Dx(), s.Sheet.Rect.Dy())
	for y := range usable.Rect.Dy() {
		for x := range usable.Rect.Dx() {
			v := s.Sheet.GrayAt(x, y).Y
			if usable.Set(x, y, color.RGBA{v, v, v, 255}); s.Usable.GrayAt(x, y).Y == 0 {
				usable.Set(x, y, color.RGBA{128 + v/2, v / 3, v / 3, 255})
			}
		}
	}
	name := func(n string) string { return filepath.Join(*out, n) }
	return errors.Join(
		savePNG(name("1-image.png"), halved(img)),
		savePNG(name("2-spread.png"), s.Spread),
		contours(halved(img), &r.Segmentation, 2).save(name("3-contours.png")),
		savePNG(name("4-sheet.png"), s.Sheet),
		usable.save(name("5-usable.png")),
		savePNG(name("6-code.png"), s.Code))
}

// halved is img at half its size.
func halved(img *image.Gray) *image.Gray {
	out := image.NewGray(image.Rect(0, 0, img.Rect.Dx()/2, img.Rect.Dy()/2))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			v := 0
			for k := range 4 {
				v += int(img.GrayAt(2*x+k&1, 2*y+k>>1).Y)
			}
			out.Pix[y*out.Stride+x] = uint8(v / 4)
		}
	}
	return out
}

// contours draws a segmentation of an image k times larger than img: pupil and
// limbus green, lids gold.
func contours(img *image.Gray, s *iris.Segmentation, k float64) canvas {
	c := newCanvas(img.Rect.Dx(), img.Rect.Dy())
	for y := range c.Rect.Dy() {
		for x := range c.Rect.Dx() {
			c.Set(x, y, img.GrayAt(x, y))
		}
	}
	line := func(at func(int) iris.Point, i int, ink color.Color) {
		p, q := at(i), at(i+1)
		c.line(p.X/k, p.Y/k, q.X/k, q.Y/k, 1, ink)
	}
	for i := range iris.ContourPoints {
		line(s.Pupil.Point, i, inkGreen)
		line(s.Limbus.Point, i, inkGreen)
		if s.Open[i] < 1 || s.Open[(i+1)%iris.ContourPoints] < 1 {
			line(s.LidPoint, i, inkGold)
		}
	}
	return c
}
