package capture_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"tambo/devices"
	"tambo/kiosk/capture"
	"tambo/kiosk/face"
	"tambo/kiosk/specimen/portrait"
)

// booth is a face camera that shows a scene ten times a second of its own time.
type booth struct {
	devices.FaceCamera
	mu     sync.Mutex
	scene  *portrait.Scene
	n      int
	broken int // fails at this frame
}

func sit(seed uint64, mood string) *booth {
	c, err := portrait.Mood(mood)
	if err != nil {
		panic(err)
	}
	return &booth{scene: portrait.NewScene(portrait.NewPerson(seed), 1, c)}
}

func (b *booth) seat(seed uint64, mood string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.scene = sit(seed, mood).scene
}

func (b *booth) Stream(context.Context) (devices.FaceStream, error) { return &shots{b: b}, nil }

type shots struct {
	devices.FaceStream
	b *booth
}

func (s *shots) Close() error { return nil }

func (s *shots) Next(ctx context.Context) (devices.FaceFrame, error) {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.n++
	if s.b.broken > 0 && s.b.n >= s.b.broken {
		return devices.FaceFrame{}, devices.ErrGone
	}
	at := time.Duration(s.b.n) * 100 * time.Millisecond
	img := s.b.scene.Frame(at, 640, 480)
	out := image.NewYCbCr(img.Rect, image.YCbCrSubsampleRatio422)
	for y := range 480 {
		for x := range 640 {
			q := img.Pix[img.PixOffset(x, y):]
			i := out.COffset(x, y)
			out.Y[out.YOffset(x, y)], out.Cb[i], out.Cr[i] = color.RGBToYCbCr(q[0], q[1], q[2])
		}
	}
	return devices.FaceFrame{Image: out, Seq: uint64(s.b.n), At: time.Unix(0, int64(at))}, ctx.Err()
}

func TestPhotoOfAPersonWhoSitsWell(t *testing.T) {
	c := capture.NewFaceCollector(60, 3)
	frames := 0
	if err := c.Run(t.Context(), sit(3, "good"), func(p capture.FaceProgress) { frames = p.Frames }); err != nil {
		t.Fatal(err)
	}
	p := c.Best()
	if !c.Done() || p == nil || p.Quality.Score < 60 || p.Quality.Floor != 60 || len(p.Quality.Vector) != 10 {
		t.Fatalf("%+v", p)
	}
	whole, crop, err := p.JPEG()
	if err != nil {
		t.Fatal(err)
	}
	a, err := jpeg.DecodeConfig(bytes.NewReader(whole))
	if err != nil || a.Width != 640 || a.Height != 480 {
		t.Errorf("the photo: %+v %v", a, err)
	}
	b, err := jpeg.DecodeConfig(bytes.NewReader(crop))
	if err != nil || b.Width >= a.Width || b.Width*4/3-b.Height > 2 {
		t.Errorf("the portrait: %+v %v", b, err)
	}
	t.Logf("score %d after %d frames; photo %d bytes, portrait %d×%d %d bytes", p.Quality.Score, frames, len(whole), b.Width, b.Height, len(crop))
}

// TestShutEyesAreNotChosen: the burst has a blink in it more often than not.
func TestShutEyesAreNotChosen(t *testing.T) {
	scene := sit(3, "good").scene
	blinks := 0
	for i := range 16 {
		c := capture.NewFaceCollector(60, 4)
		b := &booth{scene: scene, n: i * 7}
		if err := c.Run(t.Context(), b, nil); err != nil {
			t.Fatal(err)
		}
		at := time.Duration(c.Best().Frame.Seq) * 100 * time.Millisecond
		if scene.At(at).Shut {
			blinks++
		}
	}
	if blinks > 0 {
		t.Errorf("%d photos with shut eyes", blinks)
	}
}

func TestPoorPhotoIsNeverTakenByItself(t *testing.T) {
	for mood, want := range map[string]face.Guidance{"far": face.GuidanceCloser, "nobody": face.GuidanceLookHere, "blurred": face.GuidanceSharp, "two": face.GuidanceOnePerson} {
		ctx, cancel := context.WithCancel(t.Context())
		c := capture.NewFaceCollector(60, 2)
		var last capture.FaceProgress
		err := c.Run(ctx, sit(3, mood), func(p capture.FaceProgress) {
			if last = p; p.Frames >= 12 { // the officer's patience
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, capture.ErrNotGood) || !errors.Is(err, capture.ErrFaceNotGood) || c.Done() {
			t.Errorf("%s: %v, done %v", mood, err, c.Done())
		}
		if last.Ask != want {
			t.Errorf("%s: asked %q, want %q", mood, last.Ask, want)
		}
		if p := c.Newest(); p == nil {
			t.Errorf("%s: nothing to take by hand", mood)
		} else if whole, crop, err := p.JPEG(); err != nil || len(whole) == 0 || len(crop) == 0 {
			t.Errorf("%s: by hand: %v", mood, err)
		}
	}
}

// TestRestlessPersonIsWaitedFor: good frames that show the head elsewhere each
// time are not a photo.
func TestRestlessPersonIsWaitedFor(t *testing.T) {
	b := sit(3, "good")
	c := capture.NewFaceCollector(60, 3)
	var good []int
	err := c.Run(t.Context(), b, func(p capture.FaceProgress) {
		good = append(good, p.Good)
		if p.Frames < 12 { // somebody else sits down at every other frame
			b.seat(3+uint64(p.Frames/2%2)*2, "good")
			if p.Good >= p.Want {
				t.Errorf("taken at frame %d", p.Frames)
			}
			if p.Frames%4 == 0 {
				b.seat(3, "off")
			}
		}
	})
	if err != nil || !c.Done() {
		t.Errorf("%v; runs %v", err, good)
	}
}

func TestFaceCameraGoes(t *testing.T) {
	b := sit(3, "far")
	b.broken = 9
	c := capture.NewFaceCollector(60, 2)
	if err := c.Run(t.Context(), b, nil); !errors.Is(err, devices.ErrGone) {
		t.Fatalf("%v", err)
	}
	if c.Newest() == nil {
		t.Error("what was seen is lost")
	}
	b.broken = 0
	b.seat(3, "good")
	if err := c.Run(t.Context(), b, nil); err != nil || !c.Done() {
		t.Errorf("back again: %v", err)
	}
}

// TestBrokenJPEGIsNotKept: what the camera sent is kept only if it can be read.
func TestBrokenJPEGIsNotKept(t *testing.T) {
	c := capture.NewFaceCollector(60, 1)
	if err := c.Run(t.Context(), sit(3, "good"), nil); err != nil {
		t.Fatal(err)
	}
	p := c.Best()
	whole, _, _ := p.JPEG()
	p.Frame.JPEG = whole
	if again, _, _ := p.JPEG(); !bytes.Equal(again, whole) {
		t.Error("a readable JPEG was compressed again")
	}
	p.Frame.JPEG = whole[:len(whole)/3]
	again, _, err := p.JPEG()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(again)); err != nil {
		t.Errorf("what was kept cannot be read: %v", err)
	}
}
