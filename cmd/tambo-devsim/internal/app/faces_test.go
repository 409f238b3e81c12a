package app

import (
	"errors"
	"image"
	"path/filepath"
	"testing"

	"tambo/devices"
	"tambo/devices/virtual/control"
	"tambo/kiosk/face"
)

// photo opens the face camera, takes one frame and closes it.
func (r *rig) photo(t *testing.T) *image.YCbCr {
	t.Helper()
	c, err := r.find.OpenFaceCamera(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.Stream(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	var f devices.FaceFrame
	for range 3 { // what the camera had buffered may show who sat there before
		if f, err = s.Next(deadline(t)); err != nil {
			t.Fatal(err)
		}
	}
	return f.Image
}

// TestFaceOfWhoSitsThere: the face camera shows the same person as the iris
// camera, and the mood that was asked for.
func TestFaceOfWhoSitsThere(t *testing.T) {
	r := start(t, "--person", "7")
	seven := r.photo(t)
	if seven.Rect != image.Rect(0, 0, 640, 480) {
		t.Fatalf("picture of %v", seven.Rect)
	}
	if l := face.Examine(seven); !l.Present || l.Guidance != face.GuidanceHoldStill {
		t.Errorf("person 7: %+v", l)
	}
	differ := func(a, b *image.YCbCr) float64 {
		return unlike(&image.Gray{Pix: a.Y, Stride: a.YStride, Rect: a.Rect}, &image.Gray{Pix: b.Y, Stride: b.YStride, Rect: b.Rect})
	}
	r.say(t, "person 3")
	three := r.photo(t)
	r.say(t, "person 7")
	if d, e := differ(seven, three), differ(seven, r.photo(t)); d <= e {
		t.Errorf("person 3 is as much like person 7 (%.1f) as person 7 is (%.1f)", d, e)
	}
	r.say(t, "face far")
	if l := face.Examine(r.photo(t)); l.Guidance != face.GuidanceCloser {
		t.Errorf("far: %q", l.Guidance)
	}
	r.say(t, "face nobody")
	if l := face.Examine(r.photo(t)); l.Present {
		t.Error("nobody has a face")
	}
	r.say(t, "face side-light")
	r.say(t, "face good")
	for _, bad := range []string{"face", "face merry", "face good twice"} {
		if _, err := r.control.Do(deadline(t), bad); !errors.Is(err, control.ErrRefused) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	r.say(t, "unplug face")
	if _, err := r.find.OpenFaceCamera(deadline(t)); !errors.Is(err, devices.ErrGone) {
		t.Errorf("unplugged: %v", err)
	}
	r.say(t, "plug face")
	r.photo(t)
}

func TestFolderOfFaces(t *testing.T) {
	dir := t.TempDir()
	writePNG(t, filepath.Join(dir, "1_a.png"), 800, 800, 90)
	writePNG(t, filepath.Join(dir, "1_b.png"), 640, 480, 140)
	r := start(t, "--faces", dir, "--face-size", "800x600")
	near := func(got, want uint8) bool { return got > want-4 && got < want+4 }
	img := r.photo(t)
	if img.Rect.Dx() != 800 || !near(img.Y[0], 90) {
		t.Errorf("first visit: %v, grey %d", img.Rect, img.Y[0])
	}
	r.say(t, "visit 2")
	if img = r.photo(t); !near(img.Y[0], 140) {
		t.Errorf("second visit: grey %d", img.Y[0])
	}
	r.say(t, "person 2") // of whom there is no picture
	if img = r.photo(t); img.Y[0] > 20 {
		t.Errorf("nobody: grey %d", img.Y[0])
	}
}

func TestFaceSizes(t *testing.T) {
	for text, ok := range map[string]bool{"640x480": true, "1920x1080": true, "641x480": false, "640": false, "640x480x2": false, "9999x20": false} {
		if _, err := size(text); (err == nil) != ok {
			t.Errorf("%s: %v", text, err)
		}
	}
}
