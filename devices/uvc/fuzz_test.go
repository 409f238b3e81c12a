package uvc

import (
	"encoding/binary"
	"testing"
)

// FuzzPayloads feeds any payloads to the assembler, in bulk transfers or as
// isochronous packets, some of them lost: a frame that comes out has the room and
// the length that it must have, and nothing is written beside.
func FuzzPayloads(f *testing.F) {
	whole := func(pts byte, info byte, data string) []byte {
		b := append([]byte{12, info | headPTS | headSCR, pts, 0, 0, 0, pts, 1, 0, 0, 0, 0}, data...)
		return append([]byte{byte(len(b))}, b...)
	}
	frame := append(whole(1, 0, "abcdefgh"), whole(1, headEOF, "ijklmnop")...)
	f.Add(uint8(0), frame)
	f.Add(uint8(1), frame)
	f.Add(uint8(2), append(frame, whole(2, headFID|headERR, "x")...))
	f.Add(uint8(3), append([]byte{0}, frame...))
	f.Add(uint8(7), append(frame, 2, 2, headEOF, 0))
	f.Fuzz(func(t *testing.T, kind uint8, raw []byte) {
		codings := []coding{codingGrey, codingYUY2, codingNV12, codingMJPEG}
		m := mode{coding: codings[kind>>1&3], width: 8, height: 2, payload: 20}
		m.frameSize = map[coding]int{codingGrey: 16, codingYUY2: 32, codingNV12: 24, codingMJPEG: 40}[m.coding]
		iso := kind&1 != 0
		a := newAssembler(m, 1_000_000)
		a.transfer = 16
		a.fresh = func() picture { return newPicture(m, 1) }
		damaged, frames := 0, 0
		a.damaged = func() { damaged++ }
		a.emit = func(s shot) {
			frames++
			if s.at.IsZero() {
				t.Error("a frame without a time")
			}
			if j, ok := s.pic.(*jpegPicture); ok && (len(j.data) == 0 || len(j.data) > m.frameSize) {
				t.Errorf("a compressed frame of %d bytes", len(j.data))
			}
		}
		payloads := 0
		for len(raw) > 0 {
			n := min(int(raw[0]), len(raw)-1)
			piece := raw[1 : 1+n]
			raw = raw[1+n:]
			payloads++
			switch {
			case n == 0 && iso:
				a.spoilt()
			case n == 0:
				a.lost()
			case iso:
				a.packet(piece)
			default:
				a.push(piece[:min(len(piece), a.transfer)])
			}
		}
		if frames+damaged > 2*payloads {
			t.Errorf("%d frames and %d damaged ones of %d payloads", frames, damaged, payloads)
		}
	})
}

// FuzzProbe lets a camera answer anything to what was asked of it.
func FuzzProbe(f *testing.F) {
	good := make([]byte, probe11)
	good[2], good[3] = 1, 1
	binary.LittleEndian.PutUint32(good[18:], 614400)
	binary.LittleEndian.PutUint32(good[22:], 3060)
	f.Add(good, true)
	f.Add(good[:probeMin], false)
	f.Fuzz(func(t *testing.T, b []byte, compressed bool) {
		if len(b) < probeMin {
			return
		}
		want := mode{coding: codingYUY2, format: 1, frame: 1, width: 640, height: 480, frameSize: 614400}
		if compressed {
			want.coding = codingMJPEG
		}
		m, err := want.agree(b)
		if err != nil {
			return
		}
		if m.interval <= 0 || m.payload < 3 || m.payload > maxPayload || m.frameSize <= 0 || m.frameSize > 2*640*480+64<<10 {
			t.Errorf("agreed on %+v", m)
		}
		_ = newPicture(m, 1)
	})
}
