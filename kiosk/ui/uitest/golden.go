package uitest

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"tambo/kiosk/ui/theme"
)

// Tolerance of golden images: in no square of Block by Block pixels may more
// than BlockShare of the pixels differ by more than Levels of 255 in any channel.
// It lets rounding at edges differ between processors, and catches a missing word.
const (
	Levels     = 32
	Block      = 16
	BlockShare = 0.08
)

// App gives the test an application of its own that wears a theme.
func App(t testing.TB, night bool, m theme.Metrics) fyne.App {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(theme.New(night, m))
	return a
}

// Window shows an object in a test window of a size, without padding.
func Window(t testing.TB, o fyne.CanvasObject, size fyne.Size) fyne.Window {
	t.Helper()
	w := test.NewTempWindow(t, o)
	w.SetPadded(false)
	w.Resize(size)
	return w
}

// Golden compares what build makes with testdata/NAME-day.png and
// NAME-night.png, drawn by fyne's software renderer with the bundled fonts at
// scale 1. Run with TAMBO_GOLDEN=update to write them. Each image is built under
// its own application, so build is called twice.
func Golden(t *testing.T, name string, size fyne.Size, build func() fyne.CanvasObject) {
	t.Helper()
	for _, night := range []bool{false, true} {
		part := "day"
		if night {
			part = "night"
		}
		t.Run(name+"-"+part, func(t *testing.T) {
			App(t, night, theme.Metrics{})
			w := Window(t, build(), size)
			compare(t, filepath.Join("testdata", name+"-"+part+".png"), w.Canvas().Capture())
		})
	}
}

// Same compares a picture with a golden image.
func Same(t *testing.T, file string, got image.Image) {
	t.Helper()
	compare(t, file, got)
}

func compare(t *testing.T, file string, got image.Image) {
	t.Helper()
	if os.Getenv("TAMBO_GOLDEN") == "update" {
		if err := Write(file, got); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatalf("%v (make it with TAMBO_GOLDEN=update, then look at it)", err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := differ(want, got); err != nil {
		failed := filepath.Join("testdata", "failed", filepath.Base(file))
		if err := Write(failed, got); err != nil {
			t.Error(err)
		}
		t.Errorf("%s: %v; see %s", file, err, failed)
	}
}

// differ returns where two pictures differ by more than the tolerance.
func differ(want, got image.Image) error {
	w, g := want.Bounds(), got.Bounds()
	if w.Dx() != g.Dx() || w.Dy() != g.Dy() {
		return fmt.Errorf("is %d×%d, was %d×%d", g.Dx(), g.Dy(), w.Dx(), w.Dy())
	}
	for by := 0; by < w.Dy(); by += Block {
		for bx := 0; bx < w.Dx(); bx += Block {
			bad := 0
			for y := by; y < min(by+Block, w.Dy()); y++ {
				for x := bx; x < min(bx+Block, w.Dx()); x++ {
					r1, g1, b1, _ := want.At(w.Min.X+x, w.Min.Y+y).RGBA()
					r2, g2, b2, _ := got.At(g.Min.X+x, g.Min.Y+y).RGBA()
					if far(r1, r2) || far(g1, g2) || far(b1, b2) {
						bad++
					}
				}
			}
			if float64(bad) > BlockShare*Block*Block {
				return fmt.Errorf("%d of %d pixels differ near (%d, %d)", bad, Block*Block, bx, by)
			}
		}
	}
	return nil
}

func far(a, b uint32) bool {
	d := int(a>>8) - int(b>>8)
	return d > Levels || d < -Levels
}
