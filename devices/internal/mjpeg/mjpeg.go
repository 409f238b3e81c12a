// Package mjpeg takes the frames of Motion-JPEG cameras: it decides whether one is
// whole, and makes a proper JPEG file of what cameras send without its tables. The
// drivers of UVC and of the kernel's video devices share it.
//
// It never repairs a frame and never believes a length; what it reads is bounded
// by the frame. Standard: ITU-T T.81 (baseline), and USB Device Class Definition
// for Video Devices, Motion-JPEG Payload.
package mjpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"slices"
)

// JPEG markers (ITU-T T.81, table B.1).
const (
	markSOF0 = 0xc0
	markSOF1 = 0xc1
	markDHT  = 0xc4
	markRST0 = 0xd0
	markSOI  = 0xd8
	markEOI  = 0xd9
	markSOS  = 0xda
	markDQT  = 0xdb
	markDRI  = 0xdd
)

// ErrDamaged reports a compressed frame that is damaged, or of a kind that cameras
// do not send.
var ErrDamaged = errors.New("mjpeg: damaged frame")

func badJPEG(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrDamaged}, args...)...)
}

// jpegComponent is one colour of a frame.
type jpegComponent struct {
	id, h, v, quant, dc, ac uint8
	limit                   int32 // of a quantised DC coefficient
	last                    int32 // DC of the block before
}

// jpegHead is what stands before the entropy-coded data of a frame.
type jpegHead struct {
	width, height int
	comps         []jpegComponent
	restart       int  // MCUs between restart markers, 0 for none
	tables        bool // the frame brings Huffman tables of its own
	made          int  // tables so far, of both kinds
	huff          [2][4]*huffTable
	step          [4]int32 // DC step of the quantisation tables, 0 where there is none
	sos           int      // where the SOS marker stands
	scan          int      // where the entropy-coded data begins
}

// Limits of what stands before the scan. Cameras send ten segments or so, some with
// another video in many of them, and each table once; a frame of nothing but tables
// would take a second to read and a gigabyte that is thrown away.
const (
	maxSegments = 1000
	maxTables   = 64
)

// maxDC is the largest DC coefficient of 8-bit samples: eight times 128.
const maxDC = 1024

// Check decides whether a frame is whole: it must be baseline, of the size
// that was agreed, and its entropy-coded data must hold exactly the blocks of
// that size, which a frame that lost a piece does not (image/jpeg lets what is
// too much pass), and no block may be brighter or darker than one can be. It returns the frame up to its end; cameras pad.
func Check(b []byte, width, height int) ([]byte, error) {
	h, err := parseJPEG(b)
	if err != nil {
		return nil, err
	}
	if h.width != width || h.height != height {
		return nil, badJPEG("%d×%d, agreed were %d×%d", h.width, h.height, width, height)
	}
	end, err := h.walk(b)
	if err != nil {
		return nil, err
	}
	if rest := b[end:]; len(rest) >= 2 && rest[0] == 0xff && rest[1] == markEOI {
		end += 2
	}
	return b[:end], nil
}

// parseJPEG reads the segments up to the scan.
func parseJPEG(b []byte) (*jpegHead, error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != markSOI {
		return nil, badJPEG("no start of image")
	}
	h := &jpegHead{}
	for off, segments := 2, 0; ; segments++ {
		if segments > maxSegments {
			return nil, badJPEG("more than %d segments before the scan", maxSegments)
		}
		for off+1 < len(b) && b[off] == 0xff && b[off+1] == 0xff {
			off++ // fill bytes
		}
		if off+4 > len(b) || b[off] != 0xff {
			return nil, badJPEG("no marker where one is due")
		}
		mark, n := b[off+1], int(binary.BigEndian.Uint16(b[off+2:]))
		if n < 2 || off+2+n > len(b) {
			return nil, badJPEG("segment %#02x of %d bytes", mark, n)
		}
		body := b[off+4 : off+2+n]
		var err error
		switch {
		case mark == markSOS:
			h.sos, h.scan = off, off+2+n
			return h, h.parseSOS(body)
		case mark == markSOF0 || mark == markSOF1:
			err = h.parseSOF(body)
		case mark == markDHT:
			err = h.parseDHT(body)
		case mark == markDQT:
			err = h.parseDQT(body)
		case mark == markDRI:
			if len(body) != 2 {
				return nil, badJPEG("restart interval of %d bytes", len(body))
			}
			h.restart = int(binary.BigEndian.Uint16(body))
		case mark >= 0xc2 && mark <= 0xcf || mark < 0xc0 || mark >= markRST0 && mark <= markEOI:
			err = badJPEG("marker %#02x: not a baseline frame", mark)
		}
		if err != nil {
			return nil, err
		}
		off += 2 + n
	}
}

func (h *jpegHead) parseSOF(b []byte) error {
	if len(b) < 6 || len(b) != 6+3*int(b[5]) || b[0] != 8 || h.comps != nil || b[5] != 1 && b[5] != 3 {
		return badJPEG("frame header")
	}
	h.height, h.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	for i := range int(b[5]) {
		c := jpegComponent{id: b[6+3*i], h: b[7+3*i] >> 4, v: b[7+3*i] & 15, quant: b[8+3*i]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.quant > 3 {
			return badJPEG("component %d", i)
		}
		h.comps = append(h.comps, c)
	}
	if len(h.comps) == 1 {
		h.comps[0].h, h.comps[0].v = 1, 1 // a scan of one component is not interleaved (A.2.2)
	}
	return nil
}

func (h *jpegHead) parseDQT(b []byte) error {
	for len(b) > 0 {
		wide := int(b[0] >> 4)
		n := 1 + 64*(1+wide)
		if wide > 1 || b[0]&15 > 3 || len(b) < n {
			return badJPEG("quantisation table")
		}
		step := int32(b[1])
		if wide == 1 {
			step = step<<8 | int32(b[2])
		}
		if h.made++; h.made > maxTables {
			return badJPEG("more than %d tables", maxTables)
		}
		h.step[b[0]&15] = max(step, 1)
		b = b[n:]
	}
	return nil
}

func (h *jpegHead) parseDHT(b []byte) error {
	h.tables = true
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return badJPEG("Huffman table")
		}
		n := 0
		for _, c := range b[1:17] {
			n += int(c)
		}
		if n == 0 || n > 256 || len(b) < 17+n {
			return badJPEG("Huffman table of %d codes", n)
		}
		if h.made++; h.made > maxTables {
			return badJPEG("more than %d tables", maxTables)
		}
		t, err := newHuffTable(b[1:17], b[17:17+n])
		if err != nil {
			return err
		}
		h.huff[b[0]>>4][b[0]&15] = t
		b = b[17+n:]
	}
	return nil
}

// parseSOS takes the one scan of a frame; all components are in it.
func (h *jpegHead) parseSOS(b []byte) error {
	if h.comps == nil || len(b) < 1 || int(b[0]) != len(h.comps) || len(b) != 4+2*len(h.comps) {
		return badJPEG("scan header")
	}
	if !h.tables {
		h.huff = standardHuffman()
	}
	for i := range h.comps {
		c := &h.comps[i]
		c.dc, c.ac = b[2+2*i]>>4, b[2+2*i]&15
		if b[1+2*i] != c.id || c.dc > 3 || c.ac > 3 || h.huff[0][c.dc] == nil || h.huff[1][c.ac] == nil {
			return badJPEG("component %d of the scan", i)
		}
		step := h.step[c.quant]
		if step == 0 {
			return badJPEG("component %d has no quantisation table", i)
		}
		c.limit = (maxDC + 2*step) / step
	}
	return nil
}

// walk goes through the entropy-coded data without reconstructing anything, and
// returns where it ends.
func (h *jpegHead) walk(b []byte) (int, error) {
	var hmax, vmax uint8 = 1, 1
	for _, c := range h.comps {
		hmax, vmax = max(hmax, c.h), max(vmax, c.v)
	}
	across := (h.width + 8*int(hmax) - 1) / (8 * int(hmax))
	down := (h.height + 8*int(vmax) - 1) / (8 * int(vmax))
	r := bitReader{b: b, off: h.scan}
	for mcu := range across * down {
		if h.restart > 0 && mcu > 0 && mcu%h.restart == 0 {
			if err := r.restart(uint8(mcu/h.restart-1) & 7); err != nil {
				return 0, err
			}
			for i := range h.comps {
				h.comps[i].last = 0
			}
		}
		for i := range h.comps {
			c := &h.comps[i]
			dc, ac := h.huff[0][c.dc], h.huff[1][c.ac]
			for range c.h * c.v {
				diff, ok := r.block(dc, ac)
				c.last += diff
				if !ok || c.last > c.limit || c.last < -c.limit {
					return 0, badJPEG("block %d of %d cannot be so", mcu, across*down)
				}
			}
		}
	}
	if !r.flush() {
		return 0, badJPEG("more data than blocks")
	}
	return r.off, nil
}

// Decode decodes a frame that passed Check, and returns it as a whole
// JPEG file, too: UVC cameras leave the standard Huffman tables out, and some
// the end marker.
func Decode(b []byte) (*image.YCbCr, []byte, error) {
	h, err := parseJPEG(b)
	if err != nil {
		return nil, nil, err
	}
	if !h.tables {
		b = slices.Concat(b[:h.sos], standardDHT, b[h.sos:])
	}
	if !bytes.HasSuffix(b, []byte{0xff, markEOI}) {
		b = append(slices.Clip(b), 0xff, markEOI)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch m := img.(type) {
	case *image.YCbCr:
		return m, b, nil
	case *image.Gray:
		c := image.NewYCbCr(m.Rect, image.YCbCrSubsampleRatio420)
		for y := range m.Rect.Dy() {
			copy(c.Y[y*c.YStride:], m.Pix[y*m.Stride:][:m.Rect.Dx()])
		}
		for i := range c.Cb {
			c.Cb[i], c.Cr[i] = 128, 128
		}
		return c, b, nil
	}
	return nil, nil, badJPEG("colours of kind %T", img)
}

// Limit is the most bytes that a frame may have. What cameras say is an upper
// bound when it is sane; two bytes a pixel is more than any JPEG that is worth
// its name.
func Limit(width, height int, said uint32) int {
	most := 2*width*height + 64<<10
	if said == 0 || int64(said) > int64(most) {
		return most
	}
	return int(said)
}
