package pdf

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"io"
)

// Filters that are known (7.4).
const (
	filterFlate = name("FlateDecode")
	filterDCT   = name("DCTDecode")
)

// filters lists a stream's filters and their parameters, both by position.
func (d *document) filters(s *stream) ([]name, []dict, error) {
	list := func(key string) []any {
		switch v := d.resolve(s.dict[key]).(type) {
		case nil:
			return nil
		case []any:
			return v
		default:
			return []any{v}
		}
	}
	var names []name
	for _, f := range list("Filter") {
		n, ok := d.resolve(f).(name)
		if !ok || len(names) == 2 {
			return nil, nil, general("filters of a kind that scanners do not use")
		}
		names = append(names, n)
	}
	parms := make([]dict, len(names))
	for i, p := range list("DecodeParms") {
		if i < len(parms) {
			parms[i], _ = d.dict(p)
		}
	}
	return names, parms, nil
}

// inflated returns the bytes of a stream that is plain or compressed by Flate, at
// most limit.
func (d *document) inflated(s *stream, limit int) ([]byte, error) {
	b, err := d.bytes(s)
	if err != nil {
		return nil, err
	}
	names, parms, err := d.filters(s)
	switch {
	case err != nil:
		return nil, err
	case len(names) == 0 && len(b) <= limit:
		return b, nil
	case len(names) == 1 && names[0] == filterFlate && parms[0]["Predictor"] == nil:
	default:
		return nil, general("drawing instructions compressed by %v", names)
	}
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, damaged("%v", err)
	}
	out, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil {
		return nil, damaged("%v", err)
	}
	if len(out) > limit {
		return nil, general("long drawing instructions")
	}
	return out, nil
}

// decode makes a picture of an image (8.9.5).
func (d *document) decode(s *stream, limit image.Point, memory int) (*Picture, error) {
	p := &Picture{Width: d.integer(s.dict["Width"]), Height: d.integer(s.dict["Height"])}
	if p.Width <= 0 || p.Height <= 0 || p.Width > limit.X || p.Height > limit.Y || 4*p.Width*p.Height > memory {
		return nil, damaged("a picture of %d × %d pixels", p.Width, p.Height)
	}
	for _, key := range []string{"SMask", "Mask", "ImageMask", "Decode"} {
		if v := d.resolve(s.dict[key]); v != nil && v != false {
			return nil, general("a picture with %s", key)
		}
	}
	b, err := d.bytes(s)
	if err != nil {
		return nil, err
	}
	names, parms, err := d.filters(s)
	if err != nil {
		return nil, err
	}
	switch {
	case len(names) == 1 && names[0] == filterDCT:
		p.JPEG = b
	case len(names) == 2 && names[0] == filterFlate && names[1] == filterDCT:
		p.JPEG, err = d.inflated(&stream{dict{"Filter": filterFlate, "Length": float64(len(b))}, b}, 3*p.Width*p.Height+1<<20)
	case len(names) == 0:
		p.Image, err = d.pixels(s, nil, bytes.NewReader(b), p.Width, p.Height)
	case len(names) == 1 && names[0] == filterFlate:
		var z io.ReadCloser
		if z, err = zlib.NewReader(bytes.NewReader(b)); err != nil {
			return nil, damaged("%v", err)
		}
		p.Image, err = d.pixels(s, parms[0], z, p.Width, p.Height)
	default:
		err = general("a picture compressed by %v", names)
	}
	return p, err
}

// integer reads a whole number from 0 to a million, else 0.
func (d *document) integer(v any) int {
	f, ok := d.resolve(v).(float64)
	if !ok || f < 0 || f > 1e6 || f != float64(int(f)) {
		return 0
	}
	return int(f)
}

// colours is how many components a picture has: 1 or 3.
func (d *document) colours(v any) int {
	switch cs := d.resolve(v).(type) {
	case name:
		return map[name]int{"DeviceGray": 1, "DeviceRGB": 3, "CalGray": 1, "CalRGB": 3}[cs]
	case []any:
		if len(cs) == 0 {
			return 0
		}
		kind, _ := d.resolve(cs[0]).(name)
		if kind == "ICCBased" && len(cs) == 2 {
			if profile, ok := d.resolve(cs[1]).(*stream); ok {
				if n := d.integer(profile.dict["N"]); n == 1 || n == 3 {
					return n
				}
			}
			return 0
		}
		return d.colours(kind)
	}
	return 0
}

// layout is how the bytes of a picture become lines.
type layout struct {
	w, h, n   int  // n components of 8 bits
	tag       bool // each line begins with the number of its filter (PNG)
	predicted bool // each line is filtered as PNG's "sub" (TIFF predictor 2)
}

func (d *document) layout(s *stream, parms dict, w, h int) (layout, error) {
	l := layout{w: w, h: h, n: d.colours(s.dict["ColorSpace"])}
	if l.n == 0 || d.integer(s.dict["BitsPerComponent"]) != 8 {
		return l, general("a picture of colours that scanners do not send")
	}
	switch p := d.integer(parms["Predictor"]); {
	case p <= 1:
		return l, nil
	case p == 2:
		l.predicted = true
	case p >= 10 && p <= 15:
		l.tag = true
	default:
		return l, general("predictor %d", p)
	}
	if or(d.integer(parms["Colors"]), 1) != l.n || or(d.integer(parms["Columns"]), 1) != w || or(d.integer(parms["BitsPerComponent"]), 8) != 8 {
		return l, damaged("the picture's lines do not fit its size")
	}
	return l, nil
}

// pixels reads a picture line by line: what it takes is the picture itself.
func (d *document) pixels(s *stream, parms dict, src io.Reader, w, h int) (image.Image, error) {
	l, err := d.layout(s, parms, w, h)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(src, 64<<10)
	grey, colour := (*image.Gray)(nil), (*image.RGBA)(nil)
	if l.n == 1 {
		grey = image.NewGray(image.Rect(0, 0, w, h))
	} else {
		colour = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	line, above := make([]byte, l.n*w), make([]byte, l.n*w)
	for y := range h {
		if err := l.read(r, line, above); err != nil {
			return nil, damaged("line %d of %d: %v", y, h, err)
		}
		if grey != nil {
			copy(grey.Pix[y*grey.Stride:], line)
		} else {
			for x, o := 0, y*colour.Stride; x < w; x, o = x+1, o+4 {
				colour.Pix[o], colour.Pix[o+1], colour.Pix[o+2], colour.Pix[o+3] = line[3*x], line[3*x+1], line[3*x+2], 255
			}
		}
		line, above = above, line
	}
	// Its checksum, and that nothing is left but an end.
	if k, err := io.CopyN(io.Discard, r, 16); k > 8 || err != nil && !errors.Is(err, io.EOF) {
		return nil, damaged("after the last line: %d bytes, %v", k, err)
	}
	if grey != nil {
		return grey, nil
	}
	return colour, nil
}

func (l layout) read(r *bufio.Reader, line, above []byte) error {
	kind := byte(0)
	if l.tag {
		var err error
		if kind, err = r.ReadByte(); err != nil {
			return err
		}
	}
	if _, err := io.ReadFull(r, line); err != nil {
		return err
	}
	if l.predicted {
		kind = 1
	}
	if !unfilter(kind, line, above, l.n) {
		return fmt.Errorf("filter %d", kind)
	}
	return nil
}

func or(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// unfilter undoes a PNG filter (PNG, 9.2); false for one that there is not.
func unfilter(kind byte, line, above []byte, n int) bool {
	switch kind {
	case 0:
	case 1:
		for i := n; i < len(line); i++ {
			line[i] += line[i-n]
		}
	case 2:
		for i := range line {
			line[i] += above[i]
		}
	case 3:
		for i := range line {
			left := 0
			if i >= n {
				left = int(line[i-n])
			}
			line[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range line {
			var left, corner int
			if i >= n {
				left, corner = int(line[i-n]), int(above[i-n])
			}
			line[i] += paeth(left, int(above[i]), corner)
		}
	default:
		return false
	}
	return true
}

func paeth(a, b, c int) byte {
	p := a + b - c
	pa, pb, pc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
