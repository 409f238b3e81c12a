package app

import "testing"

// Eyes and face come out of one isochronous device, each from the person who sits
// there; the face is where the eyes are. They may be streams of one video function
// or functions of their own.
func TestCompositeIsochronous(t *testing.T) {
	for _, kind := range []string{"-composite", "-twin"} {
		t.Run(kind, func(t *testing.T) { oneDevice(t, kind) })
	}
}

func oneDevice(t *testing.T, kind string) {
	r := start(t, kind, "-isochronous", "-face-size", "320x240")
	f := r.frame(t)
	if f.Left == nil || f.Right == nil {
		t.Fatal("an eye is missing")
	}
	iris, err := r.find.OpenIrisCamera(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer iris.Close()
	face, err := r.find.OpenFaceCamera(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	defer face.Close()
	if face.Info().Port != iris.Info().Port || face.Info().ProductID != iris.Info().ProductID {
		t.Errorf("two devices: %+v and %+v", iris.Info(), face.Info())
	}
	s, err := face.Stream(deadline(t))
	if err != nil {
		t.Fatal(err)
	}
	if f, err := s.Next(deadline(t)); err != nil || f.Image.Rect.Dx() != 320 {
		t.Errorf("face: %v", err)
	}
}
