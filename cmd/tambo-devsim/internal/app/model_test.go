package app

import (
	"image"
	"testing"

	"golang.org/x/image/draw"

	"tambo/devices"
	"tambo/kiosk/target"
)

// TestEyeModelOnRequest: the technician's objects come through the drivers as
// they are printed, and a person never passes for one.
func TestEyeModelOnRequest(t *testing.T) {
	r := start(t)
	f := r.frame(t)
	if _, ok := target.FindEye(f.Left); ok {
		t.Error("a person was taken for the eye model")
	}
	r.say(t, "scene target")
	f = r.frame(t)
	sharp := 0.0
	for side, img := range map[target.Side]*image.Gray{target.Left: f.Left, target.Right: f.Right} {
		e, ok := target.FindEye(img)
		if !ok || e.Side != side || e.White < 120 || e.White > 240 || e.Even < 0.9 {
			t.Fatalf("side %d: %+v, %t", side, e.Measure, ok)
		}
		sharp = e.Sharp
	}
	r.say(t, "scene target=2")
	if e, ok := target.FindEye(r.frame(t).Left); !ok || e.Sharp > sharp*0.6 {
		t.Errorf("out of focus: sharp %.2f, in focus %.2f, %t", e.Sharp, sharp, ok)
	}
	r.say(t, "page target")
	s, err := r.find.OpenScanner(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p, err := s.Scan(deadline(t), devices.ScanOptions{Resolution: 300}, nil)
	if err != nil {
		t.Fatal(err)
	}
	grey := image.NewGray(image.Rect(0, 0, p.Image.Bounds().Dx(), p.Image.Bounds().Dy()))
	draw.Draw(grey, grey.Rect, p.Image, p.Image.Bounds().Min, draw.Src)
	if g, ok := target.FindPage(grey); !ok || g.PerMM*25.4/300 < 0.99 || g.PerMM*25.4/300 > 1.01 {
		t.Errorf("page: %+v, %t", g.Measure, ok)
	}
	for _, bad := range []string{"scene target=x", "scene target=99", "scene blank=1"} {
		if _, err := r.control.Do(deadline(t), bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
