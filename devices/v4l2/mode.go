package v4l2

import (
	"fmt"
	"image"
	"slices"
	"time"

	"tambo/devices/internal/mjpeg"
)

// mode is a format, size and rate.
type mode struct {
	pix           uint32
	width, height int
	interval      time.Duration // 0: the camera's own
	stride, size  int           // bytes; as the kernel set them
}

// Sizes that the driver takes (devices.IrisFrame, devices.FaceFrame), with room
// below for tests, and bounds of what the kernel is asked.
const (
	minWidth, minHeight   = 32, 24
	maxWidth, maxHeight   = 1280, 960
	faceWidth, faceHeight = 4096, 3072
	maxEnum               = 64
)

// Rates of a face camera, as for the driver of USB Video Class: nothing slower
// than slowest while something else is there.
const (
	slowest  = 100 * time.Millisecond
	quickest = time.Second / 30
	lively   = time.Second / 24
)

// lines says how many lines an uncompressed frame has in memory, and the bytes of
// one without padding.
func (m mode) lines() (rows, row int) {
	switch m.pix {
	case pixYUYV:
		return m.height, 2 * m.width
	case pixNV12:
		return m.height * 3 / 2, m.width
	}
	return m.height, m.width
}

// check holds the kernel to what the pixels need.
func (m mode) check() error {
	if m.pix == pixMJPG {
		return nil
	}
	if rows, row := m.lines(); m.stride < row || m.size < (rows-1)*m.stride+row || m.size > maxBuffer {
		return fmt.Errorf("%w: lines of %d bytes and frames of %d for %s %d×%d", errUnsupported, m.stride, m.size, fourCC(m.pix), m.width, m.height)
	}
	return nil
}

// modes lists what a node offers in one of the pixel formats.
func (n *node) modes(pix ...uint32) []mode {
	var out []mode
	for i := range uint32(maxEnum) {
		d := fmtDesc{Index: i, Type: n.kind}
		if ioctl(n.fd, enumFmt, &d) != nil {
			break
		}
		if !slices.Contains(pix, d.PixelFormat) {
			continue
		}
		for k := range uint32(maxEnum) {
			s := frameSize{Index: k, PixelFormat: d.PixelFormat}
			if ioctl(n.fd, enumSizes, &s) != nil || s.Type != discrete {
				break // a scaler: no camera's own size
			}
			out = append(out, mode{pix: d.PixelFormat, width: int(s.Width), height: int(s.Height),
				interval: n.rate(d.PixelFormat, s.Width, s.Height)})
		}
	}
	return out
}

// rate is the interval closest to quickest that a size offers, 0 where it does
// not say.
func (n *node) rate(pix, w, h uint32) time.Duration {
	var best time.Duration
	for i := range uint32(maxEnum) {
		r := frameInterval{Index: i, PixelFormat: pix, Width: w, Height: h}
		if ioctl(n.fd, enumRates, &r) != nil || r.Min.Den == 0 {
			break
		}
		d := time.Duration(float64(r.Min.Num) / float64(r.Min.Den) * float64(time.Second))
		if r.Type != discrete {
			return max(d, quickest)
		}
		if best == 0 || (d-quickest).Abs() < (best-quickest).Abs() {
			best = d
		}
	}
	return best
}

// greyModes lists the grey modes for one eye, or for two side by side; the
// largest first.
func (n *node) greyModes(perFrame int) []mode {
	out := slices.DeleteFunc(n.modes(pixGrey), func(m mode) bool {
		w := m.width / perFrame
		return m.width%perFrame != 0 || w < minWidth || w > maxWidth || m.height < minHeight || m.height > maxHeight
	})
	for i := range out {
		out[i].interval = 0
	}
	slices.SortStableFunc(out, func(a, b mode) int { return b.width*b.height - a.width*a.height })
	return out
}

// colourModes lists the colour modes: those that make the rate first, then by
// size, liveliness, and uncompressed before compressed.
func (n *node) colourModes() []mode {
	order := []uint32{pixYUYV, pixNV12, pixMJPG}
	out := slices.DeleteFunc(n.modes(order...), func(m mode) bool {
		return m.width < minWidth || m.width > faceWidth || m.height < minHeight || m.height > faceHeight || m.width%2 != 0 || m.height%2 != 0
	})
	slices.SortStableFunc(out, func(a, b mode) int {
		if as, bs := a.interval > slowest, b.interval > slowest; as != bs {
			if bs {
				return -1
			}
			return 1
		}
		if d := b.width*b.height - a.width*a.height; d != 0 {
			return d
		}
		if d := max(a.interval, lively) - max(b.interval, lively); d != 0 {
			return int(d / 100)
		}
		return slices.Index(order, a.pix) - slices.Index(order, b.pix)
	})
	return out
}

// grey copies a frame into images that stand side by side in it; false where
// bytes are missing.
func (m mode) grey(b []byte, planes []*image.Gray) bool {
	if !m.whole(b) {
		return false
	}
	w := m.width / len(planes)
	for y := range m.height {
		row := b[y*m.stride:]
		for i, p := range planes {
			copy(p.Pix[y*p.Stride:][:w], row[i*w:])
		}
	}
	return true
}

// colour makes an image of an uncompressed frame; nil where bytes are missing.
func (m mode) colour(b []byte) *image.YCbCr {
	if !m.whole(b) {
		return nil
	}
	r := image.Rect(0, 0, m.width, m.height)
	if m.pix == pixNV12 {
		img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
		for y := range m.height {
			copy(img.Y[y*img.YStride:][:m.width], b[y*m.stride:])
		}
		for y := range m.height / 2 {
			row := b[(m.height+y)*m.stride:][:m.width]
			cb, cr := img.Cb[y*img.CStride:], img.Cr[y*img.CStride:]
			for x := 0; x+1 < len(row); x += 2 {
				cb[x/2], cr[x/2] = row[x], row[x+1]
			}
		}
		return img
	}
	img := image.NewYCbCr(r, image.YCbCrSubsampleRatio422)
	for y := range m.height {
		row := b[y*m.stride:][:2*m.width]
		l, cb, cr := img.Y[y*img.YStride:], img.Cb[y*img.CStride:], img.Cr[y*img.CStride:]
		for x := 0; x+3 < len(row); x += 4 {
			l[x/2], cb[x/4], l[x/2+1], cr[x/4] = row[x], row[x+1], row[x+2], row[x+3]
		}
	}
	return img
}

// whole reports whether an uncompressed frame has all its bytes; the last line
// may lack its padding.
func (m mode) whole(b []byte) bool {
	rows, row := m.lines()
	return len(b) >= (rows-1)*m.stride+row
}

// jpegWhole returns the JPEG in a buffer if it is whole.
func (m mode) jpegWhole(b []byte) ([]byte, bool) {
	if len(b) > mjpeg.Limit(m.width, m.height, 0) {
		return nil, false
	}
	b, err := mjpeg.Check(b, m.width, m.height)
	return b, err == nil
}
