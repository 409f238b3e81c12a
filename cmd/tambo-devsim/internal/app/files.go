package app

import (
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // eyes and pages come as JPEG,
	_ "image/png"  // as PNG,
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "golang.org/x/image/bmp" // or as BMP
	"golang.org/x/image/draw"

	"tambo/kiosk"
)

// maxPixels bounds an image that is read from a folder.
const maxPixels = 64 << 20

// eyeFiles are people of a folder: PERSON_L_*.EXT and PERSON_R_*.EXT. Captures
// of an eye are used in order of their names, one a visit, and begin again when
// there are no more. Images are decoded when they are shown.
type eyeFiles struct {
	dir   string
	names []string // of people, sorted
	files map[string]map[kiosk.Eye][]string
}

func imageFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".bmp", ".jpg", ".jpeg":
		return true
	}
	return false
}

func readEyes(dir string) (*eyeFiles, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("folder of eyes: %w", err)
	}
	f := &eyeFiles{dir: dir, files: map[string]map[kiosk.Eye][]string{}}
	for _, e := range entries {
		name, side, ok := splitEye(e.Name())
		if !ok || e.IsDir() {
			continue
		}
		if f.files[name] == nil {
			f.files[name] = map[kiosk.Eye][]string{}
			f.names = append(f.names, name)
		}
		f.files[name][side] = append(f.files[name][side], e.Name())
	}
	slices.Sort(f.names)
	if len(f.names) == 0 {
		return nil, fmt.Errorf("folder of eyes %s: no files named PERSON_L_*.png|bmp|jpg or PERSON_R_*", dir)
	}
	return f, nil
}

// splitEye reads PERSON and side of a file name. PERSON may have underscores.
func splitEye(file string) (person string, side kiosk.Eye, ok bool) {
	if !imageFile(file) {
		return "", 0, false
	}
	base := strings.TrimSuffix(file, filepath.Ext(file)) + "_"
	for mark, eye := range map[string]kiosk.Eye{"_L_": kiosk.EyeLeft, "_R_": kiosk.EyeRight} {
		if i := strings.LastIndex(base, mark); i > len(person) {
			person, side, ok = base[:i], eye, true
		}
	}
	return person, side, ok
}

func (f *eyeFiles) String() string {
	return fmt.Sprintf("eyes of %d people in %s", len(f.names), f.dir)
}

func (f *eyeFiles) person(who string) (string, error) { return pick(f.names, who) }

// pick finds a name, or the N-th name, from 1.
func pick(names []string, who string) (string, error) {
	if slices.Contains(names, who) {
		return who, nil
	}
	if n, err := strconv.Atoi(who); err == nil && n >= 1 && n <= len(names) {
		return names[n-1], nil
	}
	return "", fmt.Errorf("nobody called %q: %d people, from %q to %q", who, len(names), names[0], names[len(names)-1])
}

func (f *eyeFiles) visit(name string, n int) (visitor, error) {
	v := &fileVisit{images: map[kiosk.Eye]*image.Gray{}}
	for side, files := range f.files[name] {
		img, err := readImage(filepath.Join(f.dir, files[(n-1)%len(files)]))
		if err != nil {
			return nil, err
		}
		v.images[side] = grey(img)
	}
	return v, nil
}

// fileVisit shows one still capture an eye.
type fileVisit struct {
	images map[kiosk.Eye]*image.Gray

	mu   sync.Mutex
	made map[kiosk.Eye]*image.Gray // at the camera's size
}

func (v *fileVisit) look(e kiosk.Eye, _ time.Duration, _ float64, w, h int) *image.Gray {
	img := v.images[e]
	if img == nil {
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if m := v.made[e]; m != nil && m.Rect.Dx() == w && m.Rect.Dy() == h {
		return m
	}
	if v.made == nil {
		v.made = map[kiosk.Eye]*image.Gray{}
	}
	v.made[e] = fit(img, w, h)
	return v.made[e]
}

func readImage(path string) (image.Image, error) {
	r, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	cfg, _, err := image.DecodeConfig(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if cfg.Width <= 0 || cfg.Height <= 0 || cfg.Width > maxPixels/cfg.Height {
		return nil, fmt.Errorf("%s: image of %d×%d", path, cfg.Width, cfg.Height)
	}
	if _, err := r.Seek(0, 0); err != nil {
		return nil, err
	}
	img, _, err := image.Decode(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func grey(img image.Image) *image.Gray {
	b := img.Bounds()
	out := image.NewGray(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, img, b.Min, draw.Src)
	return out
}

// fit scales an image into w×h without distortion, centres it, and fills the
// rest with the mean of its edge.
func fit(img *image.Gray, w, h int) *image.Gray {
	if img.Rect.Dx() == w && img.Rect.Dy() == h {
		return img
	}
	k := min(float64(w)/float64(img.Rect.Dx()), float64(h)/float64(img.Rect.Dy()))
	sw, sh := max(int(k*float64(img.Rect.Dx())+0.5), 1), max(int(k*float64(img.Rect.Dy())+0.5), 1)
	out := image.NewGray(image.Rect(0, 0, w, h))
	draw.Draw(out, out.Rect, image.NewUniform(color.Gray{Y: edgeMean(img)}), image.Point{}, draw.Src)
	at := image.Pt((w-sw)/2, (h-sh)/2)
	draw.CatmullRom.Scale(out, image.Rectangle{Min: at, Max: at.Add(image.Pt(sw, sh))}, img, img.Rect, draw.Src, nil)
	return out
}

func edgeMean(img *image.Gray) uint8 {
	sum, n := 0, 0
	r := img.Rect
	add := func(x, y int) { sum += int(img.GrayAt(x, y).Y); n++ }
	for x := r.Min.X; x < r.Max.X; x++ {
		add(x, r.Min.Y)
		add(x, r.Max.Y-1)
	}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		add(r.Min.X, y)
		add(r.Max.X-1, y)
	}
	return uint8(sum / n)
}
