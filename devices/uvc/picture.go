package uvc

import (
	"encoding/binary"
	"image"
	"sync"
)

// picture is the room for one frame. write puts bytes of the frame at their
// offset: the one copy that is made of them. Bytes come in order and within the
// frame's size.
type picture interface {
	write(off int, b []byte)
}

// newPicture makes room for a frame of a mode; n is how many grey images stand
// side by side in it.
func newPicture(m mode, n int) picture {
	switch m.coding {
	case codingYUY2:
		return yuy2Picture{image.NewYCbCr(image.Rect(0, 0, m.width, m.height), image.YCbCrSubsampleRatio422)}
	case codingNV12:
		return nv12Picture{image.NewYCbCr(image.Rect(0, 0, m.width, m.height), image.YCbCrSubsampleRatio420)}
	case codingMJPEG:
		return &jpegPicture{}
	}
	return newGrey(m.width, m.height, n)
}

// greyPicture is one grey image, or several side by side in one frame.
type greyPicture struct {
	planes []*image.Gray
	width  int // of the whole frame
}

func newGrey(width, height, n int) *greyPicture {
	p := &greyPicture{width: width}
	for range n {
		p.planes = append(p.planes, image.NewGray(image.Rect(0, 0, width/n, height)))
	}
	return p
}

func (p *greyPicture) write(off int, b []byte) {
	if len(p.planes) == 1 {
		copy(p.planes[0].Pix[off:], b)
		return
	}
	w := p.width / len(p.planes)
	for len(b) > 0 {
		row, col := off/p.width, off%p.width
		n := min(w-col%w, len(b))
		copy(p.planes[col/w].Pix[row*w+col%w:], b[:n])
		b, off = b[n:], off+n
	}
}

// yuy2Picture takes Y0 Cb Y1 Cr Y0 Cb … apart. The width is even, so that bytes
// of the frame and of the planes keep one proportion throughout.
type yuy2Picture struct{ img *image.YCbCr }

func (p yuy2Picture) write(off int, b []byte) {
	y, cb, cr := p.img.Y, p.img.Cb, p.img.Cr
	for len(b) > 0 && off%4 != 0 {
		p.one(off, b[0])
		b, off = b[1:], off+1
	}
	k := off / 4
	whole := len(b) / 4
	y, cb, cr = y[2*k:][:2*whole], cb[k:][:whole], cr[k:][:whole]
	i := 0
	for le := binary.LittleEndian; i+2 <= whole; i += 2 { // four pixels at a time
		v := le.Uint64(b[4*i:])
		le.PutUint32(y[2*i:], uint32(v&0xff|v>>8&0xff00|v>>16&0xff0000|v>>24&0xff000000))
		le.PutUint16(cb[i:], uint16(v>>8&0xff|v>>32&0xff00))
		le.PutUint16(cr[i:], uint16(v>>24&0xff|v>>48&0xff00))
	}
	for ; i < whole; i++ {
		y[2*i], cb[i], y[2*i+1], cr[i] = b[4*i], b[4*i+1], b[4*i+2], b[4*i+3]
	}
	for i := 4 * whole; i < len(b); i++ {
		p.one(off+i, b[i])
	}
}

func (p yuy2Picture) one(off int, b byte) {
	switch off % 4 {
	case 0, 2:
		p.img.Y[off/2] = b
	case 1:
		p.img.Cb[off/4] = b
	default:
		p.img.Cr[off/4] = b
	}
}

// nv12Picture is a plane of Y, then Cb Cr Cb … for each two by two pixels.
type nv12Picture struct{ img *image.YCbCr }

func (p nv12Picture) write(off int, b []byte) {
	if off < len(p.img.Y) {
		n := copy(p.img.Y[off:], b)
		b, off = b[n:], off+n
	}
	if len(b) == 0 {
		return
	}
	off -= len(p.img.Y)
	if off%2 != 0 {
		p.img.Cr[off/2] = b[0]
		b, off = b[1:], off+1
	}
	pairs := len(b) / 2
	if len(b)%2 != 0 {
		p.img.Cb[off/2+pairs] = b[len(b)-1]
	}
	cb, cr := p.img.Cb[off/2:][:pairs], p.img.Cr[off/2:][:pairs]
	i := 0
	for le := binary.LittleEndian; i+4 <= pairs; i += 4 {
		v := le.Uint64(b[2*i:])
		le.PutUint32(cb[i:], uint32(v&0xff|v>>8&0xff00|v>>16&0xff0000|v>>24&0xff000000))
		le.PutUint32(cr[i:], uint32(v>>8&0xff|v>>16&0xff00|v>>24&0xff0000|v>>32&0xff000000))
	}
	for ; i < pairs; i++ {
		cb[i], cr[i] = b[2*i], b[2*i+1]
	}
}

// jpegPicture keeps a frame as the camera compressed it.
type jpegPicture struct{ data []byte }

func (p *jpegPicture) write(off int, b []byte) { p.data = append(p.data[:off], b...) }

// pool keeps the pictures of one video that nobody will see, for the frames to
// come.
type pool struct {
	fresh func() picture

	mu    sync.Mutex
	spare []picture
}

const maxSpare = 3

func (p *pool) get() picture {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.spare); n > 0 {
		s := p.spare[n-1]
		p.spare = p.spare[:n-1]
		return s
	}
	return p.fresh()
}

func (p *pool) put(s picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.spare) < maxSpare {
		p.spare = append(p.spare, s)
	}
}
