package uvc

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"runtime"
	"strings"
	"testing"
	"time"

	"tambo/devices"
	"tambo/devices/internal/mjpeg"
)

// TestFrameThatNeverEnds: a camera whose compressed frame goes on and on is given
// up at the size that a frame can have, once, and takes no more memory than it.
func TestFrameThatNeverEnds(t *testing.T) {
	m := mode{coding: codingMJPEG, width: 640, height: 480, payload: 3072, frameSize: mjpeg.Limit(640, 480, 1<<31)}
	a := newAssembler(m, 0)
	a.transfer = m.payload
	pic := &jpegPicture{}
	a.fresh = func() picture { return pic }
	damaged := 0
	a.damaged = func() { damaged++ }
	a.emit = func(shot) { t.Error("a frame without an end came") }
	piece := append([]byte{2, 0}, bytes.Repeat([]byte{0x5a}, m.payload-2)...)
	for range 64 << 20 / len(piece) {
		a.push(piece)
	}
	if damaged != 1 || cap(pic.data) > 2*m.frameSize {
		t.Errorf("%d damaged; %d bytes kept for a frame of at most %d", damaged, cap(pic.data), m.frameSize)
	}
}

// TestBombsFromACamera: frames that would be large work to decode are damaged, cost
// little, and do not keep a good one from coming; whoever waited in vain is told
// what came and what to do.
func TestBombsFromACamera(t *testing.T) {
	var good bytes.Buffer
	if err := jpeg.Encode(&good, image.NewYCbCr(image.Rect(0, 0, 64, 48), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	b := good.Bytes()
	sof := bytes.Index(b, []byte{0xff, 0xc0})
	huge := bytes.Clone(b)
	copy(huge[sof+5:], []byte{0xff, 0xdc, 0xff, 0xdc})
	many := func(unit string) []byte {
		return append(append(bytes.Clone(b[:2]), strings.Repeat(unit, 60_000/len(unit))...), b[2:]...)
	}
	progressive := bytes.Clone(b)
	progressive[sof+1] = 0xc2
	bombs := [][]byte{huge, many("\xff\xe1\x00\x02"), many("\xff\xc4\x00\x14\x00\x01" + strings.Repeat("\x00", 16)),
		many("\xff\xdb\x00\x43\x00" + strings.Repeat("\x01", 64)), progressive, append(bytes.Clone(b[:len(b)-2]), make([]byte, 60_000)...)}
	_, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &pool{fresh: func() picture { return &jpegPicture{} }}
	s := &faceStream{cam: &FaceCamera{camera[*faceStream]{name: "face camera", videos: []*video{{mode: mode{coding: codingMJPEG, width: 64, height: 48}}}}}}
	s.outlet = newOutlet(s.cam.name, func(f faceShot) { p.put(f.pic) }, cancel)
	waited := make(chan error)
	ctx, stop := context.WithCancel(context.Background())
	began := make(chan struct{})
	go func() {
		close(began)
		_, err := s.Next(ctx)
		waited <- err
	}()
	<-began
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, b := range bombs {
		s.deliver(p, shot{pic: &jpegPicture{b}, at: time.Now()})
	}
	runtime.ReadMemStats(&after)
	if st := s.Stats(); st.Frames != 0 || st.Damaged != uint64(len(bombs)) {
		t.Errorf("%+v of %d", st, len(bombs))
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
		t.Errorf("%d bytes were taken", n)
	}
	stop()
	if err := <-waited; !errors.Is(err, devices.ErrStalled) {
		t.Errorf("who waited is told %v", err)
	}
	s.deliver(p, shot{pic: &jpegPicture{b}, at: time.Now()})
	if f, err := s.Next(context.Background()); err != nil || f.Image.Rect.Dx() != 64 {
		t.Errorf("after them: %v", err)
	}
}
