package uvc

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// bench collects what an assembler makes.
type bench struct {
	a       *assembler
	got     [][]byte
	damaged int
}

func newBench(size, payload, transfer int) *bench {
	b := &bench{}
	b.a = &assembler{size: size, payload: payload, transfer: transfer,
		fresh:   func() picture { return newGrey(size, 1, 1) },
		emit:    func(s shot) { b.got = append(b.got, bytes.Clone(s.pic.(*greyPicture).planes[0].Pix)) },
		damaged: func() { b.damaged++ }}
	return b
}

// pay makes a payload; pts below 0 leaves the time stamp out.
func pay(info byte, pts int, data string) []byte {
	h := []byte{2, info}
	if pts >= 0 {
		h[0], h[1] = 6, info|headPTS
		h = binary.LittleEndian.AppendUint32(h, uint32(pts))
	}
	return append(h, data...)
}

func TestAssembler(t *testing.T) {
	const eof = headEOF
	tests := []struct {
		name    string
		in      [][]byte // nil is a failed transfer
		want    []string
		damaged int
	}{
		{"whole frames", [][]byte{pay(0, 1, "abc"), pay(eof, 1, "def"), pay(1, 2, "ghi"), pay(1|eof, 2, "jkl")}, []string{"abcdef", "ghijkl"}, 0},
		{"one payload a frame", [][]byte{pay(eof, 1, "abcdef"), pay(1|eof, 2, "ghijkl")}, []string{"abcdef", "ghijkl"}, 0},
		{"empty payload and empty transfer", [][]byte{pay(0, 1, ""), {}, pay(0, 1, "abc"), {}, pay(eof, 1, "def")}, []string{"abcdef"}, 0},
		{"lost middle", [][]byte{pay(0, 1, "ab"), pay(eof, 1, "ef"), pay(1, 2, "ghi"), pay(1|eof, 2, "jkl")}, []string{"ghijkl"}, 1},
		{"lost end", [][]byte{pay(0, 1, "abc"), pay(1, 2, "ghi"), pay(1|eof, 2, "jkl")}, []string{"ghijkl"}, 1},
		{"lost beginning", [][]byte{pay(eof, 1, "def"), pay(1, 2, "ghi"), pay(1|eof, 2, "jkl")}, []string{"ghijkl"}, 1},
		{"too long", [][]byte{pay(0, 1, "abcd"), pay(eof, 1, "def"), pay(1|eof, 2, "ghijkl")}, []string{"ghijkl"}, 1},
		{"marked", [][]byte{pay(0, 1, "abc"), pay(eof|headERR, 1, "def"), pay(1|eof, 2, "ghijkl")}, []string{"ghijkl"}, 1},
		{"marked once, rest whole", [][]byte{pay(headERR, 1, "abc"), pay(eof, 1, "def")}, nil, 1},
		{"failed transfer", [][]byte{pay(0, 1, "abc"), nil, pay(eof, 1, "def"), pay(1|eof, 2, "ghijkl")}, []string{"ghijkl"}, 1},
		{"no end bit", [][]byte{pay(0, 1, "abc"), pay(0, 1, "def"), pay(1|eof, 2, "ghijkl")}, []string{"abcdef", "ghijkl"}, 0},
		{"no toggle, with time stamps", [][]byte{pay(eof, 1, "abcdef"), pay(eof, 2, "ghijkl")}, []string{"abcdef", "ghijkl"}, 0},
		{"no toggle, no time stamps", [][]byte{pay(eof, -1, "abcdef"), pay(eof, -1, "ghijkl"), pay(1|eof, -1, "mnopqr")}, []string{"abcdef", "mnopqr"}, 0},
		// The halves of two frames, of the right length and with the same bit.
		{"halves of two frames", [][]byte{pay(0, 1, "abc"), pay(eof, 3, "jkl")}, nil, 2},
		{"halves, end bit early", [][]byte{pay(0|eof, 1, "abc"), pay(0, 1, "def"), pay(eof, 1, "")}, nil, 1},
		{"header longer than payload", [][]byte{{9, 0, 'a'}, pay(eof, 1, "abcdef")}, []string{"abcdef"}, 0},
		{"header of one byte", [][]byte{pay(0, 1, "abc"), {1, 0, 'x'}, pay(eof, 1, "def")}, nil, 1},
		{"header shorter than its bits say", [][]byte{pay(0, 1, "abc"), {4, headPTS | eof, 1, 0, 'd', 'e', 'f'}}, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(6, 64, 64)
			for _, p := range tt.in {
				if p == nil {
					b.a.lost()
				} else {
					b.a.push(p)
				}
			}
			if len(b.got) != len(tt.want) || b.damaged != tt.damaged {
				t.Fatalf("%d frames %q and %d damaged, want %q and %d", len(b.got), b.got, b.damaged, tt.want, tt.damaged)
			}
			for i := range tt.want {
				if string(b.got[i]) != tt.want[i] {
					t.Errorf("frame %d is %q, want %q", i, b.got[i], tt.want[i])
				}
			}
		})
	}
}

// A payload that is longer than a transfer goes on in the next.
func TestAssemblerSpanningTransfers(t *testing.T) {
	frame := "abcdefghijkl"
	send := func(b *bench, p []byte, lose int) {
		for i := 0; i < len(p); i += 8 {
			if i/8 == lose {
				b.a.lost()
				continue
			}
			b.a.push(p[i:min(i+8, len(p))])
		}
	}
	b := newBench(len(frame), 20, 8)
	send(b, pay(headEOF, 1, frame), -1)   // 18 bytes: 8, 8, 2
	send(b, pay(1|headEOF, 2, frame), 1)  // the second of three fails
	send(b, pay(0|headEOF, 3, frame), 0)  // the first fails
	send(b, pay(1|headEOF, 4, frame), -1) // whole again
	if len(b.got) != 2 || string(b.got[1]) != frame {
		t.Errorf("%d frames %q", len(b.got), b.got)
	}
	// Exactly full transfers end by dwMaxPayloadTransferSize.
	b = newBench(10, 16, 8)
	send(b, pay(headEOF, 1, "abcdefghij"), -1)
	send(b, pay(1|headEOF, 2, "klmnopqrst"), -1)
	if len(b.got) != 2 || string(b.got[1]) != "klmnopqrst" {
		t.Errorf("full transfers: %q", b.got)
	}
}

func TestPictureSideBySide(t *testing.T) {
	p := newGrey(6, 3, 2)
	all := []byte("abcABCdefDEFghiGHI")
	for i := 0; i < len(all); i += 4 { // pieces that cross halves and rows
		p.write(i, all[i:min(i+4, len(all))])
	}
	if l, r := string(p.planes[0].Pix), string(p.planes[1].Pix); l != "abcdefghi" || r != "ABCDEFGHI" {
		t.Errorf("halves %q and %q", l, r)
	}
}

// Cameras exist that stamp every payload anew, or whose clock goes backwards. They
// are known by never having done otherwise, and stream then; a camera that once
// kept order is held to it.
func TestAssemblerOfPoorCameras(t *testing.T) {
	frame := func(b *bench, n int, pts, stc func(piece int) int) {
		for i := range 3 {
			h := []byte{12, byte(n&1) | headPTS | headSCR}
			h = binary.LittleEndian.AppendUint32(h, uint32(pts(i)))
			h = binary.LittleEndian.AppendUint32(h, uint32(stc(i)))
			h = append(h, 0, 0)
			if i == 2 {
				h[1] |= headEOF
			}
			b.a.packet(append(h, "ab"...))
		}
	}
	steady := func(n int) func(int) int { return func(int) int { return n } }
	for name, tt := range map[string]struct{ pts, stc func(n, piece int) int }{
		"stamps every payload": {func(n, i int) int { return 10*n + i }, func(n, i int) int { return 10*n + i }},
		"goes backwards":       {func(n, _ int) int { return n }, func(n, i int) int { return 1000*n - i }},
	} {
		b := newBench(6, 40, 64)
		for n := range 300 {
			frame(b, n, func(i int) int { return tt.pts(n, i) }, func(i int) int { return tt.stc(n, i) })
		}
		if len(b.got) < 150 || len(b.got) > 250 {
			t.Errorf("a camera that %s: %d of 300 frames", name, len(b.got))
		}
		b = newBench(6, 40, 64)
		frame(b, 0, steady(0), func(i int) int { return i })
		for n := 1; n < 300; n++ {
			frame(b, n, func(i int) int { return tt.pts(n, i) }, func(i int) int { return tt.stc(n, i) })
		}
		if len(b.got) != 1 {
			t.Errorf("a camera that %s since its second frame: %d frames", name, len(b.got))
		}
	}
}

// FuzzAssembler feeds any transfers: no panic, no frame that is longer than the
// bytes that came.
func FuzzAssembler(f *testing.F) {
	join := func(ps ...[]byte) []byte {
		var b []byte
		for _, p := range ps {
			b = append(append(b, byte(len(p))), p...)
		}
		return b
	}
	f.Add(join(pay(0, 1, "abc"), pay(headEOF, 1, "def"), pay(1|headEOF, 2, "ghijkl")), uint8(64))
	f.Add(join(pay(0, 1, "abc"), nil, pay(headEOF|headERR, 1, "def")), uint8(64))
	f.Add(join(pay(headEOF, -1, "abcdef"), pay(headEOF, -1, "abcdef")), uint8(8))
	f.Fuzz(func(t *testing.T, in []byte, transfer uint8) {
		if len(in) > 2048 {
			return // more of the same; making it small takes the time of a million others
		}
		size := int(transfer%64) + 4
		b := newBench(6, 40, size)
		pushed := 0
		for len(in) > 0 {
			n := min(int(in[0]), len(in)-1, size)
			if in[0] == 255 {
				b.a.lost()
			} else {
				b.a.push(in[1 : 1+n])
				pushed += n
			}
			in = in[1+n:]
		}
		if 6*len(b.got) > pushed {
			t.Errorf("%d frames of 6 bytes from %d bytes", len(b.got), pushed)
		}
		if b.a.off > b.a.size {
			t.Error("frame overfilled")
		}
	})
}
