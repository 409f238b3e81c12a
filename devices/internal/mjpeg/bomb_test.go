package mjpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// spent is the processor time of this thread.
func spent(t *testing.T) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestBombs: frames that are small work to send and would be large work to read
// are damaged, and found to be so with little memory and time.
func TestBombs(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const w, h = 4096, 3072
	limit := Limit(w, h, 0)
	small := photo(t, 640, 480, 80, 1)
	size := func(w, h uint16) []byte {
		b := bytes.Clone(small)
		at := bytes.Index(b, []byte{0xff, markSOF0})
		binary.BigEndian.PutUint16(b[at+5:], h)
		binary.BigEndian.PutUint16(b[at+7:], w)
		return b
	}
	fill := func(unit []byte) []byte { // as many as fit into a frame, before the rest of it
		n := (limit - len(small)) / len(unit)
		return append(append(bytes.Clone(small[:2]), bytes.Repeat(unit, n)...), size(w, h)[2:]...)
	}
	table := append([]byte{0xff, markDHT, 0, 20, 0, 1}, make([]byte, 16)...)
	tables := append([]byte{0xff, markDHT, 0xff, 0xfe}, bytes.Repeat(table[4:], 0xfffc/18)...)
	quant := append([]byte{0xff, markDQT, 0, 67, 0}, bytes.Repeat([]byte{1}, 64)...)
	progressive := size(w, h)
	progressive[bytes.Index(progressive, []byte{0xff, markSOF0})+1] = 0xc2
	endless := append(size(w, h)[:len(small)-2], bytes.Repeat([]byte{0x5a}, limit-len(small))...)
	for name, b := range map[string][]byte{
		"65500 by 65500":         size(65500, 65500),
		"as agreed, and no data": size(w, h),
		"data without an end":    endless,
		"Huffman tables":         fill(table),
		"many to a segment":      fill(tables),
		"quantisation tables":    fill(quant),
		"empty segments":         fill([]byte{0xff, 0xe1, 0, 2}),
		"fill bytes":             fill([]byte{0xff}),
		"progressive":            progressive,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := spent(t)
		_, err := Check(b, w, h)
		took := spent(t) - began
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 || took > time.Second {
			t.Errorf("%s: %d bytes and %v for a frame of %d", name, n, took, len(b))
		}
		t.Logf("%s: %d bytes: %d bytes taken, %v: %v", name, len(b), after.TotalAlloc-before.TotalAlloc, took, err)
	}
	// Cameras put another video into their frames, 64 kB a segment.
	other := append([]byte{0xff, 0xe4, 0xff, 0xff}, make([]byte, 0xfffd)...)
	if _, err := Check(append(append(bytes.Clone(small[:2]), bytes.Repeat(other, 40)...), small[2:]...), 640, 480); err != nil {
		t.Errorf("a frame with another video in it: %v", err)
	}
}
