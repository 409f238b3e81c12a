package virtual

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/draw"
	"image/jpeg"
	"sync"
	"time"
)

// coding is how a stream carries pixels.
type coding uint8

const (
	codeGrey coding = iota
	codeYUY2
	codeNV12
	codeMJPEG
)

// videoMode is what a stream was asked to send.
type videoMode struct {
	coding coding
	size   image.Point
}

// bytes of a frame, the most for MJPEG.
func (m videoMode) bytes() int {
	n := m.size.X * m.size.Y
	switch m.coding {
	case codeYUY2, codeMJPEG:
		return 2 * n
	case codeNV12:
		return n * 3 / 2
	}
	return n
}

// sensor makes the exposures that its streams send. Its fields but the first
// four are guarded by camera.mu.
type sensor struct {
	c        *camera
	fn       *videoFunction
	interval time.Duration
	expose   func(Shot, videoMode) [][]byte // the frames of the streams

	one sync.Mutex // held while the scene draws

	shot    *exposure
	drawing chan struct{} // closed when the exposure in the making is done
}

// exposure is a drawn shot: the bytes of each stream's frame.
type exposure struct {
	shot   Shot
	mode   videoMode
	frames [][]byte
}

// newer waits for an exposure of a mode after the one of index last. What was not
// asked for in time is never exposed, as in a camera that nobody reads. A scene
// that is slow to draw holds nobody up whose context ends.
func (s *sensor) newer(ctx context.Context, last int64, interval time.Duration, m videoMode) (*exposure, error) {
	for {
		s.c.mu.Lock()
		e, drawn, wait := s.look(last, interval, m)
		s.c.mu.Unlock()
		if e != nil {
			return e, nil
		}
		if wait > 0 {
			if err := sleep(ctx, wait); err != nil {
				return nil, err
			}
			continue
		}
		select {
		case <-drawn:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// look gives an exposure that newer would return, or says what to wait for: the
// time that is left until the next is due, or that it is drawn. camera.mu is held.
func (s *sensor) look(last int64, interval time.Duration, m videoMode) (e *exposure, drawn chan struct{}, wait time.Duration) {
	c := s.c
	if s.shot != nil && int64(s.shot.shot.Index) > last && s.shot.mode == m {
		return s.shot, nil, 0 // perhaps the other stream asked for it
	}
	now := int64(time.Since(c.start) / s.interval)
	due := max(last+int64(max(interval/s.interval, 1)), now)
	if last < 0 {
		due = max(0, now)
	}
	if wait := time.Until(c.start.Add(time.Duration(due) * s.interval)); wait > 0 {
		return nil, nil, wait
	}
	if s.drawing == nil {
		s.drawing = make(chan struct{})
		shot := Shot{Index: uint64(due), At: time.Duration(due) * s.interval}
		if light := s.fn.units[idExtension<<8|selIllumination]; light != nil {
			shot.Illumination = float64(light.cur) / maxIllumination
		}
		go s.draw(c.start, shot, m)
	}
	return nil, s.drawing, 0
}

// frames has the scene drawn.
func (s *sensor) frames(shot Shot, m videoMode) [][]byte {
	s.one.Lock()
	defer s.one.Unlock()
	return s.expose(shot, m)
}

// draw makes the next exposure; one at a time.
func (s *sensor) draw(start time.Time, shot Shot, m videoMode) {
	e := &exposure{shot: shot, mode: m, frames: s.frames(shot, m)}
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	if s.c.start == start { // not of a plugging that is over
		s.shot = e
	}
	close(s.drawing)
	s.drawing = nil
}

// exposeEyes draws the frames of an iris camera.
func exposeEyes(scene EyeScene, l Layout, s Shot) [][]byte {
	left, right := scene.Eyes(s)
	if l == SideBySide {
		b := make([]byte, 2*s.Width*s.Height)
		paint(b, 2*s.Width, 0, s, right)
		paint(b, 2*s.Width, s.Width, s, left)
		return [][]byte{b}
	}
	frames := [][]byte{make([]byte, s.Width*s.Height), make([]byte, s.Width*s.Height)}
	paint(frames[0], s.Width, 0, s, left)
	paint(frames[1], s.Width, 0, s, right)
	return frames
}

func paint(dst []byte, stride, at int, s Shot, img *image.Gray) {
	if img == nil || img.Rect.Dx() != s.Width || img.Rect.Dy() != s.Height {
		return
	}
	for y := range s.Height {
		row := img.PixOffset(img.Rect.Min.X, img.Rect.Min.Y+y)
		copy(dst[y*stride+at:y*stride+at+s.Width], img.Pix[row:row+s.Width])
	}
}

// encodeColour makes the bytes of a colour frame.
func encodeColour(img image.Image, m videoMode, opt ColourOptions) []byte {
	if img == nil || img.Bounds().Size() != m.size {
		img = image.NewYCbCr(image.Rectangle{Max: m.size}, image.YCbCrSubsampleRatio422)
		for i := range img.(*image.YCbCr).Cb {
			img.(*image.YCbCr).Cb[i], img.(*image.YCbCr).Cr[i] = 128, 128
		}
	}
	if m.coding == codeMJPEG {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: opt.Quality}); err != nil {
			panic(err) // a buffer takes everything, and the size was checked
		}
		if opt.KeepTables {
			return b.Bytes()
		}
		return withoutTables(b.Bytes())
	}
	p := planes(img)
	if m.coding == codeNV12 {
		return nv12(p)
	}
	out := make([]byte, 0, m.bytes())
	for y := range m.size.Y {
		luma := p.Y[y*p.YStride:][:m.size.X]
		cb, cr := p.Cb[y*p.CStride:], p.Cr[y*p.CStride:]
		for x := 0; x < m.size.X; x += 2 {
			out = append(out, luma[x], cb[x/2], luma[x+1], cr[x/2])
		}
	}
	return out
}

// planes gives a picture as 4:2:2 YCbCr that begins at the origin.
func planes(img image.Image) *image.YCbCr {
	p, ok := img.(*image.YCbCr)
	if ok && p.SubsampleRatio == image.YCbCrSubsampleRatio422 && p.Rect.Min == (image.Point{}) {
		return p
	}
	size := img.Bounds().Size()
	rgba, ok := img.(*image.RGBA)
	if !ok || rgba.Rect.Min != (image.Point{}) {
		rgba = image.NewRGBA(image.Rectangle{Max: size})
		draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
	}
	p = image.NewYCbCr(rgba.Rect, image.YCbCrSubsampleRatio422)
	for y := range size.Y {
		row := rgba.Pix[y*rgba.Stride:][:4*size.X]
		luma, cb, cr := p.Y[y*p.YStride:], p.Cb[y*p.CStride:], p.Cr[y*p.CStride:]
		for x := 0; x < size.X; x += 2 {
			r0, g0, b0 := int32(row[4*x]), int32(row[4*x+1]), int32(row[4*x+2])
			r1, g1, b1 := int32(row[4*x+4]), int32(row[4*x+5]), int32(row[4*x+6])
			luma[x], luma[x+1] = brightness(r0, g0, b0), brightness(r1, g1, b1)
			r, g, b := r0+r1, g0+g1, b0+b1
			cb[x/2] = byte(min(max((-11056*r-21712*g+32768*b+257<<16)>>17, 0), 255))
			cr[x/2] = byte(min(max((32768*r-27440*g-5328*b+257<<16)>>17, 0), 255))
		}
	}
	return p
}

// brightness is Y of JFIF.
func brightness(r, g, b int32) byte { return byte((19595*r + 38470*g + 7471*b + 1<<15) >> 16) }

// nv12 halves the colours of a 4:2:2 picture downwards.
func nv12(p *image.YCbCr) []byte {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	out := make([]byte, 0, w*h*3/2)
	for y := range h {
		out = append(out, p.Y[y*p.YStride:][:w]...)
	}
	for y := 0; y < h; y += 2 {
		a, b := y*p.CStride, (y+1)*p.CStride
		for x := range w / 2 {
			out = append(out, byte((int(p.Cb[a+x])+int(p.Cb[b+x])+1)/2), byte((int(p.Cr[a+x])+int(p.Cr[b+x])+1)/2))
		}
	}
	return out
}

// withoutTables takes the Huffman tables out of a JPEG, as UVC cameras do: image/jpeg
// encodes with the standard ones.
func withoutTables(b []byte) []byte {
	out := append([]byte(nil), b[:2]...)
	for off := 2; off+4 <= len(b); {
		n := 2 + int(binary.BigEndian.Uint16(b[off+2:]))
		if b[off+1] == 0xda {
			return append(out, b[off:]...)
		}
		if b[off+1] != 0xc4 {
			out = append(out, b[off:off+n]...)
		}
		off += n
	}
	return b
}
