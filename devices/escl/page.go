package escl

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"

	"tambo/devices"
	"tambo/devices/escl/internal/pdf"
)

// Limits of a page. What a header claims is believed only within them, before
// anything is allocated for it.
const (
	maxPage  = 256 << 20 // bytes as sent
	maxImage = 170 << 20 // bytes of the decoded image; A4 at 600 dpi, 4 bytes a pixel, has 140

	// Of a JPEG, before it is decoded. Each scan goes through the whole image, however
	// few bytes it has: encoders make one or three, progressive ones ten or so. A
	// million tables, or segments that say nothing, fit into a page.
	maxScans    = 100
	maxBaseline = 4 // scans of one that is not progressive: each component once
	maxTables   = 1000
	maxSegments = 20000 // a colour profile or a preview takes 65,533 bytes each
)

var errImage = errors.New("escl: page is not a whole image")

// encodedLimit is the most bytes that a page may have: half as many again as
// the image without any compression.
func (s settings) encodedLimit() int64 {
	w, h := s.pixels()
	return min(maxPage, int64(w)*int64(h)*3*3/2+1<<20)
}

// decodePage makes a page of what a device sent for s. The format is told by the
// bytes, not by what the device calls them. The picture of a PDF is taken out of
// it, so that nobody behind needs a reader of PDF. Errors wrap ErrUnsupported or
// errImage.
func decodePage(data []byte, s settings) (devices.Page, error) {
	w, h := s.pixels()
	// Feeders deliver a little more than was asked for, and some devices another
	// resolution; what is far off is no page of ours.
	limit := image.Pt(2*w+1000, 2*h+1000)
	density := 0
	var img image.Image
	var said image.Point // the size that a PDF says
	mime := sniff(data)
	if mime == "application/pdf" {
		p, err := pdf.Read(data, limit, maxImage)
		switch {
		case errors.Is(err, pdf.ErrGeneral):
			return devices.Page{}, because(devices.ErrUnsupported, "%w: choose another page format at the scanner", err)
		case err != nil:
			return devices.Page{}, fmt.Errorf("%w: %w", errImage, err)
		}
		density, img, said = p.DPI, p.Image, image.Pt(p.Width, p.Height)
		if data, mime = p.JPEG, sniff(p.JPEG); img != nil {
			if data, err = encodePNG(img); err != nil {
				return devices.Page{}, fmt.Errorf("%w: %w", errImage, err)
			}
			mime = "image/png"
		}
	}
	if img == nil {
		var own int
		var err error
		if img, own, err = decodeImage(data, mime, s, limit); err != nil {
			return devices.Page{}, err
		}
		if density == 0 {
			density = own
		}
		if size := img.Bounds().Size(); said != (image.Point{}) && said != size {
			return devices.Page{}, fmt.Errorf("%w: a JPEG of %v in a PDF that says %v", errImage, size, said)
		}
	}
	return devices.Page{Image: img, Encoded: data, MIME: mime, Resolution: resolution(s, img.Bounds().Dx(), density)}, nil
}

func encodePNG(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img)
	return b.Bytes(), err
}

// decodeImage decodes a JPEG or a PNG, and says what density it claims.
func decodeImage(data []byte, mime string, s settings, limit image.Point) (img image.Image, density int, err error) {
	w, h := s.pixels()
	var header image.Config
	switch mime {
	case "image/jpeg":
		header, density, err = jpegHeader(data)
	case "image/png":
		header, err = png.DecodeConfig(bytes.NewReader(data))
		density = pngDensity(data)
	default:
		return nil, 0, fmt.Errorf("%w: neither JPEG nor PNG nor PDF", errImage)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errImage, err)
	}
	if header.Width <= 0 || header.Height <= 0 || header.Width > limit.X || header.Height > limit.Y ||
		header.Width*header.Height*pixelBytes(header.ColorModel) > maxImage {
		return nil, 0, fmt.Errorf("%w: %d x %d pixels where %d x %d were asked for", errImage, header.Width, header.Height, w, h)
	}
	if mime == "image/jpeg" {
		img, err = jpeg.Decode(bytes.NewReader(data))
	} else {
		img, err = png.Decode(bytes.NewReader(data))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errImage, err)
	}
	return img, density, nil
}

func sniff(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xff\xd8\xff")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	case bytes.HasPrefix(b, []byte("%PDF-")):
		return "application/pdf"
	}
	return "application/octet-stream"
}

// pixelBytes is what a decoded pixel takes.
func pixelBytes(m color.Model) int {
	switch m {
	case color.GrayModel:
		return 1
	case color.Gray16Model:
		return 2
	case color.YCbCrModel:
		return 3
	case color.RGBA64Model, color.NRGBA64Model:
		return 8
	case progressiveModel:
		return 3 + 3*4 // and its coefficients
	}
	if _, ok := m.(color.Palette); ok {
		return 1
	}
	return 4
}

// progressiveModel stands for a progressive JPEG in a header: decoding it takes
// several times the memory.
var progressiveModel = color.ModelFunc(color.YCbCrModel.Convert)

// jpegHeader reads the frame header of a JPEG (ITU-T T.81, B.2) and the density of
// its JFIF header, dpi, 0 where it has none, and counts what decoding it would go
// through.
func jpegHeader(b []byte) (image.Config, int, error) {
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return c, 0, err
	}
	if c.ColorModel != color.GrayModel && c.ColorModel != color.YCbCrModel && c.ColorModel != color.RGBAModel {
		return c, 0, errors.New("jpeg with four components")
	}
	density, framed := 0, false
	scans, tables, segments := 0, 0, 0
	for i := 2; ; {
		if !framed && i < len(b) && b[i] != 0xff {
			return c, 0, errors.New("jpeg without a marker where one must be")
		}
		marker, at, ok := segment(b, i)
		if !ok {
			break
		}
		n := int(binary.BigEndian.Uint16(b[at:]))
		switch {
		case marker == 0xc2:
			framed, c.ColorModel = true, progressiveModel
		case marker == 0xc0 || marker == 0xc1:
			framed = true
		case marker == 0xc4:
			tables += n / 17 // one without codes has as many bytes
		case marker == 0xdb:
			tables += n / 65
		case marker == 0xda:
			scans++
		case marker == 0xe0 && !framed && n >= 16 && at+12 <= len(b) && string(b[at+2:at+7]) == "JFIF\x00":
			density = jfifDensity(b[at+9], binary.BigEndian.Uint16(b[at+10:]))
		}
		segments++
		if scans > maxBaseline && c.ColorModel != progressiveModel || scans > maxScans || tables > maxTables || segments > maxSegments {
			return c, 0, fmt.Errorf("jpeg of %d scans, %d tables and %d segments or more", scans, tables, segments)
		}
		i = at + n
	}
	if !framed {
		return c, 0, errors.New("jpeg without a frame header")
	}
	return c, density, nil
}

// segment finds the next marker with parameters from a place on, and where its
// length stands; false at the end of the image. It passes over what a decoder
// passes over: the data of scans, fill bytes, markers without parameters.
func segment(b []byte, i int) (marker byte, at int, ok bool) {
	for {
		next := bytes.IndexByte(b[min(i, len(b)):], 0xff)
		if i += next; next < 0 || i+4 > len(b) {
			return 0, 0, false
		}
		switch m := b[i+1]; {
		case m == 0xff:
			i++
		case m <= 0x01 || m >= 0xd0 && m <= 0xd8:
			i += 2
		case m == 0xd9:
			return 0, 0, false
		default:
			return m, i + 2, true
		}
	}
}

func jfifDensity(unit byte, x uint16) int {
	switch unit {
	case 1:
		return int(x)
	case 2:
		return (int(x)*254 + 50) / 100 // dots per centimetre
	}
	return 0
}

// pngDensity reads the pHYs chunk if it follows the header within a few chunks
// (PNG, 11.3.4.3), dpi, 0 where there is none.
func pngDensity(b []byte) int {
	for i := 8; i+12 <= len(b); {
		n := int64(binary.BigEndian.Uint32(b[i:]))
		kind := string(b[i+4 : i+8])
		if kind == "IDAT" || n > int64(len(b)) {
			return 0
		}
		if kind == "pHYs" && n == 9 && i+17 <= len(b) && b[i+16] == 1 {
			return int((int64(binary.BigEndian.Uint32(b[i+8:]))*254 + 5000) / 10000)
		}
		i += 12 + int(n)
	}
	return 0
}

// resolution says at how many dpi a page is. Devices answer in another
// resolution than was asked for, and write wrong densities: a density counts
// only if the width of the image agrees with it and not with what was asked.
func resolution(s settings, width, density int) int {
	agrees := func(dpi int) bool {
		want := s.width * dpi / 300
		return abs(width-want)*20 <= want
	}
	if density > 0 && density != s.resolution && agrees(density) && !agrees(s.resolution) {
		return density
	}
	return s.resolution
}
