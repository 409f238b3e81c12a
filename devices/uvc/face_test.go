package uvc_test

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/devicetest"
	"tambo/devices/usb"
	"tambo/devices/uvc"
	"tambo/devices/virtual"
)

// board is a colour scene that can be checked: squares of sixteen pixels, the
// first 64 of which tell the bits of the exposure's index (so that they survive
// compression), the others a colour that follows from it.
type board struct{}

const square = 16

func (board) Picture(s virtual.Shot) image.Image { return drawBoard(s.Index, s.Width, s.Height) }

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

// wrongFace compares a frame with what the scene showed near exposure.
func wrongFace(f devices.FaceFrame) string {
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

func checkFace(t *testing.T, f devices.FaceFrame) {
	t.Helper()
	if w := wrongFace(f); w != "" {
		t.Fatalf("frame %d: %s", f.Seq, w)
	}
}

func fastColour(formats ...string) virtual.ColourOptions {
	return virtual.ColourOptions{Formats: formats, Sizes: []image.Point{{32, 24}, {64, 48}}, Interval: 2 * time.Millisecond, Payload: 1000}
}

func newColour(t testing.TB, opt virtual.ColourOptions) *virtual.Device {
	t.Helper()
	d, err := virtual.NewColourCamera(board{}, opt)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFaceConformance(t *testing.T) {
	for _, b := range []struct {
		name string
		bus  func(t testing.TB, bus *virtual.Bus) usb.Bus
	}{
		{"InProcess", func(_ testing.TB, bus *virtual.Bus) usb.Bus { return bus }},
		{"USBIP", overUSBIP},
	} {
		for _, format := range []string{"YUY2", "NV12", "MJPG"} {
			t.Run(format+"/"+b.name, func(t *testing.T) {
				t.Parallel()
				devicetest.Face(t, func(t *testing.T) devicetest.FaceRig {
					vbus := virtual.NewBus()
					t.Cleanup(func() { vbus.Close() })
					dev := newColour(t, fastColour(format))
					plug := func(t *testing.T) {
						if err := vbus.Plug(port, dev); err != nil {
							t.Fatal(err)
						}
					}
					plug(t)
					bus := b.bus(t, vbus)
					return devicetest.FaceRig{
						Open: func(ctx context.Context) (devices.FaceCamera, error) {
							c, err := uvc.OpenFace(ctx, bus, port, 0)
							if err != nil {
								return nil, err
							}
							return c, nil
						},
						Plug: plug, Unplug: func(*testing.T) { vbus.Unplug(port) },
						Check: checkFace, Size: image.Pt(64, 48), Compressed: format == "MJPG", Virtual: true,
					}
				})
			})
		}
	}
}
