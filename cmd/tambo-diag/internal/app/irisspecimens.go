package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"tambo/kiosk"
	"tambo/kiosk/specimen/eye"
)

// irisSpecimens runs "iris specimens": a set of generated eyes, with their
// true masks and an index, for "iris evaluate".
func irisSpecimens(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("iris specimens", flag.ContinueOnError)
	fs.SetOutput(stderr)
	out := fs.String("out", "", "folder for the images and index.csv")
	people := fs.Int("people", 20, "how many people, two eyes each")
	captures := fs.Int("captures", 5, "captures of each eye")
	seed := fs.Uint64("seed", 1, "the same seed gives the same set")
	good := fs.Bool("good", false, "without the one in ten that nobody could use: blinks, glances aside, blur")
	volunteers := fs.Bool("volunteers", false, "people and captures such as research sets show, hard ones; otherwise those of an attended kiosk")
	width := fs.Int("width", eye.DefaultWidth, "of the images in pixels; they are three quarters as high")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *out == "" || fs.NArg() != 0 || *people < 1 || *captures < 1 || *width < 96 || *good && *volunteers {
		return wrongUse("give --out DIR and, if wanted, --people N, --captures N, --seed N, --good or --volunteers, --width PIXELS")
	}
	capture := eye.RandomConditions
	if *good {
		capture = eye.GoodConditions
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return err
	}
	index := &strings.Builder{}
	fmt.Fprintln(index, "path,class,subject,eye,mask")
	bar := newProgress(stderr)
	bar.begin("drawing", *people*2**captures)
	defer bar.end()
	for n := range *people {
		p := eye.NewPerson(*seed<<20 + uint64(n))
		if *volunteers {
			p = eye.NewVolunteer(*seed<<20 + uint64(n))
		}
		for _, e := range kiosk.BothEyes {
			rng := rand.New(rand.NewPCG(*seed, uint64(2*n)+uint64(e)))
			for k := range *captures {
				if err := ctx.Err(); err != nil {
					return err
				}
				var c eye.Conditions
				if *volunteers {
					c = eye.StudyConditions(p, e, rng)
				} else {
					c = capture(rng)
				}
				name := fmt.Sprintf("%03d-%s-%d", n, e, k)
				if err := errors.Join(
					savePNG(filepath.Join(*out, name+".png"), eye.Draw(p, e, c, *width, *width*3/4)),
					savePNG(filepath.Join(*out, name+"-mask.png"), eye.TruthOf(p, e, c, *width, *width*3/4).Mask)); err != nil {
					return err
				}
				fmt.Fprintf(index, "%s.png,%03d-%s,%03d,%s,%s-mask.png\n", name, n, e, n, e, name)
				bar.step()
			}
		}
	}
	return os.WriteFile(filepath.Join(*out, "index.csv"), []byte(index.String()), 0o644)
}

func savePNG(name string, img image.Image) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return png.Encode(f, img)
}
