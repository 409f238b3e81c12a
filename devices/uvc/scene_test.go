package uvc_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"tambo/devices"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

// marked is a scene that can be checked: every byte of an image is a function
// of the exposure's index and the eye, and the index is painted in.
type marked struct{}

func (marked) Eyes(s virtual.Shot) (left, right *image.Gray) {
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

// wrong compares a frame with what the scene showed; it says what is wrong with
// it, or nothing.
func wrong(f devices.IrisFrame) string {
	for _, e := range []struct {
		img *image.Gray
		eye byte
	}{{f.Left, 'L'}, {f.Right, 'R'}} {
		if e.img == nil {
			return "an eye is missing"
		}
		index := binary.LittleEndian.Uint64(e.img.Pix)
		if e.img.Pix[8] != e.eye {
			return "the eyes are swapped"
		}
		if want := mark(index, e.eye, e.img.Rect.Dx(), e.img.Rect.Dy()); !bytes.Equal(want.Pix, e.img.Pix) {
			return "pixels are not those of the scene"
		}
	}
	if !bytes.Equal(f.Left.Pix[:8], f.Right.Pix[:8]) {
		return "the eyes are of two exposures"
	}
	return ""
}

func check(t *testing.T, f devices.IrisFrame) {
	t.Helper()
	if w := wrong(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

const illuminationGUID = "6a0c3e9b51d44b1f9e272c701d83f5a6"

func quirks(l virtual.Layout) uvc.Quirks {
	light := &uvc.UnitControl{GUID: illuminationGUID, Selector: 1, Size: 2, Min: 0, Max: 1000}
	if l == virtual.SideBySide {
		return uvc.Quirks{Layout: uvc.LayoutSideBySide, Interface: 1, RightEyeFirst: true, Illumination: light}
	}
	return uvc.Quirks{Layout: uvc.LayoutStreams, Left: 1, Right: 2, Illumination: light}
}
