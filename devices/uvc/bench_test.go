package uvc

import "testing"

// payloads cuts a frame into payloads as a camera does.
func payloads(frame []byte, payload int) [][]byte {
	var out [][]byte
	for len(frame) > 0 {
		n := min(len(frame), payload-12)
		h := []byte{12, headPTS | headSCR, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		if n == len(frame) {
			h[1] |= headEOF
		}
		out = append(out, append(h, frame[:n]...))
		frame = frame[n:]
	}
	return out
}

// BenchmarkAssembler and BenchmarkPlainCopy are read together: the ratio is what
// assembling costs over the one copy that it makes.
func BenchmarkAssembler(b *testing.B) {
	for name, planes := range map[string]int{"OneEye": 1, "SideBySide": 2} {
		b.Run(name, func(b *testing.B) {
			w := 640 * planes
			frame := payloads(make([]byte, w*480), 32<<10)
			pic := newGrey(w, 480, planes)
			a := &assembler{size: w * 480, payload: 32 << 10, transfer: 32 << 10, damaged: func() { b.Fatal("damaged") },
				fresh: func() picture { return pic }, emit: func(shot) {}}
			b.SetBytes(int64(w * 480))
			for n := 0; b.Loop(); n++ {
				for _, p := range frame {
					p[1] = p[1]&^headFID | byte(n&1)
					p[2] = byte(n)
					a.push(p)
				}
			}
		})
	}
}

func BenchmarkPlainCopy(b *testing.B) {
	src, dst := make([]byte, 640*480), make([]byte, 640*480)
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		copy(dst, src)
	}
}

// BenchmarkColour assembles colour frames: one copy for YUY2 and NV12, which take
// the samples apart on the way, and one for MJPEG, without its check and decoding.
func BenchmarkColour(b *testing.B) {
	for name, c := range map[string]coding{"YUY2": codingYUY2, "NV12": codingNV12, "MJPEG": codingMJPEG} {
		b.Run(name, func(b *testing.B) {
			m := mode{coding: c, width: 640, height: 480, frameSize: map[coding]int{codingYUY2: 2, codingNV12: 1, codingMJPEG: 2}[c] * 640 * 480, payload: 3060}
			if c == codingNV12 {
				m.frameSize = 640 * 480 * 3 / 2
			}
			frame := payloads(make([]byte, m.frameSize), m.payload)
			pic := newPicture(m, 1)
			a := newAssembler(m, 0)
			a.fresh, a.emit, a.damaged = func() picture { return pic }, func(shot) {}, func() { b.Fatal("damaged") }
			b.SetBytes(int64(m.frameSize))
			for n := 0; b.Loop(); n++ {
				for _, p := range frame {
					p[1] = p[1]&^headFID | byte(n&1)
					p[2] = byte(n)
					a.packet(p)
				}
			}
		})
	}
}
