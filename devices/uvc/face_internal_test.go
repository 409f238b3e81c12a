package uvc

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
	"time"
)

// A compressed frame that is whole is delivered; one of another size, with a hole,
// or with rubbish between its data and its end is damaged, though image/jpeg
// decodes all but the second.
func TestFaceStreamChecksFrames(t *testing.T) {
	encode := func(w, h int) []byte {
		img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
		for i := range img.Y {
			img.Y[i] = byte(i * i)
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := encode(64, 48)
	rubbish := append(bytes.Clone(good[:len(good)-2]), 0x55, 0x55, 0x55, 0xff, 0xd9)
	hole := append(bytes.Clone(good[:len(good)/2]), good[len(good)/2+200:]...)
	_, cancel := context.WithCancel(context.Background())
	p := &pool{fresh: func() picture { return &jpegPicture{} }}
	s := &faceStream{cam: &FaceCamera{camera[*faceStream]{name: "face camera", videos: []*video{{mode: mode{coding: codingMJPEG, width: 64, height: 48}}}}}}
	s.outlet = newOutlet(s.cam.name, func(f faceShot) { p.put(f.pic) }, cancel)
	for _, b := range [][]byte{encode(32, 48), hole, rubbish, good} {
		s.deliver(p, shot{pic: &jpegPicture{bytes.Clone(b)}, at: time.Now()})
	}
	if st := s.Stats(); st.Frames != 1 || st.Damaged != 3 {
		t.Errorf("%+v, want one frame and three damaged", st)
	}
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	f, err := s.Next(ctx)
	if err != nil || !bytes.Equal(f.JPEG, good) || f.Image.Rect != image.Rect(0, 0, 64, 48) {
		t.Errorf("%v, %d bytes, %v", err, len(f.JPEG), f.Image)
	}
}
