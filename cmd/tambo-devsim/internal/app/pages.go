package app

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/image/draw"

	"tambo/devices/virtual"
	"tambo/kiosk/specimen/page"
	"tambo/kiosk/target"
)

// pageScene is what lies on the scanner's glass; the control socket changes it.
type pageScene struct {
	dir   string
	names []string            // of people with a page in the folder, sorted
	files map[string][]string // by person
	made  generated
	worn  bool

	mu    sync.Mutex
	who   string      // "none", "blank", or whose page
	image image.Image // of a folder: at 300 dpi
}

var _ virtual.PageScene = (*pageScene)(nil)

const fileDPI = 300

func newPageScene(dir string, seed uint64, worn bool) (*pageScene, error) {
	s := &pageScene{dir: dir, made: generated{seed}, worn: worn, who: "none"}
	if dir == "" {
		return s, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of pages: %w", err)
	}
	s.files = map[string][]string{}
	for _, e := range entries {
		if e.IsDir() || !imageFile(e.Name()) {
			continue
		}
		name, _, _ := strings.Cut(strings.TrimSuffix(e.Name(), filepath.Ext(e.Name())), "_")
		if s.files[name] == nil {
			s.names = append(s.names, name)
		}
		s.files[name] = append(s.files[name], e.Name())
	}
	slices.Sort(s.names)
	if len(s.names) == 0 {
		return nil, fmt.Errorf("folder of pages %s: no files named PERSON*.png|bmp|jpg", dir)
	}
	return s, nil
}

func (s *pageScene) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dir != "" {
		return fmt.Sprintf("pages of %d people in %s: %s", len(s.names), s.dir, s.who)
	}
	return "generated pages: " + s.who
}

// setPage lays a page on the glass: of a person by name or number, by the name
// of its file without extension, "blank", "none", or "target" for the technician's
// calibration page.
func (s *pageScene) setPage(who string) error {
	var img image.Image
	if s.dir != "" && who != "none" && who != "blank" && who != "target" {
		file, err := s.file(who)
		if err != nil {
			return err
		}
		if img, err = readImage(filepath.Join(s.dir, file)); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.who, s.image = who, img
	return nil
}

func (s *pageScene) file(who string) (string, error) {
	for _, files := range s.files {
		for _, f := range files {
			if strings.TrimSuffix(f, filepath.Ext(f)) == who {
				return f, nil
			}
		}
	}
	name, err := pick(s.names, who)
	if err != nil {
		return "", err
	}
	return s.files[name][0], nil
}

// Page implements [virtual.PageScene].
func (s *pageScene) Page(dpi int, _ bool) image.Image {
	s.mu.Lock()
	who, img := s.who, s.image
	s.mu.Unlock()
	switch {
	case who == "none":
		return nil
	case who == "blank":
		sheet := image.Rect(0, 0, page.Width*dpi*10/254, page.Height*dpi*10/254)
		out := image.NewGray(sheet)
		draw.Draw(out, sheet, image.NewUniform(color.Gray{Y: 245}), image.Point{}, draw.Src)
		return out
	case who == "target":
		return target.DrawPage(dpi)
	case img != nil:
		return resample(img, float64(dpi)/fileDPI)
	}
	n := s.made.number(who)
	r := rand.New(rand.NewPCG(n, 0x3ea2))
	wear := page.Wear{Rotation: r.Float64() - 0.5, Margin: 4, Bed: 240, Blur: 0.04, Noise: 3, Gain: 1, JPEG: 90, Seed: n}
	if s.worn {
		wear = page.RandomWear(r)
	}
	return page.Age(page.Draw(page.NewHolder(n), dpi), wear)
}

func resample(img image.Image, k float64) image.Image {
	b := img.Bounds()
	if k == 1 {
		return img
	}
	out := image.NewRGBA(image.Rect(0, 0, max(int(float64(b.Dx())*k+0.5), 1), max(int(float64(b.Dy())*k+0.5), 1)))
	draw.CatmullRom.Scale(out, out.Rect, img, b, draw.Src, nil)
	return out
}
