package virtualtest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"

	"tambo/devices"
	"tambo/devices/virtual"
)

// Marked is a scene of two eyes that can be checked: every byte of an image is a function
// of the exposure's index and the eye, and the index is painted in.
type Marked struct{}

// Eyes implements [virtual.EyeScene].
func (Marked) Eyes(s virtual.Shot) (left, right *image.Gray) {
	return mark(s.Index, 'L', s.Width, s.Height), mark(s.Index, 'R', s.Width, s.Height)
}

func mark(index uint64, eye byte, w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	binary.LittleEndian.PutUint64(img.Pix, index)
	img.Pix[8] = eye
	x := index*0x9e3779b97f4a7c15 + uint64(eye)
	for i := 9; i < len(img.Pix); i++ {
		if i%8 == 1 {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
		}
		img.Pix[i] = byte(x >> (8 * (i % 8)))
	}
	return img
}

// WrongEyes compares a frame with what [Marked] showed; it says what is wrong with
// it, or nothing.
func WrongEyes(f devices.IrisFrame) string {
	left, err := MarkedIndex(f.Left, 'L')
	if err != nil {
		return err.Error()
	}
	right, err := MarkedIndex(f.Right, 'R')
	switch {
	case err != nil:
		return err.Error()
	case left != right:
		return "the eyes are of two exposures"
	}
	return ""
}

// MarkedIndex compares an image of [Marked]'s eye 'L' or 'R' with what the scene
// showed, and says which exposure it is.
func MarkedIndex(img *image.Gray, eye byte) (uint64, error) {
	if img == nil {
		return 0, errors.New("an eye is missing")
	}
	if img.Pix[8] != eye {
		return 0, errors.New("the eyes are swapped")
	}
	index := binary.LittleEndian.Uint64(img.Pix)
	if want := mark(index, eye, img.Rect.Dx(), img.Rect.Dy()); !bytes.Equal(want.Pix, img.Pix) {
		return 0, errors.New("pixels are not those of the scene")
	}
	return index, nil
}

// Board is a colour scene that can be checked: squares of sixteen pixels, the
// first 64 of which tell the bits of the exposure's index (so that they survive
// compression), the others a colour that follows from it.
type Board struct{}

const square = 16

// Picture implements [virtual.ColourScene].
func (Board) Picture(s virtual.Shot) image.Image { return drawBoard(s.Index, s.Width, s.Height) }

func drawBoard(index uint64, w, h int) *image.YCbCr {
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio422)
	across := (w + square - 1) / square
	for y := range h {
		for x := range w {
			n := y/square*across + x/square
			luma, cb, cr := byte(32), byte(128), byte(128)
			if n < boardBits {
				if index>>n&1 != 0 {
					luma = 224
				}
			} else {
				k := (index + uint64(n)) * 0x9e3779b97f4a7c15
				luma, cb, cr = 40+byte(k>>8)%160, 60+byte(k>>16)%130, 60+byte(k>>24)%130
			}
			img.Y[y*img.YStride+x] = luma
			img.Cb[y*img.CStride+x/2], img.Cr[y*img.CStride+x/2] = cb, cr
		}
	}
	return img
}

// boardBits is how many bits of the index are shown: a picture of 64×48 has
// twelve squares.
const boardBits = 10

// WrongFace compares a frame with what [Board] showed; it says what is wrong with
// it, or nothing.
func WrongFace(f devices.FaceFrame) string {
	w, h := f.Image.Rect.Dx(), f.Image.Rect.Dy()
	across := (w + square - 1) / square
	var index uint64
	for n := range uint64(boardBits) {
		if f.Image.YCbCrAt(int(n)%across*square+square/2, int(n)/across*square+square/2).Y > 128 {
			index |= 1 << n
		}
	}
	// The squares that follow depend on all of the index: try its upper bits.
	for high := range uint64(64) {
		want := drawBoard(index|high<<boardBits, w, h)
		switch {
		case f.JPEG != nil:
			var b bytes.Buffer
			if err := jpeg.Encode(&b, want, &jpeg.Options{Quality: 85}); err != nil {
				return err.Error()
			}
			img, err := jpeg.Decode(&b)
			if err != nil {
				return err.Error()
			}
			want = img.(*image.YCbCr)
		case f.Image.SubsampleRatio == image.YCbCrSubsampleRatio420: // NV12: squares are even
			want = halved(want)
		}
		if bytes.Equal(want.Y, f.Image.Y) && bytes.Equal(want.Cb, f.Image.Cb) && bytes.Equal(want.Cr, f.Image.Cr) {
			return ""
		}
	}
	return "pixels are not those of the scene"
}

func halved(p *image.YCbCr) *image.YCbCr {
	out := image.NewYCbCr(p.Rect, image.YCbCrSubsampleRatio420)
	copy(out.Y, p.Y)
	for y := range p.Rect.Dy() / 2 {
		copy(out.Cb[y*out.CStride:][:out.CStride], p.Cb[2*y*p.CStride:])
		copy(out.Cr[y*out.CStride:][:out.CStride], p.Cr[2*y*p.CStride:])
	}
	return out
}
