package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/draw"
	_ "image/jpeg" // eye images
	_ "image/png"  // eye images
	"io"
	"os"
	"strings"

	_ "golang.org/x/image/bmp" // eye images

	"tambo/kiosk"
	"tambo/kiosk/iris"
	"tambo/sync/hub"
)

func watchlistAdd(ctx context.Context, e *env, args []string) error {
	var left, right, number, name, birth, es, en string
	n := hub.NewEntry{}
	dir, _, err := e.flags("watchlist add", args, func(fs *flag.FlagSet) {
		fs.StringVar(&n.List, "list", "", "list name (default: the first that the agreement permits)")
		fs.StringVar(&left, "left", "", "image of the person's left eye (PNG, BMP, JPEG)")
		fs.StringVar(&right, "right", "", "image of the person's right eye")
		fs.StringVar(&number, "number", "", "document number; kept as a keyed hash")
		fs.StringVar(&name, "name", "", "SURNAME,GIVEN: kept with the entry and not searched yet")
		fs.StringVar(&birth, "birth", "", "birth date YYYY-MM-DD, unknown parts XX")
		fs.StringVar(&n.Instruction.Code, "code", "", "what the officer does, as a code")
		fs.StringVar(&es, "text-es", "", "what the officer does, in Spanish")
		fs.StringVar(&en, "text-en", "", "what the officer does, in English")
	})
	if err != nil {
		return err
	}
	if err := need(map[string]string{"code": n.Instruction.Code, "text-es": es, "text-en": en}); err != nil {
		return err
	}
	n.Instruction.Text = map[string]string{"es": es, "en": en}
	if n.Templates, err = eyes(e, left, right); err != nil {
		return err
	}
	if number != "" {
		n.Numbers = []string{number}
	}
	if name != "" {
		surname, given, _ := strings.Cut(name, ",")
		n.Names = []kiosk.ListName{{Surname: strings.TrimSpace(surname), Given: strings.TrimSpace(given), Birth: birth}}
	}
	if n.List == "" {
		if n.List, err = firstList(ctx, dir); err != nil {
			return err
		}
	}
	id, err := ask[hub.ByID](ctx, dir, "watchlist add", n)
	if err != nil {
		return err
	}
	fmt.Fprintf(e.out, "%s on list %s: %d eyes, %d document numbers, %d names\n", id.ID, n.List, len(n.Templates), len(n.Numbers), len(n.Names))
	if len(n.Names) > 0 {
		fmt.Fprintln(e.err, "names are kept and not searched yet: this person is found by irises and document number only")
	}
	return nil
}

func firstList(ctx context.Context, dir string) (string, error) {
	a, err := ask[kiosk.Agreement](ctx, dir, "agreement show", nil)
	if err != nil {
		return "", err
	}
	if len(a.Lists) == 0 {
		return "", errors.New("the agreement in force permits no list")
	}
	return a.Lists[0].List, nil
}

// eyes extracts templates from eye images. A poor image is said to be one.
func eyes(e *env, left, right string) (out []kiosk.Template, err error) {
	engine := iris.New()
	for _, x := range []struct {
		path string
		eye  kiosk.Eye
	}{{right, kiosk.EyeRight}, {left, kiosk.EyeLeft}} {
		if x.path == "" {
			continue
		}
		img, err := readGray(x.path)
		if err != nil {
			return nil, fmt.Errorf("%s eye: %w", x.eye, err)
		}
		r, err := engine.Process(img, x.eye)
		if err != nil {
			return nil, fmt.Errorf("%s eye, %s: %w", x.eye, x.path, err)
		}
		if !r.Quality.Acceptable() {
			fmt.Fprintf(e.err, "%s eye: quality %.0f is under the floor of %d: this person will be missed more often\n", x.eye, r.Quality.Score, iris.ScoreFloor)
		}
		out = append(out, r.Template)
	}
	return out, nil
}

// readGray reads an image as 8-bit grey. Its size is looked at before its
// pixels are made.
func readGray(path string) (*image.Gray, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, _, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > iris.MaxPixels/c.Height {
		return nil, fmt.Errorf("%s: %w: %d×%d", path, iris.ErrTooLarge, c.Width, c.Height)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if g, ok := img.(*image.Gray); ok {
		return g, nil
	}
	g := image.NewGray(image.Rect(0, 0, c.Width, c.Height))
	draw.Draw(g, g.Bounds(), img, img.Bounds().Min, draw.Src)
	return g, nil
}

func watchlistList(ctx context.Context, e *env, args []string) error {
	dir, _, err := e.flags("watchlist list", args, nil)
	if err != nil {
		return err
	}
	entries, err := ask[[]hub.Entry](ctx, dir, "watchlist list", nil)
	if err != nil {
		return err
	}
	for _, x := range entries {
		fmt.Fprintf(e.out, "%s  %-12s  %d eyes  %d numbers  %d names  %s\n", x.ID, x.List, x.Eyes, x.Documents, x.Names, x.Instruction.Code)
	}
	return nil
}
