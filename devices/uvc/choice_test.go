package uvc

import (
	"image"
	"slices"
	"testing"
	"time"
)

// What is asked of a camera first, and which alternate setting carries it.
func TestChoice(t *testing.T) {
	s := Streaming{Number: 1, Alternates: []Alternate{{1, 0x81, 128, 1}, {2, 0x81, 3060, 1}, {3, 0x81, 1020, 1}, {4, 0x81, 1020, 1}},
		Formats: []Format{
			{Kind: FormatMJPEG, Index: 1, Frames: []Frame{
				{Index: 1, Width: 1920, Height: 1080, Intervals: []time.Duration{time.Second / 30}},
				{Index: 2, Width: 640, Height: 480, Intervals: []time.Duration{time.Second / 30}}}},
			{Kind: FormatUncompressed, Index: 2, GUID: yuy2GUID, Bits: 16, Frames: []Frame{
				{Index: 1, Width: 1920, Height: 1080, Intervals: []time.Duration{time.Second / 5}},
				{Index: 2, Width: 640, Height: 480, Intervals: []time.Duration{time.Second / 30, time.Second / 15}},
				{Index: 3, Width: 4096, Height: 3074, Intervals: []time.Duration{time.Second}},
				{Index: 4, Width: 321, Height: 240, Intervals: []time.Duration{time.Second}}}},
			{Kind: FormatUncompressed, Index: 3, GUID: fourCC("H264"), Bits: 16, Frames: []Frame{
				{Index: 1, Width: 3840, Height: 2160, Intervals: []time.Duration{time.Second / 30}}}},
		}}
	modes, err := s.colourModes()
	if err != nil {
		t.Fatal(err)
	}
	type pick struct {
		format, frame uint8
		every         time.Duration
	}
	var got []pick
	for _, m := range modes {
		got = append(got, pick{m.format, m.frame, m.interval})
	}
	want := []pick{
		{1, 1, time.Second / 30}, // the largest that makes ten a second
		{2, 2, time.Second / 30}, // as lively, and not compressed
		{1, 2, time.Second / 30},
		{2, 2, time.Second / 15},
		{2, 1, time.Second / 5}, // too slow: only if nothing else works
	}
	if !slices.Equal(got, want) {
		t.Errorf("order\n%v, want\n%v", got, want)
	}
	for payload, alt := range map[int]int{1: 1, 128: 1, 129: 3, 1020: 3, 1021: 2, 3060: 2} {
		if a, err := s.carries(payload); err != nil || a.Alt != alt {
			t.Errorf("%d bytes: alternate setting %d, %v; want %d", payload, a.Alt, err, alt)
		}
	}
	if _, err := s.carries(3061); err == nil {
		t.Error("3,061 bytes fit nowhere")
	}
}

// The interval nearest to what is wanted, also in a continuous range.
func TestNearestInterval(t *testing.T) {
	ms := time.Millisecond
	for _, tt := range []struct {
		frame Frame
		want  time.Duration
	}{
		{Frame{Intervals: []time.Duration{100 * ms, 40 * ms, 10 * ms}}, 40 * ms},
		{Frame{Shortest: 10 * ms, Longest: 100 * ms, Step: 10 * ms}, 30 * ms},
		{Frame{Shortest: 50 * ms, Longest: 100 * ms}, 50 * ms},
		{Frame{Shortest: 10 * ms, Longest: 20 * ms, Step: ms}, 20 * ms},
		{Frame{Default: 66 * ms}, 66 * ms},
	} {
		if got := tt.frame.nearest(quickest); got != tt.want {
			t.Errorf("%+v: %v, want %v", tt.frame, got, tt.want)
		}
	}
}

// Colour bytes go to their planes wherever a payload cuts them.
func TestColourPictures(t *testing.T) {
	const w, h = 8, 4
	frame := make([]byte, 2*w*h)
	for i := range frame {
		frame[i] = byte(i)
	}
	for cut := 1; cut < 13; cut++ {
		y := newPicture(mode{coding: codingYUY2, width: w, height: h}, 1).(yuy2Picture)
		n := newPicture(mode{coding: codingNV12, width: w, height: h}, 1).(nv12Picture)
		for off := 0; off < len(frame); off += cut {
			y.write(off, frame[off:min(off+cut, len(frame))])
		}
		for off := 0; off < w*h*3/2; off += cut {
			n.write(off, frame[off:min(off+cut, w*h*3/2)])
		}
		for p := range w * h {
			at := image.Pt(p%w, p/w)
			if c := y.img.YCbCrAt(at.X, at.Y); c.Y != byte(2*p) || c.Cb != byte(p/2*4+1) || c.Cr != byte(p/2*4+3) {
				t.Fatalf("YUY2 cut at %d, pixel %d: %v", cut, p, c)
			}
			k := w*h + at.Y/2*w + at.X/2*2
			if c := n.img.YCbCrAt(at.X, at.Y); c.Y != byte(p) || c.Cb != byte(k) || c.Cr != byte(k+1) {
				t.Fatalf("NV12 cut at %d, pixel %d: %v", cut, p, c)
			}
		}
	}
}

// A camera's clock that wraps, drifts and is read late tells exposures within the
// drift; one that jumps is begun anew.
func TestDeviceClock(t *testing.T) {
	const hz = 48_000_000 // wraps after 89 s
	c := deviceClock{hz: hz}
	begin := time.Now()
	reading := func(d time.Duration) uint32 { // 50 millionths too quick
		return uint32(0xfff00000 + int64(float64(d.Nanoseconds())*48e-3*1.00005))
	}
	worst := time.Duration(0)
	for i := range 6000 { // 200 s at 30 a second
		sent := time.Duration(i) * time.Second / 30
		late := time.Duration(i*7919%5) * time.Millisecond
		c.sample(reading(sent), begin.Add(sent+late))
		exposed := sent - 20*time.Millisecond
		got := c.at(reading(exposed), begin.Add(sent+late))
		if got.IsZero() {
			t.Fatalf("frame %d: no time", i)
		}
		if i > 30 {
			worst = max(worst, got.Sub(begin.Add(exposed)).Abs())
		}
	}
	t.Logf("worst error of 6,000 exposures: %v", worst)
	if worst > 5*time.Millisecond {
		t.Errorf("an exposure is %v off", worst)
	}
	if got := c.at(reading(0), begin.Add(200*time.Second)); !got.IsZero() {
		t.Errorf("an exposure of 200 s ago: %v", got.Sub(begin))
	}
	c.sample(1_000_000, begin.Add(201*time.Second)) // reset
	if got := c.at(1_000_000-48_000, begin.Add(201*time.Second)); got.Sub(begin.Add(201*time.Second-time.Millisecond)).Abs() > time.Millisecond {
		t.Errorf("after a reset: %v", got.Sub(begin))
	}
	if (&deviceClock{}).at(1, begin) != (time.Time{}) {
		t.Error("a camera without a clock tells time")
	}
}
