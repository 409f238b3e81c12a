package app

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // decoders for the images of an index
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"

	_ "golang.org/x/image/bmp" // decoder for the images of an index

	"tambo/kiosk"
	"tambo/kiosk/iris"
)

// irisIndex is a set of images: one class per eye. subject, eye and mask are
// empty where the index has no such column.
type irisIndex struct {
	paths, class, subject, mask []string
	eye                         []kiosk.Eye
}

// people returns whose image each is: the subject, or the class where the
// index does not say which eyes belong to one person.
func (x *irisIndex) people() []string {
	if x.subject != nil {
		return x.subject
	}
	return x.class
}

// readIrisIndex reads an index; relative paths are meant from its folder.
func readIrisIndex(name string) (*irisIndex, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("iris: open index: %w", err)
	}
	defer f.Close()
	in := bufio.NewReader(f)
	if mark, _ := in.Peek(3); string(mark) == "\ufeff" { // as spreadsheets write
		in.Discard(3)
	}
	rows, err := csv.NewReader(in).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("iris: read index %s: %w", name, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("iris: index %s is empty; its first line must name the columns path,class", name)
	}
	column := func(c string) int { return slices.Index(rows[0], c) }
	pc, cc, sc, ec, mc := column("path"), column("class"), column("subject"), column("eye"), column("mask")
	if pc < 0 || cc < 0 {
		return nil, fmt.Errorf("iris: index %s has no columns path and class in its first line", name)
	}
	if len(rows) == 1 {
		return nil, fmt.Errorf("iris: index %s names no image: it has a first line with the columns and nothing under it", name)
	}
	x := &irisIndex{}
	for n, r := range rows[1:] {
		p := r[pc]
		if !filepath.IsAbs(p) {
			p = filepath.Join(filepath.Dir(name), p)
		}
		x.paths, x.class = append(x.paths, p), append(x.class, r[cc])
		if sc >= 0 {
			x.subject = append(x.subject, r[sc])
		}
		if mc >= 0 {
			x.mask = append(x.mask, r[mc])
		}
		if ec >= 0 {
			e, ok := map[string]kiosk.Eye{"": kiosk.EyeUnknown, "unknown": kiosk.EyeUnknown, "right": kiosk.EyeRight, "left": kiosk.EyeLeft}[r[ec]]
			if !ok {
				return nil, fmt.Errorf("iris: index %s, row %d: eye %q is neither right nor left", name, n+1, r[ec])
			}
			x.eye = append(x.eye, e)
		}
	}
	return x, nil
}

// maxImageFile bounds what is read of one image file.
const maxImageFile = 64 << 20

// readGray decodes a PNG, JPEG or BMP file as 8-bit grey. The size stated in
// the header is held against iris.MaxPixels before anything is allocated.
func readGray(name string) (*image.Gray, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(io.LimitReader(f, maxImageFile))
	if err != nil {
		return nil, fmt.Errorf("read the header of %s: %w", filepath.Base(name), err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > iris.MaxPixels/c.Height {
		return nil, fmt.Errorf("%w: %d×%d", iris.ErrTooLarge, c.Width, c.Height)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(io.LimitReader(f, maxImageFile))
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", filepath.Base(name), err)
	}
	if g, ok := m.(*image.Gray); ok {
		return g, nil
	}
	b := m.Bounds()
	g := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			g.Pix[y*g.Stride+x] = color.GrayModel.Convert(m.At(b.Min.X+x, b.Min.Y+y)).(color.Gray).Y
		}
	}
	return g, nil
}
