package uitest

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
)

// A channel of a stored picture lies within Rounded of the picture that was drawn,
// of 255, and within Worst where colours are many. It is a part of the tolerance: a
// quarter, at worst a half.
const (
	Rounded = 8
	Worst   = 16
)

// Write stores a picture as a PNG of at most 256 colours, a fifth of the size of
// the whole one: the commonest colours as they are, every other as the nearest of
// those. A picture that has no such palette within Worst for 99.9 % of its pixels is
// stored whole.
func Write(file string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	e := png.Encoder{CompressionLevel: png.BestCompression}
	if small := paletted(img); small != nil {
		img = small
	}
	if err := e.Encode(&b, img); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

type rgb [3]uint8

// paletted returns a picture in 256 colours, nil if they are too few for it.
func paletted(img image.Image) *image.Paletted {
	r := img.Bounds()
	px := make([]rgb, 0, r.Dx()*r.Dy())
	count := map[rgb]int{}
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			v := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			c := rgb{v.R, v.G, v.B}
			px = append(px, c)
			count[c]++
		}
	}
	colours := choose(count)
	p := make(color.Palette, len(colours))
	for i, c := range colours {
		p[i] = color.NRGBA{c[0], c[1], c[2], 255}
	}
	nearest := map[rgb]uint8{}
	poor := 0
	for c, n := range count {
		i, d := near(colours, c)
		nearest[c] = uint8(i)
		if d > Worst {
			poor += n
		}
	}
	if poor*1000 > len(px) {
		return nil
	}
	out := image.NewPaletted(image.Rect(0, 0, r.Dx(), r.Dy()), p)
	for i, c := range px {
		out.Pix[i] = nearest[c]
	}
	return out
}

// choose picks 256 colours: the commonest first. A colour that fills a field is
// kept as it is; of the others none is within Rounded of one that is there already
// while others are not yet served.
func choose(count map[rgb]int) []rgb {
	all := make([]rgb, 0, len(count))
	field := 0
	for c, n := range count {
		all = append(all, c)
		field += n
	}
	field /= 300
	slices.SortFunc(all, func(a, b rgb) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), bytes.Compare(a[:], b[:]))
	})
	for _, apart := range []int{Rounded, 3 * Rounded / 2} {
		var out []rgb
		for _, c := range all {
			if len(out) > 0 {
				if _, d := near(out, c); d == 0 || d <= apart && count[c] < field {
					continue
				}
			}
			if out = append(out, c); len(out) > 256 {
				break
			}
		}
		if len(out) <= 256 {
			return out
		}
		if apart == 3*Rounded/2 {
			return out[:256]
		}
	}
	return nil
}

// near returns the nearest colour and how far its worst channel lies.
func near(l []rgb, c rgb) (best, apart int) {
	apart = 256
	for i, x := range l {
		d := 0
		for k := range 3 {
			d = max(d, int(x[k])-int(c[k]), int(c[k])-int(x[k]))
		}
		if d < apart {
			best, apart = i, d
		}
	}
	return best, apart
}
