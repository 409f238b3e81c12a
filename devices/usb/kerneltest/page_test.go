package kerneltest

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"

	"tambo/devices"
)

func isBusy(err error) bool { return errors.Is(err, devices.ErrBusy) }

// samePage compares a scanned page, losslessly sent, with what lies on the glass
// from 60/300 inch of its corner.
func samePage(got image.Image, page *image.Gray, dpi int) error {
	at := 60 * dpi / 300
	b := got.Bounds()
	if b.Dx() < at+page.Rect.Dx() || b.Dy() < at+page.Rect.Dy() {
		return fmt.Errorf("page of %v", b)
	}
	wrong := 0
	for y := range page.Rect.Dy() {
		for x := range page.Rect.Dx() {
			g := color.GrayModel.Convert(got.At(b.Min.X+at+x, b.Min.Y+at+y)).(color.Gray).Y
			if g != page.GrayAt(x, y).Y {
				wrong++
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d pixels are not the page's", wrong, len(page.Pix))
	}
	return nil
}

// noise is a page that does not compress and has no two places alike.
func noise(w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	r := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = byte(r.Uint32())
	}
	return img
}
